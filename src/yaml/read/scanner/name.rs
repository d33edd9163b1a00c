//! Scans anchors, aliases, tags and directives.

use super::Scanner;
use super::plain::in_source;
use crate::yaml::read::cursor::is_word;
use crate::yaml::read::fault::{Fault, FaultKind};
use crate::yaml::read::token::{Text, TokenKind};

/// The largest number of digits of a number in `%YAML` (libyaml, scanner.c).
const VERSION_DIGITS: usize = 9;

impl Scanner<'_> {
    /// Scans an anchor or an alias.
    pub(super) fn fetch_name(&mut self, kind: TokenKind) -> Result<(), Fault> {
        self.save_key()?;
        self.simple_key_allowed = false;
        let start = self.cursor.at();
        self.cursor.advance(1);
        let length = self.skip_words();
        let ends = self.cursor.is_blank_or_end(0)
            || matches!(
                self.cursor.peek(0),
                Some(b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`')
            );
        if length == 0 || !ends {
            return self.fault_since(FaultKind::AnchorName, start);
        }
        self.push(kind, start);
        Ok(())
    }

    fn skip_words(&mut self) -> usize {
        let words = self.cursor.rest().iter().take_while(|&&byte| is_word(byte));
        let length = words.count();
        self.cursor.advance(length);
        length
    }

    pub(super) fn fetch_tag(&mut self) -> Result<(), Fault> {
        self.save_key()?;
        self.simple_key_allowed = false;
        let start = self.cursor.at();
        let (handle, suffix) = if self.cursor.peek(1) == Some(b'<') {
            self.cursor.advance(2);
            let suffix = self.uri(self.cursor.at(), true, start)?;
            if !self.cursor.is(b'>') {
                return self.fault_since(FaultKind::TagUnclosed, start);
            }
            self.cursor.advance(1);
            (in_source(start, start), suffix)
        } else {
            self.short_tag(start)?
        };
        let ends = self.cursor.is_blank_or_end(0) || self.in_flow() && self.cursor.is(b',');
        if !ends {
            return self.fault_since(FaultKind::TagEnd, start);
        }
        self.push(TokenKind::Tag { handle, suffix }, start);
        Ok(())
    }

    /// Scans a tag: `!handle!suffix`, `!!suffix`, `!suffix` or `!`.
    fn short_tag(&mut self, start: usize) -> Result<(Text, Text), Fault> {
        let handle = self.tag_handle(start)?;
        if handle.length > 1 && self.resolve(handle).ends_with('!') {
            let suffix = self.uri(self.cursor.at(), false, start)?;
            return Ok((handle, suffix));
        }
        // The text that was read as a handle belongs to the suffix.
        let bang = in_source(start, start + 1);
        let suffix = self.uri_from(start + 1, false, start)?;
        if suffix.length == 0 {
            return Ok((in_source(start, start), bang));
        }
        Ok((bang, suffix))
    }

    fn tag_handle(&mut self, start: usize) -> Result<Text, Fault> {
        let from = self.cursor.at();
        if !self.cursor.is(b'!') {
            return self.fault_since(FaultKind::TagHandle, start);
        }
        self.cursor.advance(1);
        self.skip_words();
        if self.cursor.is(b'!') {
            self.cursor.advance(1);
        }
        Ok(in_source(from, self.cursor.at()))
    }

    /// Reads the rest of a tag, which must not be empty.
    fn uri(&mut self, from: usize, all: bool, start: usize) -> Result<Text, Fault> {
        let text = self.uri_from(from, all, start)?;
        if text.length == 0 {
            return self.fault_since(FaultKind::TagEmpty, start);
        }
        Ok(text)
    }

    /// Returns the text from `from` to the end of the tag. With `all`, a tag may have `,`, `[` and `]`.
    fn uri_from(&mut self, from: usize, all: bool, start: usize) -> Result<Text, Fault> {
        let decoded = self.decoded.len();
        let mut copied = from;
        while let Some(byte) = self.cursor.peek(0) {
            let taken = is_word(byte)
                || b";/?:@&=+$.!~*'()".contains(&byte)
                || all && matches!(byte, b',' | b'[' | b']');
            if byte == b'%' {
                let plain = self.text.get(copied..self.cursor.at()).unwrap_or("");
                self.decoded.push_str(plain);
                self.uri_escape(start)?;
                copied = self.cursor.at();
            } else if taken {
                self.cursor.advance(1);
            } else {
                break;
            }
        }
        let end = self.cursor.at();
        if self.decoded.len() == decoded && copied == from {
            return Ok(in_source(from, end));
        }
        let plain = self.text.get(copied..end).unwrap_or("");
        self.decoded.push_str(plain);
        Ok(self.decoded_since(decoded))
    }

    /// Decodes one character that is written as `%` and hexadecimal digits for each byte.
    fn uri_escape(&mut self, start: usize) -> Result<(), Fault> {
        let mut octets = Vec::with_capacity(4);
        loop {
            let octet = match self.cursor.rest() {
                [b'%', high, low, ..] => hex(*high).zip(hex(*low)),
                _ => None,
            };
            let Some((high, low)) = octet else {
                return self.fault_since(FaultKind::TagEscape, start);
            };
            octets.push(high << 4 | low);
            self.cursor.advance(3);
            match std::str::from_utf8(&octets) {
                // The C library would end the tag there.
                Ok("\0") => return self.fault_since(FaultKind::TagEscape, start),
                Ok(text) => {
                    self.decoded.push_str(text);
                    return Ok(());
                }
                Err(error) if error.error_len().is_none() => {}
                Err(_) => return self.fault_since(FaultKind::TagEscape, start),
            }
        }
    }

    pub(super) fn fetch_directive(&mut self) -> Result<(), Fault> {
        self.unroll_indent(-1);
        self.remove_key()?;
        self.simple_key_allowed = false;
        let start = self.cursor.at();
        self.cursor.advance(1);
        let name = self.cursor.at();
        self.skip_words();
        let name = self.text.get(name..self.cursor.at()).unwrap_or("");
        if name.is_empty() || !self.cursor.is_blank_or_end(0) {
            return self.fault_since(FaultKind::DirectiveName, start);
        }
        let kind = match name {
            "YAML" => self.version(start)?,
            "TAG" => self.tag_prefix(start)?,
            _ => return self.fault_since(FaultKind::DirectiveUnknown, start),
        };
        self.push(kind, start);
        self.cursor.skip_blanks();
        self.skip_comment();
        if !self.cursor.is_break() && !self.cursor.is_end() {
            return self.fault_since(FaultKind::DirectiveEnd, start);
        }
        self.cursor.skip_break();
        Ok(())
    }

    fn version(&mut self, start: usize) -> Result<TokenKind, Fault> {
        self.cursor.skip_blanks();
        let major = self.version_number(start)?;
        if !self.cursor.is(b'.') {
            return self.fault_since(FaultKind::Version, start);
        }
        self.cursor.advance(1);
        let minor = self.version_number(start)?;
        Ok(TokenKind::Version { major, minor })
    }

    fn version_number(&mut self, start: usize) -> Result<u32, Fault> {
        let digits = self
            .cursor
            .rest()
            .iter()
            .take_while(|byte| byte.is_ascii_digit());
        let length = digits.count();
        let from = self.cursor.at();
        self.cursor.advance(length);
        let digits = self.text.get(from..from + length).unwrap_or("");
        match digits.parse() {
            Ok(number) if length <= VERSION_DIGITS => Ok(number),
            _ => self.fault_since(FaultKind::Version, start),
        }
    }

    fn tag_prefix(&mut self, start: usize) -> Result<TokenKind, Fault> {
        self.cursor.skip_blanks();
        let handle = self.tag_handle(start)?;
        let bare = handle.length == 1;
        if !(bare || self.resolve(handle).ends_with('!')) || !self.cursor.is_blank() {
            return self.fault_since(FaultKind::TagHandle, start);
        }
        self.cursor.skip_blanks();
        let prefix = self.uri(self.cursor.at(), true, start)?;
        if !self.cursor.is_blank_or_end(0) {
            return self.fault_since(FaultKind::TagEnd, start);
        }
        Ok(TokenKind::TagPrefix { handle, prefix })
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}
