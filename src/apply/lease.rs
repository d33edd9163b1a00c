//! Keeps the Lease of a run: renews it during the run and releases it at the end.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{Instant, sleep, timeout_at};

use super::run::Stop;
use crate::cluster::{Cluster, Error, Holder, Lease, Released, Renewed};
use crate::value::Text;

/// The duration of the Lease without a renewal, in seconds.
pub const SECONDS: i32 = 60;

/// The time between two renewals.
const EVERY: Duration = Duration::from_secs(20);

/// A Lease that is renewed in the background.
pub struct Kept {
    cluster: Arc<Cluster>,
    end: oneshot::Sender<()>,
    /// Returns the Lease, unless it was lost.
    task: JoinHandle<Option<Lease>>,
    held: Held,
}

/// Until when a Lease is certainly held; `None` when it was lost.
#[derive(Clone, Debug)]
pub struct Held(Rc<Cell<Option<Instant>>>);

impl Held {
    /// Returns whether no other run can hold the Lease now.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.0.get().is_some_and(|until| Instant::now() < until)
    }
}

/// The last renewal of a Lease.
#[derive(Debug)]
pub enum Confirmed {
    /// The run holds it.
    Held(Box<Lease>),
    /// The run does not hold it any more, with the reason.
    Lost(Text),
    /// The server does not answer.
    Unknown(Error),
}

/// Starts to renew a Lease that was just taken; stops the run when it is lost. Must be called inside of a
/// [`tokio::task::LocalSet`].
pub fn keep(cluster: &Arc<Cluster>, lease: Lease, stop: watch::Sender<Stop>) -> Kept {
    let (end, mut ended) = oneshot::channel();
    let with = Arc::clone(cluster);
    let mut holds_until = Instant::now() + holds();
    let held = Held(Rc::new(Cell::new(Some(holds_until))));
    let keeps = held.clone();
    let task = spawn_local(async move {
        let mut lease = lease;
        loop {
            tokio::select! {
                biased;
                _ = &mut ended => return Some(lease),
                () = sleep(EVERY) => {}
            }
            let started = Instant::now();
            let renewed = timeout_at(holds_until, with.renew_lease(&mut lease)).await;
            let why = match renewed {
                Ok(Ok(Renewed::Done)) => {
                    holds_until = started + holds();
                    keeps.0.set(Some(holds_until));
                    continue;
                }
                Ok(Ok(Renewed::Lost(holder))) => lost_to(holder),
                // The server may be back in time.
                Ok(Err(_)) if Instant::now() < holds_until => continue,
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("the API server did not answer for {SECONDS} s"),
            };
            keeps.0.set(None);
            Stop::LeaseLost(Text::from(why)).request(&stop);
            return None;
        }
    });
    Kept {
        cluster: Arc::clone(cluster),
        end,
        task,
        held,
    }
}

fn lost_to(holder: Option<Holder>) -> String {
    holder.map_or_else(
        || "it was deleted or released".to_owned(),
        |holder| format!("`{}` holds it now", holder.identity),
    )
}

fn holds() -> Duration {
    Duration::from_secs(u64::from(SECONDS.unsigned_abs()))
}

impl Kept {
    /// Returns until when the Lease is certainly held, kept up to date.
    #[must_use]
    pub fn held(&self) -> Held {
        self.held.clone()
    }

    /// Stops to renew the Lease in the background, and renews it once more: only its holder may write at the end.
    pub async fn confirm(self) -> Confirmed {
        let Self {
            cluster,
            end,
            task,
            held,
        } = self;
        // The task has ended when the Lease was lost.
        let _ = end.send(());
        let Ok(Some(mut lease)) = task.await else {
            return Confirmed::Lost("it was lost during the run".into());
        };
        match cluster.renew_lease(&mut lease).await {
            Ok(Renewed::Done) => {
                held.0.set(Some(Instant::now() + holds()));
                Confirmed::Held(Box::new(lease))
            }
            Ok(Renewed::Lost(holder)) => {
                held.0.set(None);
                Confirmed::Lost(lost_to(holder).into())
            }
            Err(error) => Confirmed::Unknown(error),
        }
    }
}

/// Releases the Lease, so that the next run does not have to wait until it expires.
///
/// # Errors
///
/// When the server does not answer: the Lease expires by itself.
pub async fn release(cluster: &Cluster, lease: Lease) -> Result<(), Error> {
    match cluster.release_lease(lease).await? {
        Released::Done | Released::NotOurs => Ok(()),
    }
}
