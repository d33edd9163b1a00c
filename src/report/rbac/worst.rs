//! What stands above the objects: how to use them, and what the account could do at worst.

use super::{Account, Roles, Rule};
use crate::cluster::{Rights, Verb};

/// Returns the lines of the comment.
pub(super) fn lines(account: &Account, roles: &Roles) -> Vec<String> {
    let Account {
        name,
        namespace,
        sites,
        rights,
    } = account;
    let commands = match rights {
        Rights::Diff => "`armada2flux diff` and `armada2flux plan`",
        Rights::Apply => "`armada2flux plan`, `armada2flux apply` and `armada2flux status`",
    };
    let sites: Vec<String> = sites.iter().map(|site| format!("`{site}`")).collect();
    let namespaces: Vec<&str> = roles.keys().flatten().map(|name| &**name).collect();
    let mut lines = vec![
        format!("What {commands} need in a cluster for site {}, and no more.", sites.join(", ")),
        String::new(),
        "  kubectl apply --server-side -f FILE".to_owned(),
        format!("  kubectl create token {name} -n {namespace}"),
        String::new(),
        "Its roles are in these namespaces, which must exist. They are not in this file, since deleting the file's objects"
            .to_owned(),
        "would delete them:".to_owned(),
        format!("  {}", namespaces.join(", ")),
        String::new(),
        "At worst, the account".to_owned(),
    ];
    for sentence in sentences(*rights, roles) {
        lines.push(format!("- {sentence}"));
    }
    lines
}

fn sentences(rights: Rights, roles: &Roles) -> Vec<String> {
    let mut sentences = Vec::new();
    match rights {
        Rights::Diff => sentences.push(
            "writes all that it may ask dry runs of, if the admission policy at the end is missing: Kubernetes requires the \
             permission of the write for a dry run"
                .to_owned(),
        ),
        Rights::Apply => {
            sentences.push(
                "installs everything that the account of Flux's helm-controller may install"
                    .to_owned(),
            );
            sentences.push(
                "creates tokens of any service account in the namespaces where it may create Secrets, if the admission \
                 policy at the end is missing"
                    .to_owned(),
            );
        }
    }
    let mut say = |what: &str, resource: &str, verbs: &[Verb]| {
        if let Some(places) = places(roles, resource, verbs) {
            sentences.push(format!("{what} {places}"));
        }
    };
    say(
        "reads every HelmRelease, with the values in it,",
        "helmreleases",
        &[Verb::List],
    );
    say("reads every Secret", "secrets", &[Verb::List, Verb::Get]);
    say(
        "reads every ConfigMap",
        "configmaps",
        &[Verb::List, Verb::Get],
    );
    say("reads the logs of every Pod", "pods/log", &[Verb::Get]);
    if rights == Rights::Apply {
        say("changes every Secret", "secrets", &[Verb::Patch]);
        say("changes every ConfigMap", "configmaps", &[Verb::Patch]);
        say(
            "changes every Namespace, its labels included,",
            "namespaces",
            &[Verb::Patch],
        );
    }
    for resource in ["jobs", "cronjobs", "pods"] {
        let what = format!("deletes all {resource}");
        say(&what, resource, &[Verb::Delete]);
    }
    sentences
}

/// Returns where one of these verbs is granted.
fn places(roles: &Roles, resource: &str, verbs: &[Verb]) -> Option<String> {
    let grants = |rule: &Rule| {
        rule.resources.contains(resource) && verbs.iter().any(|verb| rule.verbs.contains(verb))
    };
    let roles = roles.iter().filter(|(_, rules)| rules.iter().any(grants));
    let places: Vec<Option<&str>> = roles.map(|(place, _)| place.as_deref()).collect();
    if places.contains(&None) {
        return Some("of the cluster".to_owned());
    }
    let names: Vec<&str> = places.into_iter().flatten().collect();
    (!names.is_empty()).then(|| format!("of these namespaces: {}", names.join(", ")))
}
