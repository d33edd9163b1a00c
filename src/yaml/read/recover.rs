//! Finds the next document after a broken one.

use super::cursor::{self, Cursor};

/// Returns the offset of the next document after `from`: the first line from there on that starts with `---`,
/// `%YAML` or `%TAG`, or what follows a line with `...`.
pub(super) fn next_document(text: &str, from: u32) -> Option<u32> {
    let bytes = text.as_bytes();
    let mut at = from as usize;
    if !starts_line(bytes, at) {
        at = next_line(bytes, at)?;
    }
    loop {
        let line = bytes.get(at..)?;
        if line.starts_with(b"%YAML ") || line.starts_with(b"%TAG ") {
            return Some(at as u32);
        }
        if Cursor::new(text, at).is_document_indicator() {
            if line.starts_with(b"---") {
                return Some(at as u32);
            }
            return next_line(bytes, at).map(|next| next as u32);
        }
        at = next_line(bytes, at)?;
    }
}

fn starts_line(bytes: &[u8], at: usize) -> bool {
    let before = bytes.get(..at).unwrap_or_default();
    matches!(before, [] | [.., b'\n' | b'\r'])
}

fn next_line(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    let length = cursor::line_length(rest);
    let line_break = cursor::break_length(rest.get(length..)?);
    let next = at + length + line_break;
    (line_break > 0 && next < bytes.len()).then_some(next)
}
