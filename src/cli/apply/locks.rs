//! What no second run may have at the same time: the journal's file and the Lease.

use std::path::PathBuf;

use super::super::Failure;
use super::super::access::failure;
use super::super::journal::{self, Journal};
use super::{Arguments, identity};
use crate::apply::lease;
use crate::cluster::{Cluster, Holder, Lease, Taken};
use crate::rollout::journal::{RunInfo, RunRecord};
use crate::rollout::state;

/// Both locks, and where the run stood that is taken up.
pub(super) struct Locks {
    pub(super) lease: Lease,
    pub(super) journal: Journal,
    /// `None` for a new run.
    pub(super) before: Option<RunRecord>,
}

/// The journal's file.
pub(super) fn path(arguments: &Arguments, site: &str) -> PathBuf {
    let given = arguments.journal.clone();
    given.unwrap_or_else(|| journal::default_path(site))
}

/// Takes both, or neither.
pub(super) async fn take(
    arguments: &Arguments,
    cluster: &Cluster,
    mut info: RunInfo,
) -> Result<Locks, Failure> {
    let path = path(arguments, &info.site);
    let name = state::name(&info.site);
    if !arguments.resume {
        // The journal first: whoever ends between the two can be taken up, and knows the Lease as its own.
        let holder = info.holder.clone();
        let journal = Journal::start(&path, info)?;
        return match take_lease(arguments, &name, cluster, &holder).await? {
            Taken::Held(lease) => Ok(Locks {
                lease,
                journal,
                before: None,
            }),
            Taken::By(other) => {
                journal.withdraw()?;
                Err(held(&other, &arguments.state_namespace, &name))
            }
        };
    }
    // Whoever held the Lease on this machine is gone once its journal is ours.
    let last = journal::read(&path)?.and_then(|journal| journal.last);
    if let Some(last) = last.filter(|last| identity::is_of_this_host(&last.info.holder)) {
        info.holder = last.info.holder;
    }
    let holder = info.holder.clone();
    let (journal, before) = Journal::resume(&path, info)?;
    match take_lease(arguments, &name, cluster, &holder).await? {
        Taken::Held(lease) => Ok(Locks {
            lease,
            journal,
            before: Some(before),
        }),
        Taken::By(other) => Err(held(&other, &arguments.state_namespace, &name)),
    }
}

/// After a failure it is not known who holds it.
async fn take_lease(
    arguments: &Arguments,
    name: &str,
    cluster: &Cluster,
    holder: &str,
) -> Result<Taken, Failure> {
    let namespace = &arguments.state_namespace;
    let may_take = |_: &Holder| arguments.break_lock;
    cluster
        .take_lease(namespace, name, holder, lease::SECONDS, may_take)
        .await
        .map_err(failure)
}

/// Somebody else is at it, or was.
fn held(holder: &Holder, namespace: &str, name: &str) -> Failure {
    let since = holder.renewed.as_deref().unwrap_or("an unknown time");
    let failure = Failure::new(format!(
        "another run holds the Lease {namespace}/{name}: `{}`, renewed {since}",
        holder.identity
    ));
    let failure = if holder.expired {
        failure.hint("it has expired: if that run has ended, add `--break-lock`")
    } else {
        failure.hint(
            "wait until that run ends; if it was killed, wait a minute until the Lease expires, then add `--break-lock`",
        )
    };
    failure.refused()
}
