//! Servers and kubeconfigs that do harm: answers without an end, plain HTTP, tokens that HTTP cannot carry.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use armada2flux::cluster::{Access, Cause, Error};
use serde_json::json;

use super::client::{access, connect, kubeconfig};
use super::client_faults::{cause, fails};
use super::{Scope, Test, ensure};
use crate::bed::Outcome;
use crate::bed::program::Program;
use crate::support;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("client_hostile::answers_end", answers),
        Test::shared("client_hostile::no_secret_over_plain_http", plain),
        Test::shared("client_hostile::wrong_fields_are_named", fields),
    ]
}

/// Starts a server without TLS that keeps the head of every request and answers by `answer`.
fn server(
    answer: impl Fn(&mut TcpStream) -> io::Result<()> + Send + Sync + 'static,
) -> Outcome<(String, Arc<Mutex<Vec<String>>>)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = Arc::clone(&heads);
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (answer, kept) = (Arc::clone(&answer), Arc::clone(&kept));
            thread::spawn(move || -> io::Result<()> {
                let mut client = client;
                let mut lines = BufReader::new(client.try_clone()?).lines();
                let mut head = String::new();
                while let Some(line) = lines.next().transpose()?.filter(|line| !line.is_empty()) {
                    head.push_str(&line);
                    head.push('\n');
                }
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(head);
                answer(&mut client)
            });
        }
    });
    Ok((url, heads))
}

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\r\n";

fn at(scope: &Scope<'_>, name: &str, url: &str, timeout: Duration) -> Outcome<Access> {
    Ok(Access {
        timeout: Some(timeout),
        ..access(&kubeconfig(
            scope,
            name,
            &json!({}),
            &json!({"server": url}),
        )?)
    })
}

/// An answer that comes byte by byte, and one that is too long.
fn answers(scope: &Scope<'_>) -> Outcome {
    let timeout = Duration::from_millis(400);
    let (drips, _) = server(move |client| {
        client.write_all(HEAD)?;
        loop {
            client.write_all(b" ")?;
            client.flush()?;
            thread::sleep(timeout / 8);
        }
    })?;
    let error = fails(scope, &at(scope, "drips", &drips, timeout)?, &[])?;
    ensure(*cause(&error)? == Cause::Slow(timeout * 10), || {
        format!("{error:?}")
    })?;
    let (floods, _) = server(|client| {
        client.write_all(HEAD)?;
        let spaces = vec![b' '; 1 << 20];
        loop {
            client.write_all(&spaces)?;
        }
    })?;
    let error = fails(
        scope,
        &at(scope, "floods", &floods, Duration::from_secs(9))?,
        &[],
    )?;
    let text = error.to_string();
    ensure(
        text.ends_with("longer than 128 MiB, the most that is read"),
        || text.clone(),
    )
}

/// Asks for the version with kubectl.
fn version(scope: &Scope<'_>, kubeconfig: &str) -> Outcome<String> {
    let arguments = ["--kubeconfig", kubeconfig, "get", "--raw", "/version"];
    scope.bed.run(Program::Kubectl, &arguments)
}

/// Runs `status` to its end.
fn status(kubeconfig: &str) -> Outcome<Output> {
    let arguments = ["status", "--site", "none", "--kubeconfig", kubeconfig];
    Ok(support::program().args(arguments).output()?)
}

/// Neither this program nor kubectl sends a credential or starts a plugin; both send whom to act as.
fn plain(scope: &Scope<'_>) -> Outcome {
    const CANARY: &str = "canary-0f3b";
    let (url, heads) = server(|client| {
        client.write_all(HEAD)?;
        client.write_all(br#"{"gitVersion": "v1.0.0"}"#)
    })?;
    let file = |name: &str| {
        scope
            .bed
            .path()
            .join(format!("{}-plain-{name}", scope.namespace))
    };
    let (token, plugin, mark) = (file("token"), file("plugin.sh"), file("ran"));
    fs::write(&token, CANARY)?;
    fs::write(
        &plugin,
        format!("#!/bin/sh\n: > '{}'\nexit 1\n", mark.display()),
    )?;
    fs::set_permissions(&plugin, fs::Permissions::from_mode(0o755))?;
    let users = [
        json!({"token": CANARY, "as": "somebody"}),
        json!({"username": CANARY, "password": CANARY}),
        json!({"tokenFile": token}),
        json!({"exec": {
            "apiVersion": "client.authentication.k8s.io/v1", "command": plugin, "interactiveMode": "Never",
        }}),
    ];
    for (number, user) in users.iter().enumerate() {
        let name = format!("plain-{number}");
        let path = kubeconfig(scope, &name, user, &json!({"server": url}))?;
        connect(scope, &access(&path))?;
        let path = path.display().to_string();
        version(scope, &path)?;
        // The server knows nothing else than its version.
        status(&path)?;
        let mut heads = heads.lock().unwrap_or_else(PoisonError::into_inner);
        let acts = user["as"].is_string();
        let right = heads.iter().all(|head| {
            let head = head.to_lowercase();
            !head.contains("authorization:")
                && !head.contains(CANARY)
                && head.contains("impersonate-user: somebody") == acts
        });
        ensure(heads.len() > 2 && right, || format!("{user}: {heads:?}"))?;
        heads.clear();
    }
    ensure(!mark.exists(), || "the plugin ran".to_owned())
}

/// A value that HTTP cannot carry is an error, as with kubectl, and no panic.
fn fields(scope: &Scope<'_>) -> Outcome {
    for (number, (field, user)) in [
        ("token", json!({"token": "hunter2-token\n"})),
        ("token", json!({"token": "hunter2\0token"})),
        ("as", json!({"token": "hunter2-token", "as": "a\nb"})),
        (
            "as-groups",
            json!({"token": "hunter2-token", "as": "a", "as-groups": ["b\r\nc: d"]}),
        ),
        (
            "as-user-extra",
            json!({"token": "hunter2-token", "as": "a", "as-user-extra": {"b": ["c\n"]}}),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let path = kubeconfig(scope, &format!("field-{number}"), &user, &json!({}))?;
        let error = fails(scope, &access(&path), &["hunter2"])?;
        let text = error.to_string();
        ensure(
            matches!(error, Error::Kubeconfig { .. }) && text.contains(&format!("`{field}`")),
            || text.clone(),
        )?;
        let path = path.display().to_string();
        let ran = status(&path)?;
        let said = String::from_utf8_lossy(&ran.stderr);
        ensure(
            ran.status.code() == Some(1) && said.contains(&format!("`{field}`")),
            || format!("{:?} {said}", ran.status),
        )?;
        let Err(said) = version(scope, &path) else {
            return Err(format!("kubectl accepts {field}").into());
        };
        let said = said.to_string();
        ensure(said.contains("invalid header field value"), || said.clone())?;
    }
    Ok(())
}
