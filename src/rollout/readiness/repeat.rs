//! Failures that Flux would repeat for ever.
//!
//! Helm can fail before it stores a revision: a template that does not render, or output that Flux's post-renderer does
//! not read. helm-controller limits retries by `installFailures` and `upgradeFailures`, which count stored revisions only,
//! so it never gives up. What the controller writes was recorded (`docs/waits.md`):
//!
//! - `status.failures` counts every attempt. It is absent after a success, for a new generation and after a reset, each
//!   time in the same write as `lastAttemptedGeneration` or `lastHandledResetAt`.
//! - The message of an attempt stands in the conditions one write before `failures` counts it.
//! - `Released` keeps the message while the next attempt runs; `Ready` does not.

use super::status::Status;
use super::{Expected, Readiness, is_handled, suspended};
use crate::flux::ObjectMeta;
use crate::value::Value;

/// How often the same error must be seen.
const ENOUGH: i64 = 3;

/// Reasons of `Released=False` of an attempt of Helm.
const OF_HELM: &[&str] = &["InstallFailed", "UpgradeFailed"];

/// The failed attempts at one generation that were seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// `status.failures` and the error, as last seen.
    last: Option<(i64, String)>,
    /// The number of attempts that failed of that error, one after another.
    same: i64,
}

impl Attempts {
    /// Starts with a release as it is before it is asked to try again. If it has failed often enough, one more attempt that
    /// fails of the same is enough: Flux does not shorten its pauses for a reset.
    #[must_use]
    pub fn before(live: &Value) -> Self {
        let generation = ObjectMeta::of(live).generation().unwrap_or_default();
        match unstored(&Status::of(live), generation) {
            Some((failures, error)) if failures >= ENOUGH => Self {
                last: Some((0, error)),
                same: ENOUGH - 1,
            },
            Some(_) | None => Self::default(),
        }
    }

    /// Takes the next state of a release; returns the failure when the same error was seen often enough.
    pub fn take(&mut self, live: &Value, expected: &Expected) -> Option<Readiness> {
        let Expected {
            generation,
            retried,
        } = expected;
        let status = Status::of(live);
        if retried
            .as_ref()
            .is_some_and(|retried| !is_handled(&status, retried))
        {
            return None;
        }
        let Some((failures, error)) = unstored(&status, *generation) else {
            *self = Self::default();
            return None;
        };
        self.same = match &self.last {
            Some((before, same)) if *same == error && *before <= failures => {
                self.same + failures - before
            }
            // The attempt that this message is of is counted already, or will be.
            Some((before, _)) => i64::from(*before < failures),
            None => i64::from(failures > 0),
        };
        self.last = Some((failures, error.clone()));
        (self.same >= ENOUGH).then(|| {
            let text = format!(
                "Helm failed {} times in the same way before it stored a revision, and Flux would repeat that for \
                 ever: {error}: repair the chart or its values",
                self.same
            );
            Readiness::Failed(text.into())
        })
    }
}

/// Whether a release has failed so often in this way that it is asked to try again, with its count taken back.
pub(super) fn is_stuck(live: &Value) -> bool {
    let status = Status::of(live);
    let generation = ObjectMeta::of(live).generation();
    !suspended(live)
        && generation.is_some_and(|generation| {
            unstored(&status, generation).is_some_and(|(failures, _)| failures >= ENOUGH)
        })
}

/// The failures of a generation of which no attempt has stored a revision, and the error of the last.
fn unstored(status: &Status<'_>, generation: i64) -> Option<(i64, String)> {
    if status.attempted_generation != Some(generation) || status.stored_failures > 0 {
        return None;
    }
    let released = status.condition("Released")?;
    let failed = released.status == "False" && OF_HELM.contains(&released.reason);
    failed.then_some((status.failures, released.message))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Retried;
    use super::*;

    const WRITTEN: Expected = Expected {
        generation: 2,
        retried: None,
    };

    /// A state of an upgrade, as helm-controller 1.6.3 wrote them.
    fn state(attempted: i64, failures: i64, stored: i64, error: Option<&str>) -> Value {
        let released = match error {
            Some(error) => format!(
                r#"{{"type":"Released","status":"False","reason":"UpgradeFailed","message":"{error}"}}"#
            ),
            None => r#"{"type":"Released","status":"True","reason":"InstallSucceeded"}"#.to_owned(),
        };
        let text = format!(
            r#"{{"metadata":{{"generation":2}},"spec":{{}},"status":{{"lastAttemptedGeneration":{attempted},
                "failures":{failures},"upgradeFailures":{stored},"conditions":[{released},
                {{"type":"Reconciling","status":"True","reason":"Progressing","message":"Running 'upgrade' action"}}]}}}}"#
        );
        Value::from_json(text.as_bytes()).expect("JSON")
    }

    /// The number of the state at which the failure is told.
    fn told(states: &[Value]) -> Option<usize> {
        let mut attempts = Attempts::default();
        let failed = |state| attempts.take(state, &WRITTEN).is_some();
        states.iter().map(failed).position(|failed| failed)
    }

    /// The states of one attempt: it runs, it failed, it is counted.
    fn attempt(before: i64, earlier: Option<&str>, error: &str) -> [Value; 3] {
        [
            state(2, before, 0, earlier),
            state(2, before, 0, Some(error)),
            state(2, before + 1, 0, Some(error)),
        ]
    }

    #[test]
    fn the_third_failure_is_the_last() {
        let mut states = vec![state(1, 0, 0, None)];
        states.extend(attempt(0, None, "a"));
        states.extend(attempt(1, Some("a"), "a"));
        assert_eq!(told(&states), None);
        assert!(!states.iter().any(is_stuck));
        states.extend(attempt(2, Some("a"), "a"));
        assert_eq!(told(&states), Some(states.len() - 1));
        assert!(states.last().is_some_and(is_stuck));
    }

    #[test]
    fn a_reset_is_answered_by_one_attempt() {
        let stuck = state(2, 7, 0, Some("a"));
        let expected = Expected {
            generation: 2,
            retried: Some(Retried::Tests("t".into())),
        };
        let heard = |failures: i64, error: &str| {
            let mut state = state(2, failures, 0, Some(error));
            let status = state
                .as_mapping_mut()
                .and_then(|state| state.get_mut("status"));
            let status = status.and_then(Value::as_mapping_mut).expect("a status");
            status.insert("lastHandledReconcileAt", "t");
            state
        };
        let mut attempts = Attempts::before(&stuck);
        assert_eq!(attempts.take(&stuck, &expected), None);
        assert_eq!(attempts.take(&heard(0, "a"), &expected), None);
        let mut other = attempts.clone();
        assert!(attempts.take(&heard(1, "a"), &expected).is_some());
        assert_eq!(other.take(&heard(1, "b"), &expected), None);
        // Too few before.
        let mut few = Attempts::before(&state(2, 2, 0, Some("a")));
        assert_eq!(few.take(&heard(1, "a"), &expected), None);
    }

    #[test]
    fn an_older_generation_and_stored_revisions_do_not_count() {
        assert_eq!(
            told(&[state(1, 9, 0, Some("a")), state(1, 12, 0, Some("a"))]),
            None
        );
        assert_eq!(
            told(&[state(2, 1, 1, Some("a")), state(2, 9, 9, Some("a"))]),
            None
        );
        // A new generation: the old message stands there until the first attempt has failed.
        assert_eq!(
            told(&[
                state(1, 9, 0, Some("a")),
                state(2, 0, 0, Some("a")),
                state(2, 2, 0, Some("a"))
            ]),
            None
        );
        // A success between failures.
        assert_eq!(
            told(&[
                state(2, 2, 0, Some("a")),
                state(2, 0, 0, None),
                state(2, 2, 0, Some("a"))
            ]),
            None
        );
    }

    proptest! {
        /// Whatever states a watch leaves out, the failure is told only after three attempts with one error in a row.
        #[test]
        fn attempts_are_never_counted_twice(
            errors in prop::collection::vec(prop::sample::select(vec!["a", "b"]), 1..9),
            seen in prop::collection::vec(any::<bool>(), 27),
        ) {
            let mut attempts = Attempts::default();
            let mut earlier = None;
            for (at, error) in errors.iter().enumerate() {
                let number = i64::try_from(at).expect("few");
                for (part, state) in attempt(number, earlier, error).iter().enumerate() {
                    if !seen[at * 3 + part] {
                        continue;
                    }
                    if attempts.take(state, &WRITTEN).is_some() {
                        let alike = errors[..=at].iter().rev().take_while(|other| *other == error).count();
                        let hidden = errors[..=at].iter().any(|other| other != error);
                        // What a watch did not show may hide another error, never an attempt.
                        prop_assert!(at >= 2 && (alike >= 3 || hidden));
                        return Ok(());
                    }
                }
                earlier = Some(*error);
            }
        }
    }
}
