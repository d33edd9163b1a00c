//! The report of `apply` as a page, to be a comment or a ticket: what failed first, the stages folded.

use super::{Report, Stage, headline, seconds};
use crate::report::digest::count;
use crate::report::page::{Line, Page, Table};

/// The page.
#[must_use]
pub fn page(report: &Report) -> Page {
    let mut page = Page::default();
    page.title(Line::text("armada2flux: site ").and_code(&report.site));
    page.paragraph(
        Line::strong(headline(report))
            .and(format!(" ({}), at ", report.summary.outcomes()))
            .and_code(&report.server)
            .and(", run ")
            .and_code(&report.run)
            .and("."),
    );
    if report.summary.deleted > 0 {
        let deleted = count(report.summary.deleted, "object");
        page.paragraph(Line::text(format!("Deleted before upgrades: {deleted}.")));
    }
    if let Some(resume) = &report.resume {
        page.paragraph(Line::text("To continue: ").and_code(resume));
    }
    let objects = || {
        report
            .stages
            .iter()
            .flat_map(|stage| stage.objects.iter().map(move |object| (stage, object)))
    };
    let mut problems = Table::new(&["", "object", "outcome", "why", "what to do"]);
    for (stage, object) in objects().filter(|(_, object)| object.outcome.needs_attention()) {
        problems.row([
            Line::text(format!("{}.{}", stage.number, object.step)),
            Line::code(object.title()),
            Line::strong(object.outcome.word()),
            Line::text(object.reason.as_deref().unwrap_or_default()),
            Line::text(object.hint.as_deref().unwrap_or_default()),
        ]);
    }
    page.table(problems);
    for stage in &report.stages {
        page.fold_table(Line::text(title(stage)), "object", table(stage));
    }
    page
}

fn title(stage: &Stage) -> String {
    let took = stage
        .seconds
        .map_or_else(String::new, |took| format!(" after {}", seconds(took)));
    format!(
        "Stage {} {}: {}{took}, {}",
        stage.number,
        stage.name,
        stage.outcome.word().replace('-', " "),
        count(stage.objects.len(), "object")
    )
}

fn table(stage: &Stage) -> Table {
    let mut table = Table::new(&[
        "step",
        "object",
        "outcome",
        "seconds",
        "deleted before",
        "gates",
    ]);
    for object in &stage.objects {
        let number = |number: Option<f64>| number.map_or_else(String::new, |n| format!("{n:.1}"));
        let gates = object.gates.iter().map(|gate| {
            let word = if gate.open { "" } else { " (closed)" };
            format!("{}: {:.1}{word}", gate.gate, gate.seconds)
        });
        let gates: Vec<String> = gates.collect();
        table.row([
            Line::text(object.step.to_string()),
            Line::code(object.title()),
            Line::text(object.outcome.word()),
            Line::text(number(object.seconds)),
            Line::text(match object.deleted {
                0 => String::new(),
                deleted => deleted.to_string(),
            }),
            Line::text(gates.join(", ")),
        ]);
    }
    table
}
