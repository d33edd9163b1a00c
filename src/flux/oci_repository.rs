//! `OCIRepository` (source-controller)

use crate::value::{Mapping, Text, Value};

use super::git_repository::address;
use super::{Fields, Metadata, Object, SOURCE_API, Seconds, Verify, reference};

/// Media type of the layer that holds a chart.
const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// One chart in a registry.
#[derive(Clone, Debug)]
pub struct OciRepository {
    /// Name, namespace and marks.
    pub metadata: Metadata,
    /// Address and access.
    pub source: OciSource,
    /// Interval of reconciliation, in seconds.
    pub interval: Seconds,
}

/// Address and access of a chart in a registry; `T` is another type than text only in a source map's rules.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OciSource<T = Text> {
    /// `oci` address of the chart itself.
    pub url: T,
    /// Its tag; the newest version when absent.
    pub tag: Option<T>,
    /// Which cloud logs in.
    pub provider: Option<Text>,
    /// Whether the registry is spoken to over plain HTTP.
    pub insecure: bool,
    /// Secret that holds a login.
    pub secret: Option<Text>,
    /// Secret that holds certificates.
    pub cert_secret: Option<Text>,
    /// Secret that holds a proxy's address and login.
    pub proxy_secret: Option<Text>,
    /// How signatures are checked.
    pub verify: Option<Verify>,
}

impl From<OciRepository> for Object {
    fn from(repository: OciRepository) -> Self {
        let OciRepository {
            metadata,
            source,
            interval,
        } = repository;
        let OciSource {
            url,
            tag,
            provider,
            insecure,
            secret,
            cert_secret,
            proxy_secret,
            verify,
        } = source;
        let place: Mapping = match tag {
            Some(tag) => [("tag", tag)].into_iter().collect(),
            None => [("semver", Text::from("*"))].into_iter().collect(),
        };
        let layer: Mapping = [("mediaType", CHART_LAYER), ("operation", "copy")]
            .into_iter()
            .collect();
        let spec = Fields::default()
            .set("interval", interval)
            .set("url", address(url))
            .set("ref", place)
            .set("layerSelector", layer)
            .set_some("provider", provider)
            .set_if("insecure", insecure)
            .set_some("secretRef", secret.map(reference))
            .set_some("certSecretRef", cert_secret.map(reference))
            .set_some("proxySecretRef", proxy_secret.map(reference))
            .set_some("verify", verify.map(Value::from))
            .mapping();
        let rest = Fields::default().set("spec", spec).mapping();
        Object::new(SOURCE_API, "OCIRepository", metadata, rest)
    }
}
