//! Texts that go-yaml does not read as they were written: a server-side apply and helm-controller read JSON with it.

/// A server-side apply is read by go-yaml, which looks for the colon after a key no further than this many
/// characters from where the key begins, quotes and escapes counted.
pub(crate) const LONGEST_KEY: usize = 1024;

/// Returns whether the key's JSON, as Go writes it, is longer than go-yaml's limit for a key.
#[must_use]
pub(crate) fn is_too_long(key: &str) -> bool {
    const QUOTES: usize = 2;
    if key.len() * "\\u003c".len() + QUOTES <= LONGEST_KEY {
        return false;
    }
    let written = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => 6,
        _ => 1,
    };
    key.chars().map(written).sum::<usize>() + QUOTES > LONGEST_KEY
}

/// go-yaml reads it as a line break, which is a blank when lines are joined.
pub(crate) const NEXT_LINE: char = '\u{85}';

/// Returns a character that go-yaml rejects or changes when it is not escaped.
#[must_use]
pub(crate) fn unsafe_char(text: &str) -> Option<char> {
    if text.bytes().all(|byte| byte < 0x7f) {
        return None;
    }
    let found = |c: &char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    let mut all = text.chars().filter(found);
    let first = all.next()?;
    Some(if first == NEXT_LINE {
        all.find(|c| *c != NEXT_LINE).unwrap_or(first)
    } else {
        first
    })
}
