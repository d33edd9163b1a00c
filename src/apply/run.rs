//! What the items of a run share.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::future::{Future, pending};
use std::rc::Rc;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Duration, Instant, timeout_at};

use super::Present;
use super::error::{Error, RecordError};
use super::event::{Event, ItemState};
use super::prepared::Ground;
use super::reflector::{Reflector, Reflectors, Scope};
use crate::cluster::{self, ApplyResult, Cluster, FIELD_MANAGER, KindRef, ObjectRef};
use crate::flux::Object;
use crate::flux::managed_fields::is_applied;
use crate::rollout::ItemId;
use crate::rollout::journal::{Entry, ItemRecord, RunRecord, Write};
use crate::secret::Scrubber;
use crate::survey::Admission;
use crate::value::Text;

/// Why no further write may be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stop {
    /// The run may write.
    #[default]
    No,
    /// A signal asked for it.
    Interrupted,
    /// The Lease was lost, with the reason.
    LeaseLost(Text),
    /// Another item met an error that concerns the whole run.
    Broken,
}

impl Stop {
    /// Requests that a run stops for this reason, unless another reason came first.
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

/// The caller of a run: keeps the journal, receives events, and has a clock.
pub trait Caller {
    /// Writes an entry into the journal, synced, before it returns.
    ///
    /// # Errors
    ///
    /// When it cannot be written. What the entry announces must not be done then.
    fn record(&self, entry: Entry) -> Result<(), RecordError>;

    /// Receives an event.
    fn emit(&self, event: Event);

    /// Returns the time, for tokens in the cluster: RFC 3339, never the same twice.
    fn now(&self) -> Text;
}

/// What all items share.
pub(super) struct Run<'r> {
    pub(super) cluster: Arc<Cluster>,
    pub(super) reflectors: Reflectors,
    /// The record of earlier processes of the run; `None` for a new run.
    pub(super) before: Option<&'r RunRecord>,
    pub(super) caller: &'r dyn Caller,
    pub(super) stop: watch::Sender<Stop>,
    /// Removes every secret of the rollout from texts.
    pub(super) scrubber: Scrubber,
    /// The releases that had failed before the run, as `namespace/name`.
    pub(super) failed_before: &'r [Text],
    /// The objects of the rollout that existed when this process began.
    pub(super) present: &'r Present,
    /// The webhooks and policies; `None` when the server is asked about each object.
    pub(super) admission: Option<&'r Admission>,
    /// The site of the rollout.
    pub(super) site: &'r str,
    /// The releases that were skipped, as (namespace, name).
    pub(super) skipped: RefCell<BTreeSet<(Text, Text)>>,
    /// What the preparation made ready.
    pub(super) ground: RefCell<Ground>,
    /// Reflectors that stay open for the whole run.
    pub(super) kept: RefCell<Vec<Rc<Reflector>>>,
}

/// How a wait ended.
pub(super) enum Waited<T> {
    Seen(T),
    TimedOut,
}

/// Returns the message of a wait that took too long.
pub(super) fn timed_out(started: Instant, last: &str) -> String {
    let seconds = started.elapsed().as_secs();
    format!("not ready after {seconds} s; {last}")
}

impl Run<'_> {
    /// Fails when the run was stopped.
    pub(super) fn check(&self) -> Result<(), Error> {
        match &*self.stop.borrow() {
            Stop::No => Ok(()),
            Stop::Interrupted | Stop::LeaseLost(_) | Stop::Broken => Err(Error::Stopped),
        }
    }

    /// What an apply of the object would make of it. The server is asked, unless the live object proves that nothing
    /// changes.
    pub(super) async fn would_be(
        &self,
        kind: &KindRef,
        object: &Object,
        live: Option<&Object>,
    ) -> Result<ApplyResult, cluster::Error> {
        let proved = self
            .admission
            .is_some_and(|admission| admission.changes_nothing(kind));
        match live {
            Some(live) if proved && is_applied(live, object, FIELD_MANAGER) => {
                Ok(ApplyResult::Applied {
                    object: Box::new(live.clone()),
                    created: false,
                })
            }
            live => self.cluster.dry_run_apply(object, live, false).await,
        }
    }

    /// Records a write before it is sent.
    pub(super) fn record_intent(&self, item: &ItemId, request: &Write) -> Result<(), Error> {
        self.check()?;
        let (item, request) = (item.clone(), request.clone());
        Ok(self.caller.record(Entry::Intent { item, request })?)
    }

    /// Records that a write succeeded.
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

    /// Returns the record of an item from earlier processes of the run.
    pub(super) fn before(&self, item: &ItemId) -> Option<&ItemRecord> {
        self.before?.items.get(item)
    }

    /// Emits the state of an item.
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

    /// Lets a time pass, at most until `ends`.
    pub(super) async fn pause(&self, ends: Instant, time: Duration) -> Result<(), Error> {
        let until = ends.min(Instant::now() + time);
        match self.wait(until, pending::<Result<Infallible, _>>()).await? {
            Waited::Seen(never) => match never {},
            Waited::TimedOut => Ok(()),
        }
    }

    /// Watches objects of a kind.
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

    /// Returns the object as it is now: a watch may be behind. Objects of Flux are watched, so they may be listed; others may
    /// be read.
    pub(super) async fn live(
        &self,
        kind: &KindRef,
        object: &Object,
    ) -> Result<Option<Object>, Error> {
        if !object.is_of_flux() {
            return Ok(self.cluster.read(&ObjectRef::from(object)).await?);
        }
        let namespace = object.namespace.as_deref();
        Ok(self.cluster.find(kind, namespace, &object.name).await?)
    }

    /// Returns the reflector of a Flux object; it stays open for the whole run.
    pub(super) fn watched(&self, kind: &KindRef, object: &Object) -> Rc<Reflector> {
        let view = self.watch(kind, object.namespace.as_ref(), &Text::new());
        let mut kept = self.kept.borrow_mut();
        if !kept.iter().any(|known| Rc::ptr_eq(known, &view)) {
            kept.push(Rc::clone(&view));
        }
        view
    }
}
