//! YAML and JSON out of [`crate::value`].

use crate::value::Value;

/// View
#[derive(Clone, Copy, Debug)]
pub enum View {
    /// Clear
    Clear,
}
/// stub
pub fn write_yaml(value: &Value, view: View, out: &mut String) {
    let _ = (value, view, out);
}

/// Canonical JSON (stub).
pub fn write_canonical_json(value: &Value, out: &mut String) {
    let _ = (value, out);
}
