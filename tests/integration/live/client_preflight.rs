//! What the program's own client finds missing before a run.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use armada2flux::cluster::{
    Access, ApplyResult, Controllers, Missing, Permission, Requirements, Rights, Verb,
};
use serde_json::json;

use super::client::{
    ACTS_WITHIN, HELM, access, config_maps, connect, helm_releases, kubeconfig, map, object,
    release, tester,
};
use super::{Scope, Test, ensure};
use crate::bed::Outcome;
use crate::bed::program::Program;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("client::preflight_names_all_that_is_missing", preflight),
        Test::shared("client::the_published_permissions_are_enough", permissions),
        Test::shared("client::subresources_need_permissions", parts),
    ]
}

/// Rights for the user `name`: the verbs on HelmReleases, here.
fn allow(scope: &Scope<'_>, name: &str, verbs: &[&str]) -> Outcome {
    scope.bed.apply(&json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": name, "namespace": scope.namespace},
        "rules": [{"apiGroups": ["helm.toolkit.fluxcd.io"], "resources": ["helmreleases"], "verbs": verbs}],
    }))?;
    scope.bed.apply(&json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": scope.namespace},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name},
        "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": name}],
    }))
}

fn needs(scope: &Scope<'_>, kinds: &[(&str, &str)]) -> Requirements {
    let verbs = [Verb::List, Verb::Create, Verb::Patch];
    let permission = |(api_version, kind): (&str, &str), verb| Permission {
        verb,
        api_version: api_version.into(),
        kind: kind.into(),
        subresource: None,
        namespace: Some(scope.namespace.as_str().into()),
    };
    Requirements {
        kinds: BTreeSet::new(),
        permissions: kinds
            .iter()
            .flat_map(|kind| verbs.map(|verb| permission(*kind, verb)))
            .collect(),
        controllers: vec!["helm-controller".into(), "notification-controller".into()],
    }
}

fn preflight(scope: &Scope<'_>) -> Outcome {
    allow(scope, "reader", &["list", "patch"])?;
    let asked = needs(
        scope,
        &[
            (HELM, "HelmRelease"),
            ("helm.toolkit.fluxcd.io/v2beta1", "HelmRelease"),
            ("example.org/v1", "Nothing"),
        ],
    );
    let reader = Access {
        user: Some("reader".to_owned()),
        ..access(&scope.bed.kubeconfig)
    };
    let cluster = connect(scope, &reader)?;
    let found = scope.bed.block_on(cluster.preflight(&asked))?;
    ensure(
        matches!(&found.controllers, Controllers::Unreadable(why) if why.contains("deployments")),
        || format!("{:?}", found.controllers),
    )?;
    let create = Missing::Permission(Permission {
        verb: Verb::Create,
        api_version: HELM.into(),
        kind: "HelmRelease".into(),
        subresource: None,
        namespace: Some(scope.namespace.as_str().into()),
    });
    let permissions: Vec<_> = found
        .missing
        .iter()
        .filter(|requirement| matches!(requirement, Missing::Permission(_)))
        .collect();
    ensure(permissions == [&create], || format!("{:?}", found.missing))?;
    let Err(error) = found.complete() else {
        return Err("nothing is reported missing".into());
    };
    let text = error.to_string();
    let head = format!(
        "the cluster at {} does not meet the requirements",
        cluster.server()
    );
    let missing = error.missing().iter();
    let missing: Vec<String> = missing.map(ToString::to_string).collect();
    let expected = [
        "kind Nothing of example.org/v1 is not served (no version of example.org is)".to_owned(),
        "kind HelmRelease of helm.toolkit.fluxcd.io/v2beta1 is not served (of \
         helm.toolkit.fluxcd.io: v2)"
            .to_owned(),
        format!(
            "no permission to create HelmRelease of helm.toolkit.fluxcd.io in namespace {}",
            scope.namespace
        ),
    ];
    ensure(text == head && missing == expected, || {
        format!("{text} {missing:?}")
    })?;
    // The dry run says the same.
    let sent = object(&release(scope, json!({})))?;
    let done = scope
        .bed
        .block_on(cluster.dry_run_apply(&sent, None, false))?;
    ensure(
        matches!(&done, ApplyResult::Forbidden { message } if message.contains("cannot create")),
        || format!("{done:?}"),
    )?;
    let Err(error) = scope
        .bed
        .block_on(cluster.list(&config_maps(), Some("default"), None))
    else {
        return Err("the list is allowed".into());
    };
    let text = error.to_string();
    ensure(
        text.starts_with("cannot list configmaps in namespace default at https://127.0.0.1:")
            && text.contains(
                "permission denied: configmaps is forbidden: User \"reader\" cannot list",
            ),
        || text.clone(),
    )?;
    // A user with all permissions needs one review per verb and kind.
    let cluster = tester(scope)?;
    let before = cluster.requests();
    let found = scope
        .bed
        .block_on(cluster.preflight(&needs(scope, &[(HELM, "HelmRelease")])))?;
    let asked = cluster.requests() - before;
    // The kinds of one apiVersion, three verbs, Flux's deployments.
    ensure(asked == 5, || format!("{asked} requests"))?;
    ensure(
        found.kind(HELM, "HelmRelease") == Some(&helm_releases()),
        || format!("{:?}", found.kinds),
    )?;
    ensure(
        found.missing == [Missing::Controller("notification-controller".into())],
        || format!("{:?}", found.missing),
    )
}

/// Creates the account of a published file under a name of the test; returns its name and its kubeconfig.
pub(super) fn account(scope: &Scope<'_>, rights: Rights) -> Outcome<(String, PathBuf)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(rights.file());
    let file = fs::read_to_string(file)?;
    let (published, name) = match rights {
        Rights::Diff => ("armada2flux-diff", format!("{}-diff", scope.namespace)),
        Rights::Apply => ("armada2flux-apply", format!("{}-apply", scope.namespace)),
    };
    let kubectl =
        |arguments: &[&str], input: &str| scope.bed.run_with(Program::Kubectl, arguments, input);
    kubectl(
        &["apply", "--server-side", "--force-conflicts", "-f", "-"],
        &file.replace(published, &name),
    )?;
    let token = kubectl(&["create", "token", &name, "-n", "flux-system"], "")?;
    let user = json!({"token": token.trim()});
    let path = kubeconfig(scope, &name, &user, &json!({}))?;
    Ok((name, path))
}

/// Permissions on subresources, and to replace objects, are checked and reported as such.
fn parts(scope: &Scope<'_>) -> Outcome {
    let (name, path) = account(scope, Rights::Apply)?;
    let cluster = connect(scope, &access(&path))?.rights(Rights::Apply);
    let permission = |verb,
                      (api_version, kind): (&str, &str),
                      part: Option<&str>,
                      namespace: Option<&str>| Permission {
        verb,
        api_version: api_version.into(),
        kind: kind.into(),
        subresource: part.map(Into::into),
        namespace: namespace.map(Into::into),
    };
    let here = Some(scope.namespace.as_str());
    let home = Some("flux-system");
    let allowed = [
        permission(Verb::Get, ("v1", "Pod"), Some("log"), here),
        permission(Verb::Patch, (HELM, "HelmRelease"), Some("status"), here),
        permission(
            Verb::Update,
            ("coordination.k8s.io/v1", "Lease"),
            None,
            home,
        ),
    ];
    let denied = [
        permission(
            Verb::Patch,
            ("source.toolkit.fluxcd.io/v1", "GitRepository"),
            Some("status"),
            here,
        ),
        permission(Verb::Delete, (HELM, "HelmRelease"), None, here),
        permission(Verb::Get, ("v1", "Pod"), None, here),
        permission(
            Verb::Update,
            ("coordination.k8s.io/v1", "Lease"),
            None,
            here,
        ),
    ];
    let asked = Requirements {
        permissions: allowed.iter().chain(&denied).cloned().collect(),
        ..Requirements::default()
    };
    let missing = || -> Outcome<_> { Ok(scope.bed.block_on(cluster.preflight(&asked))?) };
    let found = missing()?;
    ensure(
        denied
            .iter()
            .all(|permission| found.lacks_permission(permission))
            && found.missing.len() == denied.len(),
        || format!("{:?}", found.missing),
    )?;
    // One permission less.
    let rule = json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]});
    let less = json!({"rules": [rule]}).to_string();
    let arguments = ["patch", "clusterrole", &name, "--type=merge", "-p", &less];
    scope.bed.run(Program::Kubectl, &arguments)?;
    let found = crate::bed::until(ACTS_WITHIN, || {
        let found = missing()?;
        Ok(found.lacks_permission(&allowed[0]).then_some(found))
    })?;
    let Err(error) = found.complete() else {
        return Err("nothing is reported missing".into());
    };
    let line = format!(
        "no permission to get Pod/log in namespace {}",
        scope.namespace
    );
    let mut missing = error.missing().iter();
    ensure(
        missing.any(|missing| missing.to_string() == line)
            && error
                .hint()
                .is_some_and(|hint| hint.contains("docs/deploy/rbac-apply.yaml")),
        || format!("{error:?} {:?}", error.hint()),
    )
}

fn permissions(scope: &Scope<'_>) -> Outcome {
    let (_, path) = account(scope, Rights::Diff)?;
    let cluster = connect(scope, &access(&path))?;
    let mut asked = needs(
        scope,
        &[
            (HELM, "HelmRelease"),
            ("source.toolkit.fluxcd.io/v1", "GitRepository"),
            ("source.toolkit.fluxcd.io/v1", "HelmRepository"),
            ("source.toolkit.fluxcd.io/v1", "OCIRepository"),
            ("v1", "Namespace"),
            ("v1", "Secret"),
            ("v1", "ConfigMap"),
        ],
    );
    asked.controllers.clear();
    scope.bed.block_on(cluster.preflight(&asked))?.complete()?;
    // A dry run is allowed, a write is not.
    let sent = object(&release(scope, json!({})))?;
    let done = scope
        .bed
        .block_on(cluster.dry_run_apply(&sent, None, false))?;
    ensure(
        matches!(done, ApplyResult::Applied { created: true, .. }),
        || format!("{done:?}"),
    )?;
    let start = std::time::Instant::now();
    let path = path.display().to_string();
    let text = map(scope, "written", json!({})).to_string();
    loop {
        let arguments = [
            "apply",
            "--server-side",
            "--kubeconfig",
            path.as_str(),
            "-f",
            "-",
        ];
        match scope.bed.run_with(Program::Kubectl, &arguments, &text) {
            Err(error) => {
                let said = error.to_string();
                return ensure(said.contains("may only ask what a write would do"), || said);
            }
            Ok(_) if start.elapsed() > ACTS_WITHIN => return Err("it may write".into()),
            Ok(_) => std::thread::sleep(Duration::from_millis(200)),
        }
    }
}
