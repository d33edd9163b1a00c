//! The history of objects that steps wait for, write by write, ordered by the API server's resource versions.

use std::collections::BTreeMap;

use armada2flux::value::Value;

use super::Outcome;
use super::audit::Entry;

/// Resource, namespace and name of an object.
pub(crate) type Key = (String, String, String);

/// One write to an object.
#[derive(Debug)]
pub(crate) struct Change<'e> {
    pub(crate) key: Key,
    /// The object afterwards; `None` if it was deleted.
    pub(crate) object: Option<Value>,
    /// The resource version of the write. A deletion reports none, so it gets the highest version before it.
    pub(crate) version: u64,
    pub(crate) entry: &'e Entry,
}

/// Returns all writes to objects in namespaces, in the order in which they were made, of the kinds whose objects the
/// audit log has.
pub(crate) fn changes(
    entries: &[Entry],
    namespaces: impl Fn(&str) -> bool,
) -> Outcome<Vec<Change<'_>>> {
    let mut changes = Vec::new();
    let mut last = 0;
    for entry in entries {
        let Some(object) = &entry.response_object else {
            continue;
        };
        let place = &entry.object_ref;
        if !entry.is_write() || !namespaces(&place.namespace) {
            continue;
        }
        let version = object["metadata"]["resourceVersion"].as_str();
        let version = version.and_then(|text| text.parse().ok()).unwrap_or(last);
        last = last.max(version);
        // A name that the server generated is only in the response.
        let name = object["metadata"]["name"].as_str().unwrap_or(&place.name);
        let gone = entry.verb == "delete";
        changes.push(Change {
            key: (
                place.resource.clone(),
                place.namespace.clone(),
                name.to_owned(),
            ),
            object: match gone {
                true => None,
                false => Some(Value::from_json(object.to_string().as_bytes())?),
            },
            version,
            entry,
        });
    }
    changes.sort_by_key(|change| change.version);
    Ok(changes)
}

/// The objects after a number of changes.
#[derive(Debug, Default)]
pub(crate) struct Objects(BTreeMap<Key, Value>);

impl Objects {
    /// Applies the next change.
    pub(crate) fn apply(&mut self, change: &Change<'_>) {
        match &change.object {
            Some(object) => self.0.insert(change.key.clone(), object.clone()),
            None => self.0.remove(&change.key),
        };
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Value> {
        self.0.get(key)
    }

    /// Returns all objects of a resource in a namespace.
    pub(crate) fn in_namespace(
        &self,
        resource: &str,
        namespace: &str,
    ) -> impl Iterator<Item = &Value> {
        let first = (resource.to_owned(), namespace.to_owned(), String::new());
        let all = self.0.range(first..);
        let (resource, namespace) = (resource.to_owned(), namespace.to_owned());
        all.take_while(move |(key, _)| key.0 == resource && key.1 == namespace)
            .map(|(_, object)| object)
    }
}
