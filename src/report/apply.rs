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
use super::words::{End, words};

/// Version of the report's shape: a number that grows with every change a reader must know of.
pub const VERSION: u32 = 1;

/// The report of `armada2flux apply`: of one process, which may have taken up what others began.
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
    /// When the process began, RFC 3339 in UTC.
    pub began: String,
    /// When it ended, RFC 3339 in UTC.
    pub ended: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// How the process ended.
    pub outcome: End,
    /// Numbers.
    pub summary: Summary,
    /// The stages in order, those that were not begun included.
    pub stages: Vec<Stage>,
    /// The command that takes the run up again; null when it is complete.
    pub resume: Option<String>,
}

/// Numbers of parts, each in one of them, and of what was deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// All parts of the rollout.
    pub parts: usize,
    /// Written, and ready.
    pub applied: usize,
    /// So already, and ready.
    pub unchanged: usize,
    /// Finished by an earlier process of the run.
    pub earlier: usize,
    /// Left as they are: protected, and failed before the run.
    pub passed_over: usize,
    /// Failed.
    pub failed: usize,
    /// Begun and not finished.
    pub unfinished: usize,
    /// Not begun.
    pub not_begun: usize,
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
    /// How long it took, in seconds; null when it was not begun.
    pub seconds: Option<f64>,
    /// Its parts, step by step.
    pub parts: Vec<Part>,
}

words! {
    /// What a stage came to.
    pub enum StageOutcome {
        /// Every part of it is finished.
        Done = "done",
        /// A part of it failed.
        Failed = "failed",
        /// It was begun and not finished.
        Unfinished = "unfinished",
        /// An earlier process of the run finished it.
        Earlier = "earlier",
        /// It was not begun.
        NotBegun = "not-begun",
    }
}

/// An object of the rollout.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Part {
    /// Number of its step.
    pub step: usize,
    /// Its kind.
    pub kind: String,
    /// Its namespace; null for cluster-scoped kinds.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// What it came to.
    pub outcome: PartOutcome,
    /// How long it took, in seconds; null when it was not begun.
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
    /// What a part came to.
    pub enum PartOutcome {
        /// It was written, and is ready.
        Applied = "applied",
        /// It was so already, and is ready.
        Unchanged = "unchanged",
        /// An earlier process of the run finished it.
        Earlier = "earlier",
        /// It is protected and had failed before the run: it was left as it is.
        PassedOver = "passed-over",
        /// It failed.
        Failed = "failed",
        /// It was begun and not finished.
        Unfinished = "unfinished",
        /// It was not begun.
        NotBegun = "not-begun",
    }
}

impl PartOutcome {
    /// Whether a person has to look at the part.
    #[must_use]
    pub fn is_trouble(self) -> bool {
        match self {
            PartOutcome::Failed | PartOutcome::Unfinished | PartOutcome::PassedOver => true,
            PartOutcome::Applied
            | PartOutcome::Unchanged
            | PartOutcome::Earlier
            | PartOutcome::NotBegun => false,
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

impl Part {
    /// `Kind namespace/name`, or `Kind name`.
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.kind, self.namespace.as_deref(), &self.name)
    }
}

impl Summary {
    /// Counts the parts of stages.
    #[must_use]
    pub fn of(stages: &[Stage]) -> Self {
        let mut summary = Self::default();
        for part in stages.iter().flat_map(|stage| &stage.parts) {
            summary.parts += 1;
            summary.deleted += part.deleted;
            let number = match part.outcome {
                PartOutcome::Applied => &mut summary.applied,
                PartOutcome::Unchanged => &mut summary.unchanged,
                PartOutcome::Earlier => &mut summary.earlier,
                PartOutcome::PassedOver => &mut summary.passed_over,
                PartOutcome::Failed => &mut summary.failed,
                PartOutcome::Unfinished => &mut summary.unfinished,
                PartOutcome::NotBegun => &mut summary.not_begun,
            };
            *number += 1;
        }
        summary
    }

    /// How many parts came to what, those that nobody came to left out: `3 applied, 1 failed`.
    fn outcomes(&self) -> String {
        let Self {
            parts: _,
            applied,
            unchanged,
            earlier,
            passed_over,
            failed,
            unfinished,
            not_begun,
            deleted: _,
        } = self;
        let numbers = [
            (*failed, "failed"),
            (*unfinished, "unfinished"),
            (*applied, "applied"),
            (*unchanged, "unchanged"),
            (*earlier, "finished earlier"),
            (*passed_over, "passed over"),
            (*not_begun, "not begun"),
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
        StageOutcome::Done | StageOutcome::Earlier | StageOutcome::NotBegun => false,
    });
    let at = at.map_or_else(String::new, |stage| {
        format!(" in stage {} ({})", stage.number, stage.name)
    });
    let done = |stage: &&Stage| stage.outcome == StageOutcome::Done;
    match report.outcome {
        End::Complete => format!("complete after {took}"),
        End::Paused => match report.stages.iter().rfind(done) {
            Some(stage) => format!(
                "paused after stage {} ({}), after {took}",
                stage.number, stage.name
            ),
            None => format!("paused after {took}"),
        },
        outcome @ (End::Failed | End::Interrupted) => format!("{outcome}{at} after {took}"),
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
