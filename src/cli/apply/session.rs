//! One run from the first look to the last word.

use std::cell::RefCell;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use super::super::progress::{Ending, Progress};
use super::super::{Failure, Output, show};
use super::locks::{self, Locks};
use super::look::{self, Looked};
use super::signals::Signals;
use super::walk::{Walk, Walked};
use super::{Arguments, ReportFormat, confirm};
use crate::apply::{Ended, Options, Stop, lease, publish};
use crate::cluster::Rights;
use crate::report::apply::{Report, markdown, text};
use crate::report::plan::text as plan_text;
use crate::report::style::Style;
use crate::rollout::Rollout;
use crate::rollout::journal::{End, Entry, State};
use crate::rollout::state::RunState;

/// How long a server may be away or too busy before a run gives up.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long the last words to the cluster may take: the run is over, and none of them is needed.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Exit code of a run of which a stage failed.
const STAGE_FAILED: u8 = 3;
/// Exit code of a run that was interrupted.
const INTERRUPTED: u8 = 130;

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
        return print(&plan_text::text(&plan, plan_text::Style { colour, all }))
            .map(|()| ExitCode::SUCCESS);
    }
    if !output.quiet && !arguments.yes {
        let colour = show::colour(output);
        show::say(plan_text::text(&plan, plan_text::Style { colour, all }).trim_end());
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
    let at_once = matches!(walked, Ok(Walked::AtOnce));
    let walked = walked.map(|walked| match walked {
        Walked::Ended(ended) => ended,
        Walked::AtOnce => Ended::Stopped(Stop::Interrupted),
    });
    let end = end_of(&walked);
    let resume = (end != End::Complete).then(|| resume(arguments, rollout));
    if let Some(state) = journal.borrow().state() {
        let ended = State {
            end: Some(end.clone()),
            ..state.clone()
        };
        let state = RunState::of(rollout, &ended);
        publisher.publish(state.object(&arguments.state_namespace));
    }
    // Before the journal's last line: whoever ends between the two can be taken up, and knows the Lease as its own.
    if at_once {
        show::say(
            "warning: the lease was not given back; --resume on this machine need not wait for it",
        );
    } else {
        let mut signals = Signals::listen()?;
        let last = timeout(LAST_WORDS, async {
            let trouble = publisher.finish().await;
            (trouble, kept.release().await)
        });
        let last = tokio::select! {
            last = last => last.ok(),
            () = signals.next() => None,
        };
        last_words(last);
    }
    let written = journal.borrow_mut().append(Entry::End(end.clone()));
    let report = progress.into_inner().end(Ending {
        site: about.site,
        server: about.server,
        cluster: about.cluster,
        resumed: arguments.resume,
        end,
        resume: resume.clone(),
    });
    write(arguments, output, &report)?;
    conclude(walked, written, resume)
}

/// How the journal calls the end.
fn end_of(walked: &Result<Ended, Failure>) -> End {
    match walked {
        Ok(Ended::Complete) => End::Complete,
        Ok(Ended::Paused { stage }) => End::Paused { stage: *stage },
        Ok(Ended::Stopped(Stop::Interrupted)) => End::Interrupted,
        Ok(Ended::Failed(_) | Ended::Stopped(_)) | Err(_) => End::Failed,
    }
}

/// What went wrong with the state and the Lease; the run's own end says whether it did its work.
fn last_words(said: Option<(Option<String>, Result<(), crate::cluster::Error>)>) {
    let Some((trouble, released)) = said else {
        show::say("warning: the lease was not given back in time, it expires by itself");
        return;
    };
    if let Some(trouble) = trouble {
        show::say(&format!(
            "warning: the run's state was not written: {trouble}"
        ));
    }
    if let Err(error) = released {
        show::say(&format!(
            "warning: the lease was not given back, it expires by itself: {error}"
        ));
    }
}

/// The command that takes the run up again, without options that may hold secrets.
fn resume(arguments: &Arguments, rollout: &Rollout) -> String {
    let files = arguments.input.named().iter();
    let files: Vec<String> = files.map(|file| file.display().to_string()).collect();
    let journal = locks::path(arguments, &rollout.site);
    let journal = match &arguments.journal {
        Some(_) => format!(" --journal {}", journal.display()),
        None => String::new(),
    };
    format!("armada2flux apply {} --resume{journal}", files.join(" "))
}

/// The exit code, or what a person must know of the end.
fn conclude(
    walked: Result<Ended, Failure>,
    written: Result<(), Failure>,
    resume: Option<String>,
) -> Result<ExitCode, Failure> {
    let resume = resume.unwrap_or_default();
    let ended = match walked {
        Ok(ended) => ended,
        Err(failure) => return Err(failure.then(&format!("go on with `{resume}`"))),
    };
    match ended {
        Ended::Complete | Ended::Paused { .. } => written.map(|()| ExitCode::SUCCESS),
        Ended::Failed(_) => Ok(ExitCode::from(STAGE_FAILED)),
        Ended::Stopped(Stop::Interrupted) => Ok(ExitCode::from(INTERRUPTED)),
        Ended::Stopped(Stop::LeaseLost(why)) => {
            let failure = Failure::new(format!("the lease was lost, so the run stopped: {why}"));
            Err(failure
                .hint(format!(
                    "make sure that no other run is at it, then `{resume}`"
                ))
                .code(STAGE_FAILED))
        }
        Ended::Stopped(Stop::No | Stop::Broken) => {
            Err(Failure::new("the run stopped").hint(format!("go on with `{resume}`")))
        }
    }
}

fn write(arguments: &Arguments, output: &Output, report: &Report) -> Result<(), Failure> {
    let colour = show::colour_on(output, &std::io::stdout());
    let all = output.verbose > 0;
    let mut said = false;
    for target in &arguments.report {
        said |= target.file.is_none();
        let colour = colour && target.file.is_none();
        let text = match target.format {
            ReportFormat::Json => super::super::json_text(report)?,
            ReportFormat::Text => text::text(report, Style { colour, all }),
            ReportFormat::Markdown => markdown::markdown(report, arguments.report_limit),
        };
        target.write(&text)?;
    }
    if said || output.quiet {
        return Ok(());
    }
    print(&text::text(report, Style { colour, all }))
}

fn print(text: &str) -> Result<(), Failure> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .and_then(|()| std::io::stdout().flush())
        .map_err(Failure::stdout)
}
