//! The report of `apply` for a terminal: stages, what failed in them, the summary last.

use super::{Object, ObjectOutcome, Report, Stage, StageOutcome, headline, seconds};
use crate::printable::Printable;
use crate::printable::paragraph::Paragraph;
use crate::printable::style::{Paint, Style};
use crate::report::digest::count;
use crate::report::words::RunEnd;

/// The text, ending with a line break.
#[must_use]
pub fn text(report: &Report, style: Style) -> Printable {
    let mut out = Printable::default();
    for stage in &report.stages {
        self::stage(&mut out, stage, style);
    }
    let paint = match report.outcome {
        RunEnd::Complete => Paint::Green,
        RunEnd::Paused => Paint::Yellow,
        RunEnd::Failed | RunEnd::Interrupted => Paint::Danger,
    };
    out.blank();
    Paragraph::default()
        .plain(&format!("site {} at {}: ", report.site, report.server))
        .painted(&headline(report), paint)
        .write(&mut out, style);
    out.line(&format!(
        "run {}: {} ({})",
        report.run,
        count(report.summary.objects, "object"),
        report.summary.outcomes()
    ));
    if report.summary.deleted > 0 {
        let deleted = count(report.summary.deleted, "object");
        out.line(&format!("deleted before upgrades: {deleted}"));
    }
    if let Some(resume) = &report.resume {
        let line = Paragraph::default().plain("to continue: ");
        line.painted(resume, Paint::Bold).write(&mut out, style);
    }
    out
}

fn stage(out: &mut Printable, stage: &Stage, style: Style) {
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
    let objects = count(stage.objects.len(), "object");
    Paragraph::default()
        .plain(&format!("stage {} {}: ", stage.number, stage.name))
        .painted(word, paint)
        .plain(&format!("{took}, {objects}"))
        .write(out, style);
    let shown = |object: &&Object| {
        object.outcome.needs_attention() || style.all && object.outcome != ObjectOutcome::NotStarted
    };
    for object in stage.objects.iter().filter(shown) {
        self::object(out, stage.number, object, style);
    }
}

fn object(out: &mut Printable, stage: usize, object: &Object, style: Style) {
    let paint = match object.outcome {
        ObjectOutcome::Failed => Paint::Red,
        ObjectOutcome::Unfinished | ObjectOutcome::Skipped => Paint::Yellow,
        ObjectOutcome::Applied
        | ObjectOutcome::Unchanged
        | ObjectOutcome::Earlier
        | ObjectOutcome::NotStarted => Paint::Dim,
    };
    let took = object
        .seconds
        .map_or_else(String::new, |took| format!(" after {}", seconds(took)));
    Paragraph::default()
        .plain(&format!("  {stage}.{} {}: ", object.step, object.title()))
        .painted(&object.outcome.word().replace('-', " "), paint)
        .plain(&took)
        .write(out, style);
    // Below the reason: what pods report, and the end of a log. No line of it stands where the hint does.
    let lines = object.reason.iter().flat_map(|reason| reason.lines());
    for (at, line) in lines.enumerate() {
        let margin = if at == 0 { 6 } else { 8 };
        let line = Paragraph::default().plain(&" ".repeat(margin)).plain(line);
        line.fit(out, margin, style);
    }
    if let Some(hint) = &object.hint {
        let help = Paragraph::default().plain("      ");
        let help = help.painted("help", Paint::Bold).plain(": ").plain(hint);
        help.fit(out, 6, style);
    }
    if object.deleted > 0 {
        let deleted = count(object.deleted, "object");
        out.line(&format!("      deleted before: {deleted}"));
    }
    for gate in &object.gates {
        let word = if gate.open { "open" } else { "closed" };
        let (gate, of, took) = (gate.gate, gate.of, seconds(gate.seconds));
        out.line(&format!("      gate {gate} of {of}: {word} after {took}"));
    }
}
