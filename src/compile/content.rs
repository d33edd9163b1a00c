//! What input files hold: Armada documents, or a Flux tree.

use crate::source::Span;
use crate::yaml::Tree;
use crate::yaml::tree::Node;

/// What input files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Armada documents, or nothing recognised.
    Armada,
    /// Kubernetes objects.
    Flux,
    /// Both.
    Both {
        /// Span of the first Armada document.
        document: Span,
        /// Span of the first Kubernetes object.
        object: Span,
    },
}

impl Content {
    /// Finds out what files hold. Objects have `apiVersion` and `kind`; documents have `schema`.
    pub(super) fn detect(trees: &[Tree]) -> Self {
        let (mut document, mut object) = (None, None);
        for root in trees.iter().flat_map(Tree::roots) {
            let is_object = has_key(root, "apiVersion") && has_key(root, "kind");
            match (is_object, has_key(root, "schema")) {
                (true, false) => object = object.or(Some(root.span())),
                (false, true) => document = document.or(Some(root.span())),
                (true, true) | (false, false) => {}
            }
        }
        match (document, object) {
            (Some(document), Some(object)) => Content::Both { document, object },
            (None, Some(_)) => Content::Flux,
            (Some(_) | None, None) => Content::Armada,
        }
    }
}

fn has_key(root: Node<'_>, name: &str) -> bool {
    root.entries()
        .filter_map(|(key, _)| key.scalar())
        .any(|key| key.text == name)
}
