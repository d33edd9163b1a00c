//! The last requests of a run to the cluster: its state, and the release of the Lease.

use super::super::show;
use crate::apply::lease::{self, Confirmed, Kept};
use crate::apply::publish::Publisher;
use crate::cluster::{Cluster, Error};
use crate::flux::Object;
use crate::value::Text;

/// What the last requests to the cluster came to.
pub(super) enum LastWords {
    /// The Lease was held to the end.
    Held {
        /// Why the state of the run was not written.
        unpublished: Option<String>,
        /// Whether the Lease was released.
        released: Result<(), Error>,
    },
    /// The Lease was lost: nothing was written.
    Lost(Text),
    /// It is not known who holds the Lease: nothing was written.
    Unknown(Error),
}

/// Writes the last state of the run and releases the Lease, if the run still holds it.
pub(super) async fn send(
    cluster: &Cluster,
    lease: Kept,
    publisher: Publisher,
    state: Option<Object>,
) -> LastWords {
    match lease.confirm().await {
        Confirmed::Held(held) => {
            if let Some(state) = state {
                publisher.publish(state);
            }
            LastWords::Held {
                unpublished: publisher.finish().await,
                released: lease::release(cluster, *held).await,
            }
        }
        Confirmed::Lost(why) => {
            publisher.abandon();
            LastWords::Lost(why)
        }
        Confirmed::Unknown(error) => {
            publisher.abandon();
            LastWords::Unknown(error)
        }
    }
}

/// Prints what went wrong; returns why the Lease was lost, if it was. `None` is for requests that were not finished.
pub(super) fn print_warnings(last: Option<LastWords>) -> Option<Text> {
    match last {
        None => {
            show::say("warning: the Lease was not released in time; it expires within a minute")
        }
        Some(LastWords::Lost(why)) => return Some(why),
        Some(LastWords::Unknown(error)) => show::say(&format!(
            "warning: the state of the run was not written and the Lease was not released, it expires within a minute: {error}"
        )),
        Some(LastWords::Held {
            unpublished,
            released,
        }) => {
            if let Some(why) = unpublished {
                show::say(&format!(
                    "warning: the state of the run was not written: {why}"
                ));
            }
            if let Err(error) = released {
                show::say(&format!(
                    "warning: the Lease was not released, it expires within a minute: {error}"
                ));
            }
        }
    }
    None
}
