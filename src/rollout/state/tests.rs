use super::*;
use crate::rollout::journal::{Chain, Entry, FORMAT, Journal, Line, RunInfo};
use crate::rollout::{DoneWhen, Item, OnFailure, Stage, Step};

fn object(name: &str) -> Object {
    let text = format!(
        r#"{{"apiVersion":"helm.toolkit.fluxcd.io/v2","kind":"HelmRelease",
            "metadata":{{"name":"{name}","namespace":"town"}},"spec":{{"values":{{"password":"hunter2"}}}}}}"#
    );
    Object::from_value(Value::from_json(text.as_bytes()).unwrap()).unwrap()
}

/// Stages of so many steps of two items.
fn rollout(stages: &[usize], name: &str) -> Rollout {
    let step = |stage: usize, step: usize| Step {
        number: step,
        items: (0..2)
            .map(|item| Item {
                object: object(&format!("r{stage}-{step}-{item}")),
                done_when: DoneWhen::Applied,
                timeout: 1,
                on_failure: OnFailure::Stop,
            })
            .collect(),
    };
    let stages = stages.iter().enumerate().map(|(number, steps)| Stage {
        number,
        name: name.into(),
        steps: (1..=*steps).map(|number_| step(number, number_)).collect(),
    });
    Rollout {
        site: "worked".into(),
        stages: stages.collect(),
    }
}

/// A run in which the first items came to these.
fn journal(rollout: &Rollout, outcomes: &[Option<ItemOutcome>]) -> journal::RunRecord {
    let begin = Entry::RunStarted(RunInfo {
        site: "worked".into(),
        rollout: "sha256:1".into(),
        cluster: "1111".into(),
        server: "https://127.0.0.1:6443".into(),
        holder: "me".into(),
        program: "0.1.0".into(),
        failed_before: Vec::new(),
    });
    let items = rollout
        .items()
        .map(|(stage, step, item)| item.id(stage, step));
    let finished = items.zip(outcomes).map(|(item, outcome)| match outcome {
        Some(outcome) => Entry::ItemFinished {
            item,
            outcome: outcome.clone(),
        },
        None => Entry::Intent {
            item,
            request: journal::Write::Apply,
        },
    });
    let mut chain = Chain::default();
    let text: Vec<u8> = [begin]
        .into_iter()
        .chain(finished)
        .flat_map(|entry| {
            let line = Line {
                version: FORMAT,
                at: "2026-11-28T12:00:00.000Z".into(),
                run: "r1".into(),
                entry,
            };
            chain.seal(&line).unwrap()
        })
        .collect();
    Journal::read(&text).unwrap().last.unwrap()
}

fn failed() -> Option<ItemOutcome> {
    Some(ItemOutcome::Failed {
        reason: "hunter2".into(),
    })
}

#[test]
fn steps_are_counted_and_read_back() {
    use RunStatus::{Done, Failed, Started, Waiting};
    let rollout = rollout(&[1, 3, 1], "g");
    let outcomes = [
        Some(ItemOutcome::Unchanged),
        Some(ItemOutcome::Skipped),
        Some(ItemOutcome::Applied),
        failed(),
        None,
    ];
    let state = RunState::new(&rollout, &journal(&rollout, &outcomes));
    let stages: Vec<RunStatus> = state.stages.iter().map(|stage| stage.state).collect();
    assert_eq!(stages, [Done, Failed, Waiting]);
    let steps: Vec<RunStatus> = state.stages[1]
        .steps
        .iter()
        .map(|step| step.state)
        .collect();
    assert_eq!(steps, [Failed, Started, Waiting]);
    let total = Counts {
        all: 10,
        done: 2,
        skipped: 1,
        failed: 1,
        started: 1,
    };
    assert_eq!(state.total, total);

    let object = state.object("flux-system");
    assert_eq!(object.title(), "ConfigMap flux-system/armada2flux-worked");
    let label = object.label(STATE_LABEL);
    assert_eq!(label, Some("worked"));
    assert_eq!(RunState::read(&object.value), Ok(state));
    let text = crate::emit::to_json(&object.value, crate::emit::View::Clear);
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn any_rollout_fits() {
    for (stages, name, steps_kept) in [
        (vec![2000; 9], "g", false),
        (vec![1; 1500], &*"g".repeat(1000), false),
        (vec![100; 50], "g", true),
    ] {
        let rollout = rollout(&stages, name);
        let finished = stages[0] * 2;
        let state = RunState::new(
            &rollout,
            &journal(&rollout, &vec![Some(ItemOutcome::Applied); finished]),
        );
        let object = state.object("flux-system");
        let text = object
            .value
            .at(&["data", KEY])
            .and_then(Value::as_str)
            .unwrap();
        assert!(text.len() <= MAX_BYTES, "{}", text.len());
        let read = RunState::read(&object.value).unwrap();
        assert_eq!(read.left_out == 0, steps_kept);
        assert_eq!(read.total, state.total);
        let steps: usize = state.stages.iter().map(|stage| stage.steps.len()).sum();
        let kept: usize = read.stages.iter().map(|stage| stage.steps.len()).sum();
        let stages = state.stages.len() - read.stages.len();
        assert_eq!(read.left_out, steps - kept + stages);
    }
}

#[test]
fn other_content_is_refused() {
    let read = |text: &str| {
        let data: Mapping = [(KEY, text)].into_iter().collect();
        let object: Mapping = [("data", data)].into_iter().collect();
        RunState::read(&object.into())
    };
    assert_eq!(
        read(r#"{"version":2,"more":1}"#),
        Err(StateError::Version(2))
    );
    assert_eq!(read(r#"{"version":1}"#), Err(StateError::Unreadable));
    assert_eq!(read("no"), Err(StateError::Unreadable));
    assert_eq!(RunState::read(&Value::null()), Err(StateError::Unreadable));
}

#[test]
fn sites_have_names_of_their_own() {
    assert_eq!(name("worked"), "armada2flux-worked");
    let names = ["A_b", "a-b", "a.b", "a_b"].map(name);
    for (at, one) in names.iter().enumerate() {
        assert!(
            one.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "{one}"
        );
        assert!(!names[at + 1..].contains(one), "{one}");
    }
    assert_eq!(name(&"x".repeat(400)).len(), MAX_NAME);
}
