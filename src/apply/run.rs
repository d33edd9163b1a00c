//! What all items of a run share.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::error::{Error, RecordError};
use super::event::{Event, ItemState};
use super::reflector::{Reflector, Reflectors, Scope};
use crate::cluster::{self, Cluster, KindRef, ObjectRef};
use crate::flux::Object;
use crate::rollout::ItemId;
use crate::rollout::journal::{Entry, ItemRecord, RunRecord, Write};
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
    /// Another item met what no item can go on with.
    Broken,
}

impl Stop {
    /// Tells a run to stop for this reason, unless it was told already.
    pub fn request(self, stop: &watch::Sender<Self>) {
        stop.send_if_modified(|now| {
            let first = *now == Stop::No;
            if first {
                *now = self;
            }
            first
        });
    }
}

/// Whoever started a run: keeps its journal, is told what happens, and has a clock.
pub trait Caller {
    /// Writes an entry into the journal, synced, before it returns.
    ///
    /// # Errors
    ///
    /// When it cannot be written; nothing that the entry announces may be done then.
    fn record(&self, entry: Entry) -> Result<(), RecordError>;

    /// Is told what happens.
    fn emit(&self, event: Event);

    /// The time, for marks in the cluster: RFC 3339, never the same twice.
    fn now(&self) -> Text;
}

/// What all items share.
pub(super) struct Run<'r> {
    pub(super) cluster: Arc<Cluster>,
    pub(super) reflectors: Reflectors,
    /// What earlier processes of the run did; `None` for a new one.
    pub(super) before: Option<&'r RunRecord>,
    pub(super) caller: &'r dyn Caller,
    pub(super) stop: watch::Sender<Stop>,
    /// Knows every secret of the rollout.
    pub(super) scrubber: Scrubber,
    /// Names of releases that had failed before the run, as `namespace/name`.
    pub(super) failed_before: &'r [Text],
    /// Releases that were left as they are, as (namespace, name).
    pub(super) skipped: RefCell<BTreeSet<(Text, Text)>>,
    /// Watches that stay open for the whole run.
    pub(super) kept: RefCell<Vec<Rc<Reflector>>>,
}

/// How a wait ended.
pub(super) enum Waited<T> {
    Seen(T),
    TimedOut,
}

/// Words for a wait that was too long.
pub(super) fn timed_out(started: Instant, last: &str) -> String {
    let seconds = started.elapsed().as_secs();
    format!("not ready after {seconds} s; {last}")
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
    pub(super) fn record_intent(&self, item: &ItemId, request: &Write) -> Result<(), Error> {
        self.check()?;
        let (item, request) = (item.clone(), request.clone());
        Ok(self.caller.record(Entry::Intent { item, request })?)
    }

    /// Writes down what was done.
    pub(super) fn record_done(
        &self,
        item: &ItemId,
        request: Write,
        generation: Option<i64>,
    ) -> Result<(), Error> {
        let item = item.clone();
        Ok(self.caller.record(Entry::Done {
            item,
            request,
            generation,
        })?)
    }

    /// What earlier processes of the run did for a item.
    pub(super) fn before(&self, item: &ItemId) -> Option<&ItemRecord> {
        self.before?.items.get(item)
    }

    /// Tells where a item stands.
    pub(super) fn emit(&self, item: &ItemId, state: ItemState) {
        let item = item.clone();
        self.caller.emit(Event::Item { item, state });
    }

    /// Waits for something until a state, or until the run is told to stop.
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
    pub(super) fn watch(
        &self,
        kind: &KindRef,
        namespace: Option<&Text>,
        selector: &Text,
    ) -> Rc<Reflector> {
        self.reflectors.watch(Scope {
            kind: kind.clone(),
            namespace: namespace.filter(|_| kind.namespaced).cloned(),
            selector: selector.clone(),
        })
    }

    /// The object as it is now: what a controller works on is watched anyway, the rest is read once.
    pub(super) async fn live(
        &self,
        kind: &KindRef,
        object: &Object,
    ) -> Result<Option<Object>, Error> {
        if !object.is_of_flux() {
            return Ok(self.cluster.read(&ObjectRef::from(object)).await?);
        }
        let view = self.watched(kind, object);
        Ok(view.object(object.namespace.as_ref(), &object.name).await?)
    }

    /// The watch in which an object of Flux is seen; it stays open for the whole run.
    pub(super) fn watched(&self, kind: &KindRef, object: &Object) -> Rc<Reflector> {
        let view = self.watch(kind, object.namespace.as_ref(), &Text::new());
        let mut kept = self.kept.borrow_mut();
        if !kept.iter().any(|known| Rc::ptr_eq(known, &view)) {
            kept.push(Rc::clone(&view));
        }
        view
    }
}
