//! Failures that another attempt may not have, and when the server was last unavailable.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::Cause;

/// A request that will be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The status of a busy server (429, 503 …), or of one that has just restarted (401, 403, 404); `None`
    /// when the connection broke.
    pub status: Option<u16>,
    /// The time until the next attempt.
    pub time: Duration,
    /// The attempt that failed, from 1.
    pub attempt: u32,
}

/// The time after a restart in which a server may not know all users, permissions and kinds: it answers
/// before it has loaded them (kube-apiserver 1.36 refused with 403 what it allowed a second later).
const RECOVERY: Duration = Duration::from_secs(30);

/// The last time at which the server was unavailable.
#[derive(Default)]
pub(super) struct Outage(Mutex<Option<Instant>>);

impl Outage {
    pub(super) fn note(&self, failure: &Transient) {
        if let Transient::Broken(_) | Transient::Busy(502 | 503, _) = failure {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    /// Returns whether the server may not have loaded everything since it was unavailable.
    pub(super) fn is_recent(&self) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() < RECOVERY)
    }
}

/// A failure that another attempt may not have.
#[derive(Debug)]
pub(super) enum Transient {
    /// The server asks to retry, perhaps after a time.
    Busy(u16, Option<Duration>),
    /// The connection broke, or there was no answer.
    Broken(Cause),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_busy_server_is_not_an_outage() {
        let outage = Outage::default();
        outage.note(&Transient::Busy(429, None));
        outage.note(&Transient::Busy(403, None));
        assert!(!outage.is_recent());
        outage.note(&Transient::Busy(503, None));
        assert!(outage.is_recent());
    }
}
