//! The report of `apply` for a terminal: stages, what failed in them, the summary last.

use std::fmt::Write as _;

use super::{Part, PartOutcome, Report, Stage, StageOutcome, headline, seconds};
use crate::report::digest::count;
use crate::report::paragraph::Paragraph;
use crate::report::style::{Paint, Style};
use crate::report::words::End;

/// The text, ending with a line break.
#[must_use]
pub fn text(report: &Report, style: Style) -> String {
    let mut out = String::new();
    for stage in &report.stages {
        self::stage(&mut out, stage, style);
    }
    let paint = match report.outcome {
        End::Complete => Paint::Green,
        End::Paused => Paint::Yellow,
        End::Failed | End::Interrupted => Paint::Danger,
    };
    let head = style.paint(&headline(report), paint);
    // Writing to a String cannot fail.
    let _ = writeln!(out, "\nsite {} at {}: {head}", report.site, report.server);
    let _ = writeln!(
        out,
        "run {}: {} ({})",
        report.run,
        count(report.summary.parts, "part"),
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
        let _ = writeln!(out, "to go on: {}", style.paint(resume, Paint::Bold));
    }
    out
}

fn stage(out: &mut String, stage: &Stage, style: Style) {
    let (word, paint) = match stage.outcome {
        StageOutcome::Done => ("done", Paint::Green),
        StageOutcome::Earlier => ("finished earlier", Paint::Dim),
        StageOutcome::NotBegun => ("not begun", Paint::Dim),
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
        count(stage.parts.len(), "part")
    );
    let shown = |part: &&Part| {
        part.outcome.is_trouble() || style.all && part.outcome != PartOutcome::NotBegun
    };
    for part in stage.parts.iter().filter(shown) {
        self::part(out, stage.number, part, style);
    }
}

fn part(out: &mut String, stage: usize, part: &Part, style: Style) {
    let paint = match part.outcome {
        PartOutcome::Failed => Paint::Red,
        PartOutcome::Unfinished | PartOutcome::PassedOver => Paint::Yellow,
        PartOutcome::Applied
        | PartOutcome::Unchanged
        | PartOutcome::Earlier
        | PartOutcome::NotBegun => Paint::Dim,
    };
    let word = style.paint(&part.outcome.word().replace('-', " "), paint);
    let took = part
        .seconds
        .map_or_else(String::new, |took| format!(" after {}", seconds(took)));
    let _ = writeln!(
        out,
        "  {stage}.{} {}: {word}{took}",
        part.step,
        part.title()
    );
    if let Some(reason) = &part.reason {
        let reason = Paragraph::default().plain("      ").plain(reason);
        reason.fit(out, 6, style);
    }
    if let Some(hint) = &part.hint {
        let help = Paragraph::default().plain("      ");
        let help = help.painted("help", Paint::Bold).plain(": ").plain(hint);
        help.fit(out, 6, style);
    }
    if part.deleted > 0 {
        let _ = writeln!(
            out,
            "      deleted before: {}",
            count(part.deleted, "object")
        );
    }
    for gate in &part.gates {
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
