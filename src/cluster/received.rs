//! Objects as the server sends them: as trees, or kept as their JSON.

use std::fmt;

use serde_json::value::RawValue;

use super::{Cause, Cluster, Error};
use crate::flux::Object;
use crate::value::{Data, Entry, Mapping, Number, Text, Value};

/// An object as the server sent it: its JSON takes about a tenth of the memory of its tree.
pub(crate) struct Packed {
    pub(super) api_version: Text,
    pub(super) kind: Text,
    pub(super) json: Box<RawValue>,
}

impl Cluster {
    /// Returns the object of its JSON, with its secrets marked.
    ///
    /// # Errors
    ///
    /// When it is not an object.
    pub(crate) fn unpack(&self, packed: &Packed) -> Result<Object, Error> {
        let Packed {
            api_version,
            kind,
            json,
        } = packed;
        let failed = |text| self.failed(&format!("list {kind}"), Cause::Unreadable(text));
        let value = Value::from_json(json.get().as_bytes());
        let value = value.map_err(|error| failed(error.to_string()))?;
        read(api_version, kind, value)
            .ok_or_else(|| failed("an item of the list is not an object".to_owned()))
    }
}

/// The JSON may hold secrets.
impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({} bytes)", self.json.get().len())
    }
}

/// Converts a value from the server to an object with its secrets marked. Items of lists of built-in kinds
/// have no `apiVersion` and `kind`.
pub(super) fn read(api_version: &str, kind: &str, mut value: Value) -> Option<Object> {
    let mapping = value.as_mapping_mut()?;
    if mapping.get("kind").is_none() {
        let entry = |key: &str, text: &str| Entry {
            key: Text::from(key),
            key_span: None,
            value: text.into(),
        };
        let mut whole = Mapping::with_capacity(mapping.len() + 2);
        whole.push(entry("apiVersion", api_version));
        whole.push(entry("kind", kind));
        whole
            .entries_mut()
            .extend(std::mem::take(mapping.entries_mut()));
        *mapping = whole;
    }
    big_integers_to_floats(&mut value);
    Object::from_live(value)
}

/// Converts integers beyond 64 bits to floats: API servers store them as floats and print the shortest
/// digits.
fn big_integers_to_floats(value: &mut Value) {
    match &mut value.data {
        Data::Number(number @ Number::Big(_)) => *number = Number::Float(number.as_f64()),
        Data::Sequence(items) => items.iter_mut().for_each(big_integers_to_floats),
        Data::Mapping(mapping) => {
            let entries = mapping.entries_mut().make_mut().iter_mut();
            entries.for_each(|entry| big_integers_to_floats(&mut entry.value));
        }
        Data::Null | Data::Bool(_) | Data::String(_) | Data::Number(_) => {}
    }
}
