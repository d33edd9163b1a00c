use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;

use super::*;
use crate::flux::{ObjectSet, SITE_LABEL};
use crate::gate::{Deleted, Deletion};
use crate::rollout::testing::{namespace, release as release_at, set, site};
use crate::rollout::{Step, assemble, digest};

/// A change that makes a sound rollout unsound; `None` where there is nothing to change.
type Mutation = fn(&mut Rollout, &Index) -> Option<Rule>;

const MUTATIONS: &[(&str, Mutation)] = &[
    ("swap stages", |rollout, at| {
        let pairs = rollout.stages.len().checked_sub(2)?;
        let at = at.index(pairs + 1);
        rollout.stages.swap(at, at + 1);
        Some(Rule::Ascending)
    }),
    ("swap the contents of stages", |rollout, at| {
        let pairs = rollout.stages.len().checked_sub(2)?;
        let at = at.index(pairs + 1);
        let (front, back) = rollout.stages.split_at_mut(at + 1);
        std::mem::swap(&mut front[at].steps, &mut back[0].steps);
        Some(Rule::InPlace)
    }),
    ("swap steps", |rollout, at| {
        let mut stages = rollout.stages.iter_mut();
        let stage = stages.find(|stage| stage.steps.len() > 1)?;
        let at = at.index(stage.steps.len() - 1);
        stage.steps.swap(at, at + 1);
        Some(Rule::Ascending)
    }),
    ("swap the items of steps", |rollout, at| {
        let prepared = rollout
            .stages
            .iter_mut()
            .find(|s| s.number == PREPARATION)?;
        let at = at.index(prepared.steps.len() - 1);
        let (front, back) = prepared.steps.split_at_mut(at + 1);
        std::mem::swap(&mut front[at].items, &mut back[0].items);
        Some(Rule::Prepared)
    }),
    ("merge two steps", |rollout, at| {
        let mut stages = rollout
            .stages
            .iter_mut()
            .filter(|s| s.number != PREPARATION);
        let stage = stages.find(|stage| stage.steps.len() > 1)?;
        let at = at.index(stage.steps.len() - 1);
        let Step {
            number: _,
            mut items,
        } = stage.steps.remove(at + 1);
        stage.steps[at].items.append(&mut items);
        Some(Rule::DependenciesFirst)
    }),
    ("drop an item", |rollout, at| {
        let step = step(rollout, at);
        step.items.remove(at.index(step.items.len()));
        Some(Rule::Complete)
    }),
    ("drop a stage", |rollout, at| {
        rollout.stages.remove(at.index(rollout.stages.len()));
        Some(Rule::Complete)
    }),
    ("empty a step", |rollout, at| {
        step(rollout, at).items.clear();
        Some(Rule::Ascending)
    }),
    ("repeat an item", |rollout, at| {
        let again = item(rollout, at).clone();
        step(rollout, at).items.push(again);
        Some(Rule::Once)
    }),
    ("of another site", |rollout, at| {
        item(rollout, at).object.set_label(SITE_LABEL, "other");
        Some(Rule::OneSite)
    }),
    ("another site", |rollout, _| {
        rollout.site = "other".into();
        Some(Rule::OneSite)
    }),
    ("no limit", |rollout, at| {
        item(rollout, at).timeout = 0;
        Some(Rule::Limited)
    }),
    ("another name", |rollout, at| {
        item(rollout, at).object.name = "other".into();
        Some(Rule::Complete)
    }),
    ("another field", |rollout, at| {
        item(rollout, at).object.set_annotation("other", "x");
        Some(Rule::AsInTheInput)
    }),
    ("awaited otherwise", |rollout, at| {
        let item = item(rollout, at);
        item.done_when = match item.done_when {
            DoneWhen::Applied => DoneWhen::ArtifactReady { commit: None },
            DoneWhen::KeysFilled(_)
            | DoneWhen::ArtifactReady { .. }
            | DoneWhen::ReleaseReady(_) => DoneWhen::Applied,
        };
        Some(Rule::Awaited)
    }),
    ("another commit", |rollout, at| {
        let commit = find(rollout, at, |item| match &mut item.done_when {
            DoneWhen::ArtifactReady { commit } => Some(commit),
            DoneWhen::Applied | DoneWhen::KeysFilled(_) | DoneWhen::ReleaseReady(_) => None,
        })?;
        *commit = Some("other".into());
        Some(Rule::Awaited)
    }),
    ("suspended", |rollout, at| {
        let object = find(rollout, at, |item| {
            matches!(item.done_when, DoneWhen::ReleaseReady(_)).then_some(&mut item.object)
        })?;
        let spec = object.value.as_mapping_mut()?.get_mut("spec")?;
        spec.as_mapping_mut()?.insert("suspend", true);
        Some(Rule::Running)
    }),
    ("a gate less", |rollout, at| {
        let release = release(rollout, at, |release| !release.gates.is_empty())?;
        release.gates.pop();
        Some(Rule::Awaited)
    }),
    ("tests not awaited", |rollout, at| {
        let release = release(rollout, at, |_| true)?;
        release.tested = !release.tested;
        Some(Rule::Awaited)
    }),
    ("another release", |rollout, at| {
        release(rollout, at, |_| true)?.name = "other".into();
        Some(Rule::Awaited)
    }),
    ("records elsewhere", |rollout, at| {
        release(rollout, at, |_| true)?.storage = "other".into();
        Some(Rule::Awaited)
    }),
    ("gates elsewhere", |rollout, at| {
        release(rollout, at, |_| true)?.namespace = "other".into();
        Some(Rule::Awaited)
    }),
    ("a deletion less", |rollout, at| {
        let release = release(rollout, at, |release| !release.pre_deletes.is_empty())?;
        release.pre_deletes.pop();
        Some(Rule::Deletions)
    }),
    ("everything deleted", |rollout, at| {
        let release = release(rollout, at, |_| true)?;
        release.pre_deletes.push(Deletion {
            kind: Deleted::Pod,
            selector: "".into(),
        });
        Some(Rule::Deletions)
    }),
    ("a selector less", |rollout, at| {
        let release = release(rollout, at, |release| !release.pre_deletes.is_empty())?;
        release.pre_deletes[0].selector = "".into();
        Some(Rule::Deletions)
    }),
    ("protected otherwise", |rollout, at| {
        let item = item(rollout, at);
        item.on_failure = match item.on_failure {
            OnFailure::Stop | OnFailure::Refuse => OnFailure::Skip,
            OnFailure::Skip => OnFailure::Stop,
        };
        Some(Rule::Protection)
    }),
];

fn step<'r>(rollout: &'r mut Rollout, at: &Index) -> &'r mut Step {
    let mut steps: Vec<&mut Step> = rollout
        .stages
        .iter_mut()
        .flat_map(|s| &mut s.steps)
        .collect();
    steps.swap_remove(at.index(steps.len()))
}

fn item<'r>(rollout: &'r mut Rollout, at: &Index) -> &'r mut Item {
    find(rollout, at, Some).expect("there are items")
}

fn find<'r, T>(
    rollout: &'r mut Rollout,
    at: &Index,
    wanted: impl Fn(&'r mut Item) -> Option<T>,
) -> Option<T> {
    let steps = rollout.stages.iter_mut().flat_map(|stage| &mut stage.steps);
    let items = steps.flat_map(|step| &mut step.items);
    let mut found: Vec<T> = items.filter_map(wanted).collect();
    (!found.is_empty()).then(|| found.swap_remove(at.index(found.len())))
}

fn release<'r>(
    rollout: &'r mut Rollout,
    at: &Index,
    wanted: impl Fn(&Release) -> bool,
) -> Option<&'r mut Release> {
    find(rollout, at, |item| match &mut item.done_when {
        DoneWhen::ReleaseReady(release) if wanted(release) => Some(&mut **release),
        DoneWhen::ReleaseReady(_)
        | DoneWhen::Applied
        | DoneWhen::KeysFilled(_)
        | DoneWhen::ArtifactReady { .. } => None,
    })
}

fn sound(set: &ObjectSet) -> Rollout {
    let rollout = assemble(set).expect("no faults");
    assert_eq!(check(&rollout, set), []);
    rollout
}

proptest! {
    #[test]
    fn what_is_built_is_sound(set in site()) {
        let rollout = sound(&set);
        prop_assert_eq!(rollout.items().count(), set.len());
        prop_assert_eq!(digest(&rollout), digest(&sound(&set)));
    }

    #[test]
    fn every_mutation_is_found(set in site(), which in any::<Index>(), at in any::<Index>()) {
        let mut rollout = sound(&set);
        let before = digest(&rollout);
        let (name, mutate) = MUTATIONS[which.index(MUTATIONS.len())];
        if let Some(rule) = mutate(&mut rollout, &at) {
            let flaws = check(&rollout, &set);
            prop_assert!(
                flaws.iter().any(|flaw| flaw.rule == rule),
                "{name}: {flaws:?}"
            );
            if name != "another name" {
                prop_assert_ne!(digest(&rollout), before, "{}", name);
            }
        }
    }
}

#[test]
fn a_flaw_names_both_parties() {
    let set = set([namespace("town"), release_at(1, 1, "web")]);
    let mut rollout = sound(&set);
    rollout.stages[0].number = 9;
    let flaws = check(&rollout, &set);
    let late = flaws.iter().find(|flaw| flaw.rule == Rule::Prepared);
    assert_eq!(
        late.expect("a flaw").to_string(),
        "HelmRelease town/web comes before something that it refers to: \
         Namespace town in step 1 of stage 9, itself in step 1 of stage 1"
    );
}

/// Each of them changes something, at least once.
#[test]
fn every_mutation_has_a_case() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut open: Vec<&str> = MUTATIONS.iter().map(|(name, _)| *name).collect();
    for _ in 0..40 {
        let set = site().new_tree(&mut runner).expect("a site").current();
        let at = any::<Index>()
            .new_tree(&mut runner)
            .expect("a number")
            .current();
        for (name, mutate) in MUTATIONS {
            let mut rollout = sound(&set);
            if mutate(&mut rollout, &at).is_some() {
                open.retain(|other| other != name);
            }
        }
    }
    assert_eq!(open, [""; 0]);
}
