//! `armada2flux validate`

use clap::{Args, ValueEnum};

use crate::compile::Inputs;
use crate::report;

use super::input::InputArguments;
use super::show::{self, count};
use super::{Failure, Levels, Output, ReportTarget};

/// Check Armada documents: all errors of all documents in one run
///
/// Checks every Manifest, ChartGroup and Chart of the input by Armada's own rules, used or not, then what
/// only a deployment by Armada would find out. Unlike Armada it fails when something is wrong.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  armada2flux validate site.yaml
  armada2flux validate rendered/ --set chart:web:values.replicas=3

Exit codes: 0 valid, 1 invalid or failed (usage, files)")]
pub(super) struct Arguments {
    #[command(flatten)]
    input: InputArguments,
    /// Write the findings as json, junit, sarif or github; may be given several times
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = super::parse_report::<ReportFormat>)]
    report: Vec<ReportTarget<ReportFormat>>,
    #[command(flatten)]
    levels: Levels,
}

/// The formats of the findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// Everything, as `armada2flux schema validation` describes it
    Json,
    /// JUnit's XML, a failed case for each error
    Junit,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    let to_stdout = arguments
        .report
        .iter()
        .filter(|target| target.file.is_none());
    if to_stdout.count() > 1 {
        let failure = Failure::new("several reports would all go to standard output");
        return Err(failure.hint("give each a file: --report junit=FILE"));
    }
    let mut diagnostics = arguments.levels.sink();
    let inputs = arguments.input.read(None, &mut diagnostics)?;
    let decoded = inputs.decode(&mut diagnostics);
    let target = arguments.input.target_manifest.as_deref();
    decoded.check(target, &mut diagnostics);
    let documents = &decoded.documents;
    show::diagnostics(
        diagnostics.list(),
        inputs.sources(),
        &inputs.all_trees(),
        output,
    );
    if !output.quiet {
        let verdict = if diagnostics.errors() == 0 {
            show::paint(output, "valid", "1;32")
        } else {
            show::paint(output, "invalid", "1;31")
        };
        let found = [
            count(documents.manifests.len(), "manifest"),
            count(documents.chart_groups.len(), "chart group"),
            count(documents.charts.len(), "chart"),
        ];
        let mut lines = show::totals(&diagnostics);
        lines.push(format!("{verdict}: {} read in full", found.join(", ")));
        show::say(&lines.join("\n"));
    }
    let report = report::validate::report(inputs.sources(), documents, &diagnostics);
    for target in &arguments.report {
        target.write(&text_of(&report, target.format, &inputs)?)?;
    }
    if diagnostics.errors() > 0 {
        return Err(Failure::documents());
    }
    Ok(())
}

fn text_of(
    report: &report::validate::Report,
    format: ReportFormat,
    inputs: &Inputs,
) -> Result<String, Failure> {
    let findings = &report.diagnostics;
    match format {
        ReportFormat::Json => super::json_text(report),
        ReportFormat::Junit => {
            let files: Vec<&str> = inputs.files().collect();
            Ok(report::junit::suite(findings, &files))
        }
        ReportFormat::Sarif => super::json_text(&report::sarif::log(findings)),
        ReportFormat::Github => Ok(report::github::annotations(findings)),
    }
}
