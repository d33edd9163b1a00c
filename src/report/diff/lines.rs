//! Texts of several lines, compared line by line.

use similar::{ChangeTag, TextDiff};

use super::{Line, LineEdit};

/// Lines around a change.
const CONTEXT: usize = 1;
/// Most lines of both texts together; longer ones are shown as two values.
const MOST_LINES: usize = 20_000;

/// Returns the lines that changed between two texts, as JSON, with those around them; nothing for other values and for
/// texts of one line.
pub(super) fn of_texts(before: &str, after: &str) -> Vec<Line> {
    let text = |json: &str| serde_json::from_str::<String>(json).ok();
    let (Some(before), Some(after)) = (text(before), text(after)) else {
        return Vec::new();
    };
    let lines = before.lines().count() + after.lines().count();
    if !(before.contains('\n') || after.contains('\n')) || lines > MOST_LINES {
        return Vec::new();
    }
    let diff = TextDiff::configure().diff_lines(before.as_str(), after.as_str());
    let mut found = Vec::new();
    for (at, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if at > 0 {
            found.push(Line {
                what: LineEdit::Skipped,
                text: "...".to_owned(),
            });
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let what = match change.tag() {
                ChangeTag::Delete => LineEdit::Removed,
                ChangeTag::Insert => LineEdit::Added,
                ChangeTag::Equal => LineEdit::Kept,
            };
            let end = if change.missing_newline() {
                " (no line break at the end)"
            } else {
                ""
            };
            let line = change.value().trim_end_matches('\n');
            let text = format!("{line}{end}");
            found.push(Line { what, text });
        }
    }
    found
}
