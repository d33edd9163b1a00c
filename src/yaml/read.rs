//! Events to arena.
//!
//! `granit-parser` gives the events; what it accepts beyond libyaml (the C library under Armada's
//! PyYAML) is refused here, so that a file is read exactly as Armada read it or not at all.
//! `docs/yaml.md` lists the differences.

mod aliases;
mod characters;
mod comments;
mod fault;

use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, StrInput, StructureStyle, YamlVersion};

use self::aliases::Anchors;
use super::tree::{Builder, NodeId, Style, Tree};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{FileId, Span};

/// Deepest nesting of collections in a document.
pub const MAX_DEPTH: usize = 200;

/// Nesting at which the parser itself gives up; above [`MAX_DEPTH`], so that the better message comes first.
const PARSER_DEPTH: usize = 1000;

/// Byte order mark.
const BOM: &str = "\u{feff}";

/// Reads one file: every document of it, broken ones marked, each fault a diagnostic.
///
/// A byte order mark at the start is skipped. The text must be shorter than 4 GiB (input is limited to
/// 256 MiB long before); what lies beyond is refused as a whole.
pub fn read(file: FileId, text: &Arc<str>, diagnostics: &mut Diagnostics) -> Tree {
    let builder = Builder::new(file, Arc::clone(text));
    if u32::try_from(text.len()).is_err() {
        let message = "the file is too large to be read as YAML";
        diagnostics.push(Diagnostic::new(Code::InputLimit, message).help("split the file"));
        return builder.finish();
    }
    let base = if text.starts_with(BOM) { BOM.len() } else { 0 };
    let body = text.get(base..).unwrap_or("");
    let reader = Reader {
        file,
        text,
        base: base as u32,
        builder,
        anchors: Anchors::default(),
        unreadable: characters::unreadable(text, base),
        document: None,
        end: base as u32,
        scanned: base as u32,
        lost: false,
        diagnostics,
    };
    reader.run(Parser::new_from_str_with_options(body, options()))
}

fn options() -> granit_parser::Options {
    granit_parser::options! {
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        emit_comments: false,
        block_scalar_eof_without_line_feed: true,
        bom_inside_document_as_content: true,
        flow_nesting_limit: PARSER_DEPTH,
        block_nesting_limit: PARSER_DEPTH,
        // libyaml sets no limit.
        max_directive_bytes: 1 << 16,
        max_reserved_directive_params: 1 << 16,
    }
}

/// The document being read.
#[derive(Clone, Copy)]
struct Open {
    start: u32,
    failed: bool,
}

struct Reader<'a> {
    file: FileId,
    text: &'a Arc<str>,
    /// Offset in the text of the parser's offset 0.
    base: u32,
    builder: Builder,
    anchors: Anchors,
    /// Characters that libyaml does not take, not yet laid to a document, last one first.
    unreadable: Vec<characters::Unreadable>,
    document: Option<Open>,
    /// Offset after the last token that was read.
    end: u32,
    /// Offset up to which comments were taken.
    scanned: u32,
    /// Whether text was skipped after an error.
    lost: bool,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Reader<'a> {
    fn run(mut self, mut parser: Parser<'a, StrInput<'a>>) -> Tree {
        loop {
            match parser.next_event() {
                None | Some(Ok((Event::StreamEnd, _))) => break,
                Some(Ok((event, span))) => self.event(event, &span),
                Some(Err(error)) => {
                    self.fault(&error);
                    match parser.proceed_next_document() {
                        Ok(true) => {}
                        Ok(false) | Err(_) => break,
                    }
                }
            }
        }
        let text = self.text.len() as u32;
        self.report_unreadable(text);
        self.abandon(text);
        if !self.lost {
            self.gap(text);
        }
        self.builder.finish()
    }

    fn event(&mut self, event: Event<'a>, span: &granit_parser::Span) {
        let (start, end) = self.offsets(span);
        match event {
            Event::DocumentStart(explicit, version) => {
                self.start_document(start);
                if explicit {
                    self.end = end;
                }
                self.version(version, Span::new(self.file, start, end));
            }
            Event::DocumentEnd => self.end_document(start),
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map(|tag| tag.to_string());
                self.scalar((start, end), &text, style, anchor, tag.as_deref());
            }
            Event::SequenceStart(structure, anchor, tag) => {
                let tag = tag.map(|tag| tag.to_string());
                let start = match structure {
                    StructureStyle::Block => self.block_sequence_start(start),
                    StructureStyle::Flow => start,
                };
                self.gap(start);
                let id = self.builder.start_sequence((start, start), tag.as_deref());
                self.started(id, (start, end), anchor);
            }
            Event::MappingStart(_, anchor, tag) => {
                let tag = tag.map(|tag| tag.to_string());
                self.gap(start);
                let id = self.builder.start_mapping((start, start), tag.as_deref());
                self.started(id, (start, end), anchor);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                // The end of a block collection is empty and lies where the next token starts.
                if end > start {
                    self.gap(start);
                    self.end = self.end.max(end);
                    self.scanned = self.scanned.max(end);
                }
                self.builder.end_collection(self.end);
                self.anchors.end_collection();
            }
            Event::Alias(anchor) => self.alias((start, end), anchor),
            Event::UnresolvedAlias(name) => {
                let span = Span::new(self.file, start, end);
                self.name(&name, span);
                self.fail(fault::unknown_anchor(&name, span));
                self.scalar((start, start), "", ScalarStyle::Plain, 0, None);
                self.end = self.end.max(end);
                self.scanned = self.scanned.max(end);
            }
            Event::Anchor(_, name) => {
                let span = Span::new(self.file, start, end);
                self.name(&name, span);
                self.builder.anchor(&name);
                if let Err(first) = self.anchors.define(name.into_owned(), span) {
                    let diagnostic = Diagnostic::new(
                        Code::AnchorDuplicate,
                        "an anchor is defined twice in one document, which Armada rejects",
                    );
                    self.fail(
                        diagnostic
                            .at(span, "defined again here")
                            .at(first, "first defined here")
                            .help("give the second anchor and its aliases another name"),
                    );
                }
            }
            // Nothing else comes without being asked for.
            _ => {}
        }
    }

    fn start_document(&mut self, start: u32) {
        if self.lost {
            // What was skipped may hold `#` inside of scalars.
            self.scanned = start;
            self.lost = false;
        }
        self.gap(start);
        if self.document.is_some() {
            self.report_unreadable(start);
        }
        self.abandon(start);
        self.open(start);
    }

    fn open(&mut self, start: u32) {
        self.builder.start_document();
        self.anchors.start_document();
        self.document = Some(Open {
            start,
            failed: false,
        });
    }

    fn end_document(&mut self, at: u32) {
        let end = self.end;
        self.report_unreadable(at.max(end));
        if let Some(Open { start, .. }) = self.document {
            let span = Span::new(self.file, start, end);
            if let Err(limit) = self.anchors.end_document() {
                self.fail(limit.diagnostic(span));
            }
        }
        match self.document.take() {
            Some(Open {
                start,
                failed: true,
            }) => self.builder.abandon_document((start, end)),
            Some(Open {
                start,
                failed: false,
            }) => self.builder.end_document((start, end)),
            None => {}
        }
    }

    fn abandon(&mut self, end: u32) {
        if let Some(Open { start, .. }) = self.document.take() {
            self.builder.abandon_document((start, end));
        }
    }

    fn offsets(&self, span: &granit_parser::Span) -> (u32, u32) {
        let start = self.base + span.start.byte_offset().unwrap_or(0) as u32;
        let end = self.base + span.end.byte_offset().unwrap_or(0) as u32;
        (start, end.max(start))
    }

    fn fail(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
        if let Some(document) = &mut self.document {
            document.failed = true;
        }
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

fn style(style: ScalarStyle) -> Style {
    match style {
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted => Style::SingleQuoted,
        ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
        ScalarStyle::Literal => Style::Literal,
        ScalarStyle::Folded => Style::Folded,
    }
}

impl<'a> Reader<'a> {
    fn scalar(
        &mut self,
        (start, end): (u32, u32),
        text: &str,
        kind: ScalarStyle,
        anchor: usize,
        tag: Option<&str>,
    ) {
        let style = style(kind);
        let absent = style == Style::Plain && start == end;
        let (start, end) = match style {
            Style::Plain if absent => {
                let at = self.absent(start, tag.is_some() || anchor != 0);
                (at, at)
            }
            Style::Plain | Style::SingleQuoted | Style::DoubleQuoted => (start, end),
            Style::Literal | Style::Folded => {
                let end = start + self.slice(start, end).trim_end().len() as u32;
                (self.header(start), end)
            }
        };
        self.gap(start);
        let source = self.slice(start, end);
        let inside = match style {
            // The parser writes an absent node as `~`.
            Style::Plain if absent => Some((start, 0)),
            Style::Plain => (source == text).then_some((start, end - start)),
            Style::SingleQuoted | Style::DoubleQuoted => {
                let inner = source.get(1..source.len().saturating_sub(1));
                (inner == Some(text)).then_some((start + 1, text.len() as u32))
            }
            Style::Literal | Style::Folded => {
                self.header_comment(start, end);
                None
            }
        };
        let span = (start, end);
        let id = match inside {
            Some(range) => self.builder.scalar_in_source(span, style, range, tag),
            None => self.builder.scalar_decoded(span, style, text, tag),
        };
        self.anchors.leaf(id, anchor);
        if end > start {
            self.end = self.end.max(end);
        }
        self.scanned = self.scanned.max(end);
    }

    /// libyaml knows YAML 1.1 and 1.2 only.
    fn version(&mut self, version: Option<YamlVersion>, span: Span) {
        if let Some(YamlVersion { major, minor }) = version
            && !matches!((major, minor), (1, 1 | 2))
        {
            let message = format!("Armada rejects documents of YAML version {major}.{minor}");
            self.fail(
                Diagnostic::new(Code::YamlSyntax, message)
                    .at(span, "this document")
                    .help("leave the %YAML line out"),
            );
        }
    }

    fn started(&mut self, id: NodeId, (start, end): (u32, u32), anchor: usize) {
        if end > start {
            // `[` or `{`
            self.end = self.end.max(end);
            self.scanned = self.scanned.max(end);
        }
        self.anchors.start_collection(id, anchor);
        if self.builder.depth() == MAX_DEPTH + 1 && !self.failed() {
            self.fail(too_deep(Span::new(self.file, start, end)));
        }
    }

    fn alias(&mut self, (start, end): (u32, u32), anchor: usize) {
        self.gap(start);
        let span = Span::new(self.file, start, end);
        let name = self.slice(start + 1, end).to_owned();
        self.name(&name, span);
        match self.anchors.alias(anchor) {
            Ok(Some(target)) => {
                self.builder.alias((start, end), target);
            }
            Ok(None) => self.fail(fault::unknown_anchor(&name, span)),
            Err(inside) => {
                self.builder.alias((start, end), inside);
                let message = format!("the anchor `{name}` contains itself, which Helm rejects");
                self.fail(
                    Diagnostic::new(Code::AliasLimit, message)
                        .at(span, "this alias lies inside the node that it stands for")
                        .help("write the inner node out"),
                );
            }
        }
        self.end = self.end.max(end);
        self.scanned = self.scanned.max(end);
    }

    /// libyaml takes only ASCII letters, digits, `_` and `-` in the name of an anchor.
    fn name(&mut self, name: &str, span: Span) {
        let ascii = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if name.is_empty() || !name.bytes().all(ascii) {
            self.fail(
                Diagnostic::new(Code::YamlSyntax, "a name of an anchor that Armada rejects")
                    .at(
                        span,
                        "only ASCII letters, digits, `_` and `-` may stand here",
                    )
                    .help("rename the anchor; write a space before a `:` that follows an alias"),
            );
        }
    }

    fn failed(&self) -> bool {
        self.document.is_some_and(|document| document.failed)
    }

    fn slice(&self, start: u32, end: u32) -> &'a str {
        self.text.get(start as usize..end as usize).unwrap_or("")
    }

    /// Reports the characters before `end` that may not stand in the input.
    fn report_unreadable(&mut self, end: u32) {
        while let Some(&last) = self.unreadable.last()
            && last.at < end
        {
            self.unreadable.pop();
            self.fail(last.diagnostic(self.file));
        }
    }

    /// A syntax error: the document ends here.
    fn fault(&mut self, error: &granit_parser::ScanError) {
        let at = self.base + fault::offset(error, self.slice(self.base, self.text.len() as u32));
        // A character that may not be there is named as such, once.
        if self.unreadable.iter().all(|unreadable| unreadable.at != at) {
            self.diagnostics.push(fault::syntax(error, self.file, at));
        }
        self.lost = true;
        if self.document.is_none() {
            self.open(self.end);
        }
        if let Some(document) = &mut self.document {
            document.failed = true;
        }
    }
}

#[cfg(test)]
mod tests;
