//! Changes that several objects have in common: said once.

use std::collections::BTreeMap;

use super::{Alike, Change, Danger, Line, Object};

/// So many objects have a change in common before it is said once for all.
const LEAST: usize = 3;
/// Stands for the name of each object.
pub(super) const NAME: &str = "NAME";
/// Stands for the namespace of each object.
pub(super) const NAMESPACE: &str = "NAMESPACE";

/// Finds the changes that several objects have in common, and marks them in the objects. Where words name the object
/// itself, as the labels of a release often do, they are the same for all.
pub(super) fn alike(objects: &mut [Object]) -> Vec<Alike> {
    // By content, with the places of the change: object and position in it.
    let mut places: BTreeMap<String, Vec<(usize, usize)>> = BTreeMap::new();
    for (at, object) in objects.iter().enumerate() {
        for (position, change) in object.changes.iter().enumerate() {
            if !change.lockstep {
                // Strings and numbers always have a JSON form.
                let content = serde_json::to_string(&of_any(change, object));
                let content = content.unwrap_or_default();
                places.entry(content).or_default().push((at, position));
            }
        }
    }
    let mut common: Vec<Vec<(usize, usize)>> = places
        .into_values()
        .filter(|places| places.len() >= LEAST)
        .collect();
    // In the order in which the first object has them.
    common.sort_unstable();
    let mut found: Vec<(Vec<usize>, Alike)> = Vec::new();
    for places in common {
        let of: Vec<usize> = places.iter().map(|(at, _)| *at).collect();
        let Some(&(first, position)) = places.first() else {
            continue;
        };
        let change = of_any(&objects[first].changes[position], &objects[first]);
        let place = found.iter().position(|(others, _)| *others == of);
        let place = place.unwrap_or_else(|| {
            let objects = of.iter().map(|&at| objects[at].title()).collect();
            let changes = Vec::new();
            found.push((of, Alike { objects, changes }));
            found.len() - 1
        });
        found[place].1.changes.push(change);
        for (at, position) in places {
            objects[at].changes[position].alike = Some(place);
        }
    }
    found.into_iter().map(|(_, alike)| alike).collect()
}

/// Returns a change as any object could have it: words that name the object say `NAME` and `NAMESPACE`.
fn of_any(change: &Change, object: &Object) -> Change {
    if change.title.is_none() {
        return change.clone();
    }
    let lines = change.lines.iter().map(|line| Line {
        what: line.what,
        text: without_name(&line.text, object),
    });
    let side = |side: &Option<String>| side.as_ref().map(|text| without_name(text, object));
    Change {
        before: side(&change.before),
        after: side(&change.after),
        lines: lines.collect(),
        danger: change
            .danger
            .as_ref()
            .map(|danger| danger_of_any(danger, object)),
        ..change.clone()
    }
}

/// Returns a danger as any object could have it.
pub(super) fn danger_of_any(danger: &Danger, object: &Object) -> Danger {
    let effect = without_name(&danger.effect, object);
    let namespace = object.namespace.as_deref().unwrap_or_default();
    Danger {
        name: danger.name.clone(),
        effect: replaced(
            &effect,
            &format!("namespace {namespace}"),
            &format!("namespace {NAMESPACE}"),
        ),
    }
}

fn without_name(text: &str, object: &Object) -> String {
    replaced(text, &object.name, NAME)
}

/// Replaces a name where it is not a part of another one.
fn replaced(text: &str, name: &str, by: &str) -> String {
    if name.is_empty() {
        return text.to_owned();
    }
    let part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (at, found) in text.match_indices(name) {
        let after = at + found.len();
        let inside = text[..at].chars().next_back().is_some_and(part)
            || text[after..].chars().next().is_some_and(part);
        if !inside {
            out.push_str(&text[end..at]);
            out.push_str(by);
            end = after;
        }
    }
    out.push_str(&text[end..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_are_replaced() {
        for (text, wanted) in [
            ("job app=web", "job app=NAME"),
            ("job app=web,tier=web", "job app=NAME,tier=NAME"),
            ("job app=web-2", "job app=web-2"),
            ("job app=my-web", "job app=my-web"),
            ("", ""),
        ] {
            assert_eq!(replaced(text, "web", NAME), wanted);
        }
        assert_eq!(replaced("job app=web", "", NAME), "job app=web");
    }
}
