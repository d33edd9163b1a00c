//! One run in one cluster: locks, journal, state in the cluster and progress, from the first write to the last word.
//!
//! Nothing in it belongs to the process: sessions in several clusters would not know of each other.

use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::super::access::failure;
use super::super::journal::Journal;
use super::super::progress::{EventsFile, Progress};
use super::super::{Failure, Output, clock, show};
use super::Arguments;
use super::client_warnings::ClientWarnings;
use super::last_words;
use super::locks::{self, Locks};
use super::signals::Signals;
use crate::apply::lease::{self, Held, Kept};
use crate::apply::publish::{self, Publisher};
use crate::apply::{self, Caller, Event, Found, Options, RecordError, RunOutcome, Stop, Tools};
use crate::cluster::Cluster;
use crate::report::apply::Report;
use crate::report::command_line;
use crate::rollout::Rollout;
use crate::rollout::journal::{Entry, ItemOutcome, RunEnd, RunInfo, RunRecord, Write};
use crate::rollout::state::RunState;
use crate::value::Text;

/// How often times on a terminal go on when nothing happens.
const TICK: Duration = Duration::from_secs(1);

/// How long the last words to the cluster may take: the run is over, and none of them is needed.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// A run that holds its locks.
pub(super) struct Session<'s> {
    arguments: &'s Arguments,
    rollout: &'s Rollout,
    cluster: Arc<Cluster>,
    info: RunInfo,
    /// Where the run stood that is taken up; `None` for a new one.
    before: Option<RunRecord>,
    journal: RefCell<Journal>,
    /// What a person sees of a journal that failed; the walk itself carries words only.
    fault: RefCell<Option<Failure>>,
    progress: RefCell<Progress>,
    publisher: Publisher,
    /// The state that was given to the publisher last.
    published: RefCell<Option<RunState>>,
    lease: Kept,
    held: Held,
    stop: watch::Sender<Stop>,
}

/// How a walk ended.
pub(super) enum Walked {
    /// By itself.
    Finished(RunOutcome),
    /// Somebody who asked for it twice: nothing is waited for any more.
    AtOnce,
}

/// What a session leaves.
pub(super) struct Closed {
    /// How the run ended.
    pub(super) ended: Result<RunOutcome, Failure>,
    /// Whether the journal's last line was written.
    pub(super) written: Result<(), Failure>,
    /// What the process came to.
    pub(super) report: Report,
    /// The command that resumes the run.
    pub(super) resume: Option<String>,
}

impl<'s> Session<'s> {
    /// Takes the locks; the run may write from now on. Must be called inside of a [`tokio::task::LocalSet`].
    pub(super) async fn open(
        arguments: &'s Arguments,
        output: &Output,
        rollout: &'s Rollout,
        cluster: Arc<Cluster>,
        info: RunInfo,
    ) -> Result<Self, Failure> {
        // Before a lock is held: a run without its events is not started.
        let events = arguments
            .events
            .as_deref()
            .map(EventsFile::open)
            .transpose()?;
        let Locks {
            lease,
            journal,
            before,
            info,
        } = locks::take(arguments, rollout, &cluster, info).await?;
        let (stop, _) = watch::channel(Stop::No);
        let lease = lease::keep(&cluster, lease, stop.clone());
        let held = lease.held();
        let publisher = publish::publisher(&cluster, held.clone());
        let is_finished = |id: &_| before.as_ref().is_some_and(|before| before.is_finished(id));
        let progress = Progress::new(rollout, is_finished, journal.run(), output, events);
        Ok(Self {
            arguments,
            rollout,
            cluster,
            info,
            before,
            journal: RefCell::new(journal),
            fault: RefCell::default(),
            progress: RefCell::new(progress),
            publisher,
            published: RefCell::default(),
            lease,
            held,
            stop,
        })
    }

    /// Stops the walk when it is set.
    pub(super) fn stop(&self) -> watch::Sender<Stop> {
        self.stop.clone()
    }

    /// Walks until the rollout, the cluster, the journal or somebody ends it.
    pub(super) async fn walk(
        &self,
        options: &Options,
        found: &Found,
        warnings: &mut ClientWarnings,
    ) -> Result<RunOutcome, Failure> {
        let tools = Tools {
            cluster: Arc::clone(&self.cluster),
            before: self.before.as_ref(),
            failed_before: &self
                .before
                .as_ref()
                .map_or(&self.info, |run| &run.info)
                .failed_before,
            found,
            caller: self,
            stop: self.stop.clone(),
        };
        let pass_on = warnings.pass_on(|warning| {
            let message = warning.into();
            self.emit(Event::Warning { message });
        });
        let ended = tokio::select! {
            ended = apply::run(self.rollout, options, tools) => ended,
            never = pass_on => match never {},
            never = self.tick() => match never {},
        };
        match ended {
            Ok(outcome) => Ok(outcome),
            Err(apply::Error::Cluster(error)) => Err(failure(error)),
            Err(apply::Error::Record(error)) => match self.fault.borrow_mut().take() {
                Some(failure) => Err(failure),
                None if *self.stop.borrow() != Stop::No => {
                    Ok(RunOutcome::Stopped(self.stop.borrow().clone()))
                }
                None => Err(Failure::new(error.to_string())),
            },
            Err(apply::Error::Stopped) => Err(Failure::new("the run was stopped")),
        }
    }

    async fn tick(&self) -> Infallible {
        loop {
            sleep(TICK).await;
            self.progress.borrow_mut().tick();
        }
    }

    /// Gives the locks back, writes the journal's last line, and says what the run came to.
    pub(super) async fn close(self, walked: Result<Walked, Failure>) -> Result<Closed, Failure> {
        let Self {
            arguments,
            rollout,
            cluster,
            info,
            before: _,
            journal,
            fault: _,
            progress,
            publisher,
            published: _,
            lease,
            held: _,
            stop: _,
        } = self;
        let mut journal = journal.into_inner();
        let (mut ended, at_once) = match walked {
            Ok(Walked::Finished(ended)) => (Ok(ended), false),
            Ok(Walked::AtOnce) => (Ok(RunOutcome::Stopped(Stop::Interrupted)), true),
            Err(failure) => (Err(failure), false),
        };
        // Before the journal's last line: whoever ends between the two can be resumed.
        if at_once {
            publisher.abandon();
            show::say(
                "warning: the Lease was not released; `--resume` on this machine does not need to wait for it",
            );
        } else {
            let state = journal.state().map(|state| {
                let ended = RunRecord {
                    end: Some(end_of(&ended)),
                    ..state.clone()
                };
                RunState::new(rollout, &ended).object(&arguments.state_namespace)
            });
            let mut signals = Signals::listen()?;
            let last = last_words::send(&cluster, lease, publisher, state);
            let last = tokio::select! {
                last = timeout(LAST_WORDS, last) => last.ok(),
                () = signals.next() => None,
            };
            if let Some(why) = last_words::print_warnings(last) {
                ended = lost(ended, why);
            }
        }
        let end = end_of(&ended);
        let written = journal.append(Entry::RunEnded(end.clone()));
        let unfinished = end != RunEnd::Complete || written.is_err();
        let resume = unfinished.then(|| resume(arguments, rollout));
        let progress = progress.into_inner();
        let report = progress.end(&info, arguments.resume, end, resume.clone());
        Ok(Closed {
            ended,
            written,
            report,
            resume,
        })
    }
}

/// How a run ended that did not hold its Lease any more at its end: another run may have worked beside it.
fn lost(ended: Result<RunOutcome, Failure>, why: Text) -> Result<RunOutcome, Failure> {
    match ended {
        Ok(RunOutcome::Complete | RunOutcome::Paused { .. }) => {
            Ok(RunOutcome::Stopped(Stop::LeaseLost(why)))
        }
        Ok(RunOutcome::Failed(_) | RunOutcome::Stopped(_)) | Err(_) => ended,
    }
}

impl Caller for Session<'_> {
    fn record(&self, entry: Entry) -> Result<(), RecordError> {
        if matches!(entry, Entry::Intent { .. } | Entry::DeletionsListed { .. })
            && !self.held.is_certain()
        {
            let why = format!("it was not renewed for {} s", lease::SECONDS);
            Stop::LeaseLost(why.into()).request(&self.stop);
            return Err(RecordError("the Lease is not held any more".to_owned()));
        }
        let shows = is_published(&entry);
        self.journal.borrow_mut().append(entry).map_err(|failure| {
            self.fault.borrow_mut().get_or_insert(failure);
            RecordError("the journal cannot be written".to_owned())
        })?;
        if let (true, Some(state)) = (shows, self.journal.borrow().state()) {
            let state = RunState::new(self.rollout, state);
            let namespace = &self.arguments.state_namespace;
            let mut published = self.published.borrow_mut();
            if published
                .as_ref()
                .is_none_or(|last| !last.shows_same(&state))
            {
                self.publisher.publish(state.object(namespace));
                *published = Some(state);
            }
        }
        Ok(())
    }

    fn emit(&self, event: Event) {
        self.progress.borrow_mut().event(&event);
    }

    fn now(&self) -> Text {
        clock::now()
    }
}

/// Whether an entry is worth a write of the state in the cluster. What was up to date is shown with the next entry that is,
/// or with the end of the run: a run that moves nothing writes the state twice.
fn is_published(entry: &Entry) -> bool {
    match entry {
        Entry::RunStarted(_)
        | Entry::RunResumed(_)
        | Entry::RunEnded(_)
        | Entry::DeletionsListed { .. } => true,
        // The list of deletions announced them.
        Entry::Intent { item: _, request } => !matches!(request, Write::Delete { .. }),
        Entry::ItemFinished { item: _, outcome } => match outcome {
            ItemOutcome::Applied | ItemOutcome::Skipped | ItemOutcome::Failed { .. } => true,
            ItemOutcome::Unchanged => false,
        },
        // They change no number of the state.
        Entry::StageStarted { .. } | Entry::StageFinished { .. } | Entry::Done { .. } => false,
    }
}

/// How the journal calls the end.
fn end_of(walked: &Result<RunOutcome, Failure>) -> RunEnd {
    match walked {
        Ok(RunOutcome::Complete) => RunEnd::Complete,
        Ok(RunOutcome::Paused { stage }) => RunEnd::Paused { stage: *stage },
        Ok(RunOutcome::Stopped(Stop::Interrupted)) => RunEnd::Interrupted,
        Ok(RunOutcome::Failed(_) | RunOutcome::Stopped(_)) | Err(_) => RunEnd::Failed,
    }
}

/// The command that takes the run up again, without options that may hold secrets.
fn resume(arguments: &Arguments, rollout: &Rollout) -> String {
    let mut words = vec!["armada2flux".to_owned(), "apply".to_owned()];
    let files = arguments.input.named().iter();
    words.extend(files.map(|file| file.display().to_string()));
    words.push("--resume".to_owned());
    if arguments.journal.is_some() {
        let journal = locks::path(arguments, &rollout.site);
        words.extend(["--journal".to_owned(), journal.display().to_string()]);
    }
    command_line(words.iter().map(String::as_str))
}
