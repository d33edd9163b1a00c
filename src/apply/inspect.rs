//! Explains why a release is not ready: its pods and Jobs, their last warning events, a few lines of a log.
//!
//! The text is added to a reason that is known already, so what cannot be read is left out.

use std::fmt::Write as _;

use super::run::Run;
use crate::cluster::KindRef;
use crate::flux::Object;
use crate::printable::escape;
use crate::rollout::Release;
use crate::value::{Data, Number, Text};

/// The largest number of objects that are named.
const MAX_OBJECTS: usize = 3;
/// The largest number of warnings of each.
const MAX_WARNINGS: usize = 2;
/// Lines of a log.
const LOG_LINES: u32 = 5;
/// Bytes of it.
const LOG_BYTES: u32 = 4096;

/// A pod or Job of a release that is not ready.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Culprit {
    /// `Pod` or `Job`.
    kind: &'static str,
    name: Text,
    why: String,
    /// The container to read the log of.
    container: Option<Text>,
}

/// Adds what the cluster shows to a reason.
pub(super) async fn explain(run: &Run<'_>, release: &Release, reason: String) -> String {
    let namespace = &release.namespace;
    let mut culprits = Vec::new();
    for (api_version, kind, find) in [
        ("v1", "Pod", unready_pod as fn(&Object) -> Option<Culprit>),
        ("batch/v1", "Job", incomplete_job),
    ] {
        let Ok(Some(kind)) = run.cluster.kind(api_version, kind).await else {
            continue;
        };
        let objects = list(run, &kind, namespace).await;
        let ours = objects
            .iter()
            .filter(|object| belongs(object, &release.name) || mentions(&reason, &object.name));
        culprits.extend(ours.filter_map(find));
    }
    culprits.truncate(MAX_OBJECTS);
    // Its lines are ours: what others write is folded.
    let mut text = escape::fold(&reason).into_owned();
    let mut log_shown = false;
    for culprit in &culprits {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n{} `{}`: {}",
            culprit.kind,
            culprit.name,
            escape::fold(&culprit.why)
        );
        for warning in warnings(run, namespace, culprit).await {
            let _ = write!(text, "\n  {}", escape::fold(&warning));
        }
        if let (Some(container), false) = (&culprit.container, log_shown) {
            let (pod, secrets) = (&culprit.name, &run.scrubber);
            let log = run
                .cluster
                .log_tail(namespace, pod, container, LOG_LINES, LOG_BYTES, secrets)
                .await;
            if let Ok(Some(log)) = log {
                log_shown = true;
                for line in log.lines() {
                    let _ = write!(text, "\n  log: {}", escape::fold(line));
                }
            }
        }
    }
    text
}

async fn list(run: &Run<'_>, kind: &KindRef, namespace: &Text) -> Vec<Object> {
    let found = run.cluster.list(kind, Some(namespace), None).await;
    found.unwrap_or_default()
}

/// The last warnings about an object.
async fn warnings(run: &Run<'_>, namespace: &Text, culprit: &Culprit) -> Vec<String> {
    let names = [&*culprit.name];
    let events = run
        .cluster
        .events_of(namespace, &names, &run.scrubber)
        .await;
    let mut warnings: Vec<String> = events
        .unwrap_or_default()
        .iter()
        .rev()
        .filter(|event| event.warning)
        .take(MAX_WARNINGS)
        .map(|event| format!("{}: {}", event.reason, event.message))
        .collect();
    warnings.reverse();
    warnings
}

/// Returns whether an object seems to belong to a release. Charts label their objects in different ways; this matches
/// nearly all.
fn belongs(object: &Object, release: &str) -> bool {
    let mut labels = object.meta().labels().iter();
    labels.any(|label| label.value.as_str() == Some(release))
        || object
            .name
            .strip_prefix(release)
            .is_some_and(|rest| rest.starts_with('-'))
}

/// Returns whether a text contains the name of an object as a whole word.
fn mentions(text: &str, name: &str) -> bool {
    let in_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(in_name) && !after.is_some_and(|c| in_name(c) && c != '.')
    })
}

fn is_true(object: &Object, condition: &str) -> bool {
    object
        .value
        .items_at(&["status", "conditions"])
        .iter()
        .any(|found| {
            found.text_at(&["type"]) == Some(condition)
                && found.text_at(&["status"]) == Some("True")
        })
}

/// Why a pod is not ready.
fn unready_pod(pod: &Object) -> Option<Culprit> {
    let phase = pod.value.text_at(&["status", "phase"]).unwrap_or("unknown");
    if phase == "Succeeded" || is_true(pod, "Ready") {
        return None;
    }
    let mut container = None;
    let mut why = String::new();
    for list in ["initContainerStatuses", "containerStatuses"] {
        for status in pod.value.items_at(&["status", list]) {
            let name = status.text_at(&["name"]).unwrap_or_default();
            for state in ["waiting", "terminated"] {
                let reason = status.text_at(&["state", state, "reason"]);
                let Some(reason) = reason.filter(|reason| *reason != "Completed") else {
                    continue;
                };
                if why.is_empty() {
                    let message = status.text_at(&["state", state, "message"]);
                    let message = message.map_or_else(String::new, |text| format!(": {text}"));
                    why = format!("container `{name}` {reason}{message}");
                    container = Some(Text::from(name));
                }
            }
        }
    }
    if why.is_empty() {
        let unready = pod
            .value
            .items_at(&["status", "conditions"])
            .iter()
            .find(|found| {
                found.text_at(&["status"]) == Some("False") && found.text_at(&["message"]).is_some()
            });
        let message = unready.and_then(|found| found.text_at(&["message"]));
        why = match message {
            Some(message) => format!("{}: {message}", phase.to_lowercase()),
            None => format!("{}, not ready", phase.to_lowercase()),
        };
    }
    let first = pod.value.items_at(&["spec", "containers"]).first();
    let first = first.and_then(|container| container.text_at(&["name"]));
    Some(Culprit {
        kind: "Pod",
        name: pod.name.clone(),
        why,
        container: container.or_else(|| first.map(Text::from)),
    })
}

/// Why a Job is not complete.
fn incomplete_job(job: &Object) -> Option<Culprit> {
    if is_true(job, "Complete") || is_true(job, "SuccessCriteriaMet") {
        return None;
    }
    let count = |field: &str| match job.value.at(&["status", field]).map(|value| &value.data) {
        Some(Data::Number(Number::Int(count))) => *count,
        _ => 0,
    };
    let why = if is_true(job, "Failed") {
        let failed = job
            .value
            .items_at(&["status", "conditions"])
            .iter()
            .find(|found| found.text_at(&["type"]) == Some("Failed"));
        let message = failed.and_then(|found| found.text_at(&["message"]));
        format!("failed: {}", message.unwrap_or("no reason is given"))
    } else {
        format!(
            "not complete: {} active, {} failed",
            count("active"),
            count("failed")
        )
    };
    Some(Culprit {
        kind: "Job",
        name: job.name.clone(),
        why,
        container: None,
    })
}
