//! The report of `diff` as a page, for a comment on a change.

use super::{Change, Object, Outcome, Report, Shared, Summary};
use crate::report::digest::count;
use crate::report::page::{Item, Line, List, Page, Table};

/// Longest value in a table, in characters.
const MAX_VALUE: usize = 100;

/// Objects that are listed for one danger.
const SHOWN_OBJECTS: usize = 5;

/// Returns the page.
#[must_use]
pub fn page(report: &Report) -> Page {
    let mut page = Page::default();
    page.title(Line::text("armada2flux: what applying would change"));
    page.paragraph(summary(&report.summary));
    if let Some(sentence) = report.unseen() {
        page.paragraph(Line::text(sentence));
    }
    dangers(&mut page, report);
    for (outcome, title) in [
        (Outcome::Refused, "refused by the API server"),
        (
            Outcome::Conflicting,
            "with fields that other field managers own",
        ),
        (Outcome::Changed, "changed"),
        (Outcome::Created, "created"),
        (
            Outcome::LeftOver,
            "left over: not in the input, but nothing deletes them",
        ),
        (
            Outcome::Follows,
            "reconciled again in order, without a Helm action",
        ),
        (Outcome::Unchanged, "unchanged, with notes"),
    ] {
        let objects = report
            .objects
            .iter()
            .filter(|object| object.outcome == outcome)
            .filter(|object| outcome != Outcome::Unchanged || object.is_noteworthy());
        let objects: Vec<&Object> = objects.collect();
        if objects.is_empty() {
            continue;
        }
        let title = format!("{} {title}", count(objects.len(), "object"));
        let mut list = List::default();
        for object in objects {
            list.item(item(object));
        }
        page.fold_list(Line::text(title), "line", list);
    }
    shared(&mut page, report);
    page
}

fn summary(summary: &Summary) -> Line {
    let first = [
        (summary.takeovers, "taken over"),
        (summary.dangers, "dangerous"),
        (
            summary.foreign,
            "set by others in fields that change what a run checks or does",
        ),
        (
            summary.staying,
            "kept in fields that other field managers own",
        ),
    ];
    let last = [
        (
            summary.client_side,
            "compared without the API server's defaults",
        ),
        (summary.noise, "left out as noise"),
    ];
    let parts = first.into_iter().chain(summary.outcomes()).chain(last);
    let parts = parts.filter(|(number, _)| *number > 0);
    let parts: Vec<String> = parts
        .map(|(number, what)| format!("{number} {what}"))
        .collect();
    Line::strong(count(summary.objects, "object")).and(format!(": {}", parts.join(", ")))
}

fn dangers(page: &mut Page, report: &Report) {
    let dangers = super::dangers(report);
    if dangers.is_empty() {
        return;
    }
    page.section("Dangers");
    let mut table = Table::new(&["effect", "change", "objects"]);
    for danger in &dangers {
        let change = danger.change.map_or_else(Line::default, |change| {
            Line::code(&change.path).and(" ").and_line(sides(change))
        });
        let shown = danger.objects.iter().take(SHOWN_OBJECTS);
        let mut objects: Vec<Line> = shown.map(|object| Line::code(object.title())).collect();
        let more = danger.objects.len().saturating_sub(SHOWN_OBJECTS);
        if more > 0 {
            objects.push(Line::text(format!("{more} more")));
        }
        table.row([
            Line::text(danger.effect),
            change,
            Line::joined(objects, ", "),
        ]);
    }
    page.table(table);
}

fn item(object: &Object) -> Item {
    let mut item = Item::from(Line::code(object.title()));
    if let Some(message) = &object.message {
        item.item(Line::text(message));
    }
    for held in &object.conflicts {
        let field = Line::code(&held.field);
        item.item(field.and(": owned by ").and_code(&held.manager));
    }
    for shared in &object.staying {
        item.item(
            Line::code(&shared.field)
                .and(format!(": {} ", super::STAYS))
                .and_line(managers(shared)),
        );
    }
    for note in &object.notes {
        item.item(Line::text(note));
    }
    for change in object.changes.iter().filter(|change| !change.lockstep) {
        let noise = change.noise.as_ref();
        let noise = noise.map(|rule| format!(" (noise: {rule})"));
        item.item(
            Line::text(format!("{} ", change.what))
                .and_code(&change.path)
                .and(": ")
                .and_line(sides(change))
                .and(noise.unwrap_or_default()),
        );
    }
    item
}

/// Fields with several owners, last: nothing happens to them now.
fn shared(page: &mut Page, report: &Report) {
    let objects = report.objects.iter().filter(|o| !o.shared.is_empty());
    let objects: Vec<&Object> = objects.collect();
    if objects.is_empty() {
        return;
    }
    let title = format!(
        "{} with fields that other field managers own, too: they would stay if the input removed them",
        count(objects.len(), "object")
    );
    let mut list = List::default();
    for object in objects {
        let mut item = Item::from(Line::code(object.title()));
        for shared in &object.shared {
            let field = Line::code(&shared.field);
            item.item(field.and(": ").and_line(managers(shared)));
        }
        list.item(item);
    }
    page.fold_list(Line::text(title), "line", list);
}

fn managers(shared: &Shared) -> Line {
    Line::joined(shared.managers.iter().map(Line::code), ", ")
}

fn sides(change: &Change) -> Line {
    if let (Some(before), Some(after)) = (&change.before, &change.after) {
        let text = |json: &str| serde_json::from_str::<String>(json).ok();
        let long = before.chars().count().max(after.chars().count()) > MAX_VALUE;
        if let (Some(before), Some(after), true) = (text(before), text(after), long) {
            return Line::code(cut(&super::text::plain_words(&before, &after)));
        }
    }
    let shown = |value: &Option<String>| value.as_deref().map(|value| Line::code(cut(value)));
    match (shown(&change.before), shown(&change.after)) {
        (Some(before), Some(after)) => before.and(" → ").and_line(after),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => Line::default(),
    }
}

fn cut(value: &str) -> String {
    let length = value.chars().count();
    if length <= MAX_VALUE {
        return value.to_owned();
    }
    let kept: String = value.chars().take(MAX_VALUE).collect();
    format!("{kept}… ({length} characters)")
}
