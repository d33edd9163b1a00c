//! The differences of two trees, as few and as deep as possible.

use std::collections::BTreeMap;

use crate::value::{Data, Mapping, Text, Value};

use super::path::{Path, Segment};

/// A difference at one path.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Only there after.
    Added(Value),
    /// Only there before.
    Removed(Value),
    /// There both times, and not equal.
    Changed {
        /// The old value.
        before: Value,
        /// The new value.
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
    /// Returns whether a part of it must not be printed.
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

/// Returns all differences, in the order of the tree: keys of `after` first, then removed ones.
pub(super) fn differences(before: &Value, after: &Value) -> Vec<(Path, Edit)> {
    let mut walk = Walk::default();
    walk.compare(before, after);
    walk.found
}

/// A walk through both trees: most of it is equal, so a path is built only where there is
/// a difference.
#[derive(Default)]
struct Walk {
    here: Path,
    found: Vec<(Path, Edit)>,
}

impl Walk {
    fn below(&mut self, segment: Segment, act: impl FnOnce(&mut Self)) {
        self.here.0.push(segment);
        act(self);
        self.here.0.pop();
    }

    fn found(&mut self, edit: Edit) {
        self.found.push((self.here.clone(), edit));
    }

    fn compare(&mut self, before: &Value, after: &Value) {
        match (&before.data, &after.data) {
            (Data::Mapping(before), Data::Mapping(after)) => self.mappings(before, after),
            (Data::Sequence(old), Data::Sequence(new)) => match (named(old), named(new)) {
                (Some(old_names), Some(new_names)) => {
                    self.by_name((old, &old_names), (new, &new_names));
                }
                _ => self.by_position(old, new),
            },
            (old, new) if old == new => {}
            _ => self.found(Edit::Changed {
                before: before.clone(),
                after: after.clone(),
            }),
        }
    }

    fn mappings(&mut self, before: &Mapping, after: &Mapping) {
        // Mappings of values may be large.
        let old: BTreeMap<&str, &Value> = values(before);
        let new: BTreeMap<&str, &Value> = values(after);
        for entry in after.entries() {
            let key = Segment::Key(entry.key.clone());
            self.below(key, |walk| match old.get(&*entry.key) {
                Some(old) => walk.compare(old, &entry.value),
                None => walk.found(Edit::Added(entry.value.clone())),
            });
        }
        for entry in before.entries() {
            if !new.contains_key(&*entry.key) {
                let key = Segment::Key(entry.key.clone());
                self.below(key, |walk| walk.found(Edit::Removed(entry.value.clone())));
            }
        }
    }

    fn by_name(
        &mut self,
        (old, old_names): (&[Value], &[Text]),
        (new, new_names): (&[Value], &[Text]),
    ) {
        let before: BTreeMap<&str, &Value> = old_names.iter().map(|n| &**n).zip(old).collect();
        let after: BTreeMap<&str, &Value> = new_names.iter().map(|n| &**n).zip(new).collect();
        for (name, item) in new_names.iter().zip(new) {
            let segment = Segment::Named(name.clone());
            self.below(segment, |walk| match before.get(&**name) {
                Some(old) => walk.compare(old, item),
                None => walk.found(Edit::Added(item.clone())),
            });
        }
        for (name, item) in old_names.iter().zip(old) {
            if !after.contains_key(&**name) {
                let segment = Segment::Named(name.clone());
                self.below(segment, |walk| walk.found(Edit::Removed(item.clone())));
            }
        }
        let kept = |names: &[Text], other: &BTreeMap<&str, &Value>| -> Vec<Text> {
            let kept = names.iter().filter(|name| other.contains_key(&***name));
            kept.cloned().collect()
        };
        let (before, after) = (kept(old_names, &after), kept(new_names, &before));
        if before != after {
            self.found(Edit::Reordered { before, after });
        }
    }

    /// Skips equal items at both ends and pairs the rest.
    fn by_position(&mut self, old: &[Value], new: &[Value]) {
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
        for (index, (a, b)) in old_rest.iter().zip(new_rest).enumerate() {
            self.below(Segment::Index(start + index), |walk| walk.compare(a, b));
        }
        for (index, item) in new_rest.iter().enumerate().skip(old_rest.len()) {
            self.below(Segment::Index(start + index), |walk| {
                walk.found(Edit::Added(item.clone()));
            });
        }
        for (index, item) in old_rest.iter().enumerate().skip(new_rest.len()) {
            self.below(Segment::Index(start + index), |walk| {
                walk.found(Edit::Removed(item.clone()));
            });
        }
    }
}

fn values(mapping: &Mapping) -> BTreeMap<&str, &Value> {
    let entries = mapping.entries().iter();
    entries.map(|entry| (&*entry.key, &entry.value)).collect()
}

/// Returns the names of a list whose items all have a unique name.
fn named(items: &[Value]) -> Option<Vec<Text>> {
    let mut names: Vec<Text> = Vec::with_capacity(items.len());
    for item in items {
        let text = |key: &str| item.text_at(&[key]);
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
