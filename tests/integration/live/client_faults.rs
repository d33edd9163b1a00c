//! Errors of the program's own client: clear, in time, and without secrets.

use std::io::{self, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use armada2flux::cluster::{Access, ApplyResult, Cause, Cluster, Error, Waiting};
use futures::future::try_join_all;
use serde_json::json;

use super::client::{access, config_maps, connect, kubeconfig, object};
use super::{Scope, Test, ensure};
use crate::bed::Outcome;
use crate::bed::proxy::{Fault, Kind, Rule};

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("client_faults::a_silent_server_times_out", silent),
        Test::shared("client_faults::slow_answers_are_awaited", slow),
        Test::shared("client_faults::throttling_is_bounded", throttled),
        Test::shared("client_faults::parallel_requests_are_limited", limited),
        Test::private("client_faults::a_crashed_server_times_out", dead),
    ]
}

/// Time limit for every failure.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// Returns the error of connecting, which must come in time and contain no secret.
pub(super) fn fails(scope: &Scope<'_>, access: &Access, secrets: &[&str]) -> Outcome<Error> {
    let start = Instant::now();
    let Err(error) = connect(scope, access) else {
        return Err("it connects".into());
    };
    in_time(start)?;
    for secret in secrets {
        let text = format!("{error} {error:?} {:?}", error.hint());
        ensure(!text.contains(secret), || format!("a secret shows: {text}"))?;
    }
    ensure(error.hint().is_some(), || format!("no hint: {error}"))?;
    Ok(error)
}

fn in_time(start: Instant) -> Outcome {
    let time = start.elapsed();
    ensure(time < LIMIT, || format!("took {time:?}"))
}

pub(super) fn cause(error: &Error) -> Outcome<&Cause> {
    match error {
        Error::Request { cause, .. } => Ok(cause),
        _ => Err(format!("{error:?}").into()),
    }
}

fn silent(scope: &Scope<'_>) -> Outcome {
    // The kernel accepts connections, but nothing answers.
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
    proxy.add_rule(Rule::new(Fault::Delay(Duration::from_secs(5))).path("/configmaps"));
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

/// Starts a server without TLS that sends the same pieces for every request, one after each pause, then is silent.
fn trickles(pieces: &'static [&'static str], pause: Duration) -> Outcome<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || -> io::Result<()> {
        for client in listener.incoming() {
            let mut client = client?;
            // A response before the request would be ignored.
            let mut question = [0; 4096];
            let mut read = 0;
            while !question[..read].ends_with(b"\r\n\r\n") {
                read += client.read(&mut question[read..])?;
            }
            for piece in pieces {
                thread::sleep(pause);
                client.write_all(piece.as_bytes())?;
            }
            thread::sleep(LIMIT);
        }
        Ok(())
    });
    Ok(format!("http://{address}"))
}

fn slow(scope: &Scope<'_>) -> Outcome {
    const PIECES: &[&str] = &[
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n",
        "content-length: 23\r\n\r\n",
        "{\"gitVer",
        "sion\":",
        "\"v1.0.0\"",
        "}",
    ];
    let timeout = Duration::from_secs(3);
    let at = |name: &str, pieces, pause| -> Outcome<Access> {
        let server = json!({"server": trickles(pieces, pause)?});
        Ok(Access {
            timeout: Some(timeout),
            ..access(&kubeconfig(scope, name, &json!({}), &server)?)
        })
    };
    // Longer than the timeout in total, but with shorter pauses.
    let slow = at("slow", PIECES, timeout / 5)?;
    let start = Instant::now();
    let cluster = connect(scope, &slow)?;
    ensure(
        cluster.version() == "v1.0.0" && start.elapsed() > timeout,
        || format!("{} {:?}", cluster.version(), start.elapsed()),
    )?;
    let stalls = at("stalls", &PIECES[..4], Duration::ZERO)?;
    let error = fails(scope, &stalls, &[])?;
    ensure(*cause(&error)? == Cause::Timeout(timeout), || {
        format!("{error:?}")
    })
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

    proxy.add_rule(
        Rule::new(Fault::Answer(429, Some(1)))
            .path("/configmaps")
            .times(1),
    );
    proxy.add_rule(
        Rule::new(Fault::Answer(503, None))
            .path("/configmaps")
            .starting_at(2)
            .times(1),
    );
    let (before, start) = (proxy.count(Kind::Read), Instant::now());
    list()?;
    ensure(tried(before) == 3, || format!("{:?}", proxy.requests()))?;
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

    // A lost request and a lost response are both retried.
    for fault in [Fault::CutBefore, Fault::CutAfter] {
        proxy.clear_rules();
        proxy.add_rule(Rule::new(fault).path("/configmaps").times(1));
        let before = proxy.count(Kind::Read);
        list()?;
        ensure(tried(before) == 2, || format!("{:?}", proxy.requests()))?;
    }
    let sent = object(&json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": scope.namespace},
    }))?;
    proxy.clear_rules();
    proxy.add_rule(Rule::new(Fault::CutAfter).path("dryRun=All").times(1));
    let done = scope
        .bed
        .block_on(cluster.dry_run_apply(&sent, None, false))?;
    ensure(
        matches!(done, ApplyResult::Applied { created: true, .. }),
        || format!("{done:?}"),
    )?;

    for (status, after, attempts) in [(503, None, 5), (429, Some(2), 5), (429, Some(60), 1)] {
        proxy.clear_rules();
        proxy.add_rule(Rule::new(Fault::Answer(status, after)).path("/configmaps"));
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
        // Two seconds after each of five attempts exceed the retry budget.
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
    proxy.add_rule(Rule::new(Fault::Delay(DELAY)).path("/configmaps"));
    let kind = config_maps();
    let lists = (0..LISTS).map(|_| cluster.list(&kind, Some(&scope.namespace), None));
    let start = Instant::now();
    scope.bed.block_on(try_join_all(lists))?;
    let time = start.elapsed();
    // Sixteen in parallel need three rounds; more would need fewer.
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
