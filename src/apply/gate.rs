//! Armada's own waits, one after another as in Armada (Armada: handlers/wait.py, `ChartWait.wait`).

use std::rc::Rc;

use tokio::time::{Duration, Instant};

use super::error::PartError;
use super::event::ItemState;
use super::reflector::Reflector;
use super::run::{Run, Waited, timed_out};
use crate::gate::{Gate, Verdict};
use crate::rollout::{ItemId, Release};

/// The time until the objects of a v1 chart are checked again (Armada: handlers/wait.py, `k8s_wait_attempt_sleep`).
const LOOKS_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The watches of a release's gates. They end with the wait for the release, since the pods of a namespace can be many.
#[derive(Default)]
pub(super) struct Watches(Vec<Rc<Reflector>>);

/// Waits until every gate of a release is open.
pub(super) async fn wait_for_all(
    run: &Run<'_>,
    id: &ItemId,
    release: &Release,
    ends: Instant,
    watches: &mut Watches,
) -> Result<(), PartError> {
    for (at, gate) in release.gates.iter().enumerate() {
        let place = (at + 1, release.gates.len());
        wait_for(run, id, gate, place, ends, watches).await?;
    }
    Ok(())
}

async fn wait_for(
    run: &Run<'_>,
    id: &ItemId,
    gate: &Gate,
    (number, of): (usize, usize),
    ends: Instant,
    watches: &mut Watches,
) -> Result<(), PartError> {
    let failed = |reason: &str| PartError::Failed(format!("gate {number} of {of}: {reason}"));
    let (api_version, kind) = (gate.spec.kind.api_version(), gate.spec.kind.kind_name());
    let Some(kind) = run.cluster.kind(api_version, kind).await? else {
        let reason = format!("kind {kind} of {api_version} is not served");
        return Err(PartError::Failed(reason));
    };
    if let Err(error) = gate.selected() {
        return Err(failed(&error.to_string()));
    }
    let view = run.watch(&kind, Some(&gate.namespace), &gate.spec.selector);
    if !watches.0.iter().any(|kept| Rc::ptr_eq(kept, &view)) {
        watches.0.push(Rc::clone(&view));
    }
    let started = Instant::now();
    let mut said = String::new();
    loop {
        let mut waited = false;
        let seen = view.until(|seen| match seen.verdict(gate) {
            Verdict::Ready => Some(Ok(())),
            Verdict::Failed(reason) => Some(Err(reason)),
            Verdict::Waiting(why) => {
                waited = true;
                if why != said {
                    said = why;
                    let why = run.scrubber.scrub(&said).into();
                    let gate = number;
                    run.emit(id, ItemState::Gate { gate, of, why });
                }
                None
            }
        });
        match run.wait(ends, seen).await? {
            Waited::Seen(Ok(())) if waited && gate.looks_again() => {
                run.pause(ends, LOOKS_AGAIN_AFTER).await?;
            }
            Waited::Seen(Ok(())) => return Ok(()),
            Waited::Seen(Err(reason)) => return Err(failed(&reason)),
            Waited::TimedOut => return Err(failed(&timed_out(started, &said))),
        }
    }
}
