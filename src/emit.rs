//! YAML and JSON out of [`crate::value`].

use crate::value::Value;

/// YAML text of a value, as one document body without `---`.
#[must_use]
pub fn to_yaml(value: &Value) -> String {
    let _ = value;
    String::new()
}

/// Canonical JSON (stub).
pub fn write_canonical_json(value: &Value, out: &mut String) {
    let _ = (value, out);
}
