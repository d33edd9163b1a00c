//! What an object refers to, by the fields of Kubernetes and Flux.

use crate::flux::{Object, ObjectKey};
use crate::value::Value;

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

fn text<'v>(value: &'v Value, path: &[&str]) -> Option<&'v str> {
    value.at(path)?.as_str()
}

fn items<'v>(value: &'v Value, path: &[&str]) -> &'v [Value] {
    value
        .at(path)
        .and_then(Value::as_sequence)
        .unwrap_or_default()
}

/// What must be there before an object is sent: its namespace, its values, its sources, their credentials and parts.
pub(super) fn prepared(object: &Object) -> Vec<ObjectKey> {
    let own = object.namespace.as_deref();
    let value = &object.value;
    let mut keys = Vec::new();
    keys.extend(own.map(|namespace| key("", "Namespace", None, namespace)));
    for place in ["targetNamespace", "storageNamespace"] {
        let namespace = text(value, &["spec", place]);
        keys.extend(namespace.map(|namespace| key("", "Namespace", None, namespace)));
    }
    for reference in items(value, &["spec", "valuesFrom"]) {
        if let (Some(kind), Some(name)) = (text(reference, &["kind"]), text(reference, &["name"])) {
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
        if let (Some(kind), Some(name)) = (text(reference, &["kind"]), text(reference, &["name"])) {
            let namespace = text(reference, &["namespace"]).or(own);
            keys.push(key("source.toolkit.fluxcd.io", kind, namespace, name));
        }
    }
    for include in items(value, &["spec", "include"]) {
        if let Some(name) = text(include, &["repository", "name"]) {
            let group = "source.toolkit.fluxcd.io";
            keys.push(key(group, "GitRepository", own, name));
        }
    }
    let credentials = CREDENTIALS.iter().filter_map(|path| text(value, path));
    keys.extend(credentials.map(|name| key("", "Secret", own, name)));
    keys
}

/// The releases that a release depends on.
pub(super) fn dependencies(object: &Object) -> Vec<ObjectKey> {
    let own = object.namespace.as_deref();
    let entries = items(&object.value, &["spec", "dependsOn"]).iter();
    let keys = entries.filter_map(|entry| {
        let namespace = text(entry, &["namespace"]).or(own);
        let name = text(entry, &["name"])?;
        Some(key(
            "helm.toolkit.fluxcd.io",
            "HelmRelease",
            namespace,
            name,
        ))
    });
    keys.collect()
}
