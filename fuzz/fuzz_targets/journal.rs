//! Reading a journal does not panic on any bytes, and the result is that of the complete lines.

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
