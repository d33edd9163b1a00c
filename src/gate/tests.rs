//! Both readers of a gate agree, and written gates are read back unchanged.

use std::sync::Arc;

use ::cel::extractors::This;
use ::cel::{Context, Program};
use proptest::prelude::*;
use serde::Deserialize as _;
use serde_json::{Value as Json, json};

use super::health::{Waiting, checks};
use super::testing::{HOOK, objects};
use super::*;

fn value(json: &Json) -> Value {
    Value::deserialize(json).unwrap()
}

/// Evaluates a rule in a CEL engine; an error counts as false, as in Flux.
fn engine(rule: &Rule, object: &Json) -> bool {
    let text = rule.cel();
    let program = Program::compile(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let mut context = Context::default();
    // Of CEL's extension for strings, which Flux and Kubernetes have and this engine has not.
    let replace = |This(text): This<Arc<String>>, old: Arc<String>, new: Arc<String>| {
        text.replace(old.as_str(), &new)
    };
    context
        .add_function("replace", replace)
        .expect("a new name");
    for root in ["metadata", "spec", "status"] {
        if let Some(part) = object.get(root) {
            context.add_variable(root, part.clone()).expect("a value");
        }
    }
    match program.execute(&context) {
        Ok(::cel::Value::Bool(holds)) => holds,
        Ok(other) => panic!("{text} is {other:?}"),
        Err(_) => false,
    }
}

fn kinds() -> impl Strategy<Value = WaitKind> {
    prop::sample::select(WaitKind::ALL.to_vec())
}

fn min_readies() -> impl Strategy<Value = MinReady> {
    prop_oneof![
        (-1_i64..=4).prop_map(MinReady::Count),
        prop::sample::select(vec![0, 7, 28, 33, 50, 55, 66, 67, 100, 150, -10])
            .prop_map(MinReady::Percent),
    ]
}

fn selectors() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "app=a",
        "app=a,tier=x",
        "app!=a",
        "app in (a,b)",
        "app notin (a)",
        "tier",
        "!tier",
        "app=b c",
    ])
}

prop_compose! {
    fn gate_of(kinds: impl Strategy<Value = WaitKind>)(
        kind in kinds,
        selector in selectors(),
        required: bool,
        min_ready in min_readies(),
        allow: bool,
        second: bool,
    ) -> Gate {
        let mut spec = Spec::new(kind, selector.into(), required);
        spec.min_ready = spec.min_ready.map(|_| min_ready);
        spec.allow_async_updates = spec.allow_async_updates.map(|_| allow);
        let version = if second { Version::V2 } else { Version::V1 };
        Gate::new(spec, "demo".into(), version)
    }
}

fn waitings() -> impl Strategy<Value = Waiting> {
    let all = vec![Waiting::OfHelm3, Waiting::OfHelm4, Waiting::OfGates];
    prop::sample::select(all)
}

fn gates_and_objects() -> impl Strategy<Value = (Vec<Gate>, Json)> {
    kinds().prop_flat_map(|kind| {
        let gates = prop::collection::vec(gate_of(Just(kind)), 1..4);
        (gates, objects(kind.api_version(), kind.kind_name()))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_cel_engine_agrees((gates, object) in gates_and_objects()) {
        let gate = &gates[0];
        let tree = value(&object);
        let state = gate.judge(&tree);
        let counts = matches!(state, State::Ready | State::Waiting(_) | State::Failed(_));
        if object.get("status").is_none() {
            // The engine cannot read below a missing root; neither reader returns ready.
            prop_assert!(state != State::Ready && !engine(&gate.ready(), &object));
            return Ok(());
        }
        let awaited = engine(&gate.awaited(), &object);
        prop_assert_eq!(awaited, counts, "{}", gate.awaited().cel());
        if counts {
            prop_assert_eq!(engine(&gate.ready(), &object), state == State::Ready, "{}", gate.ready().cel());
            let failed = matches!(state, State::Failed(_));
            prop_assert_eq!(engine(&gate.failed(), &object), failed, "{}", gate.failed().cel());
        }
    }

    #[test]
    fn health_checks_are_the_gates((gates, object) in gates_and_objects(), waiting in waitings()) {
        let tree = value(&object);
        for check in checks(&gates, waiting).iter().filter(|check| check.kind == gates[0].spec.kind) {
            let current = engine(&check.current, &object);
            prop_assert_eq!(current, object.get("status").is_some() && check.current.holds(&tree)
                || object.get("status").is_none() && current, "{}", check.current.cel());
            if let Some(failed) = &check.failed {
                prop_assert_eq!(engine(failed, &object), failed.holds(&tree), "{}", failed.cel());
            }
            // Every object that a gate awaits is held back until the gate opens, with and without Helm's wait.
            let open = gates.iter().all(|gate| {
                !matches!(gate.judge(&tree), State::Waiting(_) | State::Failed(_))
            });
            prop_assert!(open || !current, "{}", check.current.cel());
            let hook = tree.at(&["metadata", "annotations", HOOK]).is_some();
            if waiting == Waiting::OfGates && !hook && object.get("status").is_some() {
                prop_assert_eq!(open, current, "{}", check.current.cel());
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back(gates in prop::collection::vec(gate_of(kinds()), 0..5)) {
        let version = Version::V2;
        let gates: Vec<Gate> = gates.into_iter().filter(|gate| gate.version == version).collect();
        let text = annotation::write(&gates, version);
        let back = annotation::read(&text, &"demo".into()).expect("what was written");
        prop_assert_eq!(&back, &gates);
        prop_assert_eq!(annotation::write(&back, version), text);
    }
}

/// Armada's `ceil(total * (percent / 100))`, for every share of every number of pods up to 200.
#[test]
fn shares_round_as_armada_rounds() {
    for total in 0_i64..=200 {
        for percent in 0_i64..=100 {
            let wanted = (total as f64 * (percent as f64 / 100.0)).ceil();
            let rule = Rule::AtLeast(
                Number::Field(&["ready"]),
                Number::Share(&["total"], percent),
            );
            for ready in [wanted - 1.0, wanted] {
                let object = value(&json!({"ready": ready, "total": total}));
                assert_eq!(
                    rule.holds(&object),
                    ready >= wanted,
                    "{percent}% of {total}"
                );
            }
        }
    }
    let of_25 = Rule::AtLeast(Number::Field(&["ready"]), Number::Share(&["total"], 28));
    assert!(!of_25.holds(&value(&json!({"ready": 7, "total": 25}))));
    assert!(of_25.holds(&value(&json!({"ready": 8, "total": 25}))));
}

/// Returns how many pods may be missing: the arithmetic of Helm and Kubernetes, in whole numbers.
fn spared(kind: WaitKind, total: i64, unavailable: i64, surge: i64, in_percent: bool) -> i64 {
    let (down, up) = (|n: i64| n / 100, |n: i64| (n + 99) / 100);
    let share = |n: i64, round: fn(i64) -> i64| if in_percent { round(n * total) } else { n };
    match kind {
        WaitKind::DaemonSet => share(unavailable, up),
        _ if share(unavailable, down) == 0 && share(surge, up) == 0 => 1,
        _ => share(unavailable, down),
    }
}

#[test]
fn helm_3_spares_what_a_rolling_update_may_take_away() {
    let strategy = |unavailable: i64, surge: i64, in_percent: bool| {
        let number = |n: i64| match in_percent {
            true => json!(format!("{n}%")),
            false => json!(n),
        };
        json!({
            "type": "RollingUpdate",
            "rollingUpdate": {"maxUnavailable": number(unavailable), "maxSurge": number(surge)},
        })
    };
    for (total, unavailable, surge, in_percent) in (0_i64..=30).flat_map(|total| {
        let numbers = [0, 1, 2, 7, 25, 33, 34, 50, 99, 100];
        let numbers = numbers
            .into_iter()
            .flat_map(|n| [(n, 0, true), (n, 25, true), (n, 0, false), (n, 1, false)]);
        numbers.map(move |(unavailable, surge, in_percent)| (total, unavailable, surge, in_percent))
    }) {
        let strategy = strategy(unavailable, surge, in_percent);
        for kind in [WaitKind::Deployment, WaitKind::DaemonSet] {
            let rule = Rule::All(helm::three(kind));
            let spared = spared(kind, total, unavailable, surge, in_percent);
            for ready in 0..=total {
                let object = json!({
                    "metadata": {"generation": 1},
                    "spec": {"replicas": total, "strategy": strategy, "updateStrategy": strategy},
                    "status": {
                        "observedGeneration": 1,
                        "replicas": total, "updatedReplicas": total, "readyReplicas": ready,
                        "desiredNumberScheduled": total, "updatedNumberScheduled": total,
                        "numberReady": ready,
                    },
                });
                let wanted = ready >= total - spared;
                assert_eq!(rule.holds(&value(&object)), wanted, "{kind} {object}");
            }
        }
    }
}

#[test]
fn an_annotation_of_another_version_is_refused() {
    let read =
        |text: &str| annotation::read(text, &"demo".into()).map_err(|error| error.to_string());
    let newer = r#"{"version":2,"anything":[]}"#;
    assert!(read(newer).is_err_and(|error| error.contains("format 2")));
    for wrong in [
        "",
        "[]",
        r#"{"version":1,"chart":"v3","waits":[]}"#,
        r#"{"version":1,"chart":"v1","waits":[{"type":"service","labels":"","required":true}]}"#,
        r#"{"version":1,"chart":"v1","waits":[{"type":"job","labels":"","required":true,"min_ready":1}]}"#,
        r#"{"version":1,"chart":"v1","waits":[{"type":"deployment","labels":"","required":true}]}"#,
        r#"{"version":1,"chart":"v1","waits":[{"type":"deployment","labels":"","required":true,"min_ready":"1"}]}"#,
        r#"{"version":1,"chart":"v1","waits":[],"more":1}"#,
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
    assert_eq!(
        read(r#"{"version":1,"chart":"v2","waits":[]}"#),
        Ok(Vec::new())
    );
}

/// Returns the words of a verdict on what a watch shows.
fn watched(gate: &Gate, objects: &[Json], gone: &[Json], began_empty: bool) -> &'static str {
    let (objects, gone): (Vec<Value>, Vec<Value>) = (
        objects.iter().map(value).collect(),
        gone.iter().map(value).collect(),
    );
    let verdict = gate.evaluate_watched(Watched {
        objects: &objects,
        gone: &gone,
        began_empty,
    });
    match verdict {
        Verdict::Ready => "ready",
        Verdict::Waiting(_) => "waiting",
        Verdict::Failed(_) => "failed",
    }
}

#[test]
fn what_is_gone_counts_if_it_was_done() {
    let gate = |version| {
        let spec = Spec::new(WaitKind::Job, "app=a".into(), true);
        Gate::new(spec, "n".into(), version)
    };
    let job = |succeeded: u32| {
        json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": "j", "namespace": "n", "labels": {"app": "a"}},
            "spec": {"completions": 1}, "status": {"succeeded": succeeded},
        })
    };
    let (v1, v2) = (gate(Version::V1), gate(Version::V2));
    let (open, done) = (job(0), job(1));
    for (gate, objects, gone, wanted) in [
        (&v2, vec![], vec![done.clone()], "ready"),
        (&v2, vec![], vec![open.clone()], "waiting"),
        (&v2, vec![open], vec![done.clone()], "waiting"),
        (&v1, vec![], vec![done.clone()], "waiting"),
        (&v1, vec![done], vec![], "ready"),
    ] {
        assert_eq!(
            watched(gate, &objects, &gone, false),
            wanted,
            "{objects:?} {gone:?}"
        );
    }
    assert!(v1.looks_again() && !v2.looks_again());
}

#[test]
fn what_is_left_out_counts_only_if_it_was_there_at_first() {
    let gate = |required| {
        let spec = Spec::new(WaitKind::Pod, "".into(), required);
        Gate::new(spec, "n".into(), Version::V2)
    };
    let owned = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "p", "namespace": "n", "ownerReferences": [{"kind": "ReplicaSet", "name": "r"}]},
    });
    for (required, objects, began_empty, wanted) in [
        (true, vec![owned.clone()], false, "ready"),
        (true, vec![owned.clone()], true, "waiting"),
        (true, vec![], true, "waiting"),
        (false, vec![owned], true, "ready"),
        (false, vec![], true, "ready"),
    ] {
        assert_eq!(
            watched(&gate(required), &objects, &[], began_empty),
            wanted,
            "{required} {objects:?}"
        );
    }
}
