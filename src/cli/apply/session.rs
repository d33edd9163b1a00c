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
use super::locks::{self, Locks};
use super::signals::Signals;
use crate::apply::lease::{self, Kept};
use crate::apply::publish::{self, Publisher};
use crate::apply::{self, Caller, Event, Options, Present, RecordError, RunOutcome, Stop, Tools};
use crate::cluster::{self, Cluster};
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
    lease: Kept,
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
        } = locks::take(arguments, &cluster, info.clone()).await?;
        let (stop, _) = watch::channel(Stop::No);
        let lease = lease::keep(&cluster, lease, stop.clone());
        let publisher = publish::publisher(&cluster);
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
            lease,
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
        present: &Present,
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
            present,
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
        ended.map_err(|error| match error {
            apply::Error::Cluster(error) => failure(error),
            apply::Error::Record(error) => self
                .fault
                .borrow_mut()
                .take()
                .unwrap_or_else(|| Failure::new(error.to_string())),
            apply::Error::Stopped => Failure::new("the run was stopped"),
        })
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
            cluster: _,
            info,
            before: _,
            journal,
            fault: _,
            progress,
            publisher,
            lease,
            stop: _,
        } = self;
        let mut journal = journal.into_inner();
        let at_once = matches!(walked, Ok(Walked::AtOnce));
        let ended = walked.map(|walked| match walked {
            Walked::Finished(ended) => ended,
            Walked::AtOnce => RunOutcome::Stopped(Stop::Interrupted),
        });
        let end = end_of(&ended);
        let resume = (end != RunEnd::Complete).then(|| resume(arguments, rollout));
        if let Some(state) = journal.state() {
            let ended = RunRecord {
                end: Some(end.clone()),
                ..state.clone()
            };
            let state = RunState::new(rollout, &ended);
            publisher.publish(state.object(&arguments.state_namespace));
        }
        // Before the journal's last line: whoever ends between the two can be taken up, and knows the Lease as its own.
        if at_once {
            show::say(
                "warning: the Lease was not released; `--resume` on this machine does not need to wait for it",
            );
        } else {
            let mut signals = Signals::listen()?;
            let last = timeout(LAST_WORDS, async {
                let warning = publisher.finish().await;
                (warning, lease.release().await)
            });
            let last = tokio::select! {
                last = last => last.ok(),
                () = signals.next() => None,
            };
            print_last_warnings(last);
        }
        let written = journal.append(Entry::RunEnded(end.clone()));
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

impl Caller for Session<'_> {
    fn record(&self, entry: Entry) -> Result<(), RecordError> {
        let shows = is_published(&entry);
        self.journal.borrow_mut().append(entry).map_err(|failure| {
            self.fault.borrow_mut().get_or_insert(failure);
            RecordError("the journal cannot be written".to_owned())
        })?;
        if let (true, Some(state)) = (shows, self.journal.borrow().state()) {
            let state = RunState::new(self.rollout, state);
            let namespace = &self.arguments.state_namespace;
            self.publisher.publish(state.object(namespace));
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

/// What went wrong with the state and the Lease; the run's own end says whether it did its work.
fn print_last_warnings(said: Option<(Option<String>, Result<(), cluster::Error>)>) {
    let Some((warning, released)) = said else {
        show::say("warning: the Lease was not released in time; it expires within a minute");
        return;
    };
    if let Some(warning) = warning {
        show::say(&format!(
            "warning: the state of the run was not written: {warning}"
        ));
    }
    if let Err(error) = released {
        show::say(&format!(
            "warning: the Lease was not released, it expires within a minute: {error}"
        ));
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
