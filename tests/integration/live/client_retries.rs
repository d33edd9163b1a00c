//! Retries of the program's own client while the server is busy, down or silent: nothing is written twice.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use armada2flux::cluster::{
    Access, ApplyResult, Cause, Created, Deleted, Event, Replaced, Rights, Waiting,
};
use serde_json::json;

use super::client::{access, connect, map, object, release};
use super::client_faults::cause;
use super::client_preflight::account;
use super::client_watch::{follow, next, until_known};
use super::client_writes::{data, reference, uid, value};
use super::{Scope, Test, ensure};
use crate::bed::Outcome;
use crate::bed::proxy::{Fault, Kind, Rule};

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("client_retries::a_lost_answer_repeats_no_write", lost),
        Test::shared("client_retries::a_busy_server_is_retried", busy),
        Test::private("client_retries::a_crashed_server_is_retried", dead),
    ]
}

/// Longer than any outage in these tests.
pub(super) const RETRY_FOR: Duration = Duration::from_secs(120);

fn lost(scope: &Scope<'_>) -> Outcome {
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let cluster = connect(scope, &access(&proxy.kubeconfig))?;
    let cut = || {
        proxy.cut_next_write();
        proxy.count(Kind::Write)
    };
    let twice = |before: usize| {
        ensure(proxy.count(Kind::Write) == before + 2, || {
            format!("{:?}", proxy.requests())
        })
    };
    let sent = object(&map(scope, "a", json!({"x": "1"})))?;
    let before = cut();
    let done = scope.bed.block_on(cluster.apply(&sent, None, false))?;
    twice(before)?;
    let ApplyResult::Applied { object: first, .. } = done else {
        return Err(format!("{done:?}").into());
    };

    let before = cut();
    let patch = value(&json!({"data": {"y": "1"}}))?;
    let of = reference(scope, "a");
    let done = scope.bed.block_on(cluster.patch(&of, &patch))?;
    twice(before)?;
    ensure(
        done.is_some_and(|found| data(&found, "y") == Some("1")),
        || "not patched".to_owned(),
    )?;

    // If another client could have done it, the result is known but not who did it.
    let before = cut();
    let done = scope.bed.block_on(cluster.delete(&of, uid(&first)?))?;
    twice(before)?;
    ensure(done == Deleted::NotThere, || format!("{done:?}"))?;
    let before = cut();
    let done = scope.bed.block_on(cluster.create(&sent))?;
    twice(before)?;
    ensure(matches!(done, Created::Exists), || format!("{done:?}"))?;
    let mut found = scope.bed.block_on(cluster.read(&of))?.ok_or("not made")?;
    found.set_annotation("who", "us");
    let before = cut();
    let done = scope.bed.block_on(cluster.replace(&found))?;
    twice(before)?;
    ensure(matches!(done, Replaced::Conflict), || format!("{done:?}"))?;
    let found = scope.bed.block_on(cluster.read(&of))?.ok_or("gone")?;
    let who = found.value.at(&["metadata", "annotations", "who"]);
    ensure(who == Some(&"us".into()), || format!("{found:?}"))
}

fn busy(scope: &Scope<'_>) -> Outcome {
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let waits: Arc<Mutex<Vec<Waiting>>> = Arc::default();
    let noted = Arc::clone(&waits);
    let cluster = connect(scope, &access(&proxy.kubeconfig))?
        .retry_for(RETRY_FOR)
        .on_wait(move |wait| {
            noted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(*wait)
        });
    let sent = object(&map(scope, "a", json!({})))?;
    // More attempts than without a retry time.
    let faults = [
        (Fault::Answer(503, None), 6),
        (Fault::Answer(429, Some(1)), 2),
        (Fault::CutBefore, 1),
    ];
    let mut first = 1;
    for (fault, times) in faults {
        proxy.add_rule(
            Rule::new(fault)
                .kind(Kind::Write)
                .starting_at(first)
                .times(times),
        );
        first += times;
    }
    let start = Instant::now();
    let done = scope.bed.block_on(cluster.apply(&sent, None, false))?;
    ensure(
        matches!(done, ApplyResult::Applied { created: true, .. }),
        || format!("{done:?}"),
    )?;
    let waits = waits.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let statuses: Vec<Option<u16>> = waits.iter().map(|wait| wait.status).collect();
    let expected = [[Some(503); 6].as_slice(), &[Some(429); 2], &[None]].concat();
    ensure(statuses == expected, || format!("{waits:?}"))?;
    let whole: Duration = waits.iter().map(|wait| wait.time).sum();
    ensure(
        start.elapsed() >= whole && waits.iter().all(|wait| wait.time < Duration::from_secs(6)),
        || format!("{waits:?}"),
    )?;

    // Retries end.
    proxy.clear_rules();
    proxy.add_rule(Rule::new(Fault::Answer(503, None)).kind(Kind::Write));
    let cluster = cluster.retry_for(Duration::from_secs(1));
    let Err(error) = scope.bed.block_on(cluster.apply(&sent, None, false)) else {
        return Err("it was written".into());
    };
    ensure(
        matches!(cause(&error)?, Cause::Busy { status: 503, .. }),
        || format!("{error:?}"),
    )?;
    // A missing permission is reported immediately, with the page of the permissions.
    let stranger = Access {
        user: Some("stranger".to_owned()),
        ..access(&scope.bed.kubeconfig)
    };
    let cluster = connect(scope, &stranger)?
        .retry_for(RETRY_FOR)
        .rights(Rights::Apply);
    let start = Instant::now();
    let Err(error) = scope.bed.block_on(cluster.read(&reference(scope, "a"))) else {
        return Err("a stranger may read".into());
    };
    ensure(
        start.elapsed() < RETRY_FOR / 10
            && matches!(cause(&error)?, Cause::Forbidden(_))
            && error
                .hint()
                .is_some_and(|hint| hint.contains("rbac-apply.yaml")),
        || format!("{error:?} {:?}", error.hint()),
    )
}

fn dead(scope: &Scope<'_>) -> Outcome {
    // An account that the server must look up, like most.
    let (_, kubeconfig) = account(scope, Rights::Apply)?;
    let cluster = connect(scope, &access(&kubeconfig))?.retry_for(RETRY_FOR);
    let sent = object(&release(scope, json!({})))?;
    let mut events = follow(&cluster, scope);
    let first = next(scope, &mut events)?;
    ensure(
        matches!(&first, Event::Listed(objects) if objects.is_empty()),
        || format!("{first:?}"),
    )?;
    // A restarted API server has no history, so the watch continues after the list.
    scope.bed.apply(&map(scope, "later", json!({})))?;
    let before = cluster.requests();
    scope.bed.kill_api_server();
    let (done, seen, restarted) = thread::scope(|threads| {
        let writer = threads.spawn(|| scope.bed.block_on(cluster.apply(&sent, None, false)));
        let watcher = threads.spawn(|| until_known(scope, &mut events, "web"));
        // Both have noticed the outage.
        let noticed = crate::bed::until(RETRY_FOR, || {
            Ok((cluster.requests() >= before + 6).then_some(()))
        });
        let restarted = noticed.and_then(|()| scope.bed.restart_api_server());
        (writer.join(), watcher.join(), restarted)
    });
    restarted?;
    let done = done.map_err(|_| "the writer panicked")??;
    ensure(matches!(done, ApplyResult::Applied { .. }), || {
        format!("{done:?}")
    })?;
    let lists = seen.map_err(|_| "the watcher panicked")??;
    ensure(lists == 1, || format!("{lists} lists"))
}
