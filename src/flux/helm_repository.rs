//! `HelmRepository` (source-controller)

use crate::value::{Text, Value};

use super::git_repository::address;
use super::{Fields, Metadata, Object, SOURCE_API, Seconds, reference};

/// A folder of chart archives with an index, or a registry of charts.
#[derive(Clone, Debug)]
pub struct HelmRepository {
    /// Name, namespace and marks.
    pub metadata: Metadata,
    /// Address and access.
    pub source: HelmSource,
    /// How often Flux reads the index.
    pub interval: Seconds,
}

/// Address and access of a chart repository; `T` is another type than text only in a source map's rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HelmSource<T = Text> {
    /// `http`, `https` or `oci` address of the folder.
    pub url: T,
    /// Which cloud logs in (`oci` only).
    pub provider: Option<Text>,
    /// Whether the registry is spoken to over plain HTTP (`oci` only).
    pub insecure: bool,
    /// Secret that holds a login.
    pub secret: Option<Text>,
    /// Secret that holds certificates.
    pub cert_secret: Option<Text>,
}

impl From<HelmRepository> for Object {
    fn from(repository: HelmRepository) -> Self {
        let HelmRepository {
            metadata,
            source,
            interval,
        } = repository;
        let HelmSource {
            url,
            provider,
            insecure,
            secret,
            cert_secret,
        } = source;
        let kind = url.starts_with("oci://").then_some("oci");
        let spec = Fields::default()
            .set_some("type", kind)
            .set("interval", interval)
            .set("url", address(url))
            .set_some("provider", provider)
            .set_if("insecure", insecure)
            .set_some("secretRef", secret.map(reference))
            .set_some("certSecretRef", cert_secret.map(reference))
            .mapping();
        let rest = Fields::default().set("spec", spec).mapping();
        Object::new(SOURCE_API, "HelmRepository", metadata, rest)
    }
}

/// Returns whether an object is a HelmRepository of type `oci`. Flux asks such a registry for each chart
/// when it needs it: the object has no status (source-controller: helmrepository_controller.go,
/// `migrationToStatic`).
#[must_use]
pub(crate) fn is_registry(object: &Value) -> bool {
    object.text_at(&["kind"]) == Some("HelmRepository")
        && object.text_at(&["spec", "type"]) == Some("oci")
}
