//! Statuses that real controllers wrote, in the order in which a watch showed them (`testdata/readiness/`; helm-controller
//! 1.6.3, source-controller 1.9.4), and statuses that nobody wrote.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::value::Mapping;

fn states(name: &str) -> Vec<Value> {
    let path = format!("testdata/readiness/{name}.json");
    let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let value = Value::from_json(&text).unwrap();
    value.as_sequence().unwrap().to_vec()
}

fn releases() -> Vec<(String, Vec<Value>)> {
    let entries = std::fs::read_dir("testdata/readiness").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names: BTreeSet<String> = names.filter(|name| name.starts_with("release-")).collect();
    let of = |name: String| {
        let states = states(name.trim_end_matches(".json"));
        (name, states)
    };
    names.into_iter().map(of).collect()
}

fn generation(live: &Value) -> i64 {
    ObjectMeta::of(live).generation().unwrap()
}

fn expected(generation: i64) -> Expected {
    Expected {
        generation,
        retried: None,
    }
}

fn short(progress: &Readiness) -> String {
    match progress {
        Readiness::Waiting(why) => format!("waiting: {why}"),
        Readiness::Ready => "ready".to_owned(),
        Readiness::Failed(why) => format!("failed: {why}"),
    }
}

/// What is said of the states one after the other, without repetitions.
fn told(states: &[Value], progress: impl Fn(&Value) -> Readiness) -> Vec<String> {
    let mut told: Vec<String> = states.iter().map(|state| short(&progress(state))).collect();
    told.dedup();
    told
}

/// The same from the first state of the generation on.
fn release_told(name: &str, generation_: i64) -> Vec<String> {
    let mut states = states(&format!("release-{name}"));
    states.retain(|state| generation(state) >= generation_);
    told(&states, |state| release(state, &expected(generation_)))
}

const UNSEEN: &str = "waiting: helm-controller has not observed generation 1 yet";
const UNSEEN_2: &str = "waiting: helm-controller has not observed generation 2 yet";
const PREPARING: &str = "waiting: Fulfilling prerequisites";

fn chart_unready(name: &str) -> String {
    format!(
        "waiting: HelmChart 'ra/ra-{name}' is not ready: latest generation of object has not been reconciled"
    )
}

#[test]
fn an_install_is_ready_at_its_end() {
    let states = states("release-good");
    let first: Vec<Value> = states
        .into_iter()
        .filter(|state| generation(state) == 1)
        .collect();
    let told = told(&first, |state| release(state, &expected(1)));
    let chart = chart_unready("good");
    let install = "waiting: Running 'install' action with timeout of 20s";
    assert_eq!(told, [UNSEEN, PREPARING, &chart, install, UNSEEN, "ready"]);
}

#[test]
fn a_change_without_an_action_of_helm_is_ready_too() {
    assert_eq!(
        release_told("good", 2),
        [UNSEEN_2, PREPARING, UNSEEN_2, "ready"]
    );
    let last = states("release-good").pop().unwrap();
    let history = last
        .at(&["status", "history"])
        .and_then(Value::as_sequence)
        .unwrap();
    assert_eq!(history.len(), 1, "Helm did something");
    // With tests that failed and may.
    assert_eq!(
        release_told("testignored", 2),
        [UNSEEN_2, PREPARING, UNSEEN_2, "ready"]
    );
}

#[test]
fn an_upgrade_is_ready_after_its_tests() {
    let upgrade = "waiting: Running 'upgrade' action with timeout of 20s";
    let test = "waiting: Running 'test' action with timeout of 20s";
    assert_eq!(
        release_told("tested", 2),
        [UNSEEN_2, PREPARING, upgrade, test, UNSEEN_2, "ready"]
    );
}

/// The controller was stopped, the spec changed, and `Ready=True` with a new `observedGeneration` written by hand.
#[test]
fn a_status_written_by_hand_is_not_believed() {
    let by_hand = "waiting: helm-controller has not tried generation 2 yet";
    let upgrade = "waiting: Running 'upgrade' action with timeout of 20s";
    assert_eq!(
        release_told("paused", 2),
        [UNSEEN_2, by_hand, PREPARING, upgrade, "ready"]
    );
}

#[test]
fn failures_say_what_became_of_the_release() {
    let last = |name: &str, generation: i64| release_told(name, generation).pop().unwrap();
    assert_eq!(
        last("rolls", 2),
        "failed: Flux rolled back to revision 1 after a failure: Helm upgrade failed for release ra/rolls \
         with chart probe@0.1.0: context deadline exceeded"
    );
    assert_eq!(
        last("gone", 1),
        "failed: Flux uninstalled the release after a failure: Helm install failed for release ra/gone \
         with chart probe@0.1.0: context deadline exceeded"
    );
    assert_eq!(
        last("testfails", 1),
        "failed: its tests failed (testfails-test): Helm test failed for release ra/testfails.v1 with chart \
         probe@0.1.0: failed early due to stalled resources: [Pod/ra/testfails-test status: 'Failed']"
    );
    assert_eq!(
        last("hookfails", 1),
        "failed: Flux gave up (RetriesExceeded): Helm install failed for release ra/hookfails with chart \
         probe@0.1.0: failed post-install: job hookfails-hook failed: BackoffLimitExceeded"
    );
    assert!(last("cel", 1).starts_with(
        "failed: Flux gave up (InvalidCELExpression): Reconciliation failed terminally"
    ));
}

#[test]
fn what_flux_tries_again_by_itself_is_awaited() {
    assert_eq!(
        release_told("dep", 1),
        [
            UNSEEN,
            PREPARING,
            "waiting: dependency 'ra/dead' is not ready"
        ]
    );
    let last = release_told("badchart", 1).pop().unwrap();
    assert!(
        last.ends_with("no 'probe' chart with version matching '9.9.9' found")
            && last.starts_with("waiting")
    );
    // Between a failure and its end nothing is decided yet.
    let dead = release_told("dead", 1);
    assert!(
        dead[4].starts_with("waiting: Helm install failed"),
        "{dead:?}"
    );
}

#[test]
fn a_stalled_release_is_ready_or_failed_only_after_it_heard_of_the_retry() {
    let states = states("release-dead");
    let last = states.last().unwrap();
    let token = last
        .at(&["status", "lastHandledReconcileAt"])
        .and_then(Value::as_str)
        .unwrap();
    let retried = Expected {
        generation: 1,
        retried: Some(Retried::Release(token.into())),
    };
    // From the first stall on.
    let stalled = states.iter().position(needs_retry).unwrap();
    let told = told(&states[stalled..], |state| release(state, &retried));
    assert_eq!(
        told[..4],
        [
            "waiting: helm-controller has not started the retry yet",
            PREPARING,
            "waiting: Running 'upgrade' action with timeout of 8s",
            "waiting: helm-controller has not started the retry yet",
        ]
    );
    assert!(told[4].starts_with("failed: Flux gave up (RetriesExceeded): Helm upgrade failed"));
    assert_eq!(told.len(), 5);
    let other = Expected {
        generation: 1,
        retried: Some(Retried::Release("another".into())),
    };
    assert!(matches!(release(last, &other), Readiness::Waiting(_)));
    // A stall that comes before the reset is looked at.
    let mut cel = self::states("release-cel").pop().unwrap();
    assert!(matches!(release(&cel, &other), Readiness::Waiting(_)));
    *field(&mut cel, &["status", "lastHandledReconcileAt"]) = "another".into();
    assert!(matches!(release(&cel, &other), Readiness::Failed(_)));
}

#[test]
fn changes_by_others_end_the_wait_and_name_them() {
    let changed = "failed: it was changed during the run by `kubectl-patch`: it is at generation";
    let told = release_told("suspended", 1);
    assert_eq!(
        told[told.len() - 2..],
        [
            format!("{changed} 2, this run wrote 1"),
            format!("{changed} 3, this run wrote 1"),
        ]
    );
    assert_eq!(
        release_told("suspended", 2)[0],
        "failed: it is suspended, so Flux leaves it alone"
    );
    assert_eq!(release_told("suspended", 3).last().unwrap(), "ready");

    let mut live = states("release-good").pop().unwrap();
    *field(&mut live, &["metadata", "managedFields"]) = Vec::new().into();
    assert_eq!(
        short(&release(&live, &expected(1))),
        "failed: it was changed during the run: it is at generation 2, this run wrote 1"
    );
    *field(&mut live, &["metadata", "deletionTimestamp"]) = "2026-11-28T12:00:00Z".into();
    assert_eq!(
        short(&release(&live, &expected(2))),
        "failed: it is being deleted"
    );
}

#[test]
fn what_was_failed_and_what_needs_a_push() {
    let end = |name: &str| {
        let last = states(&format!("release-{name}")).pop().unwrap();
        (failed_before(&last), needs_retry(&last))
    };
    assert_eq!(end("good"), (false, false));
    assert_eq!(end("dead"), (true, true));
    assert_eq!(end("hookfails"), (true, true));
    assert_eq!(end("badvalues"), (true, true));
    // Helm's record is good, or gone.
    assert_eq!(end("testfails"), (false, true));
    assert_eq!(end("rolls"), (false, true));
    assert_eq!(end("gone"), (false, true));
    // Nothing of Helm's yet; Flux tries again by itself.
    assert_eq!(end("badchart"), (false, false));
    assert_eq!(end("dep"), (false, false));
    assert_eq!(end("cel"), (false, true));

    let mut live = states("release-dead").pop().unwrap();
    *field(&mut live, &["spec", "suspend"]) = true.into();
    assert!(suspended(&live) && !needs_retry(&live));
    for (status, failed) in [
        ("pending-upgrade", true),
        ("uninstalled", false),
        ("superseded", true),
    ] {
        *field(newest(&mut live), &["status"]) = status.into();
        assert_eq!(failed_before(&live), failed, "{status}");
    }
}

#[test]
fn artifacts_are_of_their_generation_and_commit() {
    const FIRST: &str = "b52891a2fdbd3518dc5aaa362e6db81bad293cf2";
    const SECOND: &str = "d88c8a73ceb4cb153f2b59a82d9e8c84968b2f1d";
    let pin = states("gitrepository-pin");
    let last = pin.last().unwrap();
    assert_eq!(artifact(last, 2, Some(SECOND)), Readiness::Ready);
    assert_eq!(artifact(last, 2, None), Readiness::Ready);
    assert_eq!(
        short(&artifact(last, 2, Some(FIRST))),
        format!("waiting: its artifact is of sha1:{SECOND}, not of {FIRST}")
    );
    // As soon as the first is ready, and never for the second before it is built.
    let ready: Vec<bool> = pin
        .iter()
        .map(|state| artifact(state, 1, Some(FIRST)) == Readiness::Ready)
        .collect();
    assert_eq!(ready.iter().filter(|ready| **ready).count(), 1);
    for (at, state) in pin.iter().enumerate() {
        let ready = artifact(state, 2, None) == Readiness::Ready;
        assert_eq!(ready, at == pin.len() - 1, "{at}");
    }
    for name in [
        "gitrepository-missing",
        "gitrepository-nowhere",
        "helmrepository-badurl",
    ] {
        for state in states(name) {
            assert!(
                matches!(artifact(&state, 1, None), Readiness::Waiting(_)),
                "{name}"
            );
        }
    }
    let why = told(&states("helmrepository-badurl"), |state| {
        artifact(state, 1, None)
    })
    .pop()
    .unwrap();
    assert!(
        why.starts_with("waiting: failed to fetch Helm repository index"),
        "{why}"
    );
    assert_eq!(
        artifact(states("helmrepository-charts").last().unwrap(), 1, None),
        Readiness::Ready
    );
    assert_eq!(
        artifact(states("helmrepository-oci").last().unwrap(), 1, None),
        Readiness::Ready
    );

    let mut stalled = pin.last().unwrap().clone();
    let condition = |kind: &str, status: &str| -> Value {
        let pairs = [
            ("type", kind),
            ("status", status),
            ("reason", "URLInvalid"),
            ("message", "no\n  such"),
        ];
        Value::from(pairs.into_iter().collect::<Mapping>())
    };
    *field(&mut stalled, &["status", "conditions"]) = vec![condition("Stalled", "True")].into();
    assert_eq!(
        short(&artifact(&stalled, 2, None)),
        "failed: Flux gave up (URLInvalid): no such"
    );
    *field(&mut stalled, &["status", "conditions"]) = vec![condition("Ready", "True")].into();
    *field(&mut stalled, &["status"])
        .as_mapping_mut()
        .unwrap()
        .get_mut("artifact")
        .unwrap() = Mapping::new().into();
    assert_eq!(
        short(&artifact(&stalled, 2, None)),
        "waiting: it has no artifact yet"
    );
}

#[test]
fn cut_commits_and_branches_are_known_in_revisions() {
    assert!(is_of("sha1:b52891a2", "b52891a2"));
    assert!(is_of("main@sha1:b52891a2", "b528"));
    assert!(!is_of("main@sha1:b52891a2", "891a"));
    assert!(!is_of("main@sha1:b52891a2", ""));
    assert!(!is_of("main@sha1:b52891a2", "main"));
}

/// The place under keys, made when it is not there.
fn field<'v>(value: &'v mut Value, path: &[&str]) -> &'v mut Value {
    path.iter().fold(value, |value, key| {
        let mapping = value.as_mapping_mut().unwrap();
        if mapping.get(key).is_none() {
            mapping.insert(*key, Mapping::new());
        }
        mapping.get_mut(key).unwrap()
    })
}

/// The newest entry of the history, which stands first.
fn newest(live: &mut Value) -> &mut Value {
    match &mut field(live, &["status", "history"]).data {
        crate::value::Data::Sequence(history) => &mut history[0],
        _ => panic!("no history"),
    }
}

/// Every state that is ready, with its generation.
fn ready_states() -> Vec<(String, Value)> {
    let mut ready = Vec::new();
    for (name, states) in releases() {
        for state in states {
            if release(&state, &expected(generation(&state))) == Readiness::Ready {
                ready.push((name.clone(), state));
            }
        }
    }
    assert!(ready.len() >= 8, "{}", ready.len());
    ready
}

#[test]
fn a_status_of_an_older_generation_is_never_ready() {
    for (name, states) in releases() {
        for mut state in states {
            let attempted = state.int_at(&["status", "lastAttemptedGeneration"]);
            let next = attempted.unwrap_or(0).max(generation(&state)) + 1;
            // The spec was changed; nobody has looked at it.
            *field(&mut state, &["metadata", "generation"]) = next.into();
            assert_ne!(release(&state, &expected(next)), Readiness::Ready, "{name}");
            // Even if somebody says so by hand, or the controller does so of a suspended one.
            *field(&mut state, &["status", "observedGeneration"]) = next.into();
            assert_ne!(release(&state, &expected(next)), Readiness::Ready, "{name}");
        }
    }
}

#[test]
fn each_field_is_needed() {
    for (name, state) in ready_states() {
        let expected = expected(generation(&state));
        let changes: &[(&[&str], Value)] = &[
            (&["metadata", "generation"], 99_i64.into()),
            (&["metadata", "generation"], 0_i64.into()),
            (&["spec", "suspend"], true.into()),
            (&["status", "observedGeneration"], 0_i64.into()),
            (&["status", "lastAttemptedGeneration"], 0_i64.into()),
            (
                &["status", "lastAttemptedRevision"],
                "0.1.0+0123456789ab".into(),
            ),
            (&["status", "lastAttemptedConfigDigest"], "sha256:00".into()),
            (&["status", "conditions"], Vec::new().into()),
            (&["status", "history"], Vec::new().into()),
            (&["status"], Value::null()),
        ];
        for (path, value) in changes {
            let mut state = state.clone();
            *field(&mut state, path) = value.clone();
            assert_ne!(
                release(&state, &expected),
                Readiness::Ready,
                "{name}: {path:?}"
            );
        }
        for (key, value) in [
            ("status", "failed"),
            ("status", "pending-upgrade"),
            ("chartVersion", "9.9.9"),
            ("configDigest", "sha256:00"),
        ] {
            let mut state = state.clone();
            *field(newest(&mut state), &[key]) = value.into();
            assert_ne!(
                release(&state, &expected),
                Readiness::Ready,
                "{name}: {key}"
            );
        }
        for kind in ["Reconciling", "Stalled"] {
            let mut state = state.clone();
            let pairs = [
                ("type", kind),
                ("status", "True"),
                ("reason", "X"),
                ("message", ""),
            ];
            let condition = Value::from(pairs.into_iter().collect::<Mapping>());
            match &mut field(&mut state, &["status", "conditions"]).data {
                crate::value::Data::Sequence(conditions) => conditions.push(condition),
                _ => panic!("no conditions"),
            }
            assert_ne!(
                release(&state, &expected),
                Readiness::Ready,
                "{name}: {kind}"
            );
        }
        // Tests that are asked for and of which nothing is known.
        let mut untested = state.clone();
        *field(&mut untested, &["spec", "test", "enable"]) = true.into();
        newest(&mut untested)
            .as_mapping_mut()
            .unwrap()
            .entries_mut()
            .retain(|entry| entry.key != "testHooks");
        assert_eq!(
            short(&release(&untested, &expected)),
            "waiting: its tests are not done",
            "{name}"
        );
        // A digest of another algorithm says nothing.
        let mut other = state.clone();
        *field(newest(&mut other), &["configDigest"]) = "sha512:00".into();
        assert_eq!(release(&other, &expected), Readiness::Ready, "{name}");
    }
}

#[test]
fn adopted_releases_need_no_condition_of_their_tests() {
    let mut state = states("release-good").pop().unwrap();
    *field(&mut state, &["spec", "test", "enable"]) = true.into();
    *field(newest(&mut state), &["testHooks"]) = Mapping::new().into();
    assert_eq!(release(&state, &expected(2)), Readiness::Ready);
    let hook: Mapping = [("phase", "Failed")].into_iter().collect();
    *field(newest(&mut state), &["testHooks", "web-test"]) = hook.into();
    assert_ne!(release(&state, &expected(2)), Readiness::Ready);
}

fn generations() -> impl Strategy<Value = Option<i64>> {
    proptest::option::weighted(0.95, 1_i64..4)
}

fn condition() -> impl Strategy<Value = Value> {
    let kinds = [
        "Ready",
        "Reconciling",
        "Stalled",
        "Released",
        "TestSuccess",
        "Remediated",
    ];
    let reasons = [
        "InstallSucceeded",
        "UpgradeFailed",
        "TestFailed",
        "RollbackSucceeded",
        "DependencyNotReady",
        "",
    ];
    (
        proptest::sample::select(kinds.to_vec()),
        proptest::sample::select(&["True", "True", "False", "Unknown"][..]),
        proptest::sample::select(reasons.to_vec()),
        -1_i64..5,
    )
        .prop_map(|(kind, status, reason, observed)| {
            let mut condition: Mapping = [
                ("type", kind),
                ("status", status),
                ("reason", reason),
                ("message", "told"),
            ]
            .into_iter()
            .collect();
            condition.insert("observedGeneration", observed);
            condition.into()
        })
}

fn snapshot() -> impl Strategy<Value = Value> {
    let statuses = [
        "deployed",
        "deployed",
        "failed",
        "superseded",
        "uninstalling",
    ];
    let hooks = proptest::option::of(proptest::option::of(proptest::sample::select(
        &["Succeeded", "Failed", ""][..],
    )));
    (
        1_i64..4,
        proptest::sample::select(statuses.to_vec()),
        "[12]",
        "[ab]",
        hooks,
    )
        .prop_map(|(version, status, chart, digest, hooks)| {
            let mut snapshot: Mapping = [("status", status), ("chartVersion", &chart)]
                .into_iter()
                .collect();
            snapshot.insert("configDigest", format!("sha256:{digest}"));
            snapshot.insert("version", version);
            if let Some(phase) = hooks {
                let hook = |phase| [("phase", phase)].into_iter().collect::<Mapping>();
                let hooks: Mapping = phase
                    .into_iter()
                    .map(|phase| ("test", hook(phase)))
                    .collect();
                snapshot.insert("testHooks", hooks);
            }
            snapshot.into()
        })
}

prop_compose! {
    fn live()(
        generation in generations(),
        observed in generations(),
        attempted in generations(),
        conditions in proptest::collection::vec(condition(), 0..4),
        history in proptest::collection::vec(snapshot(), 0..3),
        revision in "[12]",
        digest in "[ab]",
        tested in any::<bool>(),
        ignored in any::<bool>(),
        handled in "[xy]",
        reset in "[xy]",
    ) -> Value {
        let mut live = Value::from(Mapping::new());
        if let Some(generation) = generation {
            *field(&mut live, &["metadata", "generation"]) = generation.into();
        }
        *field(&mut live, &["spec", "test", "enable"]) = tested.into();
        *field(&mut live, &["spec", "test", "ignoreFailures"]) = ignored.into();
        if let Some(observed) = observed {
            *field(&mut live, &["status", "observedGeneration"]) = observed.into();
        }
        if let Some(attempted) = attempted {
            *field(&mut live, &["status", "lastAttemptedGeneration"]) = attempted.into();
        }
        *field(&mut live, &["status", "lastAttemptedRevision"]) = revision.into();
        *field(&mut live, &["status", "lastAttemptedConfigDigest"]) = format!("sha256:{digest}").into();
        *field(&mut live, &["status", "lastHandledReconcileAt"]) = handled.into();
        *field(&mut live, &["status", "lastHandledResetAt"]) = reset.into();
        *field(&mut live, &["status", "conditions"]) = conditions.into();
        *field(&mut live, &["status", "history"]) = history.into();
        live
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    /// Whatever the status: what is ready is of this generation throughout, and what is at work is not.
    #[test]
    fn only_this_generation_is_ready(
        live in live(),
        wanted in 1_i64..4,
        retried in proptest::option::of("[xy]"),
    ) {
        let expected = Expected { generation: wanted, retried: retried.clone().map(|token| Retried::Release(token.into())) };
        let progress = release(&live, &expected);
        let number = |path: &[&str]| live.int_at(path);
        let ours = [
            &["metadata", "generation"][..],
            &["status", "observedGeneration"],
            &["status", "lastAttemptedGeneration"],
        ];
        let of_this = ours.iter().all(|path| number(path) == Some(wanted));
        let read = Status::of(&live);
        if progress == Readiness::Ready {
            prop_assert!(of_this);
            prop_assert!(read.holds("Ready") && !read.holds("Reconciling") && !read.holds("Stalled"));
            prop_assert!(read.newest().is_some_and(|newest| newest.status == "deployed"));
            if let Some(token) = &retried {
                prop_assert_eq!(read.handled_reconcile, Some(token.as_str()));
                prop_assert_eq!(read.handled_reset, Some(token.as_str()));
            }
        }
        if let Readiness::Failed(why) = &progress {
            prop_assert!(!why.is_empty());
            let newer = number(&["metadata", "generation"]).is_some_and(|now| now > wanted);
            prop_assert!(newer || number(&["status", "observedGeneration"]) == Some(wanted));
        }
        // A release that is ready as it stands is never pushed.
        if let Some(now) = number(&["metadata", "generation"])
            && release(&live, &self::expected(now)) == Readiness::Ready
        {
            prop_assert!(!needs_retry(&live));
        }
    }
}
