//! What applying objects would change in a cluster, asked of its API server: for `diff`, `plan` and `apply`.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;

use super::admission::Admission;
use super::needs;
use super::outcome::{outcome, unchanged};
use super::records::Records;
use super::{Warn, Warning};
use crate::cluster::{
    ApplyResult, CONCURRENCY, Cluster, Error, FIELD_MANAGER, KindRef, Missing, Packed, Preflight,
};
use crate::compare::{Mark, ObjectChange, Outcome};
use crate::flux::managed_fields::is_applied;
use crate::flux::{Object, ObjectKey, ObjectSet, ReleaseView, SITE_LABEL};
use crate::rollout::foreign::{self, Weight};
use crate::value::Text;

/// Lists that are read at once: a page of 500 releases has some MB.
const LISTS: usize = 4;

const NAMESPACE: &str = "Namespace";

/// What applying objects would change.
#[derive(Debug)]
pub(crate) struct Compared<J> {
    /// The judgements on the objects, in order.
    pub(crate) judged: Vec<J>,
    /// What the site has besides.
    pub(crate) left_over: Vec<ObjectChange>,
    /// Namespaces whose records of Helm may not be listed: takeovers there are not seen.
    pub(crate) unseen: BTreeSet<Text>,
    /// Webhooks and policies that could refuse an object about which the server was not asked.
    pub(crate) unasked: BTreeSet<Text>,
    /// The webhooks and policies of the cluster; `None` when the server is asked about each object.
    pub(crate) admission: Option<Admission>,
}

/// Which objects the API server is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Each.
    All,
    /// Each, except those whose live state proves that an apply changes nothing ([`is_applied`]), where no webhook or
    /// policy changes objects.
    Unproven,
}

/// What happens when Helm's records may not be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WithoutRecords {
    /// The question fails: without them a run could take a release over.
    Fail,
    /// The rest is compared, with a warning for each namespace.
    Warn,
}

/// Asks the API server about all objects. `judge` is called for each with its item of `with`, its change, the object as it
/// is in the cluster, if it is there, and Helm's records. Live objects are large, so none is kept after that.
///
/// # Errors
///
/// When the cluster lacks what the question needs, or does not answer.
pub(crate) async fn compare_all<W, J>(
    cluster: &Cluster,
    set: &ObjectSet,
    without_records: WithoutRecords,
    ask: Ask,
    warn: &Warn<'_>,
    with: impl IntoIterator<Item = W>,
    judge: impl Fn(W, ObjectChange, Option<&Object>, &Records) -> J,
) -> Result<Compared<J>, Error> {
    let mut preflight = cluster.preflight(&needs::of_objects(set)).await?;
    let unseen = match without_records {
        WithoutRecords::Fail => BTreeSet::new(),
        WithoutRecords::Warn => take_unseen(&mut preflight, set),
    };
    for namespace in &unseen {
        let namespace = namespace.clone();
        warn(Warning::RecordsUnreadable { namespace });
    }
    let preflight = without_controllers(preflight, warn)?;
    let mut live = Live::read(cluster, &preflight, set, &unseen).await?;
    if ask == Ask::Unproven && !live.objects.is_empty() {
        live.admission = Admission::read(cluster).await?;
    }
    let asked = set.iter().zip(with).map(|(object, with)| {
        let (live, preflight, judge) = (&live, &preflight, &judge);
        async move {
            let Answered {
                change,
                found,
                unasked,
            } = live.compare(cluster, preflight, object).await?;
            let judgement = judge(with, change, found.as_ref(), &live.records);
            Ok::<_, Error>((judgement, unasked))
        }
    });
    let mut judged = Vec::new();
    let mut kinds = BTreeSet::new();
    let mut answers = futures::stream::iter(asked).buffered(CONCURRENCY);
    while let Some(answer) = answers.next().await {
        let (judgement, unasked) = answer?;
        judged.push(judgement);
        kinds.extend(unasked);
    }
    drop(answers);
    let Live {
        left_over,
        admission,
        ..
    } = live;
    let admitted = admission.iter();
    let unasked =
        admitted.flat_map(|admission| kinds.iter().flat_map(|kind| admission.could_refuse(kind)));
    let unasked: BTreeSet<Text> = unasked.cloned().collect();
    for name in &unasked {
        let name = name.clone();
        warn(Warning::NotAsked { name });
    }
    Ok(Compared {
        judged,
        left_over,
        unseen,
        unasked,
        admission,
    })
}

/// Removes the missing permissions that only Helm's records need, and returns their namespaces.
fn take_unseen(preflight: &mut Preflight, set: &ObjectSet) -> BTreeSet<Text> {
    let of_records = needs::of_records_alone(set);
    let mut unseen = BTreeSet::new();
    preflight.missing.retain(|requirement| match requirement {
        Missing::Permission(permission) if of_records.contains(permission) => {
            unseen.extend(permission.namespace.clone());
            false
        }
        Missing::Permission(_) | Missing::Kind { .. } | Missing::Controller(_) => true,
    });
    unseen
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
struct Live {
    /// The objects of the set that are there.
    objects: BTreeMap<ObjectKey, Packed>,
    /// Objects of the same site that the set lacks, of the kinds and namespaces that were read.
    left_over: Vec<ObjectChange>,
    namespaces: BTreeSet<Text>,
    /// What Helm holds.
    records: Records,
    /// What changes or refuses objects; `None` when every object is put to the server.
    admission: Option<Admission>,
}

/// What is known of an object.
struct Answered<'k> {
    change: ObjectChange,
    /// The object as it is in the cluster.
    found: Option<Object>,
    /// Its kind, if the server was not asked.
    unasked: Option<&'k KindRef>,
}

/// What is kept of an object that was listed.
enum Kept {
    /// It is in the set.
    Wanted(Packed),
    LeftOver(ObjectChange),
    /// It is a namespace, and there.
    Name,
}

impl Live {
    /// One LIST for each kind and namespace of the set, and one for Helm's records of each namespace that is not `unseen`.
    async fn read(
        cluster: &Cluster,
        preflight: &Preflight,
        set: &ObjectSet,
        unseen: &BTreeSet<Text>,
    ) -> Result<Self, Error> {
        let mut lists: BTreeSet<(&KindRef, Option<Text>)> = BTreeSet::new();
        let mut releases: BTreeMap<Text, BTreeSet<Text>> = BTreeMap::new();
        let namespaces = preflight.kind("v1", "Namespace");
        lists.extend(namespaces.map(|kind| (kind, None)));
        for object in set.iter() {
            let Some(kind) = preflight.kind(&object.api_version, &object.kind) else {
                continue;
            };
            lists.insert((kind, object.namespace.clone().filter(|_| kind.namespaced)));
            if let Some(release) = ReleaseView::of(object) {
                let names = releases.entry(release.storage_namespace().into());
                names.or_default().insert(release.helm_name());
            }
        }
        let sites: BTreeSet<&str> = set.iter().filter_map(Object::site).collect();
        let wanted: BTreeSet<ObjectKey> = set.iter().map(Object::key).collect();
        let keep = |object: Object, packed: Packed| {
            let key = object.key();
            let ours = || object.site().is_some_and(|site| sites.contains(site));
            let kept = match &*object.kind {
                _ if wanted.contains(&key) => Kept::Wanted(packed),
                _ if ours() => Kept::LeftOver(left_over(&object)),
                NAMESPACE => Kept::Name,
                _ => return None,
            };
            Some((key, kept))
        };
        let read = lists.iter().map(|(kind, namespace)| {
            let labels = is_listed_by_label(&kind.kind).then_some(SITE_LABEL);
            cluster.list_and_keep(kind, namespace.as_deref(), labels, &keep)
        });
        let mut live = Self {
            objects: BTreeMap::new(),
            left_over: Vec::new(),
            namespaces: BTreeSet::new(),
            records: Records::default(),
            admission: None,
        };
        let read: Vec<_> = read.collect();
        let mut read = futures::stream::iter(read).buffered(LISTS);
        while let Some(found) = read.next().await {
            for (key, kept) in found? {
                if key.kind == NAMESPACE {
                    live.namespaces.insert(key.name.clone());
                }
                match kept {
                    Kept::Wanted(packed) => drop(live.objects.insert(key, packed)),
                    Kept::LeftOver(change) => live.left_over.push(change),
                    Kept::Name => {}
                }
            }
        }
        drop(read);
        releases.retain(|namespace, _| !unseen.contains(namespace));
        if let Some(secrets) = preflight.kind("v1", "Secret") {
            live.records = Records::read(cluster, secrets, &releases).await?;
        }
        Ok(live)
    }

    /// Compares an object with the cluster, and returns it as it is there.
    async fn compare<'k>(
        &self,
        cluster: &Cluster,
        preflight: &'k Preflight,
        object: &Object,
    ) -> Result<Answered<'k>, Error> {
        let listed = self.objects.get(&object.key());
        let listed = listed.map(|packed| cluster.unpack(packed)).transpose()?;
        let unasked = self.proves_unchanged(preflight, object, listed.as_ref());
        let (mut change, live) = match (listed, unasked) {
            (Some(live), Some(_)) => (unchanged(object, &live), Some(live)),
            (listed, _) => {
                let (answer, live) = self.ask(cluster, preflight, object, listed).await?;
                let change = outcome(cluster, object, live.as_ref(), answer).await?;
                (change, live)
            }
        };
        let mut marks = Vec::new();
        if let Some(live) = &live {
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
        marks.extend(self.takeover(object, live.as_ref()));
        marks.append(&mut change.marks);
        change.marks = marks;
        Ok(Answered {
            change,
            found: live,
            unasked,
        })
    }

    /// Returns the kind of an object that an apply does not change, as its live state proves.
    fn proves_unchanged<'k>(
        &self,
        preflight: &'k Preflight,
        object: &Object,
        live: Option<&Object>,
    ) -> Option<&'k KindRef> {
        let kind = preflight.kind(&object.api_version, &object.kind)?;
        let proved = self.admission.as_ref()?.changes_nothing(kind)
            && is_applied(live?, object, FIELD_MANAGER);
        proved.then_some(kind)
    }

    /// What the server says of an object, and the object as it is.
    async fn ask(
        &self,
        cluster: &Cluster,
        preflight: &Preflight,
        object: &Object,
        listed: Option<Object>,
    ) -> Result<(ApplyResult, Option<Object>), Error> {
        if let Some(namespace) = &object.namespace
            && !self.namespaces.contains(namespace)
        {
            let namespace = namespace.clone();
            let answer = ApplyResult::NamespaceMissing { namespace };
            return Ok((answer, listed));
        }
        let ask = |live| cluster.dry_run_apply(object, live, false);
        let answer = ask(listed.as_ref()).await?;
        let hidden = match &answer {
            ApplyResult::Applied { created, .. } => !created,
            ApplyResult::NamespaceMissing { .. } | ApplyResult::KindNotServed => false,
            ApplyResult::Conflict(_)
            | ApplyResult::Refused { .. }
            | ApplyResult::Forbidden { .. }
            | ApplyResult::Unsupported { .. } => is_listed_by_label(&object.kind),
        };
        let kind = preflight.kind(&object.api_version, &object.kind);
        let (None, true, Some(kind)) = (&listed, hidden, kind) else {
            return Ok((answer, listed));
        };
        let namespace = object.namespace.as_deref();
        let found = cluster.find(kind, namespace, &object.name).await?;
        let answer = match (&found, answer) {
            (_, answer @ ApplyResult::Applied { .. }) | (None, answer) => answer,
            // What the message may quote of it was not known.
            (Some(live), _) => ask(Some(live)).await?,
        };
        Ok((answer, found))
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
}

fn left_over(object: &Object) -> ObjectChange {
    let mut change = ObjectChange::new(object, Outcome::LeftOver);
    let owner = object.kustomization().map(Mark::OfKustomization);
    change.marks.extend(owner);
    change
}

/// Secrets and ConfigMaps of others are large and none of our business: one without the label of a site is not
/// in the list, and looked for when the server knows it.
fn is_listed_by_label(kind: &str) -> bool {
    matches!(kind, "Secret" | "ConfigMap")
}
