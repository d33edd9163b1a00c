//! When an object counts and when it is ready, kind by kind, as rules (Armada: handlers/wait.py).

use crate::value::Value;

use super::rule::{ANNOTATIONS, CONDITIONS, ConditionPart, Field, Number, Rule, count, text_of};
use super::spec::{MinReady, Version, WaitKind};

const STATUS: Field = &["status"];
pub(super) const GENERATION: Field = &["metadata", "generation"];
pub(super) const OBSERVED: Field = &["status", "observedGeneration"];
pub(super) const REPLICAS: Field = &["spec", "replicas"];
pub(super) const UPDATED: Field = &["status", "updatedReplicas"];
const AVAILABLE: Field = &["status", "availableReplicas"];
pub(super) const READY: Field = &["status", "readyReplicas"];
pub(super) const DESIRED_SCHEDULED: Field = &["status", "desiredNumberScheduled"];
pub(super) const UPDATED_SCHEDULED: Field = &["status", "updatedNumberScheduled"];
const NUMBER_AVAILABLE: Field = &["status", "numberAvailable"];
pub(super) const STRATEGY: Field = &["spec", "updateStrategy", "type"];
pub(super) const PARTITION: Field = &["spec", "updateStrategy", "rollingUpdate", "partition"];
pub(super) const CURRENT_REVISION: Field = &["status", "currentRevision"];
pub(super) const UPDATE_REVISION: Field = &["status", "updateRevision"];
const COMPLETIONS: Field = &["spec", "completions"];
const SUCCEEDED: Field = &["status", "succeeded"];
const PHASE: Field = &["status", "phase"];

/// The strategy with which Kubernetes itself rolls out updates.
pub(super) const ROLLING_UPDATE: &str = "RollingUpdate";
/// Annotation that makes an object a Helm hook.
pub(super) const HOOK: &str = "helm.sh/hook";
/// Hooks that make a pod a test pod (Armada: utils/helm.py, `is_test_pod`).
const TEST_HOOKS: &[&str] = &["test", "test-success", "test-failure"];

/// Objects that are listed but never awaited.
#[derive(Clone, Debug, PartialEq)]
pub struct Exclusion {
    /// Which objects.
    pub rule: Rule,
    /// Why, in Armada's words.
    pub reason: &'static str,
}

/// Something that must hold before an object is ready.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// What must hold.
    pub rule: Rule,
    /// The reason when it does not hold.
    pub unmet: Unmet,
}

/// Why an object is not ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// No controller has reported on it yet.
    Status,
    /// Its controller has not seen the last change.
    Observed,
    /// A Deployment without conditions. Armada ends with a TypeError.
    Conditions,
    /// A Deployment past its progress deadline.
    Progress,
    /// Not all pods are of the new kind.
    Updated(Field, Field),
    /// Too few pods are ready.
    MinReady(Field, Field, MinReady),
    /// Its last update is not rolled out automatically. Armada waits until its time limit and then fails.
    Strategy,
    /// Its last update stops at a partition. Armada waits out its time limit and fails then.
    Partition,
    /// A StatefulSet's update is not complete.
    Revision,
    /// A Job that is not complete.
    Completion,
    /// A pod that is neither ready nor done.
    Pod,
}

impl Unmet {
    /// Returns whether waiting longer cannot help.
    #[must_use]
    pub fn is_final(self) -> bool {
        match self {
            Unmet::Strategy | Unmet::Partition => true,
            Unmet::Status
            | Unmet::Observed
            | Unmet::Conditions
            | Unmet::Progress
            | Unmet::Updated(_, _)
            | Unmet::MinReady(_, _, _)
            | Unmet::Revision
            | Unmet::Completion
            | Unmet::Pod => false,
        }
    }

    /// Returns the reason, with the object's numbers.
    #[must_use]
    pub fn describe(self, object: &Value) -> String {
        match self {
            Unmet::Status => "no status yet".to_owned(),
            Unmet::Observed => "its last change is not observed yet".to_owned(),
            Unmet::Conditions => "no conditions yet".to_owned(),
            Unmet::Progress => "its progress deadline is exceeded".to_owned(),
            Unmet::Updated(updated, wanted) => format!(
                "{} of {} pods updated",
                count(object, updated),
                count(object, wanted)
            ),
            Unmet::MinReady(ready, total, min_ready) => format!(
                "{} of {} pods ready, min_ready is {min_ready}",
                count(object, ready),
                count(object, total)
            ),
            Unmet::Strategy => format!(
                "its update strategy is `{}` and allow_async_updates is off",
                text_of(object, STRATEGY)
            ),
            Unmet::Partition => {
                "its update stops at a partition and allow_async_updates is off".to_owned()
            }
            Unmet::Revision => format!(
                "its pods are not all at revision `{}`",
                text_of(object, UPDATE_REVISION)
            ),
            Unmet::Completion => format!(
                "{} of {} completions",
                count(object, SUCCEEDED),
                count(object, COMPLETIONS)
            ),
            Unmet::Pod => match (
                text_of(object, PHASE),
                text_of(object, &["status", "reason"]),
            ) {
                // Armada intends to exclude evicted pods, but checks for a phase that does not exist.
                ("Failed", "Evicted") => "evicted, delete it to continue".to_owned(),
                ("", _) => "not started".to_owned(),
                (phase, _) => format!("{} and not ready", phase.to_lowercase()),
            },
        }
    }
}

/// Returns what is listed but not awaited (Armada: `PodWait.get_exclude_reason`, `JobWait.get_exclude_reason`).
pub(super) fn exclusions(kind: WaitKind, version: Version) -> Vec<Exclusion> {
    let exclude = |rule, reason| Exclusion { rule, reason };
    match kind {
        WaitKind::Job => vec![exclude(
            Rule::Owned(Some("CronJob")),
            "owned by cronjob (not part of release)",
        )],
        WaitKind::Pod => vec![
            exclude(Rule::Listed(ANNOTATIONS, HOOK, TEST_HOOKS), "helm test pod"),
            exclude(Rule::Text(PHASE, "Evicted"), "pod was evicted"),
            match version {
                Version::V1 => exclude(Rule::Owned(Some("Job")), "owned by job"),
                Version::V2 => exclude(Rule::Owned(None), "owned by another resource"),
            },
        ],
        WaitKind::DaemonSet | WaitKind::StatefulSet | WaitKind::Deployment => Vec::new(),
    }
}

/// Returns when an object is ready, in the order in which Armada checks.
pub(super) fn requirements(
    kind: WaitKind,
    min_ready: MinReady,
    allow_async_updates: bool,
) -> Vec<Requirement> {
    let mut requirements = vec![require(Rule::Has(STATUS), Unmet::Status)];
    requirements.extend(match kind {
        WaitKind::Job => job(),
        WaitKind::DaemonSet => daemon_set(min_ready, allow_async_updates),
        WaitKind::StatefulSet => stateful_set(min_ready, allow_async_updates),
        WaitKind::Deployment => deployment(min_ready),
        WaitKind::Pod => pod(),
    });
    requirements
}

fn require(rule: Rule, unmet: Unmet) -> Requirement {
    Requirement { rule, unmet }
}

/// Armada: `JobWait.is_resource_ready`. Conditions are not checked.
fn job() -> Vec<Requirement> {
    vec![require(
        Rule::SameCount(COMPLETIONS, SUCCEEDED),
        Unmet::Completion,
    )]
}

/// Armada: `PodWait.is_resource_ready`.
fn pod() -> Vec<Requirement> {
    let ready = Rule::All(vec![
        Rule::Text(PHASE, "Running"),
        Rule::Condition("Ready", ConditionPart::Status, "True"),
    ]);
    let rule = Rule::Any(vec![Rule::Text(PHASE, "Succeeded"), ready]);
    vec![require(rule, Unmet::Pod)]
}

/// Armada: `DeploymentWait.is_resource_ready`. Its test for old pods can never be true and is omitted.
fn deployment(min_ready: MinReady) -> Vec<Requirement> {
    let stuck = Rule::Condition(
        "Progressing",
        ConditionPart::Reason,
        "ProgressDeadlineExceeded",
    );
    vec![
        observed(),
        require(Rule::Has(CONDITIONS), Unmet::Conditions),
        require(stuck.negated(), Unmet::Progress),
        updated(UPDATED, REPLICAS),
        enough(AVAILABLE, UPDATED, min_ready),
    ]
}

/// Armada: `DaemonSetWait.is_resource_ready`.
fn daemon_set(min_ready: MinReady, allow_async_updates: bool) -> Vec<Requirement> {
    let mut requirements = Vec::new();
    if !allow_async_updates {
        requirements.push(rolls_by_itself());
    }
    requirements.extend([
        observed(),
        updated(UPDATED_SCHEDULED, DESIRED_SCHEDULED),
        enough(NUMBER_AVAILABLE, DESIRED_SCHEDULED, min_ready),
    ]);
    requirements
}

/// Armada: `StatefulSetWait.is_resource_ready`.
fn stateful_set(min_ready: MinReady, allow_async_updates: bool) -> Vec<Requirement> {
    let mut requirements = Vec::new();
    let empty = || at_least(Number::Constant(0), Number::Field(REPLICAS));
    if !allow_async_updates {
        requirements.push(rolls_by_itself());
        let unpartitioned = at_least(Number::Constant(0), Number::Field(PARTITION));
        let rule = Rule::Any(vec![first_rollout(), empty(), unpartitioned]);
        requirements.push(require(rule, Unmet::Partition));
    }
    let seen = at_least(Number::Field(OBSERVED), Number::Constant(1));
    requirements.push(require(seen, Unmet::Observed));
    requirements.push(observed());
    let Requirement { rule, unmet } = enough(READY, REPLICAS, min_ready);
    requirements.push(require(Rule::Any(vec![empty(), rule]), unmet));
    requirements.push(require(
        Rule::SameText(UPDATE_REVISION, CURRENT_REVISION),
        Unmet::Revision,
    ));
    requirements
}

fn at_least(left: Number, right: Number) -> Rule {
    Rule::AtLeast(left, right)
}

fn observed() -> Requirement {
    let rule = at_least(Number::Field(OBSERVED), Number::Field(GENERATION));
    require(rule, Unmet::Observed)
}

fn updated(updated: Field, wanted: Field) -> Requirement {
    let rule = at_least(Number::Field(updated), Number::Field(wanted));
    require(rule, Unmet::Updated(updated, wanted))
}

/// Armada: `ControllerWait._is_min_ready`. It computes `ceil(total * (percent / 100))` in doubles; a
/// whole number reaches the ceiling of x exactly when it reaches x.
fn enough(ready: Field, total: Field, min_ready: MinReady) -> Requirement {
    let wanted = match min_ready {
        MinReady::Count(count) => Number::Constant(count),
        MinReady::Percent(percent) => Number::Share(total, percent),
    };
    require(
        at_least(Number::Field(ready), wanted),
        Unmet::MinReady(ready, total, min_ready),
    )
}

/// Armada reads any generation after the first as an update.
fn first_rollout() -> Rule {
    at_least(Number::Constant(1), Number::Field(OBSERVED))
}

fn rolls_by_itself() -> Requirement {
    let rolling = Rule::Text(STRATEGY, ROLLING_UPDATE);
    require(Rule::Any(vec![first_rollout(), rolling]), Unmet::Strategy)
}
