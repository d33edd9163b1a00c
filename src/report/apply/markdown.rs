//! The report of `apply` for a comment or a ticket: what failed first, the stages folded.

use super::{Part, Report, Stage, headline, seconds};
use crate::report::digest::count;
use crate::report::markdown::escape::{code, html, prose};
use crate::report::markdown::page::{Details, Page};

/// The text, of at most `limit` bytes; what had to be cut is counted at its end.
#[must_use]
pub fn markdown(report: &Report, limit: usize) -> String {
    let mut page = Page::new(limit);
    page.line(&format!("## armada2flux: site {}\n", code(&report.site)));
    page.line(&format!(
        "**{}** ({}), at {}, run {}.\n",
        prose(&headline(report)),
        report.summary.outcomes(),
        code(&report.server),
        code(&report.run)
    ));
    if report.summary.deleted > 0 {
        page.line(&format!(
            "Deleted before upgrades: {}.\n",
            count(report.summary.deleted, "object")
        ));
    }
    if let Some(resume) = &report.resume {
        page.line(&format!("To go on: {}\n", code(resume)));
    }
    let parts = || {
        report
            .stages
            .iter()
            .flat_map(|stage| stage.parts.iter().map(move |part| (stage, part)))
    };
    let trouble = |part: &Part| part.outcome.is_trouble();
    if parts().any(|(_, part)| trouble(part)) {
        page.line("| | part | outcome | why | what to do |\n|---|---|---|---|---|");
        for (stage, part) in parts().filter(|(_, part)| trouble(part)) {
            page.line(&format!(
                "| {}.{} | {} | **{}** | {} | {} |",
                stage.number,
                part.step,
                code(&part.title()),
                part.outcome,
                prose(part.reason.as_deref().unwrap_or_default()),
                prose(part.hint.as_deref().unwrap_or_default())
            ));
        }
        page.line("");
    }
    for stage in &report.stages {
        page.fold(details(stage), "part");
    }
    page.finish()
}

fn details(stage: &Stage) -> Details {
    let took = stage
        .seconds
        .map_or_else(String::new, |took| format!(" after {}", seconds(took)));
    let title = format!(
        "Stage {} {}: {}{took}, {}",
        stage.number,
        html(&stage.name),
        stage.outcome.word().replace('-', " "),
        count(stage.parts.len(), "part")
    );
    let mut details = Details::new(title).with_head(
        "| step | part | outcome | seconds | deleted before | gates |\n|---|---|---|---|---|---|",
    );
    for part in &stage.parts {
        let number = |number: Option<f64>| number.map_or_else(String::new, |n| format!("{n:.1}"));
        let gates = part.gates.iter().map(|gate| {
            let word = if gate.open { "" } else { " (closed)" };
            format!("{}: {:.1}{word}", gate.gate, gate.seconds)
        });
        let gates: Vec<String> = gates.collect();
        details.row(&format!(
            "| {} | {} | {} | {} | {} | {} |",
            part.step,
            code(&part.title()),
            part.outcome,
            number(part.seconds),
            match part.deleted {
                0 => String::new(),
                deleted => deleted.to_string(),
            },
            gates.join(", ")
        ));
    }
    details
}
