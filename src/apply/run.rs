//! What all parts of a run share.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::event::{Event, Moment};
use super::observe::{Observer, Scope, View};
use crate::cluster::{self, Cluster, KindRef};
use crate::rollout::PartId;
use crate::rollout::journal::{Act, Entry, PartState, State};
use crate::secret::Scrubber;
use crate::value::Text;

/// Why no further write may be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    /// Nothing is in the way.
    #[default]
    No,
    /// Somebody asked for it.
    Interrupted,
    /// The Lease is not ours any more, and why.
    LeaseLost(Text),
    /// Another part met what no part can go on with.
    Broken,
}

impl Stop {
    /// Tells a run to stop for this reason, unless it was told already.
    pub fn tell(self, stop: &watch::Sender<Self>) {
        stop.send_if_modified(|now| {
            let first = *now == Stop::No;
            if first {
                *now = self;
            }
            first
        });
    }
}

/// The journal could not be written; what it says is fit to be shown.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct RecordError(pub String);

/// Why a run ended where it should not.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The cluster.
    #[error(transparent)]
    Cluster(#[from] cluster::Error),
    /// The journal.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// Nothing is wrong: the run was told to stop.
    #[error("the run was stopped")]
    Stopped,
}

/// Writes an entry down, synced, before it returns.
pub type Record<'r> = dyn Fn(Entry) -> Result<(), RecordError> + 'r;
/// Passes on what happens.
pub type Tell<'r> = dyn Fn(Event) + 'r;

/// What all parts share.
pub(super) struct Run<'r> {
    pub(super) cluster: Arc<Cluster>,
    pub(super) observer: Observer,
    /// What earlier processes of the run did; `None` for a new one.
    pub(super) before: Option<&'r State>,
    pub(super) record: &'r Record<'r>,
    pub(super) tell: &'r Tell<'r>,
    /// A clock, for marks in the cluster: never the same twice.
    pub(super) now: &'r dyn Fn() -> Text,
    pub(super) stop: watch::Sender<Stop>,
    /// Knows every secret of the rollout.
    pub(super) scrubber: Scrubber,
    /// Names of releases that had failed before the run, as `namespace/name`.
    pub(super) failed_before: Vec<Text>,
    /// Releases that were left as they are, as (namespace, name).
    pub(super) passed_over: RefCell<BTreeSet<(Text, Text)>>,
    /// Watches that stay open for the whole run.
    pub(super) kept: RefCell<Vec<Rc<View>>>,
}

/// How a wait ended.
pub(super) enum Waited<T> {
    Seen(T),
    TimedOut,
}

impl Run<'_> {
    /// Whether writes may go on.
    pub(super) fn check(&self) -> Result<(), Error> {
        match &*self.stop.borrow() {
            Stop::No => Ok(()),
            Stop::Interrupted | Stop::LeaseLost(_) | Stop::Broken => Err(Error::Stopped),
        }
    }

    /// Writes down what is going to be done; nothing may be done without.
    pub(super) fn going(&self, part: &PartId, act: &Act) -> Result<(), Error> {
        self.check()?;
        let (part, act) = (part.clone(), act.clone());
        Ok((self.record)(Entry::Going { part, act })?)
    }

    /// Writes down what was done.
    pub(super) fn done(
        &self,
        part: &PartId,
        act: Act,
        generation: Option<i64>,
    ) -> Result<(), Error> {
        let part = part.clone();
        Ok((self.record)(Entry::Done {
            part,
            act,
            generation,
        })?)
    }

    /// What earlier processes of the run did for a part.
    pub(super) fn before(&self, part: &PartId) -> Option<&PartState> {
        self.before?.parts.get(part)
    }

    /// Tells where a part stands.
    pub(super) fn tell(&self, part: &PartId, moment: Moment) {
        let part = part.clone();
        (self.tell)(Event::Part { part, moment });
    }

    /// Waits for something until a moment, or until the run is told to stop.
    pub(super) async fn wait<T>(
        &self,
        until: Instant,
        what: impl Future<Output = Result<T, cluster::Error>>,
    ) -> Result<Waited<T>, Error> {
        let mut stop = self.stop.subscribe();
        let stopped = async {
            // The sender lives in `self`.
            let _ = stop.wait_for(|stop| *stop != Stop::No).await;
        };
        tokio::select! {
            biased;
            () = stopped => Err(Error::Stopped),
            seen = timeout_at(until, what) => match seen {
                Ok(seen) => Ok(Waited::Seen(seen?)),
                Err(_) => Ok(Waited::TimedOut),
            },
        }
    }

    /// Follows objects of a kind.
    pub(super) fn follow(
        &self,
        kind: &KindRef,
        namespace: Option<&Text>,
        selector: &Text,
    ) -> Rc<View> {
        self.observer.follow(Scope {
            kind: kind.clone(),
            namespace: namespace.filter(|_| kind.namespaced).cloned(),
            selector: selector.clone(),
        })
    }
}
