//! The CEL expressions of gates and health checks in Kubernetes' own engine, on random objects.
//!
//! An admission policy evaluates an expression for lists of objects and refuses with the answers as message.
//! The lists are sent in dry runs of ControllerRevisions, whose `data` may have any content.

use std::time::Duration;

use armada2flux::gate::health::{self, Waiting};
use armada2flux::gate::{Gate, Rule, State, Verdict, WaitKind, annotation};
use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};

use crate::bed::{Error, Outcome, until};
use crate::live::{Scope, ensure};
use crate::shared;

#[path = "../../../../src/gate/testing.rs"]
mod testing;

/// Time limit for an admission policy to act.
const ACTS_WITHIN: Duration = Duration::from_secs(60);

/// Gates of each kind.
const GATES: usize = 6;

/// Objects in one dry run, for each gate.
const OBJECTS: usize = 25;

/// Dry runs.
const RUNS: usize = 4;

/// The label that selects the lists of a policy.
const KIND: &str = "armada2flux.example/kind";

/// A CEL expression, and the rule that it must agree with.
struct Question {
    /// Index of the list of objects for which it is evaluated.
    list: usize,
    rule: Rule,
    answer: Box<dyn Fn(&Json) -> bool>,
}

pub(super) fn agrees(scope: &Scope<'_>) -> Outcome {
    let mut runner = TestRunner::default();
    for kind in WaitKind::ALL {
        let mut questions = Vec::new();
        for list in 0..GATES {
            let gates = random_gates(&mut runner, kind)?;
            ask_gate(list, &gates, &mut questions);
            ask_checks(list, kind, &gates, &mut questions);
        }
        kind_agrees(scope, kind, &questions, &mut runner)?;
    }
    Ok(())
}

fn kind_agrees(
    scope: &Scope<'_>,
    kind: WaitKind,
    questions: &[Question],
    runner: &mut TestRunner,
) -> Outcome {
    for object in policy(&scope.namespace, kind, questions) {
        scope.bed.apply(&object)?;
    }
    let mut seen = [false; 2];
    for _ in 0..RUNS {
        let lists: Vec<Vec<Json>> = (0..GATES)
            .map(|_| objects(runner, kind))
            .collect::<Outcome<_>>()?;
        let answers = ask(scope, kind, &lists)?;
        let answers: Vec<&str> = answers.split(' ').collect();
        ensure(answers.len() == questions.len(), || answers.join(" "))?;
        for (question, answers) in questions.iter().zip(answers) {
            let objects = &lists[question.list];
            ensure(answers.len() == objects.len(), || answers.to_owned())?;
            for (object, answer) in objects.iter().zip(answers.chars()) {
                let wanted = (question.answer)(object);
                seen[usize::from(wanted)] = true;
                ensure(answer == if wanted { '1' } else { '0' }, || {
                    format!("{answer} from\n{}\nfor {object}", question.rule.cel())
                })?;
            }
        }
    }
    ensure(seen == [true; 2], || {
        format!("{kind}: all answers were equal")
    })
}

fn new<T>(runner: &mut TestRunner, strategy: &impl Strategy<Value = T>) -> Outcome<T> {
    let tree = strategy.new_tree(runner);
    Ok(tree
        .map_err(|reason| Error::from(reason.to_string()))?
        .current())
}

/// Two gates of a kind, as an annotation holds them.
fn random_gates(runner: &mut TestRunner, kind: WaitKind) -> Outcome<Vec<Gate>> {
    let selectors = vec![
        "",
        "app=a",
        "app=a,tier=x",
        "app!=a",
        "app in (a,b)",
        "tier",
        "!tier",
    ];
    let counts = vec![
        json!(-1),
        json!(1),
        json!(3),
        json!("28%"),
        json!("66%"),
        json!("150%"),
    ];
    let selectors = proptest::sample::select(selectors);
    let counts = proptest::sample::select(counts);
    let chart = if new(runner, &proptest::bool::ANY)? {
        "v1"
    } else {
        "v2"
    };
    let mut waits = Vec::new();
    for _ in 0..2 {
        let mut wait =
            json!({"type": kind.word(), "labels": new(runner, &selectors)?, "required": true});
        if kind.counts_ready() {
            wait["min_ready"] = new(runner, &counts)?;
        }
        if kind.updates_async() {
            wait["allow_async_updates"] = json!(new(runner, &proptest::bool::ANY)?);
        }
        waits.push(wait);
    }
    let written = json!({"version": 1, "chart": chart, "waits": waits});
    Ok(annotation::read(&written.to_string(), &"demo".into())?)
}

/// Returns random objects with a status. Without one, evaluation fails in every engine, and Flux waits.
fn objects(runner: &mut TestRunner, kind: WaitKind) -> Outcome<Vec<Json>> {
    let objects = testing::objects(kind.api_version(), kind.kind_name());
    let objects = objects.prop_filter_map("no status", |object| {
        object.get("status").is_some().then_some(object)
    });
    (0..OBJECTS).map(|_| new(runner, &objects)).collect()
}

/// Whether a gate awaits an object, and whether it opens and closes for it as [`Gate::evaluate`] says.
fn ask_gate(list: usize, gates: &[Gate], questions: &mut Vec<Question>) {
    let awaits = |gate: &Gate, object: &Json| {
        let state = gate.judge(&shared::value(object));
        matches!(state, State::Ready | State::Waiting(_) | State::Failed(_))
    };
    for gate in gates {
        let (mine, ready, failed) = (gate.clone(), gate.clone(), gate.clone());
        let both = |rule| Rule::All(vec![gate.awaited(), rule]);
        questions.push(Question {
            list,
            rule: gate.awaited(),
            answer: Box::new(move |object| awaits(&mine, object)),
        });
        questions.push(Question {
            list,
            rule: both(gate.ready()),
            answer: Box::new(move |object| {
                awaits(&ready, object) && ready.evaluate([&shared::value(object)]) == Verdict::Ready
            }),
        });
        questions.push(Question {
            list,
            rule: both(gate.failed()),
            answer: Box::new(move |object| {
                let verdict = failed.evaluate([&shared::value(object)]);
                matches!(verdict, Verdict::Failed(_))
            }),
        });
    }
}

/// The health checks of the kind, as their rules say.
fn ask_checks(list: usize, kind: WaitKind, gates: &[Gate], questions: &mut Vec<Question>) {
    for waiting in [Waiting::OfHelm3, Waiting::OfHelm4, Waiting::OfGates] {
        for check in health::checks(gates, waiting) {
            if check.kind != kind {
                continue;
            }
            for rule in [Some(check.current), check.failed].into_iter().flatten() {
                let own = rule.clone();
                questions.push(Question {
                    list,
                    rule,
                    answer: Box::new(move |object| own.holds(&shared::value(object))),
                });
            }
        }
    }
}

/// Returns a policy that refuses ControllerRevisions with that label, with the answers as message: a word for each
/// expression, a digit for each object.
fn policy(namespace: &str, kind: WaitKind, questions: &[Question]) -> [Json; 2] {
    let name = format!("{namespace}-{kind}");
    let variables = questions.iter().enumerate().map(|(at, question)| {
        let Question { list, rule, .. } = question;
        let rule = rule.cel();
        json!({
            "name": format!("answers{at}"),
            "expression": format!(
                "object.data.lists[{list}].map(o, [o.metadata].all(metadata, [o.spec].all(spec, \
                 [o.status].all(status, {rule}))) ? '1' : '0').join('')"
            ),
        })
    });
    let answers = (0..questions.len()).map(|at| format!("variables.answers{at}"));
    let answers = answers.collect::<Vec<_>>().join(", ");
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "resourceRules": [{
                    "apiGroups": ["apps"], "apiVersions": ["v1"],
                    "operations": ["CREATE"], "resources": ["controllerrevisions"],
                }],
                "objectSelector": {"matchLabels": {KIND: kind.word()}},
            },
            "variables": variables.collect::<Json>(),
            "validations": [{
                "expression": "false",
                "messageExpression": format!("[{answers}].join(' ')"),
            }],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name,
            "validationActions": ["Deny"],
            "matchResources": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            },
        },
    });
    [policy, binding]
}

/// Waits for a refusal and returns its words.
fn ask(scope: &Scope<'_>, kind: WaitKind, lists: &[Vec<Json>]) -> Outcome<String> {
    let revision = json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision",
        "metadata": {"name": "questions", "labels": {KIND: kind.word()}}, "revision": 1, "data": {"lists": lists},
    });
    let path = format!(
        "/apis/apps/v1/namespaces/{}/controllerrevisions?dryRun=All",
        scope.namespace
    );
    let refusal = until(ACTS_WITHIN, || {
        let request = hyper::Request::post(&path)
            .header("Content-Type", "application/json")
            .body(revision.to_string().into_bytes())?;
        match scope
            .bed
            .block_on(scope.bed.client.request::<Json>(request))
        {
            Ok(_) => Ok(None),
            Err(kube::Error::Api(status)) => Ok(Some(status.message.clone())),
            Err(error) => Err(error.into()),
        }
    })?;
    match refusal.split_once("denied request: ") {
        Some((_, answers)) if !answers.contains("false") => Ok(answers.to_owned()),
        _ => Err(refusal.into()),
    }
}
