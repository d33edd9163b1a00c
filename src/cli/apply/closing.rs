//! The end of a run: state and Lease, the journal's last line, the report, the exit code.

use std::process::ExitCode;
use std::time::Duration;

use tokio::time::timeout;

use super::super::journal::Journal;
use super::super::progress::{Ending, Progress};
use super::super::{Failure, Output, show};
use super::signals::Signals;
use super::walk::Walked;
use super::{Arguments, ReportFormat, locks};
use crate::apply::lease::Kept;
use crate::apply::publish::Publisher;
use crate::apply::{Ended, Stop};
use crate::cluster;
use crate::report::apply::{Report, markdown, text};
use crate::rollout::Rollout;
use crate::rollout::journal::{Begin, End, Entry, State};
use crate::rollout::state::RunState;

/// How long the last words to the cluster may take: the run is over, and none of them is needed.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Exit code of a run of which a stage failed.
const STAGE_FAILED: u8 = 3;
/// Exit code of a run that was interrupted.
const INTERRUPTED: u8 = 130;

/// What a run leaves to be closed.
pub(super) struct Closing<'c> {
    pub(super) arguments: &'c Arguments,
    pub(super) output: &'c Output,
    pub(super) rollout: &'c Rollout,
    pub(super) about: Begin,
    pub(super) journal: Journal,
    pub(super) progress: Progress,
    pub(super) publisher: Publisher,
    pub(super) kept: Kept,
}

impl Closing<'_> {
    /// Closes it and gives the exit code, or what a person must know of the end.
    pub(super) async fn close(self, walked: Result<Walked, Failure>) -> Result<ExitCode, Failure> {
        let Self {
            arguments,
            output,
            rollout,
            about,
            mut journal,
            progress,
            publisher,
            kept,
        } = self;
        let at_once = matches!(walked, Ok(Walked::AtOnce));
        let walked = walked.map(|walked| match walked {
            Walked::Ended(ended) => ended,
            Walked::AtOnce => Ended::Stopped(Stop::Interrupted),
        });
        let end = end_of(&walked);
        let resume = (end != End::Complete).then(|| resume(arguments, rollout));
        if let Some(state) = journal.state() {
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
        let written = journal.append(Entry::End(end.clone()));
        let report = progress.end(Ending {
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
fn last_words(said: Option<(Option<String>, Result<(), cluster::Error>)>) {
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
    super::super::write_reports(
        &arguments.report,
        ReportFormat::Text,
        output,
        |format, style| match format {
            ReportFormat::Json => super::super::json_text(report),
            ReportFormat::Text => Ok(text::text(report, style)),
            ReportFormat::Markdown => Ok(markdown::markdown(report, arguments.report_limit)),
        },
    )
}
