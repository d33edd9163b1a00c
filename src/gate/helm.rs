//! When Helm's own wait (`helm install --wait`) treats an object as ready, as rules.
//!
//! Helm 3 (pkg/kube/ready.go) does not count dead pods that a rolling update may take away: with
//! `maxUnavailable: 1`, the default of DaemonSets, one pod may never become ready. Helm 4 asks kstatus,
//! which wants every pod.

use super::requirement::{
    self, CURRENT_REVISION, DESIRED_SCHEDULED, GENERATION, OBSERVED, PARTITION, READY, REPLICAS,
    ROLLING_UPDATE, STRATEGY, UPDATE_REVISION, UPDATED, UPDATED_SCHEDULED,
};
use super::rule::{Field, Number, Rule};
use super::{MinReady, WaitKind};

const ALL: Field = &["status", "replicas"];
const NUMBER_READY: Field = &["status", "numberReady"];
const MAX_UNAVAILABLE: Field = &["spec", "strategy", "rollingUpdate", "maxUnavailable"];
const MAX_SURGE: Field = &["spec", "strategy", "rollingUpdate", "maxSurge"];
const MAX_UNAVAILABLE_DAEMONS: Field =
    &["spec", "updateStrategy", "rollingUpdate", "maxUnavailable"];

/// Returns the rules of Helm 3; none for kinds without a health check where Helm waited.
pub(super) fn three(kind: WaitKind) -> Vec<Rule> {
    match kind {
        WaitKind::Deployment => deployment(),
        WaitKind::StatefulSet => stateful_set(),
        WaitKind::DaemonSet => daemon_set(),
        WaitKind::Job | WaitKind::Pod => Vec::new(),
    }
}

/// Returns the rules of Helm 4: those of a gate for all pods, with any update strategy.
pub(super) fn four(kind: WaitKind) -> Vec<Rule> {
    let requirements = requirement::requirements(kind, MinReady::DEFAULT, true);
    let requirements = requirements.into_iter();
    requirements.map(|required| required.rule).collect()
}

/// Helm counts the ready pods of the newest ReplicaSet, which a Deployment does not report; once there are no
/// older pods they are the only ones, and a rollout with few enough dead pods reaches that state.
fn deployment() -> Vec<Rule> {
    let share = || Number::Scaled(MAX_UNAVAILABLE, REPLICAS);
    let missing = || Number::Missing(REPLICAS, READY, 0);
    let no_surge = at_least(Number::Constant(0), Number::Scaled(MAX_SURGE, REPLICAS));
    // Kubernetes allows one missing pod where both round to 0.
    let at_least_one = Rule::All(vec![
        Rule::Has(MAX_UNAVAILABLE),
        no_surge,
        at_least(Number::Constant(1), missing()),
    ]);
    vec![
        at_least(Number::Field(OBSERVED), Number::Field(GENERATION)),
        at_least(Number::Field(UPDATED), Number::Field(ALL)),
        Rule::Any(vec![at_least(share(), missing()), at_least_one]),
    ]
}

fn daemon_set() -> Vec<Rule> {
    // A share is rounded up here: one pod less than are missing must be less than the share.
    let too_many = at_least(
        Number::Missing(DESIRED_SCHEDULED, NUMBER_READY, 1),
        Number::Scaled(MAX_UNAVAILABLE_DAEMONS, DESIRED_SCHEDULED),
    );
    let rolled_out = Rule::All(vec![
        at_least(
            Number::Field(UPDATED_SCHEDULED),
            Number::Field(DESIRED_SCHEDULED),
        ),
        too_many.negated(),
    ]);
    by_strategy(rolled_out)
}

fn stateful_set() -> Vec<Rule> {
    let unpartitioned = at_least(Number::Constant(0), Number::Field(PARTITION));
    let rolled_out = Rule::All(vec![
        at_least(
            Number::Field(PARTITION),
            Number::Missing(REPLICAS, UPDATED, 0),
        ),
        at_least(Number::Field(READY), Number::Field(REPLICAS)),
        at_least(Number::Field(REPLICAS), Number::Field(READY)),
        unpartitioned.implies(Rule::SameText(UPDATE_REVISION, CURRENT_REVISION)),
    ]);
    by_strategy(rolled_out)
}

/// Helm waits for rolling updates only.
fn by_strategy(rolled_out: Rule) -> Vec<Rule> {
    vec![
        at_least(Number::Field(OBSERVED), Number::Field(GENERATION)),
        Rule::Text(STRATEGY, ROLLING_UPDATE).implies(rolled_out),
    ]
}

fn at_least(left: Number, right: Number) -> Rule {
    Rule::AtLeast(left, right)
}
