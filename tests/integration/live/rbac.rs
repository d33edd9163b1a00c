//! Accounts that `rbac` generates: enough for `diff`, `plan` and `apply` of a small site, and not for more.

use std::path::{Path, PathBuf};

use serde_json::json;

use super::client::kubeconfig;
use super::small_site::{self, SmallSite, WITHIN, ended};
use super::{Scope, Test, diff, ensure, run_to_end};
use crate::bed::program::Program;
use crate::bed::{Outcome, until};
use crate::support::{self, ProgramOutput};

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("rbac::generated_accounts_suffice", suffice),
        Test::shared("rbac::diff_goes_on_without_secrets", without_secrets),
    ]
}

/// Creates the account that `rbac` prints for a tree; returns its kubeconfig.
fn account(scope: &Scope<'_>, tree: &Path, name: &str, options: &[&str]) -> Outcome<PathBuf> {
    let mut command = support::program();
    command.arg("rbac").arg(tree).args(options);
    command.args(["--account", name, "--account-namespace", &scope.namespace]);
    command.args(["--state-namespace", &scope.namespace]);
    let printed = run_to_end(&mut command)?;
    ended(&printed, 0, &["kind: ServiceAccount"])?;
    let kubectl =
        |arguments: &[&str], input: &str| scope.bed.run_with(Program::Kubectl, arguments, input);
    kubectl(&["apply", "--server-side", "-f", "-"], &printed.stdout)?;
    let token = kubectl(&["create", "token", name, "-n", &scope.namespace], "")?;
    kubeconfig(scope, name, &json!({"token": token.trim()}), &json!({}))
}

/// Runs `diff` or `plan` until it ends with `code`: the API server takes a moment to use new roles.
fn ask(kubeconfig: &Path, command: &str, tree: &Path, code: i32) -> Outcome<ProgramOutput> {
    let mut last = None;
    let found = until(WITHIN, || {
        let mut program = support::program();
        program
            .arg(command)
            .arg(tree)
            .arg("--kubeconfig")
            .arg(kubeconfig);
        let ran = run_to_end(&mut program)?;
        let done = ran.code == Some(code);
        last = Some(format!("{ran:?}"));
        Ok(done.then_some(ran))
    });
    found.map_err(|error| format!("{command}: {error}: {last:?}").into())
}

/// Fails unless kubectl, with this kubeconfig, is refused to write the object for this reason.
fn refused(scope: &Scope<'_>, kubeconfig: &Path, object: &serde_json::Value, why: &str) -> Outcome {
    let kubeconfig = format!("--kubeconfig={}", kubeconfig.display());
    // A policy acts a moment after it is written; a name of its own for each try.
    let mut tries = 0;
    until(WITHIN, || {
        tries += 1;
        let mut object = object.clone();
        object["metadata"]["name"] = json!(format!("not-allowed-{tries}"));
        let arguments = ["create", &kubeconfig, "-f", "-"];
        let ran = scope
            .bed
            .run_with(Program::Kubectl, &arguments, &object.to_string());
        match ran {
            Ok(_) => Ok(None),
            Err(error) => ensure(error.to_string().contains(why), || error.to_string()).map(Some),
        }
    })
}

fn suffice(scope: &Scope<'_>) -> Outcome {
    let commit = small_site::commit(scope)?;
    let site = SmallSite::create(scope, &commit, &scope.namespace)?;
    let tree = site.tree_with("one", &[], &["--values-in=secret"])?;
    let reads = account(scope, &tree, "reads", &["--for=diff"])?;
    let ran = ask(&reads, "diff", &tree, 0)?;
    ensure(ran.stderr.is_empty(), || ran.stderr.clone())?;
    ask(&reads, "plan", &tree, 0)?;
    let secret = |kind: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret", "type": kind,
            "metadata": {
                "namespace": scope.namespace,
                "annotations": {"kubernetes.io/service-account.name": "default"},
            },
        })
    };
    refused(
        scope,
        &reads,
        &secret("Opaque"),
        "may only ask what a write would do",
    )?;
    let writes = account(scope, &tree, "writes", &["--for=apply"])?;
    ask(&writes, "plan", &tree, 0)?;
    let ran = site.apply_at(&writes, &tree, &[])?;
    ended(&ran, 0, &[])?;
    ensure(!ran.stderr.contains("warning: "), || ran.stderr.clone())?;
    let token = secret("kubernetes.io/service-account-token");
    refused(
        scope,
        &writes,
        &token,
        "may not create tokens of service accounts",
    )?;
    let mut elsewhere = token;
    elsewhere["metadata"]["namespace"] = json!("kube-system");
    refused(
        scope,
        &writes,
        &elsewhere,
        "cannot create resource \"secrets\"",
    )?;
    let upgraded = site.tree_with("two", &[], &["--values-in=secret"])?;
    // Jobs are deleted before an upgrade.
    let pause = ["--pause-after", "1"];
    ended(&site.apply_at(&writes, &upgraded, &pause)?, 0, &[])?;
    ended(&site.apply_at(&writes, &upgraded, &["--resume"])?, 0, &[])?;
    let mut status = support::program();
    status.arg("status").arg("--site").arg(&site.name);
    status.args(["--state-namespace", &site.name]);
    status.arg("--kubeconfig").arg(&writes);
    let told = run_to_end(&mut status)?;
    ended(&told, 0, &[&site.name])?;
    ensure(!told.stderr.contains("warning: "), || told.stderr.clone())
}

fn without_secrets(scope: &Scope<'_>) -> Outcome {
    let tree = diff::held_by_helm(scope)?;
    let kubeconfig = account(scope, &tree, "blind", &["--for=diff", "--without-secrets"])?;
    let ran = ask(&kubeconfig, "diff", &tree, 0)?;
    let report = {
        let folder = tree.display().to_string();
        diff::diff(scope, &kubeconfig, &[&folder, "--report=json"])?
    };
    let report = diff::json(&report, 0)?;
    ensure(
        report["takeovers_unseen"] == json!([scope.namespace])
            && report["summary"]["takeovers"] == 0
            && ran.stdout.contains("takeovers are not seen")
            && ran.stderr.contains("warning: takeovers in namespace"),
        || format!("{report} {ran:?}"),
    )?;
    let ran = ask(&kubeconfig, "plan", &tree, 1)?;
    let line = format!(
        "no permission to list Secret in namespace {}",
        scope.namespace
    );
    ensure(ran.stderr.contains(&line), || format!("{ran:?}"))
}
