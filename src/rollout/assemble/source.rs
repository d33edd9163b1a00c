//! Sources, each after those that it is made of.

use std::collections::BTreeMap;

use crate::flux::duration;
use crate::flux::helm_repository::is_registry;
use crate::flux::{Object, ObjectKey, SOURCE_GROUP};
use crate::value::Text;

use super::{DoneWhen, Fault, Item, OnFailure};

/// How long an artifact may take, in seconds: source-controller clones anew after a failure, with growing pauses.
const ARTIFACT_TIMEOUT: i64 = 300;

/// The items of the sources, those that are made of others behind them.
pub(super) fn layers(sources: &[&Object], faults: &mut Vec<Fault>) -> Vec<Vec<Item>> {
    let mut depths: BTreeMap<ObjectKey, usize> = BTreeMap::new();
    let mut open: Vec<&&Object> = sources.iter().collect();
    let keys: Vec<ObjectKey> = sources.iter().map(|source| source.key()).collect();
    // Each round settles those whose items are settled; what is left at the end stands in a circle.
    loop {
        let before = open.len();
        let mut settled = Vec::new();
        open.retain(|source| {
            let included = included(source);
            let known = included
                .iter()
                .filter(|key| keys.contains(key))
                .map(|key| depths.get(key).copied());
            let Some(known) = known.collect::<Option<Vec<usize>>>() else {
                return true;
            };
            settled.push((source.key(), known.into_iter().max().map_or(0, |at| at + 1)));
            false
        });
        depths.extend(settled);
        if open.len() == before {
            break;
        }
    }
    faults.extend(open.iter().map(|source| Fault::Circle {
        object: source.title().into(),
    }));
    let mut layers: Vec<Vec<Item>> = Vec::new();
    for source in sources {
        let Some(&depth) = depths.get(&source.key()) else {
            continue;
        };
        if layers.len() <= depth {
            layers.resize_with(depth + 1, Vec::new);
        }
        layers[depth].push(item(source, faults));
    }
    layers
}

/// The sources whose artifacts a source needs to make its own.
fn included(source: &Object) -> Vec<ObjectKey> {
    let of = |kind: &str, name: &str| ObjectKey {
        group: SOURCE_GROUP.into(),
        kind: kind.into(),
        namespace: source.namespace.clone(),
        name: name.into(),
    };
    let includes = source.value.items_at(&["spec", "include"]).iter();
    let includes = includes.filter_map(|include| include.text_at(&["repository", "name"]));
    let mut keys: Vec<ObjectKey> = includes.map(|name| of("GitRepository", name)).collect();
    // A HelmChart that stands in the tree by itself.
    let kind = source.value.text_at(&["spec", "sourceRef", "kind"]);
    let name = source.value.text_at(&["spec", "sourceRef", "name"]);
    if let (Some(kind), Some(name)) = (kind, name) {
        keys.push(of(kind, name));
    }
    keys
}

fn item(source: &Object, faults: &mut Vec<Fault>) -> Item {
    let text = |path: &[&str]| source.value.text_at(path);
    let registry = is_registry(&source.value);
    let done_when = if registry {
        DoneWhen::Applied
    } else {
        DoneWhen::ArtifactReady {
            commit: text(&["spec", "ref", "commit"]).map(Text::from),
        }
    };
    if source.is_suspended() && !registry {
        faults.push(Fault::SuspendedSource {
            object: source.title().into(),
        });
    }
    let of_one_try = match text(&["spec", "timeout"]) {
        None => 0,
        Some(written) => duration::seconds(written).unwrap_or_else(|| {
            faults.push(Fault::NoDuration {
                object: source.title().into(),
                field: "spec.timeout",
            });
            0
        }),
    };
    Item {
        object: source.clone(),
        done_when,
        timeout: ARTIFACT_TIMEOUT.max(of_one_try * 2),
        on_failure: OnFailure::Stop,
    }
}
