//! Two lists, paired by what their items are and not by where they stand.

use std::collections::BTreeMap;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::emit::{self, View};
use crate::value::{Data, Sensitivity, Text, Value};

/// Most comparisons of items of two lists; longer lists are paired by position.
const MOST_COMPARISONS: usize = 4_000_000;

/// Keys whose values identify an item, after `name`.
const IDENTITIES: &[&str] = &[
    "key",
    "id",
    "alert",
    "record",
    "host",
    "hostname",
    "job_name",
    "path",
    "mountPath",
    "port",
    "containerPort",
    "address",
    "ip",
    "cidr",
    "user",
    "username",
];

/// What became of items without an identity; numbers are positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// An item before and its counterpart after, equal or not.
    Paired(usize, usize),
    /// The same item at another place.
    Moved(usize, usize),
    /// Only there after.
    Added(usize),
    /// Only there before.
    Removed(usize),
}

/// The names that identify the items of two lists.
#[derive(Debug)]
pub(super) struct Names {
    /// Those of the list before.
    pub(super) before: Vec<Text>,
    /// Those of the list after.
    pub(super) after: Vec<Text>,
}

/// Returns the names of two lists whose items all have a unique one.
pub(super) fn names(before: &[Value], after: &[Value]) -> Option<Names> {
    let by = |name: &dyn Fn(&Value) -> Option<Text>| {
        let before = unique(before, name)?;
        let after = unique(after, name)?;
        Some(Names { before, after })
    };
    by(&named).or_else(|| {
        IDENTITIES.iter().find_map(|key| {
            let names = by(&|item| identity(item, key))?;
            // Other keys than `name` may only happen to be unique.
            let known = |name| names.before.contains(name);
            names.after.iter().any(known).then_some(names)
        })
    })
}

fn unique(items: &[Value], name: &dyn Fn(&Value) -> Option<Text>) -> Option<Vec<Text>> {
    let names: Vec<Text> = items.iter().map(name).collect::<Option<_>>()?;
    let mut sorted: Vec<&Text> = names.iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    (sorted.len() == names.len()).then_some(names)
}

/// `NAME`, `NAMESPACE/NAME` or `KIND NAME`.
fn named(item: &Value) -> Option<Text> {
    let text = |key: &str| shown_text(item.at(&[key])?);
    let name = text("name")?;
    Some(match (text("kind"), text("namespace")) {
        (None, None) => name.into(),
        (None, Some(namespace)) => Text::from(format!("{namespace}/{name}")),
        (Some(kind), _) => Text::from(format!("{kind} {name}")),
    })
}

/// `KEY=VALUE`
fn identity(item: &Value, key: &str) -> Option<Text> {
    let value = item.at(&[key])?;
    match (shown_text(value), value.as_int()) {
        (Some(text), _) => Some(Text::from(format!("{key}={text}"))),
        (None, Some(number)) if value.sensitive == Sensitivity::Public => {
            Some(Text::from(format!("{key}={number}")))
        }
        _ => None,
    }
}

/// A text that may be shown: paths name items by it.
fn shown_text(value: &Value) -> Option<&str> {
    value
        .as_str()
        .filter(|_| value.sensitive == Sensitivity::Public)
}

/// Pairs items by a longest common subsequence; what is left is paired by likeness between the same neighbours.
pub(super) fn steps(before: &[Value], after: &[Value]) -> Vec<Step> {
    let mut numbers = Numbers::default();
    let old: Vec<usize> = before.iter().map(|item| numbers.of(item)).collect();
    let new: Vec<usize> = after.iter().map(|item| numbers.of(item)).collect();
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let ends = old[start..].iter().rev().zip(new[start..].iter().rev());
    let end = ends.take_while(|(a, b)| a == b).count();
    let (old_end, new_end) = (old.len() - end, new.len() - end);
    let (old_rest, new_rest) = (&old[start..old_end], &new[start..new_end]);
    if old_rest.len().saturating_mul(new_rest.len()) > MOST_COMPARISONS {
        return by_position(start, old_end, new_end);
    }
    let mut gaps = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, old_rest, new_rest) {
        if let DiffOp::Delete { .. } | DiffOp::Insert { .. } | DiffOp::Replace { .. } = op {
            let places = |range: std::ops::Range<usize>| -> Vec<usize> {
                range.map(|at| start + at).collect()
            };
            gaps.push((places(op.old_range()), places(op.new_range())));
        }
    }
    let moved = take_moved(&old, &new, &mut gaps);
    let mut steps = Vec::new();
    for (old, new) in gaps {
        pair_alike(before, after, old, new, &mut steps);
    }
    steps.extend(moved);
    steps
}

/// Numbers for items: equal texts have equal numbers.
#[derive(Default)]
struct Numbers(BTreeMap<String, usize>);

impl Numbers {
    fn of(&mut self, item: &Value) -> usize {
        let mut text = String::new();
        emit::write_canonical_json(item, View::Clear, &mut text);
        let next = self.0.len();
        *self.0.entry(text).or_insert(next)
    }
}

fn by_position(start: usize, old_end: usize, new_end: usize) -> Vec<Step> {
    let common = old_end.min(new_end);
    let paired = (start..common).map(|at| Step::Paired(at, at));
    let added = (common..new_end).map(Step::Added);
    let removed = (common..old_end).map(Step::Removed);
    paired.chain(added).chain(removed).collect()
}

/// Places before and after between two pairs of equal items.
type Gap = (Vec<usize>, Vec<usize>);

/// Takes out of the gaps what left one and came into another.
fn take_moved(old: &[usize], new: &[usize], gaps: &mut [Gap]) -> Vec<Step> {
    let mut left: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (gone, _) in gaps.iter() {
        for &at in gone {
            left.entry(old[at]).or_default().push(at);
        }
    }
    let mut moved = Vec::new();
    let mut taken = std::collections::BTreeSet::new();
    for (_, come) in gaps.iter_mut() {
        come.retain(|&at| {
            let from = left.get_mut(&new[at]).and_then(Vec::pop);
            if let Some(from) = from {
                taken.insert(from);
                moved.push(Step::Moved(from, at));
            }
            from.is_none()
        });
    }
    for (gone, _) in gaps {
        gone.retain(|at| !taken.contains(at));
    }
    moved
}

/// Pairs what is left of a gap: collections by what they have in common, then scalars in their order.
fn pair_alike(
    before: &[Value],
    after: &[Value],
    mut old: Vec<usize>,
    new: Vec<usize>,
    steps: &mut Vec<Step>,
) {
    let mut pairs: BTreeMap<usize, usize> = BTreeMap::new();
    for &to in &new {
        let alike = old.iter().position(|&at| is_alike(&before[at], &after[to]));
        if let Some(place) = alike {
            pairs.insert(to, old.remove(place));
        }
    }
    for &to in &new {
        if pairs.contains_key(&to) || !is_scalar(&after[to]) {
            continue;
        }
        if let Some(place) = old.iter().position(|&at| is_scalar(&before[at])) {
            pairs.insert(to, old.remove(place));
        }
    }
    steps.extend(new.into_iter().map(|to| match pairs.get(&to) {
        Some(&from) => Step::Paired(from, to),
        None => Step::Added(to),
    }));
    steps.extend(old.into_iter().map(Step::Removed));
}

fn is_scalar(value: &Value) -> bool {
    match value.data {
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => true,
        Data::Sequence(_) | Data::Mapping(_) => false,
    }
}

/// Whether two collections share an equal part.
fn is_alike(before: &Value, after: &Value) -> bool {
    match (&before.data, &after.data) {
        (Data::Mapping(before), Data::Mapping(after)) => after
            .entries()
            .iter()
            .any(|entry| before.get(&entry.key) == Some(&entry.value)),
        (Data::Sequence(before), Data::Sequence(after)) => {
            before.iter().any(|item| after.contains(item))
        }
        _ => false,
    }
}
