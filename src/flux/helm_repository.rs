//! `HelmRepository` (source-controller)

use crate::value::{Text, Value};

use super::git_repository::address;
use super::{Fields, Metadata, Object, SOURCE_API, Seconds, reference};

/// A folder of chart archives with an index beside them, or a registry of charts.
#[derive(Clone, Debug)]
pub struct HelmRepository {
    /// Name, namespace and marks.
    pub metadata: Metadata,
    /// `http`, `https` or `oci` address of the folder.
    pub url: Text,
    /// How often Flux reads the index.
    pub interval: Seconds,
    /// Which cloud logs in (registries only).
    pub provider: Option<Text>,
    /// Whether the registry is spoken to over plain HTTP.
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
            url,
            interval,
            provider,
            insecure,
            secret,
            cert_secret,
        } = repository;
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

/// Whether an object is a HelmRepository of type `oci`. Flux asks such a registry for each chart when it needs it: the
/// object has no status (source-controller: helmrepository_controller.go, `migrationToStatic`).
#[must_use]
pub fn is_registry(object: &Value) -> bool {
    object.text_at(&["kind"]) == Some("HelmRepository")
        && object.text_at(&["spec", "type"]) == Some("oci")
}
