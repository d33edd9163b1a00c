//! The report of `diff` for a terminal: dangers first, then objects, the summary last. Lines fit the terminal, but
//! for names that are longer, and for whole values when these are asked for.

mod values;

use super::{Object, Outcome, Report, Summary};
use crate::report::digest::count;

pub(super) use values::plain_words;

use crate::report::paragraph::{Paragraph, harmless};
use crate::report::style::Paint;
pub use crate::report::style::Style;
use values::change;

/// Objects that are named for one danger.
const SHOWN_OBJECTS: usize = 5;
/// Where a sentence about an object begins, and where it goes on.
const SENTENCE: (&str, usize) = ("    ", 6);

/// The text, ending with a line break.
#[must_use]
pub fn text(report: &Report, style: Style) -> String {
    let mut out = String::new();
    dangers(&mut out, report, style);
    let mut follows = 0;
    for object in &report.objects {
        let shown = match object.outcome {
            Outcome::Follows => !(object.notes.is_empty() && object.staying.is_empty()),
            Outcome::Unchanged => object.is_noteworthy(),
            Outcome::Created
            | Outcome::Changed
            | Outcome::Conflicting
            | Outcome::Refused
            | Outcome::LeftOver => true,
        };
        if shown || style.all {
            self::object(&mut out, object, style);
        } else if object.outcome == Outcome::Follows {
            follows += 1;
        }
    }
    if follows > 0 {
        let line = format!(
            "{} reconciled again in turn, without a helm action: something before them changes",
            count(follows, "release")
        );
        let line = Paragraph::default().plain("  ").painted(&line, Paint::Dim);
        line.wrap(&mut out, 2, style);
        out.push('\n');
    }
    summary(&mut out, &report.summary, style);
    out
}

/// Every danger with the objects that it concerns.
fn dangers(out: &mut String, report: &Report, style: Style) {
    for danger in super::dangers(report) {
        Paragraph::default()
            .painted(&format!("! {}", danger.name), Paint::Danger)
            .plain(&format!(": {}", danger.effect))
            .wrap(out, 2, style);
        let limit = if style.all { usize::MAX } else { SHOWN_OBJECTS };
        if let Some(change) = danger.change {
            self::change(out, change, style);
        }
        let indented = Paragraph::default().plain("      ");
        for object in danger.objects.iter().take(limit) {
            indented.clone().plain(&object.title()).write(out, style);
        }
        let more = danger.objects.len().saturating_sub(limit);
        if more > 0 {
            let line = format!("and {more} more, -v names all");
            indented.plain(&line).write(out, style);
        }
        out.push('\n');
    }
}

fn object(out: &mut String, object: &Object, style: Style) {
    let (sign, paint, word) = match object.outcome {
        Outcome::Created => ("+", Paint::Green, "  created"),
        Outcome::Changed => ("~", Paint::Yellow, ""),
        Outcome::Conflicting => ("x", Paint::Danger, "  conflicting"),
        Outcome::Refused => ("x", Paint::Danger, "  refused"),
        Outcome::LeftOver => (
            "?",
            Paint::Dim,
            "  left over: not in the input, nothing deletes it",
        ),
        Outcome::Follows => (" ", Paint::Dim, "  reconciled again in turn"),
        Outcome::Unchanged => (" ", Paint::Dim, "  unchanged"),
    };
    let (begin, indent) = SENTENCE;
    Paragraph::default()
        .painted(&format!("{sign} {}", object.title()), paint)
        .plain(word)
        .wrap(out, indent, style);
    let sentence = |text: &str| Paragraph::default().plain(begin).plain(text);
    if let Some(message) = &object.message {
        // The lines of a foreign message are no lines of ours.
        let words: Vec<&str> = message.split_whitespace().collect();
        sentence(&harmless(&words.join(" "))).wrap(out, indent, style);
    }
    for held in &object.conflicts {
        let text = format!("{}: held by `{}`", held.field, held.manager);
        sentence(&harmless(&text)).wrap(out, indent, style);
    }
    for shared in &object.staying {
        let line = Paragraph::default().plain(begin);
        line.painted(&harmless(&shared.stays()), Paint::Bold)
            .wrap(out, indent, style);
    }
    for shared in object.shared.iter().filter(|_| style.all) {
        let text = format!("{}: also held by {}", shared.field, shared.holders());
        sentence(&harmless(&text)).wrap(out, indent, style);
    }
    for note in &object.notes {
        let line = Paragraph::default().plain(begin);
        line.painted(&harmless(note), Paint::Bold)
            .wrap(out, indent, style);
    }
    for change in &object.changes {
        if change.lockstep && !style.all {
            continue;
        }
        self::change(out, change, style);
    }
    out.push('\n');
}

/// What matters first, a line for each kind of news.
fn summary(out: &mut String, summary: &Summary, style: Style) {
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
        (summary.takeovers, "a takeover, not an install"),
        (summary.dangers, "dangerous"),
        (
            summary.staying,
            "fields that stay, because others hold them",
        ),
    ] {
        if number > 0 {
            let line = Paragraph::default().painted(&format!("{what}: {number}"), Paint::Danger);
            line.write(out, style);
        }
    }
    let names = if style.all { "" } else { ", -v names them" };
    for (number, what, rest) in [
        (
            summary.client_side,
            "compared without the api server's defaults",
            "",
        ),
        (summary.shared, "fields that others hold, too", names),
        (
            summary.noise,
            "left out as noise",
            ", --show-noise lists them with their rules",
        ),
    ] {
        if number > 0 {
            let line = format!("{what}: {number}{rest}");
            Paragraph::default().plain(&line).write(out, style);
        }
    }
}
