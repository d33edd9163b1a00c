//! `--report`: formats of reports, and where each is written.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::printable::style::Style;
use crate::printable::{self, Printable};
use crate::report::{Rendered, markdown};

use super::{Failure, Output, private_file, stdout};

/// `--report` of commands that write JSON, text and Markdown.
#[derive(Clone, Debug, Args)]
pub(super) struct ReportArguments {
    /// Write a report as text, json or markdown, to stdout or FILE; may be given several times
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = parse_target::<ReportFormat>)]
    report: Vec<Target<ReportFormat>>,
    /// Largest Markdown report, in bytes; the report says how much was cut
    #[arg(long, value_name = "BYTES", default_value_t = markdown::DEFAULT_LIMIT, value_parser = parse_limit)]
    report_limit: usize,
}

/// The formats of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// Everything, as `armada2flux schema` describes it
    Json,
    /// For reading
    Text,
    /// For a comment on a change: details are folded, size below --report-limit
    Markdown,
}

impl ReportArguments {
    /// Refuses reports that cannot be written, before anything else is done.
    pub(super) fn check(&self) -> Result<(), Failure> {
        check(&self.report)
    }

    /// Returns whether a report goes to stdout.
    pub(super) fn on_stdout(&self) -> bool {
        self.report.iter().any(Target::is_stdout)
    }

    /// Writes the requested reports.
    pub(super) fn write_asked(
        &self,
        output: &Output,
        report: &impl Rendered,
    ) -> Result<(), Failure> {
        write_asked(&self.report, output, |format, style| {
            self.render(report, format, style)
        })
    }

    /// Writes the requested reports, and text to stdout unless one of them went there or --quiet is given.
    pub(super) fn write(&self, output: &Output, report: &impl Rendered) -> Result<(), Failure> {
        self.write_asked(output, report)?;
        if output.quiet || self.on_stdout() {
            return Ok(());
        }
        stdout::write(&report.text(stdout::style(output)))
    }

    fn render(
        &self,
        report: &impl Rendered,
        format: ReportFormat,
        style: Style,
    ) -> Result<Printable, Failure> {
        match format {
            ReportFormat::Json => json(report),
            ReportFormat::Text => Ok(report.text(style)),
            ReportFormat::Markdown => Ok(markdown::print(&report.page(), self.report_limit)),
        }
    }
}

/// A report and where it goes.
#[derive(Clone, Debug)]
pub(super) struct Target<Format> {
    format: Format,
    /// `None` for stdout.
    file: Option<PathBuf>,
}

impl<Format> Target<Format> {
    /// Returns whether it goes to stdout.
    pub(super) fn is_stdout(&self) -> bool {
        self.file.is_none()
    }

    /// Writes the report to its file or to stdout.
    fn write(&self, text: &Printable) -> Result<(), Failure> {
        match &self.file {
            None => stdout::write(text),
            Some(file) => private_file::write(file, text.as_str()),
        }
    }
}

/// Parses `FORMAT` or `FORMAT=FILE`.
pub(super) fn parse_target<Format: ValueEnum>(text: &str) -> Result<Target<Format>, String> {
    let (format, file) = match text.split_once('=') {
        Some((format, file)) => (format, Some(PathBuf::from(file))),
        None => (text, None),
    };
    match Format::from_str(format, false) {
        Ok(format) => Ok(Target { format, file }),
        Err(_) => {
            let known = Format::value_variants().iter();
            let known = known
                .filter_map(|format| Some(format!("`{}`", format.to_possible_value()?.get_name())));
            let known: Vec<String> = known.collect();
            Err(format!(
                "`{format}` is not a report format; use {}",
                known.join(", ")
            ))
        }
    }
}

/// Parses the largest size of a Markdown report.
fn parse_limit(text: &str) -> Result<usize, String> {
    let limit: usize = text
        .parse()
        .map_err(|_| "not a number of bytes".to_owned())?;
    if limit < markdown::MIN_LIMIT {
        return Err(format!(
            "too small: the summary alone needs up to {} bytes",
            markdown::MIN_LIMIT
        ));
    }
    Ok(limit)
}

/// Refuses reports that cannot be written, and two that would both go to stdout. What a report tells of may take hours.
pub(super) fn check<Format>(reports: &[Target<Format>]) -> Result<(), Failure> {
    let files = reports.iter().filter_map(|target| target.file.as_deref());
    for file in files {
        private_file::check(file)?;
    }
    let to_stdout = reports.iter().filter(|target| target.is_stdout());
    if to_stdout.count() > 1 {
        let failure = Failure::new("two reports would both go to standard output");
        return Err(failure.hint("write one of them to a file: `--report json=FILE`"));
    }
    Ok(())
}

/// Writes the requested reports, with colours only on a terminal.
pub(super) fn write_asked<Format: Copy>(
    targets: &[Target<Format>],
    output: &Output,
    render: impl Fn(Format, Style) -> Result<Printable, Failure>,
) -> Result<(), Failure> {
    for target in targets {
        let mut style = stdout::style(output);
        if !target.is_stdout() {
            style = Style {
                colour: false,
                width: None,
                ..style
            };
        }
        target.write(&render(target.format, style)?)?;
    }
    Ok(())
}

/// Returns a report as indented JSON.
pub(super) fn json(report: &impl Serialize) -> Result<Printable, Failure> {
    printable::json::pretty(report)
        .map_err(|error| Failure::new(format!("cannot write the report as JSON: {error}")))
}
