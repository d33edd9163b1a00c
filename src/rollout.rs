//! The rollout: what is done to a cluster, in which order, and what must be seen before the next thing is done.
//!
//! Pure data, made from objects alone, so a committed tree is rolled out as the documents that it came from are.
//! `apply` walks it, leaves out nothing and adds nothing.

pub mod assemble;
pub mod change;
pub mod check;
mod digest;
pub mod journal;
pub mod readiness;
pub mod saved;
pub mod state;
#[cfg(test)]
mod testing;

use serde::{Deserialize, Serialize};

pub use assemble::{Fault, assemble};
pub use change::{Change, change};
pub use check::{Flaw, check};
pub use digest::digest;

use crate::flux::Object;
use crate::flux::object::title;
use crate::gate::{Deletion, Gate};
use crate::value::{Text, Value};

/// Number of the stage before the first chart group: namespaces, values, sources.
pub const PREPARATION: usize = 0;

/// Name of that stage.
pub const PREPARATION_NAME: &str = "preparation";

/// Everything that is done, in order.
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
    /// Name of the chart group.
    pub name: Text,
    /// Its steps in order.
    pub steps: Vec<Step>,
}

/// What may move at the same time.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its place in the stage, from 1.
    pub number: usize,
    /// Its parts, in the order of the input.
    pub parts: Vec<Part>,
}

/// One object, and when it counts as done.
#[derive(Clone, Debug)]
pub struct Part {
    /// What is sent, whole: its fields are those that the program's field manager owns afterwards.
    pub object: Object,
    /// What must be seen.
    pub until: Until,
    /// How long that may take, in seconds, counted from the write.
    pub timeout: i64,
    /// What becomes of the run when it is not seen.
    pub on_failure: OnFailure,
}

/// What must be seen before a part counts as done.
#[derive(Clone, Debug)]
pub enum Until {
    /// The API server has taken it.
    Applied,
    /// The API server has taken it, and somebody has filled in these keys of the Secret.
    Filled(Vec<Text>),
    /// The source's artifact is there.
    Artifact {
        /// The commit that the artifact must be of, when the source is pinned to one.
        commit: Option<Text>,
    },
    /// The release is deployed and everything that is awaited of it is ready.
    Released(Box<Release>),
}

/// A HelmRelease's story in a run.
#[derive(Clone, Debug)]
pub struct Release {
    /// Name under which Helm holds it.
    pub name: Text,
    /// Namespace in which Helm keeps its records.
    pub storage: Text,
    /// Namespace of its objects, where gates and deletions look.
    pub namespace: Text,
    /// What Armada itself awaited after Helm and its hooks, in order.
    pub gates: Vec<Gate>,
    /// What is deleted before an upgrade, in order, in the release's namespace, and only if the upgrade changes something.
    pub pre_deletes: Vec<Deletion>,
    /// Whether its tests run.
    pub tested: bool,
    /// The source that nothing in Flux can read, fit for messages: such a release is refused.
    pub unresolved: Option<Text>,
}

/// What becomes of a run when a part fails (Armada: handlers/armada.py, handlers/chart_deploy.py).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The other parts of the step are finished, then the run stops.
    Stop,
    /// The same, but a release that had failed before the run began stops it before anything of it is touched
    /// (`protected` without `continue_processing`).
    Refuse,
    /// The same, but a release that had failed before the run began is left as it is, and the run goes on
    /// (`protected.continue_processing: true`).
    PassOver,
}

/// Which part is meant: stage, step and object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartId {
    /// Number of the stage.
    pub stage: usize,
    /// Number of the step in it.
    pub step: usize,
    /// Kind of the object.
    pub kind: Text,
    /// Its namespace; `None` for cluster-scoped kinds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<Text>,
    /// Its name.
    pub name: Text,
}

impl PartId {
    /// `Kind namespace/name`, or `Kind name`.
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.kind, self.namespace.as_deref(), &self.name)
    }
}

/// An object as a run sends it: a HelmRelease without `spec.suspend`, which a tree carries so that nothing moves before
/// a run does it; anything else as it is.
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
    /// All parts in order, each with its place.
    pub fn parts(&self) -> impl Iterator<Item = (&Stage, &Step, &Part)> {
        self.stages.iter().flat_map(|stage| {
            let steps = stage.steps.iter();
            steps.flat_map(move |step| step.parts.iter().map(move |part| (stage, step, part)))
        })
    }

    /// All releases in order, each with its part.
    pub fn releases(&self) -> impl Iterator<Item = (&Part, &Release)> {
        self.parts().filter_map(|(_, _, part)| match &part.until {
            Until::Released(release) => Some((part, &**release)),
            Until::Applied | Until::Filled(_) | Until::Artifact { .. } => None,
        })
    }
}

impl Part {
    /// Its identity at a place.
    #[must_use]
    pub fn id(&self, stage: &Stage, step: &Step) -> PartId {
        PartId {
            stage: stage.number,
            step: step.number,
            kind: self.object.kind.clone(),
            namespace: self.object.namespace.clone(),
            name: self.object.name.clone(),
        }
    }
}
