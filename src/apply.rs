//! Carries out a rollout in a cluster, stage by stage.
//!
//! Every decision was made when the rollout was assembled. This room writes, watches and emits events to the caller; it
//! prints nothing and touches no file.

mod delete;
mod error;
pub mod event;
mod gate;
mod ground;
mod guard;
mod inspect;
mod item;
pub mod lease;
mod prepared;
pub mod publish;
mod reflector;
mod run;
mod store;
mod wait;
mod write;

use std::cell::RefCell;
use std::collections::BTreeMap;
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
use crate::flux::ObjectKey;
use crate::rollout::journal::{Entry, ItemOutcome, RunRecord};
use crate::rollout::{ItemId, Rollout, Stage, Step};
use crate::secret::Scrubber;
use crate::survey::Admission;
use crate::value::Text;

/// The default number of items that move at the same time.
pub const PARALLEL: usize = 8;

/// The options of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// The number of items of a step that move at the same time.
    pub parallel: usize,
    /// The first stage; the stages before it must already match the rollout. The preparation is always done.
    pub from: Option<usize>,
    /// The only stage besides the preparation; the stages before it must already match the rollout.
    pub only: Option<usize>,
    /// The stage after which the run pauses.
    pub pause_after: Option<usize>,
    /// The time limit of each stage.
    pub stage_timeout: Option<Duration>,
}

/// Objects that exist, with their UIDs.
pub type Present = BTreeMap<ObjectKey, Text>;

/// What the cluster held when this process asked.
#[derive(Debug)]
pub struct Found {
    /// The objects of the rollout that existed.
    pub present: Present,
    /// The webhooks and policies; `None` when the server is asked about each object.
    pub(crate) admission: Option<Admission>,
}

/// What a run needs from its caller.
pub struct Tools<'r> {
    /// The cluster, with the retry budget of a run.
    pub cluster: Arc<Cluster>,
    /// The record of earlier processes of the same run; `None` for a new run.
    pub before: Option<&'r RunRecord>,
    /// The releases that had failed before the run started, as `namespace/name`.
    pub failed_before: &'r [Text],
    /// What the cluster held when this process asked.
    pub found: &'r Found,
    /// The receiver of entries and events.
    pub caller: &'r dyn Caller,
    /// Stops the run when a reason is set.
    pub stop: watch::Sender<Stop>,
}

/// How a run outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunOutcome {
    /// Everything is done.
    Complete,
    /// The run stopped after a stage, as requested, and more stages follow.
    Paused {
        /// The stage.
        stage: usize,
    },
    /// Items failed, with the reasons; no later step was touched.
    Failed(Vec<(ItemId, Text)>),
    /// The run was stopped; the current write was finished.
    Stopped(Stop),
}

/// Carries out the rollout. Must be called inside of a [`tokio::task::LocalSet`].
///
/// # Errors
///
/// When the cluster does not answer or the journal cannot be written. The journal holds everything that was done.
pub async fn run(
    rollout: &Rollout,
    options: &Options,
    tools: Tools<'_>,
) -> Result<RunOutcome, Error> {
    let Tools {
        cluster,
        before,
        failed_before,
        found: Found { present, admission },
        caller,
        stop,
    } = tools;
    let objects = rollout.items().map(|(_, _, item)| &item.object.value);
    let run = Run {
        reflectors: Reflectors::new(Arc::clone(&cluster)),
        cluster,
        before,
        failed_before,
        present,
        admission: admission.as_ref(),
        site: &rollout.site,
        caller,
        stop,
        scrubber: Scrubber::from_trees(objects),
        skipped: RefCell::default(),
        ground: RefCell::default(),
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
    /// The stage must already match the rollout.
    Verify,
    Leave,
}

impl Options {
    /// Returns whether a run carries out or verifies a stage.
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

/// Carries out one stage; `Some` when the run ends here.
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

/// Carries out one step and returns the items that failed. A failure does not stop the other items (Armada:
/// handlers/armada.py finishes a group before it raises).
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
            // No other item can continue; each ends after its current write.
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
            // The first error has the cause; the others were stopped because of it.
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

/// Verifies that a stage that is left out matches the rollout. Writes nothing.
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
