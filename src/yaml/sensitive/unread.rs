//! Finds the sensitive parts of text that could not be parsed, by the indentation and the text of lines.
//!
//! A line is hidden as a whole when it may continue the value of a key that names a secret.

use std::ops::Range;

use crate::secret::{self, Mask};
use crate::source::{FileId, Span};

/// Adds the sensitive parts of a part of the text. [`secret::mask_line`] finds the value of a secret key on
/// the same line.
pub(super) fn masks(text: &str, part: Range<usize>, file: FileId, masks: &mut Vec<Mask>) {
    let Some(lines) = text.get(part.clone()) else {
        return;
    };
    let mut state = State::default();
    let mut start = part.start;
    for line in lines.split_inclusive('\n') {
        let body = line.trim_end();
        let indent = body.len() - body.trim_start().len();
        let mut hide = |from: usize| {
            let (from, end) = (start + from, start + body.len());
            if from < end {
                masks.push(Span::new(file, from as u32, end as u32));
            }
        };
        if state.hides(body, indent) {
            hide(indent);
        } else if let Some(at) = comment(body) {
            hide(at + 1);
        }
        start += line.len();
    }
}

/// What the lines so far mean for the next line.
#[derive(Default)]
struct State {
    /// The indentation of the secret key that deeper lines belong to.
    under: Option<usize>,
    /// The quote that opened a secret.
    quote: Option<char>,
    /// Whether the value of a secret key may be on the next line, at any indentation.
    awaited: bool,
    /// Whether a PEM block has started.
    pem: bool,
}

impl State {
    /// Returns whether nothing of the line may be shown.
    fn hides(&mut self, line: &str, indent: usize) -> bool {
        let text = line.trim_start();
        if text.is_empty() {
            return false;
        }
        if self.pem {
            self.pem = !text.contains("-----END ");
            return true;
        }
        if let Some(quote) = self.quote {
            if text.contains(quote) {
                self.quote = None;
            }
            return true;
        }
        if secret::may_be_pair_value(text) {
            self.awaited = true;
            return true;
        }
        let item = text.starts_with("- ") || text == "-";
        let under = self
            .under
            .is_some_and(|key| indent > key || item && indent == key);
        // This is reset in any case: it concerns one line only.
        let awaited = std::mem::take(&mut self.awaited);
        let hidden = under || awaited;
        if !under {
            self.under = None;
        }
        self.pem = text.contains("-----BEGIN ") && !text.contains("-----END ");
        self.awaited = item && secret::announces_secret(text.trim_start_matches(['-', ' ']))
            || item && text.starts_with("- -") && secret::announces_secret(&text[2..]);
        if let Some(at) = secret::after_secret_key(line) {
            if !under {
                self.under = Some(indent);
            }
            let value = line[at..].trim();
            let mut letters = value.chars();
            match letters.next() {
                Some(quote @ ('"' | '\'')) if !letters.as_str().contains(quote) => {
                    self.quote = Some(quote);
                }
                // Tags, anchors, block marks and brackets: the value follows on the next lines.
                Some('|' | '>' | '&' | '!' | '*' | '{' | '[' | '?' | '#') | None => {
                    self.awaited = true;
                }
                Some(_) => {}
            }
        }
        hidden
    }
}

/// Returns the offset of the comment of a line, if there is one; a `#` inside of quotes counts, too.
fn comment(line: &str) -> Option<usize> {
    line.match_indices('#')
        .map(|(at, _)| at)
        .find(|&at| at == 0 || line[..at].ends_with([' ', '\t']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn shown(text: &str) -> String {
        let mut sources = Sources::default();
        let file = sources.add("x.yaml", text).expect("room");
        let mut found = Vec::new();
        masks(text, 0..text.len(), file, &mut found);
        let mut out = text.to_owned();
        for mask in found.iter().rev() {
            out.replace_range(mask.range(), "*");
        }
        out
    }

    #[test]
    fn what_belongs_to_a_secret_key_is_hidden() {
        assert_eq!(
            shown("password:\n    a\n  b: {\nnext: 1\n"),
            "password:\n    *\n  *\nnext: 1\n"
        );
        assert_eq!(shown("secret:\n- a\n- b\nc: 1\n"), "secret:\n*\n*\nc: 1\n");
        assert_eq!(shown("token:\na\nb\n"), "token:\n*\nb\n");
        assert_eq!(
            shown("password: 'a\nb\nc' d\ne\n"),
            "password: 'a\n*\n*\ne\n"
        );
        assert_eq!(
            shown("x: |\n -----BEGIN A\n b\n -----END A\nc: 1\n"),
            "x: |\n -----BEGIN A\n *\n *\nc: 1\n"
        );
        assert_eq!(shown("- --token\n- a\n- b\n"), "- --token\n*\n- b\n");
        assert_eq!(shown("- -p\n- a\n- b\n"), "- -p\n*\n- b\n");
        assert_eq!(shown("- value: a\n  name: b\n"), "*\n  *\n");
        assert_eq!(shown("a: b # c\n# d\n"), "a: b #*\n#*\n");
        assert_eq!(shown("password: a\nuser: b\n"), "password: a\nuser: b\n");
    }
}
