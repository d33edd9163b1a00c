//! The report of `status`: the state of each site's releases, and of the last run.

pub mod text;

#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Serialize;

use super::words::{RunEnd, words};

/// The version of the report's format. It grows with every change that a reader must know of.
pub const VERSION: u32 = 1;

/// The report of `armada2flux status`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "armada2flux status report")]
pub struct Report {
    /// The version of this format.
    pub version: u32,
    /// The version of armada2flux.
    pub program: String,
    /// The address of the API server.
    pub server: String,
    /// The sites, by name.
    pub sites: Vec<Site>,
}

/// A site.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Site {
    /// The name.
    pub name: String,
    /// Totals.
    pub summary: Summary,
    /// The last run, read from the cluster; null when no state exists or it cannot be read.
    pub run: Option<Run>,
    /// Why the state of the last run cannot be read.
    pub run_unreadable: Option<String>,
    /// The holder of the lock; null when it is free.
    pub lock: Option<Lock>,
    /// The journal; null when no file was found.
    pub journal: Option<Journal>,
    /// The stages that have releases in the cluster, in order. Releases without a stage come last.
    pub stages: Vec<Stage>,
}

/// Numbers of releases. Each release counts in one of the states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Summary {
    /// All of them.
    pub releases: usize,
    /// Ready, and up to date with their spec.
    pub ready: usize,
    /// Not ready yet.
    pub waiting: usize,
    /// Failed, and Flux does not retry.
    pub failed: usize,
    /// Suspended: Flux does not reconcile them.
    pub suspended: usize,
}

/// A run, read from its state in the cluster.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Run {
    /// The name.
    pub run: String,
    /// The version of armada2flux.
    pub program: String,
    /// The digest of the rollout.
    pub rollout: String,
    /// The last holder of the Lease.
    pub holder: String,
    /// When it started, RFC 3339 in UTC.
    pub started: String,
    /// When it last changed, RFC 3339 in UTC.
    pub updated: String,
    /// The outcome; null while the process is running, and when it was killed.
    pub outcome: Option<RunEnd>,
    /// Its objects.
    pub objects: Counts,
    /// Its stages, the preparation included.
    pub stages: Vec<RunStage>,
    /// The number of steps and stages that did not fit into the ConfigMap.
    pub left_out: usize,
}

/// Numbers of objects of a run, a stage or a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Counts {
    /// All of them.
    pub all: usize,
    /// Ready.
    pub done: usize,
    /// Skipped: protected, and failed before the run.
    pub skipped: usize,
    /// Failed.
    pub failed: usize,
    /// Started and not finished.
    pub started: usize,
}

/// A stage of a run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RunStage {
    /// The number of the stage; 0 for the preparation.
    pub number: usize,
    /// The name of the chart group.
    pub name: String,
    /// The progress.
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
    /// The progress.
    pub state: RunStatus,
    /// Its objects.
    pub objects: Counts,
}

words! {
    /// The progress of a stage or a step of a run.
    pub enum RunStatus {
        /// Not started.
        Waiting = "waiting",
        /// Started and not finished.
        Started = "started",
        /// An object failed.
        Failed = "failed",
        /// Every object is finished.
        Done = "done",
    }
}

/// The Lease that keeps out a second run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Lock {
    /// The holder.
    pub holder: String,
    /// When it was taken, RFC 3339.
    pub since: Option<String>,
    /// When it was last renewed, RFC 3339.
    pub renewed: Option<String>,
    /// Whether it has expired, since it was not renewed in time.
    pub expired: bool,
}

/// A journal.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Journal {
    /// The path of the file.
    pub file: String,
    /// The name of the last run; null when the file holds none.
    pub run: Option<String>,
    /// When its last line was written, RFC 3339 in UTC.
    pub updated: Option<String>,
    /// The outcome; null while the process is running, and when it was killed.
    pub outcome: Option<RunEnd>,
    /// Number of the stage that started last.
    pub stage: Option<usize>,
    /// Whether its last line is incomplete. It is cut off when the run is resumed.
    pub torn: bool,
    /// The objects that failed, with the reasons.
    pub failures: Vec<Failure>,
    /// Why it cannot be read.
    pub unreadable: Option<String>,
}

/// An object that failed in the last run.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Failure {
    /// The number of its stage.
    pub stage: usize,
    /// The number of its step.
    pub step: usize,
    /// `Kind namespace/name`.
    pub object: String,
    /// The reason.
    pub reason: String,
}

/// A chart group.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Stage {
    /// The number of the stage; null for releases without one.
    pub number: Option<usize>,
    /// The name of the chart group, from the annotations of the releases.
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
    /// The name.
    pub name: String,
    /// The state.
    pub state: ReleaseState,
    /// Why it is not ready.
    pub why: Option<String>,
    /// Helm's newest revision that Flux knows; null before there is one.
    pub revision: Option<i64>,
    /// The version of the chart that was attempted last.
    pub chart: Option<String>,
}

words! {
    /// The state of a release.
    pub enum ReleaseState {
        /// Ready, and up to date with its spec.
        Ready = "ready",
        /// Not ready yet.
        Waiting = "waiting",
        /// Failed, and Flux does not retry.
        Failed = "failed",
        /// Suspended: Flux does not reconcile it.
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
