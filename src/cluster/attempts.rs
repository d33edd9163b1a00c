//! How often, how long and after which waits something is tried again.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Cause, Cluster, Error};

/// How often a request is sent at most, without [`Cluster::patience`].
const ATTEMPTS: u32 = 5;

/// The wait before the second attempt when the server names none; each later one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The longest wait of the program's own choice. Without patience also the longest `Retry-After` that is
/// waited for; who asks for more gets no further attempt.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Requests that were refused together come back spread over as many such steps.
const SPREAD: (usize, Duration) = (8, Duration::from_millis(25));

/// Something is going to be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The status that asked for it (429, 503 …), or that a server gave which had just come back (401, 403, 404);
    /// `None` when the connection broke.
    pub status: Option<u16>,
    /// How long it waits.
    pub time: Duration,
    /// The attempt that failed, from 1.
    pub attempt: u32,
}

/// For so long after its return a server may know neither accounts nor their rights nor all kinds: it answers
/// before it has read them (seen with kube-apiserver 1.36, which refused with 403 what it allowed a second later).
const SETTLING: Duration = Duration::from_secs(30);

/// When the server was away at last.
#[derive(Default)]
pub(super) struct Away(Mutex<Option<Instant>>);

impl Away {
    fn note(&self, trouble: &Trouble) {
        if let Trouble::Broken(_) | Trouble::Busy(502 | 503, _) = trouble {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    /// Returns whether it may not have found itself again.
    pub(super) fn lately(&self) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < SETTLING)
    }
}

/// What another attempt may get past.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Come again, perhaps after a time.
    Busy(u16, Option<Duration>),
    /// The connection broke, or nothing came.
    Broken(Cause),
}

/// The attempts at one thing.
pub(super) struct Attempts<'c> {
    cluster: &'c Cluster,
    act: String,
    /// How many failed since the last success.
    failed: u32,
    /// What the bounds are counted from.
    since: Option<Instant>,
    once: bool,
}

impl<'c> Attempts<'c> {
    /// For a request: its bounds count from now.
    pub(super) fn of_request(cluster: &'c Cluster, act: &str, once: bool) -> Self {
        Self {
            since: Some(Instant::now()),
            once,
            ..Self::of_stream(cluster, act)
        }
    }

    /// For what goes on and on: its bounds count from the first failure after a success.
    pub(super) fn of_stream(cluster: &'c Cluster, act: &str) -> Self {
        Self {
            cluster,
            act: act.to_owned(),
            failed: 0,
            since: None,
            once: false,
        }
    }

    /// When the answer to the next attempt must have begun.
    pub(super) fn deadline(&self) -> Instant {
        let begin = match (self.cluster.patience, self.since) {
            (None, Some(since)) => since,
            (Some(_), _) | (None, None) => Instant::now(),
        };
        begin + self.cluster.timeout
    }

    /// Returns the last attempt was a success.
    pub(super) fn succeeded(&mut self) {
        self.failed = 0;
        self.since = None;
    }

    /// Waits for the next attempt.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub(super) async fn wait(&mut self, trouble: Trouble) -> Result<(), Error> {
        self.failed += 1;
        self.cluster.away.note(&trouble);
        let patience = self.cluster.patience;
        let (status, asked) = match &trouble {
            Trouble::Busy(status, asked) => (Some(*status), *asked),
            Trouble::Broken(_) => (None, None),
        };
        let time = asked.unwrap_or_else(|| own_wait(self.failed)) + self.spread();
        let since = *self.since.get_or_insert_with(Instant::now);
        let bound = patience.unwrap_or(self.cluster.timeout);
        let ends = match patience {
            Some(_) => false,
            None => {
                self.failed >= ATTEMPTS
                    || asked.is_some_and(|time| time > LONGEST_WAIT)
                    || matches!(trouble, Trouble::Broken(Cause::Timeout(_)))
            }
        };
        if self.once || ends || Instant::now() + time >= since + bound {
            return Err(self.cluster.failed(&self.act, self.cause(trouble)));
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

    fn cause(&self, trouble: Trouble) -> Cause {
        match trouble {
            Trouble::Broken(cause) => cause,
            Trouble::Busy(status, asked) => Cause::Busy {
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

fn own_wait(failed: u32) -> Duration {
    let doublings = failed.saturating_sub(1).min(16);
    (FIRST_WAIT * 2_u32.pow(doublings)).min(LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_bound() {
        let waits = [1, 2, 3, 6, 7, 60].map(|failed| own_wait(failed).as_millis());
        assert_eq!(waits, [100, 200, 400, 3200, 5000, 5000]);
    }

    #[test]
    fn who_is_only_busy_is_not_away() {
        let away = Away::default();
        away.note(&Trouble::Busy(429, None));
        away.note(&Trouble::Busy(403, None));
        assert!(!away.lately());
        away.note(&Trouble::Busy(503, None));
        assert!(away.lately());
    }
}
