//! Keeps the Lease of a run: renews it during the run and releases it at the end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{Instant, sleep, timeout_at};

use super::run::Stop;
use crate::cluster::{Cluster, Error, Lease, Released, Renewed};
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
}

/// Starts to renew a Lease that was just taken; stops the run when it is lost. Must be called inside of a
/// [`tokio::task::LocalSet`].
pub fn keep(cluster: &Arc<Cluster>, lease: Lease, stop: watch::Sender<Stop>) -> Kept {
    let (end, mut ended) = oneshot::channel();
    let with = Arc::clone(cluster);
    let task = spawn_local(async move {
        let mut lease = lease;
        let mut holds_until = Instant::now() + holds();
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
                    continue;
                }
                Ok(Ok(Renewed::Lost(None))) => "it was deleted".to_owned(),
                Ok(Ok(Renewed::Lost(Some(holder)))) => {
                    format!("`{}` holds it now", holder.identity)
                }
                // The server may be back in time.
                Ok(Err(_)) if Instant::now() < holds_until => continue,
                Ok(Err(error)) => error.to_string(),
                Err(_) => format!("the API server did not answer for {SECONDS} s"),
            };
            Stop::LeaseLost(Text::from(why)).request(&stop);
            return None;
        }
    });
    Kept {
        cluster: Arc::clone(cluster),
        end,
        task,
    }
}

fn holds() -> Duration {
    Duration::from_secs(u64::from(SECONDS.unsigned_abs()))
}

impl Kept {
    /// Releases the Lease, so that the next run does not have to wait until it expires.
    ///
    /// # Errors
    ///
    /// When the server does not answer: the Lease expires by itself.
    pub async fn release(self) -> Result<(), Error> {
        let Self { cluster, end, task } = self;
        // The task has ended when the Lease was lost.
        let _ = end.send(());
        if let Ok(Some(lease)) = task.await {
            match cluster.release_lease(lease).await? {
                Released::Done | Released::NotOurs => {}
            }
        }
        Ok(())
    }
}
