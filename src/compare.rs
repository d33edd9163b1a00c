//! Two states of a set of objects, compared as trees.
//!
//! Pure: the two states may come from files or from a cluster. A difference that only a
//! program's bookkeeping makes is *noise*, kept with its rule ([`noise`]); one that can cost
//! a release is a *danger*, kept with its effect ([`danger`]). Some dangers only show when all changes are
//! judged [`together`].

pub mod danger;
mod facts;
mod list;
mod meaning;
pub mod noise;
mod path;
mod tree;
mod values;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::flux::managed_fields::Shared;
use crate::flux::object::SUSPEND;
use crate::flux::{Conflict, DIGEST_ANNOTATION, Object, ObjectKey, ObjectSet};
use crate::value::{Text, Value};

use facts::Facts;

pub use danger::Danger;
pub use meaning::Meaning;
pub use noise::Noise;
pub use path::{Path, Segment};
pub use tree::Edit;
pub use values::ReadValues;

use values::{Elsewhere, Holders};

/// One difference inside an object.
#[derive(Clone, Debug)]
pub struct Change {
    /// Path of the difference in the object.
    pub path: Path,
    /// The old and the new value.
    pub edit: Edit,
    /// The rule that makes it noise.
    pub noise: Option<&'static Noise>,
    /// Its danger; never for noise.
    pub danger: Option<Danger>,
    /// What it says, where its text does not.
    pub meaning: Option<Meaning>,
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
    /// It holds values of releases, which are compared there.
    Values {
        /// The releases.
        releases: Text,
        /// The objects that held the values before and are left over.
        former: Vec<Text>,
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
    /// Dangers that no single difference shows.
    pub dangers: Vec<Danger>,
    /// What is kept of both sides.
    pub sides: Sides,
}

/// What is kept of an object's sides, so that all objects can be judged together.
#[derive(Clone, Debug, Default)]
pub struct Sides {
    /// `None` for an object that comes.
    before: Option<Box<Facts>>,
    /// `None` for an object that goes.
    after: Option<Box<Facts>>,
}

impl ObjectChange {
    /// Creates the change of an object with nothing but its outcome.
    #[must_use]
    pub fn new(object: &Object, outcome: Outcome) -> Self {
        let facts = Some(Box::new(Facts::of(object)));
        let (before, after) = match outcome {
            Outcome::LeftOver => (facts, None),
            Outcome::Created | Outcome::Conflicting(_) | Outcome::Refused(_) => (None, facts),
            Outcome::Changed | Outcome::Follows | Outcome::Unchanged => (facts.clone(), facts),
        };
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
            dangers: Vec::new(),
            sides: Sides { before, after },
        }
    }
}

/// Adds the dangers that only show when all changes are looked at: second installations, other sources of charts, lost
/// order, unprotected objects that leave.
pub fn together(changes: &mut [ObjectChange]) {
    danger::joint::judge(changes);
}

/// Compares an object before and after.
#[must_use]
pub fn object(before: &Object, after: &Object) -> ObjectChange {
    judged(
        before,
        after,
        tree::differences(&before.value, &after.value),
    )
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
    judged(live, input, differences)
}

fn judged(before: &Object, after: &Object, mut differences: Vec<(Path, Edit)>) -> ObjectChange {
    let mut changes = Vec::new();
    if let Some((path, edit, meaning)) = meaning::dependencies(before, after, &mut differences) {
        changes.push(Change {
            path,
            edit,
            noise: None,
            // Decided when all changes are judged together.
            danger: None,
            meaning: Some(meaning),
            lockstep: false,
        });
    }
    for (path, edit) in differences {
        let noise = noise::rule(&after.kind, &path, &edit);
        let lockstep = is_lockstep(&path, &edit);
        let danger = if noise.is_some() || lockstep {
            None
        } else {
            danger::of(before, after, &path, &edit)
        };
        changes.push(Change {
            meaning: meaning::of(before, after, &path),
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
    let mut change = ObjectChange::new(after, outcome);
    change.changes = changes;
    change.sides.before = Some(Box::new(Facts::of(before)));
    change
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

/// Compares two trees of files: in the order of `after`, then what only `before` has. Values that objects hold for releases
/// are compared in the releases, as helm-controller puts them together.
#[must_use]
pub fn sets(before: &ObjectSet, after: &ObjectSet, read: ReadValues<'_>) -> Vec<ObjectChange> {
    let mut old: BTreeMap<ObjectKey, &Object> = before.iter().map(|o| (o.key(), o)).collect();
    let (old_values, new_values) = (Elsewhere::of(before, read), Elsewhere::of(after, read));
    let mut holders = Holders::default();
    let mut all: Vec<ObjectChange> = Vec::new();
    for new in after.iter() {
        all.push(match old.remove(&new.key()) {
            Some(old) => match (old_values.whole(old), new_values.whole(new)) {
                (Some((old_whole, old_holders)), Some((new_whole, new_holders)))
                    if !(old_holders.is_empty() && new_holders.is_empty()) =>
                {
                    holders.add(new, old_holders, new_holders);
                    let places = |release, keys| values::places(release, keys);
                    let moved = (places(old, old_holders), places(new, new_holders));
                    with_values_at(object(old_whole, new_whole), moved)
                }
                _ => object(old, new),
            },
            None => ObjectChange::new(new, Outcome::Created),
        });
    }
    let rest = before
        .iter()
        .filter(|object| old.contains_key(&object.key()));
    let rest = rest.filter(|object| !holders.is_followed(&object.key()));
    all.extend(rest.map(|object| ObjectChange::new(object, Outcome::LeftOver)));
    for (change, object) in all.iter_mut().zip(after.iter()) {
        if let Some(releases) = holders.of(&object.key()) {
            hold(change, releases, &holders);
        }
    }
    together(&mut all);
    all
}

/// Adds where the values are, if that changes.
fn with_values_at(
    mut change: ObjectChange,
    (before, after): (Vec<Text>, Vec<Text>),
) -> ObjectChange {
    let Some(meaning) = meaning::meaning("values are in", before.clone(), after.clone()) else {
        return change;
    };
    let listed = |places: Vec<Text>| {
        let places = places.into_iter().map(Value::from);
        Value::from(places.collect::<Vec<_>>())
    };
    let keys = ["spec", "valuesFrom"].map(|key| Segment::Key(key.into()));
    change.changes.insert(
        0,
        Change {
            path: Path(keys.into()),
            edit: Edit::Changed {
                before: listed(before),
                after: listed(after),
            },
            noise: None,
            danger: None,
            meaning: Some(meaning),
            lockstep: false,
        },
    );
    change.outcome = Outcome::Changed;
    change
}

/// Takes the values out of the change of an object that holds them: the releases show what changes.
fn hold(change: &mut ObjectChange, releases: &BTreeSet<String>, holders: &Holders) {
    let is_data = |change: &Change| {
        ["data", "stringData"]
            .iter()
            .any(|part| change.path.starts_with(&[part]))
    };
    let data = match &change.outcome {
        Outcome::Created => true,
        Outcome::Changed => change
            .changes
            .iter()
            .any(|change| change.noise.is_none() && is_data(change)),
        Outcome::Follows
        | Outcome::Unchanged
        | Outcome::Conflicting(_)
        | Outcome::Refused(_)
        | Outcome::LeftOver => false,
    };
    if !data {
        return;
    }
    change.changes.retain(|change| !is_data(change));
    if change.changes.iter().all(|change| change.noise.is_some()) {
        change.outcome = Outcome::Follows;
    }
    let names: Vec<&str> = releases.iter().map(String::as_str).collect();
    change.marks.push(Mark::Values {
        releases: names.join(", ").into(),
        former: holders.former(releases),
    });
}
