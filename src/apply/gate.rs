//! Armada's own waits, one after another as Armada ran them (Armada: handlers/wait.py, `ChartWait.wait`).

use tokio::time::Instant;

use super::event::Moment;
use super::run::{Error, Run, Waited};
use super::wait::timed_out;
use crate::plan::gate::{Gate, Verdict, api_version, kind_name};
use crate::rollout::{PartId, Release};

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
    let (api_version, kind) = (api_version(gate.kind), kind_name(gate.kind));
    let Some(kind) = run.cluster.kind(api_version, kind).await? else {
        return Ok(Err(format!("kind {kind} of {api_version} is not served")));
    };
    if let Err(error) = gate.selected() {
        return Ok(Err(format!("gate {number} of {of}: {error}")));
    }
    // The watch ends with this wait: pods of a whole namespace are much to follow.
    let view = run.follow(&kind, Some(&gate.namespace), &gate.selector);
    let begun = Instant::now();
    let mut said = String::new();
    let seen =
        view.until(
            |objects| match gate.evaluate(objects.values().map(|object| &object.value)) {
                Verdict::Ready => Some(Ok(())),
                Verdict::Failed(reason) => Some(Err(reason)),
                Verdict::Waiting(why) => {
                    if why != said {
                        said = why;
                        let why = run.scrubber.scrub(&said).into();
                        run.tell(
                            id,
                            Moment::Gate {
                                gate: number,
                                of,
                                why,
                            },
                        );
                    }
                    None
                }
            },
        );
    Ok(match run.wait(ends, seen).await? {
        Waited::Seen(Ok(())) => Ok(()),
        Waited::Seen(Err(reason)) => Err(format!("gate {number} of {of}: {reason}")),
        Waited::TimedOut => Err(format!(
            "gate {number} of {of}: {}",
            timed_out(begun, &said)
        )),
    })
}
