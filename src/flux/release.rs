//! A HelmRelease, read as helm-controller reads it.

use sha2::{Digest, Sha256};

use crate::names::hex;
use crate::value::{Text, Value};

use super::{Object, ObjectKey};

/// Longest name of a Helm release, in bytes.
const MAX_NAME: usize = 53;
/// Hexadecimal digits of the digest that a shortened name ends with.
const DIGEST_DIGITS: usize = 12;

/// A read view of a HelmRelease.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReleaseView<'o> {
    object: &'o Object,
}

impl<'o> ReleaseView<'o> {
    /// Views an object; `None` if it is not a HelmRelease.
    #[must_use]
    pub(crate) fn of(object: &'o Object) -> Option<Self> {
        object.is_helm_release().then_some(Self { object })
    }

    /// Returns a text of the spec; helm-controller reads an empty one as absent.
    fn text(self, field: &str) -> Option<&'o str> {
        let text = self.object.value.text_at(&["spec", field]);
        text.filter(|text| !text.is_empty())
    }

    fn own_namespace(self) -> &'o str {
        self.object.namespace.as_deref().unwrap_or_default()
    }

    /// Returns the name under which Helm holds the release (helm-controller: `GetReleaseName`, `ShortenName`).
    #[must_use]
    pub(crate) fn helm_name(self) -> Text {
        match self.text("releaseName") {
            Some(name) => shorten(name.into()),
            None => shorten(self.composed_name()),
        }
    }

    /// Returns whether helm-controller puts a digest into the name under which Helm holds the release,
    /// because the HelmRelease sets none and the one composed of its own is too long.
    #[must_use]
    pub(crate) fn is_name_shortened(self) -> bool {
        self.text("releaseName").is_none() && self.composed_name().len() > MAX_NAME
    }

    fn composed_name(self) -> Text {
        match self.text("targetNamespace") {
            Some(namespace) => format!("{namespace}-{}", self.object.name).into(),
            None => self.object.name.clone(),
        }
    }

    /// Returns the namespace in which Helm stores the release's records (helm-controller:
    /// `GetStorageNamespace`).
    #[must_use]
    pub(crate) fn storage_namespace(self) -> &'o str {
        self.text("storageNamespace")
            .unwrap_or_else(|| self.own_namespace())
    }

    /// Returns the namespace that Helm installs into (helm-controller: `GetReleaseNamespace`).
    #[must_use]
    pub(crate) fn target_namespace(self) -> &'o str {
        self.text("targetNamespace")
            .unwrap_or_else(|| self.own_namespace())
    }

    /// Returns whether the release goes to another cluster than the one that holds its HelmRelease.
    #[must_use]
    pub(crate) fn is_remote(self) -> bool {
        self.object.value.at(&["spec", "kubeConfig"]).is_some()
    }

    /// Reports whether Helm's tests run.
    #[must_use]
    pub(crate) fn is_tested(self) -> bool {
        self.object.value.is_true_at(&["spec", "test", "enable"])
    }

    /// Returns the values that the HelmRelease itself holds.
    #[must_use]
    pub(crate) fn values(self) -> Option<&'o Value> {
        self.object.value.at(&["spec", "values"])
    }

    /// Returns the releases that this one depends on, in order.
    pub(crate) fn depends_on(self) -> impl Iterator<Item = ObjectKey> {
        let entries = self.object.value.items_at(&["spec", "dependsOn"]).iter();
        entries.filter_map(move |entry| {
            let namespace = entry.text_at(&["namespace"]).map(Text::from);
            Some(ObjectKey {
                name: entry.text_at(&["name"])?.into(),
                namespace: namespace.or_else(|| self.object.namespace.clone()),
                ..self.object.key()
            })
        })
    }
}

/// Returns a name that Helm allows (helm-controller: `ShortenName`).
fn shorten(name: Text) -> Text {
    if name.len() <= MAX_NAME {
        return name;
    }
    // Kubernetes names are ASCII; a cut elsewhere than at a character would be no name anyway.
    let start = name.get(..MAX_NAME - DIGEST_DIGITS - 1).unwrap_or_default();
    let mut short = Text::from(start);
    short.push('-');
    short.push_str(&hex(&Sha256::digest(name.as_bytes()))[..DIGEST_DIGITS]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, spec: &str) -> Object {
        let text = format!(
            r#"{{"apiVersion":"helm.toolkit.fluxcd.io/v2","kind":"HelmRelease",
                "metadata":{{"name":"{name}","namespace":"flux-system"}},"spec":{{{spec}}}}}"#
        );
        Object::from_value(Value::from_json(text.as_bytes()).expect("JSON")).expect("an object")
    }

    #[test]
    fn names_and_namespaces_are_those_of_helm_controller() {
        for (spec, name, storage, target) in [
            ("", "web", "flux-system", "flux-system"),
            (
                r#""releaseName":"a","targetNamespace":"town""#,
                "a",
                "flux-system",
                "town",
            ),
            (
                r#""targetNamespace":"town""#,
                "town-web",
                "flux-system",
                "town",
            ),
            (
                r#""releaseName":"","targetNamespace":"","storageNamespace":"""#,
                "web",
                "flux-system",
                "flux-system",
            ),
            (r#""storageNamespace":"helm""#, "web", "helm", "flux-system"),
        ] {
            let object = object("web", spec);
            let release = ReleaseView::of(&object).expect("a release");
            let found = (
                &*release.helm_name(),
                release.storage_namespace(),
                release.target_namespace(),
            );
            assert_eq!(found, (name, storage, target), "{spec}");
            assert!(!release.is_name_shortened());
        }
    }

    #[test]
    fn long_names_are_shortened_as_by_helm_controller() {
        let longest = "x".repeat(MAX_NAME);
        let object_of = object(&longest, "");
        let release = ReleaseView::of(&object_of).expect("a release");
        assert_eq!(
            (&*release.helm_name(), release.is_name_shortened()),
            (&*longest, false)
        );
        // printf '%s' town-xxx… | sha256sum
        let object_of = object(&longest, r#""targetNamespace":"town""#);
        let release = ReleaseView::of(&object_of).expect("a release");
        let wanted = format!("town-{}-9c7786091f63", "x".repeat(35));
        assert_eq!(
            (&*release.helm_name(), release.is_name_shortened()),
            (&*wanted, true)
        );
    }

    #[test]
    fn dependencies_are_looked_for_in_their_namespaces() {
        let object = object(
            "web",
            r#""dependsOn":[{"name":"a"},{"name":"b","namespace":"town"},{}]"#,
        );
        let release = ReleaseView::of(&object).expect("a release");
        let keys = release
            .depends_on()
            .map(|key| (key.namespace.unwrap_or_default(), key.name));
        let wanted = [("flux-system", "a"), ("town", "b")].map(|(n, m)| (n.into(), m.into()));
        assert!(keys.eq(wanted));
    }

    #[test]
    fn other_groups_have_releases_of_their_own() {
        let text =
            br#"{"apiVersion":"helm.fluxcd.io/v1","kind":"HelmRelease","metadata":{"name":"a"}}"#;
        let object = Object::from_value(Value::from_json(text).expect("JSON")).expect("an object");
        assert!(ReleaseView::of(&object).is_none());
    }
}
