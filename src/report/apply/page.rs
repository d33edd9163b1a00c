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
        page.paragraph(Line::text("To go on: ").and_code(resume));
    }
    let parts = || {
        report
            .stages
            .iter()
            .flat_map(|stage| stage.parts.iter().map(move |part| (stage, part)))
    };
    let mut trouble = Table::new(&["", "part", "outcome", "why", "what to do"]);
    for (stage, part) in parts().filter(|(_, part)| part.outcome.is_trouble()) {
        trouble.row([
            Line::text(format!("{}.{}", stage.number, part.step)),
            Line::code(part.title()),
            Line::strong(part.outcome.word()),
            Line::text(part.reason.as_deref().unwrap_or_default()),
            Line::text(part.hint.as_deref().unwrap_or_default()),
        ]);
    }
    page.table(trouble);
    for stage in &report.stages {
        page.fold_table(Line::text(title(stage)), "part", table(stage));
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
        count(stage.parts.len(), "part")
    )
}

fn table(stage: &Stage) -> Table {
    let mut table = Table::new(&[
        "step",
        "part",
        "outcome",
        "seconds",
        "deleted before",
        "gates",
    ]);
    for part in &stage.parts {
        let number = |number: Option<f64>| number.map_or_else(String::new, |n| format!("{n:.1}"));
        let gates = part.gates.iter().map(|gate| {
            let word = if gate.open { "" } else { " (closed)" };
            format!("{}: {:.1}{word}", gate.gate, gate.seconds)
        });
        let gates: Vec<String> = gates.collect();
        table.row([
            Line::text(part.step.to_string()),
            Line::code(part.title()),
            Line::text(part.outcome.word()),
            Line::text(number(part.seconds)),
            Line::text(match part.deleted {
                0 => String::new(),
                deleted => deleted.to_string(),
            }),
            Line::text(gates.join(", ")),
        ]);
    }
    table
}
