//! `armada2flux diff`

mod namespace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::compare::{self, ObjectChange};
use crate::flux::ObjectSet;
use crate::render::read;
use crate::report::diff::{self, Against, Summary, Unseen};
use crate::rollout;
use crate::survey::{self, Compared, WithoutRecords};

use super::access::{self, AccessArguments, AskArguments, failure};
use super::choices::Choices;
use super::input::{InputArguments, TREES_TOO};
use super::report::ReportArguments;
use super::{Failure, Levels, Output, flux_tree, name, objects, show, warnings};

/// Exit code for differences, with --exit-code.
const DIFFERENT: u8 = 2;

/// Show what applying the input would change in the cluster, or against another tree
///
/// Nothing is written: the API server answers dry runs of a server-side apply. The input is Armada
/// documents, which are compiled in memory as `convert` does, or a Flux tree, edited or not. Secrets are
/// hidden; the report says only that they change.
#[derive(Debug, Args)]
#[command(mut_arg("files", |files| files.help(TREES_TOO)))]
#[command(after_help = "Examples:
  armada2flux diff flux/ --context site-a
  armada2flux diff flux/ --against flux-of-last-week/
  armada2flux diff site.yaml --target-manifest full-site --against flux/ --exit-code
  armada2flux diff flux/ --against main/flux/ --report markdown=comment.md --report json=diff.json

Exit codes: 0 done, 1 failed (usage, documents, files, API server; also when the API server refuses an object),
2 differences, with --exit-code")]
pub(super) struct Arguments {
    #[command(flatten)]
    input: InputArguments,
    /// Tree (folder or file) to compare with instead of a cluster
    #[arg(long, value_name = "DIR", conflicts_with_all = ["kubeconfig", "context", "namespace", "user", "ask_all"])]
    against: Option<PathBuf>,
    #[command(flatten)]
    access: AccessArguments,
    #[command(flatten)]
    ask: AskArguments,
    /// Namespace of objects that name none; an object of another namespace is an error [default: the namespace of the
    /// context]
    #[arg(short, long, value_name = "NAME", help_heading = "Cluster", value_parser = name::dns_label::<String>)]
    namespace: Option<String>,
    /// Exit with 2 when there are differences
    #[arg(long, alias = "detailed-exitcode")]
    exit_code: bool,
    /// List differences that are left out as noise, with their rules
    #[arg(long)]
    show_noise: bool,
    #[command(flatten)]
    report: ReportArguments,
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    levels: Levels,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode, Failure> {
    arguments.report.check()?;
    let mut diagnostics = arguments.levels.sink();
    let after = objects::read(
        &arguments.input,
        &arguments.choices,
        output,
        &mut diagnostics,
    )?;
    let (changes, unseen, against) = match &arguments.against {
        Some(tree) => (
            compare::sets(&flux_tree::read(tree, output)?, &after, &read::values),
            Unseen::default(),
            Against::Tree,
        ),
        None => {
            let after: ObjectSet = after.iter().map(rollout::as_applied).collect();
            let (changes, unseen) = in_cluster(arguments, after, output)?;
            (changes, unseen, Against::Cluster)
        }
    };
    let report = diff::report(&changes, &unseen, against, arguments.show_noise);
    arguments.report.write(output, &report)?;
    let Summary {
        refused, objects, ..
    } = report.summary;
    if refused > 0 {
        let objects = show::count(objects, "object");
        let failure = format!("the API server would refuse {refused} of {objects}");
        let failure = Failure::new(failure);
        return Err(failure.hint("the report has the message for each object"));
    }
    let different = arguments.exit_code && report.summary.is_different();
    Ok(if different {
        ExitCode::from(DIFFERENT)
    } else {
        ExitCode::SUCCESS
    })
}

/// Returns what applying the objects would change: all objects in order, then those that are left over; and what was not
/// looked at.
fn in_cluster(
    arguments: &Arguments,
    set: ObjectSet,
    output: &Output,
) -> Result<(Vec<ObjectChange>, Unseen), Failure> {
    access::run(async {
        let cluster = arguments.access.connect().await?;
        let namespace = arguments.namespace.as_deref();
        let set = namespace::placed(&cluster, set, namespace).await?;
        let warn = warnings::to_stderr(output);
        let nothing = std::iter::repeat(());
        let unreadable = WithoutRecords::Warn;
        let judge = |(), change, _: Option<&_>, _: &_| change;
        let ask = arguments.ask.ask();
        let compared = survey::compare_all(&cluster, &set, unreadable, ask, &warn, nothing, judge);
        let Compared {
            judged: mut changes,
            left_over,
            unseen: takeovers,
            unasked: validators,
            admission: _,
        } = compared.await.map_err(failure)?;
        warnings::say_requests(&cluster, output);
        warnings::say_left_over(left_over.len(), output);
        changes.extend(left_over);
        compare::together(&mut changes);
        let unseen = Unseen {
            takeovers,
            validators,
        };
        Ok((changes, unseen))
    })
}
