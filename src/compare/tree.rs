//! The differences of two trees, as few and as deep as possible.

use std::collections::BTreeMap;

use crate::value::{Data, Mapping, Text, Value};

use super::list::{self, Names, Step};
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
    /// An item of a list, the same as before, at another position.
    Moved {
        /// The item.
        item: Value,
        /// Its position before, from 0.
        from: usize,
    },
}

impl Edit {
    /// Returns whether a part of it must not be printed.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        match self {
            Edit::Added(value) | Edit::Removed(value) | Edit::Moved { item: value, .. } => {
                value.sensitive_leaves() > 0
            }
            Edit::Changed { before, after } => {
                before.is_sensitive()
                    || after.is_sensitive()
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
            (Data::Sequence(old), Data::Sequence(new)) if old == new => {}
            (Data::Sequence(old), Data::Sequence(new)) => match list::names(old, new) {
                Some(Names { before, after }) => {
                    self.by_name((old, &before), (new, &after));
                }
                None => self.by_content(old, new),
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

    fn by_content(&mut self, old: &[Value], new: &[Value]) {
        for step in list::steps(old, new) {
            let at = match step {
                Step::Paired(_, at) | Step::Moved(_, at) | Step::Added(at) | Step::Removed(at) => {
                    at
                }
            };
            self.below(Segment::Index(at), |walk| match step {
                Step::Paired(from, to) => walk.compare(&old[from], &new[to]),
                Step::Moved(from, to) => {
                    let item = new[to].clone();
                    walk.found(Edit::Moved { item, from });
                }
                Step::Added(to) => walk.found(Edit::Added(new[to].clone())),
                Step::Removed(from) => walk.found(Edit::Removed(old[from].clone())),
            });
        }
    }
}

fn values(mapping: &Mapping) -> BTreeMap<&str, &Value> {
    let entries = mapping.entries().iter();
    entries.map(|entry| (&*entry.key, &entry.value)).collect()
}
