//! Discovery: the kinds that the server serves, their names in paths, the versions of groups.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::sync::OnceCell;

use super::call::Call;
use super::{Cluster, Error};
use crate::flux::object::group;
use crate::value::{Text, Value};

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
pub(super) struct Discovered(Mutex<BTreeMap<Text, Arc<OnceCell<Vec<KindRef>>>>>);

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
fn base(api_version: &str) -> String {
    match api_version.split_once('/') {
        Some((group, version)) => format!("/apis/{}/{}", escape(group), escape(version)),
        None => format!("/api/{}", escape(api_version)),
    }
}

impl Cluster {
    /// Returns whether a kind is served. Sends one request for each apiVersion.
    ///
    /// # Errors
    ///
    /// When the server does not answer.
    pub async fn discover(&self, api_version: &str, kind: &str) -> Result<Served, Error> {
        if let Some(found) = self.kind(api_version, kind).await? {
            return Ok(Served::Yes(found));
        }
        let versions = self.versions(group(api_version)).await?;
        Ok(Served::No { versions })
    }

    /// Returns the kind, if it is served. Sends one request for each apiVersion.
    ///
    /// # Errors
    ///
    /// When the server does not answer.
    pub async fn kind(&self, api_version: &str, kind: &str) -> Result<Option<KindRef>, Error> {
        let cell = {
            let mut known = self
                .discovered
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(api_version.into()).or_default())
        };
        let kinds = cell.get_or_try_init(|| self.kinds(api_version)).await?;
        Ok(kinds.iter().find(|known| known.kind == kind).cloned())
    }

    /// Returns all kinds of a group and version; none when it is not served.
    ///
    /// # Errors
    ///
    /// When the server does not answer.
    pub async fn kinds(&self, api_version: &str) -> Result<Vec<KindRef>, Error> {
        let act = format!("ask for the kinds of {api_version}");
        let answer = self.send(&act, &Call::get(base(api_version))).await?;
        if answer.status == 404 {
            return Ok(Vec::new());
        }
        if !answer.is_success() {
            return Err(self.refused(&act, &answer));
        }
        let resources = answer.value.items_at(&["resources"]);
        let kinds = resources.iter().filter_map(|resource| {
            let text = |key: &str| resource.text_at(&[key]).map(Text::from);
            // A name with a slash is a subresource.
            let plural = text("name").filter(|name| !name.contains('/'))?;
            Some(KindRef {
                api_version: api_version.into(),
                kind: text("kind")?,
                plural,
                namespaced: resource.at(&["namespaced"]) == Some(&Value::from(true)),
            })
        });
        Ok(kinds.collect())
    }

    async fn versions(&self, group: &str) -> Result<Vec<Text>, Error> {
        if group.is_empty() {
            return Ok(vec!["v1".into()]);
        }
        let act = format!("ask for the versions of {group}");
        let path = format!("/apis/{}", escape(group));
        let answer = self.send(&act, &Call::get(path)).await?;
        if answer.status == 404 {
            return Ok(Vec::new());
        }
        if !answer.is_success() {
            return Err(self.refused(&act, &answer));
        }
        let versions = answer.value.at(&["versions"]).and_then(Value::as_sequence);
        Ok(versions
            .unwrap_or_default()
            .iter()
            .filter_map(|value| value.at(&["version"])?.as_str().map(Text::from))
            .collect())
    }
}
