//! The journal of a run: what was going to be done, what was done, what was seen. Types and their meaning; the file is
//! `cli`'s.
//!
//! One JSON object a line. What changes the cluster is written down, and the file synced, before the request is sent,
//! so a run that ended at any moment can be taken up again.

mod state;

use serde::{Deserialize, Serialize};

use super::PartId;
use crate::value::Text;

pub use state::{Doom, Journal, JournalError, PartState, State};

/// Version of the format; a reader refuses any other.
pub const FORMAT: u32 = 1;

/// A line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// [`FORMAT`]
    pub version: u32,
    /// When, RFC 3339 in UTC with milliseconds.
    pub at: Text,
    /// The run's own name; taking a run up again keeps it.
    pub run: Text,
    /// What.
    pub entry: Entry,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Entry {
    /// A run begins.
    Begin(Begin),
    /// The run is taken up again, by another process.
    Resume(Begin),
    /// A stage begins.
    StageBegins {
        /// Its number.
        stage: usize,
    },
    /// Before a write.
    Going {
        /// To which part it belongs.
        part: PartId,
        /// The write.
        act: Act,
    },
    /// After it.
    Done {
        /// To which part it belongs.
        part: PartId,
        /// The write.
        act: Act,
        /// Generation of the object afterwards; `None` for what has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        generation: Option<i64>,
    },
    /// What is going to be deleted before an upgrade, all of it; written before the first of them is.
    Doomed {
        /// The release.
        part: PartId,
        /// The objects.
        objects: Vec<Doomed>,
    },
    /// A part is finished.
    Finished {
        /// The part.
        part: PartId,
        /// How.
        outcome: Finish,
    },
    /// A stage is finished: its last gate is open.
    StageEnds {
        /// Its number.
        stage: usize,
    },
    /// The process ends.
    End(End),
}

/// What a run is about; it is taken up again only with the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    /// The site.
    pub site: Text,
    /// Digest of the rollout.
    pub rollout: Text,
    /// The cluster: UID of its namespace `kube-system`.
    pub cluster: Text,
    /// The API server's address, for people.
    pub server: Text,
    /// Who holds the Lease.
    pub holder: Text,
    /// Version of the program.
    pub program: Text,
    /// Releases that had failed before the run began, as `namespace/name`: what `protected` is about.
    pub failed_before: Vec<Text>,
}

/// A write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Act {
    /// Server-side apply of the part's object.
    Apply,
    /// `spec.suspend` is taken out of it.
    Unsuspend,
    /// One of the doomed objects is deleted.
    Delete {
        /// Its UID, which is the request's precondition.
        uid: Text,
    },
    /// What is known of failed tests is taken out of a release's status, and helm-controller told to look
    /// (`reconcile.fluxcd.io/requestedAt`): it runs the tests and nothing else.
    Retest {
        /// What the annotation holds.
        token: Text,
    },
    /// A stalled release is told to try again (`reconcile.fluxcd.io/resetAt` and `requestedAt`).
    Retry {
        /// What the annotations hold.
        token: Text,
    },
}

/// An object that is deleted before an upgrade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Doomed {
    /// `group/version`, or `v1`.
    pub api_version: Text,
    /// Its kind.
    pub kind: Text,
    /// Its name; the namespace is the release's.
    pub name: Text,
    /// Its UID.
    pub uid: Text,
}

/// How a part ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Finish {
    /// It was so already, and is ready.
    Unchanged,
    /// It was written, and is ready.
    Applied,
    /// It had failed before the run and is protected: left as it is.
    PassedOver,
    /// It failed.
    Failed {
        /// Why, fit to be shown.
        reason: Text,
    },
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case", deny_unknown_fields)]
pub enum End {
    /// Everything that was asked for is done.
    Complete,
    /// It stopped after a stage, as it was asked to.
    Paused {
        /// The stage.
        stage: usize,
    },
    /// Something failed.
    Failed,
    /// Somebody interrupted it.
    Interrupted,
}
