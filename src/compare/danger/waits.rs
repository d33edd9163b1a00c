//! Waits and deletions of a release, compared by what they select.

use std::collections::BTreeSet;

use crate::flux::{GATES_ANNOTATION, Object, PRE_DELETE_ANNOTATION, ReleaseView};
use crate::gate::{Deletion, Gate, MinReady, Spec};

use super::super::meaning::{deletions_of, gate_words, gates_of};
use super::super::path::Path;
use super::{Code, Danger};

/// Returns the danger of a change of the annotations of waits and deletions.
pub(super) fn of(before: &Object, after: &Object, path: &Path) -> Option<Danger> {
    ReleaseView::of(after)?;
    if path.touches(&["metadata", "annotations", PRE_DELETE_ANNOTATION])
        && let Some(danger) = deletions(before, after)
    {
        return Some(danger);
    }
    if path.touches(&["metadata", "annotations", GATES_ANNOTATION]) {
        return gates(before, after);
    }
    None
}

fn deletions(before: &Object, after: &Object) -> Option<Danger> {
    let (Some(old), Some(new)) = (deletions_of(before), deletions_of(after)) else {
        return Some(Danger::with(
            Code::Deletions,
            "what is deleted before an upgrade cannot be read",
        ));
    };
    let covered = |new: &&Deletion| {
        old.iter()
            .any(|old| old.kind == new.kind && selects_all_of(&old.selector, &new.selector))
    };
    let more: Vec<&Deletion> = new.iter().filter(|new| !covered(new)).collect();
    if more.is_empty() {
        return None;
    }
    let every: Vec<&str> = more
        .iter()
        .filter(|deletion| deletion.selector.is_empty())
        .map(|deletion| deletion.kind.word())
        .collect();
    let mut parts = Vec::new();
    if !every.is_empty() {
        parts.push(format!("every {}", every.join(" and ")));
    }
    let some = more.iter().filter(|deletion| !deletion.selector.is_empty());
    parts.extend(some.map(|deletion| deletion.to_string()));
    Some(Danger::with(
        Code::Deletions,
        format!(
            "deletes {} of namespace {} before an upgrade",
            parts.join(" and "),
            after.namespace.as_deref().unwrap_or_default()
        ),
    ))
}

fn gates(before: &Object, after: &Object) -> Option<Danger> {
    let (Some(old), Some(new)) = (gates_of(before), gates_of(after)) else {
        return Some(Danger::with(
            Code::Gates,
            "what the next step waits for cannot be read",
        ));
    };
    let changed: Vec<&Gate> = new.iter().filter(|gate| !old.contains(gate)).collect();
    let wider = changed.iter().filter(|gate| {
        let narrower = |other: &&Gate| {
            other.spec.kind == gate.spec.kind
                && other.spec.selector != gate.spec.selector
                && selects_all_of(&gate.spec.selector, &other.spec.selector)
        };
        let same = old.iter().any(|other| {
            other.spec.kind == gate.spec.kind
                && selects_all_of(&other.spec.selector, &gate.spec.selector)
        });
        !same && (gate.spec.selector.is_empty() || old.iter().any(|other| narrower(&other)))
    });
    let wider: Vec<String> = wider.map(|gate| gate_words(gate).to_string()).collect();
    if !wider.is_empty() {
        return Some(Danger::with(
            Code::GatesWidened,
            format!(
                "the next step waits for {} in namespace {}, also for those of other releases",
                wider.join(", and for "),
                after.namespace.as_deref().unwrap_or_default()
            ),
        ));
    }
    let lost = old
        .iter()
        .filter(|old| !new.iter().any(|new| covers(&new.spec, &old.spec)));
    let lost: Vec<String> = lost.map(|gate| gate_words(gate).to_string()).collect();
    (!lost.is_empty()).then(|| {
        Danger::with(
            Code::Gates,
            format!(
                "the next step does not wait any more for {}",
                lost.join(", and for ")
            ),
        )
    })
}

/// Whether a wait holds back at least as much as another one.
fn covers(new: &Spec, old: &Spec) -> bool {
    let Spec {
        kind,
        selector,
        required,
        min_ready,
        allow_async_updates,
    } = new;
    let ready = match (min_ready, old.min_ready) {
        (Some(MinReady::Count(new)), Some(MinReady::Count(old)))
        | (Some(MinReady::Percent(new)), Some(MinReady::Percent(old))) => *new >= old,
        (new, old) => *new == old,
    };
    *kind == old.kind
        && selects_all_of(selector, &old.selector)
        && (*required || !old.required)
        && ready
        && (*allow_async_updates != Some(true) || old.allow_async_updates == Some(true))
}

/// Whether a selector selects everything that another one does: it has no condition of its own.
fn selects_all_of(wide: &str, narrow: &str) -> bool {
    let conditions = |selector: &str| -> BTreeSet<String> {
        let parts = selector.split(',').map(str::trim);
        parts
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect()
    };
    conditions(wide).is_subset(&conditions(narrow))
}
