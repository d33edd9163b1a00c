//! The report of `status`: where the releases of sites stand, and the last run over each.

pub mod text;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Serialize;

use super::words::{RunEnd, words};

/// Version of the report's shape: a number that grows with every change a reader must know of.
pub const VERSION: u32 = 1;

/// The report of `armada2flux status`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "armada2flux status report")]
pub struct Report {
    /// Version of this shape.
    pub version: u32,
    /// Version of the program.
    pub program: String,
    /// Address of the API server.
    pub server: String,
    /// The sites, by name.
    pub sites: Vec<Site>,
}

/// A site.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// Numbers.
    pub summary: Summary,
    /// The last run as the cluster knows it; null when there was none, or none that can be read.
    pub run: Option<Run>,
    /// Why the state of the last run cannot be read.
    pub run_unreadable: Option<String>,
    /// Who holds the lock; null when nobody does.
    pub lock: Option<Lock>,
    /// The journal; null when there is none at hand.
    pub journal: Option<Journal>,
    /// The stages that have releases in the cluster, in order; last those of releases that name no stage.
    pub stages: Vec<Stage>,
}

/// Numbers of releases, each in one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// All.
    pub releases: usize,
    /// Ready as they stand.
    pub ready: usize,
    /// Not ready yet.
    pub waiting: usize,
    /// Failed, and nothing moves them.
    pub failed: usize,
    /// Suspended: Flux leaves them alone.
    pub suspended: usize,
}

/// A run, as the cluster knows it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Run {
    /// Its name.
    pub run: String,
    /// Version of the program.
    pub program: String,
    /// Digest of the rollout.
    pub rollout: String,
    /// Who worked on it last.
    pub holder: String,
    /// When it started, RFC 3339 in UTC.
    pub started: String,
    /// When it last changed, RFC 3339 in UTC.
    pub updated: String,
    /// How it outcome; null when its process has not said: it is at work, or was killed.
    pub outcome: Option<RunEnd>,
    /// Its objects.
    pub objects: Counts,
    /// Its stages, the preparation included.
    pub stages: Vec<RunStage>,
    /// Steps and stages that there was no room for in the cluster.
    pub left_out: usize,
}

/// How many objects of a run, a stage or a step came to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// All.
    pub all: usize,
    /// Ready.
    pub done: usize,
    /// Left as they are: protected, and failed before the run.
    pub skipped: usize,
    /// Failed.
    pub failed: usize,
    /// Started and not finished.
    pub started: usize,
}

/// A stage of a run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunStage {
    /// Its number; 0 for the preparation.
    pub number: usize,
    /// Name of the chart group.
    pub name: String,
    /// How far it is.
    pub state: RunStatus,
    /// Its objects.
    pub objects: Counts,
    /// Its steps.
    pub steps: Vec<RunStep>,
}

/// A step of a run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunStep {
    /// Its number.
    pub number: usize,
    /// How far it is.
    pub state: RunStatus,
    /// Its objects.
    pub objects: Counts,
}

words! {
    /// How far a stage or a step of a run is.
    pub enum RunStatus {
        /// Nothing of it has started.
        Waiting = "waiting",
        /// Something of it has started.
        Started = "started",
        /// A object of it failed.
        Failed = "failed",
        /// Every object of it is finished.
        Done = "done",
    }
}

/// The lock that keeps a second run out.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Lock {
    /// Who holds it.
    pub holder: String,
    /// Since when, RFC 3339.
    pub since: Option<String>,
    /// When it was last renewed, RFC 3339.
    pub renewed: Option<String>,
    /// Whether it was not renewed in time.
    pub expired: bool,
}

/// A journal.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Journal {
    /// Its file.
    pub file: String,
    /// The last run in it; null when there is none.
    pub run: Option<String>,
    /// When its last line was written, RFC 3339 in UTC.
    pub updated: Option<String>,
    /// How it outcome; null when its process has not said.
    pub outcome: Option<RunEnd>,
    /// Number of the stage that started last.
    pub stage: Option<usize>,
    /// Whether its last line is torn; taking the run up cuts it off.
    pub torn: bool,
    /// Counts that failed, with why.
    pub failures: Vec<Failure>,
    /// Why it cannot be read.
    pub unreadable: Option<String>,
}

/// A object that failed in the last run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Failure {
    /// Number of its stage.
    pub stage: usize,
    /// Number of its step.
    pub step: usize,
    /// `Kind namespace/name`.
    pub object: String,
    /// Why.
    pub reason: String,
}

/// A chart group.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Stage {
    /// Its number; null for releases that name none.
    pub number: Option<usize>,
    /// Name of the chart group, as the releases tell it.
    pub name: Option<String>,
    /// Its releases, step by step.
    pub releases: Vec<Release>,
}

/// A HelmRelease.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Release {
    /// Number of its step; null when it names none.
    pub step: Option<usize>,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub state: ReleaseState,
    /// Why it is not ready.
    pub why: Option<String>,
    /// Helm's newest revision that Flux knows; null before there is one.
    pub revision: Option<i64>,
    /// Version of the chart that was attempted last.
    pub chart: Option<String>,
}

words! {
    /// Where a release stands.
    pub enum ReleaseState {
        /// Ready as it stands.
        Ready = "ready",
        /// Not ready yet.
        Waiting = "waiting",
        /// Failed, and nothing moves it.
        Failed = "failed",
        /// Suspended: Flux leaves it alone.
        Suspended = "suspended",
    }
}

impl Summary {
    /// Counts the releases of stages.
    #[must_use]
    pub fn of(stages: &[Stage]) -> Self {
        let mut summary = Self::default();
        for release in stages.iter().flat_map(|stage| &stage.releases) {
            summary.releases += 1;
            let number = match release.state {
                ReleaseState::Ready => &mut summary.ready,
                ReleaseState::Failed => &mut summary.failed,
                ReleaseState::Suspended => &mut summary.suspended,
                ReleaseState::Waiting => &mut summary.waiting,
            };
            *number += 1;
        }
        summary
    }
}
