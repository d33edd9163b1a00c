//! Reads the API server's audit log: who wrote which object, in which order.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::Outcome;

/// One finished request; the log has them in the order in which they finished.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) verb: String,
    pub(crate) user: Who,
    #[serde(default)]
    pub(crate) object_ref: Object,
    #[serde(default)]
    pub(crate) response_status: Status,
    #[serde(rename = "requestURI")]
    pub(crate) request_uri: String,
    /// When the server received it: RFC 3339 in UTC, always with microseconds, so texts sort like times.
    pub(crate) request_received_timestamp: String,
    /// When it was answered.
    pub(crate) stage_timestamp: String,
    /// The object after a write; only for the kinds of `AWAITED` (`control_plane.rs`).
    #[serde(default)]
    pub(crate) response_object: Option<Value>,
}

/// The user of a request.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Who {
    pub(crate) username: String,
}

/// The object of a request; empty for requests without one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Object {
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) subresource: String,
}

/// The result of a request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub(crate) code: u16,
    pub(crate) details: Details,
}

/// Details of a deleted object.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Details {
    pub(crate) uid: String,
}

impl Entry {
    /// Whether it is a get or list, not a watch.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.verb.as_str(), "get" | "list")
    }

    /// Whether it successfully changed something.
    pub(crate) fn is_write(&self) -> bool {
        let writes = matches!(
            self.verb.as_str(),
            "create" | "update" | "patch" | "delete" | "deletecollection"
        );
        writes && self.response_status.code < 300 && !self.request_uri.contains("dryRun=All")
    }
}

/// Reads the log, without an unfinished last line.
pub(crate) fn read(log: &Path) -> Outcome<Vec<Entry>> {
    let text = std::fs::read_to_string(log)?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let entry = |line: &str| {
        // Some tests send objects as deeply nested as the API server accepts.
        let mut reader = serde_json::Deserializer::from_str(line);
        reader.disable_recursion_limit();
        Ok(Entry::deserialize(&mut reader)?)
    };
    whole.lines().map(entry).collect()
}
