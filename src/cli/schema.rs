//! `armada2flux schema`

use clap::{Args, ValueEnum};

use crate::report::{apply, convert, diff, events, plan, status, validate};
use crate::rollout::saved::Saved;
use crate::source_map::schema;

use super::{Failure, report, stdout};

/// Print the JSON Schema of a report or file that the program writes or reads
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  armada2flux schema report
  armada2flux schema source-map > source-map.schema.json

Exit codes: 0 done, 1 failed (usage)")]
pub(super) struct Arguments {
    /// Report or file to describe
    #[arg(value_enum)]
    subject: Subject,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Subject {
    /// Report of `convert --report json`
    Report,
    /// Report of `diff --report json`
    Diff,
    /// Report of `apply --report json`
    Apply,
    /// Line of the file that `apply --events` writes
    Events,
    /// Report of `status --report json`
    Status,
    /// Report of `plan --report json`
    PlanReport,
    /// File that `plan -o` writes and `apply --plan` reads
    Plan,
    /// Report of `validate --report json`
    Validation,
    /// File that `convert --source-map` reads
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
