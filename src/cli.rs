//! The program: arguments, files, stdin and stdout, exit codes. No decision about documents is made here.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "input and output live here"
)]

mod convert;
mod failure;
mod input;
mod load;
mod schema;
mod show;
mod validate;
mod write;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::diagnostic::Code;

pub use failure::Failure;

/// Takes a site that Airship Armada or StarlingX runs and hands it to Flux
#[derive(Debug, Parser)]
#[command(
    name = "armada2flux",
    version,
    max_term_width = 100,
    propagate_version = true
)]
struct Arguments {
    #[command(flatten)]
    output: Output,
    #[command(subcommand)]
    command: Command,
}

/// How the program talks.
#[derive(Clone, Debug, Args)]
struct Output {
    /// Colours on the terminal; NO_COLOR is honoured
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
    /// Say errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say everything: notes, and every warning instead of the first of each code
    #[arg(short, long, global = true)]
    verbose: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Colour {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Convert(convert::Arguments),
    Schema(schema::Arguments),
    Validate(validate::Arguments),
}

/// Which diagnostics count for more or for nothing.
#[derive(Clone, Debug, Args)]
struct Levels {
    /// Make a warning an error
    #[arg(long, value_name = "CODE", value_parser = parse_code)]
    deny: Vec<Code>,
    /// Leave a warning out
    #[arg(long, value_name = "CODE", value_parser = parse_code)]
    allow: Vec<Code>,
}

fn parse_code(text: &str) -> Result<Code, String> {
    text.parse::<Code>().map_err(|error| error.to_string())
}

/// A report and where it goes.
#[derive(Clone, Debug)]
struct ReportTarget {
    /// `None` for stdout.
    file: Option<PathBuf>,
}

fn parse_report(text: &str) -> Result<ReportTarget, String> {
    let (format, file) = match text.split_once('=') {
        Some((format, file)) => (format, Some(PathBuf::from(file))),
        None => (text, None),
    };
    match format {
        "json" => Ok(ReportTarget { file }),
        other => Err(format!("there is no report format `{other}`, use `json`")),
    }
}

/// Runs the program and says how it went.
///
/// Exit codes: 0 done, 1 failed (usage, documents, input and output).
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no failure; a closed pipe is none either.
            let failed = error.use_stderr();
            let _ = error.print();
            return if failed {
                ExitCode::FAILURE
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let Arguments { output, command } = arguments;
    let result = match command {
        Command::Convert(arguments) => convert::run(&arguments, &output),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Validate(arguments) => validate::run(&arguments, &output),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&output),
    }
}
