//! What applying objects would change in a cluster, asked of its API server: for `diff`, `plan` and `apply`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;

use super::needs;
use super::outcome::outcome;
use super::records::Records;
use super::{Warn, Warning};
use crate::cluster::{
    ApplyResult, CONCURRENCY, Cluster, Error, FIELD_MANAGER, KindRef, Missing, Preflight,
};
use crate::compare::{Mark, ObjectChange, Outcome};
use crate::flux::{Object, ObjectKey, ObjectSet, ReleaseView, SITE_LABEL};
use crate::rollout::foreign::{self, Weight};
use crate::value::Text;

/// What applying objects would change, and what the cluster holds.
#[derive(Debug)]
pub(crate) struct Compared {
    /// The objects, in order.
    pub(crate) changes: Vec<ObjectChange>,
    /// What the site has besides.
    pub(crate) left_over: Vec<ObjectChange>,
    /// What the cluster holds.
    pub(crate) live: Live,
}

/// Asks the API server about all objects.
///
/// # Errors
///
/// When the cluster lacks what the question needs, or does not answer.
pub(crate) async fn compare_all(
    cluster: &Cluster,
    set: &ObjectSet,
    warn: &Warn<'_>,
) -> Result<Compared, Error> {
    let preflight = cluster.preflight(&needs::of_objects(set)).await?;
    let preflight = without_controllers(preflight, warn)?;
    let live = Live::read(cluster, &preflight, set).await?;
    let asked = set.iter();
    let asked = asked.map(|object| live.compare(cluster, &preflight, object));
    let mut changes = Vec::new();
    let mut answers = futures::stream::iter(asked).buffered(CONCURRENCY);
    while let Some(change) = answers.next().await {
        changes.push(change?);
    }
    drop(answers);
    Ok(Compared {
        changes,
        left_over: live.left_over(set),
        live,
    })
}

/// Without controllers nothing acts on the objects, but what applying would change can be said.
fn without_controllers(mut preflight: Preflight, warn: &Warn<'_>) -> Result<Preflight, Error> {
    let missing = std::mem::take(&mut preflight.missing);
    let (controllers, missing): (Vec<Missing>, Vec<Missing>) = missing
        .into_iter()
        .partition(|requirement| matches!(requirement, Missing::Controller(_)));
    preflight.missing = missing;
    controllers.into_iter().map(Warning::Missing).for_each(warn);
    preflight.complete()
}

/// What the cluster holds.
#[derive(Debug)]
pub(crate) struct Live {
    objects: BTreeMap<ObjectKey, Object>,
    /// In the order in which they were read.
    order: Vec<ObjectKey>,
    namespaces: BTreeSet<Text>,
    /// What Helm holds.
    pub(super) records: Records,
}

impl Live {
    /// The object as it is.
    pub(super) fn get(&self, key: &ObjectKey) -> Option<&Object> {
        self.objects.get(key)
    }

    /// One LIST for each kind and namespace of the set, and one for Helm's records of each namespace.
    async fn read(
        cluster: &Cluster,
        preflight: &Preflight,
        set: &ObjectSet,
    ) -> Result<Self, Error> {
        let mut lists: BTreeSet<(&KindRef, Option<Text>)> = BTreeSet::new();
        let mut storages: BTreeSet<Text> = BTreeSet::new();
        let namespaces = preflight.kind("v1", "Namespace");
        lists.extend(namespaces.map(|kind| (kind, None)));
        for object in set.iter() {
            let Some(kind) = preflight.kind(&object.api_version, &object.kind) else {
                continue;
            };
            lists.insert((kind, object.namespace.clone().filter(|_| kind.namespaced)));
            if let Some(release) = ReleaseView::of(object) {
                storages.insert(release.storage_namespace().into());
            }
        }
        let read = lists.iter().map(|(kind, namespace)| {
            let labels = is_listed_by_label(&kind.kind).then_some(SITE_LABEL);
            cluster.list(kind, namespace.as_deref(), labels)
        });
        let mut live = Self {
            objects: BTreeMap::new(),
            order: Vec::new(),
            namespaces: BTreeSet::new(),
            records: Records::default(),
        };
        let read: Vec<_> = read.collect();
        let mut read = futures::stream::iter(read).buffered(CONCURRENCY);
        while let Some(objects) = read.next().await {
            for object in objects? {
                if object.kind == "Namespace" {
                    live.namespaces.insert(object.name.clone());
                }
                let key = object.key();
                live.order.push(key.clone());
                live.objects.insert(key, object);
            }
        }
        drop(read);
        if let Some(secrets) = preflight.kind("v1", "Secret") {
            live.records = Records::read(cluster, secrets, &storages).await?;
        }
        Ok(live)
    }

    async fn compare(
        &self,
        cluster: &Cluster,
        preflight: &Preflight,
        object: &Object,
    ) -> Result<ObjectChange, Error> {
        let (answer, live) = self.ask(cluster, preflight, object).await?;
        let live = live.as_deref();
        let mut change = outcome(cluster, object, live, answer).await?;
        let mut marks = Vec::new();
        if let Some(live) = live {
            if let Some(site) = live.site().filter(|site| Some(*site) != object.site()) {
                marks.push(Mark::OfSite(site.into()));
            }
            marks.extend(live.kustomization().map(Mark::OfKustomization));
            let fields = foreign::find(live, object, FIELD_MANAGER).into_iter();
            marks.extend(fields.map(|found| Mark::Foreign {
                field: found.field,
                manager: found.manager,
                effect: found.effect,
                refused: found.weight == Weight::Refused,
            }));
        }
        marks.extend(self.takeover(object, live));
        marks.append(&mut change.marks);
        change.marks = marks;
        Ok(change)
    }

    /// What the server says of an object, and the object as it is.
    async fn ask(
        &self,
        cluster: &Cluster,
        preflight: &Preflight,
        object: &Object,
    ) -> Result<(ApplyResult, Option<Cow<'_, Object>>), Error> {
        let listed = self.objects.get(&object.key());
        if let Some(namespace) = &object.namespace
            && !self.namespaces.contains(namespace)
        {
            let namespace = namespace.clone();
            let answer = ApplyResult::NamespaceMissing { namespace };
            return Ok((answer, listed.map(Cow::Borrowed)));
        }
        let ask = |live| cluster.dry_run_apply(object, live, false);
        let answer = ask(listed).await?;
        let hidden = match &answer {
            ApplyResult::Applied { created, .. } => !created,
            ApplyResult::NamespaceMissing { .. } | ApplyResult::KindNotServed => false,
            ApplyResult::Conflict(_)
            | ApplyResult::Refused { .. }
            | ApplyResult::Forbidden { .. }
            | ApplyResult::Unsupported { .. } => is_listed_by_label(&object.kind),
        };
        let kind = preflight.kind(&object.api_version, &object.kind);
        let (None, true, Some(kind)) = (listed, hidden, kind) else {
            return Ok((answer, listed.map(Cow::Borrowed)));
        };
        let namespace = object.namespace.as_deref();
        let found = cluster.find(kind, namespace, &object.name).await?;
        let answer = match (&found, answer) {
            (_, answer @ ApplyResult::Applied { .. }) | (None, answer) => answer,
            // What the message may quote of it was not known.
            (Some(live), _) => ask(Some(live)).await?,
        };
        Ok((answer, found.map(Cow::Owned)))
    }

    /// Whether Helm holds a release of the name that Flux does not manage yet.
    fn takeover(&self, object: &Object, live: Option<&Object>) -> Option<Mark> {
        let release = ReleaseView::of(object)?;
        let held = self
            .records
            .get(release.storage_namespace(), &release.helm_name())?;
        held.would_be_taken_over(live).then(|| Mark::Takeover {
            revision: held.revision,
            status: held.status.clone(),
        })
    }

    /// Objects of the same site that the input lacks, of the kinds and namespaces that were read.
    fn left_over(&self, set: &ObjectSet) -> Vec<ObjectChange> {
        let sites: BTreeSet<&str> = set.iter().filter_map(Object::site).collect();
        let wanted: BTreeSet<ObjectKey> = set.iter().map(Object::key).collect();
        let rest = self.order.iter().filter(|key| !wanted.contains(*key));
        let rest = rest.filter_map(|key| self.objects.get(key));
        rest.filter(|object| object.site().is_some_and(|site| sites.contains(site)))
            .map(|object| {
                let mut change = ObjectChange::new(object, Outcome::LeftOver);
                change
                    .marks
                    .extend(object.kustomization().map(Mark::OfKustomization));
                change
            })
            .collect()
    }
}

/// Secrets and ConfigMaps of others are large and none of our business: one without the label of a site is not
/// in the list, and looked for when the server knows it.
fn is_listed_by_label(kind: &str) -> bool {
    matches!(kind, "Secret" | "ConfigMap")
}
