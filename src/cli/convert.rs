//! `armada2flux convert`

mod sink;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::armada::Documents;
use crate::compile::Compilation;
use crate::diagnostic::Diagnostics;
use crate::flux::duration;
use crate::lower::Totals;
use crate::plan::Plan;
use crate::report::{self, markdown, text};

use super::choices::Choices;
use super::input::InputArguments;
use super::show::{self, count, count_of};
use super::write::Written;
use super::{Failure, Levels, Output, ReportTarget};

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
    /// Write a report as text, json or markdown; may be given several times
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = super::parse_report::<ReportFormat>)]
    report: Vec<ReportTarget<ReportFormat>>,
    /// Largest markdown report, in bytes; what is cut is counted
    #[arg(long, value_name = "BYTES", default_value_t = markdown::DEFAULT_LIMIT, value_parser = super::parse_limit)]
    report_limit: usize,
    #[command(flatten)]
    levels: Levels,
}

/// The formats of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// Everything, as `armada2flux schema report` describes it
    Json,
    /// Summary, then release by release, then every field
    Text,
    /// The same for a comment on a change: details folded, below --report-limit
    Markdown,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let to_stdout = arguments
        .report
        .iter()
        .filter(|target| target.file.is_none());
    if to_stdout.count() > usize::from(arguments.output.is_some()) {
        let failure = Failure::new("the report and the tree would both go to standard output");
        return Err(
            failure.hint("write the tree with -o DIR, or the report with --report json=FILE")
        );
    }
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
        let summary = Summary {
            arguments,
            totals: &totals,
            plan: plan.as_ref(),
            written: written.as_ref(),
            documents: &decoded.documents,
            diagnostics: &diagnostics,
        };
        show::say(summary.text(output).trim_end());
    }
    if output.verbose > 1 {
        show::say(text::text(&report).trim_end());
    }
    for target in &arguments.report {
        let text = match target.format {
            ReportFormat::Json => super::json_text(&report)?,
            ReportFormat::Text => text::text(&report),
            ReportFormat::Markdown => markdown::markdown(&report, arguments.report_limit),
        };
        target.write(&text)?;
    }
    if diagnostics.errors() > 0 {
        return Err(Failure::documents());
    }
    if let Some(stream) = stream {
        std::io::stdout()
            .write_all(stream.as_bytes())
            .and_then(|()| std::io::stdout().flush())
            .map_err(Failure::stdout)?;
    }
    Ok(())
}

/// What is said at the end.
struct Summary<'a> {
    arguments: &'a Arguments,
    totals: &'a Totals,
    plan: Option<&'a Plan<'a, 'a>>,
    written: Option<&'a Written>,
    documents: &'a Documents<'a>,
    diagnostics: &'a Diagnostics,
}

impl Summary<'_> {
    fn text(&self, output: &Output) -> String {
        let mut lines = Vec::new();
        let failed = self.diagnostics.errors();
        if failed == 0 {
            self.push_tree(&mut lines);
        }
        lines.extend(show::totals(self.diagnostics));
        if failed > 0 {
            lines.push(super::show::paint(output, "nothing was written", "1"));
        }
        lines.join("\n")
    }

    fn push_tree(&self, lines: &mut Vec<String>) {
        let Totals {
            site,
            namespaces,
            sources,
            empty_secrets,
            releases,
            suspended,
            dependencies: _,
            health_checked,
            values_objects,
            secrets,
            secrets_apart,
            releases_with_secrets,
            nulls,
            unresolved,
            by_release: _,
        } = self.totals;
        let skipped: usize = self.documents.skipped.values().sum();
        let folder = self.arguments.output.as_deref().map(Path::display);
        lines.push(format!(
            "{site}: {} in {}, {}, {}",
            count(*releases, "release"),
            count(self.plan.map_or(0, |plan| plan.stages.len()), "stage"),
            count(*namespaces, "namespace"),
            count(*sources, "source"),
        ));
        if let (Some(written), Some(folder)) = (self.written, folder) {
            lines.push(format!(
                "written: {} to {folder}",
                count(written.files, "file")
            ));
            for path in &written.cleared {
                let path = path.display();
                lines.push(format!("deleted: {path} (left by a run that was killed)"));
            }
            for path in &written.stale {
                let fate = if self.arguments.delete_stale {
                    "deleted"
                } else {
                    "no longer part of the tree, --delete-stale deletes it"
                };
                lines.push(format!("stale: {} ({fate})", path.display()));
            }
        }
        if let Some(plan) = self.plan {
            let order = report::order::order(plan, self.totals);
            if order.steps > 1 {
                lines.push(format!(
                    "order: {} one after another, {}; when all change, flux rests up to {} between them",
                    count(order.steps, "step"),
                    count_of(order.dependencies, "dependency", "dependencies"),
                    duration::show(order.rest_seconds)
                ));
            }
        }
        if *values_objects > 0 {
            lines.push(format!(
                "values outside of helmreleases: {}",
                count(*values_objects, "object")
            ));
        }
        if *health_checked > 0 {
            lines.push(format!(
                "health checks for armada's waits: {}",
                count(*health_checked, "release")
            ));
        }
        if *suspended > 0 {
            lines.push(format!(
                "written suspended: {suspended} of {}, flux leaves them alone until they are resumed",
                count(*releases, "release")
            ));
        }
        if *secrets > 0 {
            let place = if secrets == secrets_apart {
                ", all in Secrets: encrypt those files"
            } else {
                ""
            };
            lines.push(format!(
                "clear-text secrets written: {} in {}{place}",
                count(*secrets, "value"),
                count(*releases_with_secrets, "release")
            ));
        }
        if *nulls > 0 {
            lines.push(format!(
                "nulls in values: {nulls}, apply with `kubectl apply --server-side` or they are lost"
            ));
        }
        if *empty_secrets > 0 {
            lines.push(format!(
                "secrets of sources to be filled in: {empty_secrets}, written without content"
            ));
        }
        if *unresolved > 0 {
            lines.push(format!(
                "sources that flux cannot read: {unresolved}, `armada2flux source-map init` begins a map for them"
            ));
        }
        if skipped > 0 {
            lines.push(format!("skipped documents of other schemas: {skipped}"));
        }
    }
}
