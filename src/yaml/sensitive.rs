//! Which parts of a file must never be shown: the same rules that set the bit of each leaf, applied to
//! the source, so that excerpts can leave them out.

use std::borrow::Cow;

use crate::secret::{self, Mask};
use crate::source::Span;
use crate::value::REDACTED;

use super::tree::{Kind, Node, Tree};

/// The sensitive parts of a file.
#[must_use]
pub fn masks(tree: &Tree) -> Vec<Mask> {
    let mut masks = Vec::new();
    for root in tree.roots() {
        collect(root, &mut masks);
    }
    masks
}

fn collect(node: Node<'_>, masks: &mut Vec<Mask>) {
    match node.kind() {
        // What an alias stands for is masked where it is defined, and below the key that leads to it.
        Kind::Alias(_) => {}
        Kind::Scalar(scalar) => {
            if secret::text_looks_secret(scalar.text) {
                masks.push(node.span());
            }
        }
        Kind::Sequence => node.children().for_each(|item| collect(item, masks)),
        Kind::Mapping => {
            for (key, value) in node.entries() {
                let named = key
                    .scalar()
                    .is_some_and(|key| secret::key_names_secret(key.text));
                if named {
                    masks.push(value.resolved().span());
                    masks.push(value.span());
                } else {
                    collect(key, masks);
                    collect(value, masks);
                }
            }
        }
    }
}

/// A line of a file, cut where the first sensitive part begins.
///
/// What could not be parsed has no parts; there the looks of the line decide.
#[must_use]
pub fn show_line(text: &str, line: Span, masks: &[Mask]) -> String {
    let range = line.range();
    let whole = text.get(range.clone()).unwrap_or("");
    let hidden = masks
        .iter()
        .map(|mask| mask.range())
        .filter(|mask| mask.start < range.end && range.start < mask.end)
        .map(|mask| mask.start.max(range.start) - range.start)
        .min();
    let shown = match hidden {
        Some(at) => Cow::Owned(format!("{}{REDACTED}", whole.get(..at).unwrap_or(""))),
        None => Cow::Borrowed(whole),
    };
    secret::mask_line(&shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn lines_end_before_a_secret() {
        let mut sources = Sources::default();
        let text = "user: a\nsalt: xyz\nx: {t: abc, y: 1}\n";
        let file = sources.add("site.yaml", text).expect("room");
        let masks = [Span::new(file, 14, 17), Span::new(file, 25, 28)];
        let show = |start, end| show_line(text, Span::new(file, start, end), &masks);
        assert_eq!(show(0, 7), "user: a");
        assert_eq!(show(8, 17), "salt: ***");
        assert_eq!(show(18, 35), "x: {t: ***");
    }
}
