//! The bed itself: it starts, and pods follow their labels.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Scope, Test, ensure};
use crate::bed::{Outcome, has_condition};

/// Time limit for changes that take a second or two on an idle machine.
const SOON: Duration = Duration::from_secs(60);

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared(
            "cluster::reports_its_version_and_runs_every_process",
            version,
        ),
        Test::shared("cluster::pods_become_ready", ready),
        Test::shared("cluster::pods_follow_their_labels", labels),
        Test::shared("cluster::a_pod_waits_for_a_job", waits_for_job),
        Test::shared("cluster::a_failing_job_fails", failing_job),
        Test::shared("cluster::claims_are_bound", claims),
        Test::shared("cluster::the_audit_log_names_the_user", audit),
    ]
}

fn version(scope: &Scope<'_>) -> Outcome {
    let version = scope.bed.get("/version")?.unwrap_or_default();
    ensure(
        version["gitVersion"] == "v1.36.4" && version["minor"] == "36",
        || version.to_string(),
    )?;
    let nodes = scope.bed.wait("/api/v1/nodes", SOON, |nodes| {
        let all = nodes["items"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        all.len() == 3
            && all
                .iter()
                .all(|node| has_condition(node, "Ready") && node["spec"]["taints"].is_null())
    });
    nodes?;
    let dead = scope.bed.exited_processes();
    ensure(dead.is_empty(), || dead.join("; "))
}

fn workload(name: &str, replicas: u32, labels: &[(&str, &str)]) -> Value {
    let mut all = json!({"app": name});
    for (key, value) in labels {
        all[key] = json!(value);
    }
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": all},
                "spec": {
                    "initContainers": [{"name": "before", "image": "example.org/before:1"}],
                    "containers": [{"name": "main", "image": "example.org/main:1"}],
                },
            },
        },
    })
}

fn job(name: &str, labels: &[(&str, &str)]) -> Value {
    let mut all = json!({});
    for (key, value) in labels {
        all[key] = json!(value);
    }
    json!({
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name},
        "spec": {
            "backoffLimit": 0,
            "template": {
                "metadata": {"labels": all},
                "spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "example.org/main:1"}]},
            },
        },
    })
}

impl Scope<'_> {
    fn apply_here(&self, mut object: Value) -> Outcome {
        object["metadata"]["namespace"] = json!(self.namespace);
        self.bed.apply(&object)
    }

    fn deployment(&self, name: &str) -> String {
        format!(
            "/apis/apps/v1/namespaces/{}/deployments/{name}",
            self.namespace
        )
    }

    fn job(&self, name: &str) -> String {
        format!("/apis/batch/v1/namespaces/{}/jobs/{name}", self.namespace)
    }
}

fn ready(scope: &Scope<'_>) -> Outcome {
    scope.apply_here(workload("web", 3, &[]))?;
    scope.bed.wait(&scope.deployment("web"), SOON, |object| {
        object["status"]["readyReplicas"] == 3
    })?;
    Ok(())
}

fn labels(scope: &Scope<'_>) -> Outcome {
    scope.apply_here(workload(
        "never",
        1,
        &[("armada2flux.example/never-ready", "true")],
    ))?;
    scope.apply_here(workload(
        "later",
        1,
        &[("armada2flux.example/ready-after", "3s")],
    ))?;
    scope.bed.wait(&scope.deployment("later"), SOON, |object| {
        object["status"]["readyReplicas"] == 1
    })?;
    let pods = scope.bed.get(&format!(
        "/api/v1/namespaces/{}/pods?labelSelector=app%3Dlater",
        scope.namespace
    ))?;
    let pod = pods
        .map(|pods| pods["items"][0].clone())
        .unwrap_or_default();
    let conditions = pod["status"]["conditions"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let ready = conditions
        .iter()
        .find(|condition| condition["type"] == "Ready")
        .cloned()
        .unwrap_or_default();
    let second = |moment: &Value| {
        let text = moment.as_str().unwrap_or_default();
        text.parse::<k8s_openapi::jiff::Timestamp>()
            .map(k8s_openapi::jiff::Timestamp::as_second)
    };
    let waited =
        second(&ready["lastTransitionTime"])? - second(&pod["metadata"]["creationTimestamp"])?;
    ensure(waited >= 2, || format!("ready after {waited} s: {pod}"))?;
    let never = scope.bed.wait(&scope.deployment("never"), SOON, |object| {
        object["status"]["replicas"] == 1
    })?;
    ensure(never["status"]["readyReplicas"].is_null(), || {
        never["status"].to_string()
    })
}

fn waits_for_job(scope: &Scope<'_>) -> Outcome {
    scope.apply_here(workload(
        "web",
        2,
        &[("armada2flux.example/ready-after-job", "init")],
    ))?;
    let path = format!(
        "/api/v1/namespaces/{}/pods?labelSelector=app%3Dweb",
        scope.namespace
    );
    scope.bed.wait(&path, SOON, |pods| {
        let all = pods["items"]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        all.len() == 2 && all.iter().all(|pod| pod["status"]["phase"] == "Running")
    })?;
    let before = scope.bed.get(&scope.deployment("web"))?.unwrap_or_default();
    ensure(before["status"]["readyReplicas"].is_null(), || {
        before["status"].to_string()
    })?;
    scope.apply_here(job("init", &[]))?;
    scope.bed.wait(&scope.deployment("web"), SOON, |object| {
        object["status"]["readyReplicas"] == 2
    })?;
    let job = scope.bed.get(&scope.job("init"))?.unwrap_or_default();
    ensure(has_condition(&job, "Complete"), || {
        job["status"].to_string()
    })
}

fn failing_job(scope: &Scope<'_>) -> Outcome {
    scope.apply_here(job("broken", &[("armada2flux.example/fails", "true")]))?;
    scope.bed.wait(&scope.job("broken"), SOON, |object| {
        has_condition(object, "Failed")
    })?;
    Ok(())
}

fn claims(scope: &Scope<'_>) -> Outcome {
    scope.apply_here(json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "general",
            "resources": {"requests": {"storage": "5Gi"}},
        },
    }))?;
    let path = format!(
        "/api/v1/namespaces/{}/persistentvolumeclaims/data",
        scope.namespace
    );
    scope
        .bed
        .wait(&path, SOON, |claim| claim["status"]["phase"] == "Bound")?;
    Ok(())
}

fn audit(scope: &Scope<'_>) -> Outcome {
    for name in ["first", "second"] {
        scope.apply_here(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}),
        )?;
    }
    scope.apply_here(workload("web", 1, &[]))?;
    scope.bed.wait(&scope.deployment("web"), SOON, |object| {
        object["status"]["readyReplicas"] == 1
    })?;
    let entries = scope.bed.audit()?;
    let here: Vec<_> = entries
        .iter()
        .filter(|entry| entry.is_write() && entry.object_ref.namespace == scope.namespace)
        .map(|entry| {
            (
                entry.user.username.as_str(),
                entry.object_ref.resource.as_str(),
                entry.object_ref.name.as_str(),
            )
        })
        .collect();
    let place = |wanted: (&str, &str, &str)| here.iter().position(|entry| *entry == wanted);
    let order = [
        place(("tester", "configmaps", "first")),
        place(("tester", "configmaps", "second")),
    ];
    ensure(order[0].is_some() && order[0] < order[1], || {
        format!("{here:?}")
    })?;
    let played = here
        .iter()
        .any(|(user, resource, _)| *user == "kwok" && *resource == "pods");
    ensure(played, || format!("{here:?}"))
}
