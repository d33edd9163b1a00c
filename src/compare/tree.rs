//! The differences of two trees, as few and as deep as they can be said.

use std::collections::BTreeMap;

use crate::value::{Data, Mapping, Text, Value};

use super::path::{Path, Segment};

/// A difference at one place.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Only there after.
    Added(Value),
    /// Only there before.
    Removed(Value),
    /// There both times, and not equal.
    Changed {
        /// What it was.
        before: Value,
        /// What it becomes.
        after: Value,
    },
    /// The named items of a list in another order.
    Reordered {
        /// Their names before.
        before: Vec<Text>,
        /// Their names after.
        after: Vec<Text>,
    },
}

impl Edit {
    /// Whether anything of it must not be shown.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        match self {
            Edit::Added(value) | Edit::Removed(value) => value.sensitive_leaves() > 0,
            Edit::Changed { before, after } => {
                before.sensitive
                    || after.sensitive
                    || before.sensitive_leaves() > 0
                    || after.sensitive_leaves() > 0
            }
            Edit::Reordered { .. } => false,
        }
    }
}

/// All differences, in the order of the tree: keys of `after` first, then those that are gone.
pub(super) fn differences(before: &Value, after: &Value) -> Vec<(Path, Edit)> {
    let mut found = Vec::new();
    compare(&Path::default(), before, after, &mut found);
    found
}

fn compare(path: &Path, before: &Value, after: &Value, found: &mut Vec<(Path, Edit)>) {
    match (&before.data, &after.data) {
        (Data::Mapping(before), Data::Mapping(after)) => mappings(path, before, after, found),
        (Data::Sequence(old), Data::Sequence(new)) => match (named(old), named(new)) {
            // An empty list has no names, so it takes those of the other.
            (Some(names), Some(_)) if old.len() + new.len() > 0 => {
                by_name(
                    path,
                    (old, &names),
                    (new, &named(new).unwrap_or_default()),
                    found,
                );
            }
            _ => by_position(path, old, new, found),
        },
        (old, new) if old == new => {}
        _ => found.push((
            path.clone(),
            Edit::Changed {
                before: before.clone(),
                after: after.clone(),
            },
        )),
    }
}

fn mappings(path: &Path, before: &Mapping, after: &Mapping, found: &mut Vec<(Path, Edit)>) {
    // Mappings of values may be large.
    let old: BTreeMap<&str, &Value> = before
        .entries()
        .iter()
        .map(|entry| (&*entry.key, &entry.value))
        .collect();
    let new: BTreeMap<&str, ()> = after
        .entries()
        .iter()
        .map(|entry| (&*entry.key, ()))
        .collect();
    for entry in after.entries() {
        let path = path.join(Segment::Key(entry.key.clone()));
        match old.get(&*entry.key) {
            Some(old) => compare(&path, old, &entry.value, found),
            None => found.push((path, Edit::Added(entry.value.clone()))),
        }
    }
    let gone = before
        .entries()
        .iter()
        .filter(|entry| !new.contains_key(&*entry.key));
    for entry in gone {
        let path = path.join(Segment::Key(entry.key.clone()));
        found.push((path, Edit::Removed(entry.value.clone())));
    }
}

/// The names of a list whose items all have one, of its own.
fn named(items: &[Value]) -> Option<Vec<Text>> {
    let mut names: Vec<Text> = Vec::with_capacity(items.len());
    for item in items {
        let text = |key: &str| item.at(&[key]).and_then(Value::as_str);
        let name = text("name")?;
        names.push(match (text("kind"), text("namespace")) {
            (None, None) => name.into(),
            (None, Some(namespace)) => Text::from(format!("{namespace}/{name}")),
            (Some(kind), _) => Text::from(format!("{kind} {name}")),
        });
    }
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    (sorted.len() == names.len()).then_some(names)
}

fn by_name(
    path: &Path,
    (old, old_names): (&[Value], &[Text]),
    (new, new_names): (&[Value], &[Text]),
    found: &mut Vec<(Path, Edit)>,
) {
    let before: BTreeMap<&str, &Value> = old_names.iter().map(|n| &**n).zip(old).collect();
    let after: BTreeMap<&str, &Value> = new_names.iter().map(|n| &**n).zip(new).collect();
    for (name, item) in new_names.iter().zip(new) {
        let path = path.join(Segment::Named(name.clone()));
        match before.get(&**name) {
            Some(old) => compare(&path, old, item, found),
            None => found.push((path, Edit::Added(item.clone()))),
        }
    }
    for (name, item) in old_names.iter().zip(old) {
        if !after.contains_key(&**name) {
            let path = path.join(Segment::Named(name.clone()));
            found.push((path, Edit::Removed(item.clone())));
        }
    }
    let kept = |names: &[Text], other: &BTreeMap<&str, &Value>| -> Vec<Text> {
        let kept = names.iter().filter(|name| other.contains_key(&***name));
        kept.cloned().collect()
    };
    let (before, after) = (kept(old_names, &after), kept(new_names, &before));
    if before != after {
        found.push((path.clone(), Edit::Reordered { before, after }));
    }
}

/// What is equal at both ends is left out, the rest paired.
fn by_position(path: &Path, old: &[Value], new: &[Value], found: &mut Vec<(Path, Edit)>) {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let old_rest = &old_rest[..old_rest.len() - end];
    let new_rest = &new_rest[..new_rest.len() - end];
    let at = |index: usize| path.join(Segment::Index(start + index));
    for (index, (a, b)) in old_rest.iter().zip(new_rest).enumerate() {
        compare(&at(index), a, b, found);
    }
    for (index, item) in new_rest.iter().enumerate().skip(old_rest.len()) {
        found.push((at(index), Edit::Added(item.clone())));
    }
    for (index, item) in old_rest.iter().enumerate().skip(new_rest.len()) {
        found.push((at(index), Edit::Removed(item.clone())));
    }
}
