//! `armada2flux convert`

mod sink;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::compile::Compilation;
use crate::printable::paragraph::Paragraph;
use crate::printable::style::Paint;
use crate::printable::{Printable, escape};
use crate::report;
use crate::report::convert::text;

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
/// Namespaces. Values have the types that Helm really received from Armada. Releases are written suspended,
/// unless --new-cluster is given.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  armada2flux convert site.yaml -o flux/
  armada2flux convert rendered/ --target-manifest full-site -o flux/
  pegleg site -r . render mysite | armada2flux convert - --target-manifest full-site > flux.yaml

Exit codes: 0 done, 1 failed (usage, documents, files)")]
pub(super) struct Arguments {
    #[command(flatten)]
    input: InputArguments,
    /// Folder to write the tree to [default: one YAML stream to stdout]
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    choices: Choices,
    /// Delete files of an earlier run that are no longer part of the tree
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
            failure.hint("write the tree with `-o DIR`, or the report with `--report json=FILE`")
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
        let files = match (written, &arguments.output) {
            (Some(written), Some(folder)) => files(&written, folder, arguments.delete_stale),
            _ => Vec::new(),
        };
        let mut summary = text::summary(&report, &files);
        if summary.is_empty() {
            summary.blank();
        }
        show::print(&summary);
        let totals = show::totals(&diagnostics);
        totals.iter().for_each(|line| show::say(line));
        if !report.ok {
            let mut line = Printable::default();
            Paragraph::default()
                .painted("nothing was written", Paint::Bold)
                .write(&mut line, show::message_style(output));
            show::print(&line);
        }
    }
    if output.verbose > 1 {
        show::print(&text::details(&report));
    }
    arguments.report.write_asked(output, &report)?;
    if diagnostics.errors() > 0 {
        return Err(Failure::documents());
    }
    stream.map_or(Ok(()), |stream| stdout::write(&Printable::exact(stream)))
}

/// Returns which files were written and which stale ones were found, a line each.
fn files(written: &Written, folder: &Path, delete_stale: bool) -> Vec<String> {
    let files = count(written.files, "file");
    let shown = |path: &Path| escape::name(&path.to_string_lossy()).into_owned();
    let mut lines = vec![format!("written: {files} to {}", shown(folder))];
    for path in &written.cleared {
        let path = shown(path);
        lines.push(format!("deleted: {path} (left by a killed process)"));
    }
    for path in &written.stale {
        let fate = if delete_stale {
            "deleted"
        } else {
            "no longer part of the tree; --delete-stale deletes it"
        };
        lines.push(format!("stale: {} ({fate})", shown(path)));
    }
    lines
}
