//! Assesses a rollout against a cluster, item by item: what would change, and which guards refuse it.

use super::Warn;
use super::admission::Admission;
use super::guard::{self, Guard};
use super::live::{self, Ask, Compared, WithoutRecords};
use super::records::Records;
use crate::cluster::{Cluster, Error};
use crate::compare::ObjectChange;
use crate::flux::{Object, ObjectSet};
use crate::rollout::{DoneWhen, Item, Rollout, readiness};
use crate::value::Text;

/// The assessment of a rollout.
#[derive(Debug)]
pub(crate) struct Assessment {
    /// The items in the order of the rollout.
    pub(crate) items: Vec<Assessed>,
    /// What the site has besides.
    pub(crate) left_over: Vec<ObjectChange>,
    /// The webhooks and policies of the cluster; `None` when the server is asked about each item.
    pub(crate) admission: Option<Admission>,
}

/// The assessment of one item.
#[derive(Debug)]
pub(crate) struct Assessed {
    /// The answer of the API server, compared.
    pub(crate) change: ObjectChange,
    /// Why a run must not touch it.
    pub(crate) guards: Vec<Guard>,
    /// Whether the item is a release that had failed already.
    pub(crate) failed_before: bool,
    /// UID of the object in the cluster; `None` when there is none.
    pub(crate) uid: Option<Text>,
}

/// Asks the API server about all items, as a run sends them and in its order.
///
/// # Errors
///
/// When the cluster lacks what the question needs, or does not answer.
pub(crate) async fn assess(
    cluster: &Cluster,
    rollout: &Rollout,
    ask: Ask,
    warn: &Warn<'_>,
) -> Result<Assessment, Error> {
    let mut sent = ObjectSet::default();
    sent.extend(rollout.items().map(|(_, _, item)| item.object.clone()));
    let items = rollout.items().map(|(_, _, item)| item);
    let judge = |item, change, live: Option<&Object>, records: &Records| {
        assess_item(&rollout.site, item, change, live, records)
    };
    let fail = WithoutRecords::Fail;
    let compared = live::compare_all(cluster, &sent, fail, ask, warn, items, judge);
    let Compared {
        judged: items,
        left_over,
        unseen: _,
        unasked: _,
        admission,
    } = compared.await?;
    Ok(Assessment {
        items,
        left_over,
        admission,
    })
}

fn assess_item(
    site: &str,
    item: &Item,
    change: ObjectChange,
    live: Option<&Object>,
    records: &Records,
) -> Assessed {
    let failed_before = matches!(item.done_when, DoneWhen::ReleaseReady(_))
        && live.is_some_and(|live| readiness::failed_before(&live.value));
    Assessed {
        change,
        guards: guard::find(item, site, live, guard::record(item, records)),
        failed_before,
        uid: live.and_then(Object::uid).map(Text::from),
    }
}
