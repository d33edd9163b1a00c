//! The report of `convert` as a page, for a comment on a change: the summary first, details folded.

mod findings;

use super::{Disposition, Release, Report};
use crate::armada::disposition::Fate;
use crate::diagnostic::Severity;
use crate::report::decided;
use crate::report::digest::{self, Fact, Group, count};
use crate::report::page::{Line, Page, Table};

/// The page.
#[must_use]
pub fn page(report: &Report) -> Page {
    let groups = digest::groups(report);
    let one_file = digest::one_file(report);
    let mut page = Page::default();
    summary(&mut page, report, &groups);
    let (first, rest): (Vec<_>, Vec<_>) = groups
        .iter()
        .partition(|group| group.severity == Severity::Error || group.is_lossy());
    for group in first {
        findings::fold(&mut page, group, one_file);
    }
    folded_releases(&mut page, report, one_file);
    for group in rest {
        findings::fold(&mut page, group, one_file);
    }
    folded_fields(&mut page, report);
    page
}

fn summary(page: &mut Page, report: &Report, groups: &[Group<'_>]) {
    if report.ok {
        page.title(Line::text("armada2flux: site ").and_code(&report.site));
        page.paragraph(Line::strong(digest::size(report)));
        let facts = digest::facts(report, groups);
        page.list(
            facts
                .iter()
                .map(|Fact { about, text }| Line::text(format!("{}: {text}", capitalised(about))))
                .collect(),
        );
    } else {
        let errors = groups
            .iter()
            .filter(|group| group.severity == Severity::Error);
        let errors: usize = errors.map(Group::len).sum();
        page.title(Line::text("armada2flux: not converted"));
        page.paragraph(Line::strong(count(errors, "error")).and("; nothing was written."));
    }
    let decisions = digest::decisions(report);
    if report.ok && !decisions.is_empty() {
        page.section("To decide");
        page.list(decisions.into_iter().map(Line::text).collect());
    }
    if !groups.is_empty() {
        page.section("Diagnostics");
        let mut table = Table::new(&["", "code", "number", "what"]);
        for group in groups {
            let kind = match (group.is_lossy(), group.severity) {
                (true, _) => Line::strong("loss"),
                (false, Severity::Error) => Line::strong("error"),
                (false, other @ (Severity::Warning | Severity::Note)) => {
                    Line::text(other.to_string())
                }
            };
            table.row([
                kind,
                Line::code(group.code.name()),
                Line::text(group.amount()),
                Line::text(group.code.title()),
            ]);
        }
        page.table(table);
        page.paragraph(Line::text(
            "`armada2flux explain CODE` prints why it matters and what to do.",
        ));
    }
    for (schema, number) in &report.skipped_documents {
        let skipped = format!("Skipped: {} of ", count(*number, "document"));
        page.paragraph(Line::text(skipped).and_code(schema));
    }
}

/// Returns a text with a capital first letter.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn folded_releases(page: &mut Page, report: &Report, one_file: bool) {
    if report.releases.is_empty() {
        return;
    }
    page.section("Releases");
    let mut table = Table::new(&[
        "stage",
        "release",
        "from",
        "source",
        "Helm",
        "Armada's own waits",
        "tests",
        "before an upgrade",
    ]);
    let mut group = "";
    for release in &report.releases {
        let mut stage = release.stage.to_string();
        if release.step > 1 {
            stage.push_str(&format!(".{}", release.step));
        }
        let mut stage = Line::text(stage);
        if release.group != group {
            group = &release.group;
            stage = stage.and(" ").and_code(group);
        }
        table.row(release_row(stage, release, one_file));
    }
    let title = format!(
        "What was decided for {}",
        count(report.releases.len(), "release")
    );
    page.fold_table(Line::text(title), "release", table);
}

fn release_row(stage: Line, release: &Release, one_file: bool) -> [Line; 8] {
    let own = format!("where release_group={}", release.name);
    // Nearly every chart selects by its own name.
    let short = |text: String| Line::text(text.replace(&own, "by its own label"));
    [
        stage,
        Line::code(format!("{}/{}", release.namespace, release.name)),
        Line::text(digest::place(&release.origin, one_file)),
        Line::text(decided::source(release)),
        Line::text(decided::helm(release)),
        short(decided::waits(release)),
        Line::text(decided::tests(release)),
        short(decided::deletes(release)),
    ]
}

fn folded_fields(page: &mut Page, report: &Report) {
    if report.dispositions.is_empty() {
        return;
    }
    page.section("Fields");
    let mut table = Table::new(&["field", "nodes", "fate", "becomes", "why"]);
    // Fields that are not simply carried over come first.
    let (kept, other): (Vec<_>, Vec<_>) = report
        .dispositions
        .iter()
        .partition(|row| matches!(row.fate, Fate::Mapped | Fate::DroppedHarmless));
    for row in other.into_iter().chain(kept) {
        let Disposition {
            document,
            path,
            fate,
            target,
            reason,
            since,
            nodes,
        } = row;
        let since = since.as_ref().map(|since| format!(" (Flux {since})"));
        table.row([
            Line::text(document).and(" ").and_code(path),
            Line::text(nodes.to_string()),
            Line::text(fate.name()),
            Line::text(target).and(since.unwrap_or_default()),
            Line::text(reason),
        ]);
    }
    let title = format!(
        "What became of {} of the documents",
        count(report.dispositions.len(), "field")
    );
    page.fold_table(Line::text(title), "field", table);
}
