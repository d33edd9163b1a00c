//! Lists objects: one LIST for a kind and a namespace, page by page.

use std::fmt::Write as _;

use super::call::Call;
use super::kind::{KindRef, escape};
use super::received::Packed;
use super::{Cluster, Error};
use crate::flux::{Object, ObjectMeta};
use crate::value::Text;

/// The number of objects in one page.
const PAGE: usize = 500;

/// How often a list is restarted when its continue token has expired.
const RESTARTS: usize = 2;

impl Cluster {
    /// Lists the objects of a kind, in a namespace or in all, that match a label selector, in the server's
    /// order. A namespace that does not exist has none.
    ///
    /// # Errors
    ///
    /// When the kind is not served, may not be listed, or the server does not answer.
    pub async fn list(
        &self,
        kind: &KindRef,
        namespace: Option<&str>,
        labels: Option<&str>,
    ) -> Result<Vec<Object>, Error> {
        let selection = Selection::new(kind, namespace).labels(labels);
        Ok(self.list_all(Call::get, &selection).await?.kept)
    }

    /// Returns the object with this name, if there is one. This is a LIST, since an account that may list may
    /// not be allowed to get.
    ///
    /// # Errors
    ///
    /// As [`Cluster::list`].
    pub async fn find(
        &self,
        kind: &KindRef,
        namespace: Option<&str>,
        name: &str,
    ) -> Result<Option<Object>, Error> {
        let selection = Selection::new(kind, namespace).name(name);
        let listed = self.list_all(Call::get, &selection).await?;
        Ok(listed.kept.into_iter().next())
    }

    /// Lists objects as [`Cluster::list`] does, and keeps what `keep` returns for each. The rest of an object is dropped
    /// before the next one is read, so a list may be much larger than what is kept of it.
    ///
    /// # Errors
    ///
    /// As [`Cluster::list`].
    pub(crate) async fn list_and_keep<T>(
        &self,
        kind: &KindRef,
        namespace: Option<&str>,
        labels: Option<&str>,
        keep: impl FnMut(Object, Packed) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let selection = Selection::new(kind, namespace).labels(labels);
        let listed = self.list_selection(Call::get, &selection, keep).await?;
        Ok(listed.kept)
    }

    /// Lists the metadata of objects alone, and keeps what `keep` returns for each; see [`Cluster::list_and_keep`]. This is
    /// for records that are large and secret.
    ///
    /// # Errors
    ///
    /// As [`Cluster::list`].
    pub(crate) async fn list_metadata<T>(
        &self,
        kind: &KindRef,
        namespace: Option<&str>,
        labels: Option<&str>,
        mut keep: impl FnMut(&Object) -> Option<T>,
    ) -> Result<Vec<T>, Error> {
        let selection = Selection::new(kind, namespace).labels(labels);
        let keep = |object, _| keep(&object);
        let listed = self.list_selection(Call::get_metadata, &selection, keep);
        Ok(listed.await?.kept)
    }

    /// Lists the selected objects, and keeps all of them.
    pub(super) async fn list_all(
        &self,
        call: fn(String) -> Call,
        selection: &Selection,
    ) -> Result<Listed<Object>, Error> {
        let all = |object, _| Some(object);
        self.list_selection(call, selection, all).await
    }

    /// Lists the selected objects, page by page.
    async fn list_selection<T>(
        &self,
        call: fn(String) -> Call,
        selection: &Selection,
        mut keep: impl FnMut(Object, Packed) -> Option<T>,
    ) -> Result<Listed<T>, Error> {
        let Selection { kind, path, .. } = selection;
        let act = selection.act("list");
        let mut kept = Vec::new();
        let mut resume = String::new();
        let mut restarts = 0;
        loop {
            let page = call(format!("{path}limit={PAGE}{resume}")).of_list();
            let answer = self.send(&act, &page).await?;
            if answer.status == 410 && answer.reason() == "Expired" && restarts < RESTARTS {
                restarts += 1;
                kept.clear();
                resume.clear();
                continue;
            }
            if !answer.is_success() {
                return Err(self.refused(&act, &answer));
            }
            let meta = ObjectMeta::of(&answer.value);
            resume = match meta.continue_token() {
                Some(next) if !next.is_empty() => format!("&continue={}", escape(next)),
                Some(_) | None => String::new(),
            };
            // All pages have the same version.
            let version = meta.resource_version().unwrap_or_default().into();
            for json in answer.items {
                let packed = Packed {
                    api_version: kind.api_version.clone(),
                    kind: kind.kind.clone(),
                    json,
                };
                kept.extend(keep(self.unpack(&packed)?, packed));
            }
            if resume.is_empty() {
                return Ok(Listed { kept, version });
            }
        }
    }
}

/// The result of a LIST.
pub(super) struct Listed<T> {
    /// What was kept of the objects, in the server's order.
    pub(super) kept: Vec<T>,
    /// The resource version of the list, from which it can be watched.
    pub(super) version: Text,
}

/// Objects of a kind that are listed or watched together.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    pub(super) kind: KindRef,
    /// The path with the start of a query.
    pub(super) path: String,
    /// The namespace, for messages.
    place: String,
}

impl Selection {
    /// Selects all objects of a kind in a namespace, or in all.
    pub(super) fn new(kind: &KindRef, namespace: Option<&str>) -> Self {
        let place = namespace.map_or_else(String::new, |name| format!(" in namespace {name}"));
        Self {
            kind: kind.clone(),
            path: format!("{}?", kind.path(namespace)),
            place,
        }
    }

    /// Restricts the selection by a label selector.
    pub(super) fn labels(self, labels: Option<&str>) -> Self {
        self.only("labelSelector", labels)
    }

    /// Restricts the selection to one name.
    pub(super) fn name(self, name: &str) -> Self {
        self.fields(&format!("metadata.name={name}"))
    }

    /// Restricts the selection by a field selector.
    pub(super) fn fields(self, fields: &str) -> Self {
        self.only("fieldSelector", Some(fields))
    }

    fn only(mut self, selector: &str, text: Option<&str>) -> Self {
        if let Some(text) = text {
            // Writing to a String cannot fail.
            let _ = write!(self.path, "{selector}={}&", escape(text));
        }
        self
    }

    /// Returns the act on the selection, for messages.
    pub(super) fn act(&self, verb: &str) -> String {
        format!("{verb} {}{}", self.kind.plural, self.place)
    }
}
