//! Two states of a set of objects, compared as trees.
//!
//! Pure: the two states may come from files or from a cluster. A difference that only a
//! program's bookkeeping makes is *noise*, kept with its rule ([`noise`]); one that can cost
//! a release is a *danger*, kept with its effect ([`danger`]).

pub mod danger;
pub mod noise;
mod path;
mod tree;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::flux::managed_fields::Shared;
use crate::flux::object::SUSPEND;
use crate::flux::{Conflict, DIGEST_ANNOTATION, Object, ObjectKey, ObjectSet};
use crate::value::Text;

pub use danger::Danger;
pub use noise::Noise;
pub use path::{Path, Segment};
pub use tree::Edit;

/// One difference inside an object.
#[derive(Clone, Debug)]
pub struct Change {
    /// Path of the difference in the object.
    pub path: Path,
    /// The old and the new value.
    pub edit: Edit,
    /// The rule that makes it noise.
    pub noise: Option<&'static Noise>,
    /// The rule that makes it dangerous; never for noise.
    pub danger: Option<&'static Danger>,
    /// Whether it only passes on a change of an earlier step.
    pub lockstep: bool,
}

/// The effect of an apply on an object.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It does not exist yet.
    Created,
    /// It changes, in more than noise.
    Changed,
    /// The object itself does not change, but an earlier step does: Flux reconciles it again in its
    /// turn, without a Helm action.
    Follows,
    /// It does not change, except for noise.
    Unchanged,
    /// Other managers own fields that it would set.
    Conflicting(Vec<Conflict>),
    /// The API server, or a webhook, rejects it; the message is safe to print.
    Refused(Text),
    /// It exists, but is no longer in the input. Nothing deletes it.
    LeftOver,
}

/// Facts about an object beside its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It belongs to another site, whose name this is.
    OfSite(Text),
    /// A toolkit Kustomization, `NAMESPACE/NAME`, owns it and would undo a change.
    OfKustomization(Text),
    /// Compared without a dry run on the API server, and why.
    ClientSide(Text),
    /// Another manager holds a field that the input does not set and that changes what a run checks or does.
    Foreign {
        /// The field, as the API server writes paths.
        field: Text,
        /// Its manager.
        manager: Text,
        /// What the field does.
        effect: &'static str,
        /// Whether a run is refused because of it.
        refused: bool,
    },
    /// Helm holds a release of this name that Flux does not manage yet: its latest revision and status.
    Takeover {
        /// Number of the latest revision.
        revision: u64,
        /// Its status, as Helm writes it.
        status: Text,
    },
}

/// An object and its outcome.
#[derive(Clone, Debug)]
pub struct ObjectChange {
    /// `group/version`, or `v1`.
    pub api_version: Text,
    /// Its kind.
    pub kind: Text,
    /// Its namespace; `None` for cluster-scoped kinds.
    pub namespace: Option<Text>,
    /// Its name.
    pub name: Text,
    /// The effect of an apply.
    pub outcome: Outcome,
    /// The differences, noise included, in the order of the object.
    pub changes: Vec<Change>,
    /// Fields of an earlier apply that the input lacks and that other managers own, so they stay.
    pub staying: Vec<Shared>,
    /// Fields that the input sets and that other managers own, too.
    pub shared: Vec<Shared>,
    /// Further facts.
    pub marks: Vec<Mark>,
}

impl ObjectChange {
    /// Creates the change of an object with nothing but its outcome.
    #[must_use]
    pub fn new(object: &Object, outcome: Outcome) -> Self {
        Self {
            api_version: object.api_version.clone(),
            kind: object.kind.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
            outcome,
            changes: Vec::new(),
            staying: Vec::new(),
            shared: Vec::new(),
            marks: Vec::new(),
        }
    }
}

/// Compares an object before and after.
#[must_use]
pub fn object(before: &Object, after: &Object) -> ObjectChange {
    judged(after, tree::differences(&before.value, &after.value))
}

/// Compares a live object with the input; fields that only the live one has may be defaults,
/// or of others, and are not differences. `spec.suspend` of a release is none of these: `apply` takes it
/// away.
#[must_use]
pub fn input(live: &Object, input: &Object) -> ObjectChange {
    let mut differences = tree::differences(&live.value, &input.value);
    differences.retain(|(path, edit)| {
        let of_mapping = matches!(path.0.last(), Some(Segment::Key(_)));
        let resumed = input.is_helm_release() && path.starts_with(SUSPEND);
        resumed || !(of_mapping && matches!(edit, Edit::Removed(_)))
    });
    judged(input, differences)
}

fn judged(after: &Object, differences: Vec<(Path, Edit)>) -> ObjectChange {
    let mut changes = Vec::new();
    for (path, edit) in differences {
        let noise = noise::rule(&after.kind, &path, &edit);
        let lockstep = is_lockstep(&path, &edit);
        let danger = if noise.is_some() || lockstep {
            None
        } else {
            danger::rule(after, &path, &edit)
        };
        changes.push(Change {
            path,
            edit,
            noise,
            danger,
            lockstep,
        });
    }
    let mut real = changes.iter().filter(|change| change.noise.is_none());
    let outcome = if real.clone().any(|change| !change.lockstep) {
        Outcome::Changed
    } else if real.next().is_some() {
        Outcome::Follows
    } else {
        Outcome::Unchanged
    };
    ObjectChange {
        changes,
        ..ObjectChange::new(after, outcome)
    }
}

/// Returns whether only the digest of the steps before differs.
fn is_lockstep(path: &Path, edit: &Edit) -> bool {
    let Edit::Changed { before, after } = edit else {
        return false;
    };
    let (Some(before), Some(after)) = (before.as_str(), after.as_str()) else {
        return false;
    };
    let annotation = path.starts_with(&["metadata", "annotations", DIGEST_ANNOTATION]);
    let expression = path.starts_with(&["spec", "dependsOn"])
        && path.0.last() == Some(&Segment::Key("readyExpr".into()));
    (annotation || expression) && without_digests(before) == without_digests(after)
}

/// Returns a text with a mark in the place of every digest.
fn without_digests(text: &str) -> String {
    const PREFIX: &str = "sha256:";
    let mut parts = text.split(PREFIX);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(PREFIX);
        out.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    out
}

/// Compares two trees of files: in the order of `after`, then what only `before` has.
#[must_use]
pub fn sets(before: &ObjectSet, after: &ObjectSet) -> Vec<ObjectChange> {
    let mut old: BTreeMap<ObjectKey, &Object> = before.iter().map(|o| (o.key(), o)).collect();
    let mut all: Vec<ObjectChange> = Vec::new();
    for new in after.iter() {
        all.push(match old.remove(&new.key()) {
            Some(old) => object(old, new),
            None => ObjectChange::new(new, Outcome::Created),
        });
    }
    let rest = before
        .iter()
        .filter(|object| old.contains_key(&object.key()));
    all.extend(rest.map(|object| ObjectChange::new(object, Outcome::LeftOver)));
    all
}
