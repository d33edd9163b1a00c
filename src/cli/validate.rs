//! `armada2flux validate`

use clap::{Args, ValueEnum};

use crate::compile::Inputs;
use crate::printable::Printable;
use crate::printable::paragraph::Paragraph;
use crate::printable::style::Paint;
use crate::report::{github, junit, sarif, validate};

use super::input::InputArguments;
use super::report::{self, Target, parse_target};
use super::show::{self, count};
use super::{Failure, Levels, Output};

/// Check Armada documents: all errors of all documents in one run
///
/// Checks every Manifest, ChartGroup and Chart of the input by Armada's own rules, used or not, then
/// everything that Armada finds only when it deploys. Unlike Armada, it fails when there is an error.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  armada2flux validate site.yaml
  armada2flux validate rendered/ --set chart:web:values.replicas=3
  armada2flux validate site.yaml --report sarif=findings.sarif

Exit codes: 0 valid, 1 invalid or failed (usage, files)")]
pub(super) struct Arguments {
    #[command(flatten)]
    input: InputArguments,
    /// Write the findings as json, junit, sarif or github, to stdout or FILE; may be given several times
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = parse_target::<ReportFormat>)]
    report: Vec<Target<ReportFormat>>,
    #[command(flatten)]
    levels: Levels,
}

/// The formats of the findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// Everything, as `armada2flux schema validation` describes it
    Json,
    /// JUnit XML: a failed test case for each error
    Junit,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Workflow commands of GitHub Actions
    Github,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    report::check(&arguments.report)?;
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
        let (verdict, paint) = if diagnostics.errors() == 0 {
            ("valid", Paint::Good)
        } else {
            ("invalid", Paint::Danger)
        };
        let found = [
            count(documents.manifests.len(), "Manifest"),
            count(documents.chart_groups.len(), "ChartGroup"),
            count(documents.charts.len(), "Chart"),
        ];
        let mut lines = Printable::default();
        let totals = show::totals(&diagnostics);
        totals.iter().for_each(|line| lines.line(line));
        Paragraph::default()
            .painted(verdict, paint)
            .plain(&format!(": {}", found.join(", ")))
            .write(&mut lines, show::message_style(output));
        show::print(&lines);
    }
    let report = validate::report(inputs.sources(), documents, &diagnostics);
    report::write_asked(&arguments.report, output, |format, _| {
        text_of(&report, format, &inputs)
    })?;
    if diagnostics.errors() > 0 {
        return Err(Failure::documents());
    }
    Ok(())
}

fn text_of(
    report: &validate::Report,
    format: ReportFormat,
    inputs: &Inputs,
) -> Result<Printable, Failure> {
    let findings = &report.diagnostics;
    match format {
        ReportFormat::Json => report::json(report),
        ReportFormat::Junit => {
            let files: Vec<&str> = inputs.files().collect();
            Ok(junit::suite(findings, &files))
        }
        ReportFormat::Sarif => report::json(&sarif::log(findings)),
        ReportFormat::Github => Ok(github::annotations(findings)),
    }
}
