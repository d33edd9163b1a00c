//! `Secret`, without content: a place for what only the user knows.

use crate::value::{Mapping, Text};

use super::{Fields, KEYS_ANNOTATION, Metadata, Object, PRUNE_ANNOTATION, SSA_ANNOTATION};

/// A Secret that somebody has to fill in.
#[derive(Clone, Debug)]
pub struct EmptySecret {
    /// Name, namespace and marks.
    pub metadata: Metadata,
    /// The keys that it needs.
    pub keys: Vec<Text>,
}

impl From<EmptySecret> for Object {
    fn from(secret: EmptySecret) -> Self {
        let EmptySecret { metadata, keys } = secret;
        let keys: Vec<&str> = keys.iter().map(|key| &**key).collect();
        let rest: Mapping = Fields::default().set("type", "Opaque").mapping();
        let mut object = Object::new("v1", "Secret", metadata, rest);
        object.set_annotation(KEYS_ANNOTATION, keys.join(","));
        // Content that was added in the cluster stays, and goes with nobody's tree.
        object.set_annotation(SSA_ANNOTATION, "Merge");
        object.set_annotation(PRUNE_ANNOTATION, "disabled");
        object
    }
}
