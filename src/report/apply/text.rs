//! The report of `apply` for a terminal: stages, what failed in them, the summary last.

use std::fmt::Write as _;

use super::{Object, ObjectOutcome, Report, Stage, StageOutcome, headline, seconds};
use crate::report::digest::count;
use crate::report::paragraph::Paragraph;
use crate::report::style::{Paint, Style};
use crate::report::words::RunEnd;

/// The text, ending with a line break.
#[must_use]
pub fn text(report: &Report, style: Style) -> String {
    let mut out = String::new();
    for stage in &report.stages {
        self::stage(&mut out, stage, style);
    }
    let paint = match report.outcome {
        RunEnd::Complete => Paint::Green,
        RunEnd::Paused => Paint::Yellow,
        RunEnd::Failed | RunEnd::Interrupted => Paint::Danger,
    };
    let head = style.paint(&headline(report), paint);
    // Writing to a String cannot fail.
    let _ = writeln!(out, "\nsite {} at {}: {head}", report.site, report.server);
    let _ = writeln!(
        out,
        "run {}: {} ({})",
        report.run,
        count(report.summary.objects, "object"),
        report.summary.outcomes()
    );
    if report.summary.deleted > 0 {
        let _ = writeln!(
            out,
            "deleted before upgrades: {}",
            count(report.summary.deleted, "object")
        );
    }
    if let Some(resume) = &report.resume {
        let _ = writeln!(out, "to continue: {}", style.paint(resume, Paint::Bold));
    }
    out
}

fn stage(out: &mut String, stage: &Stage, style: Style) {
    let (word, paint) = match stage.outcome {
        StageOutcome::Done => ("done", Paint::Green),
        StageOutcome::Earlier => ("finished earlier", Paint::Dim),
        StageOutcome::NotStarted => ("not started", Paint::Dim),
        StageOutcome::Failed => ("failed", Paint::Danger),
        StageOutcome::Unfinished => ("unfinished", Paint::Yellow),
    };
    let took = stage
        .seconds
        .map_or_else(String::new, |took| format!(" after {}", seconds(took)));
    let _ = writeln!(
        out,
        "stage {} {}: {}{took}, {}",
        stage.number,
        stage.name,
        style.paint(word, paint),
        count(stage.objects.len(), "object")
    );
    let shown = |object: &&Object| {
        object.outcome.needs_attention() || style.all && object.outcome != ObjectOutcome::NotStarted
    };
    for object in stage.objects.iter().filter(shown) {
        self::object(out, stage.number, object, style);
    }
}

fn object(out: &mut String, stage: usize, object: &Object, style: Style) {
    let paint = match object.outcome {
        ObjectOutcome::Failed => Paint::Red,
        ObjectOutcome::Unfinished | ObjectOutcome::Skipped => Paint::Yellow,
        ObjectOutcome::Applied
        | ObjectOutcome::Unchanged
        | ObjectOutcome::Earlier
        | ObjectOutcome::NotStarted => Paint::Dim,
    };
    let word = style.paint(&object.outcome.word().replace('-', " "), paint);
    let took = object
        .seconds
        .map_or_else(String::new, |took| format!(" after {}", seconds(took)));
    let _ = writeln!(
        out,
        "  {stage}.{} {}: {word}{took}",
        object.step,
        object.title()
    );
    if let Some(reason) = &object.reason {
        let reason = Paragraph::default().plain("      ").plain(reason);
        reason.fit(out, 6, style);
    }
    if let Some(hint) = &object.hint {
        let help = Paragraph::default().plain("      ");
        let help = help.painted("help", Paint::Bold).plain(": ").plain(hint);
        help.fit(out, 6, style);
    }
    if object.deleted > 0 {
        let _ = writeln!(
            out,
            "      deleted before: {}",
            count(object.deleted, "object")
        );
    }
    for gate in &object.gates {
        let word = if gate.open { "open" } else { "closed" };
        let _ = writeln!(
            out,
            "      gate {} of {}: {word} after {}",
            gate.gate,
            gate.of,
            seconds(gate.seconds)
        );
    }
}
