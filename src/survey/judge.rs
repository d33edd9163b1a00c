//! What a cluster makes of a rollout, part by part: what would change, and what forbids it.

use super::Warn;
use super::guard::{self, Guard};
use super::live::{self, Compared, Live};
use crate::cluster::{Cluster, Error};
use crate::compare::ObjectChange;
use crate::flux::ObjectSet;
use crate::rollout::{Part, Rollout, Until, readiness};

/// What was found.
#[derive(Debug)]
pub(crate) struct Judgement {
    /// Each part, in the order of the rollout.
    pub(crate) parts: Vec<Judged>,
    /// What the site has besides.
    pub(crate) left_over: Vec<ObjectChange>,
}

/// A part of a rollout, as the cluster sees it.
#[derive(Debug)]
pub(crate) struct Judged {
    /// What the API server says of it.
    pub(crate) change: ObjectChange,
    /// Why a run must not touch it.
    pub(crate) guards: Vec<Guard>,
    /// Whether it is a release that has failed already.
    pub(crate) failed_before: bool,
}

/// Asks the API server about all parts, as a run sends them and in its order.
///
/// # Errors
///
/// When the cluster lacks what the question needs, or does not answer.
pub(crate) async fn judge(
    cluster: &Cluster,
    rollout: &Rollout,
    warn: &Warn<'_>,
) -> Result<Judgement, Error> {
    let mut sent = ObjectSet::default();
    sent.extend(rollout.parts().map(|(_, _, part)| part.object.clone()));
    let Compared {
        changes,
        left_over,
        live,
    } = live::compare_all(cluster, &sent, warn).await?;
    let parts = rollout.parts().zip(changes);
    let parts = parts.map(|((_, _, part), change)| judged(&rollout.site, part, change, &live));
    Ok(Judgement {
        parts: parts.collect(),
        left_over,
    })
}

fn judged(site: &str, part: &Part, change: ObjectChange, found: &Live) -> Judged {
    let live = found.get(&part.object.key());
    let held = guard::record(part, &found.records);
    let failed_before = matches!(part.until, Until::Released(_))
        && live.is_some_and(|live| readiness::failed_before(&live.value));
    Judged {
        change,
        guards: guard::of(part, site, live, held),
        failed_before,
    }
}
