//! Layouts: objects to files. Only names and texts are made here; `cli` writes them.

pub mod plain;

use crate::value::Text;

/// First words of every file that is written, by which it is known again.
pub const MARKER: &str = "# written by armada2flux";

/// A file of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path below the output folder, with `/`.
    pub path: Text,
    /// Its text.
    pub text: String,
}
