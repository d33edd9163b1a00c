//! Gates as rules for Flux's health checks: one for each kind, since Flux accepts no more.
//!
//! A health check replaces Flux's own check of *every* object of the kind in a release, and
//! it also decides when a hook of that kind is done. So it must be right for objects that
//! no gate selects, and for hooks.

use super::requirement::{self, HOOK, Requirement, Unmet};
use super::rule::{ANNOTATIONS, ConditionPart, Rule};
use super::{Gate, MinReady, WaitKind, helm};

/// The waits of Armada that a release's wait in Flux replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// Helm 3 waited for everything and Armada itself afterwards: both must be met.
    OfHelm3,
    /// The same with Helm 4, which requires every pod.
    OfHelm4,
    /// Only Armada itself waited: objects that no gate selects are ready.
    OfGates,
}

/// The health check of a kind.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthCheck {
    /// Kind of the checked objects.
    pub kind: WaitKind,
    /// When an object is done.
    pub current: Rule,
    /// When an object has failed; `None` when no gate defines it.
    pub failed: Option<Rule>,
}

/// Returns the health checks of a release's gates.
///
/// Pods have none: those of controllers are not objects of the release, and a hook's pod would
/// count as done while it still runs. A gate whose selector cannot be used leaves no check at all.
#[must_use]
pub fn checks(gates: &[Gate], waiting: Waiting) -> Vec<HealthCheck> {
    if gates.iter().any(|gate| gate.selected().is_err()) {
        return Vec::new();
    }
    let base = match waiting {
        Waiting::OfHelm3 => helm::three,
        Waiting::OfHelm4 | Waiting::OfGates => helm::four,
    };
    match waiting {
        // Armada waited for Jobs after the hooks, Helm not at all: a check would wait before the hooks.
        Waiting::OfHelm3 | Waiting::OfHelm4 => {
            let kinds = [
                WaitKind::DaemonSet,
                WaitKind::StatefulSet,
                WaitKind::Deployment,
            ];
            let awaited = |kind: &WaitKind| gates.iter().any(|gate| gate.spec.kind == *kind);
            let any = kinds.iter().any(awaited);
            // Without a check Flux uses kstatus for a kind, as Helm 4 does and Helm 3 does not.
            let checked = |kind: &WaitKind| match waiting {
                Waiting::OfHelm3 => any,
                Waiting::OfHelm4 | Waiting::OfGates => awaited(kind),
            };
            kinds
                .into_iter()
                .filter(checked)
                .map(|kind| of_helm(kind, gates, base(kind)))
                .collect()
        }
        Waiting::OfGates => WaitKind::ALL
            .into_iter()
            .filter(|kind| *kind != WaitKind::Pod)
            .map(|kind| of_gates(kind, gates))
            .collect(),
    }
}

/// Returns Helm's rules for every object, and the rules of the gates beyond them.
fn of_helm(kind: WaitKind, gates: &[Gate], base: Vec<Rule>) -> HealthCheck {
    let all_pods = requirement::requirements(kind, MinReady::DEFAULT, true);
    let wants_all = all_pods
        .iter()
        .all(|required| base.contains(&required.rule));
    let mut rules = base.clone();
    for gate in gates.iter().filter(|gate| gate.spec.kind == kind) {
        let is_met = |required: &&Requirement| {
            let is_share = matches!(
                required.unmet,
                Unmet::MinReady(_, _, MinReady::Percent(..=100))
            );
            base.contains(&required.rule) || is_share && wants_all
        };
        let beyond: Vec<Rule> = gate
            .requirements()
            .iter()
            .filter(|required| !is_met(required))
            .map(|required| required.rule.clone())
            .collect();
        if !beyond.is_empty() {
            rules.push(gate.awaited().implies(one_or_all(beyond)));
        }
    }
    HealthCheck {
        kind,
        current: Rule::All(rules),
        failed: failed(kind, gates),
    }
}

fn of_gates(kind: WaitKind, gates: &[Gate]) -> HealthCheck {
    let mut rules = Vec::new();
    for gate in gates.iter().filter(|gate| gate.spec.kind == kind) {
        match gate.awaited() {
            Rule::Constant(true) => {
                let required = gate.requirements().iter();
                rules.extend(required.map(|required| required.rule.clone()));
            }
            awaited => rules.push(awaited.implies(gate.ready())),
        }
    }
    let mut failed = failed(kind, gates);
    if kind == WaitKind::Job {
        let hook = Rule::Key(ANNOTATIONS, HOOK.into());
        let condition = |kind| Rule::Condition(kind, ConditionPart::Status, "True");
        rules.push(hook.clone().implies(condition("Complete")));
        failed = Some(Rule::All(vec![hook, condition("Failed")]));
    }
    HealthCheck {
        kind,
        current: if rules.is_empty() {
            Rule::Constant(true)
        } else {
            Rule::All(rules)
        },
        failed,
    }
}

fn failed(kind: WaitKind, gates: &[Gate]) -> Option<Rule> {
    let mut rules = Vec::new();
    for gate in gates.iter().filter(|gate| gate.spec.kind == kind) {
        let failed = gate.failed();
        if failed == Rule::Any(Vec::new()) {
            continue;
        }
        let rule = match gate.awaited() {
            Rule::Constant(true) => failed,
            awaited => Rule::All(vec![awaited, failed]),
        };
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    match rules.len() {
        0 => None,
        1 => rules.pop(),
        _ => Some(Rule::Any(rules)),
    }
}

fn one_or_all(mut rules: Vec<Rule>) -> Rule {
    match (rules.len(), rules.pop()) {
        (1, Some(rule)) => rule,
        (_, last) => {
            rules.extend(last);
            Rule::All(rules)
        }
    }
}
