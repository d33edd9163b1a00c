//! The stages of simulated pods (kwok), chosen by labels.
//!
//! | label on the pod | the pod |
//! |---|---|
//! | none | becomes Ready at once |
//! | `armada2flux.example/never-ready: "true"` | runs, never Ready |
//! | `armada2flux.example/never-ready-on: node-2_node-3` | runs, never Ready if its node is one of these |
//! | `armada2flux.example/ready-after: 3s` | runs, Ready after that time |
//! | `armada2flux.example/ready-after-job: NAME` | runs, Ready when that Job of its namespace is complete |
//! | `armada2flux.example/fails: "true"` | ends with an error where it would have completed |
//!
//! Pods of Jobs and pods with annotation `helm.sh/hook` (test pods have no Job) complete once they are Ready.

use serde_json::{Value, json};

/// Pods with this label become Ready after the Job of this name.
pub(crate) const READY_AFTER_JOB: &str = "armada2flux.example/ready-after-job";

/// The bed sets it on such a pod when the Job is complete, since kwok cannot read other objects.
pub(crate) const JOB_COMPLETE: &str = "armada2flux.example/job-complete";

const NEVER_READY: &str = "armada2flux.example/never-ready";
const NEVER_READY_ON: &str = "armada2flux.example/never-ready-on";
/// Pods with this label become Ready after this time.
pub(crate) const READY_AFTER: &str = "armada2flux.example/ready-after";
const FAILS: &str = "armada2flux.example/fails";

/// The status of a pod with running containers; `READY` and `LOWER` are placeholders.
const RUNNING: &str = r#"
{{ $now := Now }}
phase: Running
startTime: {{ $now | Quote }}
conditions:
- {type: Initialized, status: "True", lastTransitionTime: {{ $now | Quote }}}
- {type: ContainersReady, status: "READY", lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: "READY", lastTransitionTime: {{ $now | Quote }}}
initContainerStatuses:
{{ range .spec.initContainers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: true
  restartCount: 0
  state: {terminated: {exitCode: 0, reason: Completed, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}
{{ end }}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: LOWER
  started: true
  restartCount: 0
  state: {running: {startedAt: {{ $now | Quote }}}}
{{ end }}
{{ if not .status.podIP }}
{{ range NodeIPsWith .spec.nodeName }}
hostIP: {{ . | Quote }}
{{ end }}
{{ range PodIPsWith .spec.nodeName ( or .spec.hostNetwork false ) ( or .metadata.uid "" ) ( or .metadata.name "" ) ( or .metadata.namespace "" ) }}
podIP: {{ . | Quote }}
podIPs: [{ip: {{ . | Quote }}}]
{{ end }}
{{ end }}
"#;

/// The status of a pod whose containers have ended.
const ENDED: &str = r#"
{{ $now := Now }}
phase: PHASE
conditions:
- {type: ContainersReady, status: "False", reason: PodCompleted, lastTransitionTime: {{ $now | Quote }}}
- {type: Ready, status: "False", reason: PodCompleted, lastTransitionTime: {{ $now | Quote }}}
containerStatuses:
{{ range .spec.containers }}
- name: {{ .name | Quote }}
  image: {{ .image | Quote }}
  ready: false
  started: false
  restartCount: 0
  state: {terminated: {exitCode: CODE, reason: REASON, startedAt: {{ $now | Quote }}, finishedAt: {{ $now | Quote }}}}
{{ end }}
"#;

fn running(ready: bool) -> String {
    let (condition, container) = if ready {
        ("True", "true")
    } else {
        ("False", "false")
    };
    RUNNING
        .replace("READY", condition)
        .replace("LOWER", container)
}

fn ended(phase: &str, code: &str, reason: &str) -> String {
    ENDED
        .replace("PHASE", phase)
        .replace("CODE", code)
        .replace("REASON", reason)
}

fn label(name: &str) -> String {
    format!(".metadata.labels[\"{name}\"]")
}

fn annotation(name: &str) -> String {
    format!(".metadata.annotations[\"{name}\"]")
}

/// Returns the expression for the pod's node, if the pod is never Ready there.
fn dead_node() -> String {
    let nodes = label(NEVER_READY_ON);
    format!(
        ".spec.nodeName as $node | ({nodes} // \"\") | select(any(split(\"_\")[]; . == $node)) | $node"
    )
}

fn exists(key: impl Into<String>) -> Value {
    json!({"key": key.into(), "operator": "Exists"})
}

fn absent(key: impl Into<String>) -> Value {
    json!({"key": key.into(), "operator": "DoesNotExist"})
}

fn is(key: impl Into<String>, value: &str) -> Value {
    json!({"key": key.into(), "operator": "In", "values": [value]})
}

fn ready(status: &str) -> Value {
    is(
        ".status.conditions.[] | select( .type == \"Ready\" ) | .status",
        status,
    )
}

fn stage(name: &str, mut conditions: Vec<Value>, next: &Value) -> Value {
    if name != "pod-delete" {
        conditions.push(absent(".metadata.deletionTimestamp"));
    }
    json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "Stage",
        "metadata": {"name": name},
        "spec": {
            "resourceRef": {"apiGroup": "v1", "kind": "Pod"},
            "selector": {"matchExpressions": conditions},
            "next": next,
        },
    })
}

/// Returns the stages of pods.
pub(crate) fn pods() -> Vec<Value> {
    let status = |template: String| json!({"statusTemplate": template});
    let phase = |value: &str| is(".status.phase", value);
    let mut stages = vec![
        stage(
            "pod-delete",
            vec![exists(".metadata.deletionTimestamp")],
            &json!({"delete": true}),
        ),
        stage(
            "pod-ready",
            vec![
                phase("Pending"),
                absent(label(NEVER_READY)),
                absent(dead_node()),
                absent(label(READY_AFTER)),
                absent(label(READY_AFTER_JOB)),
            ],
            &status(running(true)),
        ),
        stage(
            "pod-ready-after-job",
            vec![
                phase("Running"),
                ready("False"),
                exists(label(READY_AFTER_JOB)),
                exists(annotation(JOB_COMPLETE)),
            ],
            &status(running(true)),
        ),
    ];
    for name in [NEVER_READY, READY_AFTER, READY_AFTER_JOB] {
        let short = name.rsplit('/').next().unwrap_or_default();
        stages.push(stage(
            &format!("pod-runs-{short}"),
            vec![phase("Pending"), exists(label(name))],
            &status(running(false)),
        ));
    }
    stages.push(stage(
        "pod-runs-never-ready-on",
        vec![phase("Pending"), exists(dead_node())],
        &status(running(false)),
    ));
    let mut later = stage(
        "pod-ready-after",
        vec![phase("Running"), ready("False"), exists(label(READY_AFTER))],
        &status(running(true)),
    );
    later["spec"]["delay"] = json!({"durationFrom": {"expressionFrom": label(READY_AFTER)}});
    stages.push(later);

    let owners = [
        ("job", is(".metadata.ownerReferences.[].kind", "Job"), None),
        (
            "hook",
            exists(annotation("helm.sh/hook")),
            Some(absent(".metadata.ownerReferences")),
        ),
    ];
    for (who, owned, alone) in owners {
        let ends = |extra: Value| {
            let mut conditions = vec![phase("Running"), ready("True"), owned.clone(), extra];
            conditions.extend(alone.clone());
            conditions
        };
        stages.push(stage(
            &format!("pod-completes-{who}"),
            ends(absent(label(FAILS))),
            &status(ended("Succeeded", "0", "Completed")),
        ));
        stages.push(stage(
            &format!("pod-fails-{who}"),
            ends(exists(label(FAILS))),
            &status(ended("Failed", "1", "Error")),
        ));
    }
    stages
}
