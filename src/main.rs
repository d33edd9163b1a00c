//! The `armada2flux` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    armada2flux::cli::run()
}
