//! The order of the releases, and how long a change of all of them may take.

use schemars::JsonSchema;
use serde::Serialize;

use crate::flux::REQUEUE_DEPENDENCY;
use crate::lower::Totals;
use crate::plan::Plan;

/// The order of the releases and what it costs in plain Flux.
#[derive(Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Order {
    /// Steps that come one after another.
    pub steps: usize,
    /// Entries of `dependsOn`, of all HelmReleases.
    pub dependencies: usize,
    /// How long helm-controller waits before it checks dependencies again, in seconds: the default of
    /// its `--requeue-dependency`.
    pub requeue_seconds: i64,
    /// How long plain Flux may wait between the steps in all, in seconds, when every step changes: each
    /// step but the first may start a whole `requeue_seconds` late. `apply` does not wait.
    pub rest_seconds: i64,
    /// Sum of the time limits of the critical path, in seconds, without tests.
    pub limit_seconds: i64,
    /// The critical path: the release with the longest time limit of each step, in order.
    pub critical_path: Vec<Slowest>,
}

/// A release of the critical path.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Slowest {
    /// Name of the HelmRelease.
    pub name: String,
    /// Namespace of the HelmRelease.
    pub namespace: String,
    /// Time limit of each Helm action, in seconds.
    pub timeout: i64,
}

/// Computes the order of a plan.
#[must_use]
pub fn order(plan: &Plan<'_, '_>, totals: &Totals) -> Order {
    let critical_path: Vec<Slowest> = plan
        .critical_path()
        .map(|release| Slowest {
            name: release.name.to_string(),
            namespace: release.namespace.to_string(),
            timeout: release.timeout,
        })
        .collect();
    let steps = critical_path.len();
    let rests = i64::try_from(steps.saturating_sub(1)).unwrap_or(i64::MAX);
    let limits = critical_path.iter().map(|slowest| slowest.timeout);
    Order {
        steps,
        dependencies: totals.dependencies,
        requeue_seconds: REQUEUE_DEPENDENCY.0,
        rest_seconds: rests.saturating_mul(REQUEUE_DEPENDENCY.0),
        limit_seconds: limits.fold(0, i64::saturating_add),
        critical_path,
    }
}
