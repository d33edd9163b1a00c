//! One difference on a terminal: both sides, or what changed between them.

use std::collections::BTreeSet;
use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use crate::printable::Printable;
use crate::printable::paragraph::{Paragraph, text_columns};
use crate::printable::style::{Paint, Style};
use crate::report::diff::{Change, Edit, Line, LineEdit};
use crate::report::digest::count;

/// Longest value in a line, in characters; the end of a longer one is cut.
const MAX_VALUE: usize = 60;
/// Fewest characters of a value that are worth a place on the line of its path.
const MIN_VALUE: usize = 24;
/// Lines shown of an added or removed collection, and of a text with line breaks.
const MAX_LINES: usize = 12;
/// Time limit of finding out which words of a text changed.
const WORDS_DEADLINE: Duration = Duration::from_millis(100);
/// Words, and spaces between them, around a change.
const WORDS_AROUND: usize = 4;
/// Characters that are shown before the first difference of two long values.
const CHARS_AROUND: usize = 12;
/// Indentation of what is written below a path.
const INDENT: usize = 8;

/// Writes a difference.
pub(super) fn change(out: &mut Printable, change: &Change, style: Style) {
    let Change {
        path,
        title,
        what,
        before,
        after,
        lines,
        secret: _,
        danger,
        noise,
        lockstep: _,
        alike: _,
    } = change;
    let path = title.as_ref().unwrap_or(path);
    let head = match danger {
        Some(_) => Paragraph::default().plain("  ").painted("!", Paint::Danger),
        None => Paragraph::default().plain("   "),
    };
    let head = head.plain(" ");
    let tail = noise.as_ref().map(|rule| format!("  (noise: {rule})"));
    let tail = tail.as_deref().unwrap_or_default();
    let before = before.as_deref().unwrap_or_default();
    let after = after.as_deref().unwrap_or_default();
    if !lines.is_empty() {
        let (sign, paint) = match what {
            Edit::Added => ("+", Paint::Green),
            Edit::Removed => ("-", Paint::Red),
            Edit::Changed | Edit::Reordered | Edit::Moved => ("~", Paint::Yellow),
        };
        let head = head.painted(sign, paint).plain(&format!(" {path}:"));
        head.painted(tail, Paint::Dim).write(out, style);
        return self::lines(out, lines, style);
    }
    match what {
        Edit::Added => one(out, head, ("+", path, after), tail, Paint::Green, style),
        Edit::Removed => one(out, head, ("-", path, before), tail, Paint::Red, style),
        Edit::Reordered => {
            let head = head.plain(&format!("~ {path}: order"));
            both(out, head, (before, after), tail, style);
        }
        Edit::Moved => {
            let head = head.plain("~ ").plain(&format!("{path}: moved here"));
            let room = style.columns().saturating_sub(head.columns() + 1);
            let value = format!(" {}", fit(after, room.max(MIN_VALUE), style));
            head.plain(&value)
                .painted(tail, Paint::Dim)
                .write(out, style);
        }
        Edit::Changed => {
            let head = head.painted("~", Paint::Yellow).plain(&format!(" {path}:"));
            changed(out, head, (before, after), tail, style);
        }
    }
}

/// Writes a value of one side, on the line of its path if it fits.
fn one(
    out: &mut Printable,
    head: Paragraph,
    (sign, path, value): (&str, &str, &str),
    tail: &str,
    paint: Paint,
    style: Style,
) {
    let head = head.painted(&format!("{sign} {path}:"), paint);
    let taken = head.columns() + 1 + text_columns(tail);
    let room = style.columns().saturating_sub(taken).min(MAX_VALUE);
    let length = text_columns(value);
    if style.all || length <= room || room >= MIN_VALUE {
        let value = format!(" {}", fit(value, room, style));
        let line = head.painted(&value, paint).painted(tail, Paint::Dim);
        return line.write(out, style);
    }
    head.painted(tail, Paint::Dim).write(out, style);
    below(out, "", value, paint, style);
}

/// Writes a value on a line of its own.
fn below(out: &mut Printable, sign: &str, value: &str, paint: Paint, style: Style) {
    let room = style.columns() - INDENT - sign.len();
    let value = format!("{sign}{}", fit(value, room, style));
    let line = Paragraph::default().plain(&" ".repeat(INDENT));
    line.painted(&value, paint).write(out, style);
}

/// Writes both sides, on one line if they fit.
fn both(
    out: &mut Printable,
    head: Paragraph,
    (before, after): (&str, &str),
    tail: &str,
    style: Style,
) {
    let (old, new) = differing(before, after, MAX_VALUE, style);
    let line = head
        .clone()
        .plain(" ")
        .painted(&old, Paint::Red)
        .plain(" -> ")
        .painted(&new, Paint::Green)
        .painted(tail, Paint::Dim);
    if style.all || line.columns() <= style.columns() {
        return line.write(out, style);
    }
    head.painted(tail, Paint::Dim).write(out, style);
    let (old, new) = differing(before, after, style.columns() - INDENT - 2, style);
    below(out, "- ", &old, Paint::Red, style);
    below(out, "+ ", &new, Paint::Green, style);
}

/// Cuts both sides to so many columns, so that their first difference is visible.
fn differing(before: &str, after: &str, room: usize, style: Style) -> (String, String) {
    let length = text_columns;
    let equal = before.chars().zip(after.chars());
    let equal = equal.take_while(|(a, b)| a == b).count();
    if style.all || length(before).max(length(after)) <= room || equal <= MIN_VALUE {
        return (fit(before, room, style), fit(after, room, style));
    }
    let rest = |value: &str| -> String {
        let rest: String = value.chars().skip(equal - CHARS_AROUND).collect();
        format!("...{}", fit(&rest, room - 3, style))
    };
    (rest(before), rest(after))
}

fn changed(
    out: &mut Printable,
    head: Paragraph,
    (before, after): (&str, &str),
    tail: &str,
    style: Style,
) {
    let text = |json: &str| serde_json::from_str::<String>(json).ok();
    let short = |value: &str| value.chars().count() <= MAX_VALUE;
    match (text(before), text(after)) {
        (Some(old), Some(new)) if !(short(before) && short(after)) && is_prose(&old, &new) => {
            head.painted(tail, Paint::Dim).write(out, style);
            let mut line = Paragraph::default().plain(&" ".repeat(INDENT));
            words(&old, &new, |tag, value| {
                line = match tag {
                    Some(ChangeTag::Delete) if style.colour => {
                        take(&mut line).painted(value, Paint::Red)
                    }
                    Some(ChangeTag::Insert) if style.colour => {
                        take(&mut line).painted(value, Paint::Green)
                    }
                    tag => take(&mut line).plain(&marked(tag, value)),
                };
            });
            if style.all {
                line.write(out, style);
            } else {
                line.wrap(out, INDENT, style);
            }
        }
        _ => both(out, head, (before, after), tail, style),
    }
}

/// Returns whether two texts consist of words of usual length and share some of them.
fn is_prose(old: &str, new: &str) -> bool {
    let words = |text: &str| -> BTreeSet<String> {
        let words = text.split_whitespace();
        words.map(str::to_owned).collect()
    };
    let (old, new) = (words(old), words(new));
    let short = |word: &String| word.chars().count() <= MAX_VALUE;
    old.iter().chain(&new).all(short) && old.intersection(&new).next().is_some()
}

fn take(line: &mut Paragraph) -> Paragraph {
    std::mem::take(line)
}

/// Writes the lines that changed, with those around them.
fn lines(out: &mut Printable, lines: &[Line], style: Style) {
    let indented = || Paragraph::default().plain(&" ".repeat(INDENT));
    let shown = if style.all { lines.len() } else { MAX_LINES };
    for Line { what, text } in lines.iter().take(shown) {
        let room = style.columns() - INDENT - 2;
        let value = fit(text, room, style);
        let line = match what {
            LineEdit::Kept => indented().plain(&format!("  {value}")),
            LineEdit::Skipped => indented().plain(&value),
            LineEdit::Removed => indented().painted(&format!("- {value}"), Paint::Red),
            LineEdit::Added => indented().painted(&format!("+ {value}"), Paint::Green),
        };
        line.write(out, style);
    }
    let hidden = lines.len().saturating_sub(shown);
    if hidden > 0 {
        let more = format!("... {} more; -v shows all", count(hidden, "line"));
        indented().plain(&more).write(out, style);
    }
}

/// Passes the words that changed in a long text, and those around them, to `write`; without a tag where words are left
/// out.
fn words(old: &str, new: &str, mut write: impl FnMut(Option<ChangeTag>, &str)) {
    let diff = TextDiff::configure()
        .timeout(WORDS_DEADLINE)
        .diff_words(old, new);
    for (at, group) in diff.grouped_ops(WORDS_AROUND).iter().enumerate() {
        if at > 0 || group.first().is_some_and(|op| op.old_range().start > 0) {
            write(None, "... ");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            write(Some(change.tag()), change.value());
        }
    }
}

/// Returns the words that changed, for text without colours.
pub(in crate::report::diff) fn plain_words(old: &str, new: &str) -> String {
    let mut line = String::new();
    words(old, new, |tag, value| line.push_str(&marked(tag, value)));
    line
}

fn marked(tag: Option<ChangeTag>, value: &str) -> String {
    match tag {
        Some(ChangeTag::Delete) => format!("[-{value}-]"),
        Some(ChangeTag::Insert) => format!("{{+{value}+}}"),
        Some(ChangeTag::Equal) | None => value.to_owned(),
    }
}

/// Cuts a value to so many characters; with `-v`, returns all of it.
fn fit(value: &str, room: usize, style: Style) -> String {
    let length = value.chars().count();
    if style.all || length <= room {
        return value.to_owned();
    }
    let end = format!("... ({length} characters)");
    let kept = value.chars().take(room.saturating_sub(end.len()));
    kept.chain(end.chars()).collect()
}
