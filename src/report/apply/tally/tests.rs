use super::*;
use crate::flux::Object;
use crate::rollout::{DoneWhen, Item, OnFailure, Stage, Step};
use crate::value::Value;

fn object(name: &str) -> Object {
    let text = format!(
        r#"{{"apiVersion":"helm.toolkit.fluxcd.io/v2","kind":"HelmRelease","metadata":{{"name":"{name}","namespace":"town"}}}}"#
    );
    Object::from_value(Value::from_json(text.as_bytes()).unwrap()).unwrap()
}

/// Stages with these items, each a step.
fn rollout(stages: &[&[&str]]) -> Rollout {
    let stages = stages.iter().enumerate().map(|(number, items)| Stage {
        number,
        name: format!("g{number}").into(),
        steps: (1..)
            .zip(*items)
            .map(|(number, name)| Step {
                number,
                items: vec![Item {
                    object: object(name),
                    done_when: DoneWhen::Applied,
                    timeout: 1,
                    on_failure: OnFailure::Stop,
                }],
            })
            .collect(),
    });
    Rollout {
        site: "worked".into(),
        stages: stages.collect(),
    }
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Tells states of items, a second each.
fn told(tally: &mut Tally, rollout: &Rollout, states: &[(&str, ItemState)], from: u64) {
    for (second, (name, state)) in (from..).zip(states) {
        let mut items = rollout.items();
        let (stage, step, item) = items
            .find(|(_, _, item)| item.object.name == *name)
            .unwrap();
        let event = Event::Item {
            item: item.id(stage, step),
            state: state.clone(),
        };
        tally.event(at(second), &event);
    }
}

fn info() -> RunInfo {
    RunInfo {
        site: "worked".into(),
        rollout: "sha256:0".into(),
        cluster: "1111".into(),
        server: "https://127.0.0.1:6443".into(),
        holder: "somebody@here/1".into(),
        program: "0.0.0".into(),
        failed_before: Vec::new(),
    }
}

fn closing(info: &RunInfo, end: RunEnd) -> Closing<'_> {
    Closing {
        info,
        run: "r1".into(),
        resumed: true,
        started: "2026-11-28T12:00:00.000Z".into(),
        finished: "2026-11-28T12:01:40.000Z".into(),
        took: at(100),
        end,
        resume: Some("armada2flux apply --resume".to_owned()),
    }
}

fn gate(gate: usize) -> ItemState {
    ItemState::Gate {
        gate,
        of: 2,
        why: "2 of 3 pods".into(),
    }
}

fn finished(outcome: ItemOutcome) -> ItemState {
    ItemState::Finished(outcome)
}

fn failed() -> ItemState {
    finished(ItemOutcome::Failed {
        reason: "no pod".into(),
    })
}

#[test]
fn a_run_is_told_part_by_part() {
    let rollout = rollout(&[&["before"], &["db", "web", "old"], &["late"]]);
    let mut tally = Tally::new(&rollout, |item| item.name == "before");
    let started = Event::StageStarted {
        stage: 1,
        name: "g1".into(),
        objects: 3,
    };
    tally.event(at(10), &started);
    let why = "Fulfilling prerequisites".into();
    let states = [
        ("db", ItemState::DryRun),
        ("db", ItemState::Deleting { objects: 2 }),
        ("db", ItemState::Writing),
        ("db", ItemState::Reconciling { why }),
        ("db", gate(1)),
        ("db", gate(1)),
        ("db", gate(2)),
        ("db", finished(ItemOutcome::Applied)),
        ("old", finished(ItemOutcome::Skipped)),
        ("web", gate(1)),
        ("web", failed()),
    ];
    told(&mut tally, &rollout, &states, 10);
    let report = tally.report(closing(&info(), RunEnd::Failed));
    let stages: Vec<(&str, Option<f64>)> = report
        .stages
        .iter()
        .map(|stage| (stage.outcome.word(), stage.seconds))
        .collect();
    assert_eq!(
        stages,
        [
            ("earlier", None),
            ("failed", Some(90.0)),
            ("not-started", None)
        ]
    );
    let summary = Summary {
        objects: 5,
        applied: 1,
        unchanged: 0,
        earlier: 1,
        skipped: 1,
        failed: 1,
        unfinished: 0,
        not_started: 1,
        deleted: 2,
    };
    assert_eq!(report.summary, summary);
    let [db, web, old] = &report.stages[1].objects[..] else {
        panic!("{:?}", report.stages);
    };
    assert_eq!(
        (db.outcome.word(), db.step, db.seconds, db.deleted),
        ("applied", 1, Some(7.0), 2)
    );
    let gates = |item: &apply::Object| -> Vec<(usize, f64, bool)> {
        item.gates
            .iter()
            .map(|gate| (gate.gate, gate.seconds, gate.open))
            .collect()
    };
    assert_eq!(gates(db), [(1, 2.0, true), (2, 1.0, true)]);
    assert_eq!((&db.reason, &db.hint), (&None, &None));
    assert_eq!(gates(web), [(1, 1.0, false)]);
    assert_eq!(web.reason.as_deref(), Some("no pod"));
    assert_eq!(
        web.hint.as_deref(),
        Some("run `kubectl describe helmrelease web -n town`")
    );
    assert!(old.reason.as_deref().unwrap().contains("protected"));
    assert_eq!(
        (report.outcome.word(), report.seconds, report.resumed),
        ("failed", 100.0, true)
    );
}

#[test]
fn what_is_cut_short_says_what_it_waited_for() {
    let rollout = rollout(&[&["db"], &["web"]]);
    let mut tally = Tally::new(&rollout, |_| false);
    for stage in 0..2 {
        let started = Event::StageStarted {
            stage,
            name: "g".into(),
            objects: 1,
        };
        tally.event(at(stage as u64 * 10), &started);
        if stage == 0 {
            told(
                &mut tally,
                &rollout,
                &[("db", finished(ItemOutcome::Unchanged))],
                1,
            );
            tally.event(at(5), &Event::StageFinished { stage });
        }
    }
    told(
        &mut tally,
        &rollout,
        &[("web", ItemState::Writing), ("web", gate(2))],
        20,
    );
    let message = "busy".into();
    tally.event(at(30), &Event::Warning { message });
    let report = tally.report(closing(&info(), RunEnd::Interrupted));
    let outcomes: Vec<&str> = report
        .stages
        .iter()
        .map(|stage| stage.outcome.word())
        .collect();
    assert_eq!(outcomes, ["done", "unfinished"]);
    assert_eq!(report.stages[0].seconds, Some(5.0));
    let web = &report.stages[1].objects[0];
    assert_eq!(
        (web.outcome.word(), web.reason.as_deref()),
        ("unfinished", Some("2 of 3 pods"))
    );
    assert_eq!(
        (web.seconds, web.gates[0].open, web.gates[0].seconds),
        (Some(80.0), false, 79.0)
    );
    assert_eq!(report.outcome.word(), "interrupted");
}
