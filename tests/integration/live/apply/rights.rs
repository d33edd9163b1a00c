//! The published accounts have enough permissions, and each missing permission is named.

use std::path::{Path, PathBuf};

use armada2flux::cluster::Rights;
use serde_json::{Value, json};

use super::{Scope, Test, apply, diff, ensure, site, story::Story};
use crate::bed::armada::Site;
use crate::bed::program::Program;
use crate::bed::{Outcome, until};
use crate::support::ProgramOutput;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("apply::needs_only_its_published_role", enough),
        Test::shared("apply::names_each_missing_permission", less),
    ]
}

/// Permissions that only improve messages or save requests, or that a cluster without Armada does not need.
const NOT_MISSED: [&str; 4] = [
    "events",
    "pods/log",
    "locks",
    // Without those of this group, each object is asked about.
    "mutatingadmissionpolicies",
];

fn enough(scope: &Scope<'_>) -> Outcome {
    // The runs of the story, and the diff after them, use such an account.
    let story = Story::get(scope)?;
    ensure(story.is_an_accounts(), || "another user ran it".to_owned())
}

/// The objects of a published file.
fn published(scope: &Scope<'_>, rights: Rights) -> Outcome<Vec<Value>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(rights.file());
    let file = format!("--filename={}", file.display());
    let arguments = ["create", "--dry-run=client", "--output=json", &file];
    let text = scope.bed.run(Program::Kubectl, &arguments)?;
    let objects = serde_json::Deserializer::from_str(&text).into_iter();
    Ok(objects.collect::<Result<_, _>>()?)
}

/// A user without one permission of a published file.
#[derive(Debug)]
struct Lacking {
    user: String,
    verb: String,
    resources: Vec<String>,
    /// Whether a run needs it.
    missed: bool,
    objects: Vec<Value>,
}

/// Returns a user for each permission, except for resources in `also`, which are not needed either.
fn lacking(scope: &Scope<'_>, rights: Rights, also: &[&str]) -> Outcome<Vec<Lacking>> {
    let published = published(scope, rights)?;
    let roles: Vec<&Value> = published
        .iter()
        .filter(|object| object["rules"].is_array())
        .collect();
    let texts = |value: &Value| -> Vec<String> {
        let all = value.as_array().into_iter().flatten();
        all.filter_map(|text| text.as_str().map(str::to_owned))
            .collect()
    };
    let mut users = Vec::new();
    for (at, role) in roles.iter().enumerate() {
        for (rule_at, rule) in role["rules"].as_array().into_iter().flatten().enumerate() {
            let resources = texts(&rule["resources"]);
            for verb in texts(&rule["verbs"]) {
                let user = format!("{}-{}", scope.namespace, users.len());
                let user = format!("{user}-{}", rights.file().len());
                let mut objects = Vec::new();
                for (other, role) in roles.iter().enumerate() {
                    let mut role = (*role).clone();
                    if other == at {
                        let mut verbs = texts(&rule["verbs"]);
                        verbs.retain(|kept| *kept != verb);
                        role["rules"][rule_at]["verbs"] = json!(verbs);
                        if verbs.is_empty() {
                            role["rules"].as_array_mut().map(|all| all.remove(rule_at));
                        }
                    }
                    objects.extend(bound(&role, &user));
                }
                let all = NOT_MISSED.iter().chain(also);
                let named = all
                    .clone()
                    .any(|name| resources.iter().any(|one| one == name));
                users.push(Lacking {
                    user,
                    verb,
                    resources: resources.clone(),
                    missed: !named,
                    objects,
                });
            }
        }
    }
    let objects: Vec<&Value> = users.iter().flat_map(|user| &user.objects).collect();
    scope
        .bed
        .apply(&json!({"apiVersion": "v1", "kind": "List", "items": objects}))?;
    Ok(users)
}

/// Returns a role with the user's name, and its binding.
fn bound(role: &Value, user: &str) -> [Value; 2] {
    let (kind, namespace) = (&role["kind"], &role["metadata"]["namespace"]);
    let mut metadata = json!({"name": user});
    if namespace.is_string() {
        metadata["namespace"] = namespace.clone();
    }
    let group = "rbac.authorization.k8s.io";
    let version = "rbac.authorization.k8s.io/v1";
    let binding = format!("{}Binding", kind.as_str().unwrap_or_default());
    [
        json!({"apiVersion": version, "kind": kind, "metadata": metadata, "rules": role["rules"]}),
        json!({
            "apiVersion": version, "kind": binding, "metadata": metadata,
            "roleRef": {"apiGroup": group, "kind": kind, "name": user},
            "subjects": [{"kind": "User", "apiGroup": group, "name": user}],
        }),
    ]
}

/// Parses verb and resource of each permission that is reported missing.
fn missing(said: &str) -> Vec<(String, String)> {
    let lines = said.lines().filter_map(|line| {
        let (verb, rest) = line
            .trim()
            .strip_prefix("no permission to ")?
            .split_once(' ')?;
        let kind = rest.split(' ').next()?.to_lowercase();
        let (kind, part) = match kind.split_once('/') {
            Some((kind, part)) => (kind, format!("/{part}")),
            None => (kind.as_str(), String::new()),
        };
        let resource = match kind.strip_suffix('y') {
            Some(stem) => format!("{stem}ies"),
            None => format!("{kind}s"),
        };
        Some((verb.to_owned(), resource + &part))
    });
    lines.collect()
}

/// Whether a run reports the permission that its user lacks, and nothing else.
fn is_named(lacking: &Lacking, ran: &ProgramOutput, code: i32) -> bool {
    let missing = missing(&ran.stderr);
    let named = |(verb, resource): &(String, String)| {
        *verb == lacking.verb && lacking.resources.contains(resource)
    };
    if lacking.missed {
        ran.code == Some(code) && !missing.is_empty() && missing.iter().all(named)
    } else {
        ran.code == Some(0) && missing.is_empty()
    }
}

fn less(scope: &Scope<'_>) -> Outcome {
    let site = Site::worked(scope.bed, "al")?.renamed("al")?;
    // So that ConfigMaps and Secrets are written as well.
    let options = [
        "--site=apply-less",
        "--source-namespace=release",
        "--values-in=configmap",
        "--split-secrets",
    ];
    let tree: PathBuf = site::convert(scope, &site, "apply-less", &options)?;
    let folder = tree.display().to_string();
    let kubeconfig = &scope.bed.kubeconfig;
    for (rights, also, code) in [
        (Rights::Apply, &[][..], 4),
        // Versions of controllers are only reported.
        (Rights::Diff, &["deployments"], 1),
    ] {
        let users = lacking(scope, rights, also)?;
        ensure(users.len() > 8, || format!("{users:?}"))?;
        for lacking in &users {
            let user = format!("--as={}", lacking.user);
            // The API server takes a moment to use a new role.
            let mut last = None;
            let named = until(site::READY_WITHIN / 8, || {
                let ran = match rights {
                    Rights::Apply => apply(scope, kubeconfig, &tree, &[&user, "--dry-run", "-q"]),
                    Rights::Diff => diff::diff(scope, kubeconfig, &[&folder, &user, "-q"]),
                }?;
                let named = is_named(lacking, &ran, code);
                last = Some(ran);
                Ok(named.then_some(()))
            });
            named.map_err(|error| {
                let Lacking {
                    verb, resources, ..
                } = lacking;
                format!("without {verb} of {resources:?} ({error}): {last:?}")
            })?;
        }
    }
    Ok(())
}
