//! One part: what it is now, what would change, the write, and the wait until it is done.

use std::rc::Rc;

use tokio::time::{Duration, Instant};

use super::event::Moment;
use super::observe::View;
use super::run::{Error, Run};
use super::{delete, wait, write};
use crate::cluster::{KindRef, ObjectRef};
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
    match steps(run, id, part, stage_ends).await? {
        Ok(finish) => Ok(finish),
        Err(reason) => {
            let reason = run.scrubber.scrub(&reason);
            Ok(Finish::Failed {
                reason: reason.into(),
            })
        }
    }
}

/// The inner result is about the part, the outer one about the run.
async fn steps(
    run: &Run<'_>,
    id: &PartId,
    part: &Part,
    stage_ends: Option<Instant>,
) -> Result<Result<Finish, String>, Error> {
    let Part {
        object,
        until,
        timeout,
        on_failure,
    } = part;
    run.check()?;
    if let Until::Released(release) = until
        && let Some(end) = protected(run, release, object, *on_failure)
    {
        return Ok(end);
    }
    run.tell(id, Moment::Asking);
    let Some(kind) = run.cluster.kind(&object.api_version, &object.kind).await? else {
        let (kind, api) = (&object.kind, &object.api_version);
        return Ok(Err(format!("kind {kind} of {api} is not served")));
    };
    let live = run.live(&kind, object).await?;
    let answer = run.cluster.dry_run_apply(object, live.as_ref(), false);
    let would = match write::accepted(answer.await?) {
        Ok(would) => would,
        Err(reason) => return Ok(Err(reason)),
    };
    let change = change::change(live.as_ref(), &would);
    let finished = run.before.is_some_and(|before| before.is_finished(id));
    if finished && change != Change::Unchanged {
        return Ok(Err("somebody changed it after this run was done with it: look at `armada2flux diff`, then \
                       begin a new run"
            .to_owned()));
    }
    if change != Change::Unchanged
        && let Some(other) = held_up_by(run, object)
    {
        return Ok(Err(format!(
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
            if let Err(reason) = delete::before(run, id, release, ends).await? {
                return Ok(Err(reason));
            }
            Some(write::apply(run, id, object, live.as_ref()).await?)
        }
        (Change::Created | Change::Changed { .. }, _) => {
            Some(write::apply(run, id, object, live.as_ref()).await?)
        }
    };
    let (current, finish) = match written {
        None => (live.unwrap_or(would), Finish::Unchanged),
        Some(Ok(current)) => (current, Finish::Applied),
        Some(Err(reason)) => return Ok(Err(reason)),
    };
    let ended = match until {
        Until::Applied => Ok(finish),
        Until::Filled(keys) => wait::filled(&current, keys).map(|()| finish),
        Until::Artifact { commit } => {
            let ready = wait::artifact(run, id, &kind, &current, commit.as_deref(), ends);
            ready.await?.map(|()| finish)
        }
        Until::Released(release) => {
            let moved = wait::released(run, id, &kind, &current, release, ends).await?;
            moved.map(|moved| if moved { Finish::Applied } else { finish })
        }
    };
    Ok(ended)
}

/// What Armada does with a release that had failed before the run (Armada: handlers/chart_deploy.py).
fn protected(
    run: &Run<'_>,
    release: &Release,
    object: &Object,
    on_failure: OnFailure,
) -> Option<Result<Finish, String>> {
    let key = format!(
        "{}/{}",
        object.namespace.as_deref().unwrap_or_default(),
        object.name
    );
    if !run.failed_before.iter().any(|failed| *failed == key) {
        return None;
    }
    match on_failure {
        OnFailure::Stop => None,
        OnFailure::PassOver => {
            let key = (
                object.namespace.clone().unwrap_or_default(),
                object.name.clone(),
            );
            run.passed_over.borrow_mut().insert(key);
            Some(Ok(Finish::PassedOver))
        }
        OnFailure::Refuse => Some(Err(format!(
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

impl Run<'_> {
    /// The object as it is now: what a controller works on is watched anyway, the rest is read once.
    async fn live(&self, kind: &KindRef, object: &Object) -> Result<Option<Object>, Error> {
        if !object.is_of_flux() {
            return Ok(self.cluster.read(&ObjectRef::from(object)).await?);
        }
        let view = self.watched(kind, object);
        Ok(view.object(object.namespace.as_ref(), &object.name).await?)
    }

    /// The watch in which an object of Flux is seen; it stays open for the whole run.
    pub(super) fn watched(&self, kind: &KindRef, object: &Object) -> Rc<View> {
        let view = self.follow(kind, object.namespace.as_ref(), &Text::new());
        let mut kept = self.kept.borrow_mut();
        if !kept.iter().any(|known| Rc::ptr_eq(known, &view)) {
            kept.push(Rc::clone(&view));
        }
        view
    }
}
