//! `HelmRepository` (source-controller)

use crate::value::Text;

use super::git_repository::address;
use super::{Fields, Metadata, Object, SOURCE_API, Seconds};

/// A folder of chart archives with an index beside them.
#[derive(Clone, Debug)]
pub struct HelmRepository {
    /// Name, namespace and marks.
    pub metadata: Metadata,
    /// Address of the folder.
    pub url: Text,
    /// How often Flux reads the index.
    pub interval: Seconds,
}

impl From<HelmRepository> for Object {
    fn from(repository: HelmRepository) -> Self {
        let HelmRepository {
            metadata,
            url,
            interval,
        } = repository;
        let spec = Fields::default()
            .set("interval", interval)
            .set("url", address(url))
            .mapping();
        let rest = Fields::default().set("spec", spec).mapping();
        Object::new(SOURCE_API, "HelmRepository", metadata, rest)
    }
}
