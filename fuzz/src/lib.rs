//! Reads a text with our reader and with libyaml into the same form, for the fuzz targets.

#![allow(
    dangerous_implicit_autorefs,
    reason = "the C library's unions are read through raw pointers"
)]

mod libyaml;

use std::sync::Arc;

use armada2flux::diagnostic::Diagnostics;
use armada2flux::source::Sources;
use armada2flux::yaml::{self, Kind, Node, Style, Tree};

pub use libyaml::expected;

/// The content of a text in order, one line for each document, node and end of a collection.
pub type Events = Vec<String>;

fn line(name: &str, anchor: Option<&str>, tag: Option<&str>, text: &str) -> String {
    // libyaml drops a lone `!`.
    let tag = tag.filter(|tag| *tag != "!").unwrap_or("-");
    format!("{name} &{} {tag} {text:?}", anchor.unwrap_or("-"))
}

/// Reads a text with our reader, as one file.
pub fn read(text: &str) -> (Tree, Diagnostics) {
    let mut sources = Sources::default();
    let file = sources.add("fuzz", text).expect("room for one file");
    let mut diagnostics = Diagnostics::default();
    let tree = yaml::read(
        file,
        &Arc::clone(sources.file(file).text()),
        &mut diagnostics,
    );
    (tree, diagnostics)
}

/// Returns the events of our tree.
pub fn actual(tree: &Tree) -> Events {
    let mut events = Events::new();
    for document in tree.documents() {
        events.push(line("document", None, None, ""));
        if let Some(root) = document.root {
            // The reader limits the depth.
            node(tree.node(root), &mut events);
        }
    }
    events
}

fn node(at: Node<'_>, events: &mut Events) {
    let (open, close) = match at.kind() {
        Kind::Alias(target) => return events.push(line("alias", target.anchor(), None, "")),
        Kind::Scalar(scalar) => {
            let name = match scalar.style {
                Style::Plain => "plain",
                Style::SingleQuoted => "single",
                Style::DoubleQuoted => "double",
                Style::Literal => "literal",
                Style::Folded => "folded",
            };
            return events.push(line(name, at.anchor(), scalar.tag, scalar.text));
        }
        Kind::Sequence => ("[", "]"),
        Kind::Mapping => ("{", "}"),
    };
    events.push(line(open, at.anchor(), at.tag(), ""));
    for child in at.children() {
        node(child, events);
    }
    events.push(line(close, None, None, ""));
}
