//! Work on several cores with the results of one.
//!
//! Work on one item shares no state with work on another, and results come in the order of the items, so
//! output is the same for any number of workers.

use std::num::NonZeroUsize;
use std::panic;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// The stack of a worker in bytes: the usual size of a main thread, since documents are walked by recursion.
const STACK: usize = 8 * 1024 * 1024;

/// The number of threads that work at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workers(NonZeroUsize);

impl Workers {
    /// The calling thread alone.
    pub const ONE: Self = Self(NonZeroUsize::MIN);

    /// Uses that many threads, the calling one included.
    #[must_use]
    pub fn new(number: NonZeroUsize) -> Self {
        Self(number)
    }

    /// Returns the number of threads.
    #[must_use]
    pub fn number(self) -> usize {
        self.0.get()
    }
}

/// Calls `work` on every item and returns the results in the order of the items.
///
/// A panic of `work` reaches the caller. When the system refuses a thread, the others do its work.
pub fn map<I, R>(items: I, workers: Workers, work: impl Fn(I::Item) -> R + Sync) -> Vec<R>
where
    I: IntoIterator<IntoIter: Send>,
    R: Send,
{
    let items = items.into_iter();
    if workers == Workers::ONE {
        return items.map(work).collect();
    }
    let queue = Mutex::new(items.enumerate());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let run = || {
        let mut done = Vec::new();
        while let Some((at, item)) = next() {
            done.push((at, work(item)));
        }
        done
    };
    let mut done = thread::scope(|scope| {
        let spawn = |_| {
            let thread = thread::Builder::new().stack_size(STACK);
            thread.spawn_scoped(scope, run).ok()
        };
        let others: Vec<_> = (1..workers.number()).filter_map(spawn).collect();
        let mut done = run();
        for other in others {
            match other.join() {
                Ok(part) => done.extend(part),
                Err(cause) => panic::resume_unwind(cause),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workers(number: usize) -> Workers {
        Workers::new(NonZeroUsize::new(number).expect("some"))
    }

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let slow_first = |item: usize| {
            thread::sleep(std::time::Duration::from_millis(if item == 0 {
                20
            } else {
                0
            }));
            item * item
        };
        let expected: Vec<usize> = (0..100).map(|item| item * item).collect();
        for number in [1, 2, 7] {
            assert_eq!(
                map(0..100, workers(number), slow_first),
                expected,
                "{number}"
            );
        }
        assert!(map(0..0, workers(3), slow_first).is_empty());
    }

    #[test]
    fn a_panic_reaches_the_caller() {
        let caught = panic::catch_unwind(|| map(0..10, workers(2), |item| assert!(item < 5)));
        assert!(caught.is_err());
    }
}
