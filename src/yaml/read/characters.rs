//! Finds the characters that libyaml refuses.

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};

/// A character that libyaml refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) at: u32,
    pub(super) character: char,
}

/// Returns all characters after offset `from` that libyaml refuses, the last one first.
///
/// libyaml (reader.c) accepts tab, line feed, carriage return, U+0085 and the printable characters.
pub(super) fn unreadable(text: &str, from: usize) -> Vec<Unreadable> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    for (at, pair) in bytes.iter().enumerate().skip(from) {
        // Most text is ASCII: one comparison each.
        let suspect = match *pair {
            b'\t' | b'\n' | b'\r' | 0x20..=0x7e => false,
            0..=0x1f | 0x7f => true,
            // U+0080 to U+009F
            0xc2 => bytes
                .get(at + 1)
                .is_some_and(|&next| next < 0xa0 && next != 0x85),
            // U+FFFE, U+FFFF
            0xef => matches!(bytes.get(at + 1..at + 3), Some([0xbf, 0xbe | 0xbf])),
            _ => false,
        };
        if suspect && let Some(character) = text.get(at..).and_then(|rest| rest.chars().next()) {
            found.push(Unreadable {
                at: at as u32,
                character,
            });
        }
    }
    found.reverse();
    found
}

impl Unreadable {
    pub(super) fn diagnostic(self, file: FileId) -> Diagnostic {
        let Self { at, character } = self;
        let code = character as u32;
        let span = Span::new(file, at, at + character.len_utf8() as u32);
        let message = format!("the character U+{code:04X} is not allowed in YAML");
        let escape = if code > 0xff { "u" } else { "x" };
        let digits = if code > 0xff { 4 } else { 2 };
        Diagnostic::new(Code::YamlSyntax, message)
            .at(span, "")
            .help(format!(
                "remove it, or write it as `\\{escape}{code:0digits$x}` in double quotes"
            ))
    }
}
