//! `armada2flux diff`

mod live;
mod namespace;
mod outcome;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::compare;
use crate::diagnostic::Diagnostics;
use crate::flux::{Object, ObjectSet};
use crate::lower;
use crate::report::diff::{self, Against, Report, markdown, text};
use crate::report::markdown::DEFAULT_LIMIT;

use super::choices::Choices;
use super::flux_tree;
use super::input::{Content, Input, InputArguments};
use super::{Failure, Levels, Output, ReportTarget, show};

/// Exit code with --exit-code when there are differences.
const DIFFERENT: u8 = 2;

/// Show what applying would change in the cluster, or against another tree
///
/// Nothing is written: the API server is asked what a server-side apply would do, and throws it away.
/// Takes Armada documents, which are compiled in memory as `convert` does it, or a Flux tree made before,
/// edited or not. Secrets are hidden; that they change is shown.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  armada2flux diff flux/ --context site-a
  armada2flux diff flux/ --against flux-of-last-week/
  armada2flux diff site.yaml --target-manifest full-site --against flux/ --exit-code
  armada2flux diff flux/ --against main/flux/ --report markdown=comment.md --report json=diff.json

Exit codes: 0 done, 1 failed (usage, documents, files, API server), 2 with --exit-code when anything differs")]
pub(super) struct Arguments {
    #[command(flatten)]
    input: InputArguments,
    /// Compare with this tree instead of a cluster
    #[arg(long, value_name = "DIR", conflicts_with_all = ["kubeconfig", "context", "namespace", "user"])]
    against: Option<PathBuf>,
    #[command(flatten)]
    access: live::AccessArguments,
    /// Exit with 2 when anything differs
    #[arg(long, alias = "detailed-exitcode")]
    exit_code: bool,
    /// List what is left out as noise, with the rule that says so
    #[arg(long)]
    show_noise: bool,
    /// Write a report as text, json or markdown; may be given several times
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = super::parse_report::<ReportFormat>)]
    report: Vec<ReportTarget<ReportFormat>>,
    /// Largest markdown report, in bytes; what is cut is counted
    #[arg(long, value_name = "BYTES", default_value_t = DEFAULT_LIMIT, value_parser = super::parse_limit)]
    report_limit: usize,
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    levels: Levels,
}

/// The formats of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// Everything, as `armada2flux schema diff` describes it
    Json,
    /// For people: dangers first, the summary last
    Text,
    /// For a comment on a change: details folded, below --report-limit
    Markdown,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode, Failure> {
    let to_stdout = arguments
        .report
        .iter()
        .filter(|target| target.file.is_none());
    if to_stdout.count() > 1 {
        let failure = Failure::new("two reports would both go to standard output");
        return Err(failure.hint("write one to a file: --report json=FILE"));
    }
    let mut diagnostics = arguments.levels.sink();
    let after = input(arguments, output, &mut diagnostics)?;
    let (changes, against) = match &arguments.against {
        Some(tree) => (
            compare::sets(&flux_tree::read(tree)?, &after),
            Against::Tree,
        ),
        None => {
            let after: ObjectSet = after.into_iter().map(Object::resumed).collect();
            let changes = live::changes(&arguments.access, after, output)?;
            (changes, Against::Cluster)
        }
    };
    let report = diff::report(&changes, against, arguments.show_noise);
    write(arguments, output, &report)?;
    let different = arguments.exit_code && report.summary.is_different();
    Ok(if different {
        ExitCode::from(DIFFERENT)
    } else {
        ExitCode::SUCCESS
    })
}

/// The objects of the input, whatever it is.
fn input(
    arguments: &Arguments,
    output: &Output,
    diagnostics: &mut Diagnostics,
) -> Result<ObjectSet, Failure> {
    let mut input = Input::read_trees(&arguments.input, diagnostics)?;
    let source_map = arguments.choices.source_map.as_deref();
    let source_map = input.source_map(source_map, diagnostics)?;
    let mut set = ObjectSet::default();
    match input.content() {
        Content::Flux => set = flux_tree::objects(input.trees(), diagnostics)?,
        Content::Armada => {
            let (documents, _) = input.decode(diagnostics);
            let plan = arguments
                .choices
                .plan(&arguments.input, &documents, diagnostics);
            arguments.choices.check(plan.as_ref())?;
            if let (Some(plan), Some(source_map)) = (&plan, source_map) {
                let options = arguments.choices.options(&arguments.input, source_map);
                lower::lower(plan, &options, diagnostics, |_, object| {
                    set.extend([object])
                });
            }
        }
    }
    // What is lost on the way is convert's to say.
    let shown = if output.verbose > 0 {
        output.clone()
    } else {
        Output {
            quiet: true,
            ..output.clone()
        }
    };
    show::diagnostics(
        diagnostics.list(),
        &input.sources,
        &input.all_trees(),
        &shown,
    );
    if diagnostics.errors() > 0 {
        return Err(Failure::documents());
    }
    Ok(set)
}

fn write(arguments: &Arguments, output: &Output, report: &Report) -> Result<(), Failure> {
    let colour = show::colour_on(output, &std::io::stdout());
    let all = output.verbose > 0;
    let mut said = false;
    for target in &arguments.report {
        said |= target.file.is_none();
        let text = match target.format {
            ReportFormat::Json => super::json_text(report)?,
            ReportFormat::Text => text::text(
                report,
                text::Style {
                    colour: colour && target.file.is_none(),
                    all,
                },
            ),
            ReportFormat::Markdown => markdown::markdown(report, arguments.report_limit),
        };
        target.write(&text)?;
    }
    if said || output.quiet {
        return Ok(());
    }
    std::io::stdout()
        .write_all(text::text(report, text::Style { colour, all }).as_bytes())
        .and_then(|()| std::io::stdout().flush())
        .map_err(Failure::stdout)
}
