//! The journal of a run: the types of its lines. The file itself belongs to `cli`.
//!
//! The file holds one JSON object per line. A line that announces a write is on the disk before the request is sent, so a
//! run can be resumed wherever it ended. The lines are a [`Chain`].

mod chain;
mod deletions;
mod state;

use serde::{Deserialize, Serialize};

use super::ItemId;
use crate::value::Text;

pub use chain::Chain;
pub use state::{ItemRecord, Journal, JournalError, PendingDelete, RunRecord};

/// The version of the format. A reader refuses any other.
pub const FORMAT: u32 = 2;

/// A line of the journal, without the digest that [`Chain::seal`] adds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// [`FORMAT`]
    pub version: u32,
    /// The time of the entry: RFC 3339 in UTC with milliseconds.
    pub at: Text,
    /// The name of the run; it stays the same when the run is resumed.
    pub run: Text,
    /// What happened, or is about to happen.
    pub entry: Entry,
}

/// The content of a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Entry {
    /// A run started.
    RunStarted(RunInfo),
    /// Another process resumed the run.
    RunResumed(RunInfo),
    /// A stage started.
    StageStarted {
        /// The number of the stage.
        stage: usize,
    },
    /// A write is about to be sent.
    Intent {
        /// The item that the write belongs to.
        item: ItemId,
        /// The write.
        request: Write,
    },
    /// A write succeeded.
    Done {
        /// The item that the write belongs to.
        item: ItemId,
        /// The write.
        request: Write,
        /// The generation of the object after the write; `None` for kinds without one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        generation: Option<i64>,
    },
    /// All objects that will be deleted before an upgrade. The line is written before the first deletion.
    DeletionsListed {
        /// The release.
        item: ItemId,
        /// The objects in the order of their deletion.
        objects: Vec<DeleteTarget>,
    },
    /// An item is finished.
    ItemFinished {
        /// The item.
        item: ItemId,
        /// The outcome.
        outcome: ItemOutcome,
    },
    /// A stage is finished: its last gate is open.
    StageFinished {
        /// The number of the stage.
        stage: usize,
    },
    /// The process ended the run, or its own work on it.
    RunEnded(RunEnd),
}

/// What a run works on, and who does. A run is resumed only with the same site, rollout and cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunInfo {
    /// The site.
    pub site: Text,
    /// The digest of the rollout.
    pub rollout: Text,
    /// The cluster: UID of its namespace `kube-system`.
    pub cluster: Text,
    /// The address of the API server, for people.
    pub server: Text,
    /// The holder of the Lease.
    pub holder: Text,
    /// The version of the program.
    pub program: Text,
    /// The releases that had failed before the run started, as `namespace/name`. `protected` applies to these.
    pub failed_before: Vec<Text>,
}

/// A write to the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "write", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Write {
    /// The server-side apply of the item's object.
    Apply,
    /// The removal of `spec.suspend`.
    Unsuspend,
    /// The deletion of a [`DeleteTarget`].
    Delete {
        /// The UID of the object, the precondition of the request.
        uid: Text,
    },
    /// The removal of failed test results from a release's status, with a request to reconcile
    /// (`reconcile.fluxcd.io/requestedAt`): helm-controller runs the tests and nothing else.
    Retest {
        /// The value of the annotation.
        token: Text,
    },
    /// A request to retry a stalled release (`reconcile.fluxcd.io/resetAt` and `requestedAt`).
    Retry {
        /// The value of the annotations.
        token: Text,
    },
}

/// An object that is deleted before an upgrade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteTarget {
    /// `group/version`, or `v1`.
    pub api_version: Text,
    /// The kind of the object.
    pub kind: Text,
    /// The name of the object, in the release's namespace.
    pub name: Text,
    /// The UID of the object.
    pub uid: Text,
}

/// The outcome of a finished item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ItemOutcome {
    /// The object was already up to date, and is ready.
    Unchanged,
    /// The object was written, and is ready.
    Applied,
    /// The release had failed before the run and is protected, so it was not touched.
    Skipped,
    /// The item failed.
    Failed {
        /// The reason, fit to be shown.
        reason: Text,
    },
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "kebab-case", deny_unknown_fields)]
pub enum RunEnd {
    /// Everything that was requested is done.
    Complete,
    /// The run stopped after a stage, as requested.
    Paused {
        /// The number of the stage.
        stage: usize,
    },
    /// A write or a wait failed.
    Failed,
    /// A signal stopped the process.
    Interrupted,
}
