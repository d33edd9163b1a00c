//! Walking a rollout in a cluster, stage by stage.
//!
//! Every choice was made when the rollout was; here things are written, watched and told. What is told goes to
//! whoever called: nothing is printed, no file is touched.

mod delete;
mod error;
pub mod event;
mod gate;
mod inspect;
mod item;
pub mod lease;
pub mod publish;
mod reflector;
mod run;
mod store;
mod wait;
mod write;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::sync::watch;
use tokio::time::Instant;

pub use error::{Error, RecordError};
pub use event::{Event, ItemState};
pub use run::{Caller, Stop};
pub use store::{Key, Store};

use reflector::Reflectors;
use run::Run;

use crate::cluster::Cluster;
use crate::rollout::journal::{Entry, ItemOutcome, RunRecord};
use crate::rollout::{ItemId, Rollout, Stage, Step};
use crate::secret::Scrubber;
use crate::value::Text;

/// Releases of a step that move at the same time, when nobody says.
pub const PARALLEL: usize = 8;

/// What whoever starts a run chooses.
#[derive(Clone, Debug)]
pub struct Options {
    /// Items of a step that move at the same time.
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
    pub before: Option<&'r RunRecord>,
    /// Releases that had failed before the run began, as `namespace/name`.
    pub failed_before: &'r [Text],
    /// Who started the run.
    pub caller: &'r dyn Caller,
    /// Stops the run when it is set.
    pub stop: watch::Sender<Stop>,
}

/// How a run outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// Everything is done.
    Complete,
    /// It stopped after the stage that it was asked to stop after, and more are to come.
    Paused {
        /// The stage.
        stage: usize,
    },
    /// Items failed; nothing after their step was touched.
    Failed(Vec<(ItemId, Text)>),
    /// It was told to stop; what was being written is written.
    Stopped(Stop),
}

/// Walks the rollout. Must be called inside of a [`tokio::task::LocalSet`].
///
/// # Errors
///
/// When the cluster does not answer or the journal cannot be written; what is done stays done and is in the journal.
pub async fn run(
    rollout: &Rollout,
    options: &Options,
    tools: Tools<'_>,
) -> Result<RunOutcome, Error> {
    let Tools {
        cluster,
        before,
        failed_before,
        caller,
        stop,
    } = tools;
    let objects = rollout.items().map(|(_, _, item)| &item.object.value);
    let run = Run {
        reflectors: Reflectors::new(Arc::clone(&cluster)),
        cluster,
        before,
        failed_before,
        caller,
        stop,
        scrubber: Scrubber::from_trees(objects),
        skipped: RefCell::default(),
        kept: RefCell::default(),
    };
    let last = rollout.stages.last().map_or(0, |stage| stage.number);
    for stage in &rollout.stages {
        let outcome = match options.choice(stage) {
            Choice::Do => self::stage(&run, stage, options).await,
            Choice::Verify => verify(&run, stage).await,
            Choice::Leave => Ok(None),
        };
        match outcome {
            Ok(None) => {}
            Ok(Some(outcome)) => return Ok(outcome),
            Err(Error::Stopped) => return Ok(RunOutcome::Stopped(run.stop.borrow().clone())),
            Err(error) => return Err(error),
        }
        if options.pause_after == Some(stage.number) && stage.number < last {
            return Ok(RunOutcome::Paused {
                stage: stage.number,
            });
        }
    }
    Ok(RunOutcome::Complete)
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
async fn stage(
    run: &Run<'_>,
    stage: &Stage,
    options: &Options,
) -> Result<Option<RunOutcome>, Error> {
    run.check()?;
    run.caller.record(Entry::StageStarted {
        stage: stage.number,
    })?;
    run.caller.emit(Event::StageStarted {
        stage: stage.number,
        name: stage.name.clone(),
        objects: stage.steps.iter().map(|step| step.items.len()).sum(),
    });
    let ends = options.stage_timeout.map(|limit| Instant::now() + limit);
    for step in &stage.steps {
        let failed = self::step(run, stage, step, options.parallel, ends).await?;
        if !failed.is_empty() {
            return Ok(Some(RunOutcome::Failed(failed)));
        }
    }
    run.caller.record(Entry::StageFinished {
        stage: stage.number,
    })?;
    run.caller.emit(Event::StageFinished {
        stage: stage.number,
    });
    Ok(None)
}

/// One step: all its items, whatever becomes of the others (Armada: handlers/armada.py finishes a group before it
/// raises). Gives those that failed.
async fn step(
    run: &Run<'_>,
    stage: &Stage,
    step: &Step,
    parallel: usize,
    ends: Option<Instant>,
) -> Result<Vec<(ItemId, Text)>, Error> {
    let items = step.items.iter().map(|item| async move {
        let id = item.id(stage, step);
        let outcome = item::roll_out(run, &id, item, ends).await;
        if let Err(Error::Cluster(_) | Error::Record(_)) = &outcome {
            // No other item can do better; each ends after the write in hand.
            Stop::Broken.request(&run.stop);
        }
        let outcome = outcome?;
        run.caller.record(Entry::ItemFinished {
            item: id.clone(),
            outcome: outcome.clone(),
        })?;
        run.emit(&id, ItemState::Finished(outcome.clone()));
        Ok((id, outcome))
    });
    let items: Vec<_> = items.collect();
    let mut outcomes = futures::stream::iter(items).buffer_unordered(parallel.max(1));
    let mut failed = Vec::new();
    let mut broken: Option<Error> = None;
    while let Some(outcome) = outcomes.next().await {
        match outcome {
            Ok((id, ItemOutcome::Failed { reason })) => failed.push((id, reason)),
            Ok((_, ItemOutcome::Unchanged | ItemOutcome::Applied | ItemOutcome::Skipped)) => {}
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
async fn verify(run: &Run<'_>, stage: &Stage) -> Result<Option<RunOutcome>, Error> {
    let mut failed = Vec::new();
    for step in &stage.steps {
        for item in &step.items {
            run.check()?;
            let id = item.id(stage, step);
            if let Some(reason) = item::verify(run, item).await? {
                let reason = Text::from(run.scrubber.scrub(&reason));
                let outcome = ItemOutcome::Failed {
                    reason: reason.clone(),
                };
                run.emit(&id, ItemState::Finished(outcome));
                failed.push((id, reason));
            }
        }
    }
    Ok((!failed.is_empty()).then_some(RunOutcome::Failed(failed)))
}
