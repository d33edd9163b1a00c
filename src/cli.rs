//! The program: arguments, files, stdin and stdout, exit codes. Nothing is decided about documents here.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "input and output live here"
)]

mod access;
mod apply;
mod choices;
mod clock;
mod convert;
mod diff;
mod explain;
mod failure;
mod flux_tree;
mod graph;
mod input;
mod journal;
mod load;
mod name;
mod objects;
mod plan;
mod private_file;
mod progress;
mod rbac;
mod report;
mod rollout;
mod schema;
mod show;
mod source_map;
mod status;
mod stdout;
mod validate;
mod warnings;
mod write;

use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::diagnostic::{Code, Diagnostics};
use crate::flux::duration;
use crate::parallel::Workers;
use crate::printable::Printable;

pub use failure::Failure;

/// Convert a site that Airship Armada or StarlingX runs to Flux, and roll it out
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

/// How much is printed, and in which colours.
#[derive(Clone, Debug, Default, Args)]
struct Output {
    /// When to use colours; `auto` honours NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Print every warning and note, not only the first warnings of each code; `convert -vv` also prints what
    /// was decided for each release
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
}

impl Output {
    /// Returns the same with errors alone.
    fn errors_only(&self) -> Self {
        Self {
            quiet: true,
            ..self.clone()
        }
    }
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Colour {
    /// On a terminal
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    Apply(apply::Arguments),
    Convert(convert::Arguments),
    Diff(diff::Arguments),
    Explain(explain::Arguments),
    Graph(graph::Arguments),
    Plan(plan::Arguments),
    Rbac(rbac::Arguments),
    Schema(schema::Arguments),
    SourceMap(source_map::Arguments),
    Status(status::Arguments),
    Validate(validate::Arguments),
}

/// Which diagnostics become errors or are left out.
#[derive(Clone, Debug, Default, Args)]
struct Levels {
    /// Turn a warning or note into an error; may be given several times
    #[arg(long, value_name = "CODE", value_parser = parse_code)]
    deny: Vec<Code>,
    /// Leave a warning or note out; may be given several times
    #[arg(long, value_name = "CODE", value_parser = parse_code)]
    allow: Vec<Code>,
    /// Turn all warnings about a loss into errors, except those of --allow
    #[arg(long)]
    strict: bool,
}

impl Levels {
    fn sink(&self) -> Diagnostics {
        let Self {
            deny,
            allow,
            strict,
        } = self.clone();
        Diagnostics::with_levels(deny, allow, strict)
    }
}

fn parse_code(text: &str) -> Result<Code, String> {
    text.parse::<Code>().map_err(|error| error.to_string())
}

/// Parses a duration as Flux writes it: `90s`, `45m`, `1h30m`.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let seconds = duration::seconds(text).and_then(|seconds| u64::try_from(seconds).ok());
    let seconds = seconds.ok_or("not a valid duration; write it as in `2h` or `90m`")?;
    Ok(Duration::from_secs(seconds))
}

/// Most threads at a time: more do not convert a site faster, and each holds memory.
const MAX_WORKERS: NonZeroUsize = NonZeroUsize::new(8).expect("not zero");

/// Returns one thread for each processor, up to [`MAX_WORKERS`].
fn workers() -> Workers {
    let available = std::thread::available_parallelism();
    available.map_or(Workers::ONE, |number| Workers::new(number.min(MAX_WORKERS)))
}

/// Returns all commands and options: `docs/cli.md` is generated from them.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Prints the help, the version, or an error that quotes arguments.
fn print_usage(error: &clap::Error) -> ExitCode {
    let output = Output::default();
    let colour = match error.use_stderr() {
        true => show::colour(&output),
        false => stdout::style(&output).colour,
    };
    let text = error.render();
    let text = match colour {
        true => Printable::coloured_lines_of(&text.ansi().to_string()),
        false => Printable::lines_of(&text.to_string()),
    };
    if error.use_stderr() {
        show::print(&text);
        return ExitCode::FAILURE;
    }
    // Help and version are not failures, unless they cannot be written.
    match stdout::write(&text) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&output),
    }
}

/// Runs the program and returns its exit code, as the help of each command lists them.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return print_usage(&error),
    };
    let Arguments { output, command } = arguments;
    let result = match command {
        Command::Apply(arguments) => {
            return apply::run(&arguments, &output)
                .unwrap_or_else(|failure| failure.report(&output));
        }
        Command::Convert(arguments) => convert::run(&arguments, &output),
        Command::Diff(arguments) => {
            return diff::run(&arguments, &output)
                .unwrap_or_else(|failure| failure.report(&output));
        }
        Command::Explain(arguments) => explain::run(&arguments, &output),
        Command::Graph(arguments) => graph::run(&arguments, &output),
        Command::Plan(arguments) => {
            return plan::run(&arguments, &output)
                .unwrap_or_else(|failure| failure.report(&output));
        }
        Command::Rbac(arguments) => rbac::run(&arguments, &output),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::SourceMap(arguments) => source_map::run(&arguments, &output),
        Command::Status(arguments) => status::run(&arguments, &output),
        Command::Validate(arguments) => validate::run(&arguments, &output),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(&output),
    }
}
