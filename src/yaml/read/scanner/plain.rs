//! Scans plain scalars.

use super::Scanner;
use crate::yaml::read::cursor;
use crate::yaml::read::fault::{Fault, FaultKind};
use crate::yaml::read::token::{Text, Token, TokenKind};
use crate::yaml::tree::Style;

impl Scanner<'_> {
    pub(super) fn fetch_plain(&mut self) -> Result<(), Fault> {
        self.save_key()?;
        self.simple_key_allowed = false;
        let start = self.cursor.at();
        let indent = self.indent + 1;
        let decoded = self.decoded.len();
        let mut folded = false;
        // The text from `from` to `end` is read, but not in the buffer yet.
        let (mut from, mut end) = (start, start);
        let mut breaks = Breaks::default();
        loop {
            if self.cursor.is_document_indicator() || self.cursor.is(b'#') {
                break;
            }
            let length = self.plain_run(start)?;
            if length > 0 {
                if breaks.any {
                    let line = self.text.get(from..end).unwrap_or("");
                    self.decoded.push_str(line);
                    breaks.fold(&mut self.decoded);
                    folded = true;
                    from = self.cursor.at();
                }
                self.cursor.advance(length);
                end = self.cursor.at();
            }
            if !self.cursor.is_blank() && !self.cursor.is_break() {
                break;
            }
            self.plain_white(indent, start, &mut breaks)?;
            if !self.in_flow() && self.cursor.column() < indent {
                break;
            }
        }
        if breaks.any {
            self.simple_key_allowed = true;
        }
        let text = if folded {
            let line = self.text.get(from..end).unwrap_or("");
            self.decoded.push_str(line);
            self.decoded_since(decoded)
        } else {
            in_source(start, end)
        };
        self.tokens.push_back(Token {
            kind: TokenKind::Scalar {
                style: Style::Plain,
                text,
            },
            start: start as u32,
            end: end as u32,
        });
        Ok(())
    }

    /// Returns the length of what belongs to the scalar before the next white space.
    fn plain_run(&self, start: usize) -> Result<usize, Fault> {
        let flow = self.in_flow();
        let rest = self.cursor.rest();
        let mut length = 0;
        while let Some(&byte) = rest.get(length) {
            let after = rest.get(length + 1..).unwrap_or_default();
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => break,
                0xc2 | 0xe2 if cursor::break_length(rest.get(length..).unwrap_or_default()) > 0 => {
                    break;
                }
                b':' if flow
                    && matches!(after.first(), Some(b',' | b'?' | b'[' | b']' | b'{' | b'}')) =>
                {
                    let at = (self.cursor.at() + length) as u32;
                    return Err(Fault::new(FaultKind::ColonInPlain, at).since(start as u32));
                }
                b':' if cursor::is_blank_or_end(after) => break,
                b',' | b'[' | b']' | b'{' | b'}' if flow => break,
                _ => length += 1,
            }
        }
        Ok(length)
    }

    /// Skips white space inside or after the scalar.
    fn plain_white(&mut self, indent: i64, start: usize, breaks: &mut Breaks) -> Result<(), Fault> {
        loop {
            if self.cursor.is(b'\t') && breaks.any && self.cursor.column() < indent {
                return self.fault_since(FaultKind::TabIndent, start);
            }
            if self.cursor.is_blank() {
                self.cursor.advance(1);
            } else if self.cursor.is_break() {
                breaks.read(&mut self.cursor);
            } else {
                return Ok(());
            }
        }
    }

    /// Returns the text in the buffer from `start` on.
    pub(super) fn decoded_since(&self, start: usize) -> Text {
        Text {
            start: start as u32,
            length: (self.decoded.len() - start) as u32,
            decoded: true,
        }
    }
}

/// Returns a part of the source as a text.
pub(super) fn in_source(start: usize, end: usize) -> Text {
    Text {
        start: start as u32,
        length: (end - start) as u32,
        decoded: false,
    }
}

/// The line breaks between two lines of a flow scalar.
#[derive(Debug, Default)]
pub(super) struct Breaks {
    /// Whether there was a line break, or an escaped one.
    pub(super) any: bool,
    first: String,
    more: String,
}

impl Breaks {
    pub(super) fn read(&mut self, cursor: &mut cursor::Cursor<'_>) {
        let out = if self.any {
            &mut self.more
        } else {
            &mut self.first
        };
        cursor.read_break(out);
        self.any = true;
    }

    /// Writes the folded line breaks: a single one becomes a space, of several the first is dropped.
    pub(super) fn fold(&mut self, out: &mut String) {
        if self.first == "\n" {
            if self.more.is_empty() {
                out.push(' ');
            }
        } else {
            out.push_str(&self.first);
        }
        out.push_str(&self.more);
        self.any = false;
        self.first.clear();
        self.more.clear();
    }
}
