//! From objects to a rollout.
//!
//! Nothing but the objects is known here: stages, steps, gates and deletions are read from the annotations that
//! lowering wrote, so a tree that was committed, edited or not, is rolled out as the documents are.

mod fault;
mod release;
mod source;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::flux::{KEYS_ANNOTATION, Object, ObjectKey, ObjectSet};
use crate::value::Text;

use super::{
    DoneWhen, Item, OnFailure, PREPARATION, PREPARATION_NAME, Rollout, Stage, Step, as_applied,
};

pub use fault::Fault;

/// Step of the preparation: what the others stand in.
const GROUND: usize = 1;
/// Step of the preparation: values and whatever else the tree holds.
const REST: usize = 2;
/// Step of the preparation: sources. Those that are made of others follow in steps of their own.
const SOURCES: usize = 3;

/// How long the API server's yes may take, in seconds.
const APPLY_TIMEOUT: i64 = 60;
/// How long somebody may take to fill in a Secret, in seconds.
const FILL_TIMEOUT: i64 = 300;

/// The rollout of a site's objects.
///
/// # Errors
///
/// All that stands in its way.
pub fn assemble(set: &ObjectSet) -> Result<Rollout, Vec<Fault>> {
    let mut faults = Vec::new();
    let site = site(set, &mut faults);
    duplicates(set, &mut faults);
    let homeless = set.iter().filter(|object| object.namespace.is_none());
    let homeless = homeless.filter(|object| needs_namespace(object));
    faults.extend(homeless.map(|object| Fault::NoNamespace {
        object: object.title().into(),
    }));
    let mut preparation: BTreeMap<usize, Vec<Item>> = BTreeMap::new();
    let mut releases = Vec::new();
    let mut sources = Vec::new();
    for object in set.iter() {
        if object.is_helm_release() {
            releases.push(object);
        } else if object.is_source() {
            sources.push(object);
        } else {
            let step = match &*object.kind {
                "Namespace" | "CustomResourceDefinition" => GROUND,
                _ => REST,
            };
            preparation.entry(step).or_default().push(other(object));
        }
    }
    for (layer, items) in source::layers(&sources, &mut faults)
        .into_iter()
        .enumerate()
    {
        preparation.insert(SOURCES + layer, items);
    }
    let mut stages = Vec::new();
    if !preparation.is_empty() {
        stages.push(Stage {
            number: PREPARATION,
            name: PREPARATION_NAME.into(),
            steps: steps(preparation),
        });
    }
    if releases.is_empty() {
        faults.push(Fault::NoRelease);
    }
    stages.extend(release::stages(&releases, &mut faults));
    if faults.is_empty() {
        Ok(Rollout { site, stages })
    } else {
        Err(faults)
    }
}

/// The site of the releases, which all others must not contradict.
fn site(set: &ObjectSet, faults: &mut Vec<Fault>) -> Text {
    let mut sites = set
        .iter()
        .filter(|object| object.is_helm_release())
        .filter_map(Object::site);
    let site = Text::from(sites.next().unwrap_or_default());
    for object in set.iter() {
        match object.site() {
            Some(other) if other != site => faults.push(Fault::OtherSite {
                object: object.title().into(),
                site: other.into(),
                other: site.clone(),
            }),
            None if object.is_helm_release() => faults.push(Fault::NoSite {
                object: object.title().into(),
            }),
            Some(_) | None => {}
        }
    }
    site
}

fn duplicates(set: &ObjectSet, faults: &mut Vec<Fault>) {
    let mut seen: BTreeSet<ObjectKey> = BTreeSet::new();
    for object in set.iter() {
        if !seen.insert(object.key()) {
            faults.push(Fault::Twice {
                object: object.title().into(),
            });
        }
    }
}

/// Whether it is known that objects of the kind live in namespaces.
fn needs_namespace(object: &Object) -> bool {
    object.is_helm_release()
        || object.is_source()
        || matches!(
            (&*object.api_version, &*object.kind),
            ("v1", "Secret" | "ConfigMap" | "ServiceAccount")
        )
}

fn steps(items: BTreeMap<usize, Vec<Item>>) -> Vec<Step> {
    let steps = items.into_iter();
    steps
        .map(|(number, items)| Step { number, items })
        .collect()
}

/// What is neither source nor release.
fn other(object: &Object) -> Item {
    let keys = object
        .annotation(KEYS_ANNOTATION)
        .filter(|_| object.kind == "Secret");
    let (done_when, timeout) = match keys {
        Some(keys) => {
            let keys = keys.split(',').map(str::trim).filter(|key| !key.is_empty());
            (
                DoneWhen::KeysFilled(keys.map(Text::from).collect()),
                FILL_TIMEOUT,
            )
        }
        None => (DoneWhen::Applied, APPLY_TIMEOUT),
    };
    Item {
        object: as_applied(object),
        done_when,
        timeout,
        on_failure: OnFailure::Stop,
    }
}
