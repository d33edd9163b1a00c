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

use std::borrow::Cow;

use crate::secret;
use crate::value::Value;

/// What a writer shows of sensitive values.
///
/// There is no default on purpose: a search for `View::Clear` finds every place where secrets leave the
/// program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// Everything, comments included: for files of the tree, for requests to a cluster, for digests.
    Clear,
    /// [`crate::value::REDACTED`] for sensitive leaves and for secret parts of texts, and no comments, since comments may hold passwords,
    /// too: for reports, logs and differences.
    Redacted,
}

impl View {
    /// Returns what is written in place of a leaf's content; `None` for the content itself.
    fn replaces(self, value: &Value) -> Option<Cow<'_, str>> {
        match self {
            View::Clear => None,
            View::Redacted => secret::shown(value),
        }
    }
}
