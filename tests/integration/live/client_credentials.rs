//! Credential plugins and token files, and a lock that is renewed while all other requests hang.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use armada2flux::cluster::{Access, Renewed, Taken};
use futures::future::{join_all, select};
use serde_json::{Value, json};

use super::client::{access, config_maps, connect, kubeconfig};
use super::{Scope, Test, ensure};
use crate::bed::Outcome;
use crate::bed::program::Program;
use crate::bed::proxy::{Fault, Rule};
use crate::support;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("client_credentials::plugins_have_limits", limits),
        Test::shared("client_credentials::a_plugin_runs_once", once),
        Test::shared("client_credentials::a_token_file_is_trimmed", file),
        Test::shared("client_credentials::a_lease_does_not_queue", lease),
    ]
}

fn token(scope: &Scope<'_>) -> Outcome<String> {
    let config: Value = serde_json::from_slice(&fs::read(&scope.bed.kubeconfig)?)?;
    let token = config["users"][0]["user"]["token"].as_str();
    Ok(token.ok_or("the tester has no token")?.to_owned())
}

fn credential(status: &Value) -> String {
    json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status,
    })
    .to_string()
}

/// Writes a kubeconfig whose plugin is a shell script.
pub(super) fn plugin(scope: &Scope<'_>, name: &str, script: &str) -> Outcome<PathBuf> {
    let path = scope
        .bed
        .path()
        .join(format!("{}-{name}.sh", scope.namespace));
    fs::write(&path, format!("#!/bin/sh\n{script}\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    let user = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": path, "interactiveMode": "Never",
    }});
    kubeconfig(scope, name, &user, &json!({}))
}

/// Runs `status`; returns its exit code and its errors.
fn status(kubeconfig: &Path) -> Outcome<(Option<i32>, String)> {
    let mut command = support::program();
    command.args(["status", "--site", "none", "--kubeconfig"]);
    command.arg(kubeconfig);
    let ran = command.output()?;
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    Ok((ran.status.code(), said))
}

/// Asks for the version with kubectl.
fn kubectl(scope: &Scope<'_>, kubeconfig: &Path) -> Outcome<String> {
    let path = kubeconfig.display().to_string();
    let arguments = ["--kubeconfig", &path, "get", "--raw", "/version"];
    scope.bed.run(Program::Kubectl, &arguments)
}

fn limits(scope: &Scope<'_>) -> Outcome {
    // A good credential follows, so a program without a limit accepts it.
    let good = credential(&json!({"token": token(scope)?}));
    let long = format!("head -c 4194304 /dev/zero | tr '\\0' ' '; echo '{good}'");
    let line = credential(&json!({"token": "hunter2-token\n"}));
    let mut faults = Vec::new();
    let line = format!("cat <<'END'\n{line}\nEND");
    for (name, script, expected) in [
        (
            "long",
            &*long,
            "the credential plugin printed more than 1048576 bytes",
        ),
        (
            "endless",
            "exec head -c 268435456 /dev/zero",
            "the credential plugin printed more than 1048576 bytes",
        ),
        (
            "line",
            &*line,
            "the token of the credential plugin holds a line break or another control character",
        ),
        (
            "empty",
            &*format!("echo '{}'", credential(&json!({}))),
            "the credential plugin printed no credentials",
        ),
    ] {
        let kubeconfig = plugin(scope, name, script)?;
        let (code, said) = status(&kubeconfig)?;
        if code != Some(1) || !said.contains(expected) || said.contains("hunter2") {
            faults.push(format!("{name}: {code:?} {said}"));
        }
    }
    ensure(faults.is_empty(), || faults.join("\n"))?;
    // kubectl refuses such a token, too.
    let line = kubectl(scope, &plugin(scope, "kubectl", &line)?);
    ensure(line.is_err(), || "kubectl accepts it".to_owned())
}

/// A plugin may ask the user, or take seconds: it runs once, and again when its token is about to expire.
fn once(scope: &Scope<'_>) -> Outcome {
    let runs = scope.bed.path().join(format!("{}-runs", scope.namespace));
    let counted = |status: Value| {
        format!(
            "echo run >> '{}'; echo '{}'",
            runs.display(),
            credential(&status)
        )
    };
    let count = || -> Outcome<usize> {
        let lines = fs::read_to_string(&runs)?.lines().count();
        fs::remove_file(&runs)?;
        Ok(lines)
    };
    let token = token(scope)?;
    for (name, expires, expected) in [
        ("never", json!(null), 1),
        ("late", json!("2100-01-01T00:00:00Z"), 1),
        // Once to connect, and before each of three requests.
        ("early", json!("2020-01-01T00:00:00Z"), 4),
    ] {
        let status = json!({"token": token, "expirationTimestamp": expires});
        let kubeconfig = plugin(scope, name, &counted(status))?;
        let cluster = connect(scope, &access(&kubeconfig))?;
        for _ in 0..2 {
            let kind = config_maps();
            let list = cluster.list(&kind, Some(&scope.namespace), None);
            scope.bed.block_on(list)?;
        }
        let found = count()?;
        ensure(found == expected, || format!("{name}: {found} runs"))?;
    }
    Ok(())
}

/// Editors and `echo` end a file with a line break, and kubectl accepts that.
fn file(scope: &Scope<'_>) -> Outcome {
    let path = scope.bed.path().join(format!("{}-token", scope.namespace));
    let kubeconfig = kubeconfig(scope, "file", &json!({"tokenFile": path}), &json!({}))?;
    let token = token(scope)?;
    for text in [format!("{token}\n"), format!("  {token}\r\n\n")] {
        fs::write(&path, &text)?;
        kubectl(scope, &kubeconfig)?;
        let (code, said) = status(&kubeconfig)?;
        ensure(code == Some(0), || format!("{code:?} {said}"))?;
    }
    for (text, expected) in [
        ("hunter2\0token", "holds a line break or another control"),
        ("hunter2\nhunter2", "holds a line break or another control"),
        ("\n", "holds no token"),
    ] {
        fs::write(&path, text)?;
        let (code, said) = status(&kubeconfig)?;
        ensure(
            code == Some(1) && said.contains(expected) && !said.contains("hunter2"),
            || format!("{code:?} {said}"),
        )?;
    }
    Ok(())
}

/// All requests that may run at once hang, with a long limit: a Lease is renewed nevertheless.
fn lease(scope: &Scope<'_>) -> Outcome {
    const LONG: Duration = Duration::from_secs(60);
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let patient = Access {
        timeout: Some(LONG),
        ..access(&proxy.kubeconfig)
    };
    let cluster = connect(scope, &patient)?.retry_for(LONG);
    let here = scope.namespace.as_str();
    let taken = cluster.take_lease(here, "lock", "me", 600, |_| false);
    let Taken::Held(mut lease) = scope.bed.block_on(taken)? else {
        return Err("another client holds it".into());
    };
    proxy.add_rule(Rule::new(Fault::Delay(LONG)).path("/configmaps"));
    // The connection of the first renewal is dead, too.
    proxy.add_rule(Rule::new(Fault::Delay(LONG)).method("PUT").times(1));
    let kind = config_maps();
    let lists = join_all((0..32).map(|_| cluster.list(&kind, Some(here), None)));
    let renewed = async {
        tokio::time::timeout(LONG / 2, cluster.renew_lease(&mut lease))
            .await
            .map_err(|_| "it is not renewed in time")
    };
    let first = scope
        .bed
        .block_on(async { select(Box::pin(lists), Box::pin(renewed)).await });
    match first {
        futures::future::Either::Right((renewed, _)) => {
            let renewed = renewed??;
            ensure(matches!(renewed, Renewed::Done), || format!("{renewed:?}"))
        }
        futures::future::Either::Left(_) => Err("the lists do not hang".into()),
    }
}
