//! Everything that is looked at before a run: what it lacks, what forbids it, what it will change. Nothing is written.

use std::path::Path;

use jiff::Timestamp;

use super::super::access::failure;
use super::super::{Failure, Output, warnings};
use super::Arguments;
use crate::apply::{Found, Options, Present};
use crate::cluster::Cluster;
use crate::report::plan::{self, Refusal, Report};
use crate::rollout::Rollout;
use crate::rollout::journal::RunInfo;
use crate::rollout::saved::{self, Mismatch, Saved};
use crate::survey;
use crate::value::Text;

/// What was seen.
pub(super) struct Preflight {
    /// What the run works on.
    pub(super) info: RunInfo,
    /// What it is going to do.
    pub(super) plan: Report,
    /// What the cluster holds.
    pub(super) found: Found,
}

/// Looks, and refuses the run when anything forbids it.
pub(super) async fn preflight(
    arguments: &Arguments,
    output: &Output,
    rollout: &Rollout,
    options: &Options,
    cluster: &Cluster,
) -> Result<Preflight, Failure> {
    let needs = survey::needs(rollout, &arguments.state_namespace);
    let preflight = cluster.preflight(&needs).await.map_err(failure)?;
    preflight
        .complete()
        .map_err(|missing| failure(missing).refused())?;
    let fingerprint = cluster.identity().await.map_err(failure)?;
    let planned = same_as_planned(arguments, rollout, &fingerprint)?;
    let active = survey::active(cluster).await.map_err(failure)?;
    if !active.is_empty() {
        let refusals = active.into_iter().map(|active| Refusal {
            why: active.to_string(),
            hint: active.hint(),
        });
        return Err(refused("Armada is running in this cluster", refusals));
    }
    let warn = warnings::to_stderr(output);
    let assessment = survey::assess(cluster, rollout, arguments.ask.ask(), &warn).await;
    let assessment = assessment.map_err(failure)?;
    warnings::say_requests(cluster, output);
    let mut refusals = Vec::new();
    let mut failed_before = Vec::new();
    let mut present = Present::new();
    for ((stage, _, item), assessed) in rollout.items().zip(&assessment.items) {
        if options.concerns(stage) {
            refusals.extend(plan::refusals(assessed));
        }
        if let Some(uid) = &assessed.uid {
            present.insert(item.object.key(), uid.clone());
        }
        if assessed.failed_before {
            let namespace = item.object.namespace.as_deref().unwrap_or_default();
            failed_before.push(Text::from(format!("{namespace}/{}", item.object.name)));
        }
    }
    if !refusals.is_empty() {
        return Err(refused("the cluster does not allow the run", refusals));
    }
    let report = plan::report(rollout, &assessment, cluster.server());
    if let Some((file, planned)) = planned {
        let concerned = rollout.items().map(|(stage, _, _)| options.concerns(stage));
        let actions = report.actions().into_iter().zip(concerned);
        let actions = actions.map(|(action, concerned)| concerned.then_some(action));
        saved::verify_actions(&planned, actions).map_err(|mismatch| unusable(file, &mismatch))?;
    }
    Ok(Preflight {
        info: RunInfo {
            site: rollout.site.clone(),
            rollout: crate::rollout::digest(rollout),
            cluster: fingerprint,
            server: cluster.server().into(),
            // Known when the locks are taken, with the run.
            holder: Text::new(),
            program: env!("CARGO_PKG_VERSION").into(),
            failed_before,
        },
        plan: report,
        found: Found {
            present,
            admission: assessment.admission,
        },
    })
}

/// Returns the saved plan; refuses when it is stale, of another cluster, or of another input.
fn same_as_planned<'a>(
    arguments: &'a Arguments,
    rollout: &Rollout,
    fingerprint: &str,
) -> Result<Option<(&'a Path, Saved)>, Failure> {
    let Some(file) = &arguments.plan else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(file).map_err(|cause| Failure::io("read", file, cause))?;
    let plan = saved::read(&text).map_err(|error| {
        let act = format!("cannot use the plan `{}`: {error}", file.display());
        Failure::new(act)
            .hint("plan again: armada2flux plan … -o plan.json")
            .refused()
    })?;
    saved::verify(&plan, rollout, fingerprint, Timestamp::now())
        .map_err(|mismatch| unusable(file, &mismatch))?;
    Ok(Some((file, plan)))
}

fn unusable(file: &Path, mismatch: &Mismatch) -> Failure {
    let act = format!("cannot use the plan `{}`: {mismatch}", file.display());
    Failure::new(act).hint(mismatch.hint()).refused()
}

/// A refusal with all its reasons, each with what to do.
fn refused(title: &str, refusals: impl IntoIterator<Item = Refusal>) -> Failure {
    let refusals = refusals.into_iter();
    refusals
        .fold(Failure::new(title), |failure, Refusal { why, hint }| {
            failure.detail(why, Some(hint))
        })
        .hint("nothing was written; `armada2flux plan` shows the whole plan")
        .refused()
}
