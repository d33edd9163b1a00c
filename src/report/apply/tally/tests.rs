use super::*;
use crate::flux::Object;
use crate::rollout::{OnFailure, Part, Stage, Step, Until};
use crate::value::Value;

fn object(name: &str) -> Object {
    let text = format!(
        r#"{{"apiVersion":"helm.toolkit.fluxcd.io/v2","kind":"HelmRelease","metadata":{{"name":"{name}","namespace":"town"}}}}"#
    );
    Object::from_value(Value::from_json(text.as_bytes()).unwrap()).unwrap()
}

/// Stages with these parts, each a step.
fn rollout(stages: &[&[&str]]) -> Rollout {
    let stages = stages.iter().enumerate().map(|(number, parts)| Stage {
        number,
        name: format!("g{number}").into(),
        steps: (1..)
            .zip(*parts)
            .map(|(number, name)| Step {
                number,
                parts: vec![Part {
                    object: object(name),
                    until: Until::Applied,
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

/// Tells moments of parts, a second each.
fn told(tally: &mut Tally, rollout: &Rollout, moments: &[(&str, Moment)], from: u64) {
    for (second, (name, moment)) in (from..).zip(moments) {
        let mut parts = rollout.parts();
        let (stage, step, part) = parts
            .find(|(_, _, part)| part.object.name == *name)
            .unwrap();
        let event = Event::Part {
            part: part.id(stage, step),
            moment: moment.clone(),
        };
        tally.event(at(second), &event);
    }
}

fn about() -> Begin {
    Begin {
        site: "worked".into(),
        rollout: "sha256:0".into(),
        cluster: "1111".into(),
        server: "https://127.0.0.1:6443".into(),
        holder: "somebody@here/1".into(),
        program: "0.0.0".into(),
        failed_before: Vec::new(),
    }
}

fn closing(about: &Begin, end: End) -> Closing<'_> {
    Closing {
        about,
        run: "r1".into(),
        resumed: true,
        began: "2026-11-28T12:00:00.000Z".into(),
        ended: "2026-11-28T12:01:40.000Z".into(),
        took: at(100),
        end,
        resume: Some("armada2flux apply --resume".to_owned()),
    }
}

fn gate(gate: usize) -> Moment {
    Moment::Gate {
        gate,
        of: 2,
        why: "2 of 3 pods".into(),
    }
}

fn finished(outcome: Finish) -> Moment {
    Moment::Finished(outcome)
}

fn failed() -> Moment {
    finished(Finish::Failed {
        reason: "no pod".into(),
    })
}

#[test]
fn a_run_is_told_part_by_part() {
    let rollout = rollout(&[&["before"], &["db", "web", "old"], &["late"]]);
    let mut tally = Tally::new(&rollout, |part| part.name == "before");
    let begins = Event::StageBegins {
        stage: 1,
        name: "g1".into(),
        parts: 3,
    };
    tally.event(at(10), &begins);
    let why = "Fulfilling prerequisites".into();
    let moments = [
        ("db", Moment::Asking),
        ("db", Moment::Deleting { objects: 2 }),
        ("db", Moment::Writing),
        ("db", Moment::Reconciling { why }),
        ("db", gate(1)),
        ("db", gate(1)),
        ("db", gate(2)),
        ("db", finished(Finish::Applied)),
        ("old", finished(Finish::PassedOver)),
        ("web", gate(1)),
        ("web", failed()),
    ];
    told(&mut tally, &rollout, &moments, 10);
    let report = tally.report(closing(&about(), End::Failed));
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
            ("not-begun", None)
        ]
    );
    let summary = Summary {
        parts: 5,
        applied: 1,
        unchanged: 0,
        earlier: 1,
        passed_over: 1,
        failed: 1,
        unfinished: 0,
        not_begun: 1,
        deleted: 2,
    };
    assert_eq!(report.summary, summary);
    let [db, web, old] = &report.stages[1].parts[..] else {
        panic!("{:?}", report.stages);
    };
    assert_eq!(
        (db.outcome.word(), db.step, db.seconds, db.deleted),
        ("applied", 1, Some(7.0), 2)
    );
    let gates = |part: &apply::Part| -> Vec<(usize, f64, bool)> {
        part.gates
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
        Some("`kubectl describe helmrelease web -n town` tells more")
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
        let begins = Event::StageBegins {
            stage,
            name: "g".into(),
            parts: 1,
        };
        tally.event(at(stage as u64 * 10), &begins);
        if stage == 0 {
            told(
                &mut tally,
                &rollout,
                &[("db", finished(Finish::Unchanged))],
                1,
            );
            tally.event(at(5), &Event::StageEnds { stage });
        }
    }
    told(
        &mut tally,
        &rollout,
        &[("web", Moment::Writing), ("web", gate(2))],
        20,
    );
    let message = "busy".into();
    tally.event(at(30), &Event::Trouble { message });
    let report = tally.report(closing(&about(), End::Interrupted));
    let outcomes: Vec<&str> = report
        .stages
        .iter()
        .map(|stage| stage.outcome.word())
        .collect();
    assert_eq!(outcomes, ["done", "unfinished"]);
    assert_eq!(report.stages[0].seconds, Some(5.0));
    let web = &report.stages[1].parts[0];
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
