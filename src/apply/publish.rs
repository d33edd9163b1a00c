//! Writes the state of a run to the cluster, for readers without the journal.
//!
//! It never delays a run: only the newest state is written, in the background.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_local};

use crate::cluster::{ApplyResult, Cluster};
use crate::flux::Object;

/// Writes states in the background.
pub struct Publisher {
    newest: watch::Sender<Option<Object>>,
    /// Returns the failure of the last write, if it failed.
    task: JoinHandle<Option<String>>,
}

/// Starts to publish. Must be called inside of a [`tokio::task::LocalSet`].
#[must_use]
pub fn publisher(cluster: &Arc<Cluster>) -> Publisher {
    let (newest, mut states) = watch::channel(None::<Object>);
    let cluster = Arc::clone(cluster);
    let task = spawn_local(async move {
        let mut trouble = None;
        while states.changed().await.is_ok() {
            let state = states.borrow_and_update().clone();
            let Some(state) = state else { continue };
            // The object belongs to the run alone, so it is forced.
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
                    Some("the API server does not accept it".to_owned())
                }
                Err(error) => Some(error.to_string()),
            };
        }
        trouble
    });
    Publisher { newest, task }
}

impl Publisher {
    /// Replaces the state to write.
    pub fn publish(&self, state: Object) {
        self.newest.send_replace(Some(state));
    }

    /// Waits until the last state is written; returns the failure if it was not.
    pub async fn finish(self) -> Option<String> {
        let Self { newest, task } = self;
        drop(newest);
        task.await.ok().flatten()
    }
}
