//! HelmReleases: their places, what is awaited of them, and for how long.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::flux::object::title;
use crate::flux::{
    GATES_ANNOTATION, GROUP_ANNOTATION, Object, ObjectKey, PRE_DELETE_ANNOTATION,
    PROTECTED_ANNOTATION, PROTECTED_CONTINUE, PROTECTED_STOP, REQUEUE_DEPENDENCY, ReleaseView,
    STAGE_ANNOTATION, STEP_ANNOTATION, Seconds, UNRESOLVED_ANNOTATION, duration,
};
use crate::gate::{self, deletion};
use crate::secret;
use crate::value::{Data, Text, Value, is_too_long, unsafe_char};

use super::super::{DoneWhen, Item, OnFailure, Release, Stage, as_applied};
use super::{Fault, steps};

/// Limit of a Helm action that a HelmRelease leaves out, in seconds (helm-controller: `GetTimeout`).
const DEFAULT_TIMEOUT: i64 = 300;
/// What the controllers take beside Helm, in seconds: fetching the chart, queues, and a dependency that is looked at
/// again after [`REQUEUE_DEPENDENCY`], twice.
const CONTROLLER_GRACE: i64 = {
    let Seconds(requeue) = REQUEUE_DEPENDENCY;
    60 + 2 * requeue
};

/// The stages of the releases, in order.
pub(super) fn stages(releases: &[&Object], faults: &mut Vec<Fault>) -> Vec<Stage> {
    let mut stages = Places::new();
    let mut held: BTreeMap<(Text, Text), Text> = BTreeMap::new();
    for object in releases {
        let title = Text::from(object.title());
        let item = ReleaseView::of(object).and_then(|release| item(object, release, faults));
        let Some((place, item)) = place(object, faults).zip(item) else {
            continue;
        };
        if let DoneWhen::ReleaseReady(release) = &item.done_when {
            match held.entry((release.storage.clone(), release.name.clone())) {
                Entry::Vacant(free) => {
                    free.insert(title.clone());
                }
                Entry::Occupied(other) => faults.push(Fault::OneRelease {
                    object: title.clone(),
                    other: other.get().clone(),
                    release: release.name.clone(),
                    storage: release.storage.clone(),
                }),
            }
        }
        let Place { stage, step, group } = place;
        let (name, steps) = stages
            .entry(stage)
            .or_insert_with(|| (group.clone(), BTreeMap::new()));
        if *name != group {
            faults.push(Fault::TwoGroups {
                object: title,
                stage,
                group,
                other: name.clone(),
            });
        }
        steps.entry(step).or_default().push(item);
    }
    dependencies(&stages, faults);
    let stages = stages.into_iter();
    let stages = stages.map(|(number, (name, items))| Stage {
        number,
        name,
        steps: steps(items),
    });
    stages.collect()
}

/// By stage, with its name, and by step.
type Places = BTreeMap<usize, (Text, BTreeMap<usize, Vec<Item>>)>;

/// What waits for something that never comes first.
fn dependencies(stages: &Places, faults: &mut Vec<Fault>) {
    let all = || {
        stages.iter().flat_map(|(stage, (_, steps))| {
            let items = steps.iter();
            items.flat_map(move |(step, items)| {
                items
                    .iter()
                    .map(move |item| ((*stage, *step), &item.object))
            })
        })
    };
    let places: BTreeMap<ObjectKey, (usize, usize)> =
        all().map(|(place, object)| (object.key(), place)).collect();
    for (place, object) in all() {
        let release = ReleaseView::of(object);
        for other in release.iter().flat_map(|release| release.depends_on()) {
            // One that is not in the input may be there already.
            if places.get(&other).is_some_and(|other| *other >= place) {
                faults.push(Fault::Dependency {
                    object: object.title().into(),
                    other: title(&other.kind, other.namespace.as_deref(), &other.name).into(),
                });
            }
        }
    }
}

/// Where a release stands.
struct Place {
    stage: usize,
    step: usize,
    group: Text,
}

fn place(object: &Object, faults: &mut Vec<Fault>) -> Option<Place> {
    // Without the gates, too, nothing is known: a release without any says so.
    let needed = [
        STAGE_ANNOTATION,
        STEP_ANNOTATION,
        GROUP_ANNOTATION,
        GATES_ANNOTATION,
    ];
    let missing = needed
        .iter()
        .filter(|name| object.annotation(name).is_none());
    let missing: Vec<Text> = missing.map(|name| Text::from(*name)).collect();
    if !missing.is_empty() {
        faults.push(Fault::Unannotated {
            object: object.title().into(),
            annotations: missing,
        });
        return None;
    }
    let mut number = |name: &str| {
        let written = object.annotation(name)?;
        let number = written.parse().ok().filter(|number: &usize| *number > 0);
        if number.is_none() {
            let reason = "it is not a number from 1".to_owned();
            faults.push(unreadable(object, name, reason));
        }
        number
    };
    let (stage, step) = (number(STAGE_ANNOTATION), number(STEP_ANNOTATION));
    Some(Place {
        stage: stage?,
        step: step?,
        group: object.annotation(GROUP_ANNOTATION)?.into(),
    })
}

fn unreadable(object: &Object, annotation: &str, reason: String) -> Fault {
    Fault::Unreadable {
        object: object.title().into(),
        annotation: annotation.into(),
        // What it quotes stands in a selector, perhaps.
        reason: secret::mask_line(&reason),
    }
}

fn item(object: &Object, release: ReleaseView<'_>, faults: &mut Vec<Fault>) -> Option<Item> {
    let before = faults.len();
    let namespace = Text::from(release.target_namespace());
    let gates = object.annotation(GATES_ANNOTATION).map(|written| {
        gate::annotation::read(written, &namespace).unwrap_or_else(|error| {
            faults.push(unreadable(object, GATES_ANNOTATION, error.to_string()));
            Vec::new()
        })
    });
    let pre_deletes = object.annotation(PRE_DELETE_ANNOTATION).map(|written| {
        deletion::annotation::read(written).unwrap_or_else(|error| {
            faults.push(unreadable(object, PRE_DELETE_ANNOTATION, error.to_string()));
            Vec::new()
        })
    });
    let on_failure = match object.annotation(PROTECTED_ANNOTATION) {
        None => OnFailure::Stop,
        Some(PROTECTED_STOP) => OnFailure::Refuse,
        Some(PROTECTED_CONTINUE) => OnFailure::Skip,
        Some(_) => {
            let reason = format!("it is neither `{PROTECTED_CONTINUE}` nor `{PROTECTED_STOP}`");
            faults.push(unreadable(object, PROTECTED_ANNOTATION, reason));
            OnFailure::Stop
        }
    };
    if release.is_remote() {
        faults.push(Fault::OtherCluster {
            object: object.title().into(),
        });
    }
    if let Some((reason, place)) = release.values().and_then(lost) {
        faults.push(Fault::LostValues {
            object: object.title().into(),
            reason,
            place,
        });
    }
    if release.is_name_shortened() {
        faults.push(Fault::NoReleaseName {
            object: object.title().into(),
        });
    }
    let tested = release.is_tested();
    let release = Release {
        name: release.helm_name(),
        storage: release.storage_namespace().into(),
        namespace,
        gates: gates.unwrap_or_default(),
        pre_deletes: pre_deletes.unwrap_or_default(),
        tested,
        unresolved: object.annotation(UNRESOLVED_ANNOTATION).map(Text::from),
    };
    let timeout = timeout(object, tested, faults);
    if faults.len() > before {
        return None;
    }
    Some(Item {
        object: as_applied(object),
        done_when: DoneWhen::ReleaseReady(Box::new(release)),
        timeout,
        on_failure,
    })
}

/// How long a release may take: the slowest Helm action, in whose time Armada's own waits must end as well, then its
/// tests, and the controllers.
fn timeout(object: &Object, tested: bool, faults: &mut Vec<Fault>) -> i64 {
    let mut length = |path: &[&'static str], field: &'static str| {
        let written = object.value.at(path)?;
        let seconds = written.as_str().and_then(duration::seconds);
        if seconds.is_none() {
            faults.push(Fault::NoDuration {
                object: object.title().into(),
                field,
            });
        }
        seconds
    };
    let of_all = length(&["spec", "timeout"], "spec.timeout").unwrap_or(DEFAULT_TIMEOUT);
    let install = length(&["spec", "install", "timeout"], "spec.install.timeout");
    let upgrade = length(&["spec", "upgrade", "timeout"], "spec.upgrade.timeout");
    let tests = length(&["spec", "test", "timeout"], "spec.test.timeout");
    let action = install.unwrap_or(of_all).max(upgrade.unwrap_or(of_all));
    let tests = if tested { tests.unwrap_or(of_all) } else { 0 };
    action + tests + CONTROLLER_GRACE
}

/// What makes helm-controller drop all values, become Ready and say nothing: it reads their JSON with go-yaml and passes
/// over the error (`docs/yaml.md`). U+0085 in a text would arrive as a blank.
fn lost(value: &Value) -> Option<(String, &'static str)> {
    let unreadable = |text: &str, place| {
        let character = unsafe_char(text)?;
        Some((
            format!("the character U+{:04X}", u32::from(character)),
            place,
        ))
    };
    match &value.data {
        Data::String(text) => unreadable(text, "a text"),
        Data::Sequence(items) => items.iter().find_map(lost),
        Data::Mapping(mapping) => mapping.entries().iter().find_map(|entry| {
            if is_too_long(&entry.key) {
                return Some(("more than 1,024 characters".to_owned(), "a key"));
            }
            unreadable(&entry.key, "a key").or_else(|| lost(&entry.value))
        }),
        Data::Null | Data::Bool(_) | Data::Number(_) => None,
    }
}
