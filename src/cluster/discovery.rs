//! Discovery: the kinds that the server serves, their names in paths, the versions of groups.

use std::sync::{Arc, PoisonError};

use super::call::Call;
use super::kind::{base, escape};
use super::{Cluster, Error, KindRef, Served};
use crate::flux::object::group;
use crate::value::{Text, Value};

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
