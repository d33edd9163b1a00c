//! Deletions that a journal lists, against those that the rollout allows.

use super::{DeleteTarget, RunRecord};
use crate::rollout::{ItemId, Release, Rollout};

impl RunRecord {
    /// Returns an object that the journal lists for deletion although its release deletes no objects of that kind
    /// before an upgrade. No run of this rollout wrote that.
    #[must_use]
    pub fn foreign_deletion(&self, rollout: &Rollout) -> Option<(&ItemId, &DeleteTarget)> {
        self.items.iter().find_map(|(id, item)| {
            let mut listed = item.deletions.iter().flatten();
            let release = rollout
                .releases_with_ids()
                .find_map(|(of, release)| (of == *id).then_some(release));
            let foreign = listed.find(|deletion| {
                !release.is_some_and(|release| release.may_delete(&deletion.target))
            })?;
            Some((id, &foreign.target))
        })
    }
}

impl Release {
    /// Returns whether the release deletes objects of this kind before an upgrade.
    #[must_use]
    pub fn may_delete(&self, target: &DeleteTarget) -> bool {
        self.pre_deletes.iter().any(|deletion| {
            let kind = deletion.kind;
            (kind.api_version(), kind.kind_name()) == (&*target.api_version, &*target.kind)
        })
    }
}
