//! The report of `status` for a terminal: a table for each site.

use std::fmt::Write as _;

use super::{Journal, Lock, ReleaseState, Report, Run, RunStatus, Site, Stage, Summary};
use crate::printable::Printable;
use crate::printable::paragraph::{Paragraph, padded, text_columns};
use crate::printable::style::{Paint, Style};
use crate::report::command_line;
use crate::report::digest::count;
use crate::report::words::RunEnd;

/// Longest reason in a row, in characters; `all` shows it whole.
const MAX_WHY: usize = 100;

/// The text, ending with a line break.
#[must_use]
pub fn text(report: &Report, style: Style) -> Printable {
    let mut out = Printable::default();
    if report.sites.is_empty() {
        out.line(&format!(
            "no site at {}: no release has a site label, and no run left a state",
            report.server
        ));
    }
    for (at, site) in report.sites.iter().enumerate() {
        if at > 0 {
            out.blank();
        }
        self::site(&mut out, site, &report.server, style);
    }
    out
}

fn site(out: &mut Printable, site: &Site, server: &str, style: Style) {
    Paragraph::default()
        .painted(&format!("site {}", site.name), Paint::Bold)
        .plain(&format!(" at {server}: {}", summary(&site.summary)))
        .write(out, style);
    let last = |why: &str, paint: Paint| {
        let line = Paragraph::default().plain("  last run: ");
        line.painted(why, paint)
    };
    match (&site.run, &site.run_unreadable) {
        (Some(run), _) => self::run(out, run, site.lock.is_some(), style),
        (None, Some(why)) => {
            last(why, Paint::Yellow).write(out, style);
        }
        (None, None) => out.line("  last run: none"),
    }
    if let Some(Lock {
        holder,
        since,
        renewed,
        expired,
    }) = &site.lock
    {
        let mut line = Paragraph::default().plain(&format!("  lock: held by {holder}"));
        if let Some(since) = since {
            line = line.plain(&format!(" since {since}"));
        }
        if let Some(renewed) = renewed {
            line = line.plain(&format!(", renewed {renewed}"));
        }
        if *expired {
            line = line.plain(", ").painted("expired", Paint::Yellow);
            line = line.plain(": --break-lock takes it");
        }
        line.write(out, style);
    }
    if let Some(journal) = &site.journal {
        self::journal(out, journal, style);
    }
    table(out, &site.stages, style);
}

fn summary(summary: &Summary) -> String {
    let Summary {
        releases,
        ready,
        waiting,
        failed,
        suspended,
    } = summary;
    let objects = [
        (*failed, "failed"),
        (*waiting, "waiting"),
        (*ready, "ready"),
        (*suspended, "suspended"),
    ];
    let objects = objects.iter().filter(|(number, _)| *number > 0);
    let objects: Vec<String> = objects
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    if objects.is_empty() {
        "no releases".to_owned()
    } else {
        format!("{}: {}", count(*releases, "release"), objects.join(", "))
    }
}

fn run(out: &mut Printable, run: &Run, locked: bool, style: Style) {
    let (word, paint) = match (run.outcome, locked) {
        (Some(end @ RunEnd::Complete), _) => (end.word(), Paint::Green),
        (Some(end @ RunEnd::Failed), _) => (end.word(), Paint::Danger),
        (Some(end @ (RunEnd::Paused | RunEnd::Interrupted)), _) => (end.word(), Paint::Yellow),
        (None, true) => ("running", Paint::Yellow),
        (None, false) => (
            "not running, ended without a result: its process was killed",
            Paint::Yellow,
        ),
    };
    Paragraph::default()
        .plain(&format!(
            "  last run: {}, started {}, updated {}: ",
            run.run, run.started, run.updated
        ))
        .painted(word, paint)
        .write(out, style);
    let done = run.stages.iter();
    let done = done.filter(|stage| stage.state == RunStatus::Done).count();
    let mut line = format!("{done} of {} done", count(run.stages.len(), "stage"));
    let at = run
        .stages
        .iter()
        .find(|stage| matches!(stage.state, RunStatus::Failed | RunStatus::Started));
    if let Some(stage) = at {
        let objects = &stage.objects;
        // Writing to a String cannot fail.
        let _ = write!(
            line,
            ", stage {} ({}) {}: {} of {} done",
            stage.number,
            stage.name,
            stage.state,
            objects.done + objects.skipped,
            count(objects.all, "object")
        );
    }
    out.line(&format!("    {line}"));
    if run.left_out > 0 {
        let steps = count(run.left_out, "step");
        out.line(&format!("    {steps} are not in the cluster's copy"));
    }
}

fn journal(out: &mut Printable, journal: &Journal, style: Style) {
    let Journal {
        file,
        run,
        updated,
        outcome,
        stage,
        torn,
        failures,
        unreadable,
    } = journal;
    if let Some(why) = unreadable {
        let line = Paragraph::default().plain(&format!("  journal: {file}: "));
        return line.painted(why, Paint::Yellow).write(out, style);
    }
    let mut line = match run {
        Some(run) => format!(
            "run {run}, {}",
            outcome.map_or("not finished", RunEnd::word)
        ),
        None => "no run".to_owned(),
    };
    if let Some(stage) = stage {
        let _ = write!(line, " in stage {stage}");
    }
    if let Some(updated) = updated {
        let _ = write!(line, ", updated {updated}");
    }
    if *torn {
        line.push_str(", its last line is incomplete");
    }
    out.line(&format!("  journal: {file}: {line}"));
    for failure in failures {
        let place = format!("{}.{} {}", failure.stage, failure.step, failure.object);
        Paragraph::default()
            .plain("    ")
            .painted(&place, Paint::Red)
            .plain(&format!(": {}", fit(&failure.reason, style)))
            .write(out, style);
    }
    if run.is_some() && *outcome != Some(RunEnd::Complete) {
        let words = ["armada2flux", "apply", "--resume", "--journal", file];
        out.line(&format!("    to continue: {}", command_line(words)));
    }
}

fn table(out: &mut Printable, stages: &[Stage], style: Style) {
    let releases = || stages.iter().flat_map(|stage| &stage.releases);
    let width = releases()
        .map(|release| text_columns(&release.namespace) + text_columns(&release.name) + 1);
    let width = width.max().unwrap_or_default();
    for stage in stages {
        let number = stage.number.map_or_else(
            || "without a number".to_owned(),
            |number| number.to_string(),
        );
        let name = stage.name.as_deref().unwrap_or_default();
        let head = format!("stage {number} {name}");
        out.blank();
        let line = Paragraph::default().plain("  ");
        line.painted(head.trim_end(), Paint::Bold).write(out, style);
        for release in &stage.releases {
            let step = release
                .step
                .map_or_else(|| "-".to_owned(), |step| step.to_string());
            let name = format!("{}/{}", release.namespace, release.name);
            let paint = match release.state {
                ReleaseState::Ready => Paint::Green,
                ReleaseState::Failed => Paint::Danger,
                ReleaseState::Suspended => Paint::Dim,
                ReleaseState::Waiting => Paint::Yellow,
            };
            let revision = release
                .revision
                .map_or_else(|| "-".to_owned(), |revision| format!("v{revision}"));
            let chart = release.chart.as_deref().unwrap_or("-");
            let why = release
                .why
                .as_deref()
                .map(|why| fit(why, style))
                .unwrap_or_default();
            let name = padded(&name, width);
            Paragraph::default()
                .plain(&format!("    {step:>3}  {name}  "))
                .painted(&format!("{:<9}", release.state), paint)
                .plain(&format!("  {revision:>4}  {chart}  {why}"))
                .fit(out, 9, style);
        }
    }
}

/// A reason that fits a row: who says it stands at the beginning, what went wrong at the end.
fn fit(text: &str, style: Style) -> String {
    let length = text.chars().count();
    if style.all || length <= MAX_WHY {
        return text.to_owned();
    }
    let head = MAX_WHY / 2;
    let skipped = length - (MAX_WHY - head) + 1;
    let head = text.chars().take(head);
    head.chain(['…'])
        .chain(text.chars().skip(skipped))
        .collect()
}
