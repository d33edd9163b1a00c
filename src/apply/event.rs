//! What a run tells while it goes on.

use crate::rollout::PartId;
use crate::rollout::journal::Finish;
use crate::value::Text;

/// Something that whoever watches the run wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
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
