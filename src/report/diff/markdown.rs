//! The report of `diff` for a comment on a change.

use super::{Change, Object, Outcome, Report, Shared, Summary};
use crate::report::digest::count;
use crate::report::markdown::escape::{code, html, prose};
use crate::report::markdown::page::{Details, Page};

/// Longest value in a table, in characters.
const MAX_VALUE: usize = 100;

/// Objects that are named for one danger.
const SHOWN_OBJECTS: usize = 5;

/// The text, of at most `limit` bytes; what had to be cut is counted at its end.
#[must_use]
pub fn markdown(report: &Report, limit: usize) -> String {
    let mut page = Page::new(limit);
    page.line("## armada2flux: what applying would change\n");
    page.line(&format!("{}\n", summary(&report.summary)));
    dangers(&mut page, report);
    for (outcome, title) in [
        (Outcome::Refused, "refused by the API server"),
        (Outcome::Conflicting, "with fields that others hold"),
        (Outcome::Changed, "changed"),
        (Outcome::Created, "created"),
        (
            Outcome::LeftOver,
            "left over: not in the input, nothing deletes them",
        ),
        (
            Outcome::Follows,
            "reconciled again in turn, without a Helm action",
        ),
        (Outcome::Unchanged, "otherwise noteworthy"),
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
        let mut details = Details::new(format!("{} {title}", count(objects.len(), "object")));
        for object in objects {
            rows(&mut details, object);
        }
        page.fold(details, "line");
    }
    shared(&mut page, report);
    page.finish()
}

fn summary(summary: &Summary) -> String {
    let first = [
        (summary.takeovers, "taken over"),
        (summary.dangers, "dangerous"),
        (summary.staying, "kept in fields that others hold"),
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
    format!(
        "**{}**: {}",
        count(summary.objects, "object"),
        parts.join(", ")
    )
}

fn dangers(page: &mut Page, report: &Report) {
    let dangers = super::dangers(report);
    if dangers.is_empty() {
        return;
    }
    page.line("### Look at these first\n");
    page.line("| what it would do | change | objects |\n|---|---|---|");
    for danger in &dangers {
        let change = danger.change.map_or(String::new(), |change| {
            format!("{} {}", code(&change.path), sides(change))
        });
        let shown = danger.objects.iter().take(SHOWN_OBJECTS);
        let mut objects: Vec<String> = shown.map(|object| code(&object.title())).collect();
        let more = danger.objects.len().saturating_sub(SHOWN_OBJECTS);
        if more > 0 {
            objects.push(format!("{more} more"));
        }
        page.line(&format!(
            "| {} | {change} | {} |",
            prose(danger.effect),
            objects.join(", ")
        ));
    }
    page.line("");
}

fn rows(details: &mut Details, object: &Object) {
    details.row(&format!("- {}", code(&object.title())));
    if let Some(message) = &object.message {
        details.row(&format!("  - {}", prose(message)));
    }
    for held in &object.conflicts {
        details.row(&format!(
            "  - {}: held by {}",
            code(&held.field),
            code(&held.manager)
        ));
    }
    for shared in &object.staying {
        details.row(&format!(
            "  - {}: stays, though the input has it no more: also held by {}",
            code(&shared.field),
            managers(shared)
        ));
    }
    for note in &object.notes {
        details.row(&format!("  - {}", prose(note)));
    }
    for change in object.changes.iter().filter(|change| !change.lockstep) {
        let noise = change.noise.as_ref();
        let noise = noise.map_or(String::new(), |rule| format!(" (noise: {})", html(rule)));
        details.row(&format!(
            "  - {} {}: {}{noise}",
            change.what,
            code(&change.path),
            sides(change)
        ));
    }
}

/// Fields of several holders, last: nothing happens to them now.
fn shared(page: &mut Page, report: &Report) {
    let objects = report.objects.iter().filter(|o| !o.shared.is_empty());
    let objects: Vec<&Object> = objects.collect();
    if objects.is_empty() {
        return;
    }
    let title = format!(
        "{} with fields that others hold, too: these would stay if they left the input",
        count(objects.len(), "object")
    );
    let mut details = Details::new(title);
    for object in objects {
        details.row(&format!("- {}", code(&object.title())));
        for shared in &object.shared {
            details.row(&format!(
                "  - {}: {}",
                code(&shared.field),
                managers(shared)
            ));
        }
    }
    page.fold(details, "line");
}

fn managers(shared: &Shared) -> String {
    let names = shared.managers.iter().map(|name| code(name));
    names.collect::<Vec<String>>().join(", ")
}

fn sides(change: &Change) -> String {
    if let (Some(before), Some(after)) = (&change.before, &change.after) {
        let text = |json: &str| serde_json::from_str::<String>(json).ok();
        let long = before.chars().count().max(after.chars().count()) > MAX_VALUE;
        if let (Some(before), Some(after), true) = (text(before), text(after), long) {
            return code(&cut(&super::text::plain_words(&before, &after)));
        }
    }
    let shown = |value: &Option<String>| value.as_deref().map(|value| code(&cut(value)));
    match (shown(&change.before), shown(&change.after)) {
        (Some(before), Some(after)) => format!("{before} → {after}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => String::new(),
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
