//! How a release waits in Flux, and which of Armada's waits Flux does not act on.
//!
//! Armada's own waits come after Helm *and its hooks*; everything Flux can wait for comes before
//! post-install hooks. So they are kept as gates for `apply`, and become health checks only where
//! Helm waited for the same objects anyway, or where an option says that it is safe.

use std::collections::BTreeSet;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::flux::helm_release::{HealthCheckExpr, Strategy, Wait};
use crate::gate::{Gate, WaitKind, health};
use crate::plan::Release;
use crate::secret;
use crate::value::Text;

/// How the tree handles Armada's own waits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Waits {
    /// An annotation that `apply` acts on.
    #[default]
    Gates,
    /// The annotation, and health checks where Flux can act on them.
    Cel {
        /// Names of releases for which Flux may wait before post-install hooks, where Armada waited after.
        before_hooks: BTreeSet<Text>,
    },
}

/// The Helm that Armada ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArmadaHelm {
    /// Helm 3: `--wait` uses its own rules.
    #[default]
    Three,
    /// Helm 4: `--wait` watches and uses kstatus, as Flux does by default.
    Four,
}

/// How a release waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) wait: Wait,
    pub(super) health_checks: Vec<HealthCheckExpr>,
}

/// Decides how the release waits and reports what plain Flux does not wait for.
pub(super) fn waiting(
    release: &Release<'_, '_>,
    gates: &[Gate],
    waits: &Waits,
    helm: ArmadaHelm,
    diagnostics: &mut Diagnostics,
) -> Waiting {
    let wait = if release.native_wait {
        Wait::On(match helm {
            ArmadaHelm::Three => Strategy::Legacy,
            ArmadaHelm::Four => Strategy::Poller,
        })
    } else {
        Wait::Off
    };
    let checks = checks(release, gates, waits, helm);
    report(release, gates, &checks, waits, diagnostics);
    if checks.is_empty() {
        return Waiting {
            wait,
            health_checks: Vec::new(),
        };
    }
    Waiting {
        // The legacy strategy ignores health checks.
        wait: Wait::On(Strategy::Poller),
        health_checks: checks
            .iter()
            .map(|check| HealthCheckExpr {
                api_version: check.kind.api_version(),
                kind: check.kind.kind_name(),
                current: check.current.cel().into(),
                failed: check.failed.as_ref().map(|failed| failed.cel().into()),
            })
            .collect(),
    }
}

fn checks(
    release: &Release<'_, '_>,
    gates: &[Gate],
    waits: &Waits,
    helm: ArmadaHelm,
) -> Vec<health::HealthCheck> {
    let of_helm = match helm {
        ArmadaHelm::Three => health::Waiting::OfHelm3,
        ArmadaHelm::Four => health::Waiting::OfHelm4,
    };
    match waits {
        Waits::Gates => Vec::new(),
        Waits::Cel { .. } if release.native_wait => health::checks(gates, of_helm),
        Waits::Cel { before_hooks } if before_hooks.contains(&release.name) => {
            health::checks(gates, health::Waiting::OfGates)
        }
        Waits::Cel { .. } => Vec::new(),
    }
}

fn report(
    release: &Release<'_, '_>,
    gates: &[Gate],
    checks: &[health::HealthCheck],
    waits: &Waits,
    diagnostics: &mut Diagnostics,
) {
    let Release { name, chart, .. } = release;
    if gates.is_empty() {
        return;
    }
    let span = chart.wait.resources_span.unwrap_or(chart.head.name.span);
    for error in gates.iter().filter_map(|gate| gate.selected().err()) {
        let labels = release.waits.iter().flat_map(|wait| &wait.labels);
        let secret = labels
            .into_iter()
            .any(|(_, value)| secret::text_looks_secret(value));
        let why = if secret {
            "the API server refuses its label selector".to_owned()
        } else {
            error.to_string()
        };
        let message = format!("release `{name}`: Armada's own wait can never succeed: {why}");
        diagnostics.push(
            Diagnostic::new(Code::DeployFault, message)
                .at(span, "of this wait")
                .help("correct the labels under `wait`"),
        );
    }
    let of = |checked: bool| -> Vec<&str> {
        WaitKind::ALL
            .iter()
            .filter(|kind| {
                let is_checked = checks.iter().any(|check| check.kind == **kind);
                gates.iter().any(|gate| gate.spec.kind == **kind) && is_checked == checked
            })
            .map(|kind| kind.word())
            .collect()
    };
    let (checked, rest) = (of(true), of(false));
    let message = match (checked.is_empty(), rest.is_empty()) {
        (true, _) => format!(
            "release `{name}`: Armada itself waited for its objects after Helm, plain Flux does not"
        ),
        (false, true) => format!(
            "release `{name}`: health checks approximate Armada's waits for {}",
            checked.join(", ")
        ),
        (false, false) => format!(
            "release `{name}`: health checks approximate Armada's waits for {}, plain Flux does not wait for {}",
            checked.join(", "),
            rest.join(", ")
        ),
    };
    let help = match (waits, checks.is_empty()) {
        (Waits::Gates, _) => "the wait is kept as an annotation that `apply` acts on",
        (Waits::Cel { .. }, true) if release.native_wait => {
            "`apply` waits for them after post-install hooks, as Armada did; Flux could only wait before"
        }
        (Waits::Cel { .. }, true) => {
            "Flux would wait before post-install hooks, Armada waited after them; if no pod needs such a hook, name the release with `--cel-before-hooks`"
        }
        (Waits::Cel { .. }, false) => {
            "Flux checks only objects of the chart, before post-install hooks, and passes when one is missing; `apply` waits as Armada did"
        }
    };
    let place = match chart.wait.resources_span {
        Some(_) => "this wait",
        None => "this chart's default waits",
    };
    diagnostics.push(
        Diagnostic::new(Code::GateNotCarried, message)
            .at(span, place)
            .help(help),
    );
}
