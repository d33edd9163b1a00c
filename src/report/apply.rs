//! The report of `apply`: what a run came to.

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
use super::style::Style;
use super::words::{RunEnd, words};

/// Version of the report's shape: a number that grows with every change a reader must know of.
pub const VERSION: u32 = 1;

/// The report of `armada2flux apply`: of one process, which may have taken up what others started.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "armada2flux apply report")]
pub struct Report {
    /// Version of this shape.
    pub version: u32,
    /// Version of the program.
    pub program: String,
    /// The site.
    pub site: String,
    /// The run's name; a run that was taken up keeps it.
    pub run: String,
    /// Address of the API server.
    pub server: String,
    /// The cluster: UID of its namespace `kube-system`.
    pub cluster: String,
    /// Whether the run was taken up again.
    pub resumed: bool,
    /// When the process started, RFC 3339 in UTC.
    pub started: String,
    /// When it ended, RFC 3339 in UTC.
    pub finished: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// How the process ended.
    pub outcome: RunEnd,
    /// Numbers.
    pub summary: Summary,
    /// The stages in order, those that were not started included.
    pub stages: Vec<Stage>,
    /// The command that takes the run up again; null when it is complete.
    pub resume: Option<String>,
}

/// Numbers of objects, each in one of them, and of what was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// All objects of the rollout.
    pub objects: usize,
    /// Written, and ready.
    pub applied: usize,
    /// So already, and ready.
    pub unchanged: usize,
    /// Finished by an earlier process of the run.
    pub earlier: usize,
    /// Left as they are: protected, and failed before the run.
    pub skipped: usize,
    /// Failed.
    pub failed: usize,
    /// Begun and not finished.
    pub unfinished: usize,
    /// Not started.
    pub not_started: usize,
    /// Objects that were deleted before upgrades.
    pub deleted: usize,
}

/// A stage.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Stage {
    /// Its number; 0 for the preparation.
    pub number: usize,
    /// Name of the chart group.
    pub name: String,
    /// What it came to.
    pub outcome: StageOutcome,
    /// How long it took, in seconds; null when it was not started.
    pub seconds: Option<f64>,
    /// Its objects, step by step.
    pub objects: Vec<Object>,
}

words! {
    /// What a stage came to.
    pub enum StageOutcome {
        /// Every object of it is finished.
        Done = "done",
        /// A object of it failed.
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
    /// Number of its step.
    pub step: usize,
    /// Its kind.
    pub kind: String,
    /// Its namespace; null for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// What it came to.
    pub outcome: ObjectOutcome,
    /// How long it took, in seconds; null when it was not started.
    pub seconds: Option<f64>,
    /// How many objects were deleted before its upgrade.
    pub deleted: usize,
    /// The gates that it came to, in order.
    pub gates: Vec<Gate>,
    /// Why it failed, or what it waited for when the run ended.
    pub reason: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

words! {
    /// What a object came to.
    pub enum ObjectOutcome {
        /// It was written, and is ready.
        Applied = "applied",
        /// It was so already, and is ready.
        Unchanged = "unchanged",
        /// An earlier process of the run finished it.
        Earlier = "earlier",
        /// It is protected and had failed before the run: it was left as it is.
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
    /// Whether a person has to look at the object.
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

/// A gate: something that Armada itself waited for.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Gate {
    /// Its number among the release's gates, from 1.
    pub gate: usize,
    /// How many there are.
    pub of: usize,
    /// How long it was awaited, in seconds.
    pub seconds: f64,
    /// Whether it opened.
    pub open: bool,
}

impl Object {
    /// `Kind namespace/name`, or `Kind name`.
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

    /// How many objects came to what, those that nobody came to left out: `3 applied, 1 failed`.
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
    fn text(&self, style: Style) -> String {
        text::text(self, style)
    }

    fn page(&self) -> Page {
        page::page(self)
    }
}

/// The first line of the report for people: what became of the run as a whole.
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

/// A time as people write it; below ten seconds with a decimal.
fn seconds(seconds: f64) -> String {
    if seconds < 10.0 {
        return format!("{seconds:.1}s");
    }
    // Runs end long before doubles lose seconds.
    duration::show(seconds.round() as i64)
}
