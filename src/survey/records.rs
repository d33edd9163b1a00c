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
    /// Lists the records of these releases, by storage namespace: one LIST for each namespace, without what is in the
    /// records. `secrets` is the kind of Secrets.
    ///
    /// # Errors
    ///
    /// When they may not be listed or the server does not answer.
    pub(crate) async fn read(
        cluster: &Cluster,
        secrets: &KindRef,
        wanted: &BTreeMap<Text, BTreeSet<Text>>,
    ) -> Result<Self, Error> {
        let lists = wanted.iter().map(|(namespace, names)| async move {
            let keep = |record: &Object| {
                let (name, revision) = revision(record)?;
                names.contains(&name).then_some((name, revision))
            };
            let list = cluster.list_metadata(secrets, Some(namespace), Some(BY_HELM), keep);
            (namespace, list.await)
        });
        let lists: Vec<_> = lists.collect();
        let mut lists = futures::stream::iter(lists).buffered(CONCURRENCY);
        let mut records = Self::default();
        while let Some((namespace, found)) = lists.next().await {
            for (name, revision) in found? {
                records.add(namespace, name, revision);
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
        let found = cluster.list_metadata(secrets, Some(storage), Some(&labels), revision);
        let mut records = Self::default();
        for (name, revision) in found.await? {
            records.add(storage, name, revision);
        }
        Ok(records.get(storage, name).cloned())
    }

    /// The release of that name.
    #[must_use]
    pub(crate) fn get(&self, storage: &str, name: &str) -> Option<&Record> {
        self.0.get(&(storage.into(), name.into()))
    }

    /// Adds one revision of a release.
    fn add(&mut self, namespace: &Text, name: Text, revision: Record) {
        let key = (namespace.clone(), name);
        let known = self.0.get(&key);
        let by_others = revision.by_others || known.is_some_and(|known| known.by_others);
        let newest = known.filter(|known| known.revision > revision.revision);
        let record = newest.cloned().unwrap_or(revision);
        self.0.insert(
            key,
            Record {
                by_others,
                ..record
            },
        );
    }
}

/// Returns the release of a record, and what the record says of its revision. Helm writes name, revision and status of
/// each record into its labels (Helm: pkg/storage/driver).
fn revision(record: &Object) -> Option<(Text, Record)> {
    let (name, status) = (record.label("name")?, record.label("status")?);
    let revision = record.label("version").and_then(|v| v.parse().ok());
    let mut writers = record.meta().managed_fields().iter();
    let by_flux = writers.any(|writer| writer.text_at(&["manager"]) == Some(FLUX));
    let revision = Record {
        revision: revision.unwrap_or(0),
        status: status.into(),
        by_flux,
        by_others: !by_flux,
    };
    Some((name.into(), revision))
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
            let record = Object::from_value(value).expect("an object");
            let (name, revision) = revision(&record).expect("a record");
            records.add(&"town".into(), name, revision);
        }
        let record = records.get("town", "web").expect("a record");
        assert_eq!((record.revision, record.status.as_str()), (10, "failed"));
        assert!(!record.by_flux);
        assert_eq!(records.get("town", "other"), None);
    }
}
