//! Scans literal and folded scalars.

use super::Scanner;
use crate::yaml::read::fault::{Fault, FaultKind};
use crate::yaml::read::token::{Token, TokenKind};
use crate::yaml::tree::Style;

/// What happens to the line breaks at the end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Chomping {
    Strip,
    Clip,
    Keep,
}

impl Scanner<'_> {
    pub(super) fn fetch_block_scalar(&mut self, literal: bool) -> Result<(), Fault> {
        self.remove_key()?;
        self.simple_key_allowed = true;
        let start = self.cursor.at();
        self.cursor.advance(1);
        let (chomping, increment) = self.block_header(start)?;
        // Zero until it is known.
        let mut indent = increment.map_or(0, |increment| self.indent.max(0) + increment);
        let mut end = self.cursor.at();
        self.cursor.skip_blanks();
        self.skip_comment();
        if !self.cursor.is_break() && !self.cursor.is_end() {
            return self.fault_since(FaultKind::BlockHeader, start);
        }
        self.cursor.skip_break();

        let decoded = self.decoded.len();
        let mut line_break = String::new();
        let mut empty_lines = String::new();
        self.block_breaks(&mut indent, &mut empty_lines, start)?;
        let mut after_blank = false;
        while self.cursor.column() == indent && !self.cursor.is_end() {
            let starts_blank = self.cursor.is_blank();
            if !literal && line_break == "\n" && !after_blank && !starts_blank {
                if empty_lines.is_empty() {
                    self.decoded.push(' ');
                }
            } else {
                self.decoded.push_str(&line_break);
            }
            self.decoded.push_str(&empty_lines);
            line_break.clear();
            empty_lines.clear();
            after_blank = starts_blank;
            let from = self.cursor.at();
            self.cursor.skip_line();
            end = self.cursor.at();
            let line = self.text.get(from..end).unwrap_or("");
            self.decoded.push_str(line);
            self.cursor.read_break(&mut line_break);
            self.block_breaks(&mut indent, &mut empty_lines, start)?;
        }
        if chomping != Chomping::Strip {
            self.decoded.push_str(&line_break);
        }
        if chomping == Chomping::Keep {
            self.decoded.push_str(&empty_lines);
        }
        let style = if literal {
            Style::Literal
        } else {
            Style::Folded
        };
        let text = self.decoded_since(decoded);
        self.tokens.push_back(Token {
            kind: TokenKind::Scalar { style, text },
            start: start as u32,
            end: end as u32,
        });
        Ok(())
    }

    /// Reads `+`, `-` and the digit, in either order.
    fn block_header(&mut self, start: usize) -> Result<(Chomping, Option<i64>), Fault> {
        let mut chomping = None;
        let mut increment = None;
        for _ in 0..2 {
            match self.cursor.peek(0) {
                Some(b'+') if chomping.is_none() => chomping = Some(Chomping::Keep),
                Some(b'-') if chomping.is_none() => chomping = Some(Chomping::Strip),
                Some(b'0') if increment.is_none() => {
                    return self.fault_since(FaultKind::BlockIndentZero, start);
                }
                Some(digit @ b'1'..=b'9') if increment.is_none() => {
                    increment = Some(i64::from(digit - b'0'));
                }
                _ => break,
            }
            self.cursor.advance(1);
        }
        Ok((chomping.unwrap_or(Chomping::Clip), increment))
    }

    /// Skips indentation and empty lines; the first lines decide the indentation when none was given.
    fn block_breaks(
        &mut self,
        indent: &mut i64,
        empty_lines: &mut String,
        start: usize,
    ) -> Result<(), Fault> {
        let mut widest = 0;
        loop {
            while (*indent == 0 || self.cursor.column() < *indent) && self.cursor.is(b' ') {
                self.cursor.advance(1);
            }
            widest = widest.max(self.cursor.column());
            if (*indent == 0 || self.cursor.column() < *indent) && self.cursor.is(b'\t') {
                return self.fault_since(FaultKind::TabIndent, start);
            }
            if !self.cursor.is_break() {
                break;
            }
            self.cursor.read_break(empty_lines);
        }
        if *indent == 0 {
            *indent = widest.max(self.indent + 1).max(1);
        }
        Ok(())
    }
}
