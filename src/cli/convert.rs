//! `armada2flux convert`

mod sink;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::compile::Compilation;
use crate::diagnostic::Diagnostics;
use crate::report;
use crate::report::convert::{Report, closing, text};
use crate::report::style::Paint;

use super::choices::Choices;
use super::input::InputArguments;
use super::report::ReportArguments;
use super::show::{self, count};
use super::write::Written;
use super::{Failure, Levels, Output, stdout};

use sink::{Finished, TreeSink};

/// Convert Armada documents to a Flux tree
///
/// Reads Manifest, ChartGroup and Chart documents (v1 and v2) and writes HelmReleases, their sources and
/// namespaces. Values are typed as Helm really received them from Armada. Releases are written suspended.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  armada2flux convert site.yaml -o flux/
  armada2flux convert rendered/ --target-manifest full-site -o flux/
  pegleg site -r . render mysite | armada2flux convert - --target-manifest full-site

Exit codes: 0 done, 1 failed (usage, documents, files)")]
pub(super) struct Arguments {
    #[command(flatten)]
    input: InputArguments,
    /// Write the tree into this folder instead of one YAML stream to stdout
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    choices: Choices,
    /// Delete files of an earlier run that the tree no longer has
    #[arg(long, requires = "output")]
    delete_stale: bool,
    #[command(flatten)]
    report: ReportArguments,
    #[command(flatten)]
    levels: Levels,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    if arguments.output.is_none() && arguments.report.on_stdout() {
        let failure = Failure::new("the report and the tree would both go to standard output");
        return Err(
            failure.hint("write the tree with -o DIR, or the report with --report json=FILE")
        );
    }
    arguments.report.check()?;
    let mut diagnostics = arguments.levels.sink();
    let source_map = arguments.choices.source_map.as_deref();
    let inputs = arguments.input.read(source_map, &mut diagnostics)?;
    let options = arguments.choices.options(&arguments.input)?;
    let decoded = inputs.decode(&mut diagnostics);
    let mut tree = TreeSink::new(arguments.output.as_deref(), inputs.sources());
    let Compilation { plan, totals } = decoded.compile(&options, &mut diagnostics, &mut tree)?;
    let written = tree.finish(diagnostics.errors() == 0, arguments.delete_stale);
    show::diagnostics(
        diagnostics.list(),
        inputs.sources(),
        &inputs.all_trees(),
        output,
    );
    let Finished { written, stream } = written?;
    let report = report::convert::report(
        inputs.sources(),
        &decoded.documents,
        &decoded.ledgers,
        plan.as_ref(),
        &totals,
        &diagnostics,
    );
    if !output.quiet {
        let lines = summary(arguments, &report, written.as_ref(), &diagnostics, output);
        show::say(lines.join("\n").trim_end());
    }
    if output.verbose > 1 {
        show::say(text::text(&report).trim_end());
    }
    arguments.report.write_asked(output, &report)?;
    if diagnostics.errors() > 0 {
        return Err(Failure::documents());
    }
    stream.map_or(Ok(()), |stream| stdout::write(&stream))
}

/// What is said at the end.
fn summary(
    arguments: &Arguments,
    report: &Report,
    written: Option<&Written>,
    diagnostics: &Diagnostics,
    output: &Output,
) -> Vec<String> {
    let mut lines = Vec::new();
    if report.ok {
        lines.push(closing::size(report));
        if let (Some(written), Some(folder)) = (written, &arguments.output) {
            push_files(&mut lines, written, folder, arguments.delete_stale);
        }
        lines.extend(closing::lines(report));
    }
    lines.extend(show::totals(diagnostics));
    if !report.ok {
        lines.push(show::paint(output, "nothing was written", Paint::Bold));
    }
    lines
}

/// Which files were written, and which others are there.
fn push_files(lines: &mut Vec<String>, written: &Written, folder: &Path, delete_stale: bool) {
    let files = count(written.files, "file");
    lines.push(format!("written: {files} to {}", folder.display()));
    for path in &written.cleared {
        let path = path.display();
        lines.push(format!("deleted: {path} (left by a run that was killed)"));
    }
    for path in &written.stale {
        let fate = if delete_stale {
            "deleted"
        } else {
            "no longer part of the tree, --delete-stale deletes it"
        };
        lines.push(format!("stale: {} ({fate})", path.display()));
    }
}
