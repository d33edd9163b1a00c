//! Waits until the controllers are done with an object.

use tokio::time::Instant;

use super::error::PartError;
use super::event::ItemState;
use super::run::{Run, Waited, timed_out};
use super::{gate, inspect, write};
use crate::cluster::KindRef;
use crate::flux::Object;
use crate::rollout::readiness::{self, Attempts, Expected, Readiness};
use crate::rollout::{ItemId, Release};
use crate::value::Text;

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

/// Waits for a source's artifact.
pub(super) async fn for_artifact(
    run: &Run<'_>,
    id: &ItemId,
    kind: &KindRef,
    current: &Object,
    commit: Option<&str>,
    ends: Instant,
) -> Result<(), PartError> {
    let wanted = current.generation().unwrap_or_default();
    let assess = |live: &Object| readiness::artifact(&live.value, wanted, commit);
    until_ready(run, id, kind, current, ends, assess).await
}

/// Waits until the release is deployed and its gates are open. Resumes or retries a release that helm-controller does
/// not work on, and returns whether it did.
pub(super) async fn for_release(
    run: &Run<'_>,
    id: &ItemId,
    kind: &KindRef,
    current: &Object,
    release: &Release,
    ends: Instant,
) -> Result<bool, PartError> {
    let mut current = current.clone();
    let mut moved = false;
    if current.is_suspended() {
        current = write::unsuspend(run, id, &current).await?;
        moved = true;
    }
    let mut retried = None;
    let mut attempts = Attempts::before(&current.value);
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
        generation: current.generation().unwrap_or_default(),
        retried,
    };
    let assess = |live: &Object| match readiness::release(&live.value, &expected) {
        Readiness::Waiting(why) => {
            let failed = attempts.take(&live.value, &expected);
            failed.unwrap_or(Readiness::Waiting(why))
        }
        decided @ (Readiness::Ready | Readiness::Failed(_)) => decided,
    };
    let ready = async {
        until_ready(run, id, kind, &current, ends, assess).await?;
        gate::wait_for_all(run, id, release, ends).await
    };
    match ready.await {
        Ok(()) => Ok(moved),
        Err(PartError::Failed(reason)) => {
            let reason = inspect::explain(run, release, reason).await;
            Err(PartError::Failed(reason))
        }
        Err(error @ PartError::Run(_)) => Err(error),
    }
}

/// Watches the object until it is ready, has failed, or the time is over.
async fn until_ready(
    run: &Run<'_>,
    id: &ItemId,
    kind: &KindRef,
    object: &Object,
    ends: Instant,
    mut assess: impl FnMut(&Object) -> Readiness,
) -> Result<(), PartError> {
    let view = run.watched(kind, object);
    let key = (object.namespace.clone(), object.name.clone());
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
        if live.generation().unwrap_or_default() < written {
            return None;
        }
        match assess(live) {
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
    let end = match run.wait(ends, seen).await? {
        Waited::Seen(end) => end,
        Waited::TimedOut => Err(timed_out(started, &format!("last status: {said}"))),
    };
    end.map_err(PartError::Failed)
}
