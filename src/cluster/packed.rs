//! Objects that are kept as their JSON.

use std::fmt;

use serde_json::value::RawValue;

use super::{Cause, Cluster, Error, list};
use crate::flux::Object;
use crate::value::{Text, Value};

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
        list::read(api_version, kind, value)
            .ok_or_else(|| failed("an item of the list is not an object".to_owned()))
    }
}

/// The JSON may hold secrets.
impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Packed({} bytes)", self.json.get().len())
    }
}
