//! Helm 3, Helm 4 and Flux install the probe chart.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::probe_site::publish_probe;
use super::site::helm_release;
use super::{Scope, Test, ensure};
use crate::bed::charts::test_chart;
use crate::bed::program::Program;
use crate::bed::{Outcome, has_condition};

/// Time limit for a release: sources are fetched, pods start, hooks run.
const INSTALLED_WITHIN: Duration = Duration::from_secs(120);

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("releases::helm_3_installs_and_tests", helm_3),
        Test::shared("releases::helm_4_installs_and_tests", helm_4),
        Test::shared("releases::helm_stops_waiting_at_its_timeout", timeout),
        Test::shared(
            "releases::flux_installs_from_the_chart_repository",
            from_repository,
        ),
        Test::shared("releases::flux_installs_from_git", from_git),
        Test::shared("releases::flux_applies_a_folder_from_git", kustomization),
    ]
}

fn helm_3(scope: &Scope<'_>) -> Outcome {
    installs(scope, Program::Helm3)
}

fn helm_4(scope: &Scope<'_>) -> Outcome {
    installs(scope, Program::Helm4)
}

fn installs(scope: &Scope<'_>, helm: Program) -> Outcome {
    let chart = test_chart("probe").display().to_string();
    let namespace = format!("--namespace={}", scope.namespace);
    scope.bed.run(
        helm,
        &[
            "install",
            "web",
            &chart,
            &namespace,
            "--wait",
            "--timeout=90s",
            "--set=storage=1Gi",
        ],
    )?;
    let list = scope
        .bed
        .run(helm, &["list", &namespace, "--max=0", "--output=json"])?;
    let list: Value = serde_json::from_str(&list)?;
    ensure(
        list[0]["name"] == "web" && list[0]["status"] == "deployed",
        || list.to_string(),
    )?;
    let pods = scope.bed.get(&format!(
        "/apis/apps/v1/namespaces/{}/deployments/web",
        scope.namespace
    ))?;
    ensure(
        pods.as_ref()
            .is_some_and(|object| object["status"]["readyReplicas"] == 2),
        || format!("{pods:?}"),
    )?;
    let hook = scope.bed.get(&format!(
        "/apis/batch/v1/namespaces/{}/jobs/web-hook",
        scope.namespace
    ))?;
    ensure(
        hook.as_ref()
            .is_some_and(|object| has_condition(object, "Complete")),
        || format!("{hook:?}"),
    )?;
    scope
        .bed
        .run(helm, &["test", "web", &namespace, "--timeout=60s"])?;
    Ok(())
}

fn timeout(scope: &Scope<'_>) -> Outcome {
    let chart = test_chart("probe").display().to_string();
    let namespace = format!("--namespace={}", scope.namespace);
    let never = "--set-string=labels.armada2flux\\.example/never-ready=true";
    let done = scope.bed.run(
        Program::Helm3,
        &[
            "install",
            "web",
            &chart,
            &namespace,
            "--wait",
            "--timeout=5s",
            never,
        ],
    );
    let message = done
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    ensure(message.contains("context deadline exceeded"), || {
        format!("Helm printed: {message}")
    })
}

impl Scope<'_> {
    fn release(&self, source: &Value) -> Value {
        json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": "web", "namespace": self.namespace},
            "spec": {
                "interval": "30m", "releaseName": "web", "timeout": "90s",
                "chart": {"spec": source},
                "install": {"disableWait": true},
                "values": {"conf": {"kept": null, "number": 8}},
            },
        })
    }

    /// Waits until the release is Ready and returns the values that its templates received.
    fn installed(&self) -> Outcome<Value> {
        let namespace = &self.namespace;
        let path = helm_release(namespace, "web");
        self.bed.wait(&path, INSTALLED_WITHIN, |object| {
            has_condition(object, "Ready")
        })?;
        let hook = self.bed.get(&format!(
            "/apis/batch/v1/namespaces/{namespace}/jobs/web-hook"
        ))?;
        ensure(
            hook.as_ref()
                .is_some_and(|object| has_condition(object, "Complete")),
            || format!("{hook:?}"),
        )?;
        let map = self
            .bed
            .get(&format!(
                "/api/v1/namespaces/{namespace}/configmaps/web-values"
            ))?
            .unwrap_or_default();
        Ok(serde_json::from_str(
            map["data"]["values.json"].as_str().unwrap_or_default(),
        )?)
    }
}

fn from_repository(scope: &Scope<'_>) -> Outcome {
    publish_probe(scope)?;
    let source = json!({
        "chart": "probe", "version": "0.1.0", "sourceRef": {"kind": "HelmRepository", "name": "charts"},
    });
    scope.bed.apply(&scope.release(&source))?;
    let values = scope.installed()?;
    ensure(values["conf"] == json!({"kept": null, "number": 8}), || {
        values.to_string()
    })
}

fn from_git(scope: &Scope<'_>) -> Outcome {
    let commit = scope.bed.git.commit_chart(&scope.namespace, "probe")?;
    scope.bed.apply(&json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": {"name": "charts", "namespace": scope.namespace},
        "spec": {"interval": "12h", "url": scope.bed.git.url(&scope.namespace), "ref": {"commit": commit, "branch": "master"}},
    }))?;
    let source =
        json!({"chart": "./probe", "sourceRef": {"kind": "GitRepository", "name": "charts"}});
    scope.bed.apply(&scope.release(&source))?;
    scope.installed()?;
    let path = format!(
        "/apis/source.toolkit.fluxcd.io/v1/namespaces/{}/gitrepositories/charts",
        scope.namespace
    );
    let repository = scope.bed.get(&path)?.unwrap_or_default();
    let revision = repository["status"]["artifact"]["revision"]
        .as_str()
        .unwrap_or_default();
    ensure(revision.ends_with(&commit), || {
        format!("{revision} is not {commit}")
    })
}

fn kustomization(scope: &Scope<'_>) -> Outcome {
    let tree = scope.bed.path().join(format!("tree-{}", scope.namespace));
    fs::create_dir_all(&tree)?;
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "applied", "namespace": scope.namespace}, "data": {"key": "08"},
    });
    fs::write(tree.join("map.yaml"), map.to_string())?;
    scope
        .bed
        .git
        .commit(&scope.namespace, &tree, "Add a folder")?;
    scope.bed.apply(&json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": {"name": "tree", "namespace": scope.namespace},
        "spec": {"interval": "12h", "url": scope.bed.git.url(&scope.namespace), "ref": {"branch": "master"}},
    }))?;
    scope.bed.apply(&json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": "tree", "namespace": scope.namespace},
        "spec": {
            "interval": "12h", "prune": false, "path": "./",
            "sourceRef": {"kind": "GitRepository", "name": "tree"},
        },
    }))?;
    let path = format!("/api/v1/namespaces/{}/configmaps/applied", scope.namespace);
    scope.bed.wait(&path, INSTALLED_WITHIN, |object| {
        object["data"]["key"] == "08"
    })?;
    Ok(())
}
