//! The report of `diff` for a terminal: dangers first, then objects, the summary last. Lines fit the terminal, except for
//! longer names, and for whole values with `-v`.

mod values;

use super::{Alike, Object, Outcome, Report, Summary};
use crate::flux::HELM_RELEASE;
use crate::report::digest::count;

pub(super) use values::plain_words;

use crate::printable::Printable;
use crate::printable::paragraph::Paragraph;
use crate::printable::style::Paint;
pub use crate::printable::style::Style;
use values::change;

/// Objects that are listed for one danger.
const SHOWN_OBJECTS: usize = 5;
/// Indentation of a sentence about an object, and of its further lines.
const SENTENCE: (&str, usize) = ("    ", 6);

/// Returns the text, ending with a line break.
#[must_use]
pub fn text(report: &Report, style: Style) -> Printable {
    let mut out = Printable::default();
    dangers(&mut out, report, style);
    alike(&mut out, report, style);
    let mut follows = 0;
    for object in &report.objects {
        let shown = match object.outcome {
            Outcome::Follows => !object.has_no_remarks(),
            Outcome::Changed => !object.is_said_with_others(),
            Outcome::Unchanged => object.is_noteworthy(),
            Outcome::Created | Outcome::Conflicting | Outcome::Refused | Outcome::LeftOver => true,
        };
        if shown || style.all {
            self::object(&mut out, object, style);
        } else if object.outcome == Outcome::Follows {
            follows += 1;
        }
    }
    if follows > 0 {
        let line = format!(
            "{} reconciled again in order, without a Helm action: a step before them changes",
            count(follows, "release")
        );
        let line = Paragraph::default().plain("  ").painted(&line, Paint::Dim);
        line.wrap(&mut out, 2, style);
        out.blank();
    }
    if let Some(sentence) = report.unseen() {
        Paragraph::default()
            .plain(&sentence)
            .wrap(&mut out, 2, style);
        out.blank();
    }
    summary(&mut out, &report.summary, style);
    out
}

/// Writes every danger with its objects.
fn dangers(out: &mut Printable, report: &Report, style: Style) {
    for danger in super::dangers(report) {
        Paragraph::default()
            .painted(&format!("! {}", danger.name), Paint::Danger)
            .plain(&format!(": {}", danger.effect))
            .wrap(out, 2, style);
        let limit = if style.all { usize::MAX } else { SHOWN_OBJECTS };
        // One that several objects share is written below, with its objects.
        if let Some(change) = danger
            .change
            .filter(|_| danger.objects.len() < SHOWN_OBJECTS)
        {
            self::change(out, change, style);
        }
        let shown = danger.objects.iter().take(limit);
        let objects: Vec<String> = shown.map(|object| object.title()).collect();
        let mut objects = listed(&objects);
        let more = danger.objects.len().saturating_sub(limit);
        if more > 0 {
            objects.push_str(&format!(", and {more} more; -v lists all"));
        }
        let indented = Paragraph::default().plain("      ");
        indented.plain(&objects).wrap(out, 8, style);
        out.blank();
    }
}

/// Lists titles; a kind is said where it changes.
fn listed(titles: &[String]) -> String {
    let mut kind = "";
    let named = titles.iter().map(|title| {
        let (before, name) = title.split_once(' ').unwrap_or_default();
        let same = std::mem::replace(&mut kind, before) == before;
        if same { name } else { title.as_str() }
    });
    named.collect::<Vec<_>>().join(", ")
}

/// Writes what several objects have in common, once.
fn alike(out: &mut Printable, report: &Report, style: Style) {
    for alike in &report.alike {
        let Alike { objects, changes } = alike;
        let names = alike.names();
        let head = format!("~ {} change alike{names}", count(objects.len(), "object"));
        Paragraph::default()
            .painted(&head, Paint::Yellow)
            .wrap(out, 2, style);
        for change in changes {
            self::change(out, change, style);
        }
        let (begin, indent) = SENTENCE;
        Paragraph::default()
            .plain(begin)
            .plain(&listed(objects))
            .wrap(out, indent, style);
        out.blank();
    }
}

fn object(out: &mut Printable, object: &Object, style: Style) {
    let (sign, paint, word) = match object.outcome {
        Outcome::Created => ("+", Paint::Green, "  created"),
        Outcome::Changed => ("~", Paint::Yellow, ""),
        Outcome::Conflicting => ("x", Paint::Danger, "  conflicting"),
        Outcome::Refused => ("x", Paint::Danger, "  refused"),
        Outcome::LeftOver => (
            "?",
            Paint::Dim,
            "  left over: not in the input, but nothing deletes it",
        ),
        Outcome::Follows if object.kind == HELM_RELEASE => {
            (" ", Paint::Dim, "  reconciled again in order")
        }
        Outcome::Follows => (" ", Paint::Dim, "  follows its release"),
        Outcome::Unchanged => (" ", Paint::Dim, "  unchanged"),
    };
    let (begin, indent) = SENTENCE;
    Paragraph::default()
        .painted(&format!("{sign} {}", object.title()), paint)
        .plain(word)
        .wrap(out, indent, style);
    let sentence = |text: &str| Paragraph::default().plain(begin).plain(text);
    if let Some(message) = &object.message {
        // A message of the API server may have several lines.
        let words: Vec<&str> = message.split_whitespace().collect();
        sentence(&words.join(" ")).wrap(out, indent, style);
    }
    for held in &object.conflicts {
        let text = format!("{}: owned by `{}`", held.field, held.manager);
        sentence(&text).wrap(out, indent, style);
    }
    for shared in &object.staying {
        let line = Paragraph::default().plain(begin);
        line.painted(&shared.stays(), Paint::Bold)
            .wrap(out, indent, style);
    }
    for shared in object.shared.iter().filter(|_| style.all) {
        let text = format!("{}: also owned by {}", shared.field, shared.owners());
        sentence(&text).wrap(out, indent, style);
    }
    for danger in &object.dangers {
        Paragraph::default()
            .plain("  ")
            .painted(&format!("! danger {}", danger.name), Paint::Danger)
            .wrap(out, indent, style);
    }
    for note in &object.notes {
        let line = Paragraph::default().plain(begin);
        line.painted(note, Paint::Bold).wrap(out, indent, style);
    }
    for change in &object.changes {
        if !style.all && (change.lockstep || change.alike.is_some()) {
            continue;
        }
        self::change(out, change, style);
    }
    out.blank();
}

/// Writes the summary: outcomes, then a line for each other number.
fn summary(out: &mut Printable, summary: &Summary, style: Style) {
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
    let mut line = Paragraph::default().plain(&count(summary.objects, "object"));
    for (at, ((number, what), paint)) in parts.enumerate() {
        line = line.plain(if at == 0 { ": " } else { ", " });
        line = line.painted(&format!("{number} {what}"), paint);
    }
    line.wrap(out, 2, style);
    for (number, what) in [
        (summary.takeovers, "takeovers, not installs"),
        (summary.dangers, "dangerous changes"),
        (
            summary.foreign,
            "fields of other field managers that change what a run checks or does",
        ),
        (
            summary.staying,
            "fields removed from the input that stay, because other field managers own them",
        ),
    ] {
        if number > 0 {
            let line = Paragraph::default().painted(&format!("{what}: {number}"), Paint::Danger);
            line.write(out, style);
        }
    }
    let names = if style.all { "" } else { "; -v lists them" };
    for (number, what, rest) in [
        (
            summary.client_side,
            "objects compared without the API server's defaults",
            "",
        ),
        (
            summary.shared,
            "fields that other field managers own, too",
            names,
        ),
        (
            summary.noise,
            "differences left out as noise",
            "; --show-noise lists them with their rules",
        ),
    ] {
        if number > 0 {
            let line = format!("{what}: {number}{rest}");
            Paragraph::default().plain(&line).write(out, style);
        }
    }
}
