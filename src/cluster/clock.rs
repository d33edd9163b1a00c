//! What time it is at the server.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::DATE;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// By how much a time of [`Clock::now`] may be early: `Date` has whole seconds, and an answer takes its time.
pub(super) const SLACK: Duration = Duration::from_secs(2);

/// The server's clock, by the `Date` of its last answer: the clock of the machine that this runs on may be
/// wrong, and what is written for others to compare must not depend on it.
#[derive(Default)]
pub(super) struct Clock(Mutex<Option<(Timestamp, Instant)>>);

impl Clock {
    /// Takes note of an answer that came just now.
    pub(super) fn note(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| {
            jiff::fmt::rfc2822::DateTimeParser::new()
                .parse_timestamp(date)
                .ok()
        });
        if let Some(date) = date {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((date, Instant::now()));
        }
    }

    /// The time at the server, early by less than [`SLACK`]; the time here when the server never gave one.
    pub(super) fn now(&self) -> Timestamp {
        let noted = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((date, at)) = noted else {
            return Timestamp::now();
        };
        let since = SignedDuration::try_from(at.elapsed()).unwrap_or(SignedDuration::MAX);
        date.saturating_add(since).unwrap_or(date)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_tells_the_time() {
        let clock = Clock::default();
        let mut headers = HeaderMap::new();
        headers.insert(
            DATE,
            "Sun, 06 Nov 1994 08:49:37 GMT".parse().expect("a header"),
        );
        clock.note(&headers);
        let told: Timestamp = "1994-11-06T08:49:37Z".parse().expect("a time");
        let late = clock.now().duration_since(told);
        assert!(
            (SignedDuration::ZERO..SignedDuration::from_secs(60)).contains(&late),
            "{late}"
        );
        headers.insert(DATE, "yesterday".parse().expect("a header"));
        clock.note(&headers);
        assert!(clock.now().duration_since(told) < SignedDuration::from_secs(60));
    }
}
