//! Our reader accepts what libyaml accepts, refuses what it refuses, and reads the same events.

#![no_main]

use armada2flux::diagnostic::Code;
use armada2flux_fuzz::{actual, expected, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (tree, diagnostics) = read(text);
    let limited = |code| matches!(code, Code::DepthLimit | Code::AliasLimit);
    if diagnostics.list().iter().any(|fault| limited(fault.code)) {
        return;
    }
    match (expected(text), diagnostics.errors() > 0) {
        (Ok(expected), false) => assert_eq!(actual(&tree), expected, "read differently"),
        (Err(_), true) => {}
        (Ok(_), true) => panic!("only we refuse it: {:?}", diagnostics.list()),
        (Err(error), false) => panic!("only libyaml refuses it: {error}"),
    }
});
