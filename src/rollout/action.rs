//! What a run does to an object.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What happens to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The object does not exist yet.
    Create,
    /// The release gets a new revision.
    Upgrade,
    /// The object changes, and Helm upgrades nothing.
    Change,
    /// Flux reconciles the release again, and Helm does nothing.
    Reconcile,
    /// The object does not change.
    Unchanged,
    /// The object is not touched, and the run is refused.
    Refuse,
}

impl Action {
    /// Returns the word in text.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Upgrade => "upgrade",
            Action::Change => "change",
            Action::Reconcile => "reconcile",
            Action::Unchanged => "unchanged",
            Action::Refuse => "refused",
        }
    }

    /// Whether whoever agreed to this agreed to `now` as well. Less than was agreed to is: a part of the run may be done.
    /// An object that was there and is not any more is created anew, which nobody agreed to.
    #[must_use]
    pub fn covers(self, now: Self) -> bool {
        match (self, now) {
            // A refusal ends the run anyway.
            (_, Action::Unchanged | Action::Refuse) => true,
            (Action::Create, Action::Create)
            | (Action::Upgrade, Action::Upgrade | Action::Change | Action::Reconcile)
            | (Action::Change, Action::Change | Action::Reconcile)
            | (Action::Reconcile, Action::Reconcile) => true,
            (Action::Create, Action::Upgrade | Action::Change | Action::Reconcile)
            | (Action::Upgrade, Action::Create)
            | (Action::Change, Action::Create | Action::Upgrade)
            | (Action::Reconcile, Action::Create | Action::Upgrade | Action::Change)
            | (
                Action::Unchanged | Action::Refuse,
                Action::Create | Action::Upgrade | Action::Change | Action::Reconcile,
            ) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_than_planned_is_covered_and_more_is_not() {
        use Action::{Change, Create, Reconcile, Refuse, Unchanged, Upgrade};
        // By growing effect on what runs; a creation is an effect of its own.
        let growing = [Unchanged, Reconcile, Change, Upgrade];
        for (at, planned) in growing.iter().enumerate() {
            for (more, now) in growing.iter().enumerate() {
                assert_eq!(planned.covers(*now), more <= at, "{planned:?} {now:?}");
            }
            assert!(!planned.covers(Create), "{planned:?}");
            assert_eq!(Create.covers(*planned), *planned == Unchanged);
            assert!(planned.covers(Refuse));
            assert_eq!(Refuse.covers(*planned), *planned == Unchanged);
        }
        assert!(Create.covers(Create));
    }
}
