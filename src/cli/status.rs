//! `armada2flux status`

mod shown;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::cluster::{FLUX_NAMESPACE, Holder};
use crate::report::status::text::text;
use crate::report::status::{self, Journal, Lock, Report, Site, Summary};
use crate::survey::Sites;
use crate::value::Text;

use super::access::{self, AccessArguments};
use super::report::{self, Target, parse_target};
use super::{Failure, Output, journal, name, stdout, warnings};

/// Show the state of the releases of a site, and the last run
///
/// Nothing is written. Releases are found by the label of their site and assessed as `apply` assesses them. The last
/// run is read from its state in the cluster, and from its journal if there is one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  armada2flux status --context site-a
  armada2flux status --site full-site --journal armada2flux-full-site.journal
  armada2flux status --report json | jq '.sites[].summary'

Exit codes: 0 done, 1 failed (usage, files, API server)")]
pub(super) struct Arguments {
    /// Site to show [default: all sites in the cluster]
    #[arg(long, value_name = "NAME", value_parser = name::site::<Text>)]
    site: Option<Text>,
    /// Journal of the run [default: armada2flux-SITE.journal in the current folder, if it exists]
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Namespace of the Lease and of the ConfigMap with the run's state
    #[arg(long, value_name = "NAME", default_value = FLUX_NAMESPACE, value_parser = name::dns_label::<Text>)]
    state_namespace: Text,
    #[command(flatten)]
    access: AccessArguments,
    /// Write a report as text or json, to stdout or FILE; may be given several times
    #[arg(long, value_name = "FORMAT[=FILE]", value_parser = parse_target::<ReportFormat>)]
    report: Vec<Target<ReportFormat>>,
}

/// The formats of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// Everything, as `armada2flux schema status` describes it
    Json,
    /// For reading: a table for each site
    Text,
}

pub(super) fn run(arguments: &Arguments, output: &Output) -> Result<(), Failure> {
    report::check(&arguments.report)?;
    let status = access::run(read(arguments, output))?;
    report::write_asked(&arguments.report, output, |format, style| match format {
        ReportFormat::Json => report::json(&status),
        ReportFormat::Text => Ok(text(&status, style)),
    })?;
    if output.quiet || arguments.report.iter().any(Target::is_stdout) {
        return Ok(());
    }
    stdout::write(&text(&status, stdout::style(output)))
}

async fn read(arguments: &Arguments, output: &Output) -> Result<Report, Failure> {
    let named = named_journal(arguments)?;
    let cluster = arguments.access.connect().await?;
    let warn = warnings::to_stderr(output);
    let wanted = arguments.site.as_ref();
    let found = Sites::read(&cluster, wanted, &arguments.state_namespace, &warn).await;
    let found = found.map_err(access::failure)?;
    let mut names: BTreeSet<Text> = found.releases.keys().cloned().collect();
    names.extend(found.runs.keys().cloned());
    names.extend(arguments.site.clone());
    let mut journals = match named {
        Some((site, journal)) => {
            names.insert(site.clone());
            BTreeMap::from([(site, journal)])
        }
        None => journals(names.iter()),
    };
    let mut sites = Vec::new();
    for name in names {
        let releases = found.releases.get(&name).map_or(&[][..], Vec::as_slice);
        let stages = shown::stages(releases);
        let holder = found.lock(&cluster, &name).await;
        let lock = holder.map_err(access::failure)?.map(lock);
        let (run, run_unreadable) = match found.runs.get(&name) {
            Some(Ok(state)) => (Some(shown::run(state)), None),
            Some(Err(why)) => (None, Some(why.to_string())),
            None => (None, None),
        };
        sites.push(Site {
            name: name.to_string(),
            summary: Summary::of(&stages),
            run,
            run_unreadable,
            lock,
            journal: journals.remove(&name),
            stages,
        });
    }
    Ok(Report {
        version: status::VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        server: cluster.server().to_owned(),
        sites,
    })
}

/// The holder of a site's lock, as the report has it.
fn lock(holder: Holder) -> Lock {
    let text = |text: Text| text.to_string();
    Lock {
        holder: holder.identity.to_string(),
        since: holder.since.map(text),
        renewed: holder.renewed.map(text),
        expired: holder.expired,
    }
}

/// The journal that was named, with its site.
fn named_journal(arguments: &Arguments) -> Result<Option<(Text, Journal)>, Failure> {
    let Some(path) = &arguments.journal else {
        return Ok(None);
    };
    let shown = path.display();
    let Some(read) = journal::read(path)? else {
        let failure = Failure::new(format!("the journal `{shown}` does not exist"));
        return Err(failure.hint("give the journal of the run, or leave `--journal` out"));
    };
    let Some(last) = &read.last else {
        let failure = Failure::new(format!("the journal `{shown}` holds no run"));
        return Err(failure.hint("give the journal of the run, or leave `--journal` out"));
    };
    let site = last.info.site.clone();
    if let Some(wanted) = arguments.site.as_ref().filter(|wanted| **wanted != site) {
        let act = format!("the journal `{shown}` is of site {site}, not of {wanted}");
        return Err(Failure::new(act).hint("give that site with `--site`, or another journal"));
    }
    Ok(Some((site, shown::journal(path, read))))
}

/// The journals that lie in this folder under the sites' own names.
fn journals<'s>(sites: impl Iterator<Item = &'s Text>) -> BTreeMap<Text, Journal> {
    let mut journals = BTreeMap::new();
    for site in sites {
        let path = journal::default_path(site);
        // Nobody asked for one, so one that cannot be read stops nothing.
        let shown = match journal::read(&path) {
            Ok(None) => continue,
            Ok(Some(read)) => shown::journal(&path, read),
            Err(failure) => Journal {
                unreadable: failure.message().map(|(message, _)| message),
                ..shown::journal(&path, Default::default())
            },
        };
        journals.insert(site.clone(), shown);
    }
    journals
}
