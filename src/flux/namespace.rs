//! `Namespace`

use crate::value::Mapping;

use super::{Metadata, Object};

/// A namespace.
#[derive(Clone, Debug)]
pub struct Namespace {
    /// Name and marks.
    pub metadata: Metadata,
}

impl From<Namespace> for Object {
    fn from(Namespace { metadata }: Namespace) -> Self {
        Object::new("v1", "Namespace", metadata, Mapping::new())
    }
}
