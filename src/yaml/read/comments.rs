//! What lies in the gaps between the parser's events: comments, and the indicators that events leave
//! out of their spans. In a gap, a `#` after white space can be nothing but a comment.

use super::super::tree::Comment;
use super::Reader;

impl Reader<'_> {
    /// Takes the comments between the last token and `to`.
    pub(super) fn gap(&mut self, to: u32) {
        let from = self.scanned;
        if to > from {
            self.scanned = to;
            self.comments_between(from, to);
        }
    }

    /// Takes the comment in the first line of a block scalar: `| # like this`.
    pub(super) fn header_comment(&mut self, start: u32, end: u32) {
        let end = start + line_length(self.slice(start, end).as_bytes()) as u32;
        self.comments_between(start, end);
    }

    /// Offset of the `|` or `>` of the block scalar whose text starts at `text`.
    pub(super) fn header(&self, text: u32) -> u32 {
        self.indicator(text, |bytes, at| matches!(bytes[at], b'|' | b'>'))
            .unwrap_or(text)
    }

    /// Offset of the first `-` of a block sequence. The parser gives that of its first item instead
    /// when the sequence is not indented deeper than the key it belongs to.
    pub(super) fn block_sequence_start(&self, start: u32) -> u32 {
        if self.builder.in_mapping().is_none() {
            return start;
        }
        let dash = |bytes: &[u8], at: usize| {
            let after = bytes.get(at + 1).copied().unwrap_or(b' ');
            bytes[at] == b'-' && is_white(after)
        };
        self.indicator(start, dash).unwrap_or(start)
    }

    /// Offset of an absent node that the parser puts at `at`: behind the indicator that calls for it.
    pub(super) fn absent(&self, at: u32, has_properties: bool) -> u32 {
        let at = at.max(self.scanned);
        if has_properties || self.builder.in_mapping() != Some(true) {
            return at;
        }
        let rest = self.text.as_bytes().get(at as usize..).unwrap_or_default();
        let blanks = rest.iter().take_while(|&&byte| is_white(byte)).count();
        if rest.get(blanks) == Some(&b':') {
            at + blanks as u32 + 1
        } else {
            at
        }
    }

    /// First place before `to` where an indicator follows white space outside of comments.
    fn indicator(&self, to: u32, wanted: impl Fn(&[u8], usize) -> bool) -> Option<u32> {
        let bytes = self.text.as_bytes();
        let mut at = self.scanned as usize;
        while at < to as usize {
            if starts_token(bytes, at) {
                if bytes[at] == b'#' {
                    at += line_length(&bytes[at..]);
                    continue;
                }
                if wanted(bytes, at) {
                    return Some(at as u32);
                }
            }
            at += 1;
        }
        None
    }

    fn comments_between(&mut self, from: u32, to: u32) {
        let bytes = self.text.as_bytes();
        let mut at = from as usize;
        while at < to as usize {
            if bytes[at] != b'#' || !starts_token(bytes, at) {
                at += 1;
                continue;
            }
            let length = line_length(&bytes[at..]);
            self.builder.comment(Comment {
                start: at as u32,
                end: (at + length) as u32,
                trailing: is_trailing(bytes, at),
            });
            at += length;
        }
    }
}

/// Length up to the line break.
fn line_length(bytes: &[u8]) -> usize {
    let line_break = bytes
        .iter()
        .position(|&byte| byte == b'\n' || byte == b'\r');
    line_break.unwrap_or(bytes.len())
}

fn is_white(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Whether white space or nothing stands before `at`.
fn starts_token(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    before.last().is_none_or(|&byte| is_white(byte)) || before == super::BOM.as_bytes()
}

/// Whether something else stands before `at` on its line.
fn is_trailing(bytes: &[u8], at: usize) -> bool {
    let mut before = bytes.get(..at).unwrap_or_default();
    while let [rest @ .., b' ' | b'\t'] = before {
        before = rest;
    }
    let line_start = matches!(before, [] | [.., b'\n' | b'\r']);
    !line_start && before != super::BOM.as_bytes()
}
