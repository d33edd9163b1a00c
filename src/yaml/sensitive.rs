//! Finds the parts of a file that must never be shown, by the rules that set the bit of each leaf, so that
//! excerpts can hide them.

mod unread;

use std::borrow::Cow;

use crate::secret::{self, Below, Mask};
use crate::source::Span;
use crate::value::{REDACTED, Sensitivity};

use super::tree::{Kind, Node, Tree};

/// Returns the sensitive parts of a file. All comments are sensitive, since they may hold anything.
#[must_use]
pub fn masks(tree: &Tree) -> Vec<Mask> {
    let mut masks = Vec::new();
    for root in tree.roots() {
        collect(root, Below::Open, &mut masks);
    }
    let file = tree.file();
    let comments = tree.comments().iter();
    // The `#` itself may be shown.
    masks.extend(comments.map(|comment| Span::new(file, comment.start + 1, comment.end)));
    let mut start = 0;
    let read = tree.documents().iter().filter(|document| !document.broken);
    for document in read.map(|document| document.span) {
        unread::masks(tree.text(), start..document.range().start, file, &mut masks);
        start = start.max(document.range().end);
    }
    unread::masks(tree.text(), start..tree.text().len(), file, &mut masks);
    masks
}

fn collect(node: Node<'_>, below: Below, masks: &mut Vec<Mask>) {
    match node.kind() {
        // The target of an alias is masked where it is defined, and below the key that refers to it.
        Kind::Alias(_) => {}
        Kind::Scalar(scalar) => {
            if below.text(scalar.text) != Sensitivity::Public {
                masks.push(node.span());
            }
        }
        Kind::Sequence => {
            let mut walk = below.items();
            for item in node.items() {
                let below = walk.next(text_of(item));
                // The target is elsewhere, and nothing there says what it is here.
                if let Kind::Alias(target) = item.kind()
                    && below != Below::Open
                {
                    masks.push(target.span());
                }
                collect(item, below, masks);
            }
        }
        Kind::Mapping => {
            let sibling = |name: &str| {
                let mut entries = node.entries();
                let (_, value) = entries.find(|(key, _)| text_of(*key) == Some(name))?;
                text_of(value)
            };
            let below = below.mapping(|name| sibling(name).is_some());
            for (key, value) in node.entries() {
                let name = key.scalar().map_or("", |key| key.text);
                let below = below.entry(name, sibling);
                if hides(value.resolved(), below) {
                    masks.push(value.resolved().span());
                    masks.push(after_key(key, value));
                } else {
                    collect(key, Below::Open, masks);
                    collect(value, below, masks);
                }
            }
        }
    }
}

/// Returns the text of a scalar, with aliases followed.
fn text_of(node: Node<'_>) -> Option<&str> {
    node.resolved().scalar().map(|scalar| scalar.text)
}

/// Returns whether nothing behind a key may be shown. What no reader made a leaf of is hidden without a look at
/// its form.
fn hides(value: Node<'_>, below: Below) -> bool {
    match value.kind() {
        Kind::Scalar(scalar) => {
            below == Below::Secret && value.tag().is_some()
                || below.text(scalar.text) == Sensitivity::Whole
        }
        Kind::Sequence | Kind::Mapping | Kind::Alias(_) => false,
    }
}

/// Returns everything after a key: a tag or an anchor, outside of the value's span, may be the beginning of
/// the secret (`password: !x1y2`).
fn after_key(key: Node<'_>, value: Node<'_>) -> Span {
    let key = key.span();
    let range = key.end() as usize..value.span().end() as usize;
    let text = value.tree().text().get(range).unwrap_or("");
    let blank = text
        .bytes()
        .take_while(|byte| matches!(byte, b':' | b' ' | b'\t'))
        .count();
    Span::new(key.file(), key.end() + blank as u32, value.span().end())
}

/// Returns a line of a file up to the first sensitive part.
///
/// Text that could not be parsed has no parts; there the text of the line decides.
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
    fn tags_and_anchors_before_a_secret_are_masked() {
        let mut sources = Sources::default();
        let text = "password: !x1y2\npin: &a 1\ntoken : &x1y2 z\n";
        let file = sources.add("site.yaml", text).expect("room");
        let mut diagnostics = crate::diagnostic::Diagnostics::default();
        let tree = crate::yaml::read(file, sources.file(file).text(), &mut diagnostics);
        let shown = show_line(text, Span::new(file, 0, 15), &masks(&tree));
        assert_eq!(shown, "password: ***");
        let shown = show_line(text, Span::new(file, 26, 40), &masks(&tree));
        assert_eq!(shown, "token : ***");
    }

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
