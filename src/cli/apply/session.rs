//! One run: everything before the first write, the walk, and what is left to do after it.

use std::cell::RefCell;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::super::access::failure;
use super::super::journal::{self, Journal};
use super::super::{Failure, Output, clock, show};
use super::look::{self, Looked};
use super::{Arguments, confirm, identity, signals};
use crate::apply::{self, Ended, Event, Options, RecordError, Stop, Tools, lease};
use crate::cluster::{Cluster, Holder, Lease, Rights, Taken};
use crate::report::plan::text as plan_text;
use crate::rollout::Rollout;
use crate::rollout::journal::{Begin, End, Entry, State};
use crate::value::Text;

/// How long a server may be away or too busy before a run gives up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Exit code of a run of which a stage failed.
const STAGE_FAILED: u8 = 3;
/// Exit code of a run that was interrupted.
const INTERRUPTED: u8 = 130;

/// Runs from the first question to the last word.
pub(super) async fn go(
    arguments: &Arguments,
    output: &Output,
    rollout: &Rollout,
    options: &Options,
) -> Result<ExitCode, Failure> {
    let cluster = arguments.access.connect().await?;
    let cluster = Arc::new(cluster.patience(PATIENCE).rights(Rights::Apply));
    let Looked { about, plan } = look::look(arguments, output, rollout, options, &cluster).await?;
    if arguments.dry_run {
        let colour = show::colour_on(output, &std::io::stdout());
        let all = output.verbose > 0;
        let text = plan_text::text(&plan, plan_text::Style { colour, all });
        return std::io::stdout()
            .write_all(text.as_bytes())
            .map(|()| ExitCode::SUCCESS)
            .map_err(Failure::stdout);
    }
    if !output.quiet {
        let colour = show::colour(output);
        let all = output.verbose > 0;
        show::say(plan_text::text(&plan, plan_text::Style { colour, all }).trim_end());
    }
    let question = format!("apply this to {}?", cluster.server());
    if !confirm::ask(arguments.yes, &question)? {
        return Err(Failure::new("nothing was done: the answer was no").refused());
    }
    let (lease, mut journal, before) = take(arguments, rollout, &cluster, about.clone()).await?;
    let (stop, _) = watch::channel(Stop::No);
    let kept = lease::keep(&cluster, lease, stop.clone());
    let failed_before = match &before {
        Some(before) => before.about.failed_before.clone(),
        None => about.failed_before,
    };
    let before = before.as_ref();
    let walk = Walk {
        rollout,
        options,
        cluster: &cluster,
        before,
        failed_before,
    };
    let ended = match walk.go(&mut journal, stop).await {
        Ok(ended) => finish(&ended, &mut journal),
        Err(failure) => Err(failure),
    };
    if let Err(error) = kept.release().await {
        show::say(&format!(
            "warning: the lease was not given back, it expires by itself: {error}"
        ));
    }
    ended
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
        let lease = take_lease(arguments, rollout, cluster, &about.holder).await?;
        return match Journal::begin(&path, about) {
            Ok(journal) => Ok((lease, journal, None)),
            Err(failure) => {
                // The journal's fault is what counts; the Lease expires by itself.
                let _ = cluster.release_lease(lease).await;
                Err(failure)
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
    let lease = take_lease(arguments, rollout, cluster, &holder).await?;
    Ok((lease, journal, Some(before)))
}

/// Name of the Lease of a site.
fn lease_name(rollout: &Rollout) -> String {
    format!("armada2flux-{}", rollout.site)
}

async fn take_lease(
    arguments: &Arguments,
    rollout: &Rollout,
    cluster: &Cluster,
    holder: &str,
) -> Result<Lease, Failure> {
    let namespace = &arguments.state_namespace;
    let name = lease_name(rollout);
    let may_take = |_: &Holder| arguments.break_lock;
    let taken = cluster
        .take_lease(namespace, &name, holder, lease::SECONDS, may_take)
        .await
        .map_err(failure)?;
    match taken {
        Taken::Held(lease) => Ok(lease),
        Taken::By(other) => Err(held(&other, namespace, &name)),
    }
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

/// What is walked, and with what.
struct Walk<'w> {
    rollout: &'w Rollout,
    options: &'w Options,
    cluster: &'w Arc<Cluster>,
    before: Option<&'w State>,
    failed_before: Vec<Text>,
}

impl Walk<'_> {
    /// Walks the rollout, with journal, progress and signals.
    async fn go(self, journal: &mut Journal, stop: watch::Sender<Stop>) -> Result<Ended, Failure> {
        let Self {
            rollout,
            options,
            cluster,
            before,
            failed_before,
        } = self;
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
