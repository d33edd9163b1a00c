//! What a cluster makes of a rollout, part by part: what would change, and what forbids it. Nothing is written.

use crate::apply::guard;
use crate::cluster::Cluster;
use crate::compare::ObjectChange;
use crate::flux::{Object, ObjectSet};
use crate::report::plan::{self, Judged, Refusal, Report};
use crate::rollout::{Part, Rollout};

use super::live::{self, Compared};
use super::{Failure, Output};

/// What was found.
pub(super) struct Judgement {
    compared: Compared,
    /// Why a run must not touch each part, in the order of the rollout.
    pub(super) refusals: Vec<Vec<Refusal>>,
}

/// Asks the API server about all parts, as a run sends them and in its order.
pub(super) async fn judge(
    cluster: &Cluster,
    rollout: &Rollout,
    output: &Output,
) -> Result<Judgement, Failure> {
    let mut sent = ObjectSet::default();
    sent.extend(rollout.parts().map(|(_, _, part)| part.object.clone()));
    let compared = live::compare_all(cluster, &sent, output).await?;
    let parts = rollout.parts().zip(&compared.changes);
    let refusals = parts.map(|((_, _, part), change)| refusals(rollout, part, change, &compared));
    Ok(Judgement {
        refusals: refusals.collect(),
        compared,
    })
}

fn refusals(
    rollout: &Rollout,
    part: &Part,
    change: &ObjectChange,
    compared: &Compared,
) -> Vec<Refusal> {
    let live = compared.live.get(&part.object.key());
    let held = guard::record(part, &compared.live.records);
    let guards = guard::of(part, &rollout.site, live, held).into_iter();
    let guards = guards.map(|guard| Refusal {
        why: guard.to_string(),
        hint: guard.hint(),
    });
    guards.chain(plan::not_taken(change)).collect()
}

impl Judgement {
    /// The object of a part as the cluster holds it.
    pub(super) fn live(&self, part: &Part) -> Option<&Object> {
        self.compared.live.get(&part.object.key())
    }

    /// All of it for a reader.
    pub(super) fn report(self, rollout: &Rollout, server: &str) -> Report {
        let Self { compared, refusals } = self;
        let judged = compared.changes.iter().zip(refusals);
        let judged = judged.map(|(change, refusals)| Judged { change, refusals });
        plan::report(rollout, judged.collect(), &compared.left_over, server)
    }
}
