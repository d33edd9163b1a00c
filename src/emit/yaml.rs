//! Writes YAML in block style, the same text for the same tree.
//!
//! Two-space indentation, lists indented under their key, one line per scalar unless a text with line breaks
//! fits a block literal. Scalars are written so that all readers understand them alike; see `emit::scalar`.

use super::View;
use super::scalar::{literal_header, must_escape, write_big, write_float, write_int, write_string};
use crate::printable::escape::inner_markers;
use crate::value::{Data, Mapping, Notes, Number, Text, Value};

/// Written keys longer than this are marked with `?`. Readers look for the `:` of an unmarked key no further
/// than 1024 characters; their own writers mark keys of 128 characters and more.
const LONGEST_SIMPLE_KEY: usize = 128;

/// Spaces per level.
const STEP: usize = 2;

/// Returns the YAML text of a value, as one document body without `---`, ending with one line break.
#[must_use]
pub fn to_yaml(value: &Value, view: View) -> String {
    let mut out = String::new();
    write_yaml(value, view, &mut out);
    out
}

/// Appends a value as one document body; the caller writes `---` and comments at the head.
///
/// A float that is not finite, which no value read from a document holds, and an integer beyond
/// the floats' range, which Go readers take for text, are written as quoted text.
pub fn write_yaml(value: &Value, view: View, out: &mut String) {
    let start = out.len();
    Writer { out, view }.document(value);
    // Notes may end with blank lines.
    while out[start..].ends_with("\n\n") {
        out.pop();
    }
}

/// A non-empty collection, which has lines of its own.
#[derive(Clone, Copy)]
enum Block<'a> {
    Items(&'a [Value]),
    Entries(&'a Mapping),
}

struct Writer<'a> {
    out: &'a mut String,
    view: View,
}

impl Writer<'_> {
    fn document(&mut self, value: &Value) {
        self.above(value, 0);
        match self.block(value) {
            Some(block) => {
                if let Some(text) = self.trailing(value) {
                    self.comment_line(text, 0);
                }
                self.lines(block, 0, false);
            }
            None => self.leaf(value, STEP),
        }
        self.below(value, 0);
    }

    fn block<'a>(&self, value: &'a Value) -> Option<Block<'a>> {
        let hidden = self.view == View::Redacted && value.is_sensitive();
        match &value.data {
            Data::Sequence(items) if !items.is_empty() && !hidden => Some(Block::Items(items)),
            Data::Mapping(mapping) if !mapping.is_empty() && !hidden => {
                Some(Block::Entries(mapping))
            }
            Data::Null
            | Data::Bool(_)
            | Data::Number(_)
            | Data::String(_)
            | Data::Sequence(_)
            | Data::Mapping(_) => None,
        }
    }

    /// Writes a collection at `indent`. With `placed`, the first line has its indentation, and the comments
    /// above it are written.
    fn lines(&mut self, block: Block<'_>, indent: usize, mut placed: bool) {
        match block {
            Block::Items(items) => {
                for item in items {
                    if !std::mem::take(&mut placed) {
                        self.above_item(item, indent);
                        self.indent(indent);
                    }
                    self.out.push('-');
                    self.item(item, indent + STEP);
                    self.below(item, indent);
                }
            }
            Block::Entries(mapping) => {
                for entry in mapping.entries() {
                    if !std::mem::take(&mut placed) {
                        self.above(&entry.value, indent);
                        self.indent(indent);
                    }
                    self.key(&entry.key, indent);
                    self.entry(&entry.value, indent + STEP);
                    self.below(&entry.value, indent);
                }
            }
        }
    }

    /// Writes what follows the `-`: a collection begins on the same line unless a comment is there.
    fn item(&mut self, item: &Value, indent: usize) {
        match self.block(item) {
            Some(block) if self.trailing(item).is_none() => {
                self.out.push(' ');
                self.lines(block, indent, true);
            }
            Some(_) | None => self.entry(item, indent),
        }
    }

    /// Writes what follows the `:`.
    fn entry(&mut self, value: &Value, indent: usize) {
        match self.block(value) {
            Some(block) => {
                self.end_line(value);
                self.lines(block, indent, false);
            }
            None => {
                self.out.push(' ');
                self.leaf(value, indent);
            }
        }
    }

    fn key(&mut self, key: &str, indent: usize) {
        let start = self.out.len();
        write_string(key, self.out);
        if self.out.len() - start > LONGEST_SIMPLE_KEY {
            self.out.insert_str(start, "? ");
            self.out.push('\n');
            self.indent(indent);
        }
        self.out.push(':');
    }

    /// Writes a leaf to the end of its last line; lines of a block literal are indented by `indent`.
    fn leaf(&mut self, value: &Value, indent: usize) {
        if let Some(shown) = self.view.replaces(value) {
            return self.text(value, &shown, indent);
        }
        match &value.data {
            Data::Null => self.out.push_str("null"),
            Data::Bool(true) => self.out.push_str("true"),
            Data::Bool(false) => self.out.push_str("false"),
            Data::Number(number) => self.number(number),
            Data::String(text) => return self.text(value, text, indent),
            Data::Sequence(_) => self.out.push_str("[]"),
            Data::Mapping(_) => self.out.push_str("{}"),
        }
        self.end_line(value);
    }

    fn text(&mut self, value: &Value, text: &str, indent: usize) {
        if let Some(header) = literal_header(text) {
            return self.literal(value, text, header, indent);
        }
        write_string(text, self.out);
        self.end_line(value);
    }

    fn literal(&mut self, value: &Value, text: &str, header: &str, indent: usize) {
        self.out.push_str(header);
        self.end_line(value);
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            if !line.is_empty() {
                self.indent(indent);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }

    fn number(&mut self, number: &Number) {
        match number {
            Number::Int(int) => write_int(*int, self.out),
            Number::Big(digits) => {
                let in_range = number.as_f64().is_finite();
                if !in_range || write_big(digits, self.out).is_none() {
                    write_string(digits, self.out);
                }
            }
            Number::Float(float) if float.is_finite() => write_float(*float, true, self.out),
            Number::Float(float) => {
                debug_assert!(false, "not finite");
                write_string(&float.to_string(), self.out);
            }
        }
    }

    fn notes<'a>(&self, value: &'a Value) -> Option<&'a Notes> {
        match self.view {
            View::Clear => value.notes.as_deref(),
            View::Redacted => None,
        }
    }

    fn trailing<'a>(&self, value: &'a Value) -> Option<&'a Text> {
        let text = self.notes(value)?.trailing.as_ref()?;
        (!text.trim().is_empty()).then_some(text)
    }

    fn end_line(&mut self, value: &Value) {
        if let Some(text) = self.trailing(value) {
            self.out.push(' ');
            self.comment(text);
        }
        self.out.push('\n');
    }

    fn above(&mut self, value: &Value, indent: usize) {
        if let Some(notes) = self.notes(value) {
            self.comment_lines(&notes.above, indent);
        }
    }

    /// Writes the comments above an item, and above everything that begins on the item's line.
    fn above_item(&mut self, item: &Value, indent: usize) {
        self.above(item, indent);
        if self.trailing(item).is_some() {
            return;
        }
        match self.block(item) {
            Some(Block::Items([first, ..])) => self.above_item(first, indent),
            Some(Block::Entries(mapping)) => {
                if let [first, ..] = mapping.entries() {
                    self.above(&first.value, indent);
                }
            }
            Some(Block::Items([])) | None => {}
        }
    }

    fn below(&mut self, value: &Value, indent: usize) {
        if let Some(notes) = self.notes(value) {
            self.comment_lines(&notes.below, indent);
        }
    }

    fn comment_lines(&mut self, texts: &[Text], indent: usize) {
        for text in texts {
            if text.trim().is_empty() {
                self.out.push('\n');
            } else {
                self.comment_line(text, indent);
            }
        }
    }

    fn comment_line(&mut self, text: &str, indent: usize) {
        self.indent(indent);
        self.comment(text);
        self.out.push('\n');
    }

    /// Writes a comment that ends where its line ends, even if the text has line breaks.
    fn comment(&mut self, text: &str) {
        let text = text.trim();
        if !text.starts_with('#') {
            self.out.push_str("# ");
        }
        // `##[` would be a command for a CI system that shows the file; `## [` is none.
        let markers = inner_markers(text).into_iter();
        let brackets = markers.filter_map(|at| Some(at + text[at..].find('[')?));
        let brackets: Vec<usize> = brackets.collect();
        for (at, c) in text.char_indices() {
            if brackets.contains(&at) {
                self.out.push(' ');
            }
            self.out.push(if must_escape(c) { ' ' } else { c });
        }
    }

    fn indent(&mut self, mut width: usize) {
        const BLANKS: &str = "                                ";
        while width > BLANKS.len() {
            self.out.push_str(BLANKS);
            width -= BLANKS.len();
        }
        self.out.push_str(&BLANKS[..width]);
    }
}
