//! Integration tests.

mod bed;
mod live;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = libtest_mimic::Arguments::from_args();
    libtest_mimic::run(&arguments, live::trials()).exit_code()
}
