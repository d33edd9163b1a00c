//! The report of `plan` for a comment on a change.

use super::text::summed;
use super::{Object, Report, Summary};
use crate::flux::duration;
use crate::report::digest::count;
use crate::report::markdown::escape::{code, html, prose};
use crate::report::markdown::page::{Details, Page};

/// The text, of at most `limit` bytes; what had to be cut is counted at its end.
#[must_use]
pub fn markdown(report: &Report, limit: usize) -> String {
    let mut page = Page::new(limit);
    page.line("## armada2flux: what a run would do\n");
    page.line(&format!("{}\n", summary(&report.summary)));
    refusals(&mut page, report);
    for stage in &report.stages {
        let objects = stage.steps.iter().flat_map(|step| &step.objects);
        let (shown, rest): (Vec<&Object>, Vec<&Object>) =
            objects.partition(|object| object.is_noteworthy());
        let mut title = format!(
            "stage {}: {}, {}",
            stage.number,
            html(&stage.name),
            count(shown.len(), "object")
        );
        if !rest.is_empty() {
            title.push_str(&format!(" and {} unchanged", rest.len()));
        }
        let mut details = Details::new(title).with_head(
            "| step | object | what | before | after helm | within |\n|---|---|---|---|---|---|",
        );
        for step in &stage.steps {
            for object in step.objects.iter().filter(|object| object.is_noteworthy()) {
                let place = format!("{}.{}", stage.number, step.number);
                details.row(&row(&place, object));
            }
        }
        page.fold(details, "object");
    }
    if !report.left_over.is_empty() {
        let title = format!(
            "{} left over: not in the input, nothing deletes them",
            count(report.left_over.len(), "object")
        );
        let mut details = Details::new(title);
        for title in &report.left_over {
            details.row(&format!("- {}", code(title)));
        }
        page.fold(details, "object");
    }
    page.finish()
}

fn summary(summary: &Summary) -> String {
    let outcomes = summary.outcomes().into_iter();
    let outcomes = outcomes.filter(|(number, _)| *number > 0);
    let outcomes: Vec<String> = outcomes
        .map(|(number, what)| format!("{number} {}", summed(what)))
        .collect();
    format!(
        "**{}**: {}",
        count(summary.objects, "object"),
        outcomes.join(", ")
    )
}

fn refusals(page: &mut Page, report: &Report) {
    let steps = report.stages.iter().flat_map(|stage| &stage.steps);
    let objects = steps.flat_map(|step| &step.objects);
    let refusals: Vec<_> = objects.flat_map(|object| &object.refusals).collect();
    if refusals.is_empty() {
        return;
    }
    page.line("### A run would be refused\n");
    for refusal in refusals {
        page.line(&format!(
            "- {}: {}",
            prose(&refusal.why),
            prose(&refusal.hint)
        ));
    }
    page.line("");
}

fn row(place: &str, object: &Object) -> String {
    let list = |texts: &[String]| {
        let texts = texts.iter().map(|text| code(text));
        texts.collect::<Vec<_>>().join(", ")
    };
    let deletions = match object.deletions.as_slice() {
        [] => String::new(),
        deletions => format!("deletes {}", list(deletions)),
    };
    let mut after = list(&object.gates);
    if object.tests {
        after.push_str(if after.is_empty() { "tests" } else { ", tests" });
    }
    format!(
        "| {place} | {} | {} | {deletions} | {after} | {} |",
        code(&object.title()),
        object.what.word(),
        duration::show(object.timeout)
    )
}
