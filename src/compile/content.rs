//! What input files hold: Armada documents, or a Flux tree.

use crate::yaml::Tree;
use crate::yaml::tree::Node;

/// What input files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// Armada documents.
    Armada {
        /// Number of Kubernetes objects beside them, which every command skips.
        objects: usize,
    },
    /// Kubernetes objects alone.
    Flux,
    /// Neither.
    Nothing,
}

impl Content {
    /// Finds out what files hold. Objects have `apiVersion` and `kind`; documents have `schema`.
    pub(super) fn detect(trees: &[Tree]) -> Self {
        let (mut documents, mut objects) = (0_usize, 0_usize);
        for root in trees.iter().flat_map(Tree::roots) {
            let is_object = has_key(root, "apiVersion") && has_key(root, "kind");
            match (is_object, has_key(root, "schema")) {
                (true, false) => objects += 1,
                (false, true) => documents += 1,
                (true, true) | (false, false) => {}
            }
        }
        match (documents, objects) {
            (0, 0) => Content::Nothing,
            (0, _) => Content::Flux,
            (_, objects) => Content::Armada { objects },
        }
    }
}

fn has_key(root: Node<'_>, name: &str) -> bool {
    root.entries()
        .filter_map(|(key, _)| key.scalar())
        .any(|key| key.text == name)
}
