//! Warnings of a survey, on stderr.

use crate::cluster::Cluster;
use crate::survey::Warning;

use super::{Output, show};

/// Returns a sink that prints the warnings of a survey.
pub(super) fn to_stderr(output: &Output) -> impl Fn(Warning) {
    let quiet = output.quiet;
    move |warning| {
        if !quiet {
            show::say(&format!("warning: {}", text(&warning)));
        }
    }
}

fn text(warning: &Warning) -> String {
    match warning {
        Warning::Missing(requirement) => requirement.to_string(),
        Warning::RecordsUnreadable { namespace } => format!(
            "takeovers in namespace {namespace} are not seen: no permission to list Secrets, where Helm keeps its records; \
             `armada2flux rbac SITE --for diff` prints the permissions for it"
        ),
        Warning::NotAsked { name } => format!(
            "{name} was not asked about objects that applying does not change; --ask-all asks for each"
        ),
        Warning::RunsUnreadable { namespace } => unreadable("the last run", namespace),
        Warning::LocksUnreadable { namespace } => unreadable("the lock", namespace),
    }
}

fn unreadable(what: &str, namespace: &str) -> String {
    format!("{what} is not shown: it cannot be read in namespace {namespace}")
}

/// Prints the number of requests, with --verbose.
pub(super) fn say_requests(cluster: &Cluster, output: &Output) {
    if output.verbose > 0 {
        show::say(&format!(
            "sent {2} requests to {0} ({1})",
            cluster.server(),
            cluster.version(),
            cluster.requests()
        ));
    }
}
