//! The events of a run, a JSON object a line: what `apply --events FILE` writes while it goes on.

use schemars::JsonSchema;
use serde::Serialize;

/// Version of the lines' shape: a number that grows with every change a reader must know of.
pub const VERSION: u32 = 1;

/// A line of the file that `armada2flux apply --events` writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "armada2flux apply event")]
pub struct Line {
    /// Version of this shape.
    pub version: u32,
    /// When, RFC 3339 in UTC with milliseconds.
    pub at: String,
    /// The run's name.
    pub run: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A stage begins.
    StageBegins {
        /// Its number; 0 for the preparation.
        stage: usize,
        /// Name of the chart group.
        name: String,
        /// How many parts it has.
        parts: usize,
    },
    /// A stage is finished.
    StageEnds {
        /// Its number.
        stage: usize,
    },
    /// A part stands elsewhere than before.
    Part {
        /// Number of its stage.
        stage: usize,
        /// Number of its step.
        step: usize,
        /// Its kind.
        kind: String,
        /// Its namespace; absent for cluster-scoped kinds.
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<String>,
        /// Its name.
        name: String,
        /// Where it stands.
        #[serde(flatten)]
        state: State,
    },
    /// The run goes on with a difficulty that passes.
    Trouble {
        /// What.
        message: String,
    },
    /// The process ends.
    Ends {
        /// `complete`, `paused`, `failed` or `interrupted`.
        outcome: String,
    },
}

/// Where a part stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum State {
    /// The API server is asked what would change.
    Asking,
    /// Objects are deleted before the upgrade.
    Deleting {
        /// How many.
        objects: usize,
    },
    /// The object is written.
    Writing,
    /// A controller works on it.
    Reconciling {
        /// What it last said.
        why: String,
    },
    /// A gate is not open yet.
    Gate {
        /// Its number among the release's gates, from 1.
        gate: usize,
        /// How many there are.
        of: usize,
        /// Why.
        why: String,
    },
    /// It is finished.
    Finished {
        /// `unchanged`, `applied`, `passed-over` or `failed`.
        outcome: String,
        /// Why it failed; absent otherwise.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}
