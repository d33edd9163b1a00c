//! The report of `convert` as plain text: the summary, then the findings, the releases and the fields.

use std::fmt::Write as _;

use super::{Disposition, Release, Report};
use crate::diagnostic::Severity;
use crate::report::decided;
use crate::report::digest::{self, Fact, Group, count};
use crate::report::finding::Finding;

/// Returns the whole report. Nothing is cut.
#[must_use]
pub fn text(report: &Report) -> String {
    let mut out = summary(report, &[]);
    if !report.ok {
        let errors: usize = digest::groups(report)
            .iter()
            .filter(|group| group.severity == Severity::Error)
            .map(Group::len)
            .sum();
        out = format!("not converted: {}\n", count(errors, "error"));
    }
    out.push_str(&details(report));
    out
}

/// Returns the summary, with lines on the files that were written; empty for documents with errors.
#[must_use]
pub fn summary(report: &Report, files: &[String]) -> String {
    let mut lines = Vec::new();
    if report.ok {
        lines.push(format!("site {}: {}", report.site, digest::size(report)));
        lines.extend_from_slice(files);
        let facts = digest::facts(report, &digest::groups(report));
        lines.extend(
            facts
                .iter()
                .map(|Fact { about, text }| format!("{about}: {text}")),
        );
        let decisions = digest::decisions(report);
        if !decisions.is_empty() {
            lines.push("to decide:".to_owned());
        }
        lines.extend(decisions.iter().map(|decision| format!("  - {decision}")));
    }
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// Returns what the summary leaves out: findings, releases and fields.
#[must_use]
pub fn details(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = skipped(&mut out, report);
    let _ = findings(&mut out, &digest::groups(report));
    let _ = releases(&mut out, report);
    let _ = fields(&mut out, report);
    out
}

fn skipped(out: &mut String, report: &Report) -> std::fmt::Result {
    for (schema, number) in &report.skipped_documents {
        writeln!(out, "skipped: {} of `{schema}`", count(*number, "document"))?;
    }
    Ok(())
}

fn findings(out: &mut String, groups: &[Group<'_>]) -> std::fmt::Result {
    for group in groups {
        let loss = if group.is_lossy() { ", a loss" } else { "" };
        writeln!(
            out,
            "\n{} {}: {}{loss}\n  {}",
            group.severity,
            group.code,
            group.amount(),
            group.code.title()
        )?;
        for (release, list) in &group.by_release {
            match release {
                Some(release) => writeln!(out, "  - {release}: {}", lines(list))?,
                None => {
                    for finding in list {
                        writeln!(out, "  - {}{}", place(finding), finding.message)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn place(finding: &Finding) -> String {
    finding.main_place().map_or_else(String::new, |place| {
        format!("{}:{}:{}: ", place.file, place.line, place.column)
    })
}

/// Lists the places of findings, each file once.
fn lines(findings: &[&Finding]) -> String {
    let mut text = String::new();
    let mut file = "";
    for place in findings.iter().filter_map(|finding| finding.main_place()) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        if place.file != file {
            file = &place.file;
            text.push_str(file);
        }
        text.push_str(&format!(":{}:{}", place.line, place.column));
    }
    text
}

fn releases(out: &mut String, report: &Report) -> std::fmt::Result {
    let mut stage = 0;
    for release in &report.releases {
        if release.stage != stage {
            stage = release.stage;
            let of = report.releases.iter().filter(|r| r.stage == stage);
            let number = count(of.count(), "release");
            writeln!(out, "\nstage {stage} {}: {number}", release.group)?;
        }
        one_release(out, release)?;
    }
    Ok(())
}

fn one_release(out: &mut String, release: &Release) -> std::fmt::Result {
    let Release {
        name,
        namespace,
        chart,
        origin,
        group: _,
        stage: _,
        step,
        timeout: _,
        helm_wait: _,
        waits: _,
        test_timeout: _,
        upgrade_no_hooks: _,
        upgrade_force: _,
        pre_deletes,
        delete_timeout,
        protected,
        dependencies,
        written,
        codes,
    } = release;
    writeln!(out, "\n  {namespace}/{name}")?;
    let from = format!(
        "chart {chart}, {}:{}:{}",
        origin.file, origin.line, origin.column
    );
    let mut rows = vec![
        ("from", from),
        ("step", step.to_string()),
        ("source", decided::source(release)),
        ("Helm", decided::helm(release)),
        ("waits", decided::waits(release)),
        ("tests", decided::tests(release)),
        ("uninstall", format!("{delete_timeout} s")),
    ];
    if !pre_deletes.is_empty() {
        rows.push(("deletes", decided::deletes(release)));
    }
    if let Some(dependencies) = dependencies.as_ref().filter(|list| !list.is_empty()) {
        rows.push(("charts", dependencies.join(", ")));
    }
    if let Some(continues) = protected {
        let after = if *continues { "continues" } else { "stops" };
        rows.push((
            "protected",
            format!("a run {after} if it had failed before"),
        ));
    }
    if let Some(written) = written {
        let mut text = format!("{} bytes", written.bytes);
        for (number, what) in [
            (written.clear_text_secrets, "clear-text secret"),
            (written.nulls, "null"),
        ] {
            if number > 0 {
                write!(text, ", {}", count(number, what))?;
            }
        }
        if written.suspended {
            text.push_str(", suspended");
        }
        rows.push(("written", text));
        if !written.values_from.is_empty() {
            rows.push(("values", written.values_from.join(", ")));
        }
    }
    if !codes.is_empty() {
        let codes = codes
            .iter()
            .map(|(code, number)| format!("{number} {code}"));
        rows.push(("reported", codes.collect::<Vec<_>>().join(", ")));
    }
    for (name, text) in rows {
        writeln!(out, "    {name:<10}{text}")?;
    }
    Ok(())
}

fn fields(out: &mut String, report: &Report) -> std::fmt::Result {
    if report.dispositions.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\nfields of the input, with their number of YAML nodes"
    )?;
    for row in &report.dispositions {
        let Disposition {
            document,
            path,
            fate,
            target,
            reason,
            since,
            nodes,
        } = row;
        write!(out, "  {nodes:>7}  {:<16}  {document} {path}", fate.name())?;
        if !target.is_empty() {
            write!(out, " → {target}")?;
        }
        if let Some(since) = since {
            write!(out, " (Flux {since})")?;
        }
        writeln!(out, ": {reason}")?;
    }
    Ok(())
}
