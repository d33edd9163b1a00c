//! One part: what it is now, what would change, the write, and the wait until it is done.

use tokio::time::{Duration, Instant};

use super::error::{Error, PartError};
use super::event::Moment;
use super::run::Run;
use super::{delete, wait, write};
use crate::flux::{Object, ReleaseView};
use crate::rollout::change::{self, Change};
use crate::rollout::journal::Finish;
use crate::rollout::readiness::{self, Expected, Progress};
use crate::rollout::{OnFailure, Part, PartId, Release, Until};
use crate::value::Text;

/// Brings one part to its end.
pub(super) async fn go(
    run: &Run<'_>,
    id: &PartId,
    part: &Part,
    stage_ends: Option<Instant>,
) -> Result<Finish, Error> {
    match steps(run, id, part, stage_ends).await {
        Ok(finish) => Ok(finish),
        Err(PartError::Run(error)) => Err(error),
        Err(PartError::Failed(reason)) => {
            let reason = run.scrubber.scrub(&reason);
            Ok(Finish::Failed {
                reason: reason.into(),
            })
        }
    }
}

async fn steps(
    run: &Run<'_>,
    id: &PartId,
    part: &Part,
    stage_ends: Option<Instant>,
) -> Result<Finish, PartError> {
    let Part {
        object,
        until,
        timeout,
        on_failure,
    } = part;
    run.check()?;
    if let Until::Released(release) = until
        && let Some(finish) = protected(run, release, object, *on_failure)?
    {
        return Ok(finish);
    }
    run.tell(id, Moment::Asking);
    let Some(kind) = run.cluster.kind(&object.api_version, &object.kind).await? else {
        let (kind, api) = (&object.kind, &object.api_version);
        let reason = format!("kind {kind} of {api} is not served");
        return Err(PartError::Failed(reason));
    };
    let live = run.live(&kind, object).await?;
    let answer = run.cluster.dry_run_apply(object, live.as_ref(), false);
    let would = write::accepted(answer.await?).map_err(PartError::Failed)?;
    let change = change::change(live.as_ref(), &would);
    let finished = run.before.is_some_and(|before| before.is_finished(id));
    if finished && change != Change::Unchanged {
        let reason = "somebody changed it after this run was done with it: look at `armada2flux diff`, then begin a \
                      new run";
        return Err(PartError::Failed(reason.to_owned()));
    }
    if change != Change::Unchanged
        && let Some(other) = held_up_by(run, object)
    {
        return Err(PartError::Failed(format!(
            "it depends on release `{other}`, which had failed before this run, is protected and was left as it is: \
             flux does not move it until that one is repaired"
        )));
    }
    let limit = Duration::from_secs(u64::try_from(*timeout).unwrap_or_default());
    let ends = Instant::now() + limit;
    let ends = stage_ends.map_or(ends, |stage| stage.min(ends));
    let written = match (&change, until) {
        (Change::Unchanged, _) => None,
        (Change::Changed { upgrades: true }, Until::Released(release)) => {
            delete::before(run, id, release, ends).await?;
            Some(write::apply(run, id, object, live.as_ref()).await?)
        }
        (Change::Created | Change::Changed { .. }, _) => {
            Some(write::apply(run, id, object, live.as_ref()).await?)
        }
    };
    let (current, finish) = match written {
        None => (live.unwrap_or(would), Finish::Unchanged),
        Some(current) => (current, Finish::Applied),
    };
    match until {
        Until::Applied => {}
        Until::Filled(keys) => wait::filled(&current, keys).map_err(PartError::Failed)?,
        Until::Artifact { commit } => {
            wait::artifact(run, id, &kind, &current, commit.as_deref(), ends).await?;
        }
        Until::Released(release) => {
            if wait::released(run, id, &kind, &current, release, ends).await? {
                return Ok(Finish::Applied);
            }
        }
    }
    Ok(finish)
}

/// What Armada does with a release that had failed before the run (Armada: handlers/chart_deploy.py).
fn protected(
    run: &Run<'_>,
    release: &Release,
    object: &Object,
    on_failure: OnFailure,
) -> Result<Option<Finish>, PartError> {
    let key = format!(
        "{}/{}",
        object.namespace.as_deref().unwrap_or_default(),
        object.name
    );
    if !run.failed_before.iter().any(|failed| *failed == key) {
        return Ok(None);
    }
    match on_failure {
        OnFailure::Stop => Ok(None),
        OnFailure::PassOver => {
            let key = (
                object.namespace.clone().unwrap_or_default(),
                object.name.clone(),
            );
            run.passed_over.borrow_mut().insert(key);
            Ok(Some(Finish::PassedOver))
        }
        OnFailure::Refuse => Err(PartError::Failed(format!(
            "release `{}` had failed before this run and is protected: repair it by hand, then run again",
            release.name
        ))),
    }
}

/// The dependency of a release that was left as it is, if it has one: Flux holds whatever depends on it.
fn held_up_by(run: &Run<'_>, object: &Object) -> Option<Text> {
    let passed_over = run.passed_over.borrow();
    ReleaseView::of(object)?.depends_on().find_map(|other| {
        passed_over
            .contains(&(other.namespace?, other.name.clone()))
            .then_some(other.name)
    })
}

/// What a part lacks to be as the rollout wants it, if it lacks anything. Nothing is written.
pub(super) async fn lacks(run: &Run<'_>, part: &Part) -> Result<Option<String>, Error> {
    let object = &part.object;
    let Some(kind) = run.cluster.kind(&object.api_version, &object.kind).await? else {
        return Ok(Some("its kind is not served".to_owned()));
    };
    let Some(live) = run.live(&kind, object).await? else {
        return Ok(Some("it is not there".to_owned()));
    };
    let answer = run.cluster.dry_run_apply(object, Some(&live), false);
    let would = match write::accepted(answer.await?) {
        Ok(would) => would,
        Err(reason) => return Ok(Some(reason)),
    };
    if change::change(Some(&live), &would) != Change::Unchanged {
        return Ok(Some("it is not as the input says".to_owned()));
    }
    let expected = Expected {
        generation: live.generation().unwrap_or_default(),
        retried: None,
    };
    let progress = match &part.until {
        Until::Applied => return Ok(None),
        Until::Filled(keys) => return Ok(wait::filled(&live, keys).err()),
        Until::Artifact { commit } => {
            readiness::artifact(&live.value, expected.generation, commit.as_deref())
        }
        Until::Released(_) => readiness::release(&live.value, &expected),
    };
    Ok(match progress {
        Progress::Ready => None,
        Progress::Waiting(why) | Progress::Failed(why) => Some(format!("it is not ready: {why}")),
    })
}
