//! Walking a rollout in a cluster, stage by stage.
//!
//! Every choice was made when the rollout was; here things are written, watched and told. What is told goes to
//! whoever called: nothing is printed, no file is touched.

mod delete;
mod error;
pub mod event;
mod gate;
mod inspect;
pub mod lease;
mod observe;
mod part;
pub mod publish;
mod run;
mod seen;
mod wait;
mod write;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::sync::watch;
use tokio::time::Instant;

pub use error::{Error, RecordError};
pub use event::{Event, Moment};
pub use run::{Caller, Stop};
pub use seen::{Key, Seen};

use observe::Observer;
use run::Run;

use crate::cluster::Cluster;
use crate::rollout::journal::{Entry, Finish, State};
use crate::rollout::{PartId, Rollout, Stage, Step};
use crate::secret::Scrubber;
use crate::value::Text;

/// Releases of a step that move at the same time, when nobody says.
pub const PARALLEL: usize = 8;

/// What whoever starts a run chooses.
#[derive(Clone, Debug)]
pub struct Options {
    /// Parts of a step that move at the same time.
    pub parallel: usize,
    /// The first stage; those before must be as the rollout wants them already. The preparation is always done.
    pub from: Option<usize>,
    /// The only stage beside the preparation; those before must be as the rollout wants them already.
    pub only: Option<usize>,
    /// The stage after which the run pauses.
    pub pause_after: Option<usize>,
    /// Longest time for a stage.
    pub stage_timeout: Option<Duration>,
}

/// What a run works with.
pub struct Tools<'r> {
    /// The cluster, with the retry time that a run needs.
    pub cluster: Arc<Cluster>,
    /// What earlier processes of the same run did; `None` for a new one.
    pub before: Option<&'r State>,
    /// Releases that had failed before the run began, as `namespace/name`.
    pub failed_before: &'r [Text],
    /// Who started the run.
    pub caller: &'r dyn Caller,
    /// Stops the run when it is set.
    pub stop: watch::Sender<Stop>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything is done.
    Complete,
    /// It stopped after the stage that it was asked to stop after, and more are to come.
    Paused {
        /// The stage.
        stage: usize,
    },
    /// Parts failed; nothing after their step was touched.
    Failed(Vec<(PartId, Text)>),
    /// It was told to stop; what was being written is written.
    Stopped(Stop),
}

/// Walks the rollout. Must be called inside of a [`tokio::task::LocalSet`].
///
/// # Errors
///
/// When the cluster does not answer or the journal cannot be written; what is done stays done and is in the journal.
pub async fn run(rollout: &Rollout, options: &Options, tools: Tools<'_>) -> Result<Ended, Error> {
    let Tools {
        cluster,
        before,
        failed_before,
        caller,
        stop,
    } = tools;
    let objects = rollout.parts().map(|(_, _, part)| &part.object.value);
    let run = Run {
        observer: Observer::new(Arc::clone(&cluster)),
        cluster,
        before,
        failed_before,
        caller,
        stop,
        scrubber: Scrubber::from_trees(objects),
        passed_over: RefCell::default(),
        kept: RefCell::default(),
    };
    let last = rollout.stages.last().map_or(0, |stage| stage.number);
    for stage in &rollout.stages {
        let ended = match options.choice(stage) {
            Choice::Do => self::stage(&run, stage, options).await,
            Choice::Verify => verify(&run, stage).await,
            Choice::Leave => Ok(None),
        };
        match ended {
            Ok(None) => {}
            Ok(Some(ended)) => return Ok(ended),
            Err(Error::Stopped) => return Ok(Ended::Stopped(run.stop.borrow().clone())),
            Err(error) => return Err(error),
        }
        if options.pause_after == Some(stage.number) && stage.number < last {
            return Ok(Ended::Paused {
                stage: stage.number,
            });
        }
    }
    Ok(Ended::Complete)
}

/// What a run does with a stage.
enum Choice {
    Do,
    /// It must be done already.
    Verify,
    Leave,
}

impl Options {
    /// Whether a run has anything to do with a stage, be it to look whether it is done.
    #[must_use]
    pub fn concerns(&self, stage: &Stage) -> bool {
        let behind = self.pause_after.is_some_and(|last| stage.number > last);
        !behind && !matches!(self.choice(stage), Choice::Leave)
    }

    fn choice(&self, stage: &Stage) -> Choice {
        let number = stage.number;
        let first = self.only.or(self.from).unwrap_or(0);
        if number == crate::rollout::PREPARATION {
            Choice::Do
        } else if number < first {
            Choice::Verify
        } else if self.only.is_some_and(|only| number > only) {
            Choice::Leave
        } else {
            Choice::Do
        }
    }
}

/// One stage, step by step; `Some` when the run ends here.
async fn stage(run: &Run<'_>, stage: &Stage, options: &Options) -> Result<Option<Ended>, Error> {
    run.check()?;
    run.caller.record(Entry::StageBegins {
        stage: stage.number,
    })?;
    run.caller.tell(Event::StageBegins {
        stage: stage.number,
        name: stage.name.clone(),
        parts: stage.steps.iter().map(|step| step.parts.len()).sum(),
    });
    let ends = options.stage_timeout.map(|limit| Instant::now() + limit);
    for step in &stage.steps {
        let failed = self::step(run, stage, step, options.parallel, ends).await?;
        if !failed.is_empty() {
            return Ok(Some(Ended::Failed(failed)));
        }
    }
    run.caller.record(Entry::StageEnds {
        stage: stage.number,
    })?;
    run.caller.tell(Event::StageEnds {
        stage: stage.number,
    });
    Ok(None)
}

/// One step: all its parts, whatever becomes of the others (Armada: handlers/armada.py finishes a group before it
/// raises). Gives those that failed.
async fn step(
    run: &Run<'_>,
    stage: &Stage,
    step: &Step,
    parallel: usize,
    ends: Option<Instant>,
) -> Result<Vec<(PartId, Text)>, Error> {
    let parts = step.parts.iter().map(|part| async move {
        let id = part.id(stage, step);
        let finish = part::go(run, &id, part, ends).await;
        if let Err(Error::Cluster(_) | Error::Record(_)) = &finish {
            // No other part can do better; each ends after the write in hand.
            Stop::Broken.tell(&run.stop);
        }
        let finish = finish?;
        run.caller.record(Entry::Finished {
            part: id.clone(),
            outcome: finish.clone(),
        })?;
        run.tell(&id, Moment::Finished(finish.clone()));
        Ok((id, finish))
    });
    let parts: Vec<_> = parts.collect();
    let mut ended = futures::stream::iter(parts).buffer_unordered(parallel.max(1));
    let mut failed = Vec::new();
    let mut broken: Option<Error> = None;
    while let Some(end) = ended.next().await {
        match end {
            Ok((id, Finish::Failed { reason })) => failed.push((id, reason)),
            Ok((_, Finish::Unchanged | Finish::Applied | Finish::PassedOver)) => {}
            // The first says why; the others were told to stop.
            Err(error) => match &broken {
                Some(Error::Stopped) | None => broken = Some(error),
                Some(Error::Cluster(_) | Error::Record(_)) => {}
            },
        }
    }
    match broken {
        Some(error) => Err(error),
        None => Ok(failed),
    }
}

/// Looks whether a stage that is left out is as the rollout wants it; writes nothing.
async fn verify(run: &Run<'_>, stage: &Stage) -> Result<Option<Ended>, Error> {
    let mut failed = Vec::new();
    for step in &stage.steps {
        for part in &step.parts {
            run.check()?;
            let id = part.id(stage, step);
            if let Some(reason) = part::lacks(run, part).await? {
                let reason = Text::from(run.scrubber.scrub(&reason));
                let finish = Finish::Failed {
                    reason: reason.clone(),
                };
                run.tell(&id, Moment::Finished(finish));
                failed.push((id, reason));
            }
        }
    }
    Ok((!failed.is_empty()).then_some(Ended::Failed(failed)))
}
