//! `metadata` of the objects that are written.

use crate::value::{Mapping, Text};

use super::{Fields, text_mapping};

/// Name, place and marks of an object.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// Its name.
    pub name: Text,
    /// Its namespace; `None` for cluster-scoped kinds.
    pub namespace: Option<Text>,
    /// Labels, in order.
    pub labels: Vec<(Text, Text)>,
    /// Annotations, in order.
    pub annotations: Vec<(Text, Text)>,
}

impl Metadata {
    pub(super) fn into_mapping(self) -> Mapping {
        let Self {
            name,
            namespace,
            labels,
            annotations,
        } = self;
        Fields::default()
            .set("name", name)
            .set_some("namespace", namespace)
            .set_filled("labels", text_mapping(labels))
            .set_filled("annotations", text_mapping(annotations))
            .mapping()
    }
}
