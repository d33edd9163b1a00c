//! The report of `diff` for a terminal: dangers first, then objects, the summary last.

use std::fmt::Write as _;
use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use super::{Change, Object, Report, Shared, Summary};
use crate::report::digest::count;

/// Longest value in a line, in characters; what is longer is cut in the middle of nothing: its end is left out.
const MAX_VALUE: usize = 60;
/// Lines shown of an added or removed collection, and of a text with line breaks.
const MAX_LINES: usize = 12;
/// Objects that are named for one danger.
const SHOWN_OBJECTS: usize = 5;
/// Longest time that is spent on finding out which words of a text changed.
const WORDS_DEADLINE: Duration = Duration::from_millis(100);
/// Lines around a change.
const CONTEXT: usize = 1;
/// Words, and spaces between them, around a change.
const WORDS_AROUND: usize = 4;
/// Width of paragraphs, in characters.
const WIDTH: usize = 80;

/// How it is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// With colours of a terminal.
    pub colour: bool,
    /// Whole values, and what follows without changes of its own.
    pub all: bool,
}

#[derive(Clone, Copy)]
enum Paint {
    Green,
    Red,
    Yellow,
    Bold,
    Danger,
    Dim,
}

impl Style {
    fn paint(self, text: &str, paint: Paint) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Green => "32",
            Paint::Red => "31",
            Paint::Yellow => "33",
            Paint::Bold => "1",
            Paint::Danger => "1;31",
            Paint::Dim => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// The text, ending with a line break.
#[must_use]
pub fn text(report: &Report, style: Style) -> String {
    let mut out = String::new();
    dangers(&mut out, report, style);
    let mut follows = 0;
    for object in &report.objects {
        let shown = match object.outcome.as_str() {
            "follows" => !(object.notes.is_empty() && object.staying.is_empty()),
            "unchanged" => object.is_noteworthy(),
            _ => true,
        };
        if shown || style.all {
            self::object(&mut out, object, style);
        } else if object.outcome == "follows" {
            follows += 1;
        }
    }
    if follows > 0 {
        let line = format!(
            "  {} reconciled again in turn, without a helm action: something before them changes\n\n",
            count(follows, "release")
        );
        out.push_str(&style.paint(&line, Paint::Dim));
    }
    out.push_str(&summary(&report.summary, style));
    out
}

/// Every danger with the objects that it concerns.
fn dangers(out: &mut String, report: &Report, style: Style) {
    for danger in super::dangers(report) {
        let head = format!("! {}", danger.name);
        let whole = wrapped(&format!("{head}: {}", danger.effect), 2);
        let rest = whole.strip_prefix(&head).unwrap_or_default();
        let _ = writeln!(out, "{}{rest}", style.paint(&head, Paint::Danger));
        let limit = if style.all { usize::MAX } else { SHOWN_OBJECTS };
        if let Some(change) = danger.change {
            self::change(out, change, style);
        }
        for object in danger.objects.iter().take(limit) {
            let _ = writeln!(out, "      {}", object.title());
        }
        let more = danger.objects.len().saturating_sub(limit);
        if more > 0 {
            let _ = writeln!(out, "      and {more} more, -v names all");
        }
        out.push('\n');
    }
}

fn object(out: &mut String, object: &Object, style: Style) {
    let (sign, paint) = match object.outcome.as_str() {
        "created" => ("+", Paint::Green),
        "changed" => ("~", Paint::Yellow),
        "conflicting" | "refused" => ("x", Paint::Danger),
        "left-over" => ("?", Paint::Dim),
        _ => (" ", Paint::Dim),
    };
    let title = style.paint(&format!("{sign} {}", object.title()), paint);
    let word = match object.outcome.as_str() {
        "changed" => "",
        "left-over" => "  left over: not in the input, nothing deletes it",
        "follows" => "  reconciled again in turn",
        word => &format!("  {word}"),
    };
    let _ = writeln!(out, "{title}{word}");
    if let Some(message) = &object.message {
        let _ = writeln!(out, "    {message}");
    }
    for held in &object.conflicts {
        let _ = writeln!(out, "    {}: held by `{}`", held.field, held.manager);
    }
    for shared in &object.staying {
        let said = "stays, though the input has it no more: also held by";
        let line = format!("{}: {said} {}", shared.field, managers(shared));
        let _ = writeln!(out, "    {}", style.paint(&line, Paint::Bold));
    }
    for shared in object.shared.iter().filter(|_| style.all) {
        let _ = writeln!(out, "    {}: also held by {}", shared.field, managers(shared));
    }
    for note in &object.notes {
        let _ = writeln!(out, "    {}", style.paint(note, Paint::Bold));
    }
    for change in &object.changes {
        if change.lockstep && !style.all {
            continue;
        }
        self::change(out, change, style);
    }
    out.push('\n');
}

fn managers(shared: &Shared) -> String {
    let names = shared.managers.iter().map(|name| format!("`{name}`"));
    names.collect::<Vec<String>>().join(", ")
}

fn change(out: &mut String, change: &Change, style: Style) {
    let Change {
        path,
        what,
        before,
        after,
        secret: _,
        danger,
        noise,
        lockstep: _,
    } = change;
    let mark = if danger.is_some() {
        style.paint("!", Paint::Danger)
    } else {
        " ".to_owned()
    };
    let tail = match noise {
        Some(rule) => style.paint(&format!("  (noise: {rule})"), Paint::Dim),
        None => String::new(),
    };
    let before = before.as_deref().unwrap_or_default();
    let after = after.as_deref().unwrap_or_default();
    let line = match what.as_str() {
        "added" => style.paint(&format!("+ {path}: {}", fit(after, style)), Paint::Green),
        "removed" => style.paint(&format!("- {path}: {}", fit(before, style)), Paint::Red),
        "reordered" => format!("~ {path}: order {before} -> {after}"),
        _ => return changed(out, &mark, path, before, after, &tail, style),
    };
    let _ = writeln!(out, "  {mark} {line}{tail}");
}

fn changed(
    out: &mut String,
    mark: &str,
    path: &str,
    before: &str,
    after: &str,
    tail: &str,
    style: Style,
) {
    let sign = style.paint("~", Paint::Yellow);
    let text = |json: &str| serde_json::from_str::<String>(json).ok();
    let short = |value: &str| value.chars().count() <= MAX_VALUE;
    match (text(before), text(after)) {
        (Some(old), Some(new)) if old.contains('\n') || new.contains('\n') => {
            let _ = writeln!(out, "  {mark} {sign} {path}:{tail}");
            lines(out, &old, &new, style);
        }
        (Some(old), Some(new)) if !(short(before) && short(after)) => {
            let _ = writeln!(out, "  {mark} {sign} {path}:{tail}");
            let line = words(&old, &new, |tag, value| match tag {
                ChangeTag::Delete if style.colour => style.paint(value, Paint::Red),
                ChangeTag::Insert if style.colour => style.paint(value, Paint::Green),
                tag => marked(tag, value),
            });
            let _ = writeln!(out, "        {line}");
        }
        _ => {
            let before = style.paint(&fit(before, style), Paint::Red);
            let after = style.paint(&fit(after, style), Paint::Green);
            let _ = writeln!(out, "  {mark} {sign} {path}: {before} -> {after}{tail}");
        }
    }
}

/// The lines that changed, with those around them.
fn lines(out: &mut String, old: &str, new: &str, style: Style) {
    let diff = TextDiff::configure()
        .timeout(WORDS_DEADLINE)
        .diff_lines(old, new);
    let mut shown = 0_usize;
    let mut hidden = 0_usize;
    for (at, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if at > 0 && shown < MAX_LINES {
            let _ = writeln!(out, "        ...");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            if shown >= MAX_LINES && !style.all {
                hidden += 1;
                continue;
            }
            shown += 1;
            let (sign, paint) = match change.tag() {
                ChangeTag::Delete => ("-", Some(Paint::Red)),
                ChangeTag::Insert => ("+", Some(Paint::Green)),
                ChangeTag::Equal => (" ", None),
            };
            let end = if change.missing_newline() {
                " (no line break at the end)"
            } else {
                ""
            };
            let value = change.value().trim_end_matches('\n');
            let line = format!("{sign} {}{end}", shown_text(value));
            let line = paint.map_or(line.clone(), |paint| style.paint(&line, paint));
            let _ = writeln!(out, "        {}", line.trim_end());
        }
    }
    if hidden > 0 {
        let _ = writeln!(
            out,
            "        ... {} more, -v shows all",
            count(hidden, "line")
        );
    }
}

/// One line with the words that changed in a long text, and those around them.
fn words(old: &str, new: &str, shown: impl Fn(ChangeTag, &str) -> String) -> String {
    let diff = TextDiff::configure()
        .timeout(WORDS_DEADLINE)
        .diff_words(old, new);
    let mut line = String::new();
    for (at, group) in diff.grouped_ops(WORDS_AROUND).iter().enumerate() {
        if at > 0 || group.first().is_some_and(|op| op.old_range().start > 0) {
            line.push_str("... ");
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            line.push_str(&shown(change.tag(), &shown_text(change.value())));
        }
    }
    line
}

/// The words that changed, for places without colours.
pub(super) fn plain_words(old: &str, new: &str) -> String {
    words(old, new, marked)
}

fn marked(tag: ChangeTag, value: &str) -> String {
    match tag {
        ChangeTag::Delete => format!("[-{value}-]"),
        ChangeTag::Insert => format!("{{+{value}+}}"),
        ChangeTag::Equal => value.to_owned(),
    }
}

/// A paragraph in lines of at most [`WIDTH`] characters, all but the first indented.
fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let chars = word.chars().count();
        if length > 0 && length + 1 + chars > WIDTH {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            length = indent;
        } else if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.push_str(word);
        length += chars;
    }
    out
}

/// Text of others on a terminal: control characters would act there.
fn shown_text(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// A value that fits a line, or all of it when that is asked for.
fn fit(value: &str, style: Style) -> String {
    let length = value.chars().count();
    if style.all || length <= MAX_VALUE {
        return value.to_owned();
    }
    let kept: String = value.chars().take(MAX_VALUE - 20).collect();
    format!("{kept}... ({length} characters)")
}

/// One line: what matters first.
fn summary(summary: &Summary, style: Style) -> String {
    let paints = [
        Paint::Danger,
        Paint::Danger,
        Paint::Green,
        Paint::Yellow,
        Paint::Dim,
        Paint::Dim,
        Paint::Dim,
    ];
    let parts = summary.outcomes().into_iter().zip(paints);
    let parts = parts.filter(|((number, _), _)| *number > 0);
    let parts: Vec<String> = parts
        .map(|((number, what), paint)| style.paint(&format!("{number} {what}"), paint))
        .collect();
    let mut out = format!(
        "{}: {}\n",
        count(summary.objects, "object"),
        parts.join(", ")
    );
    for (number, what) in [
        (summary.takeovers, "a takeover, not an install"),
        (summary.dangers, "dangerous"),
        (summary.staying, "fields that stay, because others hold them"),
    ] {
        if number > 0 {
            let line = format!("{}: {number}", what);
            out.push_str(&style.paint(&line, Paint::Danger));
            out.push('\n');
        }
    }
    if summary.client_side > 0 {
        let _ = writeln!(
            out,
            "compared without the api server's defaults: {}",
            summary.client_side
        );
    }
    if summary.shared > 0 {
        let how = if style.all { "" } else { ", -v names them" };
        let _ = writeln!(out, "fields that others hold, too: {}{how}", summary.shared);
    }
    if summary.noise > 0 {
        let _ = writeln!(
            out,
            "left out as noise: {}, --show-noise lists them with their rules",
            summary.noise
        );
    }
    out
}
