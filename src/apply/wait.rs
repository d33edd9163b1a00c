//! Waiting for what the controllers make of an object.

use tokio::time::Instant;

use super::event::Moment;
use super::run::{Error, Run, Waited};
use super::{gate, inspect, write};
use crate::cluster::KindRef;
use crate::flux::Object;
use crate::rollout::readiness::{self, Expected, Progress};
use crate::rollout::{PartId, Release};
use crate::value::Text;

/// Whether somebody has filled in the keys of a Secret.
pub(super) fn filled(secret: &Object, keys: &[Text]) -> Result<(), String> {
    let missing = keys
        .iter()
        .filter(|key| secret.value.at(&["data", key]).is_none());
    let missing: Vec<String> = missing.map(|key| format!("`{key}`")).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!(
        "it lacks {}: fill in what the source needs, then go on",
        missing.join(", ")
    ))
}

/// Waits for a source's artifact.
pub(super) async fn artifact(
    run: &Run<'_>,
    id: &PartId,
    kind: &KindRef,
    current: &Object,
    commit: Option<&str>,
    ends: Instant,
) -> Result<Result<(), String>, Error> {
    let wanted = current.generation().unwrap_or_default();
    let judge = |live: &Object| readiness::artifact(&live.value, wanted, commit);
    progress(run, id, kind, current, ends, judge).await
}

/// Waits until the release is deployed and its gates are open, and gets helm-controller going where it rests. Says
/// whether that took a write.
pub(super) async fn released(
    run: &Run<'_>,
    id: &PartId,
    kind: &KindRef,
    current: &Object,
    release: &Release,
    ends: Instant,
) -> Result<Result<bool, String>, Error> {
    let mut current = current.clone();
    let mut moved = false;
    if current.is_suspended() {
        current = match write::unsuspend(run, id, &current).await? {
            Ok(current) => current,
            Err(reason) => return Ok(Err(reason)),
        };
        moved = true;
    }
    let mut retried = None;
    if readiness::needs_retry(&current.value) {
        let again = if readiness::needs_tests(&current.value) {
            write::retest(run, id, &current).await?
        } else {
            write::retry(run, id, &current).await?
        };
        let (object, mark) = match again {
            Ok(again) => again,
            Err(reason) => return Ok(Err(reason)),
        };
        current = object;
        retried = Some(mark);
        moved = true;
    }
    let expected = Expected {
        generation: current.generation().unwrap_or_default(),
        retried,
    };
    let judge = |live: &Object| readiness::release(&live.value, &expected);
    let mut done = progress(run, id, kind, &current, ends, judge).await?;
    if done.is_ok() {
        done = gate::open(run, id, release, ends).await?;
    }
    Ok(match done {
        Ok(()) => Ok(moved),
        Err(reason) => Err(inspect::explained(run, release, reason).await),
    })
}

/// Follows the object until it is judged ready, failed, or the time is over.
async fn progress(
    run: &Run<'_>,
    id: &PartId,
    kind: &KindRef,
    object: &Object,
    ends: Instant,
    judge: impl Fn(&Object) -> Progress,
) -> Result<Result<(), String>, Error> {
    let view = run.watched(kind, object);
    let key = (object.namespace.clone(), object.name.clone());
    let written = object.generation().unwrap_or_default();
    let begun = Instant::now();
    let mut met = false;
    let mut said = Text::from("nothing, no controller has looked at it yet");
    let seen = view.until(|seen| {
        let Some(live) = seen.objects().get(&key) else {
            // The watch may be behind the write that made the object.
            return met.then(|| Err(write::DELETED.to_owned()));
        };
        met = true;
        if live.generation().unwrap_or_default() < written {
            return None;
        }
        match judge(live) {
            Progress::Ready => Some(Ok(())),
            Progress::Failed(reason) => Some(Err(reason.to_string())),
            Progress::Waiting(why) => {
                if why != said {
                    said = why;
                    let why = run.scrubber.scrub(&said).into();
                    run.tell(id, Moment::Reconciling { why });
                }
                None
            }
        }
    });
    let end = run.wait(ends, seen).await?;
    Ok(match end {
        Waited::Seen(end) => end,
        Waited::TimedOut => Err(timed_out(begun, &format!("flux says: {said}"))),
    })
}

/// Words for a wait that was too long.
pub(super) fn timed_out(begun: Instant, last: &str) -> String {
    let seconds = begun.elapsed().as_secs();
    format!("not ready after {seconds} s; {last}")
}
