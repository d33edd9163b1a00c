//! Writes the state of a run to the cluster, for readers without the journal.
//!
//! It never delays a run: only the newest state is written, in the background.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_local};

use super::lease::Held;
use crate::cluster::{ApplyResult, Cluster, Error, ObjectRef};
use crate::flux::{Object, STATE_LABEL};
use crate::value::Text;

/// Writes states in the background.
pub struct Publisher {
    newest: watch::Sender<Option<Object>>,
    /// Returns the failure of the last write, if it failed.
    task: JoinHandle<Option<String>>,
}

/// Why the state of a run cannot be written to a namespace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The namespace does not exist.
    #[error("namespace `{0}` for the state of the run does not exist")]
    NoNamespace(Text),
    /// The namespace is being deleted.
    #[error("namespace `{0}` for the state of the run is being deleted")]
    Terminating(Text),
    /// An object of that name is not the state of a run of this site.
    #[error("{0} exists and is not the state of this site: it has no label `{STATE_LABEL}` for it")]
    Foreign(ObjectRef),
}

impl Unfit {
    /// Returns a hint on what to do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Unfit::NoNamespace(_) => "create it, or give another one with `--state-namespace`",
            Unfit::Terminating(_) => {
                "wait until it is gone and create it, or give another one with `--state-namespace`"
            }
            Unfit::Foreign(_) => {
                "rename that object, or give another namespace with `--state-namespace`"
            }
        }
    }
}

/// Returns why the state of a site cannot be written to a namespace; writes nothing. `state` is the name of the object.
///
/// # Errors
///
/// When the objects may not be read or the server does not answer.
pub async fn check(
    cluster: &Cluster,
    site: &str,
    namespace: &str,
    state: &str,
) -> Result<Option<Unfit>, Error> {
    let core = |kind: &str, namespace: Option<&str>, name: &str| ObjectRef {
        api_version: "v1".into(),
        kind: kind.into(),
        namespace: namespace.map(Text::from),
        name: name.into(),
    };
    let Some(found) = cluster.read(&core("Namespace", None, namespace)).await? else {
        return Ok(Some(Unfit::NoNamespace(namespace.into())));
    };
    if found.is_terminating() {
        return Ok(Some(Unfit::Terminating(namespace.into())));
    }
    let state = core("ConfigMap", Some(namespace), state);
    let found = cluster.read(&state).await?;
    let foreign = found.filter(|found| found.label(STATE_LABEL).is_none_or(|label| label != site));
    Ok(foreign.map(|_| Unfit::Foreign(state)))
}

/// Starts to publish as long as the Lease is held. Must be called inside of a [`tokio::task::LocalSet`].
#[must_use]
pub fn publisher(cluster: &Arc<Cluster>, held: Held) -> Publisher {
    let (newest, mut states) = watch::channel(None::<Object>);
    let cluster = Arc::clone(cluster);
    let task = spawn_local(async move {
        let mut trouble = None;
        while states.changed().await.is_ok() {
            let state = states.borrow_and_update().clone();
            let Some(state) = state else { continue };
            if !held.is_certain() {
                // Another run may have written its own.
                continue;
            }
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

    /// Stops at once: what is not written yet is not written any more.
    pub fn abandon(self) {
        self.task.abort();
    }

    /// Waits until the last state is written; returns the failure if it was not.
    pub async fn finish(self) -> Option<String> {
        let Self { newest, task } = self;
        drop(newest);
        task.await.ok().flatten()
    }
}
