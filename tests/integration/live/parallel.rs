//! Runs parts of a test at the same time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::small_site::SmallSite;
use super::{Scope, ensure};
use crate::bed::Outcome;

/// A part of a test.
pub(super) type Act<'a> = Box<dyn FnOnce() -> Outcome + Send + 'a>;

/// Runs functions in parallel; fails with all their errors.
pub(super) fn in_parallel(acts: Vec<Act<'_>>) -> Outcome {
    let ended: Vec<Outcome> = thread::scope(|threads| {
        let started: Vec<_> = acts.into_iter().map(|act| threads.spawn(act)).collect();
        let ended = started.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err("a thread panicked".into()))
        });
        ended.collect()
    });
    let wrong: Vec<String> = ended
        .into_iter()
        .filter_map(Result::err)
        .map(|error| error.to_string())
        .collect();
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

/// Runs the rounds 0 to `count`, `at_once` of them side by side. A worker stops at its first failure; fails with all errors.
pub(super) fn in_rounds(
    count: usize,
    at_once: usize,
    round: impl Fn(usize) -> Outcome + Sync,
) -> Outcome {
    let next = AtomicUsize::new(0);
    let work = || -> Outcome {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= count {
                return Ok(());
            }
            round(number)?;
        }
    };
    in_parallel((0..at_once).map(|_| Box::new(work) as Act<'_>).collect())
}

/// Runs a test on a site of its own for each case, all in parallel; fails with all errors, each with the name of its case.
/// A site has the name of its case behind that of the test.
pub(super) fn on_sites<'b, C: Send>(
    scope: &Scope<'b>,
    commit: &str,
    cases: impl IntoIterator<Item = (&'static str, C)>,
    test: impl Fn(&SmallSite<'b>, C) -> Outcome + Sync,
) -> Outcome {
    let test = &test;
    let acts = cases.into_iter().map(|(name, case)| -> Act<'_> {
        Box::new(move || {
            let site = SmallSite::create(scope, commit, &format!("{}-{name}", scope.namespace))?;
            test(&site, case).map_err(|error| format!("{name}: {error}").into())
        })
    });
    in_parallel(acts.collect())
}
