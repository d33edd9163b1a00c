//! Dangers that only show when all objects are looked at together.

use std::collections::{BTreeMap, BTreeSet};

use crate::flux::{ObjectKey, TOOLKIT_DOMAIN};
use crate::value::Text;

use super::super::facts::{Chart, Facts, Release, Revision, Source, shown};
use super::super::meaning::DEPENDS_ON;
use super::super::{Mark, ObjectChange, Outcome};
use super::{Code, Danger};

/// Dependencies that are named in one sentence.
const NAMED: usize = 3;

/// Adds the dangers of all changes together to the changes.
pub(in crate::compare) fn judge(changes: &mut [ObjectChange]) {
    let found = {
        let objects = Objects::of(changes);
        let mut found: Vec<(usize, Place, Danger)> = Vec::new();
        second_installations(changes, &objects, &mut found);
        for (at, change) in changes.iter().enumerate() {
            let mut add = |place, danger| found.push((at, place, danger));
            removal(change, &mut add);
            chart(change, &objects, &mut add);
            order(change, &objects, &mut add);
        }
        found
    };
    for (at, place, danger) in found {
        let change = &mut changes[at];
        match place {
            Place::Object => change.dangers.push(danger),
            Place::Dependencies => {
                let mut differences = change.changes.iter_mut();
                let at = differences.find(|difference| difference.path.starts_with(DEPENDS_ON));
                match at {
                    Some(difference) => difference.danger = Some(danger),
                    None => change.dangers.push(danger),
                }
            }
        }
    }
}

/// Where a danger is shown.
enum Place {
    /// At the object.
    Object,
    /// At the change of its dependencies.
    Dependencies,
}

/// The objects of each side.
struct Objects<'c> {
    before: BTreeMap<&'c ObjectKey, &'c Facts>,
    after: BTreeMap<&'c ObjectKey, &'c Facts>,
}

impl<'c> Objects<'c> {
    fn of(changes: &'c [ObjectChange]) -> Self {
        let side = |facts: fn(&ObjectChange) -> Option<&Facts>| {
            let facts = changes.iter().filter_map(facts);
            facts.map(|facts| (&facts.key, facts)).collect()
        };
        Self {
            before: side(|change| change.sides.before.as_deref()),
            after: side(|change| change.sides.after.as_deref()),
        }
    }
}

/// The source of a chart on one side.
fn source<'c>(side: &BTreeMap<&ObjectKey, &'c Facts>, chart: &Chart) -> Option<&'c Source> {
    side.get(&chart.source)?.source()
}

fn second_installations(
    changes: &[ObjectChange],
    objects: &Objects<'_>,
    found: &mut Vec<(usize, Place, Danger)>,
) {
    let mut gone: Vec<&Release> = changes
        .iter()
        .filter(|change| matches!(change.outcome, Outcome::LeftOver))
        .filter_map(|change| change.sides.before.as_deref()?.release())
        .collect();
    for (at, change) in changes.iter().enumerate() {
        // A release that Helm holds is taken over, not installed.
        let takeover = |mark: &Mark| matches!(mark, Mark::Takeover { .. });
        let new = matches!(change.outcome, Outcome::Created) && !change.marks.iter().any(takeover);
        let Some(release) = change
            .sides
            .after
            .as_deref()
            .filter(|_| new)
            .and_then(Facts::release)
        else {
            continue;
        };
        let same = |old: &&Release| {
            old.chart.name == release.chart.name
                && match (
                    source(&objects.before, &old.chart),
                    source(&objects.after, &release.chart),
                ) {
                    (Some(old), Some(new)) => old.address == new.address,
                    _ => old.chart.source.name == release.chart.source.name,
                }
        };
        let nearest = gone
            .iter()
            .enumerate()
            .filter(|(_, old)| same(old))
            .max_by_key(|(_, old)| likeness(old, release));
        let Some((place, old)) = nearest.map(|(place, old)| (place, *old)) else {
            continue;
        };
        gone.remove(place);
        let effect = format!(
            "a second installation of the chart: release `{}` of namespace `{}` stays beside `{}` of namespace `{}`, nothing uninstalls it",
            old.name, old.namespace, release.name, release.namespace
        );
        let danger = Danger::with(Code::SecondInstallation, effect);
        found.push((at, Place::Object, danger));
    }
}

/// How much two releases have in common: begin and end of their names, and the namespace.
fn likeness(old: &Release, new: &Release) -> usize {
    let begin = old.name.chars().zip(new.name.chars());
    let end = old.name.chars().rev().zip(new.name.chars().rev());
    let same = |(a, b): &(char, char)| a == b;
    begin.take_while(same).count()
        + end.take_while(same).count()
        + usize::from(old.namespace == new.namespace)
}

fn removal(change: &ObjectChange, add: &mut impl FnMut(Place, Danger)) {
    let Some(old) = change
        .sides
        .before
        .as_deref()
        .filter(|_| matches!(change.outcome, Outcome::LeftOver))
    else {
        return;
    };
    let kind = change.kind.as_str();
    if kind == "CustomResourceDefinition" && change.name.ends_with(TOOLKIT_DOMAIN) {
        return add(Place::Object, Danger::new(Code::ToolkitCrd));
    }
    let matters =
        old.release().is_some() || matches!(kind, "Namespace" | "CustomResourceDefinition");
    if matters && !old.keeps {
        add(Place::Object, Danger::new(Code::Removal));
    }
}

/// Source and version of the chart; its name is a field of its own.
fn chart(change: &ObjectChange, objects: &Objects<'_>, add: &mut impl FnMut(Place, Danger)) {
    let release = |facts: &Option<Box<Facts>>| Some(facts.as_deref()?.release()?.chart.clone());
    let (Some(old), Some(new)) = (release(&change.sides.before), release(&change.sides.after))
    else {
        return;
    };
    let sources = (source(&objects.before, &old), source(&objects.after, &new));
    if let (Some(from), Some(to)) = sources
        && from.address != to.address
    {
        let effect = format!(
            "the chart is fetched from `{}` instead of `{}`: what is behind the same path or name there may differ",
            shown(&to.address),
            shown(&from.address)
        );
        add(Place::Object, Danger::with(Code::ChartSource, effect));
    } else if sources == (None, None) && old.source.kind != new.source.kind {
        add(Place::Object, Danger::new(Code::ChartSource));
    }
    let revision = |chart: &Chart, source: Option<&Source>| {
        let of_source = source.and_then(|source| source.revision.clone());
        of_source.or_else(|| revision_of(chart.version.as_ref()?))
    };
    let (from, to) = (revision(&old, sources.0), revision(&new, sources.1));
    match (from, to) {
        (Some(Revision::Pinned(from)), Some(Revision::Pinned(to))) if is_older(&to, &from) => {
            let effect = format!("the chart goes back from version `{from}` to the older `{to}`");
            add(Place::Object, Danger::with(Code::ChartDowngrade, effect));
        }
        (from, Some(Revision::Floating(to))) if from != Some(Revision::Floating(to.clone())) => {
            let known = from.is_some() || old.version.is_some();
            if known {
                let effect = format!(
                    "the chart follows `{to}`: the release is upgraded whenever that changes"
                );
                add(Place::Object, Danger::with(Code::ChartUnpinned, effect));
            }
        }
        (Some(Revision::Pinned(_)), None) if new.version.is_none() && sources.1.is_some() => {
            add(Place::Object, Danger::new(Code::ChartUnpinned));
        }
        _ => {}
    }
}

/// A version of a HelmRepository's chart: anything but a whole version is a range.
fn revision_of(version: &Text) -> Option<Revision> {
    Some(match numbers(version) {
        Some(_) => Revision::Pinned(version.clone()),
        None => Revision::Floating(version.clone()),
    })
}

/// Numbers of a whole version: `1.2.3`, `v1.2.3-rc.1+build`; and whether it is a pre-release.
fn numbers(version: &str) -> Option<([u64; 3], bool)> {
    let version = version.trim().trim_start_matches('v');
    let version = version.split('+').next()?;
    let (numbers, pre) = match version.split_once('-') {
        Some((numbers, _)) => (numbers, true),
        None => (version, false),
    };
    let mut parts = numbers.split('.').map(str::parse::<u64>);
    let mut next = || parts.next()?.ok();
    let found = [next()?, next()?, next()?];
    parts.next().is_none().then_some((found, pre))
}

/// Whether a version comes before another one; pre-releases of one version are not ordered here.
fn is_older(one: &str, other: &str) -> bool {
    match (numbers(one), numbers(other)) {
        (Some((one, pre)), Some((other, other_pre))) => {
            one < other || one == other && pre && !other_pre
        }
        _ => false,
    }
}

/// Dependencies that a release loses, and those that leave the input.
fn order(change: &ObjectChange, objects: &Objects<'_>, add: &mut impl FnMut(Place, Danger)) {
    let depends_on = |facts: &Option<Box<Facts>>| -> BTreeSet<ObjectKey> {
        let release = facts.as_deref().and_then(Facts::release);
        let keys = release.map(|release| release.depends_on.clone());
        keys.unwrap_or_default().into_iter().collect()
    };
    let (old, new) = (
        depends_on(&change.sides.before),
        depends_on(&change.sides.after),
    );
    if change.sides.before.is_none() || change.sides.after.is_none() || old == new {
        return;
    }
    let missing = new
        .iter()
        .filter(|key| objects.before.contains_key(key) && !objects.after.contains_key(key));
    let missing = named(missing);
    if !missing.is_empty() {
        let effect =
            format!("the release waits for {missing}, which leaves the input: it may wait forever");
        return add(Place::Dependencies, Danger::with(Code::Order, effect));
    }
    if old.is_subset(&new) {
        return;
    }
    let reached = reachable(&new, &objects.after);
    let lost = old
        .iter()
        .filter(|key| objects.after.contains_key(key) && !reached.contains(*key));
    let lost = named(lost);
    if !lost.is_empty() {
        let effect = format!("the release does not wait any more for {lost}");
        add(Place::Dependencies, Danger::with(Code::Order, effect));
    }
}

/// Returns everything that a release waits for, directly or through others.
fn reachable(
    from: &BTreeSet<ObjectKey>,
    side: &BTreeMap<&ObjectKey, &Facts>,
) -> BTreeSet<ObjectKey> {
    let mut reached = from.clone();
    let mut next: Vec<ObjectKey> = from.iter().cloned().collect();
    while let Some(key) = next.pop() {
        let release = side.get(&key).and_then(|facts| facts.release());
        for key in release.map_or(&[][..], |release| &release.depends_on) {
            if reached.insert(key.clone()) {
                next.push(key.clone());
            }
        }
    }
    reached
}

fn named<'k>(keys: impl Iterator<Item = &'k ObjectKey>) -> String {
    let mut names: Vec<String> = keys.map(|key| format!("`{}`", key.name)).collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}
