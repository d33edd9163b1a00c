//! `armada2flux plan`

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use jiff::Timestamp;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::flux::duration;
use crate::printable::escape;
use crate::report;
use crate::report::graph::Picture;
use crate::report::plan::Report;
use crate::rollout::Rollout;
use crate::rollout::saved::{self, ClusterId, KEY_BYTES, Saved};
use crate::survey;

use super::access::{self, AccessArguments, AskArguments, failure};
use super::choices::Choices;
use super::graph::Format;
use super::input::{InputArguments, TREES_TOO};
use super::report::ReportArguments;
use super::rollout::rollout;
use super::{Failure, Levels, Output, objects, private_file, show, stdout, warnings};

/// Exit code for a run that would write or be refused, with --exit-code.
const DIFFERENT: u8 = 2;

/// Longest validity of a plan, in seconds.
const LONGEST: u64 = 7 * 24 * 3600;

/// Show what `apply` would do in the cluster, or save it as a plan
///
/// Lists, stage by stage and step by step, which objects are created, changed, upgraded or left as they are, what is
/// deleted before an upgrade, what is awaited and for how long, and what `apply` would refuse. Nothing is written to
/// the cluster. The input is Armada documents, which are compiled in memory as `convert` does, or a Flux tree, edited
/// or not.
#[derive(Debug, Args)]
#[command(mut_arg("files", |files| files.help(TREES_TOO)))]
#[command(after_help = "Examples:
  armada2flux plan flux/ --context site-a
  armada2flux plan flux/ --context site-a -o plan.json
  armada2flux plan site.yaml --target-manifest full-site --graph dot | dot -Tsvg -o site.svg

Exit codes: 0 done, 1 failed (usage, documents, files, API server), 2 with --exit-code when `apply`
would change anything or be refused")]
pub(super) struct Arguments {
    #[command(flatten)]
    input: InputArguments,
    #[command(flatten)]
    access: AccessArguments,
    #[command(flatten)]
    ask: AskArguments,
    /// File to save the plan to; `apply --plan` does exactly what it says, or refuses
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How long the saved plan is valid, as 90m, 2h or 24h
    #[arg(long, value_name = "DURATION", default_value = "2h", value_parser = parse_valid_for, requires = "output")]
    valid_for: u64,
    /// Draw stages, steps and gates instead; needs no cluster
    #[arg(long, value_enum, value_name = "FORMAT", conflicts_with_all = ["output", "exit_code", "report", "kubeconfig", "context", "user", "ask_all"])]
    graph: Option<Format>,
    /// Exit with 2 when `apply` would change anything or be refused
    #[arg(long, alias = "detailed-exitcode")]
    exit_code: bool,
    #[command(flatten)]
    report: ReportArguments,
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    levels: Levels,
}

fn parse_valid_for(text: &str) -> Result<u64, String> {
    let valid_for = super::parse_duration(text)?.as_secs();
    if (1..=LONGEST).contains(&valid_for) {
        Ok(valid_for)
    } else {
        Err("a plan is valid for one second at least and one week (168h) at most".to_owned())
    }
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode, Failure> {
    arguments.report.check()?;
    let mut diagnostics = arguments.levels.sink();
    let set = objects::read(
        &arguments.input,
        &arguments.choices,
        output,
        &mut diagnostics,
    )?;
    let rollout = rollout(&set)?;
    if let Some(format) = arguments.graph {
        let drawing = format.draw(&Picture::of_rollout(&rollout));
        stdout::write(&drawing)?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(file) = &arguments.output {
        refuse_foreign(file)?;
    }
    let (report, cluster) = access::run(ask(arguments, &rollout, output))?;
    arguments.report.write(output, &report)?;
    if let Some(file) = &arguments.output {
        let plan = saved::save(
            &rollout,
            &report.actions(),
            cluster,
            Timestamp::now(),
            arguments.valid_for,
            key()?,
        );
        save(file, &plan, output)?;
    }
    let different = arguments.exit_code && report.summary.is_different();
    Ok(if different {
        ExitCode::from(DIFFERENT)
    } else {
        ExitCode::SUCCESS
    })
}

/// Compares the rollout with the cluster, and returns which cluster it is.
async fn ask(
    arguments: &Arguments,
    rollout: &Rollout,
    output: &Output,
) -> Result<(Report, ClusterId), Failure> {
    let cluster = arguments.access.connect().await?;
    let warn = warnings::to_stderr(output);
    let assessment = survey::assess(&cluster, rollout, arguments.ask.ask(), &warn).await;
    let assessment = assessment.map_err(failure)?;
    warnings::say_requests(&cluster, output);
    warnings::say_left_over(assessment.left_over.len(), output);
    let report = report::plan::report(rollout, &assessment, cluster.server());
    let uid = match &arguments.output {
        Some(_) => cluster.identity().await.map_err(failure)?.to_string(),
        None => String::new(),
    };
    let server = cluster.server().to_owned();
    Ok((report, ClusterId { uid, server }))
}

/// Refuses to overwrite a file that is not a saved plan.
fn refuse_foreign(file: &Path) -> Result<(), Failure> {
    private_file::refuse_special(file)?;
    match std::fs::read_to_string(file) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Ok(text) if saved::read(&text).is_ok() => Ok(()),
        Ok(_) | Err(_) => {
            let act = format!("refused to overwrite `{}`", file.display());
            Err(Failure::new(act).hint("it is not a saved plan; move it or choose another file"))
        }
    }
}

fn key() -> Result<[u8; KEY_BYTES], Failure> {
    let mut key = [0; KEY_BYTES];
    SystemRandom::new()
        .fill(&mut key)
        .map_err(|_| Failure::new("the system's random source failed"))?;
    Ok(key)
}

fn save(file: &Path, plan: &Saved, output: &Output) -> Result<(), Failure> {
    private_file::write(file, &saved::write(plan))?;
    if !output.quiet {
        show::say(&format!(
            "plan saved to {}, valid for {} from {}",
            escape::name(&file.to_string_lossy()),
            duration::show(i64::try_from(plan.valid_for).unwrap_or(i64::MAX)),
            plan.created
        ));
    }
    Ok(())
}
