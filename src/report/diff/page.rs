//! The report of `diff` as a page, for a comment on a change.

use super::{Alike, Change, LineEdit, Object, Outcome, Report, Shared, Summary};
use crate::report::digest::count;
use crate::report::page::{Item, Line, List, Page, Table};

/// Longest value in a table, in characters.
const MAX_VALUE: usize = 100;

/// Objects that are listed for one danger.
const SHOWN_OBJECTS: usize = 5;
/// Lines that are shown of one change.
const SHOWN_LINES: usize = 12;

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
    alike(&mut page, report);
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
            .filter(|object| outcome != Outcome::Unchanged || object.is_noteworthy())
            .filter(|object| !object.is_said_with_others());
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
    let mut table = Table::new(&["danger", "effect", "change", "objects"]);
    for danger in &dangers {
        let change = danger.change.map_or_else(Line::default, |change| {
            named(change).and(" ").and_line(in_one_line(change))
        });
        let shown = danger.objects.iter().take(SHOWN_OBJECTS);
        let mut objects: Vec<Line> = shown.map(|object| Line::code(object.title())).collect();
        let more = danger.objects.len().saturating_sub(SHOWN_OBJECTS);
        if more > 0 {
            objects.push(Line::text(format!("{more} more")));
        }
        table.row([
            Line::code(danger.name),
            Line::text(&danger.effect),
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
    for danger in &object.dangers {
        item.item(Line::text("danger ").and_code(&danger.name));
    }
    let own = object
        .changes
        .iter()
        .filter(|change| !change.lockstep && change.alike.is_none());
    own.for_each(|change| item.nest(self::change(change)));
    item
}

/// A change: in one line, or with the lines that changed below it.
fn change(change: &Change) -> Item {
    let noise = change.noise.as_ref();
    let noise = noise.map(|rule| format!(" (noise: {rule})"));
    let noise = noise.unwrap_or_default();
    let head = Line::text(format!("{} ", change.what)).and_line(named(change));
    if change.lines.is_empty() {
        return Item::from(head.and(": ").and_line(sides(change)).and(noise));
    }
    let mut item = Item::from(head.and(noise));
    for line in change.lines.iter().take(SHOWN_LINES) {
        item.item(Line::code(cut(&signed(line))));
    }
    let more = change.lines.len().saturating_sub(SHOWN_LINES);
    if more > 0 {
        item.item(Line::text(format!("{} more", count(more, "line"))));
    }
    item
}

/// The field in words, or its path.
fn named(change: &Change) -> Line {
    match &change.title {
        Some(title) => Line::text(title),
        None => Line::code(&change.path),
    }
}

fn signed(line: &super::Line) -> String {
    let sign = match line.what {
        LineEdit::Kept | LineEdit::Skipped => " ",
        LineEdit::Removed => "-",
        LineEdit::Added => "+",
    };
    format!("{sign} {}", line.text)
}

/// A change for the cell of a table.
fn in_one_line(change: &Change) -> Line {
    let lines = change.lines.iter();
    let changed = lines.filter(|line| matches!(line.what, LineEdit::Removed | LineEdit::Added));
    let changed: Vec<&super::Line> = changed.collect();
    if changed.is_empty() {
        return sides(change);
    }
    let shown = changed.iter().take(SHOWN_OBJECTS);
    let mut shown: Vec<Line> = shown.map(|line| Line::code(cut(&signed(line)))).collect();
    let more = changed.len().saturating_sub(SHOWN_OBJECTS);
    if more > 0 {
        shown.push(Line::text(format!("{more} more")));
    }
    Line::joined(shown, ", ")
}

/// What several objects have in common, before the objects.
fn alike(page: &mut Page, report: &Report) {
    for alike in &report.alike {
        let Alike { objects, changes } = alike;
        let title = format!(
            "{} with the same {}{}",
            count(objects.len(), "object"),
            count(changes.len(), "change"),
            alike.names()
        );
        let mut list = List::default();
        changes
            .iter()
            .for_each(|change| list.item(self::change(change)));
        list.note(Line::joined(objects.iter().map(Line::code), ", "));
        page.fold_list(Line::text(title), "line", list);
    }
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
