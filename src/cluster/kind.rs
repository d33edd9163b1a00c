//! Kinds as a server serves them, and the paths of their objects.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::OnceCell;

use crate::flux::object::group;
use crate::value::Text;

/// Characters that need no escape in a path or a query.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A kind as the server serves it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KindRef {
    /// `group/version`, or `v1`.
    pub api_version: Text,
    /// The kind, as `HelmRelease`.
    pub kind: Text,
    /// Its name in paths, as `helmreleases`.
    pub plural: Text,
    /// Whether its objects have a namespace.
    pub namespaced: bool,
}

/// Whether a kind is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Served {
    /// It is served.
    Yes(KindRef),
    /// It is not served.
    No {
        /// The versions of its group that are served, the preferred one first; none when the group is unknown.
        versions: Vec<Text>,
    },
}

/// The kinds known so far, by apiVersion. Concurrent requests for the same apiVersion wait for one answer.
#[derive(Default)]
pub(super) struct Discovered(pub(super) Mutex<BTreeMap<Text, Arc<OnceCell<Vec<KindRef>>>>>);

impl KindRef {
    /// Returns the API group; empty for the core.
    #[must_use]
    pub fn group(&self) -> &str {
        group(&self.api_version)
    }

    /// Returns the path of the kind's objects in a namespace, or in all.
    pub(super) fn path(&self, namespace: Option<&str>) -> String {
        let base = base(&self.api_version);
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{base}/namespaces/{}/{}", escape(namespace), self.plural),
            None => format!("{base}/{}", self.plural),
        }
    }

    /// Returns the path of one object. Its names must be valid in a path.
    pub(super) fn path_of(&self, namespace: Option<&str>, name: &str) -> String {
        format!("{}/{}", self.path(namespace), escape(name))
    }
}

pub(super) fn escape(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

/// Returns whether a name is valid in a path (Kubernetes: `IsValidPathSegmentName`). Other names would
/// address other objects, or unknown paths.
pub(super) fn is_path_segment(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '%'])
}

/// Returns the path of a group and version: `/apis/group/version`, or `/api/v1`.
pub(super) fn base(api_version: &str) -> String {
    match api_version.split_once('/') {
        Some((group, version)) => format!("/apis/{}/{}", escape(group), escape(version)),
        None => format!("/api/{}", escape(api_version)),
    }
}
