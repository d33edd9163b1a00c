//! Tests of the whole program: files, streams, exit codes, real sites.
//!
//! Tests are listed at run time, one per folder or function, so the harness is not the standard one. `docs/testing.md` describes its use.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "tests read files and start programs"
)]

mod bed;
mod canary;
mod cli;
mod corpus;
mod examples;
mod faithful;
mod fields;
mod generated;
mod golden;
mod layers;
mod live;
mod mutations;
mod oracle_cases;
mod oracle_gates;
mod oracle_waits;
mod overrides;
mod schemas;
mod shapes;
mod shared;
mod source_map;
mod support;
mod workers;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

/// Parallel tests per core: tests on the cluster wait most of the time.
const TESTS_PER_CORE: usize = 2;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    arguments.test_threads.get_or_insert(cores * TESTS_PER_CORE);
    // A test that kills its process starts this program again with only that task.
    if let Some(victim) = live::victim() {
        return libtest_mimic::run(&arguments, vec![victim]).exit_code();
    }
    let mut trials: Vec<Trial> = Vec::new();
    trials.extend(canary::trials());
    trials.extend(shapes::trials());
    trials.extend(cli::trials());
    trials.extend(corpus::trials());
    trials.extend(examples::trials());
    trials.extend(faithful::trials());
    trials.extend(fields::trials());
    trials.extend(generated::trials());
    trials.extend(golden::trials());
    trials.extend(layers::trials());
    trials.extend(live::trials());
    trials.extend(mutations::trials());
    trials.extend(oracle_cases::trials());
    trials.extend(oracle_gates::trials());
    trials.extend(oracle_waits::trials());
    trials.extend(overrides::trials());
    trials.extend(schemas::trials());
    trials.extend(source_map::trials());
    trials.extend(workers::trials());
    libtest_mimic::run(&arguments, trials).exit_code()
}
