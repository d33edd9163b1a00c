//! One item: dry run, write, and the wait until the object is done.

use tokio::time::{Duration, Instant};

use super::error::{Error, PartError};
use super::event::ItemState;
use super::prepared::Moment;
use super::run::Run;
use super::{delete, ground, guard, wait, write};
use crate::cluster::KindRef;
use crate::flux::{Object, ReleaseView};
use crate::rollout::change::{self, Change};
use crate::rollout::journal::{ItemOutcome, Write};
use crate::rollout::readiness::{self, Expected, Readiness};
use crate::rollout::{DoneWhen, Item, ItemId, OnFailure, Release};
use crate::value::Text;

/// The largest number of writes of an object whose version changes each time.
const MAX_WRITES: usize = 10;
/// The time between two of them.
const BETWEEN_WRITES: Duration = Duration::from_millis(200);

/// Rolls out one item; a failure of the item is an outcome, not an error.
pub(super) async fn roll_out(
    run: &Run<'_>,
    id: &ItemId,
    item: &Item,
    stage_ends: Option<Instant>,
) -> Result<ItemOutcome, Error> {
    match try_roll_out(run, id, item, stage_ends).await {
        Ok(outcome) => Ok(outcome),
        Err(PartError::Run(error)) => Err(error),
        Err(PartError::Failed(reason)) => {
            let reason = run.scrubber.scrub(&reason);
            Ok(ItemOutcome::Failed {
                reason: reason.into(),
            })
        }
    }
}

async fn try_roll_out(
    run: &Run<'_>,
    id: &ItemId,
    item: &Item,
    stage_ends: Option<Instant>,
) -> Result<ItemOutcome, PartError> {
    let Item {
        object,
        done_when,
        timeout,
        on_failure,
    } = item;
    run.check()?;
    if let DoneWhen::ReleaseReady(release) = done_when
        && let Some(outcome) = protect(run, release, object, *on_failure)?
    {
        return Ok(outcome);
    }
    run.emit(id, ItemState::DryRun);
    let Some(kind) = run.cluster.kind(&object.api_version, &object.kind).await? else {
        let (kind, api) = (&object.kind, &object.api_version);
        let reason = format!("kind {kind} of {api} is not served");
        return Err(PartError::Failed(reason));
    };
    if let DoneWhen::ReleaseReady(_) = done_when {
        ground::check(run, object, Moment::Before).await?;
    }
    let limit = Duration::from_secs(u64::try_from(*timeout).unwrap_or_default());
    let ends = Instant::now() + limit;
    let ends = stage_ends.map_or(ends, |stage| stage.min(ends));
    let Settled { current, outcome } = settle(run, id, item, &kind, ends).await?;
    match done_when {
        DoneWhen::Applied => {}
        DoneWhen::KeysFilled(keys) => {
            wait::check_keys(&current, keys).map_err(PartError::Failed)?
        }
        DoneWhen::ArtifactReady { commit } => {
            let wait = wait::Wait::new(run, id, item, &kind, ends);
            wait::for_artifact(&wait, &current, commit.as_deref()).await?;
        }
        DoneWhen::ReleaseReady(release) => {
            let wait = wait::Wait::new(run, id, item, &kind, ends);
            let moved = wait::for_release(&wait, &current, release).await?;
            ground::check(run, object, Moment::After).await?;
            if moved {
                return Ok(ItemOutcome::Applied);
            }
        }
    }
    ground::remember(run, &kind, object).await?;
    Ok(outcome)
}

/// An object that is as the input says.
struct Settled {
    current: Object,
    outcome: ItemOutcome,
}

/// Applies the object, unless it is up to date. The write is bound to the version that the guards have seen: when
/// somebody was quicker, guards and dry run are asked again.
async fn settle(
    run: &Run<'_>,
    id: &ItemId,
    item: &Item,
    kind: &KindRef,
    ends: Instant,
) -> Result<Settled, PartError> {
    let object = &item.object;
    let mut tried = false;
    let mut deleted = false;
    for _ in 0..MAX_WRITES {
        let live = run.live(kind, object).await?;
        guard::check(run, item, live.as_ref()).await?;
        let answer = run.would_be(kind, object, live.as_ref()).await?;
        let would = write::accepted(answer).map_err(PartError::Failed)?;
        let change = change::change(live.as_ref(), &would);
        if change == Change::Unchanged {
            let current = live.unwrap_or(would);
            // The answer to a write of this process was lost.
            let outcome = match tried {
                true => ItemOutcome::Applied,
                false => ItemOutcome::Unchanged,
            };
            if tried {
                run.record_done(id, Write::Apply, current.generation())?;
            }
            return Ok(Settled { current, outcome });
        }
        may_change(run, id, object)?;
        if let (Change::Changed { upgrades: true }, DoneWhen::ReleaseReady(release), false) =
            (&change, &item.done_when, deleted)
        {
            delete::before_upgrade(run, id, release, ends).await?;
            deleted = true;
        }
        if let Some(current) = write::apply(run, id, object, live.as_ref()).await? {
            guard::refuses(run, item, &current).map_err(PartError::Failed)?;
            if let (None, DoneWhen::ReleaseReady(release)) = (&live, &item.done_when) {
                guard::installed_by_flux_alone(run, release).await?;
            }
            let outcome = ItemOutcome::Applied;
            return Ok(Settled { current, outcome });
        }
        tried = true;
        run.pause(ends, BETWEEN_WRITES).await?;
    }
    Err(PartError::Failed(format!(
        "other clients changed it {MAX_WRITES} times while it was written: find out who writes it \
         (`kubectl get --show-managed-fields`), then resume the run"
    )))
}

/// Fails when an object that differs may not be written.
fn may_change(run: &Run<'_>, id: &ItemId, object: &Object) -> Result<(), PartError> {
    if run.before.is_some_and(|before| before.is_finished(id)) {
        let reason = "it was changed after this run had finished it: check `armada2flux diff`, then start a \
                      new run";
        return Err(PartError::Failed(reason.to_owned()));
    }
    match find_skipped_dependency(run, object) {
        Some(other) => Err(PartError::Failed(format!(
            "it depends on release `{other}`, which had failed before this run and is protected, so it was skipped: \
             Flux does not reconcile it before that release is repaired"
        ))),
        None => Ok(()),
    }
}

/// Decides about a release that had failed before the run, as Armada does (Armada: handlers/chart_deploy.py).
fn protect(
    run: &Run<'_>,
    release: &Release,
    object: &Object,
    on_failure: OnFailure,
) -> Result<Option<ItemOutcome>, PartError> {
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
        OnFailure::Skip => {
            let key = (
                object.namespace.clone().unwrap_or_default(),
                object.name.clone(),
            );
            run.skipped.borrow_mut().insert(key);
            Ok(Some(ItemOutcome::Skipped))
        }
        OnFailure::Refuse => Err(PartError::Failed(format!(
            "release `{}` had failed before this run and is protected: repair it, then run again",
            release.name
        ))),
    }
}

/// Returns a skipped release that the object depends on: Flux does not reconcile the object before that one is ready.
fn find_skipped_dependency(run: &Run<'_>, object: &Object) -> Option<Text> {
    let skipped = run.skipped.borrow();
    ReleaseView::of(object)?.depends_on().find_map(|other| {
        skipped
            .contains(&(other.namespace?, other.name.clone()))
            .then_some(other.name)
    })
}

/// Returns why an item does not match the rollout; `None` when it does. Writes nothing.
pub(super) async fn verify(run: &Run<'_>, item: &Item) -> Result<Option<String>, Error> {
    let object = &item.object;
    let Some(kind) = run.cluster.kind(&object.api_version, &object.kind).await? else {
        return Ok(Some("its kind is not served".to_owned()));
    };
    let Some(live) = run.live(&kind, object).await? else {
        return Ok(Some("it does not exist".to_owned()));
    };
    if let Err(reason) = guard::refuses(run, item, &live) {
        return Ok(Some(reason));
    }
    let answer = run.would_be(&kind, object, Some(&live)).await?;
    let would = match write::accepted(answer) {
        Ok(would) => would,
        Err(reason) => return Ok(Some(reason)),
    };
    if change::change(Some(&live), &would) != Change::Unchanged {
        return Ok(Some("it differs from the input".to_owned()));
    }
    let expected = Expected {
        generation: live.generation().unwrap_or_default(),
        retried: None,
    };
    let progress = match &item.done_when {
        DoneWhen::Applied => return Ok(None),
        DoneWhen::KeysFilled(keys) => return Ok(wait::check_keys(&live, keys).err()),
        DoneWhen::ArtifactReady { commit } => {
            readiness::artifact(&live.value, expected.generation, commit.as_deref())
        }
        DoneWhen::ReleaseReady(_) => readiness::release(&live.value, &expected),
    };
    Ok(match progress {
        Readiness::Ready => None,
        Readiness::Waiting(why) | Readiness::Failed(why) => Some(format!("it is not ready: {why}")),
    })
}
