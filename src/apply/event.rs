//! What a run tells while it goes on.

use serde::Serialize;

use crate::report::events;
use crate::rollout::PartId;
use crate::rollout::journal::Finish;
use crate::value::Text;

/// Something that whoever watches the run wants to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Event {
    /// A stage begins.
    StageBegins {
        /// Its number.
        stage: usize,
        /// Name of its chart group.
        name: Text,
        /// How many parts it has.
        parts: usize,
    },
    /// Something about a part is different from before.
    Part {
        /// The part.
        part: PartId,
        /// What.
        moment: Moment,
    },
    /// A stage is finished.
    StageEnds {
        /// Its number.
        stage: usize,
    },
    /// The run goes on with a difficulty that passes, as a server that is busy.
    Trouble {
        /// What.
        message: Text,
    },
}

/// Where a part stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Moment {
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
        /// What it last said, fit to be shown.
        why: Text,
    },
    /// A gate is not open yet.
    Gate {
        /// Its number among the release's gates, from 1.
        gate: usize,
        /// How many there are.
        of: usize,
        /// Why, fit to be shown.
        why: Text,
    },
    /// It is finished.
    Finished(Finish),
}

/// As it is told to readers outside.
impl From<&Event> for events::Event {
    fn from(event: &Event) -> Self {
        match event {
            Event::StageBegins { stage, name, parts } => events::Event::StageBegins {
                stage: *stage,
                name: name.to_string(),
                parts: *parts,
            },
            Event::StageEnds { stage } => events::Event::StageEnds { stage: *stage },
            Event::Part { part, moment } => {
                let PartId {
                    stage,
                    step,
                    kind,
                    namespace,
                    name,
                } = part;
                events::Event::Part {
                    stage: *stage,
                    step: *step,
                    kind: kind.to_string(),
                    namespace: namespace.as_ref().map(Text::to_string),
                    name: name.to_string(),
                    state: moment.into(),
                }
            }
            Event::Trouble { message } => events::Event::Trouble {
                message: message.to_string(),
            },
        }
    }
}

impl From<&Moment> for events::State {
    fn from(moment: &Moment) -> Self {
        match moment {
            Moment::Asking => events::State::Asking,
            Moment::Deleting { objects } => events::State::Deleting { objects: *objects },
            Moment::Writing => events::State::Writing,
            Moment::Reconciling { why } => events::State::Reconciling {
                why: why.to_string(),
            },
            Moment::Gate { gate, of, why } => events::State::Gate {
                gate: *gate,
                of: *of,
                why: why.to_string(),
            },
            Moment::Finished(finish) => {
                let (outcome, reason) = match finish {
                    Finish::Unchanged => ("unchanged", None),
                    Finish::Applied => ("applied", None),
                    Finish::PassedOver => ("passed-over", None),
                    Finish::Failed { reason } => ("failed", Some(reason.to_string())),
                };
                events::State::Finished {
                    outcome: outcome.to_owned(),
                    reason,
                }
            }
        }
    }
}
