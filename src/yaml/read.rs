//! Reads text into the arena of nodes.
//!
//! Armada reads its manifests with PyYAML over libyaml, whose grammar is neither exactly YAML 1.1 nor 1.2.
//! The scanner and parser here follow that grammar rule by rule, so that a file is read as Armada read it, or
//! refused where Armada refused it; `docs/yaml.md` says how that is checked.
//!
//! text ─scanner→ tokens ─parser→ events ─here→ [`Tree`]

mod aliases;
mod characters;
mod cursor;
mod event;
mod fault;
mod parser;
mod parts;
mod recover;
mod scanner;
mod token;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use self::aliases::Anchors;
use self::event::{Content, Event, Node};
use self::fault::Fault;
use self::parser::Parser;
use super::tree::{Builder, Tree};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{FileId, Span};

pub use parts::read_in_parts;

/// The deepest nesting of collections in a document.
pub(crate) const MAX_DEPTH: usize = 200;

/// The longest text, in bytes; offsets and decoded text must fit 32 bits.
pub(crate) const MAX_LENGTH: usize = 1 << 30;

/// The byte order mark.
const BOM: &str = "\u{feff}";

/// Reads all documents of a file. Broken documents are marked, and each fault becomes a diagnostic.
///
/// A byte order mark at the start is skipped. A text longer than [`MAX_LENGTH`] is refused as a whole.
pub fn read(file: FileId, text: &Arc<str>, diagnostics: &mut Diagnostics) -> Tree {
    if text.len() > MAX_LENGTH {
        let message =
            format!("the file is longer than {MAX_LENGTH} bytes, the limit of the reader");
        diagnostics.push(Diagnostic::new(Code::InputLimit, message).help("split the file"));
        return Builder::new(file, Arc::clone(text), 0).finish(String::new(), Vec::new());
    }
    let start = if text.starts_with(BOM) { BOM.len() } else { 0 };
    let mut reader = Reader::new(file, text, start..text.len(), diagnostics);
    let mut parser = Parser::new(text, start, MAX_DEPTH);
    reader.run(&mut parser, None);
    let (mut tree, _) = reader.finish(parser, text.len());
    tree.shrink();
    tree
}

/// The document being read.
#[derive(Clone, Copy)]
struct Open {
    start: u32,
    failed: bool,
}

struct Reader<'a> {
    file: FileId,
    text: &'a str,
    builder: Builder,
    anchors: Anchors<'a>,
    /// Characters that libyaml refuses and that are not assigned to a document yet, the last one first.
    unreadable: Vec<characters::Unreadable>,
    document: Option<Open>,
    /// The end of the last document.
    ended: u32,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Reader<'a> {
    /// Starts to read at the first byte of `range`, which is the start of a document.
    fn new(
        file: FileId,
        text: &'a Arc<str>,
        range: Range<usize>,
        diagnostics: &'a mut Diagnostics,
    ) -> Self {
        let Range { start, end } = range;
        let part = text.get(..end).unwrap_or(text);
        Self {
            file,
            text,
            builder: Builder::new(file, Arc::clone(text), end - start),
            anchors: Anchors::default(),
            unreadable: characters::unreadable(part, start),
            document: None,
            ended: start as u32,
            diagnostics,
        }
    }

    /// Reads to the end of the text, or until a document starts at or after `until`. Returns whether a
    /// document starts exactly at `until`, with nothing left to report before it.
    fn run(&mut self, parser: &mut Parser<'a>, until: Option<u32>) -> bool {
        loop {
            match parser.next() {
                Ok(Event::StreamEnd) => break,
                Ok(Event::DocumentStart(start)) if until.is_some_and(|until| start >= until) => {
                    return until == Some(start) && self.unreadable.is_empty();
                }
                Ok(event) => self.event(event),
                Err(fault) => {
                    let after = self.fault(fault);
                    let Some(next) = recover::next_document(self.text, after) else {
                        break;
                    };
                    // The text in between belongs to the broken document.
                    self.abandon(next);
                    parser.restart(next);
                }
            }
        }
        let end = self.text.len() as u32;
        self.abandon(end);
        self.report_unreadable(end);
        until.is_none()
    }

    /// Returns the nodes before `end`, and the number of nodes that their aliases stand for in addition.
    fn finish(self, parser: Parser<'a>, end: usize) -> (Tree, u64) {
        let (decoded, mut comments) = parser.into_scanner().finish();
        // The scanner looks ahead.
        comments.truncate(comments.partition_point(|comment| (comment.start as usize) < end));
        let excess = self.anchors.excess();
        (self.builder.finish(decoded, comments), excess)
    }

    fn event(&mut self, event: Event) {
        match event {
            Event::StreamEnd => {}
            Event::DocumentStart(start) => self.open(start),
            Event::DocumentEnd(end) => self.end_document(end),
            Event::Alias(start, end) => self.alias(start, end),
            Event::CollectionEnd(end) => {
                self.builder.end_collection(end);
                self.anchors.end_collection();
            }
            Event::Node(node) => self.node(node),
        }
    }

    fn node(&mut self, node: Node) {
        let Node {
            content,
            start,
            end,
            tag,
            anchor,
        } = node;
        let place = anchor.map(|(start, end)| (self.slice(start + 1, end), self.span(start, end)));
        let name = place.map(|(name, _)| name);
        let (tag, span) = (tag.as_deref(), (start, end));
        let id = match content {
            Content::Scalar { style, text } => {
                let id = self.builder.scalar(span, style, text, tag, name);
                self.anchors.leaf();
                id
            }
            Content::Sequence => self.builder.start_sequence(span, tag, name),
            Content::Mapping => self.builder.start_mapping(span, tag, name),
        };
        if let Some((name, span)) = place {
            let scalar = matches!(content, Content::Scalar { .. });
            if let Err(first) = self.anchors.define(name, id, span, scalar) {
                self.fail(aliases::defined_twice(name, first, span));
            }
        }
        match content {
            Content::Scalar { .. } => {}
            Content::Sequence | Content::Mapping => {
                self.anchors.start_collection(name);
                if self.builder.depth() == MAX_DEPTH + 1 {
                    self.fail(too_deep(self.span(start, end)));
                }
            }
        }
    }

    fn alias(&mut self, start: u32, end: u32) {
        let name = self.slice(start + 1, end);
        let span = self.span(start, end);
        match self.anchors.alias(name) {
            Some((target, complete)) => {
                self.builder.alias((start, end), target);
                if !complete {
                    self.fail(aliases::contains_itself(name, span));
                }
            }
            None => self.fail(fault::unknown_anchor(name, span)),
        }
    }

    fn open(&mut self, start: u32) {
        self.builder.start_document();
        self.anchors.start_document();
        self.document = Some(Open {
            start,
            failed: false,
        });
    }

    fn end_document(&mut self, end: u32) {
        self.ended = end;
        self.report_unreadable(end);
        let Some(Open { start, .. }) = self.document else {
            return;
        };
        if let Err(excess) = self.anchors.end_document() {
            self.fail(excess.diagnostic(self.span(start, end)));
        }
        if self.document.take().is_some_and(|document| document.failed) {
            self.builder.abandon_document((start, end));
        } else {
            self.builder.end_document((start, end));
        }
    }

    /// Abandons the open document, if there is one.
    fn abandon(&mut self, end: u32) {
        if self.document.is_some() {
            self.report_unreadable(end);
        }
        if let Some(Open { start, .. }) = self.document.take() {
            self.builder.abandon_document((start, end));
            self.ended = end;
        }
    }

    /// Reports a syntax error, which ends the document. Returns the offset after which the next one may
    /// start.
    fn fault(&mut self, fault: Fault) -> u32 {
        let start = match self.document {
            Some(Open { start, .. }) => start,
            None => {
                self.open(self.ended);
                self.ended
            }
        };
        self.fail(fault.diagnostic(self.file, self.text));
        fault.seen.max(start + 1)
    }

    /// Reports the characters before `end` that libyaml refuses.
    fn report_unreadable(&mut self, end: u32) {
        while let Some(&next) = self.unreadable.last()
            && next.at < end
        {
            self.unreadable.pop();
            self.fail(next.diagnostic(self.file));
        }
    }

    fn fail(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
        if let Some(document) = &mut self.document {
            document.failed = true;
        }
    }

    fn span(&self, start: u32, end: u32) -> Span {
        Span::new(self.file, start, end)
    }

    fn slice(&self, start: u32, end: u32) -> &'a str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }
}

fn too_deep(span: Span) -> Diagnostic {
    let message = format!(
        "a document is nested deeper than {MAX_DEPTH} collections, the limit of the reader"
    );
    Diagnostic::new(Code::DepthLimit, message)
        .at(span, "one level too deep")
        .help("no manifest needs such depth: check how the file was made")
}
