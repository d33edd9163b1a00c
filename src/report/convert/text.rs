//! The report of `convert` as plain text: the summary, then the findings, the releases and the fields.

use super::{Disposition, Release, Report};
use crate::diagnostic::Severity;
use crate::printable::{Printable, escape};
use crate::report::decided;
use crate::report::digest::{self, Fact, Group, count};
use crate::report::finding::Finding;

/// Returns the whole report. Nothing is cut.
#[must_use]
pub fn text(report: &Report) -> Printable {
    let mut out = summary(report, &[]);
    if !report.ok {
        let errors: usize = digest::groups(report)
            .iter()
            .filter(|group| group.severity == Severity::Error)
            .map(Group::len)
            .sum();
        out.line(&format!("not converted: {}", count(errors, "error")));
    }
    out.append(&details(report));
    out
}

/// Returns the summary, with lines on the files that were written; empty for documents with errors.
#[must_use]
pub fn summary(report: &Report, files: &[String]) -> Printable {
    let mut out = Printable::default();
    if report.ok {
        out.line(&format!("site {}: {}", report.site, digest::size(report)));
        files.iter().for_each(|file| out.line(file));
        for Fact { about, text } in digest::facts(report, &digest::groups(report)) {
            out.line(&format!("{about}: {text}"));
        }
        let decisions = digest::decisions(report);
        if !decisions.is_empty() {
            out.line("to decide:");
        }
        for decision in decisions {
            out.line(&format!("  - {decision}"));
        }
    }
    out
}

/// Returns what the summary leaves out: findings, releases and fields.
#[must_use]
pub fn details(report: &Report) -> Printable {
    let mut out = Printable::default();
    for (schema, number) in &report.skipped_documents {
        let number = count(*number, "document");
        out.line(&format!("skipped: {number} of `{schema}`"));
    }
    findings(&mut out, &digest::groups(report));
    releases(&mut out, report);
    fields(&mut out, report);
    out
}

fn findings(out: &mut Printable, groups: &[Group<'_>]) {
    for group in groups {
        let loss = if group.is_lossy() { ", a loss" } else { "" };
        let (severity, code, amount) = (group.severity, group.code, group.amount());
        out.blank();
        out.line(&format!("{severity} {code}: {amount}{loss}"));
        out.line(&format!("  {}", code.title()));
        for (release, list) in &group.by_release {
            match release {
                Some(release) => out.line(&format!("  - {release}: {}", lines(list))),
                None => {
                    for finding in list {
                        out.line(&format!("  - {}{}", place(finding), finding.message));
                    }
                }
            }
        }
    }
}

fn place(finding: &Finding) -> String {
    finding.main_place().map_or_else(String::new, |place| {
        let file = escape::name(&place.file);
        format!("{file}:{}:{}: ", place.line, place.column)
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
            text.push_str(&escape::name(file));
        }
        text.push_str(&format!(":{}:{}", place.line, place.column));
    }
    text
}

fn releases(out: &mut Printable, report: &Report) {
    let mut stage = 0;
    for release in &report.releases {
        if release.stage != stage {
            stage = release.stage;
            let of = report.releases.iter().filter(|r| r.stage == stage);
            let number = count(of.count(), "release");
            out.blank();
            out.line(&format!("stage {stage} {}: {number}", release.group));
        }
        one_release(out, release);
    }
}

fn one_release(out: &mut Printable, release: &Release) {
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
    out.blank();
    out.line(&format!("  {namespace}/{name}"));
    let from = format!(
        "chart {chart}, {}:{}:{}",
        escape::name(&origin.file),
        origin.line,
        origin.column
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
                text.push_str(&format!(", {}", count(number, what)));
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
        out.line(&format!("    {name:<10}{text}"));
    }
}

fn fields(out: &mut Printable, report: &Report) {
    if report.dispositions.is_empty() {
        return;
    }
    out.blank();
    out.line("fields of the input, with their number of YAML nodes");
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
        let mut line = format!("  {nodes:>7}  {:<16}  {document} {path}", fate.name());
        if !target.is_empty() {
            line.push_str(&format!(" → {target}"));
        }
        if let Some(since) = since {
            line.push_str(&format!(" (Flux {since})"));
        }
        out.line(&format!("{line}: {reason}"));
    }
}
