//! `armada2flux schema`

use clap::{Args, ValueEnum};

use crate::report::{apply, convert, diff, events, plan, status, validate};
use crate::rollout::saved::Saved;
use crate::source_map::schema;

use super::{Failure, report, stdout};

/// Print the JSON Schema of something the program writes or reads
///
/// Example: armada2flux schema report
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// What to describe
    #[arg(value_enum)]
    subject: Subject,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Subject {
    /// The report of `convert --report json`
    Report,
    /// The report of `diff --report json`
    Diff,
    /// The report of `apply --report json`
    Apply,
    /// A line of the file that `apply --events` writes
    Events,
    /// The report of `status --report json`
    Status,
    /// The report of `plan --report json`
    PlanReport,
    /// The file that `plan -o` writes and `apply --plan` reads
    Plan,
    /// The report of `validate --report json`
    Validation,
    /// The file that `convert --source-map` reads
    SourceMap,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let schema = match arguments.subject {
        Subject::Report => schemars::schema_for!(convert::Report),
        Subject::Diff => schemars::schema_for!(diff::Report),
        Subject::Apply => schemars::schema_for!(apply::Report),
        Subject::Events => schemars::schema_for!(events::Line),
        Subject::Status => schemars::schema_for!(status::Report),
        Subject::PlanReport => schemars::schema_for!(plan::Report),
        Subject::Plan => schemars::schema_for!(Saved),
        Subject::Validation => schemars::schema_for!(validate::Report),
        Subject::SourceMap => schemars::schema_for!(schema::File),
    };
    stdout::write(&report::json(&schema)?)
}
