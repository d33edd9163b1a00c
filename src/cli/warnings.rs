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

/// Says what objects in the cluster may be that have the name of the site and are not in the input: Manifests of one name
/// are one site, unless an option tells them apart.
pub(super) fn say_left_over(left_over: usize, output: &Output) {
    if left_over > 0 && !output.quiet {
        let (objects, them) = match left_over {
            1 => ("1 object".to_owned(), "it"),
            number => (format!("{number} objects"), "them"),
        };
        show::say(&format!(
            "left over: {objects} of this site in the cluster; if another Manifest of the same name deployed {them}, give \
             each Manifest its own name with `--site`"
        ));
    }
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
