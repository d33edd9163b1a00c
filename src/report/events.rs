//! The events of a run, a JSON object a line: what `apply --events FILE` writes while it goes on.

use schemars::JsonSchema;
use serde::Serialize;

use super::words::{End, words};
use crate::apply::{self, Moment};
use crate::rollout::PartId;
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
        /// How.
        outcome: End,
    },
}

words! {
    /// What a finished part came to.
    pub enum Finish {
        /// It was so already, and is ready.
        Unchanged = "unchanged",
        /// It was written, and is ready.
        Applied = "applied",
        /// It is protected and had failed before the run: it was left as it is.
        PassedOver = "passed-over",
        /// It failed.
        Failed = "failed",
    }
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
        /// What it came to.
        outcome: Finish,
        /// Why it failed; absent otherwise.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

impl From<&apply::Event> for Event {
    fn from(event: &apply::Event) -> Self {
        match event {
            apply::Event::StageBegins { stage, name, parts } => Event::StageBegins {
                stage: *stage,
                name: name.to_string(),
                parts: *parts,
            },
            apply::Event::StageEnds { stage } => Event::StageEnds { stage: *stage },
            apply::Event::Part { part, moment } => {
                let PartId {
                    stage,
                    step,
                    kind,
                    namespace,
                    name,
                } = part;
                Event::Part {
                    stage: *stage,
                    step: *step,
                    kind: kind.to_string(),
                    namespace: namespace.as_ref().map(Text::to_string),
                    name: name.to_string(),
                    state: moment.into(),
                }
            }
            apply::Event::Trouble { message } => Event::Trouble {
                message: message.to_string(),
            },
        }
    }
}

impl From<&Moment> for State {
    fn from(moment: &Moment) -> Self {
        match moment {
            Moment::Asking => State::Asking,
            Moment::Deleting { objects } => State::Deleting { objects: *objects },
            Moment::Writing => State::Writing,
            Moment::Reconciling { why } => State::Reconciling {
                why: why.to_string(),
            },
            Moment::Gate { gate, of, why } => State::Gate {
                gate: *gate,
                of: *of,
                why: why.to_string(),
            },
            Moment::Finished(finish) => {
                let (outcome, reason) = match finish {
                    journal::Finish::Unchanged => (Finish::Unchanged, None),
                    journal::Finish::Applied => (Finish::Applied, None),
                    journal::Finish::PassedOver => (Finish::PassedOver, None),
                    journal::Finish::Failed { reason } => {
                        (Finish::Failed, Some(reason.to_string()))
                    }
                };
                State::Finished { outcome, reason }
            }
        }
    }
}
