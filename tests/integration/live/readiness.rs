//! Readiness with the real controllers: it comes after the change, and failures are reported as such.
//!
//! Unit tests replay recorded statuses; this test notices if controllers start to write others.

use std::pin::pin;
use std::time::Duration;

use armada2flux::cluster::{Cluster, Event};
use armada2flux::rollout::readiness::{self, Expected, Readiness, Retried};
use futures::StreamExt as _;
use serde_json::{Value, json};

use super::client::{helm_releases, tester};
use super::probe_site::publish_probe;
use super::site::helm_release;
use super::{Scope, Test, ensure};
use crate::bed::Outcome;
use crate::bed::program::Program;

/// Time limit for each change: a chart is fetched, pods start, a hook and a test run.
const SETTLES_WITHIN: Duration = Duration::from_secs(120);

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("readiness::comes_after_the_change", changes),
        Test::shared("readiness::failures_are_classified", failures),
        Test::shared("readiness::a_retry_is_awaited", retry),
    ]
}

/// Applies a release and returns its generation.
fn apply(scope: &Scope<'_>, spec: &Value, values: &Value) -> Outcome<i64> {
    let mut object = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "web", "namespace": scope.namespace},
        "spec": {
            "interval": "30m", "releaseName": "web", "timeout": "60s", "waitStrategy": {"name": "legacy"},
            "chart": {"spec": {"chart": "probe", "version": "0.1.0", "sourceRef": {"kind": "HelmRepository", "name": "charts"}}},
            "values": values,
        },
    });
    for (key, value) in spec.as_object().into_iter().flatten() {
        object["spec"][key] = value.clone();
    }
    scope.bed.apply(&object)?;
    let path = helm_release(&scope.namespace, "web");
    let live = scope.bed.get(&path)?.unwrap_or_default();
    live["metadata"]["generation"]
        .as_i64()
        .ok_or_else(|| live.to_string().into())
}

/// Watches the release until it is ready or failed.
fn settled(scope: &Scope<'_>, cluster: &Cluster, expected: &Expected) -> Outcome<Readiness> {
    let follow = async {
        let mut events = pin!(cluster.watch_one(&helm_releases(), Some(&scope.namespace), "web"));
        let mut waits = Vec::new();
        while let Some(event) = events.next().await {
            let objects = match event? {
                Event::Listed(objects) => objects,
                Event::Changed(object) => vec![object],
                Event::Gone(object) => return Err(format!("{} is gone", object.title()).into()),
            };
            for object in objects {
                match readiness::release(&object.value, expected) {
                    Readiness::Waiting(why) => waits.push(why),
                    decided => return Ok(decided),
                }
            }
        }
        Err(format!("the watch ended: {waits:?}").into())
    };
    let limited = scope
        .bed
        .block_on(async { tokio::time::timeout(SETTLES_WITHIN, follow).await });
    limited.unwrap_or_else(|_| Err(format!("nothing is decided of {expected:?}").into()))
}

fn expect(scope: &Scope<'_>, cluster: &Cluster, generation: i64) -> Outcome<Readiness> {
    let expected = Expected {
        generation,
        retried: None,
    };
    settled(scope, cluster, &expected)
}

fn failed(progress: &Readiness) -> Outcome<&str> {
    match progress {
        Readiness::Failed(why) => Ok(why),
        Readiness::Waiting(_) | Readiness::Ready => Err(format!("{progress:?}").into()),
    }
}

/// Returns the number that the release's templates received.
fn seen(scope: &Scope<'_>) -> Outcome<Value> {
    let path = format!(
        "/api/v1/namespaces/{}/configmaps/web-values",
        scope.namespace
    );
    let map = scope.bed.get(&path)?.unwrap_or_default();
    let values: Value =
        serde_json::from_str(map["data"]["values.json"].as_str().unwrap_or("null"))?;
    Ok(values["conf"]["number"].clone())
}

fn changes(scope: &Scope<'_>) -> Outcome {
    publish_probe(scope)?;
    let cluster = tester(scope)?;
    let tested = json!({"test": {"enable": true}});
    for number in 1..=4 {
        let generation = apply(
            scope,
            &tested,
            &json!({"replicas": 1, "conf": {"number": number}}),
        )?;
        let progress = expect(scope, &cluster, generation)?;
        ensure(progress == Readiness::Ready, || {
            format!("{number}: {progress:?}")
        })?;
        // Not the reported status, but what Helm has written to the cluster.
        let seen = seen(scope)?;
        ensure(seen == number, || {
            format!("ready with {seen} instead of {number}")
        })?;
    }
    // A change that does not affect Helm.
    let spec = json!({"test": {"enable": true}, "maxHistory": 7});
    let generation = apply(scope, &spec, &json!({"replicas": 1, "conf": {"number": 4}}))?;
    let progress = expect(scope, &cluster, generation)?;
    ensure(progress == Readiness::Ready, || format!("{progress:?}"))?;
    let namespace = format!("--namespace={}", scope.namespace);
    let history = scope.bed.run(
        Program::Helm3,
        &["history", "web", &namespace, "--output=json"],
    )?;
    let history: Value = serde_json::from_str(&history)?;
    ensure(
        history.as_array().is_some_and(|list| list.len() == 4),
        || history.to_string(),
    )?;
    // Readiness of the old generation does not count for a later write.
    let progress = expect(scope, &cluster, generation - 1)?;
    let why = failed(&progress)?;
    ensure(
        why.starts_with("it was changed during the run by `tester`"),
        || why.to_owned(),
    )
}

fn failures(scope: &Scope<'_>) -> Outcome {
    publish_probe(scope)?;
    let cluster = tester(scope)?;
    let rolls = json!({
        "timeout": "8s", "upgrade": {"remediation": {"retries": 0, "remediateLastFailure": true}},
    });
    let generation = apply(scope, &rolls, &json!({"replicas": 1}))?;
    let progress = expect(scope, &cluster, generation)?;
    ensure(progress == Readiness::Ready, || format!("{progress:?}"))?;
    let dead = json!({"replicas": 1, "labels": {"armada2flux.example/never-ready": "true"}});
    let generation = apply(scope, &rolls, &dead)?;
    let progress = expect(scope, &cluster, generation)?;
    let why = failed(&progress)?;
    ensure(
        why.starts_with("Flux rolled back to revision 1 after a failure: Helm upgrade failed"),
        || why.to_owned(),
    )?;

    let fails = json!({"replicas": 1, "test_labels": {"armada2flux.example/fails": "true"}});
    let generation = apply(scope, &json!({"test": {"enable": true}}), &fails)?;
    let progress = expect(scope, &cluster, generation)?;
    let why = failed(&progress)?;
    ensure(why.starts_with("its tests failed (web-test): "), || {
        why.to_owned()
    })
}

fn retry(scope: &Scope<'_>) -> Outcome {
    publish_probe(scope)?;
    let cluster = tester(scope)?;
    let dead = json!({"replicas": 1, "labels": {"armada2flux.example/never-ready": "true"}});
    let generation = apply(scope, &json!({"timeout": "5s"}), &dead)?;
    let progress = expect(scope, &cluster, generation)?;
    let why = failed(&progress)?;
    ensure(
        why.starts_with("Flux gave up (RetriesExceeded): Helm install failed"),
        || why.to_owned(),
    )?;
    let token = "t-1";
    let request = |key: &str| format!("reconcile.fluxcd.io/{key}={token}");
    let arguments = [
        "annotate".to_owned(),
        "helmrelease/web".to_owned(),
        format!("--namespace={}", scope.namespace),
        request("requestedAt"),
        request("resetAt"),
    ];
    scope.bed.run(Program::Kubectl, &arguments)?;
    let expected = Expected {
        generation,
        retried: Some(Retried::Release(token.into())),
    };
    // Not the old failure: the second attempt is an upgrade.
    let progress = settled(scope, &cluster, &expected)?;
    let why = failed(&progress)?;
    ensure(
        why.starts_with("Flux gave up (RetriesExceeded): Helm upgrade failed"),
        || why.to_owned(),
    )
}
