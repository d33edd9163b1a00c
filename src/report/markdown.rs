//! The report of `convert` as Markdown, to be a comment on a change: the summary first, details folded,
//! the whole below a given size.

pub(in crate::report) mod escape;
pub(in crate::report) mod page;
mod said;

use super::convert::{Disposition, Release, Report};
use super::decided;
use super::digest::{self, Group, count};
use crate::armada::disposition::Fate;
use crate::diagnostic::Severity;
use escape::{code, prose};
use page::{Details, Page};

/// Largest report unless another limit is given, in bytes: comments end at 65,536 characters.
pub const DEFAULT_LIMIT: usize = 60_000;
/// Smallest limit: below it not even the summary finds room.
pub const MIN_LIMIT: usize = 4_000;

/// The text, of at most `limit` bytes; what had to be cut is counted at its end.
#[must_use]
pub fn markdown(report: &Report, limit: usize) -> String {
    let groups = digest::groups(report);
    let one_file = digest::one_file(report);
    let mut page = Page::new(limit);
    summary(&mut page, report, &groups);
    let (first, rest): (Vec<_>, Vec<_>) = groups
        .iter()
        .partition(|group| group.severity == Severity::Error || group.is_lossy());
    for group in first {
        page.fold(said::details(group, one_file), "line");
    }
    folded_releases(&mut page, report, one_file);
    for group in rest {
        page.fold(said::details(group, one_file), "line");
    }
    folded_fields(&mut page, report);
    page.finish()
}

fn summary(page: &mut Page, report: &Report, groups: &[Group<'_>]) {
    if report.ok {
        page.line(&format!("## armada2flux: site {}\n", code(&report.site)));
        let losses = digest::losses(groups);
        page.line(&format!(
            "**{}**. Against Armada: **{losses}**.\n",
            digest::size(report)
        ));
        if let Some(order) = digest::order(report) {
            page.line(&format!("Order: {order}.\n"));
        }
    } else {
        let errors = groups
            .iter()
            .filter(|group| group.severity == Severity::Error);
        let errors: usize = errors.map(Group::len).sum();
        page.line("## armada2flux: not converted\n");
        page.line(&format!(
            "**{}**; nothing was written.\n",
            count(errors, "error")
        ));
    }
    let decisions = digest::decisions(report);
    if report.ok && !decisions.is_empty() {
        page.line("### To decide\n");
        for decision in decisions {
            page.line(&format!("- {}", prose(&decision)));
        }
        page.line("");
    }
    if !groups.is_empty() {
        page.line("### What was said\n");
        page.line("| | code | how often | what |\n|---|---|---|---|");
        for group in groups {
            let kind = match (group.is_lossy(), group.severity) {
                (true, _) => "**loss**".to_owned(),
                (false, Severity::Error) => "**error**".to_owned(),
                (false, other @ (Severity::Warning | Severity::Note)) => other.to_string(),
            };
            page.line(&format!(
                "| {kind} | {} | {} | {} |",
                code(group.code.name()),
                group.amount(),
                prose(group.code.title())
            ));
        }
        page.line("\n`armada2flux explain CODE` says why each matters and what to do.\n");
    }
    for (schema, number) in &report.skipped_documents {
        page.line(&format!(
            "Skipped: {} of {}\n",
            count(*number, "document"),
            code(schema)
        ));
    }
}

fn folded_releases(page: &mut Page, report: &Report, one_file: bool) {
    if report.releases.is_empty() {
        return;
    }
    page.line("### Releases\n");
    let mut details = Details::new(format!(
        "What was decided for {}",
        count(report.releases.len(), "release")
    ))
    .with_head(
        "| stage | release | from | source | Helm | Armada's own waits | tests | before an upgrade |\n\
         |---|---|---|---|---|---|---|---|",
    );
    let mut group = "";
    for release in &report.releases {
        let mut stage = release.stage.to_string();
        if release.step > 1 {
            stage.push_str(&format!(".{}", release.step));
        }
        if release.group != group {
            group = &release.group;
            stage.push_str(&format!(" {}", code(group)));
        }
        details.row(&release_row(&stage, release, one_file));
    }
    page.fold(details, "release");
}

fn release_row(stage: &str, release: &Release, one_file: bool) -> String {
    let id = format!("{}/{}", release.namespace, release.name);
    let own = format!("where release_group={}", release.name);
    // Nearly every chart selects by its own name: said shortly.
    let short = |text: String| prose(&text.replace(&own, "by its own label"));
    let cells = [
        stage,
        &code(&id),
        &prose(&digest::place(&release.origin, one_file)),
        &prose(&decided::source(release)),
        &prose(&decided::helm(release)),
        &short(decided::waits(release)),
        &decided::tests(release),
        &short(decided::deletes(release)),
    ];
    format!("| {} |", cells.join(" | "))
}

fn folded_fields(page: &mut Page, report: &Report) {
    if report.dispositions.is_empty() {
        return;
    }
    page.line("### Fields\n");
    let mut details = Details::new(format!(
        "What became of {} of the documents",
        count(report.dispositions.len(), "field")
    ))
    .with_head("| field | nodes | fate | becomes | why |\n|---|---|---|---|---|");
    // What is not simply carried over comes first.
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
        details.row(&format!(
            "| {} {} | {nodes} | {} | {}{} | {} |",
            prose(document),
            code(path),
            fate.name(),
            prose(target),
            since.unwrap_or_default(),
            prose(reason)
        ));
    }
    page.fold(details, "field");
}
