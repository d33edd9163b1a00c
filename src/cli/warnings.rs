//! What a survey of a cluster has to say beside its answer, on stderr.

use crate::cluster::Cluster;
use crate::survey::Warning;

use super::{Output, show};

/// Takes the warnings of a survey.
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
        Warning::RunsUnreadable { namespace } => unreadable("the last run", namespace),
        Warning::LocksUnreadable { namespace } => unreadable("the lock", namespace),
    }
}

fn unreadable(what: &str, namespace: &str) -> String {
    format!("{what} cannot be shown: it may not be read in namespace {namespace}")
}

/// Says how much was asked, to whoever wants to know everything.
pub(super) fn say_requests(cluster: &Cluster, output: &Output) {
    if output.verbose > 0 {
        show::say(&format!(
            "asked {} ({}): {} requests",
            cluster.server(),
            cluster.version(),
            cluster.requests()
        ));
    }
}
