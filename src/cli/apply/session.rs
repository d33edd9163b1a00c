//! One run: everything before the first write, the walk, and what is left to do after it.

use std::cell::RefCell;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::super::access::failure;
use super::super::journal::{self, Journal};
use super::super::{Failure, Output, clock, show};
use super::{Arguments, confirm, identity, signals};
use crate::apply::{self, Ended, Event, Options, RecordError, Stop, Tools, lease};
use crate::cluster::{Cluster, Holder, Lease, Rights, Taken};
use crate::rollout::Rollout;
use crate::rollout::journal::{Begin, End, Entry, State};

/// How long a server may be away or too busy before a run gives up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Exit code of a run of which a stage failed.
const STAGE_FAILED: u8 = 3;
/// Exit code of a run that was interrupted.
const INTERRUPTED: u8 = 130;

/// A run that nothing stands in the way of.
struct Ready {
    cluster: Arc<Cluster>,
    about: Begin,
}

/// Runs from the first question to the last word.
pub(super) async fn go(
    arguments: &Arguments,
    output: &Output,
    rollout: &Rollout,
    options: &Options,
) -> Result<ExitCode, Failure> {
    let Ready { cluster, about } = look(arguments, rollout).await?;
    if arguments.dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    let question = format!(
        "apply {} to {}?",
        show::count(rollout.releases().count(), "release"),
        cluster.server()
    );
    if !confirm::ask(arguments.yes, &question)? {
        return Err(Failure::new("nothing was done: the answer was no").refused());
    }
    let (lease, mut journal, before) = take(arguments, rollout, &cluster, about).await?;
    let (stop, _) = watch::channel(Stop::No);
    let kept = lease::keep(&cluster, lease, stop.clone());
    let walked = walk(
        rollout,
        options,
        &cluster,
        &mut journal,
        before.as_ref(),
        stop,
    )
    .await;
    // Before the last line: whoever ends between the two can be taken up, and knows the Lease as its own.
    if let Err(error) = kept.release().await {
        show::say(&format!(
            "warning: the lease was not given back, it expires by itself: {error}"
        ));
    }
    let _ = output;
    finish(&walked?, &mut journal)
}

/// Looks for everything that forbids the run. Nothing is written.
async fn look(arguments: &Arguments, rollout: &Rollout) -> Result<Ready, Failure> {
    let cluster = arguments.access.connect().await?;
    let cluster = Arc::new(cluster.patience(PATIENCE).rights(Rights::Apply));
    let needs = apply::needs(rollout, &arguments.state_namespace);
    let preflight = cluster.preflight(&needs).await.map_err(failure)?;
    let _preflight = preflight
        .complete()
        .map_err(|lacks| failure(lacks).refused())?;
    let about = Begin {
        site: rollout.site.clone(),
        rollout: crate::rollout::digest(rollout),
        cluster: cluster.identity().await.map_err(failure)?,
        server: cluster.server().into(),
        holder: identity::holder(),
        program: env!("CARGO_PKG_VERSION").into(),
        failed_before: Vec::new(),
    };
    Ok(Ready { cluster, about })
}

/// Takes what no second run may have: the journal's file and the Lease.
async fn take(
    arguments: &Arguments,
    rollout: &Rollout,
    cluster: &Cluster,
    mut about: Begin,
) -> Result<(Lease, Journal, Option<State>), Failure> {
    let path = arguments
        .journal
        .clone()
        .unwrap_or_else(|| journal::default_path(&rollout.site));
    if !arguments.resume {
        // The journal first: whoever ends between the two can be taken up, and knows the Lease as its own.
        let holder = about.holder.clone();
        let journal = Journal::begin(&path, about)?;
        return match take_lease(arguments, rollout, cluster, &holder).await? {
            Ok(lease) => Ok((lease, journal, None)),
            Err(held) => {
                journal.withdraw()?;
                Err(held)
            }
        };
    }
    // Whoever held the Lease on this machine is gone once its journal is ours.
    let last = journal::read(&path)?.and_then(|journal| journal.last);
    if let Some(last) = last.filter(|last| identity::is_of_this_host(&last.about.holder)) {
        about.holder = last.about.holder;
    }
    let holder = about.holder.clone();
    let (journal, before) = Journal::resume(&path, about)?;
    let lease = take_lease(arguments, rollout, cluster, &holder).await??;
    Ok((lease, journal, Some(before)))
}

/// Name of the Lease of a site.
fn lease_name(rollout: &Rollout) -> String {
    format!("armada2flux-{}", rollout.site)
}

/// The inner failure is that another run holds it; after the outer one it is not known who does.
async fn take_lease(
    arguments: &Arguments,
    rollout: &Rollout,
    cluster: &Cluster,
    holder: &str,
) -> Result<Result<Lease, Failure>, Failure> {
    let namespace = &arguments.state_namespace;
    let name = lease_name(rollout);
    let may_take = |_: &Holder| arguments.break_lock;
    let taken = cluster
        .take_lease(namespace, &name, holder, lease::SECONDS, may_take)
        .await
        .map_err(failure)?;
    Ok(match taken {
        Taken::Held(lease) => Ok(lease),
        Taken::By(other) => Err(held(&other, namespace, &name)),
    })
}

/// Somebody else is at it, or was.
fn held(holder: &Holder, namespace: &str, name: &str) -> Failure {
    let since = holder.renewed.as_deref().unwrap_or("an unknown time");
    let failure = Failure::new(format!(
        "another run holds the lease {namespace}/{name}: `{}`, renewed {since}",
        holder.identity
    ));
    let failure = if holder.expired {
        failure.hint("it has expired: if that run is gone, add --break-lock")
    } else {
        failure.hint("wait for it to end; a run that was killed lets go of it within a minute, then add --break-lock")
    };
    failure.refused()
}

/// Walks the rollout, with journal, progress and signals.
async fn walk(
    rollout: &Rollout,
    options: &Options,
    cluster: &Arc<Cluster>,
    journal: &mut Journal,
    before: Option<&State>,
    stop: watch::Sender<Stop>,
) -> Result<Ended, Failure> {
    let failed_before = before.map_or_else(Vec::new, |before| before.about.failed_before.clone());
    let journal = RefCell::new(journal);
    // What a person sees of a journal that failed; the walk itself carries words only.
    let fault: RefCell<Option<Failure>> = RefCell::default();
    let record = |entry: Entry| {
        journal.borrow_mut().append(entry).map_err(|failure| {
            let error = RecordError("the journal cannot be written".to_owned());
            fault.borrow_mut().get_or_insert(failure);
            error
        })
    };
    let tell = |event: Event| show::say(&format!("{event:?}"));
    let tools = Tools {
        cluster: Arc::clone(cluster),
        before,
        record: &record,
        tell: &tell,
        now: &clock::now,
        stop: stop.clone(),
        failed_before,
    };
    let ended = tokio::select! {
        ended = apply::run(rollout, options, tools) => ended,
        at_once = signals::watch(stop) => {
            at_once?;
            return Ok(Ended::Stopped(Stop::Interrupted));
        }
    };
    ended.map_err(|error| match error {
        apply::Error::Cluster(error) => failure(error),
        apply::Error::Record(error) => fault
            .borrow_mut()
            .take()
            .unwrap_or_else(|| Failure::new(error.to_string())),
        apply::Error::Stopped => Failure::new("the run was stopped"),
    })
}

/// Writes down how the run ended, and says it.
fn finish(ended: &Ended, journal: &mut Journal) -> Result<ExitCode, Failure> {
    let (end, code) = match ended {
        Ended::Complete => (End::Complete, ExitCode::SUCCESS),
        Ended::Paused { stage } => (End::Paused { stage: *stage }, ExitCode::SUCCESS),
        Ended::Failed(_) => (End::Failed, ExitCode::from(STAGE_FAILED)),
        Ended::Stopped(_) => (End::Interrupted, ExitCode::from(INTERRUPTED)),
    };
    journal.append(Entry::End(end))?;
    Ok(code)
}
