//! Retries: how often, for how long and after which waits a request is tried again.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::outage::{Transient, Waiting};
use super::{Cause, Cluster, Error};

/// The largest number of attempts at a request without [`Cluster::retry_for`].
const ATTEMPTS: u32 = 5;

/// The wait before the second attempt when the server names none; each later one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The longest wait that the program chooses itself. Without [`Cluster::retry_for`] a longer `Retry-After`
/// ends the attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Retries of requests that were refused together are spread over this number of steps of this length.
const SPREAD: (usize, Duration) = (8, Duration::from_millis(25));

/// The attempts at a request or a watch.
pub(super) struct Attempts<'c> {
    cluster: &'c Cluster,
    act: String,
    /// The number of failures since the last success.
    failed: u32,
    /// The time from which the bounds count.
    since: Option<Instant>,
    once: bool,
}

impl<'c> Attempts<'c> {
    /// Starts the attempts at a request; the bounds count from now.
    pub(super) fn for_request(cluster: &'c Cluster, act: &str, once: bool) -> Self {
        Self {
            since: Some(Instant::now()),
            once,
            ..Self::for_watch(cluster, act)
        }
    }

    /// Starts the attempts at a watch; the bounds count from the first failure after a success.
    pub(super) fn for_watch(cluster: &'c Cluster, act: &str) -> Self {
        Self {
            cluster,
            act: act.to_owned(),
            failed: 0,
            since: None,
            once: false,
        }
    }

    /// Returns the time at which the answer to the next attempt must have begun.
    pub(super) fn deadline(&self) -> Instant {
        let begin = match (self.cluster.retry_for, self.since) {
            (None, Some(since)) => since,
            (Some(_), _) | (None, None) => Instant::now(),
        };
        begin + self.cluster.timeout
    }

    /// Records that the last attempt was a success.
    pub(super) fn succeeded(&mut self) {
        self.failed = 0;
        self.since = None;
    }

    /// Waits for the next attempt.
    ///
    /// # Errors
    ///
    /// When there is no further attempt; the error is that of the last one.
    pub(super) async fn wait(&mut self, failure: Transient) -> Result<(), Error> {
        self.failed += 1;
        self.cluster.outage.note(&failure);
        let retry_for = self.cluster.retry_for;
        let (status, asked) = match &failure {
            Transient::Busy(status, asked) => (Some(*status), *asked),
            Transient::Broken(_) => (None, None),
        };
        let time = asked.unwrap_or_else(|| backoff(self.failed)) + self.spread();
        let since = *self.since.get_or_insert_with(Instant::now);
        let bound = retry_for.unwrap_or(self.cluster.timeout);
        let ends = match retry_for {
            Some(_) => false,
            None => {
                self.failed >= ATTEMPTS
                    || asked.is_some_and(|time| time > LONGEST_WAIT)
                    || matches!(
                        failure,
                        Transient::Broken(Cause::Timeout(_) | Cause::Slow(_))
                    )
            }
        };
        if self.once || ends || Instant::now() + time >= since + bound {
            return Err(self.cluster.failed(&self.act, self.cause(failure)));
        }
        if let Some(on_wait) = &self.cluster.on_wait {
            on_wait(&Waiting {
                status,
                time,
                attempt: self.failed,
            });
        }
        sleep(time).await;
        Ok(())
    }

    fn cause(&self, failure: Transient) -> Cause {
        match failure {
            Transient::Broken(cause) => cause,
            Transient::Busy(status, asked) => Cause::Busy {
                status,
                attempts: self.failed,
                asked: asked.filter(|time| *time > LONGEST_WAIT),
            },
        }
    }

    fn spread(&self) -> Duration {
        let (steps, step) = SPREAD;
        step * u32::try_from(self.cluster.requests() % steps).unwrap_or_default()
    }
}

fn backoff(failed: u32) -> Duration {
    let doublings = failed.saturating_sub(1).min(16);
    (FIRST_WAIT * 2_u32.pow(doublings)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound() {
        let waits = [1, 2, 3, 6, 7, 60].map(|failed| backoff(failed).as_millis());
        assert_eq!(waits, [100, 200, 400, 3200, 5000, 5000]);
    }
}
