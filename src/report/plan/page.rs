//! The report of `plan` as a page, to be a comment on a change.

use super::text::summed;
use super::{Object, Report, Summary};
use crate::flux::duration;
use crate::report::digest::count;
use crate::report::page::{Line, Page, Table};

/// The page.
#[must_use]
pub fn page(report: &Report) -> Page {
    let mut page = Page::default();
    page.title(Line::text("armada2flux: what a run would do"));
    page.paragraph(summary(&report.summary));
    refusals(&mut page, report);
    for stage in &report.stages {
        let objects = stage.steps.iter().flat_map(|step| &step.objects);
        let (shown, rest): (Vec<&Object>, Vec<&Object>) =
            objects.partition(|object| object.is_noteworthy());
        let mut title = format!(
            "stage {}: {}, {}",
            stage.number,
            stage.name,
            count(shown.len(), "object")
        );
        if !rest.is_empty() {
            title.push_str(&format!(" and {} unchanged", rest.len()));
        }
        let mut table = Table::new(&["step", "object", "what", "before", "after Helm", "within"]);
        for step in &stage.steps {
            for object in step.objects.iter().filter(|object| object.is_noteworthy()) {
                let place = format!("{}.{}", stage.number, step.number);
                table.row(row(&place, object));
            }
        }
        page.fold_table(Line::text(title), "object", table);
    }
    if !report.left_over.is_empty() {
        let title = format!(
            "{} left over: not in the input, nothing deletes them",
            count(report.left_over.len(), "object")
        );
        let objects = report.left_over.iter().map(Line::code);
        page.fold_list(Line::text(title), "object", objects.collect());
    }
    page
}

fn summary(summary: &Summary) -> Line {
    let outcomes = summary.outcomes().into_iter();
    let outcomes = outcomes.filter(|(number, _)| *number > 0);
    let outcomes: Vec<String> = outcomes
        .map(|(number, what)| format!("{number} {}", summed(what)))
        .collect();
    Line::strong(count(summary.objects, "object")).and(format!(": {}", outcomes.join(", ")))
}

fn refusals(page: &mut Page, report: &Report) {
    let steps = report.stages.iter().flat_map(|stage| &stage.steps);
    let objects = steps.flat_map(|step| &step.objects);
    let refusals: Vec<_> = objects.flat_map(|object| &object.refusals).collect();
    if refusals.is_empty() {
        return;
    }
    page.section("A run would be refused");
    let refusals = refusals.into_iter().map(|refusal| {
        let why = Line::text(&refusal.why);
        why.and(": ").and(&refusal.hint)
    });
    page.list(refusals.collect());
}

fn row(place: &str, object: &Object) -> [Line; 6] {
    let deletions = match object.deletions.as_slice() {
        [] => Line::default(),
        deletions => {
            let deletions = deletions.iter().map(Line::code);
            Line::text("deletes ").and_line(Line::joined(deletions, ", "))
        }
    };
    let after = object.gates.iter().map(Line::code);
    let after = after.chain(object.tests.then(|| Line::text("tests")));
    [
        Line::text(place),
        Line::code(object.title()),
        Line::text(object.what.word()),
        deletions,
        Line::joined(after, ", "),
        Line::text(duration::show(object.timeout)),
    ]
}
