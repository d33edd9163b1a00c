//! Waits until the controllers are done with an object.

use std::convert::Infallible;
use std::rc::Rc;

use tokio::time::{Duration, Instant};

use super::error::PartError;
use super::event::ItemState;
use super::reflector::Reflector;
use super::run::{Run, Waited, timed_out};
use super::store::Key;
use super::{gate, guard, inspect, write};
use crate::cluster::KindRef;
use crate::flux::Object;
use crate::rollout::readiness::{self, Attempts, Expected, Readiness};
use crate::rollout::{Item, ItemId, Release};
use crate::survey;
use crate::value::Text;

/// The largest number of attempts to resume a release whose version changes each time.
const MAX_RESUMES: usize = 10;

/// The time between two judgements of a release that was ready, and is not any more when its gates are open.
const BETWEEN_JUDGEMENTS: Duration = Duration::from_millis(200);

/// The wait for one object.
pub(super) struct Wait<'w, 'r> {
    run: &'w Run<'r>,
    id: &'w ItemId,
    item: &'w Item,
    kind: &'w KindRef,
    view: Rc<Reflector>,
    ends: Instant,
}

/// Checks that the keys of a Secret are filled in.
pub(super) fn check_keys(secret: &Object, keys: &[Text]) -> Result<(), String> {
    let missing = keys
        .iter()
        .filter(|key| secret.value.at(&["data", key]).is_none());
    let missing: Vec<String> = missing.map(|key| format!("`{key}`")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "it has no {}: fill in what the source needs, then resume the run",
        missing.join(", ")
    ))
}

impl<'w, 'r> Wait<'w, 'r> {
    pub(super) fn new(
        run: &'w Run<'r>,
        id: &'w ItemId,
        item: &'w Item,
        kind: &'w KindRef,
        ends: Instant,
    ) -> Self {
        Self {
            run,
            id,
            item,
            kind,
            view: run.watched(kind, &item.object),
            ends,
        }
    }
}

/// Waits for a source's artifact.
pub(super) async fn for_artifact(
    wait: &Wait<'_, '_>,
    current: &Object,
    commit: Option<&str>,
) -> Result<(), PartError> {
    let wanted = current.generation().unwrap_or_default();
    let assess = |live: &Object| readiness::artifact(&live.value, wanted, commit);
    until_ready(wait, current, &mut { assess }).await
}

/// Waits until the release is deployed and its gates are open. Resumes or retries a release that helm-controller does
/// not work on, and returns whether it did.
pub(super) async fn for_release(
    wait: &Wait<'_, '_>,
    current: &Object,
    release: &Release,
) -> Result<bool, PartError> {
    let Wait { run, id, .. } = wait;
    let (mut current, mut moved) = resume(wait, current).await?;
    // A request changes no field of the spec: a generation that is newer than this one is somebody's.
    let generation = current.generation().unwrap_or_default();
    let mut retried = None;
    let attempts = Attempts::before(&current.value);
    if readiness::needs_retry(&current.value) {
        let (object, mark) = if readiness::needs_tests(&current.value) {
            write::retest(run, id, &current).await?
        } else {
            write::retry(run, id, &current).await?
        };
        current = object;
        retried = Some(mark);
        moved = true;
    }
    let expected = Expected {
        generation,
        retried,
    };
    match until_open(wait, &current, &expected, attempts, release).await {
        Ok(()) => Ok(moved),
        Err(PartError::Failed(reason)) => {
            let reason = inspect::explain(run, release, reason).await;
            Err(PartError::Failed(reason))
        }
        Err(error @ PartError::Run(_)) => Err(error),
    }
}

/// Resumes a release that the tree suspended, and returns it with whether anything was written. A suspension by
/// another client stays.
async fn resume(wait: &Wait<'_, '_>, current: &Object) -> Result<(Object, bool), PartError> {
    let Wait { run, id, item, .. } = wait;
    let mut current = current.clone();
    let mut moved = false;
    for _ in 0..MAX_RESUMES {
        if !current.is_suspended() {
            return Ok((current, moved));
        }
        guard::refuses(run, item, &current).map_err(PartError::Failed)?;
        if let Some(resumed) = write::unsuspend(run, id, &current).await? {
            return Ok((resumed, true));
        }
        // Its answer may have been lost.
        moved = true;
        let Some(live) = run.live(wait.kind, &current).await? else {
            return Err(PartError::Failed(write::DELETED.to_owned()));
        };
        guard::same_object(current.uid(), &live).map_err(PartError::Failed)?;
        current = live;
    }
    let reason =
        "other clients change it all the time, so it cannot be resumed: find out who writes it";
    Err(PartError::Failed(reason.to_owned()))
}

/// Waits until the release is ready and its gates are open, both at the same time: the release is watched while its gates
/// are awaited, and judged again on the state that the gates have seen.
async fn until_open(
    wait: &Wait<'_, '_>,
    current: &Object,
    expected: &Expected,
    mut attempts: Attempts,
    release: &Release,
) -> Result<(), PartError> {
    let Wait {
        run,
        id,
        item,
        ends,
        ..
    } = wait;
    let mut assess = |live: &Object| match readiness::release(&live.value, expected) {
        Readiness::Waiting(why) => {
            let failed = attempts.take(&live.value, expected);
            failed.unwrap_or(Readiness::Waiting(why))
        }
        decided @ (Readiness::Ready | Readiness::Failed(_)) => decided,
    };
    let mut watches = gate::Watches::default();
    loop {
        until_ready(wait, current, &mut assess).await?;
        tokio::select! {
            biased;
            lost = until_lost(wait, current, &mut assess) => match lost? {},
            open = gate::wait_for_all(run, id, release, *ends, &mut watches) => open?,
        }
        // The watch of the release may be behind the watch of the gates' objects.
        let Some(live) = run.live(wait.kind, &item.object).await? else {
            return Err(PartError::Failed(write::DELETED.to_owned()));
        };
        match judge(wait, current, &mut assess, &live) {
            Readiness::Ready => return no_other_revision(run, &live, release).await,
            Readiness::Failed(reason) => return Err(PartError::Failed(reason.to_string())),
            Readiness::Waiting(_) => run.pause(*ends, BETWEEN_JUDGEMENTS).await?,
        }
    }
}

/// Fails when Helm holds a newer revision than Flux knows: another client ran Helm meanwhile.
async fn no_other_revision(
    run: &Run<'_>,
    live: &Object,
    release: &Release,
) -> Result<(), PartError> {
    let known = survey::revision_of(Some(live));
    match guard::record(run, release).await? {
        Some(held) if held.revision > known && !held.by_flux => Err(PartError::Failed(format!(
            "another client of Helm made revision {} of the release during the run, Flux made revision {known}: find \
             out who runs `helm`, then resume the run",
            held.revision
        ))),
        Some(_) | None => Ok(()),
    }
}

/// Where an object stands: it must be the one that was written, and no guard may refuse it.
fn judge(
    wait: &Wait<'_, '_>,
    written: &Object,
    assess: &mut impl FnMut(&Object) -> Readiness,
    live: &Object,
) -> Readiness {
    let same = guard::same_object(written.uid(), live);
    match same.and_then(|()| guard::refuses(wait.run, wait.item, live)) {
        Ok(()) => assess(live),
        Err(reason) => Readiness::Failed(reason.into()),
    }
}

/// Watches the object until it is ready, has failed, or the time is over.
async fn until_ready(
    wait: &Wait<'_, '_>,
    object: &Object,
    assess: &mut impl FnMut(&Object) -> Readiness,
) -> Result<(), PartError> {
    let Wait {
        run,
        id,
        view,
        ends,
        ..
    } = wait;
    let key = key(object);
    let written = object.generation().unwrap_or_default();
    let started = Instant::now();
    let mut met = false;
    let mut said = Text::from("no controller has reported a status");
    let seen = view.until(|seen| {
        let Some(live) = seen.objects().get(&key) else {
            // The watch may be behind the write that made the object.
            return met.then(|| Err(write::DELETED.to_owned()));
        };
        met = true;
        if is_behind(live, object, written) {
            return None;
        }
        match judge(wait, object, assess, live) {
            Readiness::Ready => Some(Ok(())),
            Readiness::Failed(reason) => Some(Err(reason.to_string())),
            Readiness::Waiting(why) => {
                if why != said {
                    said = why;
                    let why = run.scrubber.scrub(&said).into();
                    run.emit(id, ItemState::Reconciling { why });
                }
                None
            }
        }
    });
    let end = match run.wait(*ends, seen).await? {
        Waited::Seen(end) => end,
        Waited::TimedOut => Err(timed_out(started, &format!("last status: {said}"))),
    };
    end.map_err(PartError::Failed)
}

/// Watches an object that was ready, and ends when it fails.
async fn until_lost(
    wait: &Wait<'_, '_>,
    object: &Object,
    assess: &mut impl FnMut(&Object) -> Readiness,
) -> Result<Infallible, PartError> {
    let key = key(object);
    let lost = wait.view.until(|seen| {
        let Some(live) = seen.objects().get(&key) else {
            return Some(write::DELETED.to_owned());
        };
        match judge(wait, object, assess, live) {
            Readiness::Failed(reason) => Some(reason.to_string()),
            Readiness::Ready | Readiness::Waiting(_) => None,
        }
    });
    match lost.await {
        Ok(reason) => Err(PartError::Failed(reason)),
        Err(error) => Err(error.into()),
    }
}

/// Whether a watch shows the object before it was written.
fn is_behind(live: &Object, written: &Object, generation: i64) -> bool {
    live.uid() == written.uid() && live.generation().unwrap_or_default() < generation
}

fn key(object: &Object) -> Key {
    (object.namespace.clone(), object.name.clone())
}
