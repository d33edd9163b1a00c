//! The report of `apply`: the outcome of a run.

pub mod page;
mod tally;
pub mod text;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Serialize;

pub use tally::{Closing, Tally};

use crate::flux::duration;
use crate::flux::object::title;

use super::Rendered;
use super::page::Page;
use super::words::{RunEnd, words};
use crate::printable::Printable;
use crate::printable::style::Style;

/// The version of the report's format. It grows with every change that a reader must know of.
pub const VERSION: u32 = 1;

/// The report of `armada2flux apply`: of one process, which may have resumed a run that others started.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "armada2flux apply report")]
pub struct Report {
    /// The version of this format.
    pub version: u32,
    /// The version of armada2flux.
    pub program: String,
    /// The name of the site.
    pub site: String,
    /// The name of the run; it stays the same when the run is resumed.
    pub run: String,
    /// The address of the API server.
    pub server: String,
    /// The cluster: UID of its namespace `kube-system`.
    pub cluster: String,
    /// Whether the process resumed a run.
    pub resumed: bool,
    /// When the process started, RFC 3339 in UTC.
    pub started: String,
    /// When the process finished, RFC 3339 in UTC.
    pub finished: String,
    /// The duration in seconds.
    pub seconds: f64,
    /// The outcome of the process.
    pub outcome: RunEnd,
    /// Totals.
    pub summary: Summary,
    /// The stages in order, those that were not started included.
    pub stages: Vec<Stage>,
    /// The command that resumes the run; null when it is complete.
    pub resume: Option<String>,
}

/// Numbers of objects. Each object counts in one of the outcomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// All objects of the rollout.
    pub objects: usize,
    /// Written, and ready.
    pub applied: usize,
    /// Already up to date, and ready.
    pub unchanged: usize,
    /// Finished by an earlier process of the run.
    pub earlier: usize,
    /// Skipped: protected, and failed before the run.
    pub skipped: usize,
    /// Failed.
    pub failed: usize,
    /// Started and not finished.
    pub unfinished: usize,
    /// Not started.
    pub not_started: usize,
    /// Objects that were deleted before upgrades.
    pub deleted: usize,
}

/// A stage.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Stage {
    /// The number of the stage; 0 for the preparation.
    pub number: usize,
    /// The name of the chart group.
    pub name: String,
    /// The outcome.
    pub outcome: StageOutcome,
    /// The duration in seconds; null when it was not started.
    pub seconds: Option<f64>,
    /// Its objects, step by step.
    pub objects: Vec<Object>,
}

words! {
    /// The outcome of a stage.
    pub enum StageOutcome {
        /// Every object is finished.
        Done = "done",
        /// An object failed.
        Failed = "failed",
        /// It was started and not finished.
        Unfinished = "unfinished",
        /// An earlier process of the run finished it.
        Earlier = "earlier",
        /// It was not started.
        NotStarted = "not-started",
    }
}

/// An object of the rollout.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Object {
    /// The number of its step.
    pub step: usize,
    /// The kind of the object.
    pub kind: String,
    /// The namespace of the object; null for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// The name.
    pub name: String,
    /// The outcome.
    pub outcome: ObjectOutcome,
    /// The duration in seconds; null when it was not started.
    pub seconds: Option<f64>,
    /// How many objects were deleted before its upgrade.
    pub deleted: usize,
    /// The gates that the run has waited for, in order.
    pub gates: Vec<Gate>,
    /// Why it failed, or what it waited for when the run ended.
    pub reason: Option<String>,
    /// A hint on what to do.
    pub hint: Option<String>,
}

words! {
    /// The outcome of an object.
    pub enum ObjectOutcome {
        /// It was written, and is ready.
        Applied = "applied",
        /// Already up to date, and ready.
        Unchanged = "unchanged",
        /// An earlier process of the run finished it.
        Earlier = "earlier",
        /// Not touched: the release is protected and had failed before the run.
        Skipped = "skipped",
        /// It failed.
        Failed = "failed",
        /// It was started and not finished.
        Unfinished = "unfinished",
        /// It was not started.
        NotStarted = "not-started",
    }
}

impl ObjectOutcome {
    /// Returns whether a person has to act on the object.
    #[must_use]
    pub fn needs_attention(self) -> bool {
        match self {
            ObjectOutcome::Failed | ObjectOutcome::Unfinished | ObjectOutcome::Skipped => true,
            ObjectOutcome::Applied
            | ObjectOutcome::Unchanged
            | ObjectOutcome::Earlier
            | ObjectOutcome::NotStarted => false,
        }
    }
}

/// A gate: a wait of Armada, after Helm and its hooks.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Gate {
    /// The number of the gate among those of the release, from 1.
    pub gate: usize,
    /// The number of gates of the release.
    pub of: usize,
    /// The duration of the wait in seconds.
    pub seconds: f64,
    /// Whether it opened.
    pub open: bool,
}

impl Object {
    /// Returns `Kind namespace/name`, or `Kind name`.
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.kind, self.namespace.as_deref(), &self.name)
    }
}

impl Summary {
    /// Counts the objects of stages.
    #[must_use]
    pub fn of(stages: &[Stage]) -> Self {
        let mut summary = Self::default();
        for object in stages.iter().flat_map(|stage| &stage.objects) {
            summary.objects += 1;
            summary.deleted += object.deleted;
            let number = match object.outcome {
                ObjectOutcome::Applied => &mut summary.applied,
                ObjectOutcome::Unchanged => &mut summary.unchanged,
                ObjectOutcome::Earlier => &mut summary.earlier,
                ObjectOutcome::Skipped => &mut summary.skipped,
                ObjectOutcome::Failed => &mut summary.failed,
                ObjectOutcome::Unfinished => &mut summary.unfinished,
                ObjectOutcome::NotStarted => &mut summary.not_started,
            };
            *number += 1;
        }
        summary
    }

    /// Returns the outcomes with their numbers, without zeros: `3 applied, 1 failed`.
    fn outcomes(&self) -> String {
        let Self {
            objects: _,
            applied,
            unchanged,
            earlier,
            skipped,
            failed,
            unfinished,
            not_started,
            deleted: _,
        } = self;
        let numbers = [
            (*failed, "failed"),
            (*unfinished, "unfinished"),
            (*applied, "applied"),
            (*unchanged, "unchanged"),
            (*earlier, "finished earlier"),
            (*skipped, "skipped"),
            (*not_started, "not started"),
        ];
        let numbers = numbers.iter().filter(|(number, _)| *number > 0);
        let numbers: Vec<String> = numbers
            .map(|(number, what)| format!("{number} {what}"))
            .collect();
        numbers.join(", ")
    }
}

impl Rendered for Report {
    fn text(&self, style: Style) -> Printable {
        text::text(self, style)
    }

    fn page(&self) -> Page {
        page::page(self)
    }
}

/// Returns the first line of the report: the outcome of the whole run.
fn headline(report: &Report) -> String {
    let took = seconds(report.seconds);
    let at = report.stages.iter().find(|stage| match stage.outcome {
        StageOutcome::Failed | StageOutcome::Unfinished => true,
        StageOutcome::Done | StageOutcome::Earlier | StageOutcome::NotStarted => false,
    });
    let at = at.map_or_else(String::new, |stage| {
        format!(" in stage {} ({})", stage.number, stage.name)
    });
    let done = |stage: &&Stage| stage.outcome == StageOutcome::Done;
    match report.outcome {
        RunEnd::Complete => format!("complete after {took}"),
        RunEnd::Paused => match report.stages.iter().rfind(done) {
            Some(stage) => format!(
                "paused after stage {} ({}), after {took}",
                stage.number, stage.name
            ),
            None => format!("paused after {took}"),
        },
        outcome @ (RunEnd::Failed | RunEnd::Interrupted) => format!("{outcome}{at} after {took}"),
    }
}

/// Returns a duration as text; below ten seconds with one decimal.
fn seconds(seconds: f64) -> String {
    if seconds < 10.0 {
        return format!("{seconds:.1}s");
    }
    // Runs end long before doubles lose seconds.
    duration::show(seconds.round() as i64)
}
