//! Proves a rollout sound before anything is done with it.
//!
//! The rules stand here a second time, read from the objects anew: nothing is shared with [`super::assemble()`], so that a
//! mistake there is found here. What it finds is a mistake of this program, never of the user.

mod references;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use crate::flux::{
    GATES_ANNOTATION, KEYS_ANNOTATION, Object, ObjectKey, ObjectSet, PRE_DELETE_ANNOTATION,
    PROTECTED_ANNOTATION, STAGE_ANNOTATION, STEP_ANNOTATION, UNRESOLVED_ANNOTATION,
};
use crate::gate::{self, deletion};
use crate::value::{Text, Value};

use super::{OnFailure, PREPARATION, Part, Release, Rollout, Until};

/// A rule that a rollout breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The object, or the stage or step.
    pub about: Text,
    /// The rule, as it should be.
    pub rule: Rule,
}

/// What holds of every sound rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// Every object of the input is in it.
    Complete,
    /// No object is in it twice.
    Once,
    /// Nothing is in it that is not in the input, and nothing otherwise than there, `spec.suspend` aside.
    AsInTheInput,
    /// Everything belongs to its site.
    OneSite,
    /// Numbers of stages, and of steps in a stage, ascend; nothing is empty.
    Ascending,
    /// A release stands where its annotations say; anything else is prepared.
    InPlace,
    /// What an object refers to is there in an earlier step: its namespace, values, sources, credentials.
    Prepared,
    /// What a release depends on is done in an earlier step.
    DependenciesFirst,
    /// Every limit is a time.
    Limited,
    /// No release is sent suspended.
    Running,
    /// What must be seen of an object is what its kind and its annotations ask for.
    Awaited,
    /// What is deleted before an upgrade is what its release asks for, in its release's namespace.
    Deletions,
    /// A failure has the effect that the release asks for.
    Protection,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rule::Complete => "is left out",
            Rule::Once => "is in it more than once",
            Rule::AsInTheInput => "is not as in the input",
            Rule::OneSite => "does not belong to the site",
            Rule::Ascending => "is out of order, or empty",
            Rule::InPlace => "is not in the step that its annotations name",
            Rule::Prepared => "comes before something that it refers to",
            Rule::DependenciesFirst => "comes before a release that it depends on",
            Rule::Limited => "has no time limit",
            Rule::Running => "would be sent suspended",
            Rule::Awaited => "is awaited otherwise than it asks for",
            Rule::Deletions => "deletes otherwise than it asks for",
            Rule::Protection => "is protected otherwise than it asks for",
        })
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the rollout is unsound: {} {}", self.about, self.rule)
    }
}

/// Where a part stands: stage and step.
type Place = (usize, usize);

/// All rules that the rollout of these objects breaks; none for a sound one.
#[must_use]
pub fn check(rollout: &Rollout, set: &ObjectSet) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    order(rollout, &mut flaws);
    let places = members(rollout, set, &mut flaws);
    for (stage, step, part) in rollout.parts() {
        let place = (stage.number, step.number);
        let mut broken = |rule| {
            flaws.push(Flaw {
                about: part.object.title().into(),
                rule,
            });
        };
        if !in_place(&part.object, place) {
            broken(Rule::InPlace);
        }
        if !of_site(&part.object, &rollout.site) {
            broken(Rule::OneSite);
        }
        if part.timeout <= 0 {
            broken(Rule::Limited);
        }
        let before = |key: &ObjectKey| places.get(key).is_none_or(|other| *other < place);
        if !references::prepared(&part.object).iter().all(before) {
            broken(Rule::Prepared);
        }
        if !references::dependencies(&part.object).iter().all(before) {
            broken(Rule::DependenciesFirst);
        }
        awaited(part, &mut broken);
    }
    flaws
}

fn order(rollout: &Rollout, flaws: &mut Vec<Flaw>) {
    let mut wrong = |about: String| {
        flaws.push(Flaw {
            about: about.into(),
            rule: Rule::Ascending,
        });
    };
    for pair in rollout.stages.windows(2) {
        if pair[0].number >= pair[1].number {
            wrong(format!("stage {}", pair[1].number));
        }
    }
    for stage in &rollout.stages {
        if stage.steps.is_empty() {
            wrong(format!("stage {}", stage.number));
        }
        for pair in stage.steps.windows(2) {
            if pair[0].number >= pair[1].number {
                wrong(format!("step {} of stage {}", pair[1].number, stage.number));
            }
        }
        for step in &stage.steps {
            if step.parts.is_empty() || step.number == 0 {
                wrong(format!("step {} of stage {}", step.number, stage.number));
            }
        }
    }
}

/// Compares the objects of both, and gives the place of each.
fn members(
    rollout: &Rollout,
    set: &ObjectSet,
    flaws: &mut Vec<Flaw>,
) -> BTreeMap<ObjectKey, Place> {
    let mut places = BTreeMap::new();
    let input: BTreeMap<ObjectKey, &Object> = set.iter().map(|o| (o.key(), o)).collect();
    for (stage, step, part) in rollout.parts() {
        let object = &part.object;
        let mut broken = |rule| {
            flaws.push(Flaw {
                about: object.title().into(),
                rule,
            });
        };
        let place = (stage.number, step.number);
        if places.insert(object.key(), place).is_some() {
            broken(Rule::Once);
        }
        let same = input.get(&object.key()).is_some_and(|wanted| {
            wanted.api_version == object.api_version && same_but_suspend(wanted, object)
        });
        if !same {
            broken(Rule::AsInTheInput);
        }
        if object.is_helm_release() && object.value.at(&["spec", "suspend"]).is_some() {
            broken(Rule::Running);
        }
    }
    let missing = set
        .iter()
        .filter(|object| !places.contains_key(&object.key()));
    flaws.extend(missing.map(|object| Flaw {
        about: object.title().into(),
        rule: Rule::Complete,
    }));
    places
}

/// A source without a status: nothing of it can be seen (Flux: HelmRepository of type `oci`).
fn registry(object: &Object) -> bool {
    object.kind == "HelmRepository" && object.value.text_at(&["spec", "type"]) == Some("oci")
}

/// Whether both trees say the same, a release's `spec.suspend` aside.
fn same_but_suspend(one: &Object, other: &Object) -> bool {
    if !one.is_helm_release() {
        return one.value == other.value;
    }
    let parts = |object: &Object| {
        let whole = object.value.as_mapping().map(|whole| whole.entries());
        let whole = whole.unwrap_or_default().iter();
        let mut parts: BTreeMap<(Text, Option<Text>), Value> = BTreeMap::new();
        for entry in whole {
            match (&*entry.key, entry.value.as_mapping()) {
                ("spec", Some(spec)) => {
                    for field in spec.entries().iter().filter(|f| f.key != "suspend") {
                        let key = (entry.key.clone(), Some(field.key.clone()));
                        parts.insert(key, field.value.clone());
                    }
                }
                _ => {
                    parts.insert((entry.key.clone(), None), entry.value.clone());
                }
            }
        }
        parts
    };
    parts(one) == parts(other)
}

fn in_place(object: &Object, place: Place) -> bool {
    if !object.is_helm_release() {
        return place.0 == PREPARATION;
    }
    let number = |name| {
        object
            .annotation(name)
            .and_then(|text| text.parse::<usize>().ok())
    };
    let asked = (number(STAGE_ANNOTATION), number(STEP_ANNOTATION));
    asked == (Some(place.0), Some(place.1)) && place.0 != PREPARATION
}

fn of_site(object: &Object, site: &Text) -> bool {
    match object.site() {
        Some(of) => of == site,
        // What somebody added by hand belongs to the site that it is given with.
        None => !object.is_helm_release(),
    }
}

fn awaited(part: &Part, broken: &mut impl FnMut(Rule)) {
    let Part {
        object,
        until,
        timeout: _,
        on_failure,
    } = part;
    let right = match until {
        Until::Applied => {
            let to_fill = object.kind == "Secret" && keys(object).is_some();
            let of_source = object.is_source() && !registry(object);
            !(object.is_helm_release() || of_source || to_fill)
        }
        Until::Filled(asked) => object.kind == "Secret" && keys(object).as_ref() == Some(asked),
        Until::Artifact { commit } => {
            let pinned = object.value.text_at(&["spec", "ref", "commit"]);
            object.is_source() && !registry(object) && pinned == commit.as_deref()
        }
        Until::Released(release) => {
            if !deletions(object, release) {
                broken(Rule::Deletions);
            }
            object.is_helm_release() && released(object, release)
        }
    };
    if !right {
        broken(Rule::Awaited);
    }
    let protection = match (
        object.is_helm_release(),
        object.annotation(PROTECTED_ANNOTATION),
    ) {
        (true, Some("continue")) => OnFailure::PassOver,
        (true, Some("stop")) => OnFailure::Refuse,
        (true, _) | (false, _) => OnFailure::Stop,
    };
    if protection != *on_failure {
        broken(Rule::Protection);
    }
}

/// The keys that a Secret without content asks for.
fn keys(object: &Object) -> Option<Vec<Text>> {
    let written = object.annotation(KEYS_ANNOTATION)?;
    let keys = written.split(',').map(|key| Text::from(key.trim()));
    Some(keys.filter(|key| !key.is_empty()).collect())
}

fn released(object: &Object, release: &Release) -> bool {
    let Release {
        name,
        storage,
        namespace,
        gates,
        pre_deletes: _,
        tested,
        unresolved,
    } = release;
    let spec = |field: &str| object.value.text_at(&["spec", field]);
    let home = object.namespace.as_deref().unwrap_or_default();
    let target = spec("targetNamespace");
    let default_name = match target {
        Some(target) => format!("{target}-{}", object.name),
        None => object.name.to_string(),
    };
    let named = name == spec("releaseName").unwrap_or(&default_name);
    let stored = storage == spec("storageNamespace").unwrap_or(home);
    let placed = namespace == target.unwrap_or(home);
    let asked = object
        .annotation(GATES_ANNOTATION)
        .and_then(|text| gate::annotation::read(text, namespace).ok());
    let enabled = object.value.is_true_at(&["spec", "test", "enable"]);
    named
        && stored
        && placed
        && asked.as_ref() == Some(gates)
        && enabled == *tested
        && object.annotation(UNRESOLVED_ANNOTATION) == unresolved.as_deref()
}

/// Whether exactly what the release asks for is deleted. No kind but Jobs, CronJobs and pods has a word in the
/// annotation, and none is looked for outside of the release's namespace.
fn deletions(object: &Object, release: &Release) -> bool {
    let asked = match object.annotation(PRE_DELETE_ANNOTATION) {
        None => Some(Vec::new()),
        Some(text) => deletion::annotation::read(text).ok(),
    };
    let kinds = release.pre_deletes.iter().map(|deletion| deletion.kind);
    let known = |kind: gate::Deleted| {
        matches!(
            (kind.api_version(), kind.kind_name()),
            ("batch/v1", "Job" | "CronJob") | ("v1", "Pod")
        )
    };
    asked.as_ref() == Some(&release.pre_deletes) && kinds.into_iter().all(known)
}
