//! One run from the first look to the last word.

use std::cell::RefCell;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::super::progress::Progress;
use super::super::{Failure, Output, show, write_stdout};
use super::closing::Closing;
use super::locks::{self, Locks};
use super::look::{self, Looked};
use super::walk::Walk;
use super::{Arguments, confirm};
use crate::apply::{Options, Stop, lease, publish};
use crate::cluster::Rights;
use crate::report::plan::text as plan_text;
use crate::report::style::Style;
use crate::rollout::Rollout;

/// How long a server may be away or too busy before a run gives up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs from the first look to the last word.
pub(super) async fn go(
    arguments: &Arguments,
    output: &Output,
    rollout: &Rollout,
    options: &Options,
) -> Result<ExitCode, Failure> {
    let (troubled, troubles) = mpsc::unbounded_channel();
    let walks = Arc::new(AtomicBool::new(false));
    let is_walking = Arc::clone(&walks);
    let tell = move |trouble: String| {
        if is_walking.load(Ordering::Relaxed) {
            // Nobody listens any more once the run has ended.
            let _ = troubled.send(trouble);
        } else {
            show::say(&trouble);
        }
    };
    let cluster = arguments.access.connect_telling(tell).await?;
    let cluster = Arc::new(cluster.patience(PATIENCE).rights(Rights::Apply));
    let Looked { about, plan } = look::look(arguments, output, rollout, options, &cluster).await?;
    let all = output.verbose > 0;
    if arguments.dry_run {
        let colour = show::colour_on(output, &std::io::stdout());
        return write_stdout(&plan_text::text(&plan, Style { colour, all }))
            .map(|()| ExitCode::SUCCESS);
    }
    if !output.quiet && !arguments.yes {
        let colour = show::colour(output);
        show::say(plan_text::text(&plan, Style { colour, all }).trim_end());
    }
    if !confirm::ask(
        arguments.yes,
        &format!("apply this to {}?", cluster.server()),
    )? {
        return Err(Failure::new("nothing was done: the answer was no").refused());
    }
    let Locks {
        lease,
        journal,
        before,
    } = locks::take(arguments, &cluster, about.clone()).await?;
    let (stop, _) = watch::channel(Stop::No);
    let kept = lease::keep(&cluster, lease, stop.clone());
    let publisher = publish::publisher(&cluster);
    let failed_before = match &before {
        Some(before) => before.about.failed_before.clone(),
        None => about.failed_before.clone(),
    };
    let is_finished = |id: &_| before.as_ref().is_some_and(|before| before.is_finished(id));
    let events = arguments.events.as_deref();
    let progress = Progress::new(rollout, is_finished, journal.run(), output, events)?;
    let (journal, progress) = (RefCell::new(journal), RefCell::new(progress));
    walks.store(true, Ordering::Relaxed);
    let walk = Walk {
        rollout,
        options,
        cluster: &cluster,
        before: before.as_ref(),
        failed_before,
        state_namespace: &arguments.state_namespace,
        journal: &journal,
        progress: &progress,
        publisher: &publisher,
        troubles,
        stop,
    };
    let walked = walk.go().await;
    walks.store(false, Ordering::Relaxed);
    let closing = Closing {
        arguments,
        output,
        rollout,
        about,
        journal: journal.into_inner(),
        progress: progress.into_inner(),
        publisher,
        kept,
    };
    closing.close(walked).await
}
