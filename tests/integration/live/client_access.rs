//! Access to a cluster: kubeconfigs, credentials, certificates and proxies, right and wrong.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use armada2flux::cluster::{Access, Cause};
use serde_json::json;

use super::client::{access, config_maps, connect, kubeconfig};
use super::client_credentials;
use super::client_faults::{LIMIT, cause, fails};
use super::{Scope, Test, ensure};
use crate::bed::Outcome;
use crate::bed::program::Program;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("client_access::refused_credentials_are_named", credentials),
        Test::shared("client_access::credential_plugins_run_and_fail", plugins),
        Test::shared("client_access::kubeconfigs_are_merged", merged),
        Test::shared("client_access::wrong_kubeconfigs_are_named", wrong),
        Test::shared("client_access::unknown_certificates_fail", certificate),
        Test::shared("client_access::proxies_are_used", proxies),
    ]
}

fn credentials(scope: &Scope<'_>) -> Outcome {
    let token = "hunter2-wrong-token";
    let path = kubeconfig(scope, "wrong", &json!({"token": token}), &json!({}))?;
    let error = fails(scope, &access(&path), &[token])?;
    ensure(*cause(&error)? == Cause::Unauthorized, || {
        format!("{error:?}")
    })?;
    let text = error.to_string();
    ensure(
        text.starts_with("cannot connect at https://127.0.0.1:")
            && text.contains("a token or certificate is wrong or has expired (401)"),
        || text.clone(),
    )?;
    // A token that was valid until its account was deleted.
    let namespace = scope.namespace.as_str();
    let kubectl = |arguments: &[&str]| scope.bed.run(Program::Kubectl, arguments);
    kubectl(&["create", "serviceaccount", "brief", "-n", namespace])?;
    let token = kubectl(&["create", "token", "brief", "-n", namespace])?;
    let token = token.trim();
    let path = kubeconfig(scope, "gone", &json!({"token": token}), &json!({}))?;
    let cluster = connect(scope, &access(&path))?;
    kubectl(&["delete", "serviceaccount", "brief", "-n", namespace])?;
    let start = Instant::now();
    loop {
        match scope
            .bed
            .block_on(cluster.list(&config_maps(), Some(namespace), None))
        {
            Err(error) if *cause(&error)? == Cause::Unauthorized => {
                let text = format!("{error} {error:?} {cluster:?}");
                return ensure(!text.contains(token), || "a token shows".to_owned());
            }
            // The server caches a valid token for some seconds.
            _ if start.elapsed() > 3 * LIMIT => return Err("the token still counts".into()),
            _ => std::thread::sleep(Duration::from_millis(500)),
        }
    }
}

fn plugin(scope: &Scope<'_>, name: &str, script: &str) -> Outcome<Access> {
    Ok(access(&client_credentials::plugin(scope, name, script)?))
}

fn plugins(scope: &Scope<'_>) -> Outcome {
    let config: serde_json::Value = serde_json::from_slice(&fs::read(&scope.bed.kubeconfig)?)?;
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": config["users"][0]["user"]["token"]},
    });
    let good = plugin(scope, "good", &format!("echo '{credential}'"))?;
    let cluster = connect(scope, &good)?;
    ensure(cluster.version().starts_with("v1."), || {
        cluster.version().to_owned()
    })?;
    for (name, script, expected) in [
        (
            "fails",
            "echo hunter2-out; echo hunter2-err >&2; exit 3",
            "the credential plugin failed (exit status: 3)",
        ),
        (
            "garbage",
            "echo 'token: [hunter2-out'",
            "the credential plugin printed no credentials",
        ),
    ] {
        let error = fails(scope, &plugin(scope, name, script)?, &["hunter2"])?;
        let text = error.to_string();
        ensure(
            text == format!("cannot get credentials of context `bed`: {expected}"),
            || text.clone(),
        )?;
    }
    let user = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": "/not/there", "interactiveMode": "Never",
    }});
    let absent = access(&kubeconfig(scope, "absent", &user, &json!({}))?);
    let text = fails(scope, &absent, &[])?.to_string();
    ensure(
        text.contains("the credential plugin cannot be started: no such file"),
        || text.clone(),
    )
}

fn merged(scope: &Scope<'_>) -> Outcome {
    // User, cluster and contexts are in three files, as teams keep them.
    let config: serde_json::Value = serde_json::from_slice(&fs::read(&scope.bed.kubeconfig)?)?;
    let part = |name: &str, content: serde_json::Value| -> Outcome<_> {
        let path = scope.bed.path().join(format!("{}-{name}", scope.namespace));
        fs::write(&path, content.to_string())?;
        Ok(path)
    };
    let users = part("users", json!({"users": config["users"]}))?;
    let mut moved = config["clusters"].clone();
    let authority = moved[0]["cluster"]["certificate-authority"]
        .as_str()
        .unwrap_or_default();
    fs::copy(authority, scope.bed.path().join("relative.pem"))?;
    moved[0]["cluster"]["certificate-authority"] = json!("relative.pem");
    let clusters = part("clusters", json!({"clusters": moved}))?;
    let named = |name: &str, namespace: &str| {
        let mut context = config["contexts"][0].clone();
        context["name"] = json!(name);
        context["context"]["namespace"] = json!(namespace);
        context
    };
    let contexts = part(
        "contexts",
        json!({"current-context": "one", "contexts": [named("one", "first"), named("two", "second")]}),
    )?;
    // The first file that defines a name wins.
    let late = part(
        "late",
        json!({"current-context": "late", "contexts": [named("two", "late"), named("late", "late")]}),
    )?;
    let all = Access {
        kubeconfig: vec![users, clusters, contexts, late],
        ..Access::default()
    };
    let at = |access: &Access| -> Outcome<(String, String)> {
        let cluster = connect(scope, access)?;
        let context = cluster.context().unwrap_or_default().to_owned();
        Ok((context, cluster.namespace().to_owned()))
    };
    let pair = |context: &str, namespace: &str| (context.to_owned(), namespace.to_owned());
    let found = at(&all)?;
    ensure(found == pair("one", "first"), || format!("{found:?}"))?;
    let two = Access {
        context: Some("two".to_owned()),
        ..all.clone()
    };
    let found = at(&two)?;
    ensure(found == pair("two", "second"), || format!("{found:?}"))?;
    let found = at(&Access {
        namespace: Some("mine".to_owned()),
        ..two
    })?;
    ensure(found == pair("two", "mine"), || format!("{found:?}"))?;
    let error = fails(
        scope,
        &Access {
            context: Some("three".to_owned()),
            ..all
        },
        &[],
    )?;
    let hint = error.hint().unwrap_or_default();
    ensure(
        error
            .to_string()
            .starts_with("context `three` does not exist in `")
            && hint == "choose with --context one of: one, two, late",
        || format!("{error} {hint}"),
    )
}

fn wrong(scope: &Scope<'_>) -> Outcome {
    let folder = scope.bed.path();
    let absent = folder.join("absent.kubeconfig");
    let error = fails(scope, &access(&absent), &[])?.to_string();
    ensure(
        error.starts_with(&format!(
            "cannot use the kubeconfig `{}`: no such file",
            absent.display()
        )),
        || error.clone(),
    )?;
    let path = folder.join(format!("{}-broken", scope.namespace));
    fs::write(
        &path,
        "apiVersion: v1\nusers:\n- name: a\n  user:\n    token: [hunter2-token\nclusters: 1\n",
    )?;
    let error = fails(scope, &access(&path), &["hunter2"])?.to_string();
    ensure(
        error.contains("it is not a valid kubeconfig (line "),
        || error.clone(),
    )?;
    fs::write(&path, "apiVersion: v1\n")?;
    let error = fails(scope, &access(&path), &[])?.to_string();
    ensure(
        error.starts_with("no cluster is selected: no context is set in `"),
        || error.clone(),
    )?;
    let server = json!({"server": "https://user:hunter2@127.0.0.1:1"});
    let path = kubeconfig(scope, "userinfo", &json!({}), &server)?;
    let error = fails(scope, &access(&path), &["hunter2"])?.to_string();
    ensure(
        error
            == "cannot connect at https://127.0.0.1:1: connection refused: nothing listens at this address",
        || error.clone(),
    )?;
    let proxy = json!({"proxy-url": "ftp://user:hunter2@127.0.0.1:1"});
    let path = kubeconfig(scope, "proxy", &json!({}), &proxy)?;
    let error = fails(scope, &access(&path), &["hunter2"])?.to_string();
    ensure(
        error.ends_with("its proxy must be http, https or socks5"),
        || error.clone(),
    )?;
    let proxy = json!({"proxy-url": "http://user:hunter2@127.0.0.1:1"});
    let path = kubeconfig(scope, "dead-proxy", &json!({}), &proxy)?;
    let error = fails(scope, &access(&path), &["hunter2"])?;
    ensure(matches!(cause(&error)?, Cause::Unreachable(_)), || {
        format!("{error:?}")
    })
}

fn certificate(scope: &Scope<'_>) -> Outcome {
    let key = rcgen::KeyPair::generate()?;
    let mut parameters = rcgen::CertificateParams::new(Vec::new())?;
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let path = scope.bed.path().join("other-authority.pem");
    fs::write(&path, parameters.self_signed(&key)?.pem())?;
    let other = json!({"certificate-authority": path});
    let config: serde_json::Value = serde_json::from_slice(&fs::read(&scope.bed.kubeconfig)?)?;
    let user = &config["users"][0]["user"];
    let error = fails(
        scope,
        &access(&kubeconfig(scope, "other", user, &other)?),
        &[],
    )?;
    ensure(
        *cause(&error)? == Cause::Certificate("its issuer is unknown".to_owned()),
        || format!("{error:?}"),
    )?;
    let named = json!({"tls-server-name": "elsewhere.example"});
    let error = fails(
        scope,
        &access(&kubeconfig(scope, "named", user, &named)?),
        &[],
    )?;
    ensure(
        *cause(&error)? == Cause::Certificate("it is not valid for this address".to_owned()),
        || format!("{error:?}"),
    )
}

/// Starts a tunnelling proxy that reports each CONNECT request.
fn tunnels(listener: &TcpListener, asked: &Sender<String>) -> io::Result<()> {
    for client in listener.incoming() {
        let mut client = client?;
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte)? == 1 {
            head.extend(byte);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
        if asked.send(head).is_err() {
            // The test is over.
            return Ok(());
        }
        let mut server = TcpStream::connect(target)?;
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || io::copy(&mut from, &mut to));
        thread::spawn(move || io::copy(&mut server, &mut client));
    }
    Ok(())
}

fn proxies(scope: &Scope<'_>) -> Outcome {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let (sender, asked) = channel();
    thread::spawn(move || tunnels(&listener, &sender));
    let config: serde_json::Value = serde_json::from_slice(&fs::read(&scope.bed.kubeconfig)?)?;
    let user = &config["users"][0]["user"];
    let proxy = json!({"proxy-url": format!("http://us%40er:hunter2@{address}")});
    let path = kubeconfig(scope, "proxied", user, &proxy)?;
    let cluster = connect(scope, &access(&path))?;
    let head = asked.recv_timeout(LIMIT)?;
    let server = cluster.server().trim_start_matches("https://");
    // `us@er:hunter2`
    let right = head.starts_with(&format!("CONNECT {server} "))
        && head.contains("Basic dXNAZXI6aHVudGVyMg==");
    ensure(right, || head.clone())
}
