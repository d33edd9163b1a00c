//! `armada2flux apply`

mod client_warnings;
mod closing;
mod confirm;
mod identity;
mod last_words;
mod locks;
mod preflight;
mod session;
mod signals;
mod stages;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::apply::Options;
use crate::cluster::Rights;
use crate::report::plan::text as plan_text;
use crate::rollout::Rollout;

use super::access::{self, AccessArguments, AskArguments};
use super::choices::Choices;
use super::input::{InputArguments, TREES_TOO};
use super::report::ReportArguments;
use super::rollout::rollout;
use super::{Failure, Levels, Output, name, objects, private_file, show, stdout};

use client_warnings::ClientWarnings;
use preflight::Preflight;
use session::{Session, Walked};

/// How long a server may be away or too busy before a run gives up.
const RETRY_FOR: Duration = Duration::from_secs(120);

/// Roll out a site, stage by stage, and watch every release until it is ready
///
/// A stage starts when every release of the stage before it is ready and all of Armada's own waits are met.
/// Each write is recorded in a journal before it is sent, so --resume continues a run that ended at any
/// moment. The input is Armada documents, which are compiled in memory as `convert` does, or a Flux tree,
/// edited or not.
#[derive(Debug, Args)]
#[command(mut_arg("report", |report| {
    report.help("Write the final report as text, json or markdown, to stdout or FILE; may be given several times")
}))]
#[command(mut_arg("files", |files| files.help(TREES_TOO)))]
#[command(after_help = "Examples:
  armada2flux apply flux/ --context site-a
  armada2flux plan site.yaml -o plan.json && armada2flux apply site.yaml --plan plan.json --yes
  armada2flux apply flux/ --pause-after control-plane
  armada2flux apply flux/ --resume

Exit codes: 0 done, 1 failed (usage, documents, files, API server), 3 a stage failed or timed out (resume it with
--resume), 4 refused before anything was written, 130 interrupted (resume it with --resume)")]
pub(super) struct Arguments {
    #[command(flatten)]
    input: InputArguments,
    /// Do exactly what this saved plan says; refuse if the input or the cluster has changed since
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Do not ask for confirmation; required without a terminal
    #[arg(short, long)]
    yes: bool,
    /// Resume the run of the journal, at the first step that is not finished
    #[arg(long)]
    resume: bool,
    /// Journal of the run [default: armada2flux-SITE.journal in the current folder]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Namespace of the Lease and of the ConfigMap with the run's state
    #[arg(long, value_name = "NAME", default_value = "flux-system", value_parser = name::dns_label::<String>)]
    state_namespace: String,
    /// Take over the Lease of a run that ended without releasing it, once it has expired
    #[arg(long)]
    break_lock: bool,
    /// Most releases at a time in a chart group that is not sequenced
    #[arg(long, value_name = "NUMBER", default_value_t = crate::apply::PARALLEL, value_parser = parallel)]
    parallel: usize,
    /// Stop after this stage (its number or the name of its chart group)
    #[arg(long, value_name = "STAGE")]
    pause_after: Option<String>,
    /// Start with this stage; the stages before it must be up to date already
    #[arg(long, value_name = "STAGE", conflicts_with = "only_stage")]
    from_stage: Option<String>,
    /// Roll out this stage alone; the stages before it must be up to date already
    #[arg(long, value_name = "STAGE")]
    only_stage: Option<String>,
    /// Longest time of each stage, as 90s, 45m or 2h
    #[arg(long, value_name = "TIME", value_parser = parse_stage_timeout)]
    stage_timeout: Option<Duration>,
    /// Print what would be done, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// File to write events to during the run, as JSON lines
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    #[command(flatten)]
    report: ReportArguments,
    #[command(flatten)]
    access: AccessArguments,
    #[command(flatten)]
    ask: AskArguments,
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    levels: Levels,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode, Failure> {
    arguments.report.check()?;
    if let Some(events) = &arguments.events {
        private_file::check(events)?;
    }
    let mut diagnostics = arguments.levels.sink();
    let set = objects::read(
        &arguments.input,
        &arguments.choices,
        output,
        &mut diagnostics,
    )?;
    let rollout = rollout(&set)?;
    let options = Options {
        parallel: arguments.parallel,
        from: stages::number(&rollout, "--from-stage", arguments.from_stage.as_deref())?,
        only: stages::number(&rollout, "--only-stage", arguments.only_stage.as_deref())?,
        pause_after: stages::number(&rollout, "--pause-after", arguments.pause_after.as_deref())?,
        stage_timeout: arguments.stage_timeout,
    };
    access::run(apply(arguments, output, &rollout, &options))
}

/// Runs from the first look to the last word.
async fn apply(
    arguments: &Arguments,
    output: &Output,
    rollout: &Rollout,
    options: &Options,
) -> Result<ExitCode, Failure> {
    signals::outlive_file_size_limit()?;
    let (tell, mut warnings) = ClientWarnings::new();
    let cluster = arguments.access.connect_telling(tell).await?;
    let cluster = Arc::new(cluster.retry_for(RETRY_FOR).rights(Rights::Apply));
    let Preflight { info, plan, found } =
        preflight::preflight(arguments, output, rollout, options, &cluster).await?;
    if arguments.dry_run {
        stdout::write(&plan_text::text(&plan, stdout::style(output)))?;
        return Ok(ExitCode::SUCCESS);
    }
    if !output.quiet && !arguments.yes {
        show::print(&plan_text::text(&plan, show::style(output)));
    }
    let question = format!("apply this to {}?", cluster.server());
    if !confirm::ask(arguments.yes, &question)? {
        return Err(Failure::new("nothing was done: the answer was no").refused());
    }
    let session = Session::open(arguments, output, rollout, cluster, info).await?;
    warnings.keep(true);
    let walked = tokio::select! {
        ended = session.walk(options, &found, &mut warnings) => ended.map(Walked::Finished),
        at_once = signals::watch(session.stop()) => at_once.map(|()| Walked::AtOnce),
    };
    warnings.keep(false);
    let closed = session.close(walked).await?;
    closing::conclude(arguments, output, closed)
}

/// Parses how many releases move at a time.
fn parallel(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=100) => Ok(number),
        Ok(_) | Err(_) => Err("give a number from 1 to 100".to_owned()),
    }
}

/// Parses the limit of a stage.
fn parse_stage_timeout(text: &str) -> Result<Duration, String> {
    match super::parse_duration(text)? {
        Duration::ZERO => Err("give a time such as 90s, 45m or 2h".to_owned()),
        timeout => Ok(timeout),
    }
}
