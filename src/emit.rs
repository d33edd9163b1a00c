//! YAML and JSON out of [`crate::value`].
//!
//! Every writer asks for a [`View`]: there is no call that shows secrets because its author forgot
//! to think of them.

pub mod json;
mod scalar;
pub mod yaml;

#[cfg(test)]
mod tests;

pub use json::{to_json, write_canonical_json};
pub use yaml::{to_yaml, write_yaml};

use crate::value::Value;

/// What a writer shows of sensitive values.
///
/// There is deliberately no default. A search for `View::Clear` finds every place where secrets
/// leave the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Everything, comments included: for files of the tree, for requests to a cluster, for digests.
    Clear,
    /// Sensitive leaves as [`crate::value::REDACTED`] and no comments, since people leave passwords
    /// in comments too: for reports, logs and differences.
    Redacted,
}

impl View {
    /// Whether the value must be replaced as a whole.
    fn hides(self, value: &Value) -> bool {
        match self {
            View::Clear => false,
            View::Redacted => value.sensitive,
        }
    }
}
