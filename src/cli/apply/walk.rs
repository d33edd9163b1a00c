//! The walk with all that goes on beside it: journal, state in the cluster, progress, signals.

use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use super::super::access::failure;
use super::super::journal::Journal;
use super::super::progress::Progress;
use super::super::{Failure, clock};
use super::signals;
use crate::apply::publish::Publisher;
use crate::apply::{self, Ended, Event, Options, RecordError, Stop, Tools};
use crate::cluster::Cluster;
use crate::rollout::Rollout;
use crate::rollout::journal::{Entry, State};
use crate::rollout::state::RunState;
use crate::value::Text;

/// How often times on a terminal go on when nothing happens.
const TICK: Duration = Duration::from_secs(1);

/// What is walked, and with what.
pub(super) struct Walk<'w> {
    pub(super) rollout: &'w Rollout,
    pub(super) options: &'w Options,
    pub(super) cluster: &'w Arc<Cluster>,
    /// Where the run stood that is taken up.
    pub(super) before: Option<&'w State>,
    pub(super) failed_before: Vec<Text>,
    pub(super) state_namespace: &'w str,
    pub(super) journal: &'w RefCell<Journal>,
    pub(super) progress: &'w RefCell<Progress>,
    pub(super) publisher: &'w Publisher,
    /// What the client has to say of servers that are busy.
    pub(super) troubles: mpsc::UnboundedReceiver<String>,
    pub(super) stop: watch::Sender<Stop>,
}

/// How a walk ended.
pub(super) enum Walked {
    /// By itself.
    Ended(Ended),
    /// Somebody who asked for it twice: nothing is waited for any more.
    AtOnce,
}

impl Walk<'_> {
    /// Walks until the rollout, the cluster, the journal or somebody ends it.
    pub(super) async fn go(self) -> Result<Walked, Failure> {
        let Self {
            rollout,
            options,
            cluster,
            before,
            failed_before,
            state_namespace,
            journal,
            progress,
            publisher,
            troubles,
            stop,
        } = self;
        // What a person sees of a journal that failed; the walk itself carries words only.
        let fault: RefCell<Option<Failure>> = RefCell::default();
        let record = |entry: Entry| {
            let shows = is_seen_from_outside(&entry);
            journal.borrow_mut().append(entry).map_err(|failure| {
                let error = RecordError("the journal cannot be written".to_owned());
                fault.borrow_mut().get_or_insert(failure);
                error
            })?;
            if let (true, Some(state)) = (shows, journal.borrow().state()) {
                publisher.publish(RunState::of(rollout, state).object(state_namespace));
            }
            Ok(())
        };
        let tell = |event: Event| progress.borrow_mut().event(&event);
        let tools = Tools {
            cluster: Arc::clone(cluster),
            before,
            record: &record,
            tell: &tell,
            now: &clock::now,
            stop: stop.clone(),
            failed_before,
        };
        let ended = tokio::select! {
            ended = apply::run(rollout, options, tools) => ended,
            at_once = signals::watch(stop) => {
                at_once?;
                return Ok(Walked::AtOnce);
            }
            never = pass_on(troubles, progress) => match never {},
            never = tick(progress) => match never {},
        };
        ended.map(Walked::Ended).map_err(|error| match error {
            apply::Error::Cluster(error) => failure(error),
            apply::Error::Record(error) => fault
                .borrow_mut()
                .take()
                .unwrap_or_else(|| Failure::new(error.to_string())),
            apply::Error::Stopped => Failure::new("the run was stopped"),
        })
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

/// Troubles of the client as events.
async fn pass_on(
    mut troubles: mpsc::UnboundedReceiver<String>,
    progress: &RefCell<Progress>,
) -> Infallible {
    while let Some(message) = troubles.recv().await {
        let message = message.into();
        progress.borrow_mut().event(&Event::Trouble { message });
    }
    std::future::pending().await
}

async fn tick(progress: &RefCell<Progress>) -> Infallible {
    loop {
        sleep(TICK).await;
        progress.borrow_mut().tick();
    }
}
