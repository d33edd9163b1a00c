//! The program: arguments, files, stdin and stdout, exit codes. No decision about documents is made here.
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
mod objects;
mod plan;
mod private_file;
mod progress;
mod rollout;
mod schema;
mod show;
mod source_map;
mod status;
mod validate;
mod warnings;
mod write;

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand, ValueEnum};

use crate::diagnostic::{Code, Diagnostics};
use crate::flux::duration;
use crate::parallel::Workers;
use crate::report::markdown;
use crate::report::style::Style;

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
#[derive(Clone, Debug, Default, Args)]
struct Output {
    /// Colours on the terminal; NO_COLOR is honoured
    #[arg(long, global = true, value_enum, default_value_t = Colour::Auto, value_name = "WHEN")]
    color: Colour,
    /// Say errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
    /// Say every warning and note instead of the first warnings of each code; -vv adds what was decided
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
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
    Schema(schema::Arguments),
    SourceMap(source_map::Arguments),
    Status(status::Arguments),
    Validate(validate::Arguments),
}

/// Which diagnostics count for more or for nothing.
#[derive(Clone, Debug, Default, Args)]
struct Levels {
    /// Make a warning an error
    #[arg(long, value_name = "CODE", value_parser = parse_code)]
    deny: Vec<Code>,
    /// Leave a warning out
    #[arg(long, value_name = "CODE", value_parser = parse_code)]
    allow: Vec<Code>,
    /// Make errors of all warnings that tell of a loss, except those of --allow
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

/// A report and where it goes.
#[derive(Clone, Debug)]
struct ReportTarget<Format> {
    format: Format,
    /// `None` for stdout.
    file: Option<PathBuf>,
}

/// Parses `FORMAT` or `FORMAT=FILE`.
fn parse_report<Format: ValueEnum>(text: &str) -> Result<ReportTarget<Format>, String> {
    let (format, file) = match text.split_once('=') {
        Some((format, file)) => (format, Some(PathBuf::from(file))),
        None => (text, None),
    };
    match Format::from_str(format, false) {
        Ok(format) => Ok(ReportTarget { format, file }),
        Err(_) => {
            let known = Format::value_variants().iter();
            let known = known
                .filter_map(|format| Some(format!("`{}`", format.to_possible_value()?.get_name())));
            let known: Vec<String> = known.collect();
            Err(format!(
                "there is no report format `{format}`, use {}",
                known.join(", ")
            ))
        }
    }
}

/// Refuses two reports that would both go to stdout.
fn one_on_stdout<Format>(reports: &[ReportTarget<Format>]) -> Result<(), Failure> {
    let to_stdout = reports.iter().filter(|target| target.file.is_none());
    if to_stdout.count() > 1 {
        let failure = Failure::new("two reports would both go to standard output");
        return Err(failure.hint("write one to a file: --report json=FILE"));
    }
    Ok(())
}

/// Writes a result to stdout.
fn write_stdout(text: &str) -> Result<(), Failure> {
    let mut stdout = std::io::stdout();
    let written = stdout.write_all(text.as_bytes());
    written
        .and_then(|()| stdout.flush())
        .map_err(Failure::stdout)
}

/// Parses a duration as Flux and people write it.
fn parse_duration(text: &str) -> Result<Duration, String> {
    let seconds = duration::seconds(text).and_then(|seconds| u64::try_from(seconds).ok());
    let seconds = seconds.ok_or("write it as in `2h` or `90m`")?;
    Ok(Duration::from_secs(seconds))
}

/// Parses the largest size of a Markdown report.
fn parse_limit(text: &str) -> Result<usize, String> {
    let limit: usize = text
        .parse()
        .map_err(|_| "give a number of bytes".to_owned())?;
    if limit < markdown::MIN_LIMIT {
        return Err(format!(
            "the summary alone takes up to {} bytes",
            markdown::MIN_LIMIT
        ));
    }
    Ok(limit)
}

impl<Format> ReportTarget<Format> {
    /// Writes the report to its file or to stdout.
    fn write(&self, text: &str) -> Result<(), Failure> {
        match &self.file {
            None => std::io::stdout()
                .write_all(text.as_bytes())
                .map_err(Failure::stdout),
            Some(file) => {
                std::fs::write(file, text).map_err(|cause| Failure::io("write", file, cause))
            }
        }
    }
}

/// Writes every report that was asked for; as `text` on stdout too, unless one went there or nothing is to be said.
fn write_reports<Format: Copy>(
    targets: &[ReportTarget<Format>],
    text: Format,
    output: &Output,
    render: impl Fn(Format, Style) -> Result<String, Failure>,
) -> Result<(), Failure> {
    let colour = show::colour_on(output, &std::io::stdout());
    let all = output.verbose > 0;
    for target in targets {
        let colour = colour && target.file.is_none();
        target.write(&render(target.format, Style { colour, all })?)?;
    }
    if output.quiet || targets.iter().any(|target| target.file.is_none()) {
        return Ok(());
    }
    write_stdout(&render(text, Style { colour, all })?)
}

/// Most threads that work at a time: more make no site faster, and each holds memory.
const MAX_WORKERS: NonZeroUsize = NonZeroUsize::new(8).expect("not zero");

/// As many threads as the machine runs at a time.
fn workers() -> Workers {
    let available = std::thread::available_parallelism();
    available.map_or(Workers::ONE, |number| Workers::new(number.min(MAX_WORKERS)))
}

/// A report as indented JSON.
fn json_text(report: &impl serde::Serialize) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(report)
        .map_err(|error| Failure::new(format!("cannot write the report: {error}")))?;
    text.push('\n');
    Ok(text)
}

/// All commands and options: what `docs/cli.md` and completions are made of.
#[must_use]
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Runs the program and says how it went.
///
/// Exit codes: 0 done, 1 failed (usage, documents, input and output), 2 differences (`diff` and `plan`, with
/// `--exit-code`).
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let written = error.print();
            // Help and version are no failure, unless they cannot be written.
            return match written {
                _ if error.use_stderr() => ExitCode::FAILURE,
                Ok(()) => ExitCode::SUCCESS,
                Err(cause) => Failure::stdout(cause).report(&Output::default()),
            };
        }
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
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Graph(arguments) => graph::run(&arguments, &output),
        Command::Plan(arguments) => {
            return plan::run(&arguments, &output)
                .unwrap_or_else(|failure| failure.report(&output));
        }
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
