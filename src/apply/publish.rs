//! The state of a run as an object in the cluster, for whoever has no journal at hand.
//!
//! It never holds a run up: only the newest state is written, beside what the run does.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_local};

use crate::cluster::{ApplyResult, Cluster};
use crate::flux::Object;

/// States that are written in the background.
pub struct Publisher {
    newest: watch::Sender<Option<Object>>,
    /// Gives what went wrong with the last state, if anything did.
    task: JoinHandle<Option<String>>,
}

/// Begins to publish. Must be called inside of a [`tokio::task::LocalSet`].
#[must_use]
pub fn publisher(cluster: &Arc<Cluster>) -> Publisher {
    let (newest, mut states) = watch::channel(None::<Object>);
    let cluster = Arc::clone(cluster);
    let task = spawn_local(async move {
        let mut trouble = None;
        while states.changed().await.is_ok() {
            let state = states.borrow_and_update().clone();
            let Some(state) = state else { continue };
            // The object is the run's own: nobody else has anything to say in it.
            trouble = match cluster.apply(&state, None, true).await {
                Ok(ApplyResult::Applied { .. }) => None,
                Ok(
                    ApplyResult::Refused { message, .. }
                    | ApplyResult::Forbidden { message }
                    | ApplyResult::Unsupported { message },
                ) => Some(message),
                Ok(ApplyResult::NamespaceMissing { namespace }) => {
                    Some(format!("namespace `{namespace}` does not exist"))
                }
                Ok(ApplyResult::Conflict(_) | ApplyResult::KindNotServed) => {
                    Some("the api server does not take it".to_owned())
                }
                Err(error) => Some(error.to_string()),
            };
        }
        trouble
    });
    Publisher { newest, task }
}

impl Publisher {
    /// Takes a newer state.
    pub fn publish(&self, state: Object) {
        self.newest.send_replace(Some(state));
    }

    /// Waits until the last state is written; gives why it is not.
    pub async fn finish(self) -> Option<String> {
        let Self { newest, task } = self;
        drop(newest);
        task.await.ok().flatten()
    }
}
