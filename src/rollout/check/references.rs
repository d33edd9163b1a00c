//! What an object refers to, by the fields of Kubernetes and Flux.

use crate::flux::{HELM_GROUP, HELM_RELEASE, Object, ObjectKey, SOURCE_GROUP};

/// Where credentials of sources stand.
const CREDENTIALS: &[&[&str]] = &[
    &["spec", "secretRef", "name"],
    &["spec", "certSecretRef", "name"],
    &["spec", "proxySecretRef", "name"],
    &["spec", "verify", "secretRef", "name"],
];

fn key(group: &str, kind: &str, namespace: Option<&str>, name: &str) -> ObjectKey {
    ObjectKey {
        group: group.into(),
        kind: kind.into(),
        namespace: namespace.map(Into::into),
        name: name.into(),
    }
}

/// What must be there before an object is sent: its namespace, its values, its sources, their credentials and included sources.
pub(super) fn prepared(object: &Object) -> Vec<ObjectKey> {
    let own = object.namespace.as_deref();
    let value = &object.value;
    let mut keys = Vec::new();
    keys.extend(own.map(|namespace| key("", "Namespace", None, namespace)));
    for place in ["targetNamespace", "storageNamespace"] {
        let namespace = value.text_at(&["spec", place]);
        keys.extend(namespace.map(|namespace| key("", "Namespace", None, namespace)));
    }
    for reference in value.items_at(&["spec", "valuesFrom"]) {
        if let (Some(kind), Some(name)) =
            (reference.text_at(&["kind"]), reference.text_at(&["name"]))
        {
            keys.push(key("", kind, own, name));
        }
    }
    for path in [
        &["spec", "chart", "spec", "sourceRef"][..],
        &["spec", "chartRef"],
        &["spec", "sourceRef"],
    ] {
        let Some(reference) = value.at(path) else {
            continue;
        };
        if let (Some(kind), Some(name)) =
            (reference.text_at(&["kind"]), reference.text_at(&["name"]))
        {
            let namespace = reference.text_at(&["namespace"]).or(own);
            keys.push(key(SOURCE_GROUP, kind, namespace, name));
        }
    }
    for include in value.items_at(&["spec", "include"]) {
        if let Some(name) = include.text_at(&["repository", "name"]) {
            keys.push(key(SOURCE_GROUP, "GitRepository", own, name));
        }
    }
    let credentials = CREDENTIALS.iter().filter_map(|path| value.text_at(path));
    keys.extend(credentials.map(|name| key("", "Secret", own, name)));
    keys
}

/// The releases that a release depends on.
pub(super) fn dependencies(object: &Object) -> Vec<ObjectKey> {
    let own = object.namespace.as_deref();
    let entries = object.value.items_at(&["spec", "dependsOn"]).iter();
    let keys = entries.filter_map(|entry| {
        let namespace = entry.text_at(&["namespace"]).or(own);
        let name = entry.text_at(&["name"])?;
        Some(key(HELM_GROUP, HELM_RELEASE, namespace, name))
    });
    keys.collect()
}
