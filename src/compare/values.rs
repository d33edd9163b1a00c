//! Values of releases, put together as helm-controller does: what objects hold in order, then `spec.values`.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::flux::object::hide;
use crate::flux::values::VALUES_KEY;
use crate::flux::{Object, ObjectKey, ObjectSet};
use crate::value::{Data, Entry, Mapping, Text, Value};

/// Reads a text with values as helm-controller does, with its secrets marked; `None` if it holds no values.
pub type ReadValues<'r> = &'r dyn Fn(&str) -> Option<Value>;

/// The releases of one side whose values are not all in the HelmRelease.
#[derive(Default)]
pub(super) struct Elsewhere {
    /// Each release, with all its values in `spec.values`, and the objects that hold them. `None` where they cannot be
    /// put together: an object is not in the tree, or its text has no values.
    releases: BTreeMap<ObjectKey, Option<(Object, Vec<ObjectKey>)>>,
}

impl Elsewhere {
    pub(super) fn of(set: &ObjectSet, read: ReadValues<'_>) -> Self {
        let named = |object: &&Object| {
            object.is_helm_release() && !object.value.items_at(VALUES_FROM).is_empty()
        };
        let releases: Vec<&Object> = set.iter().filter(named).collect();
        if releases.is_empty() {
            return Self::default();
        }
        let holders: BTreeMap<ObjectKey, &Object> = set
            .iter()
            .filter(|object| matches!(object.kind.as_str(), "ConfigMap" | "Secret"))
            .map(|object| (object.key(), object))
            .collect();
        let releases = releases
            .into_iter()
            .map(|release| (release.key(), whole(release, &holders, read)));
        Self {
            releases: releases.collect(),
        }
    }

    /// Returns the release with all its values; one that holds them all itself is as it is. `None` where they cannot be
    /// put together.
    pub(super) fn whole<'s>(
        &'s self,
        release: &'s Object,
    ) -> Option<(&'s Object, &'s [ObjectKey])> {
        match self.releases.get(&release.key()) {
            None => Some((release, &[])),
            Some(Some((whole, holders))) => Some((whole, holders)),
            Some(None) => None,
        }
    }
}

const VALUES_FROM: &[&str] = &["spec", "valuesFrom"];

fn whole(
    release: &Object,
    holders: &BTreeMap<ObjectKey, &Object>,
    read: ReadValues<'_>,
) -> Option<(Object, Vec<ObjectKey>)> {
    let references = release.value.items_at(VALUES_FROM);
    let own = release.value.at(&["spec", "values"]);
    let alone = own.is_none() && references.len() == 1;
    let mut merged = Mapping::new();
    let mut used = Vec::new();
    for reference in references {
        // Part of a text goes to one place of the values: Helm's syntax for paths is not read here.
        if reference.at(&["targetPath"]).is_some() {
            return None;
        }
        let key = ObjectKey {
            group: Text::default(),
            kind: reference.text_at(&["kind"])?.into(),
            namespace: release.namespace.clone(),
            name: reference.text_at(&["name"])?.into(),
        };
        let at = reference.text_at(&["valuesKey"]).unwrap_or(VALUES_KEY);
        let text = holders.get(&key).and_then(|holder| text_of(holder, at));
        let Some(text) = text else {
            if reference.is_true_at(&["optional"]) {
                continue;
            }
            return None;
        };
        let mut values = read(&text)?;
        // A Secret beside other values was made for what is secret; one that holds all values is marked as values are.
        if key.kind == "Secret" && !alone {
            hide(&mut values);
        }
        let Data::Mapping(values) = values.data else {
            return None;
        };
        merge(&mut merged, &values);
        used.push(key);
    }
    if let Some(own) = own {
        merge(&mut merged, own.as_mapping()?);
    }
    let mut object = release.clone();
    let spec = object.value.as_mapping_mut()?.get_mut("spec")?;
    let spec = spec.as_mapping_mut()?;
    spec.entries_mut().retain(|entry| entry.key != "valuesFrom");
    spec.insert("values", merged);
    Some((object, used))
}

/// Returns the text under a key of a ConfigMap or a Secret.
fn text_of(holder: &Object, key: &str) -> Option<String> {
    if let Some(text) = holder.value.text_at(&["stringData", key]) {
        return Some(text.to_owned());
    }
    let text = holder.value.text_at(&["data", key])?;
    if holder.kind == "ConfigMap" {
        return Some(text.to_owned());
    }
    let packed: String = text.split_whitespace().collect();
    String::from_utf8(STANDARD.decode(packed).ok()?).ok()
}

/// Mappings key by key, anything else whole (helm-controller: `MergeMaps`).
fn merge(under: &mut Mapping, over: &Mapping) {
    for Entry {
        key,
        key_span: _,
        value,
    } in over.entries()
    {
        match (
            under.get_mut(key).and_then(Value::as_mapping_mut),
            value.as_mapping(),
        ) {
            (Some(under), Some(over)) => merge(under, over),
            _ => under.insert(key.clone(), value.clone()),
        }
    }
}

/// Where the values of a release are, in words: names of objects whose end is a digest of their content would say no
/// more than that the values changed.
pub(super) fn places(release: &Object, holders: &[ObjectKey]) -> Vec<Text> {
    let mut places: Vec<Text> = holders
        .iter()
        .map(|key| {
            let name = match key.name.rsplit_once("-values-") {
                Some((start, digest)) if digest.chars().all(|c| c.is_ascii_hexdigit()) => {
                    format!("{start}-values")
                }
                _ => key.name.to_string(),
            };
            Text::from(format!("{} {name}", key.kind))
        })
        .collect();
    if release.value.at(&["spec", "values"]).is_some() {
        places.push("the HelmRelease".into());
    }
    places
}

/// Objects that hold values of releases which are compared as a whole, with the titles of those releases.
#[derive(Default)]
pub(super) struct Holders {
    before: BTreeMap<ObjectKey, BTreeSet<String>>,
    after: BTreeMap<ObjectKey, BTreeSet<String>>,
}

impl Holders {
    /// Adds those of a release.
    pub(super) fn add(&mut self, release: &Object, before: &[ObjectKey], after: &[ObjectKey]) {
        for (side, keys) in [(&mut self.before, before), (&mut self.after, after)] {
            for key in keys {
                let releases = side.entry(key.clone()).or_default();
                releases.insert(release.title());
            }
        }
    }

    /// Returns the releases whose values the object holds afterwards.
    pub(super) fn of(&self, key: &ObjectKey) -> Option<&BTreeSet<String>> {
        self.after.get(key)
    }

    /// Returns whether another object holds what this one held before.
    pub(super) fn is_followed(&self, key: &ObjectKey) -> bool {
        self.before.get(key).is_some_and(|releases| {
            let follows = |(other, others): (&ObjectKey, &BTreeSet<String>)| {
                other != key && !others.is_disjoint(releases)
            };
            self.after.iter().any(follows)
        })
    }

    /// Returns the names of the objects that held the values of these releases before, and do not any more.
    pub(super) fn former(&self, releases: &BTreeSet<String>) -> Vec<Text> {
        let gone = self.before.iter().filter(|(key, others)| {
            !self.after.contains_key(*key) && !others.is_disjoint(releases)
        });
        gone.map(|(key, _)| Text::from(format!("{} {}", key.kind, key.name)))
            .collect()
    }
}
