//! The clock of the server.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hyper::HeaderMap;
use hyper::header::DATE;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// The time by which [`Clock::now`] may be early: `Date` has whole seconds, and the answer takes time to
/// arrive.
pub(super) const SLACK: Duration = Duration::from_secs(2);

/// The server's clock, by the `Date` of its last answer. The clock of this machine may be wrong, and times
/// that other programs compare must not depend on it.
#[derive(Default)]
pub(super) struct Clock(Mutex<Option<(Timestamp, Instant)>>);

impl Clock {
    /// Records the time of an answer that has just arrived.
    pub(super) fn note(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| {
            DateTimeParser::new()
                .parse_timestamp(date.to_str().ok()?)
                .ok()
        });
        let Some(date) = date else { return };
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // `Date` drops fractions of a second, so if two times agree, the later one is more exact.
        let agrees = noted.is_some_and(|noted| {
            let ahead = time(noted).duration_since(date);
            ahead.is_positive() && ahead.unsigned_abs() < SLACK
        });
        if !agrees {
            *noted = Some((date, Instant::now()));
        }
    }

    /// Returns the time of the server, early by less than [`SLACK`]; the local time if the server never sent
    /// one.
    pub(super) fn now(&self) -> Timestamp {
        let noted = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.map_or_else(Timestamp::now, time)
    }
}

/// Returns the current time, given that it was `date` at `at`.
fn time((date, at): (Timestamp, Instant)) -> Timestamp {
    let since = SignedDuration::try_from(at.elapsed()).unwrap_or(SignedDuration::MAX);
    date.saturating_add(since).unwrap_or(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(clock: &Clock, date: &str) -> Timestamp {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, date.parse().expect("a header"));
        clock.note(&headers);
        clock.now()
    }

    #[test]
    fn the_time_is_that_of_the_server() {
        let clock = Clock::default();
        let near = |time: Timestamp, text: &str| {
            let expected: Timestamp = text.parse().expect("a time");
            let late = time.duration_since(expected);
            let good = SignedDuration::ZERO..SignedDuration::from_secs(60);
            assert!(good.contains(&late), "{time} {text}");
        };
        let first = noted(&clock, "Sun, 06 Nov 1994 08:49:37 GMT");
        near(first, "1994-11-06T08:49:37Z");
        near(noted(&clock, "yesterday"), "1994-11-06T08:49:37Z");
        // A dropped fraction does not turn the clock back.
        let same = noted(&clock, "Sun, 06 Nov 1994 08:49:36 GMT");
        assert!(same >= first, "{first} {same}");
        // The clock was corrected.
        near(
            noted(&clock, "Sun, 06 Nov 1994 08:00:00 GMT"),
            "1994-11-06T08:00:00Z",
        );
        near(
            noted(&clock, "Sun, 06 Nov 1994 09:00:00 GMT"),
            "1994-11-06T09:00:00Z",
        );
    }
}
