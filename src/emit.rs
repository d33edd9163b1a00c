//! Writes values ([`crate::value`]) as YAML and JSON.
//!
//! Every writer takes a [`View`], so no call shows secrets by accident.

pub mod json;
mod scalar;
pub mod yaml;

#[cfg(test)]
mod tests;

pub use json::to_json;
pub(crate) use json::write_canonical_json;
pub use yaml::{to_yaml, write_yaml};

use crate::value::Value;

/// What a writer shows of sensitive values.
///
/// There is no default on purpose: a search for `View::Clear` finds every place where secrets leave the
/// program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Everything, comments included: for files of the tree, for requests to a cluster, for digests.
    Clear,
    /// Sensitive leaves as [`crate::value::REDACTED`] and no comments, since comments may hold passwords,
    /// too: for reports, logs and differences.
    Redacted,
}

impl View {
    /// Returns whether the value must be replaced by [`crate::value::REDACTED`].
    fn hides(self, value: &Value) -> bool {
        match self {
            View::Clear => false,
            View::Redacted => value.sensitive,
        }
    }
}
