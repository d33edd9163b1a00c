//! Which parts of a file must never be shown: the same rules that set the bit of each leaf, applied to
//! the source, so that excerpts can leave them out.

use crate::secret::{self, Mask};

use super::tree::{Kind, Node, Tree};

/// The sensitive parts of a file.
#[must_use]
pub fn masks(tree: &Tree) -> Vec<Mask> {
    let mut masks = Vec::new();
    for root in tree.roots() {
        collect(root, &mut masks);
    }
    masks
}

fn collect(node: Node<'_>, masks: &mut Vec<Mask>) {
    match node.kind() {
        // What an alias stands for is masked where it is defined, and below the key that leads to it.
        Kind::Alias(_) => {}
        Kind::Scalar(scalar) => {
            if secret::text_looks_secret(scalar.text) {
                masks.push(node.span());
            }
        }
        Kind::Sequence => node.children().for_each(|item| collect(item, masks)),
        Kind::Mapping => {
            for (key, value) in node.entries() {
                let named = key
                    .scalar()
                    .is_some_and(|key| secret::key_names_secret(key.text));
                if named {
                    masks.push(value.resolved().span());
                    masks.push(value.span());
                } else {
                    collect(key, masks);
                    collect(value, masks);
                }
            }
        }
    }
}
