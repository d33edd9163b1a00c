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
use super::super::progress::Progress;
use super::super::{Failure, Output, clock, show};
use super::Arguments;
use super::locks::{self, Locks};
use super::signals::Signals;
use super::troubles::Troubles;
use crate::apply::lease::{self, Kept};
use crate::apply::publish::{self, Publisher};
use crate::apply::{self, Caller, Ended, Event, Options, RecordError, Stop, Tools};
use crate::cluster::{self, Cluster};
use crate::report::apply::Report;
use crate::report::command_line;
use crate::rollout::Rollout;
use crate::rollout::journal::{Begin, End, Entry, State};
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
    about: Begin,
    /// Where the run stood that is taken up; `None` for a new one.
    before: Option<State>,
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
    Ended(Ended),
    /// Somebody who asked for it twice: nothing is waited for any more.
    AtOnce,
}

/// What a session leaves.
pub(super) struct Closed {
    /// How the run ended.
    pub(super) ended: Result<Ended, Failure>,
    /// Whether the journal's last line was written.
    pub(super) written: Result<(), Failure>,
    /// What the process came to.
    pub(super) report: Report,
    /// The command that takes the run up again.
    pub(super) resume: Option<String>,
}

impl<'s> Session<'s> {
    /// Takes the locks; the run may write from now on. Must be called inside of a [`tokio::task::LocalSet`].
    pub(super) async fn open(
        arguments: &'s Arguments,
        output: &Output,
        rollout: &'s Rollout,
        cluster: Arc<Cluster>,
        about: Begin,
    ) -> Result<Self, Failure> {
        let Locks {
            lease,
            journal,
            before,
        } = locks::take(arguments, &cluster, about.clone()).await?;
        let (stop, _) = watch::channel(Stop::No);
        let lease = lease::keep(&cluster, lease, stop.clone());
        let publisher = publish::publisher(&cluster);
        let is_finished = |id: &_| before.as_ref().is_some_and(|before| before.is_finished(id));
        let events = arguments.events.as_deref();
        let progress = Progress::new(rollout, is_finished, journal.run(), output, events)?;
        Ok(Self {
            arguments,
            rollout,
            cluster,
            about,
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
        troubles: &mut Troubles,
    ) -> Result<Ended, Failure> {
        let tools = Tools {
            cluster: Arc::clone(&self.cluster),
            before: self.before.as_ref(),
            failed_before: &self
                .before
                .as_ref()
                .map_or(&self.about, |run| &run.about)
                .failed_before,
            caller: self,
            stop: self.stop.clone(),
        };
        let pass_on = troubles.pass_on(|trouble| {
            let message = trouble.into();
            self.tell(Event::Trouble { message });
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
            about,
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
            Walked::Ended(ended) => ended,
            Walked::AtOnce => Ended::Stopped(Stop::Interrupted),
        });
        let end = end_of(&ended);
        let resume = (end != End::Complete).then(|| resume(arguments, rollout));
        if let Some(state) = journal.state() {
            let ended = State {
                end: Some(end.clone()),
                ..state.clone()
            };
            let state = RunState::of(rollout, &ended);
            publisher.publish(state.object(&arguments.state_namespace));
        }
        // Before the journal's last line: whoever ends between the two can be taken up, and knows the Lease as its own.
        if at_once {
            show::say(
                "warning: the lease was not given back; --resume on this machine need not wait for it",
            );
        } else {
            let mut signals = Signals::listen()?;
            let last = timeout(LAST_WORDS, async {
                let trouble = publisher.finish().await;
                (trouble, lease.release().await)
            });
            let last = tokio::select! {
                last = last => last.ok(),
                () = signals.next() => None,
            };
            last_words(last);
        }
        let written = journal.append(Entry::End(end.clone()));
        let progress = progress.into_inner();
        let report = progress.end(&about, arguments.resume, end, resume.clone());
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
        let shows = is_seen_from_outside(&entry);
        self.journal.borrow_mut().append(entry).map_err(|failure| {
            self.fault.borrow_mut().get_or_insert(failure);
            RecordError("the journal cannot be written".to_owned())
        })?;
        if let (true, Some(state)) = (shows, self.journal.borrow().state()) {
            let state = RunState::of(self.rollout, state);
            let namespace = &self.arguments.state_namespace;
            self.publisher.publish(state.object(namespace));
        }
        Ok(())
    }

    fn tell(&self, event: Event) {
        self.progress.borrow_mut().event(&event);
    }

    fn now(&self) -> Text {
        clock::now()
    }
}

/// Whether an entry changes what the state in the cluster shows.
fn is_seen_from_outside(entry: &Entry) -> bool {
    match entry {
        Entry::Begin(_)
        | Entry::Resume(_)
        | Entry::StageBegins { .. }
        | Entry::Finished { .. }
        | Entry::StageEnds { .. }
        | Entry::End(_) => true,
        Entry::Going { .. } | Entry::Done { .. } | Entry::Doomed { .. } => false,
    }
}

/// How the journal calls the end.
fn end_of(walked: &Result<Ended, Failure>) -> End {
    match walked {
        Ok(Ended::Complete) => End::Complete,
        Ok(Ended::Paused { stage }) => End::Paused { stage: *stage },
        Ok(Ended::Stopped(Stop::Interrupted)) => End::Interrupted,
        Ok(Ended::Failed(_) | Ended::Stopped(_)) | Err(_) => End::Failed,
    }
}

/// What went wrong with the state and the Lease; the run's own end says whether it did its work.
fn last_words(said: Option<(Option<String>, Result<(), cluster::Error>)>) {
    let Some((trouble, released)) = said else {
        show::say("warning: the lease was not given back in time, it expires by itself");
        return;
    };
    if let Some(trouble) = trouble {
        show::say(&format!(
            "warning: the run's state was not written: {trouble}"
        ));
    }
    if let Err(error) = released {
        show::say(&format!(
            "warning: the lease was not given back, it expires by itself: {error}"
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
