//! Proves a rollout sound before anything is done with it.
//!
//! The rules stand here a second time, read from the objects anew, so that a mistake of [`super::assemble()`] is found
//! here. Both share only the readers of objects ([`crate::flux`]) and of the two annotations ([`gate::annotation`],
//! [`deletion::annotation`]). What the checker finds is a bug of this program, never a mistake of the user.

mod references;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use crate::flux::object::title;
use crate::flux::{
    GATES_ANNOTATION, KEYS_ANNOTATION, Object, ObjectKey, ObjectSet, PRE_DELETE_ANNOTATION,
    PROTECTED_ANNOTATION, STAGE_ANNOTATION, STEP_ANNOTATION, UNRESOLVED_ANNOTATION,
};
use crate::gate::{self, deletion};
use crate::value::{Text, Value};

use super::{DoneWhen, Item, OnFailure, PREPARATION, Release, Rollout};

/// A rule that a rollout breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The object, or the stage or step.
    pub about: Text,
    /// The rule that is broken.
    pub rule: Rule,
    /// What shows it: the other object, or where it stands; `None` where the rule says it all.
    pub evidence: Option<Text>,
}

impl Flaw {
    fn new(about: impl Into<Text>, rule: Rule) -> Self {
        Self {
            about: about.into(),
            rule,
            evidence: None,
        }
    }

    fn with(about: impl Into<Text>, rule: Rule, evidence: impl Into<Text>) -> Self {
        Self {
            evidence: Some(evidence.into()),
            ..Self::new(about, rule)
        }
    }
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
            Rule::Once => "appears more than once",
            Rule::AsInTheInput => "differs from the input",
            Rule::OneSite => "does not belong to the site",
            Rule::Ascending => "is out of order, or empty",
            Rule::InPlace => "is not in the step that its annotations name",
            Rule::Prepared => "comes before something that it refers to",
            Rule::DependenciesFirst => "comes before a release that it depends on",
            Rule::Limited => "has no time limit",
            Rule::Running => "would be sent suspended",
            Rule::Awaited => "has a wait that differs from its annotations",
            Rule::Deletions => "has deletions that differ from its annotations",
            Rule::Protection => "is protected differently than its annotation says",
        })
    }
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            about,
            rule,
            evidence,
        } = self;
        write!(f, "{about} {rule}")?;
        match evidence {
            Some(evidence) => write!(f, ": {evidence}"),
            None => Ok(()),
        }
    }
}

/// Where an item stands: stage and step.
type Place = (usize, usize);

/// All rules that the rollout of these objects breaks; none for a sound one.
#[must_use]
pub fn check(rollout: &Rollout, set: &ObjectSet) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    order(rollout, &mut flaws);
    let places = members(rollout, set, &mut flaws);
    for (stage, step, item) in rollout.items() {
        let place = (stage.number, step.number);
        let title = item.object.title();
        if !in_place(&item.object, place) {
            flaws.push(Flaw::with(&*title, Rule::InPlace, shown(place)));
        }
        if !of_site(&item.object, &rollout.site) {
            flaws.push(Flaw::with(&*title, Rule::OneSite, &*rollout.site));
        }
        if item.timeout <= 0 {
            let limit = item.timeout.to_string();
            flaws.push(Flaw::with(&*title, Rule::Limited, limit));
        }
        for (rule, needed) in [
            (Rule::Prepared, references::prepared(&item.object)),
            (
                Rule::DependenciesFirst,
                references::dependencies(&item.object),
            ),
        ] {
            let late = needed.iter().filter_map(|key| {
                let other = places.get(key).filter(|other| **other >= place)?;
                let needed = title_of(key);
                let evidence = format!("{needed} in {}, itself in {}", shown(*other), shown(place));
                Some(Flaw::with(&*title, rule, evidence))
            });
            flaws.extend(late);
        }
        awaited(item, &mut |rule| flaws.push(Flaw::new(&*title, rule)));
    }
    flaws
}

fn shown((stage, step): Place) -> String {
    format!("step {step} of stage {stage}")
}

fn title_of(key: &ObjectKey) -> String {
    title(&key.kind, key.namespace.as_deref(), &key.name)
}

fn order(rollout: &Rollout, flaws: &mut Vec<Flaw>) {
    let mut wrong = |about: String, evidence: String| {
        flaws.push(Flaw::with(about, Rule::Ascending, evidence));
    };
    for pair in rollout.stages.windows(2) {
        let (before, number) = (pair[0].number, pair[1].number);
        if before >= number {
            wrong(format!("stage {number}"), format!("after stage {before}"));
        }
    }
    for stage in &rollout.stages {
        if stage.steps.is_empty() {
            wrong(format!("stage {}", stage.number), "no steps".to_owned());
        }
        for pair in stage.steps.windows(2) {
            let (before, number) = (pair[0].number, pair[1].number);
            if before >= number {
                let place = shown((stage.number, number));
                wrong(place, format!("after step {before}"));
            }
        }
        for step in &stage.steps {
            if step.items.is_empty() || step.number == 0 {
                let place = shown((stage.number, step.number));
                wrong(place, format!("{} objects", step.items.len()));
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
    for (stage, step, item) in rollout.items() {
        let object = &item.object;
        let place = (stage.number, step.number);
        if let Some(other) = places.insert(object.key(), place) {
            let evidence = format!("in {} and in {}", shown(other), shown(place));
            flaws.push(Flaw::with(object.title(), Rule::Once, evidence));
        }
        let same = input.get(&object.key()).is_some_and(|wanted| {
            wanted.api_version == object.api_version && same_but_suspend(wanted, object)
        });
        if !same {
            flaws.push(Flaw::new(object.title(), Rule::AsInTheInput));
        }
        if object.is_helm_release() && object.value.at(&["spec", "suspend"]).is_some() {
            flaws.push(Flaw::new(object.title(), Rule::Running));
        }
    }
    let missing = set
        .iter()
        .filter(|object| !places.contains_key(&object.key()));
    flaws.extend(missing.map(|object| Flaw::new(object.title(), Rule::Complete)));
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
    let fields = |object: &Object| {
        let whole = object.value.as_mapping().map(|whole| whole.entries());
        let whole = whole.unwrap_or_default().iter();
        let mut fields: BTreeMap<(Text, Option<Text>), Value> = BTreeMap::new();
        for entry in whole {
            match (&*entry.key, entry.value.as_mapping()) {
                ("spec", Some(spec)) => {
                    for field in spec.entries().iter().filter(|f| f.key != "suspend") {
                        let key = (entry.key.clone(), Some(field.key.clone()));
                        fields.insert(key, field.value.clone());
                    }
                }
                _ => {
                    fields.insert((entry.key.clone(), None), entry.value.clone());
                }
            }
        }
        fields
    };
    fields(one) == fields(other)
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

fn awaited(item: &Item, broken: &mut impl FnMut(Rule)) {
    let Item {
        object,
        done_when,
        timeout: _,
        on_failure,
    } = item;
    let right = match done_when {
        DoneWhen::Applied => {
            let to_fill = object.kind == "Secret" && keys(object).is_some();
            let of_source = object.is_source() && !registry(object);
            !(object.is_helm_release() || of_source || to_fill)
        }
        DoneWhen::KeysFilled(asked) => {
            object.kind == "Secret" && keys(object).as_ref() == Some(asked)
        }
        DoneWhen::ArtifactReady { commit } => {
            let pinned = object.value.text_at(&["spec", "ref", "commit"]);
            object.is_source() && !registry(object) && pinned == commit.as_deref()
        }
        DoneWhen::ReleaseReady(release) => {
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
        (true, Some("continue")) => OnFailure::Skip,
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
