//! What the program's own client reads for explanations: events, the end of a log, the identity of the cluster.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::thread;

use armada2flux::cluster::{Access, KubeEvent};
use armada2flux::secret::Scrubber;
use serde_json::json;

use super::client::{access, connect, kubeconfig, tester};
use super::{Scope, Test, ensure};
use crate::bed::Outcome;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("client_inspect::events_are_sorted_by_time", events),
        Test::shared("client_inspect::logs_are_cut_and_scrubbed", logs),
        Test::shared("client_inspect::a_cluster_has_an_identity", identity),
    ]
}

fn event(
    scope: &Scope<'_>,
    name: &str,
    about: &str,
    time: &str,
    message: &str,
) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {"name": name, "namespace": scope.namespace},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": about, "namespace": scope.namespace},
        "type": "Warning", "reason": "BackOff", "message": message, "count": 3, "lastTimestamp": time,
    })
}

fn events(scope: &Scope<'_>) -> Outcome {
    let cluster = tester(scope)?;
    for (name, about, time, message) in [
        (
            "a",
            "web-1",
            "2026-01-01T00:00:02Z",
            "late, hunter2-password\u{1b}[2J",
        ),
        ("b", "web-1", "2026-01-01T00:00:01Z", "early"),
        ("c", "other", "2026-01-01T00:00:03Z", "of another"),
        ("d", "web", "2026-01-01T00:00:00Z", "first"),
    ] {
        scope.bed.apply(&event(scope, name, about, time, message))?;
    }
    let mut secrets = Scrubber::default();
    secrets.learn("hunter2-password");
    let here = scope.namespace.as_str();
    let found = cluster.events_of(here, &["web", "web-1", "web-2"], &secrets);
    let found = scope.bed.block_on(found)?;
    let messages: Vec<&str> = found.iter().map(|event| event.message.as_str()).collect();
    ensure(messages == ["first", "early", "late, ***\u{1b}[2J"], || {
        format!("{messages:?}")
    })?;
    let expected = KubeEvent {
        kind: "Pod".into(),
        name: "web-1".into(),
        warning: true,
        reason: "BackOff".into(),
        message: "early".to_owned(),
        count: 3,
        last: Some("2026-01-01T00:00:01Z".into()),
    };
    ensure(found[1] == expected, || format!("{:?}", found[1]))?;
    let stranger = Access {
        user: Some("stranger".to_owned()),
        ..access(&scope.bed.kubeconfig)
    };
    let cluster = connect(scope, &stranger)?;
    let found = scope
        .bed
        .block_on(cluster.events_of(here, &["web"], &secrets))?;
    ensure(found.is_empty(), || format!("{found:?}"))
}

/// Starts a server that sends the same text for every request.
fn says(text: &'static str) -> Outcome<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || -> io::Result<()> {
        for client in listener.incoming() {
            let mut client = BufReader::new(client?);
            let mut line = String::new();
            while client.read_line(&mut line)? > 2 {
                line.clear();
            }
            let length = text.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
            client
                .get_mut()
                .write_all(format!("{head}{text}").as_bytes())?;
        }
        Ok(())
    });
    Ok(format!("http://{address}"))
}

fn logs(scope: &Scope<'_>) -> Outcome {
    // Both logs and the version are read as text.
    let server = says("{\"gitVersion\":\"hunter2-pass\u{7f}\"\n,\"a\":1}\n")?;
    let server = json!({"server": server});
    let cluster = connect(
        scope,
        &access(&kubeconfig(scope, "logs", &json!({}), &server)?),
    )?;
    let mut secrets = Scrubber::default();
    secrets.learn("hunter2-pass");
    let log = cluster.log_tail("n", "web", "main", 10, 4096, &secrets);
    let log = scope.bed.block_on(log)?;
    let expected = "{\"gitVersion\":\"***\u{7f}\"\n,\"a\":1}\n";
    ensure(log.as_deref() == Some(expected), || format!("{log:?}"))?;
    // Without a log, the reason does not matter.
    let cluster = tester(scope)?;
    for pod in ["not-there", "not/a/name"] {
        let log = cluster.log_tail(&scope.namespace, pod, "main", 10, 4096, &secrets);
        let log = scope.bed.block_on(log)?;
        ensure(log.is_none(), || format!("{log:?}"))?;
    }
    Ok(())
}

fn identity(scope: &Scope<'_>) -> Outcome {
    let cluster = tester(scope)?;
    let found = scope.bed.block_on(cluster.identity())?;
    let namespace = scope.bed.get("/api/v1/namespaces/kube-system")?;
    let uid = namespace.ok_or("there is none")?["metadata"]["uid"].clone();
    ensure(uid == json!(found.as_str()), || format!("{uid} {found}"))
}
