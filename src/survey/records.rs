//! What Helm itself knows of releases: its records, by their labels alone.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;

use crate::cluster::{CONCURRENCY, Cluster, Error, KindRef};
use crate::flux::Object;
use crate::value::Text;

/// The label by which Helm's records are found.
const BY_HELM: &str = "owner=helm";

/// A release that Helm holds: its latest revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Number of the revision.
    pub(crate) revision: u64,
    /// Its status, in Helm's word.
    pub(crate) status: Text,
    /// Whether helm-controller wrote it.
    pub(crate) by_flux: bool,
    /// Whether another client of Helm wrote any revision that Helm still holds.
    pub(crate) by_others: bool,
}

impl Record {
    /// Whether applying the HelmRelease, as it is if it is there, would take the release over from somebody.
    ///
    /// Helm's record of a first install is there before it shows in `status.history`, which is written when the install
    /// ends. One that helm-controller wrote for a HelmRelease that runs is that.
    #[must_use]
    pub(crate) fn would_be_taken_over(&self, live: Option<&Object>) -> bool {
        let Some(live) = live else { return true };
        !(is_managed(live) || self.by_flux && !live.is_suspended())
    }
}

/// The name by which the API server knows helm-controller as a writer.
const FLUX: &str = "helm-controller";

/// All releases that Helm holds, by storage namespace and name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records(BTreeMap<(Text, Text), Record>);

impl Records {
    /// Lists the records in these namespaces, one LIST each, without what is in them. `secrets` is the kind of Secrets.
    ///
    /// # Errors
    ///
    /// When they may not be listed or the server does not answer.
    pub(crate) async fn read(
        cluster: &Cluster,
        secrets: &KindRef,
        namespaces: &BTreeSet<Text>,
    ) -> Result<Self, Error> {
        let lists = namespaces.iter().map(|namespace| async move {
            let list = cluster.list_metadata(secrets, Some(namespace), Some(BY_HELM));
            (namespace, list.await)
        });
        let lists: Vec<_> = lists.collect();
        let mut lists = futures::stream::iter(lists).buffered(CONCURRENCY);
        let mut records = Self::default();
        while let Some((namespace, found)) = lists.next().await {
            for record in found? {
                records.add(namespace, &record);
            }
        }
        Ok(records)
    }

    /// Reads the record of one release as it is now; `None` when Helm holds none.
    ///
    /// # Errors
    ///
    /// As [`Records::read`].
    pub(crate) async fn read_one(
        cluster: &Cluster,
        secrets: &KindRef,
        storage: &Text,
        name: &str,
    ) -> Result<Option<Record>, Error> {
        let labels = format!("{BY_HELM},name={name}");
        let found = cluster.list_metadata(secrets, Some(storage), Some(&labels));
        let mut records = Self::default();
        for record in found.await? {
            records.add(storage, &record);
        }
        Ok(records.get(storage, name).cloned())
    }

    /// The release of that name.
    #[must_use]
    pub(crate) fn get(&self, storage: &str, name: &str) -> Option<&Record> {
        self.0.get(&(storage.into(), name.into()))
    }

    /// Helm writes name, revision and status of each record into its labels (Helm: pkg/storage/driver).
    fn add(&mut self, namespace: &Text, record: &Object) {
        let (Some(name), Some(status)) = (record.label("name"), record.label("status")) else {
            return;
        };
        let revision: u64 = record
            .label("version")
            .and_then(|v| v.parse().ok())
            .unwrap_or(0);
        let key = (namespace.clone(), name.into());
        let mut writers = record.meta().managed_fields().iter();
        let by_flux = writers.any(|writer| writer.text_at(&["manager"]) == Some(FLUX));
        let known = self.0.get(&key);
        let by_others = !by_flux || known.is_some_and(|known| known.by_others);
        let newest = known.filter(|known| known.revision > revision).cloned();
        let record = newest.unwrap_or_else(|| Record {
            revision,
            status: status.into(),
            by_flux,
            by_others,
        });
        self.0.insert(
            key,
            Record {
                by_others,
                ..record
            },
        );
    }
}

/// Whether Flux manages the release of a HelmRelease: its newest snapshot has a revision
/// (helm-controller: `status.history`).
pub(super) fn is_managed(release: &Object) -> bool {
    revision_of(Some(release)) > 0
}

/// The newest revision that Flux knows of a HelmRelease's release; 0 when it knows none.
#[must_use]
pub(crate) fn revision_of(release: Option<&Object>) -> u64 {
    let newest = release.and_then(|live| live.value.items_at(&["status", "history"]).first());
    let version = newest.and_then(|snapshot| snapshot.int_at(&["version"]));
    version
        .and_then(|version| u64::try_from(version).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Value;

    #[test]
    fn the_latest_revision_counts() {
        let mut records = Records::default();
        for (version, status) in [("9", "superseded"), ("10", "failed"), ("2", "superseded")] {
            let text = format!(
                r#"{{"apiVersion":"v1","kind":"Secret","metadata":{{"name":"sh.helm.release.v1.web.v{version}",
                    "labels":{{"name":"web","owner":"helm","status":"{status}","version":"{version}"}}}}}}"#
            );
            let value = Value::from_json(text.as_bytes()).expect("JSON");
            records.add(&"town".into(), &Object::from_value(value).expect("object"));
        }
        let record = records.get("town", "web").expect("a record");
        assert_eq!((record.revision, record.status.as_str()), (10, "failed"));
        assert!(!record.by_flux);
        assert_eq!(records.get("town", "other"), None);
    }
}
