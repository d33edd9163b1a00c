//! The events of a run, a JSON object a line: what `apply --events FILE` writes while it goes on.

use schemars::JsonSchema;
use serde::Serialize;

use super::words::{RunEnd, words};
use crate::apply::{self, ItemState};
use crate::rollout::ItemId;
use crate::rollout::journal;
use crate::value::Text;

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
    StageStarted {
        /// Its number; 0 for the preparation.
        stage: usize,
        /// Name of the chart group.
        name: String,
        /// How many objects it has.
        objects: usize,
    },
    /// A stage is finished.
    StageFinished {
        /// Its number.
        stage: usize,
    },
    /// A part stands elsewhere than before.
    Object {
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
        state: ObjectState,
    },
    /// The run goes on with a difficulty that passes.
    Warning {
        /// What.
        message: String,
    },
    /// The process ends.
    RunEnded {
        /// How.
        outcome: RunEnd,
    },
}

words! {
    /// What a finished part came to.
    pub enum ObjectOutcome {
        /// It was so already, and is ready.
        Unchanged = "unchanged",
        /// It was written, and is ready.
        Applied = "applied",
        /// It is protected and had failed before the run: it was left as it is.
        Skipped = "skipped",
        /// It failed.
        Failed = "failed",
    }
}

/// Where a part stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ObjectState {
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
        /// What it came to.
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
