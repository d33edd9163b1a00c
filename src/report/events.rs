//! The events of a run, one JSON object per line: `apply --events FILE` writes them during the run.

use schemars::JsonSchema;
use serde::Serialize;

use super::words::{RunEnd, words};
use crate::apply::{self, ItemState};
use crate::rollout::ItemId;
use crate::rollout::journal;
use crate::value::Text;

/// The version of the format. It grows with every change that a reader must know of.
pub const VERSION: u32 = 1;

/// A line of the file that `armada2flux apply --events` writes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(title = "armada2flux apply event")]
pub struct Line {
    /// The version of this format.
    pub version: u32,
    /// The time, RFC 3339 in UTC with milliseconds.
    pub at: String,
    /// The name of the run.
    pub run: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A stage started.
    StageStarted {
        /// The number of the stage; 0 for the preparation.
        stage: usize,
        /// The name of the chart group.
        name: String,
        /// The number of its objects.
        objects: usize,
    },
    /// A stage is finished.
    StageFinished {
        /// The number of the stage.
        stage: usize,
    },
    /// An object has another state than before.
    Object {
        /// The number of its stage.
        stage: usize,
        /// The number of its step.
        step: usize,
        /// The kind of the object.
        kind: String,
        /// The namespace of the object; absent for cluster-scoped kinds.
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<String>,
        /// The name.
        name: String,
        /// The state.
        #[serde(flatten)]
        state: ObjectState,
    },
    /// A problem that the run gets over by itself, such as a busy server.
    Warning {
        /// The description.
        message: String,
    },
    /// The process ended.
    RunEnded {
        /// The outcome.
        outcome: RunEnd,
    },
}

words! {
    /// The outcome of a finished object.
    pub enum ObjectOutcome {
        /// Already up to date, and ready.
        Unchanged = "unchanged",
        /// It was written, and is ready.
        Applied = "applied",
        /// Not touched: the release is protected and had failed before the run.
        Skipped = "skipped",
        /// It failed.
        Failed = "failed",
    }
}

/// The state of an object in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ObjectState {
    /// A dry run shows what would change.
    Asking,
    /// Objects are deleted before the upgrade.
    Deleting {
        /// The number of objects.
        objects: usize,
    },
    /// The object is being written.
    Writing,
    /// A controller works on it.
    Reconciling {
        /// What the controller reported last.
        why: String,
    },
    /// A gate is not open yet.
    Gate {
        /// The number of the gate among those of the release, from 1.
        gate: usize,
        /// The number of gates of the release.
        of: usize,
        /// The reason.
        why: String,
    },
    /// The object is finished.
    Finished {
        /// The outcome.
        outcome: ObjectOutcome,
        /// Why it failed; absent otherwise.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

impl From<&apply::Event> for Event {
    fn from(event: &apply::Event) -> Self {
        match event {
            apply::Event::StageStarted {
                stage,
                name,
                objects,
            } => Event::StageStarted {
                stage: *stage,
                name: name.to_string(),
                objects: *objects,
            },
            apply::Event::StageFinished { stage } => Event::StageFinished { stage: *stage },
            apply::Event::Item { item, state } => {
                let ItemId {
                    stage,
                    step,
                    kind,
                    namespace,
                    name,
                } = item;
                Event::Object {
                    stage: *stage,
                    step: *step,
                    kind: kind.to_string(),
                    namespace: namespace.as_ref().map(Text::to_string),
                    name: name.to_string(),
                    state: state.into(),
                }
            }
            apply::Event::Warning { message } => Event::Warning {
                message: message.to_string(),
            },
        }
    }
}

impl From<&ItemState> for ObjectState {
    fn from(state: &ItemState) -> Self {
        match state {
            ItemState::DryRun => ObjectState::Asking,
            ItemState::Deleting { objects } => ObjectState::Deleting { objects: *objects },
            ItemState::Writing => ObjectState::Writing,
            ItemState::Reconciling { why } => ObjectState::Reconciling {
                why: why.to_string(),
            },
            ItemState::Gate { gate, of, why } => ObjectState::Gate {
                gate: *gate,
                of: *of,
                why: why.to_string(),
            },
            ItemState::Finished(outcome) => {
                let (outcome, reason) = match outcome {
                    journal::ItemOutcome::Unchanged => (ObjectOutcome::Unchanged, None),
                    journal::ItemOutcome::Applied => (ObjectOutcome::Applied, None),
                    journal::ItemOutcome::Skipped => (ObjectOutcome::Skipped, None),
                    journal::ItemOutcome::Failed { reason } => {
                        (ObjectOutcome::Failed, Some(reason.to_string()))
                    }
                };
                ObjectState::Finished { outcome, reason }
            }
        }
    }
}
