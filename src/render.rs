//! Layouts: objects to files, and files back to objects. Only names and texts are made here; `cli` writes and
//! reads them.

pub(crate) mod plain;
pub(crate) mod read;

use crate::value::Text;

/// First words of every file that is written, by which it is known again.
pub(crate) const MARKER: &str = "# written by armada2flux";

/// A file of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// Path below the output folder, with `/`.
    pub(crate) path: Text,
    pub(crate) text: String,
}
