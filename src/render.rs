//! Layouts: objects to files, and files back to objects. This room makes only names and texts; `cli` writes and
//! reads them.

pub(crate) mod plain;
pub(crate) mod read;

use crate::value::Text;

/// Start of every written file, by which it is recognised.
pub(crate) const MARKER: &str = "# written by armada2flux";

/// A file of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// Path below the output folder, with `/`.
    pub(crate) path: Text,
    pub(crate) text: String,
}
