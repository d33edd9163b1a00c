//! The rollout: the objects that a run writes, their order, and what the run waits for before the next step.
//!
//! Pure data, computed from objects alone, so a committed tree is rolled out like the documents that it came from.
//! `apply` carries it out as it is.

mod action;
pub mod assemble;
pub mod change;
pub mod check;
mod digest;
pub(crate) mod foreign;
pub mod identity;
pub mod journal;
pub mod readiness;
pub mod saved;
pub mod state;
#[cfg(test)]
mod testing;

use serde::{Deserialize, Serialize};

pub use action::Action;
pub use assemble::{Fault, assemble};
pub use change::{Change, change};
pub use check::{Flaw, check};
pub use digest::digest;

use crate::flux::Object;
use crate::flux::object::title;
use crate::gate::{Deletion, Gate};
use crate::value::{Text, Value};

/// The number of the stage before the first chart group. It holds namespaces, values and sources.
pub const PREPARATION: usize = 0;

/// The name of that stage.
pub const PREPARATION_NAME: &str = "preparation";

/// All objects of a site, in the order in which a run writes them.
#[derive(Clone, Debug)]
pub struct Rollout {
    /// The site that all objects belong to.
    pub site: Text,
    /// The stages in order, the preparation first; never empty ones.
    pub stages: Vec<Stage>,
}

/// A chart group, or the preparation.
#[derive(Clone, Debug)]
pub struct Stage {
    /// [`PREPARATION`], or the number of the chart group, from 1.
    pub number: usize,
    /// The name of the chart group.
    pub name: Text,
    /// The steps in order.
    pub steps: Vec<Step>,
}

/// The objects of a stage that may move at the same time.
#[derive(Clone, Debug)]
pub struct Step {
    /// The position in the stage, from 1.
    pub number: usize,
    /// The items in the order of the input.
    pub items: Vec<Item>,
}

/// One object, and when it counts as done.
#[derive(Clone, Debug)]
pub struct Item {
    /// The object as it is sent: afterwards the program's field manager owns exactly these fields.
    pub object: Object,
    /// The condition that ends the wait.
    pub done_when: DoneWhen,
    /// The limit of the wait, in seconds, counted from the write.
    pub timeout: i64,
    /// What a failure does to the run.
    pub on_failure: OnFailure,
}

/// When an item counts as done.
#[derive(Clone, Debug)]
pub enum DoneWhen {
    /// The API server has accepted the object.
    Applied,
    /// The API server has accepted the object, and these keys of the Secret are filled in.
    KeysFilled(Vec<Text>),
    /// The source has an artifact.
    ArtifactReady {
        /// The commit of the artifact, when the source is pinned to one.
        commit: Option<Text>,
    },
    /// The release is deployed, its tests have passed and its gates are open.
    ReleaseReady(Box<Release>),
}

/// What a run must know of a HelmRelease.
#[derive(Clone, Debug)]
pub struct Release {
    /// The name of Helm's release.
    pub name: Text,
    /// The namespace of Helm's records.
    pub storage: Text,
    /// The namespace of the release's objects, which gates and deletions are about.
    pub namespace: Text,
    /// The waits of Armada after Helm and its hooks, in order.
    pub gates: Vec<Gate>,
    /// What is deleted before an upgrade, in order, in the release's namespace.
    pub pre_deletes: Vec<Deletion>,
    /// Whether Helm's tests run.
    pub tested: bool,
    /// The chart source that Flux cannot read, fit for messages. Such a release is refused.
    pub unresolved: Option<Text>,
}

/// What a failure does to the run (Armada: handlers/armada.py, handlers/chart_deploy.py).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The other items of the step are finished, then the run stops.
    Stop,
    /// As `Stop`; a release that had failed before the run started also stops the run before the release is written
    /// (`protected` without `continue_processing`).
    Refuse,
    /// As `Stop`; a release that had failed before the run started is skipped, and the run continues
    /// (`protected.continue_processing: true`).
    Skip,
}

/// The identity of an item: stage, step and object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemId {
    /// The number of the stage.
    pub stage: usize,
    /// The number of the step in the stage.
    pub step: usize,
    /// The kind of the object.
    pub kind: Text,
    /// The namespace of the object; `None` for cluster-scoped kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Text>,
    /// The name of the object.
    pub name: Text,
}

impl ItemId {
    /// Returns `Kind namespace/name`, or `Kind name`.
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.kind, self.namespace.as_deref(), &self.name)
    }
}

/// Returns an object as a run sends it: a HelmRelease without `spec.suspend`, any other object unchanged. A tree sets
/// `spec.suspend` so that a commit alone starts nothing.
#[must_use]
pub fn as_applied(object: &Object) -> Object {
    let mut applied = object.clone();
    if object.is_helm_release() {
        let whole = applied.value.as_mapping_mut();
        let spec = whole.and_then(|whole| whole.get_mut("spec"));
        if let Some(spec) = spec.and_then(Value::as_mapping_mut) {
            spec.entries_mut().retain(|entry| entry.key != "suspend");
        }
    }
    applied
}

impl Rollout {
    /// Returns all items in order, with their stage and step.
    pub fn items(&self) -> impl Iterator<Item = (&Stage, &Step, &Item)> {
        self.stages.iter().flat_map(|stage| {
            let steps = stage.steps.iter();
            steps.flat_map(move |step| step.items.iter().map(move |item| (stage, step, item)))
        })
    }

    /// Returns all releases in order, with the identities of their items.
    pub(crate) fn releases_with_ids(&self) -> impl Iterator<Item = (ItemId, &Release)> {
        self.items()
            .filter_map(|(stage, step, item)| match &item.done_when {
                DoneWhen::ReleaseReady(release) => Some((item.id(stage, step), &**release)),
                DoneWhen::Applied | DoneWhen::KeysFilled(_) | DoneWhen::ArtifactReady { .. } => {
                    None
                }
            })
    }

    /// Returns all releases in order, with their items.
    pub fn releases(&self) -> impl Iterator<Item = (&Item, &Release)> {
        self.items()
            .filter_map(|(_, _, item)| match &item.done_when {
                DoneWhen::ReleaseReady(release) => Some((item, &**release)),
                DoneWhen::Applied | DoneWhen::KeysFilled(_) | DoneWhen::ArtifactReady { .. } => {
                    None
                }
            })
    }
}

impl Item {
    /// Returns the identity of the item in a stage and step.
    #[must_use]
    pub fn id(&self, stage: &Stage, step: &Step) -> ItemId {
        ItemId {
            stage: stage.number,
            step: step.number,
            kind: self.object.kind.clone(),
            namespace: self.object.namespace.clone(),
            name: self.object.name.clone(),
        }
    }
}
