//! The program's own client where things go wrong: clear, in time, and without a secret in it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use armada2flux::cluster::{Access, Cause, Cluster, DryRun, Error, Waiting};
use futures::future::try_join_all;
use serde_json::json;

use super::client::{access, config_maps, connect, kubeconfig, object};
use super::{Scope, Test, ensure};
use crate::bed::Outcome;
use crate::bed::program::Program;
use crate::bed::proxy::{Kind, Rule, Trouble};

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("client_faults::refused_credentials_are_named", credentials),
        Test::shared("client_faults::credential_plugins_run_and_fail", plugins),
        Test::shared("client_faults::kubeconfigs_are_merged", merged),
        Test::shared("client_faults::wrong_kubeconfigs_say_where", wrong),
        Test::shared("client_faults::other_certificates_are_refused", certificate),
        Test::shared("client_faults::a_silent_server_ends_in_time", silent),
        Test::shared("client_faults::throttling_is_bounded", throttled),
        Test::shared("client_faults::requests_at_once_are_limited", limited),
        Test::private("client_faults::a_dead_server_ends_in_time", dead),
    ]
}

/// What every failure must keep to.
const LIMIT: Duration = Duration::from_secs(10);

/// The error of connecting, which must come in time and hold none of the words.
fn fails(scope: &Scope<'_>, access: &Access, secrets: &[&str]) -> Outcome<Error> {
    let start = Instant::now();
    let Err(error) = connect(scope, access) else {
        return Err("it connects".into());
    };
    in_time(start)?;
    for secret in secrets {
        let told = format!("{error} {error:?} {:?}", error.hint());
        ensure(!told.contains(secret), || format!("a secret shows: {told}"))?;
    }
    ensure(error.hint().is_some(), || format!("no hint: {error}"))?;
    Ok(error)
}

fn in_time(start: Instant) -> Outcome {
    let time = start.elapsed();
    ensure(time < LIMIT, || format!("took {time:?}"))
}

fn cause(error: &Error) -> Outcome<&Cause> {
    match error {
        Error::Request { cause, .. } => Ok(cause),
        _ => Err(format!("{error:?}").into()),
    }
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
    // A token that was good: its account is gone.
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
                let told = format!("{error} {error:?} {cluster:?}");
                return ensure(!told.contains(token), || "a token shows".to_owned());
            }
            // The server remembers a good token for some seconds.
            _ if start.elapsed() > 3 * LIMIT => return Err("the token still counts".into()),
            _ => std::thread::sleep(Duration::from_millis(500)),
        }
    }
}

fn plugin(scope: &Scope<'_>, name: &str, script: &str) -> Outcome<Access> {
    let path = scope
        .bed
        .path()
        .join(format!("{}-{name}.sh", scope.namespace));
    fs::write(&path, format!("#!/bin/sh\n{script}\n"))?;
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    let user = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1", "command": path, "interactiveMode": "Never",
    }});
    Ok(access(&kubeconfig(scope, name, &user, &json!({}))?))
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
    // The user stands in one file, the cluster in another, the contexts in a third: as teams keep them.
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
    // What a later file says about the same name does not count.
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
            .starts_with("there is no context `three` in `")
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
        error.contains("it is no YAML of a kubeconfig (line "),
        || error.clone(),
    )?;
    fs::write(&path, "apiVersion: v1\n")?;
    let error = fails(scope, &access(&path), &[])?.to_string();
    ensure(
        error.starts_with("no cluster is given: no context is chosen in `"),
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
        error.ends_with("its proxy is none of http, https and socks5"),
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
        *cause(&error)? == Cause::Certificate("it is not for this address".to_owned()),
        || format!("{error:?}"),
    )
}

fn silent(scope: &Scope<'_>) -> Outcome {
    // Connections are taken by the kernel and never answered.
    let listener = TcpListener::bind("127.0.0.1:0")?;
    for scheme in ["http", "https"] {
        let server = json!({"server": format!("{scheme}://{}", listener.local_addr()?)});
        let path = kubeconfig(scope, scheme, &json!({}), &server)?;
        let error = fails(scope, &access(&path), &[])?;
        ensure(matches!(cause(&error)?, Cause::Timeout(_)), || {
            format!("{error:?}")
        })?;
    }
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let cluster = connect(
        scope,
        &Access {
            timeout: Some(Duration::from_secs(1)),
            ..access(&proxy.kubeconfig)
        },
    )?;
    proxy.rule(Rule::new(Trouble::Delay(Duration::from_secs(5))).path("/configmaps"));
    let start = Instant::now();
    let Err(error) = scope
        .bed
        .block_on(cluster.list(&config_maps(), Some("default"), None))
    else {
        return Err("it answers".into());
    };
    in_time(start)?;
    let text = error.to_string();
    ensure(text.ends_with("no answer within 1 s"), || text.clone())
}

fn throttled(scope: &Scope<'_>) -> Outcome {
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let waits: Arc<Mutex<Vec<Waiting>>> = Arc::default();
    let noted = Arc::clone(&waits);
    let cluster = connect(scope, &access(&proxy.kubeconfig))?.on_wait(move |wait| {
        noted
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(*wait)
    });
    let list = || {
        scope
            .bed
            .block_on(cluster.list(&config_maps(), Some(&scope.namespace), None))
    };
    let tried = |before: usize| proxy.count(Kind::Read) - before;

    proxy.rule(
        Rule::new(Trouble::Answer(429, Some(1)))
            .path("/configmaps")
            .times(1),
    );
    proxy.rule(
        Rule::new(Trouble::Answer(503, None))
            .path("/configmaps")
            .from(2)
            .times(1),
    );
    let (before, start) = (proxy.count(Kind::Read), Instant::now());
    list()?;
    ensure(tried(before) == 3, || format!("{:?}", proxy.seen()))?;
    ensure(start.elapsed() >= Duration::from_secs(1), || {
        "Retry-After is not honoured".to_owned()
    })?;
    let seen: Vec<_> = waits
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .iter()
        .map(|wait| (wait.status, wait.attempt))
        .collect();
    ensure(seen == [(Some(429), 1), (Some(503), 2)], || {
        format!("{seen:?}")
    })?;

    // A lost request and a lost answer: both are asked again.
    for trouble in [Trouble::CutBefore, Trouble::CutAfter] {
        proxy.calm();
        proxy.rule(Rule::new(trouble).path("/configmaps").times(1));
        let before = proxy.count(Kind::Read);
        list()?;
        ensure(tried(before) == 2, || format!("{:?}", proxy.seen()))?;
    }
    let sent = object(&json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": scope.namespace},
    }))?;
    proxy.calm();
    proxy.rule(Rule::new(Trouble::CutAfter).path("dryRun=All").times(1));
    let done = scope
        .bed
        .block_on(cluster.dry_run_apply(&sent, None, false))?;
    ensure(
        matches!(done, DryRun::Applied { created: true, .. }),
        || format!("{done:?}"),
    )?;

    for (status, after, attempts) in [(503, None, 5), (429, Some(2), 5), (429, Some(60), 1)] {
        proxy.calm();
        proxy.rule(Rule::new(Trouble::Answer(status, after)).path("/configmaps"));
        let (before, start) = (proxy.count(Kind::Read), Instant::now());
        let Err(error) = list() else {
            return Err("it answers".into());
        };
        in_time(start)?;
        let asked = after.filter(|seconds| *seconds > 5);
        let expected = Cause::Busy {
            status,
            attempts,
            asked: asked.map(|seconds| Duration::from_secs(seconds.into())),
        };
        // Two seconds for each of five attempts is more than there is.
        let attempts = if after == Some(2) {
            None
        } else {
            Some(attempts)
        };
        match (cause(&error)?, attempts) {
            (found, Some(_)) => ensure(*found == expected, || format!("{error:?}"))?,
            (Cause::Busy { attempts, .. }, None) => {
                ensure((2..=5).contains(attempts), || format!("{error:?}"))?;
            }
            (_, None) => return Err(format!("{error:?}").into()),
        }
        let sent = proxy.count(Kind::Read) - before;
        ensure(
            attempts.is_none_or(|attempts| sent == attempts as usize),
            || format!("{sent} requests"),
        )?;
    }
    Ok(())
}

fn limited(scope: &Scope<'_>) -> Outcome {
    const LISTS: u32 = 48;
    const DELAY: Duration = Duration::from_millis(300);
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let cluster = connect(scope, &access(&proxy.kubeconfig))?;
    proxy.rule(Rule::new(Trouble::Delay(DELAY)).path("/configmaps"));
    let kind = config_maps();
    let lists = (0..LISTS).map(|_| cluster.list(&kind, Some(&scope.namespace), None));
    let start = Instant::now();
    scope.bed.block_on(try_join_all(lists))?;
    let time = start.elapsed();
    // Sixteen at once are three rounds; more at once would be fewer.
    ensure(time >= DELAY * 3, || format!("{time:?}"))
}

fn dead(scope: &Scope<'_>) -> Outcome {
    let bed = access(&scope.bed.kubeconfig);
    let cluster: Cluster = connect(scope, &bed)?;
    scope.bed.kill_api_server();
    let start = Instant::now();
    let Err(error) = scope.bed.block_on(cluster.list(&config_maps(), None, None)) else {
        return Err("it answers".into());
    };
    in_time(start)?;
    let text = error.to_string();
    ensure(
        text.starts_with("cannot list configmaps at https://127.0.0.1:")
            && text.ends_with("connection refused: nothing listens at this address"),
        || text.clone(),
    )?;
    let error = fails(scope, &bed, &[])?;
    ensure(matches!(cause(&error)?, Cause::Unreachable(_)), || {
        format!("{error:?}")
    })
}
