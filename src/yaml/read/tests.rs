use std::sync::Arc;

use super::read;
use crate::diagnostic::Diagnostics;
use crate::source::Sources;
use crate::yaml::{Kind, Node, Style, Tree};

mod corpus;
mod libyaml;

/// Reads a text as a file of its own.
fn parse(text: &str) -> (Tree, Diagnostics) {
    let mut sources = Sources::default();
    let file = sources.add("a.yaml", text).expect("room");
    let mut diagnostics = Diagnostics::default();
    let text = Arc::clone(sources.file(file).text());
    let tree = read(file, &text, &mut diagnostics);
    (tree, diagnostics)
}
