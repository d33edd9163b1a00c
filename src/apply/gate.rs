//! Armada's own waits, one after another as Armada ran them (Armada: handlers/wait.py, `ChartWait.wait`).

use std::convert::Infallible;
use std::future::pending;

use tokio::time::{Duration, Instant};

use super::event::Moment;
use super::run::{Error, Run, Waited};
use super::wait::timed_out;
use crate::gate::{Gate, Verdict};
use crate::rollout::{PartId, Release};

/// When the objects of a chart of v1 are looked at a second time (Armada: handlers/wait.py, `k8s_wait_attempt_sleep`).
const LOOKS_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Waits until every gate of a release is open.
pub(super) async fn open(
    run: &Run<'_>,
    id: &PartId,
    release: &Release,
    ends: Instant,
) -> Result<Result<(), String>, Error> {
    for (at, gate) in release.gates.iter().enumerate() {
        let place = (at + 1, release.gates.len());
        if let Err(reason) = one(run, id, gate, place, ends).await? {
            return Ok(Err(reason));
        }
    }
    Ok(Ok(()))
}

async fn one(
    run: &Run<'_>,
    id: &PartId,
    gate: &Gate,
    (number, of): (usize, usize),
    ends: Instant,
) -> Result<Result<(), String>, Error> {
    let (api_version, kind) = (gate.spec.kind.api_version(), gate.spec.kind.kind_name());
    let Some(kind) = run.cluster.kind(api_version, kind).await? else {
        return Ok(Err(format!("kind {kind} of {api_version} is not served")));
    };
    if let Err(error) = gate.selected() {
        return Ok(Err(format!("gate {number} of {of}: {error}")));
    }
    // The watch ends with this wait: pods of a whole namespace are much to follow.
    let view = run.follow(&kind, Some(&gate.namespace), &gate.spec.selector);
    let begun = Instant::now();
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
                    run.tell(id, Moment::Gate { gate, of, why });
                }
                None
            }
        });
        match run.wait(ends, seen).await? {
            Waited::Seen(Ok(())) if waited && gate.looks_again() => {
                let later = ends.min(Instant::now() + LOOKS_AGAIN_AFTER);
                match run.wait(later, pending::<Result<Infallible, _>>()).await? {
                    Waited::Seen(never) => match never {},
                    Waited::TimedOut => {}
                }
            }
            Waited::Seen(Ok(())) => return Ok(Ok(())),
            Waited::Seen(Err(reason)) => {
                return Ok(Err(format!("gate {number} of {of}: {reason}")));
            }
            Waited::TimedOut => {
                let late = timed_out(begun, &said);
                return Ok(Err(format!("gate {number} of {of}: {late}")));
            }
        }
    }
}
