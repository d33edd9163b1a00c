//! Reflectors: one watch for each kind, namespace and selector, shared by all items that wait for its objects.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use futures::StreamExt as _;
use tokio::sync::watch;
use tokio::task::{AbortHandle, spawn_local};

use super::store::Store;
use crate::cluster::{Cluster, Error, Event, KindRef};
use crate::flux::Object;
use crate::value::Text;

/// The objects that a watch is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Scope {
    pub(super) kind: KindRef,
    pub(super) namespace: Option<Text>,
    /// Label selector; empty for every object.
    pub(super) selector: Text,
}

/// All reflectors that are in use. Must be used inside of a [`tokio::task::LocalSet`].
pub(super) struct Reflectors {
    cluster: Arc<Cluster>,
    /// A watch ends when its last user drops the reflector.
    watches: RefCell<BTreeMap<Scope, Weak<Reflector>>>,
}

/// The current objects of a scope.
pub(super) struct Reflector {
    seen: RefCell<Store>,
    failed: RefCell<Option<Error>>,
    /// The number of changes so far.
    changes: watch::Sender<u64>,
    task: RefCell<Option<AbortHandle>>,
}

impl Reflectors {
    pub(super) fn new(cluster: Arc<Cluster>) -> Self {
        Self {
            cluster,
            watches: RefCell::default(),
        }
    }

    /// Returns the reflector of a scope, which starts with a list.
    pub(super) fn watch(&self, scope: Scope) -> Rc<Reflector> {
        let known = self.watches.borrow().get(&scope).and_then(Weak::upgrade);
        // A watch that gave up is started again.
        if let Some(view) = known.filter(|view| view.failed.borrow().is_none()) {
            return view;
        }
        let view = Rc::new(Reflector {
            seen: RefCell::default(),
            failed: RefCell::default(),
            changes: watch::Sender::new(0),
            task: RefCell::default(),
        });
        let (cluster, seen) = (Arc::clone(&self.cluster), Rc::downgrade(&view));
        let Scope {
            kind,
            namespace,
            selector,
        } = scope.clone();
        let task = spawn_local(async move {
            let labels = Some(&*selector).filter(|labels| !labels.is_empty());
            let mut events = std::pin::pin!(cluster.watch(&kind, namespace.as_deref(), labels));
            while let Some(event) = events.next().await {
                let Some(view) = seen.upgrade() else { return };
                if !view.take(event) {
                    return;
                }
            }
        });
        *view.task.borrow_mut() = Some(task.abort_handle());
        let mut watches = self.watches.borrow_mut();
        watches.retain(|_, view| view.strong_count() > 0);
        watches.insert(scope, Rc::downgrade(&view));
        view
    }
}

impl Reflector {
    /// Stores an event; returns `false` when it was the last.
    fn take(&self, event: Result<Event, Error>) -> bool {
        let goes_on = event.is_ok();
        match event {
            Ok(event) => self.seen.borrow_mut().take(event),
            Err(error) => *self.failed.borrow_mut() = Some(error),
        }
        self.changes.send_modify(|changes| *changes += 1);
        goes_on
    }

    /// Calls `look` now and after every change, until it returns a value.
    pub(super) async fn until<T>(
        &self,
        mut look: impl FnMut(&Store) -> Option<T>,
    ) -> Result<T, Error> {
        let mut changes = self.changes.subscribe();
        loop {
            if let Some(error) = &*self.failed.borrow() {
                return Err(error.clone());
            }
            let found = {
                let seen = self.seen.borrow();
                Some(&*seen)
                    .filter(|seen| seen.is_listed())
                    .and_then(&mut look)
            };
            if let Some(found) = found {
                return Ok(found);
            }
            // The sender lives in `self`.
            let _ = changes.changed().await;
        }
    }

    /// Returns one object as it is now; waits for the first list.
    pub(super) async fn object(
        &self,
        namespace: Option<&Text>,
        name: &Text,
    ) -> Result<Option<Object>, Error> {
        let key = (namespace.cloned(), name.clone());
        self.until(|seen| Some(seen.objects().get(&key).cloned()))
            .await
    }
}

impl Drop for Reflector {
    fn drop(&mut self) {
        if let Some(task) = self.task.borrow_mut().take() {
            task.abort();
        }
    }
}
