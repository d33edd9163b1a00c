//! Scans single-quoted and double-quoted scalars.

use super::Scanner;
use super::plain::{Breaks, in_source};
use crate::yaml::read::cursor;
use crate::yaml::read::fault::{Fault, FaultKind};
use crate::yaml::read::token::{Text, TokenKind};
use crate::yaml::tree::Style;

impl Scanner<'_> {
    pub(super) fn fetch_quoted(&mut self, quote: u8) -> Result<(), Fault> {
        self.save_key()?;
        self.simple_key_allowed = false;
        let start = self.cursor.at();
        self.cursor.advance(1);
        let text = match simple_length(self.cursor.rest(), quote) {
            Some(length) => {
                let from = self.cursor.at();
                self.cursor.advance(length);
                in_source(from, from + length)
            }
            None => self.quoted_text(quote, start)?,
        };
        self.cursor.advance(1);
        let style = if quote == b'\'' {
            Style::SingleQuoted
        } else {
            Style::DoubleQuoted
        };
        self.push(TokenKind::Scalar { style, text }, start);
        Ok(())
    }

    /// Decodes up to the closing quote.
    fn quoted_text(&mut self, quote: u8, start: usize) -> Result<Text, Fault> {
        let decoded = self.decoded.len();
        let mut breaks = Breaks::default();
        loop {
            if self.cursor.is_document_indicator() {
                return self.fault_since(FaultKind::DocumentInQuotes, start);
            }
            if self.cursor.is_end() {
                return self.fault_since(FaultKind::UnclosedQuote, start);
            }
            self.quoted_run(quote, start, &mut breaks)?;
            if self.cursor.is(quote) {
                return Ok(self.decoded_since(decoded));
            }
            let blanks = self.cursor.at();
            while self.cursor.is_blank() {
                self.cursor.advance(1);
            }
            if self.cursor.is_break() {
                while self.cursor.is_blank() || self.cursor.is_break() {
                    if self.cursor.is_blank() {
                        self.cursor.advance(1);
                    } else {
                        breaks.read(&mut self.cursor);
                    }
                }
            }
            if breaks.any {
                breaks.fold(&mut self.decoded);
            } else {
                let blanks = self.text.get(blanks..self.cursor.at()).unwrap_or("");
                self.decoded.push_str(blanks);
            }
        }
    }

    /// Reads up to white space or the closing quote.
    fn quoted_run(&mut self, quote: u8, start: usize, breaks: &mut Breaks) -> Result<(), Fault> {
        loop {
            let length = run_length(self.cursor.rest(), quote);
            let from = self.cursor.at();
            self.cursor.advance(length);
            let run = self.text.get(from..self.cursor.at()).unwrap_or("");
            self.decoded.push_str(run);
            match self.cursor.rest() {
                [b'\'', b'\'', ..] if quote == b'\'' => {
                    self.decoded.push('\'');
                    self.cursor.advance(2);
                }
                [b'\\', after @ ..] if quote == b'"' => {
                    if cursor::break_length(after) > 0 {
                        // An escaped line break joins the lines; further ones count.
                        self.cursor.advance(1);
                        self.cursor.skip_break();
                        breaks.any = true;
                        return Ok(());
                    }
                    self.escape(start)?;
                }
                _ => return Ok(()),
            }
        }
    }

    fn escape(&mut self, start: usize) -> Result<(), Fault> {
        let character = match self.cursor.peek(1) {
            Some(b'0') => '\0',
            Some(b'a') => '\x07',
            Some(b'b') => '\x08',
            Some(b't' | b'\t') => '\t',
            Some(b'n') => '\n',
            Some(b'v') => '\x0b',
            Some(b'f') => '\x0c',
            Some(b'r') => '\r',
            Some(b'e') => '\x1b',
            Some(byte @ (b' ' | b'"' | b'/' | b'\\')) => char::from(byte),
            Some(b'N') => '\u{85}',
            Some(b'_') => '\u{a0}',
            Some(b'L') => '\u{2028}',
            Some(b'P') => '\u{2029}',
            Some(b'x') => return self.numeric_escape(2, start),
            Some(b'u') => return self.numeric_escape(4, start),
            Some(b'U') => return self.numeric_escape(8, start),
            _ => return self.fault_since(FaultKind::UnknownEscape, start),
        };
        self.decoded.push(character);
        self.cursor.advance(2);
        Ok(())
    }

    fn numeric_escape(&mut self, digits: usize, start: usize) -> Result<(), Fault> {
        let rest = self.cursor.rest();
        let mut code: u32 = 0;
        for at in 2..2 + digits {
            let digit = rest.get(at).and_then(|&byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return self.fault_since(FaultKind::EscapeDigits, start);
            };
            code = code << 4 | digit;
        }
        let Some(character) = char::from_u32(code) else {
            return self.fault_since(FaultKind::EscapeCode, start);
        };
        self.decoded.push(character);
        self.cursor.advance(2 + digits);
        Ok(())
    }
}

/// Returns the length up to the closing quote, if the text before it is on one line and needs no decoding.
fn simple_length(bytes: &[u8], quote: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        match *bytes.get(at)? {
            b'\n' | b'\r' => return None,
            b'\\' if quote == b'"' => return None,
            0xc2 | 0xe2 if cursor::break_length(bytes.get(at..)?) > 0 => return None,
            byte if byte == quote => {
                let doubled = quote == b'\'' && bytes.get(at + 1) == Some(&quote);
                return (!doubled).then_some(at);
            }
            _ => at += 1,
        }
    }
}

/// Returns the length up to white space, a quote or an escape.
fn run_length(bytes: &[u8], quote: u8) -> usize {
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => break,
            b'\\' if quote == b'"' => break,
            0xc2 | 0xe2 if cursor::break_length(bytes.get(at..).unwrap_or_default()) > 0 => break,
            byte if byte == quote => break,
            _ => at += 1,
        }
    }
    at
}
