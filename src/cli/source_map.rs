//! `armada2flux source-map`

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::source_map::FILL_IN;
use crate::{lower, plan, report};

use super::input::InputArguments;
use super::{Failure, Levels, Output, private_file, show, stdout};

/// Map chart sources that Flux cannot read to sources that it can
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(Init),
}

/// Write a first source map: a rule to fill in for each source that Flux cannot read
///
/// Sources that Flux can read are listed as comments, with example rules that take them from a mirror.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  armada2flux source-map init site.yaml -o armada2flux.yaml
  armada2flux convert site.yaml --source-map armada2flux.yaml -o flux/

Exit codes: 0 done, 1 failed (usage, documents, files)")]
struct Init {
    #[command(flatten)]
    input: InputArguments,
    /// File to write the map to, which must not exist yet [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let Command::Init(arguments) = &arguments.command;
    init(arguments, output)
}

fn init(arguments: &Init, output: &Output) -> Result<(), Failure> {
    let mut diagnostics = Levels::default().sink();
    let inputs = arguments.input.read(None, &mut diagnostics)?;
    let decoded = inputs.decode(&mut diagnostics);
    let target = arguments.input.target_manifest.as_deref();
    let plan = decoded.plan(target, plan::Options::default(), &mut diagnostics);
    let Some(plan) = plan.filter(|_| diagnostics.errors() == 0) else {
        show::diagnostics(
            diagnostics.list(),
            inputs.sources(),
            &inputs.all_trees(),
            output,
        );
        return Err(Failure::documents());
    };
    let sources = lower::survey(&plan);
    let text = report::source_map::source_map(&plan.manifest, &sources);
    match &arguments.output {
        None => stdout::write(&text)?,
        Some(file) => {
            // A map that has been filled in must not be lost.
            private_file::create_new(file, text.as_str())?;
        }
    }
    if !output.quiet {
        let line = match sources
            .iter()
            .filter(|source| matches!(source.verdict, lower::Verdict::Unreadable(_)))
            .count()
        {
            0 => "Flux can read every source; no rule is needed".to_owned(),
            number => format!(
                "{} to fill in: look for {FILL_IN}",
                show::count_of(number, "source", "sources")
            ),
        };
        show::say(&line);
    }
    Ok(())
}
