//! What no second run may have at the same time: the journal's file and the Lease.
//!
//! Everything is looked at first. The journal's first line and the Lease are written when nothing speaks against the run,
//! the line first: a process that ends between the two leaves a run that can be resumed.

use std::path::PathBuf;
use std::time::Duration;

use tokio::time::sleep;

use super::super::access::failure;
use super::super::journal::{self, Journal, Opened};
use super::super::{Failure, clock, show};
use super::Arguments;
use super::identity::{self, Fate};
use crate::apply::{lease, publish};
use crate::cluster::{Cluster, Holder, Lease, Taken};
use crate::flux::object::title;
use crate::report::command_line;
use crate::rollout::Rollout;
use crate::rollout::identity::Identity;
use crate::rollout::journal::{RunInfo, RunRecord};
use crate::rollout::state;
use crate::value::Text;

/// Both locks, and where the run stood that is resumed.
pub(super) struct Locks {
    pub(super) lease: Lease,
    pub(super) journal: Journal,
    /// `None` for a new run.
    pub(super) before: Option<RunRecord>,
    /// What the run works on, with its holder.
    pub(super) info: RunInfo,
}

/// The journal's file.
pub(super) fn path(arguments: &Arguments, site: &str) -> PathBuf {
    let given = arguments.journal.clone();
    given.unwrap_or_else(|| journal::default_path(site))
}

/// Takes both, or neither.
pub(super) async fn take(
    arguments: &Arguments,
    rollout: &Rollout,
    cluster: &Cluster,
    info: RunInfo,
) -> Result<Locks, Failure> {
    let path = path(arguments, &info.site);
    let opened = if arguments.resume {
        Opened::to_resume(&path, &info)?
    } else {
        Opened::to_start(&path)?
    };
    let before = opened.unfinished().cloned();
    if let Some((item, target)) = before
        .as_ref()
        .and_then(|run| run.foreign_deletion(rollout))
    {
        let target = title(&target.kind, item.namespace.as_deref(), &target.name);
        let act = format!(
            "the journal `{}` lists {target} for deletion, and {} deletes no such object before an upgrade",
            path.display(),
            item.title()
        );
        return Err(Failure::new(act)
            .hint("the file was changed: restore it, or start a new run with another `--journal FILE`")
            .refused());
    }
    let run = before.as_ref().map(|before| before.run.clone());
    let own = identity::own(run.unwrap_or_else(clock::run_name));
    let info = RunInfo {
        holder: own.to_string().into(),
        ..info
    };
    let claim = Claim {
        arguments,
        cluster,
        name: state::name(&info.site),
        recorded: before.as_ref().map(|before| before.info.holder.clone()),
        own,
    };
    claim.check_state(&info.site).await?;
    claim.check_other_namespaces().await?;
    let broken = claim.check_holder().await?;
    let journal = match &before {
        Some(_) => opened.resume(info.clone())?,
        None => opened.start(claim.own.run.clone(), info.clone())?,
    };
    let lease = match claim.take(&info.holder, broken.as_ref()).await? {
        Taken::Held(lease) => lease,
        Taken::By(other) => {
            journal.withdraw()?;
            return Err(claim.held(&other));
        }
    };
    // A run with another state namespace that began at the same moment sees this Lease, or is seen now.
    if let Err(refusal) = claim.check_other_namespaces().await {
        journal.withdraw()?;
        lease::release(cluster, lease).await.map_err(failure)?;
        return Err(refusal);
    }
    Ok(Locks {
        lease,
        journal,
        before,
        info,
    })
}

/// What a process wants, and what it may take from others.
struct Claim<'c> {
    arguments: &'c Arguments,
    cluster: &'c Cluster,
    /// The name of the Lease and of the state.
    name: Text,
    own: Identity,
    /// Who carried the run out before, by its journal; `None` for a new run.
    recorded: Option<Text>,
}

/// What is known of a holder.
struct Seen {
    /// The number of its process.
    process: Option<i32>,
    /// Whether it carries out the run that this process resumes.
    is_same_run: bool,
    fate: Fate,
}

impl Claim<'_> {
    fn namespace(&self) -> &str {
        &self.arguments.state_namespace
    }

    /// Refuses a namespace that is missing or on its way out, and an object of another program.
    async fn check_state(&self, site: &str) -> Result<(), Failure> {
        let unfit = publish::check(self.cluster, site, self.namespace(), &self.name).await;
        match unfit.map_err(failure)? {
            None => Ok(()),
            Some(unfit) => Err(Failure::new(unfit.to_string()).hint(unfit.hint()).refused()),
        }
    }

    /// Refuses when a run with another state namespace holds a Lease of the site.
    async fn check_other_namespaces(&self) -> Result<(), Failure> {
        let held = self.cluster.lease_holders(&self.name).await;
        for (namespace, holder) in held.map_err(failure)? {
            if namespace == self.namespace() || holder.expired && self.arguments.break_lock {
                continue;
            }
            let act = format!(
                "another run of this site holds the Lease {namespace}/{}: `{}`, renewed {}",
                self.name,
                holder.identity,
                renewed(&holder)
            );
            let option = command_line(["--state-namespace", &namespace]);
            let hint = format!("a site has one state namespace at a time: use `{option}`");
            return Err(Failure::new(act).hint(hint).refused());
        }
        Ok(())
    }

    /// Refuses when the Lease has a holder that may not be replaced. Returns a holder that was watched long enough to know
    /// that it does not renew the Lease.
    async fn check_holder(&self) -> Result<Option<Holder>, Failure> {
        let holder = || async {
            let holder = self.cluster.lease_holder(self.namespace(), &self.name);
            holder.await.map_err(failure)
        };
        let Some(found) = holder().await? else {
            return Ok(None);
        };
        if self.may_take(&found) {
            return Ok(None);
        }
        let Some(why) = found.implausible.filter(|_| self.arguments.break_lock) else {
            return Err(self.held(&found));
        };
        show::say(&format!(
            "the Lease {}/{} does not show whether `{}` is active, {why}: waiting {} s for a renewal",
            self.namespace(),
            self.name,
            found.identity,
            lease::SECONDS
        ));
        sleep(Duration::from_secs(u64::from(
            lease::SECONDS.unsigned_abs(),
        )))
        .await;
        match holder().await? {
            Some(now) if now != found && !self.may_take(&now) => Err(self.held(&now)),
            Some(_) | None => Ok(Some(found)),
        }
    }

    /// Takes the Lease. After a failure it is not known who holds it.
    async fn take(&self, identity: &str, broken: Option<&Holder>) -> Result<Taken, Failure> {
        let may_take = |holder: &Holder| self.may_take(holder) || Some(holder) == broken;
        self.cluster
            .take_lease(
                self.namespace(),
                &self.name,
                identity,
                lease::SECONDS,
                may_take,
            )
            .await
            .map_err(failure)
    }

    /// Whether a holder may be replaced: its process, which carried out the run that is resumed, is gone; or it has not
    /// renewed the Lease in time.
    fn may_take(&self, holder: &Holder) -> bool {
        let Seen {
            process: _,
            is_same_run,
            fate,
        } = self.see(holder);
        match (is_same_run, fate) {
            (true, Fate::Gone) => true,
            (true, Fate::Unknown) => holder.expired,
            (true, Fate::Alive) | (false, _) => holder.expired && self.arguments.break_lock,
        }
    }

    fn see(&self, holder: &Holder) -> Seen {
        let identity: Option<Identity> = holder.identity.parse().ok();
        let fate = identity.as_ref().map_or(Fate::Unknown, |identity| {
            identity::fate(identity, &self.own)
        });
        let is_same_run = self.recorded.as_ref().is_some_and(|recorded| {
            let run = identity.as_ref().map(|identity| &identity.run);
            *recorded == holder.identity || run == Some(&self.own.run)
        });
        Seen {
            process: identity.map(|identity| identity.process.number),
            is_same_run,
            fate,
        }
    }

    /// Another process holds the Lease, or did.
    fn held(&self, holder: &Holder) -> Failure {
        let Seen {
            process,
            is_same_run,
            fate,
        } = self.see(holder);
        let who = if is_same_run {
            "another process carries out this run and holds"
        } else {
            "another run holds"
        };
        let failure = Failure::new(format!(
            "{who} the Lease {}/{}: `{}`, renewed {}",
            self.namespace(),
            self.name,
            holder.identity,
            renewed(holder)
        ));
        let alive = process.filter(|_| fate == Fate::Alive);
        let hint = match (alive, holder.implausible) {
            (Some(process), _) if holder.expired => format!(
                "process {process} on this machine does not renew it: end that process, or add `--break-lock`"
            ),
            (Some(process), _) => {
                format!("wait until process {process} on this machine ends")
            }
            (None, Some(why)) => format!(
                "it does not show whether that run is active, {why}: if that run has ended, add `--break-lock`, which \
                 waits {} s for a renewal",
                lease::SECONDS
            ),
            (None, None) if holder.expired => {
                "it has expired: if that run has ended, add `--break-lock`".to_owned()
            }
            (None, None) if is_same_run => {
                "wait until it ends; if it was killed, run again when the Lease has expired, in a minute".to_owned()
            }
            (None, None) => {
                "wait until that run ends; if it was killed, wait a minute until the Lease expires, then add \
                 `--break-lock`"
                    .to_owned()
            }
        };
        failure.hint(hint).refused()
    }
}

fn renewed(holder: &Holder) -> &str {
    holder.renewed.as_deref().unwrap_or("at an unknown time")
}
