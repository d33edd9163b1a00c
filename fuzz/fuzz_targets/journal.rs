//! No bytes make the reading of a journal panic, and what is read of a file is what is read of its whole lines.

#![no_main]

use armada2flux::rollout::journal::Journal;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(journal) = Journal::read(bytes) else {
        return;
    };
    assert!(journal.whole <= bytes.len());
    assert_eq!(journal.torn, journal.whole < bytes.len());
    let whole = Journal::read(&bytes[..journal.whole]).expect("the whole lines were read before");
    assert_eq!((whole.last, whole.torn), (journal.last, false));
});
