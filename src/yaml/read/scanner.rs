//! Splits text into tokens by the grammar of libyaml 0.2.5: indentation, simple keys, and what may start a
//! token.
//!
//! This grammar is older than YAML 1.2 and differs from it in many details (`docs/yaml.md`). Armada reads its
//! manifests by it.

mod block;
mod name;
mod plain;
mod quoted;

use std::collections::VecDeque;

use super::cursor::{Cursor, Mark};
use super::fault::{Fault, FaultKind};
use super::token::{Text, Token, TokenKind};
use crate::yaml::tree::Comment;

/// The largest number of characters between the start of a key and its `:` (libyaml, scanner.c).
const SIMPLE_KEY_LENGTH: usize = 1024;

/// A token that turns out to be a key if a `:` follows in time.
#[derive(Clone, Copy, Debug)]
struct SimpleKey {
    /// It must be a key: it is indented like the keys of a block mapping.
    required: bool,
    token_number: usize,
    mark: Mark,
}

#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    cursor: Cursor<'a>,
    tokens: VecDeque<Token>,
    /// The number of tokens that were taken.
    taken: usize,
    /// Whether the first token of the queue is final: no key token can be inserted before it any more.
    ready: bool,
    ended: bool,
    /// The column of the innermost block collection, -1 outside of all.
    indent: i64,
    indents: Vec<i64>,
    simple_key_allowed: bool,
    /// The possible key of each open flow collection, and first that of the block context.
    simple_keys: Vec<Option<SimpleKey>>,
    /// Texts that are not in the source.
    decoded: String,
    comments: Vec<Comment>,
    /// The deepest nesting; beyond it, scanning ends with an error.
    max_depth: usize,
}

/// Returns the place of an indicator, which is one byte long.
const INDICATOR: usize = 1;

impl<'a> Scanner<'a> {
    /// Starts at an offset that is the start of a document.
    pub(super) fn new(text: &'a str, at: usize, max_depth: usize) -> Self {
        Self {
            text,
            cursor: Cursor::new(text, at),
            tokens: VecDeque::new(),
            taken: 0,
            ready: false,
            ended: false,
            indent: -1,
            indents: Vec::new(),
            simple_key_allowed: true,
            simple_keys: vec![None],
            decoded: String::new(),
            comments: Vec::new(),
            max_depth,
        }
    }

    /// Continues at another offset, which must be the start of a document.
    pub(super) fn restart(&mut self, at: usize) {
        self.cursor = Cursor::new(self.text, at);
        let behind = |comment: &Comment| (comment.start as usize) < at;
        self.comments
            .truncate(self.comments.partition_point(behind));
        self.tokens.clear();
        self.taken = 0;
        self.ready = false;
        self.ended = false;
        self.indent = -1;
        self.indents.clear();
        self.simple_key_allowed = true;
        self.simple_keys.clear();
        self.simple_keys.push(None);
    }

    /// Returns all texts that had to be decoded, and the comments.
    pub(super) fn finish(self) -> (String, Vec<Comment>) {
        (self.decoded, self.comments)
    }

    /// Returns the characters of a text.
    pub(super) fn resolve(&self, text: Text) -> &str {
        let range = text.start as usize..(text.start + text.length) as usize;
        let from: &str = if text.decoded {
            &self.decoded
        } else {
            self.text
        };
        from.get(range).unwrap_or("")
    }

    /// Returns the next token, without taking it.
    pub(super) fn peek(&mut self) -> Result<Token, Fault> {
        loop {
            if let Some(&token) = self.tokens.front() {
                if self.ready {
                    return Ok(token);
                }
                self.drop_stale_keys()?;
                let mut keys = self.simple_keys.iter().flatten();
                self.ready = !keys.any(|key| key.token_number == self.taken);
                if self.ready {
                    return Ok(token);
                }
            }
            self.fetch()?;
        }
    }

    /// Takes the token that was peeked at last.
    pub(super) fn take(&mut self) {
        self.tokens.pop_front();
        self.taken += 1;
        self.ready = false;
    }

    fn fault<T>(&self, kind: FaultKind) -> Result<T, Fault> {
        Err(Fault::new(kind, self.cursor.offset()))
    }

    fn fault_since<T>(&self, kind: FaultKind, since: usize) -> Result<T, Fault> {
        Err(Fault::new(kind, self.cursor.offset()).since(since as u32))
    }

    fn in_flow(&self) -> bool {
        self.simple_keys.len() > 1
    }

    fn push(&mut self, kind: TokenKind, start: usize) {
        self.tokens.push_back(Token {
            kind,
            start: start as u32,
            end: self.cursor.offset(),
        });
    }

    fn push_indicator(&mut self, kind: TokenKind, length: usize) {
        let start = self.cursor.at();
        self.cursor.advance(length);
        self.push(kind, start);
    }

    fn fetch(&mut self) -> Result<(), Fault> {
        self.skip_to_token();
        self.drop_stale_keys()?;
        self.unroll_indent(self.cursor.column());
        let Some(byte) = self.cursor.peek(0) else {
            return self.fetch_end();
        };
        if self.cursor.column() == 0 && byte == b'%' {
            return self.fetch_directive();
        }
        if self.cursor.is_document_indicator() {
            return self.fetch_document_indicator(byte);
        }
        let flow = self.in_flow();
        let alone = self.cursor.is_blank_or_end(1);
        match byte {
            b'[' => self.open_flow(TokenKind::FlowSequenceStart),
            b'{' => self.open_flow(TokenKind::FlowMappingStart),
            b']' => self.close_flow(TokenKind::FlowSequenceEnd),
            b'}' => self.close_flow(TokenKind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if alone => self.fetch_block_entry(),
            b'?' if flow || alone => self.fetch_key(),
            b':' if flow || alone => self.fetch_value(),
            b'*' => self.fetch_name(TokenKind::Alias),
            b'&' => self.fetch_name(TokenKind::Anchor),
            b'!' => self.fetch_tag(),
            b'|' | b'>' if !flow => self.fetch_block_scalar(byte == b'|'),
            b'\'' | b'"' => self.fetch_quoted(byte),
            b'\t' => self.fault(FaultKind::Tab),
            b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => self.fault(FaultKind::CannotStart),
            _ => self.fetch_plain(),
        }
    }

    /// Skips white space and comments.
    fn skip_to_token(&mut self) {
        loop {
            if self.cursor.column() == 0 && self.cursor.rest().starts_with(super::BOM.as_bytes()) {
                self.cursor.skip();
            }
            if self.in_flow() || !self.simple_key_allowed {
                self.cursor.skip_blanks();
            } else {
                // A tab cannot indent.
                while self.cursor.is(b' ') {
                    self.cursor.advance(1);
                }
            }
            self.skip_comment();
            if !self.cursor.is_break() {
                return;
            }
            self.cursor.skip_break();
            if !self.in_flow() {
                self.simple_key_allowed = true;
            }
        }
    }

    /// Takes the comment that starts here, if one does.
    fn skip_comment(&mut self) {
        if !self.cursor.is(b'#') {
            return;
        }
        let start = self.cursor.at();
        self.cursor.skip_line();
        let end = self.cursor.offset();
        self.comments.push(Comment {
            start: start as u32,
            end,
            trailing: follows_something(self.text, start),
        });
    }

    /// Drops possible keys whose `:` did not follow on the same line within the limit.
    fn drop_stale_keys(&mut self) -> Result<(), Fault> {
        let now = self.cursor.mark();
        for slot in &mut self.simple_keys {
            if let Some(SimpleKey { required, mark, .. }) = *slot
                && (mark.line < now.line || mark.index + SIMPLE_KEY_LENGTH < now.index)
            {
                if required {
                    return Err(key_without_colon(mark, now));
                }
                *slot = None;
            }
        }
        Ok(())
    }

    /// Records that a key may start here.
    fn save_key(&mut self) -> Result<(), Fault> {
        if self.simple_key_allowed {
            let mark = self.cursor.mark();
            let key = SimpleKey {
                required: !self.in_flow() && self.indent == mark.column,
                token_number: self.taken + self.tokens.len(),
                mark,
            };
            self.remove_key()?;
            if let Some(slot) = self.simple_keys.last_mut() {
                *slot = Some(key);
            }
        }
        Ok(())
    }

    /// Drops the possible key of the innermost context.
    fn remove_key(&mut self) -> Result<(), Fault> {
        match self.simple_keys.last_mut().and_then(Option::take) {
            Some(SimpleKey {
                required: true,
                mark,
                ..
            }) => Err(key_without_colon(mark, self.cursor.mark())),
            _ => Ok(()),
        }
    }

    /// Opens a block collection when `column` is deeper than the one around; its token goes to the place
    /// `token_number` in the queue.
    fn roll_indent(
        &mut self,
        column: i64,
        token_number: usize,
        kind: TokenKind,
        at: usize,
    ) -> Result<(), Fault> {
        if self.in_flow() || self.indent >= column {
            return Ok(());
        }
        self.indents.push(self.indent);
        self.indent = column;
        self.check_depth(at)?;
        let at = at as u32;
        let token = Token {
            kind,
            start: at,
            end: at,
        };
        self.tokens.insert(token_number - self.taken, token);
        Ok(())
    }

    fn check_depth(&self, at: usize) -> Result<(), Fault> {
        if self.indents.len() + self.simple_keys.len() - 1 > self.max_depth {
            return Err(Fault::new(FaultKind::TooDeep, at as u32));
        }
        Ok(())
    }

    /// Closes the block collections deeper than `column`.
    fn unroll_indent(&mut self, column: i64) {
        if self.in_flow() {
            return;
        }
        while self.indent > column {
            self.push(TokenKind::BlockEnd, self.cursor.at());
            self.indent = self.indents.pop().unwrap_or(-1);
        }
    }

    fn end_of_queue(&self) -> usize {
        self.taken + self.tokens.len()
    }

    fn fetch_end(&mut self) -> Result<(), Fault> {
        if self.ended {
            // Further calls return the end again.
            self.push(TokenKind::StreamEnd, self.cursor.at());
            return Ok(());
        }
        if self.cursor.column() != 0 {
            self.cursor.start_line();
        }
        self.unroll_indent(-1);
        self.remove_key()?;
        self.simple_key_allowed = false;
        self.ended = true;
        self.push(TokenKind::StreamEnd, self.cursor.at());
        Ok(())
    }

    fn fetch_document_indicator(&mut self, byte: u8) -> Result<(), Fault> {
        self.unroll_indent(-1);
        self.remove_key()?;
        self.simple_key_allowed = false;
        let kind = if byte == b'-' {
            TokenKind::DocumentStart
        } else {
            TokenKind::DocumentEnd
        };
        self.push_indicator(kind, 3);
        Ok(())
    }

    fn open_flow(&mut self, kind: TokenKind) -> Result<(), Fault> {
        self.save_key()?;
        self.simple_keys.push(None);
        self.check_depth(self.cursor.at())?;
        self.simple_key_allowed = true;
        self.push_indicator(kind, INDICATOR);
        Ok(())
    }

    fn close_flow(&mut self, kind: TokenKind) -> Result<(), Fault> {
        self.remove_key()?;
        if self.in_flow() {
            self.simple_keys.pop();
        }
        self.simple_key_allowed = false;
        self.push_indicator(kind, INDICATOR);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Result<(), Fault> {
        self.remove_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(TokenKind::FlowEntry, INDICATOR);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), Fault> {
        // In a flow collection the parser will refuse it.
        if !self.in_flow() {
            if !self.simple_key_allowed {
                return self.fault(FaultKind::EntryNotAllowed);
            }
            self.roll_here(TokenKind::BlockSequenceStart)?;
        }
        self.remove_key()?;
        self.simple_key_allowed = true;
        self.push_indicator(TokenKind::BlockEntry, INDICATOR);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), Fault> {
        if !self.in_flow() {
            if !self.simple_key_allowed {
                return self.fault(FaultKind::KeyNotAllowed);
            }
            self.roll_here(TokenKind::BlockMappingStart)?;
        }
        self.remove_key()?;
        self.simple_key_allowed = !self.in_flow();
        self.push_indicator(TokenKind::Key, INDICATOR);
        Ok(())
    }

    fn roll_here(&mut self, kind: TokenKind) -> Result<(), Fault> {
        let (column, at) = (self.cursor.column(), self.cursor.at());
        self.roll_indent(column, self.end_of_queue(), kind, at)
    }

    fn fetch_value(&mut self) -> Result<(), Fault> {
        if let Some(SimpleKey {
            token_number, mark, ..
        }) = self.simple_keys.last_mut().and_then(Option::take)
        {
            let start = mark.at as u32;
            let key = Token {
                kind: TokenKind::Key,
                start,
                end: start,
            };
            self.tokens.insert(token_number - self.taken, key);
            let kind = TokenKind::BlockMappingStart;
            self.roll_indent(mark.column, token_number, kind, mark.at)?;
            self.simple_key_allowed = false;
        } else {
            if !self.in_flow() {
                if !self.simple_key_allowed {
                    return self.fault(FaultKind::ValueNotAllowed);
                }
                self.roll_here(TokenKind::BlockMappingStart)?;
            }
            self.simple_key_allowed = !self.in_flow();
        }
        self.push_indicator(TokenKind::Value, INDICATOR);
        Ok(())
    }
}

fn key_without_colon(key: Mark, now: Mark) -> Fault {
    Fault::new(FaultKind::KeyWithoutColon, key.at as u32).seen(now.at as u32)
}

/// Returns whether there is something other than white space before `at` on its line.
fn follows_something(text: &str, at: usize) -> bool {
    let before = text.get(..at).unwrap_or("");
    let before = before.trim_end_matches([' ', '\t']);
    !(before.is_empty()
        || before.ends_with(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
        || before == super::BOM)
}
