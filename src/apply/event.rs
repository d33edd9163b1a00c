//! The events of a run, for the caller.

use crate::rollout::ItemId;
use crate::rollout::journal::ItemOutcome;
use crate::value::Text;

/// A change of a run's progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A stage started.
    StageStarted {
        /// The number of the stage.
        stage: usize,
        /// The name of its chart group.
        name: Text,
        /// The number of its objects.
        objects: usize,
    },
    /// An item has another state than before.
    Item {
        /// The item.
        item: ItemId,
        /// The new state.
        state: ItemState,
    },
    /// A stage is finished.
    StageFinished {
        /// The number of the stage.
        stage: usize,
    },
    /// A problem that the run gets over by itself, such as a busy server.
    Warning {
        /// The description, fit to be shown.
        message: Text,
    },
}

/// The state of an item in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// A dry run shows what would change.
    DryRun,
    /// Objects are deleted before the upgrade.
    Deleting {
        /// How many.
        objects: usize,
    },
    /// The object is being written.
    Writing,
    /// A controller works on the object.
    Reconciling {
        /// What the controller reported last, fit to be shown.
        why: Text,
    },
    /// A gate is not open yet.
    Gate {
        /// The number of the gate among those of the release, from 1.
        gate: usize,
        /// The number of gates of the release.
        of: usize,
        /// The reason, fit to be shown.
        why: Text,
    },
    /// The item is finished.
    Finished(ItemOutcome),
}
