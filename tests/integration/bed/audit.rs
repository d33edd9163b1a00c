//! What the API server's audit log says: who wrote which object in which order.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::Outcome;

/// One finished request, in the order in which they finished.
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
    /// When the server got it: RFC 3339 in UTC, with microseconds always, so that texts sort as times do.
    pub(crate) request_received_timestamp: String,
    /// When it was answered.
    pub(crate) stage_timestamp: String,
    /// The object as it was after a write; only of the kinds whose history is kept.
    #[serde(default)]
    pub(crate) response_object: Option<Value>,
}

/// The user of a request.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Who {
    pub(crate) username: String,
}

/// The object of a request; empty for requests that are not about one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Object {
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) subresource: String,
}

/// How a request ended.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Status {
    pub(crate) code: u16,
    pub(crate) details: Details,
}

/// What the answer to a deletion says of the object that is gone.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Details {
    pub(crate) uid: String,
}

impl Entry {
    /// Whether it looked at objects once, and did not follow them.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self.verb.as_str(), "get" | "list")
    }

    /// Whether it changed something.
    pub(crate) fn is_write(&self) -> bool {
        let writes = matches!(
            self.verb.as_str(),
            "create" | "update" | "patch" | "delete" | "deletecollection"
        );
        writes && self.response_status.code < 300 && !self.request_uri.contains("dryRun=All")
    }
}

/// Reads the log; a line that is being written is left for the next call.
pub(crate) fn read(log: &Path) -> Outcome<Vec<Entry>> {
    let text = std::fs::read_to_string(log)?;
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let entry = |line: &str| {
        // Some tests send objects that are nested as deep as the API server takes them.
        let mut reader = serde_json::Deserializer::from_str(line);
        reader.disable_recursion_limit();
        Ok(Entry::deserialize(&mut reader)?)
    };
    whole.lines().map(entry).collect()
}
