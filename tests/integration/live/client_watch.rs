//! Watches of the program's own client: no change is lost, and nothing is listed twice.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::thread;
use std::time::{Duration, Instant};

use armada2flux::cluster::{Access, Cause, Cluster, Error, Event};
use futures::{Stream, StreamExt as _};
use serde_json::json;

use super::client::{access, config_maps, connect, helm_releases, map};
use super::client_faults::cause;
use super::client_retries::RETRY_FOR;
use super::client_writes::reference;
use super::{Scope, Test, ensure};
use crate::bed::proxy::{Fault, Kind, Proxy, Rule};
use crate::bed::{Outcome, until};

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("client_watch::changes_are_seen", seen),
        Test::shared("client_watch::a_cut_watch_continues", cut),
        Test::shared("client_watch::an_expired_version_is_relisted", forgotten),
        Test::shared("client_watch::a_silent_watch_is_restarted", silent),
        Test::shared("client_watch::a_forbidden_watch_ends", refused),
    ]
}

/// Time limit for an event.
const SOON: Duration = Duration::from_secs(30);

pub(super) type Events<'c> = Pin<Box<dyn Stream<Item = Result<Event, Error>> + Send + 'c>>;

/// The HelmReleases of the test.
pub(super) fn follow<'c>(cluster: &'c Cluster, scope: &Scope<'_>) -> Events<'c> {
    Box::pin(cluster.watch(&helm_releases(), Some(&scope.namespace), None))
}

pub(super) fn next(scope: &Scope<'_>, events: &mut Events<'_>) -> Outcome<Event> {
    let next = scope
        .bed
        .block_on(async { tokio::time::timeout(SOON, events.next()).await });
    Ok(next.map_err(|_| "no event")?.ok_or("the watch ended")??)
}

/// Watches until an object of that name is known; returns how many lists that took.
pub(super) fn until_known(
    scope: &Scope<'_>,
    events: &mut Events<'_>,
    name: &str,
) -> Outcome<usize> {
    let mut known = BTreeSet::new();
    let mut lists = 0;
    while !known.contains(name) {
        match next(scope, events)? {
            Event::Listed(objects) => {
                lists += 1;
                known = objects
                    .iter()
                    .map(|object| object.name.to_string())
                    .collect();
            }
            Event::Changed(object) => {
                known.insert(object.name.to_string());
            }
            Event::Gone(object) => {
                known.remove(object.name.as_str());
            }
        }
    }
    Ok(lists)
}

/// Summarises an event: `+name` for each listed object, `name=x` for a change, `-name` for a deletion.
fn summary(event: &Event) -> Vec<String> {
    match event {
        Event::Listed(objects) => {
            let objects = objects.iter();
            objects.map(|object| format!("+{}", object.name)).collect()
        }
        Event::Changed(object) => {
            let x = object.value.at(&["data", "x"]);
            let x = x.and_then(|x| x.as_str()).unwrap_or_default();
            vec![format!("{}={x}", object.name)]
        }
        Event::Gone(object) => vec![format!("-{}", object.name)],
    }
}

fn expect(scope: &Scope<'_>, events: &mut Events<'_>, expected: &[&str]) -> Outcome {
    let event = next(scope, events)?;
    let found = summary(&event);
    ensure(found == expected, || {
        format!("{found:?} instead of {expected:?}")
    })
}

fn labelled(scope: &Scope<'_>, name: &str, x: &str) -> serde_json::Value {
    let mut map = map(scope, name, json!({"x": x}));
    map["metadata"]["labels"] = json!({"of": "test"});
    map
}

fn remove(scope: &Scope<'_>, cluster: &Cluster, name: &str) -> Outcome {
    let of = reference(scope, name);
    let found = scope.bed.block_on(cluster.read(&of))?.ok_or("it is gone")?;
    let uid = found
        .value
        .at(&["metadata", "uid"])
        .and_then(|uid| uid.as_str());
    scope
        .bed
        .block_on(cluster.delete(&of, uid.ok_or("no UID")?))?;
    Ok(())
}

fn lists(proxy: &Proxy) -> usize {
    let seen = proxy.requests();
    let lists = seen.iter().filter(|seen| seen.kind == Kind::Read);
    lists
        .filter(|seen| seen.path.contains("/configmaps?"))
        .count()
}

fn seen(scope: &Scope<'_>) -> Outcome {
    let cluster = super::client::tester(scope)?;
    for name in ["a", "b"] {
        scope.bed.apply(&labelled(scope, name, "0"))?;
    }
    let here = Some(scope.namespace.as_str());
    let mut all: Events<'_> = Box::pin(cluster.watch(&config_maps(), here, Some("of=test")));
    let mut one: Events<'_> = Box::pin(cluster.watch_one(&config_maps(), here, "c"));
    expect(scope, &mut all, &["+a", "+b"])?;
    expect(scope, &mut one, &[])?;
    scope
        .bed
        .apply(&map(scope, "unlabelled", json!({"x": "1"})))?;
    scope.bed.apply(&labelled(scope, "c", "1"))?;
    scope.bed.apply(&labelled(scope, "a", "2"))?;
    remove(scope, &cluster, "b")?;
    remove(scope, &cluster, "c")?;
    for event in ["c=1", "a=2", "-b", "-c"] {
        expect(scope, &mut all, &[event])?;
    }
    for event in ["c=1", "-c"] {
        expect(scope, &mut one, &[event])?;
    }
    // An object that loses the label is reported as deleted.
    let unlabelled = map(scope, "a", json!({"x": "3"}));
    scope.bed.apply(&unlabelled)?;
    expect(scope, &mut all, &["-a"])
}

fn cut(scope: &Scope<'_>) -> Outcome {
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let direct = super::client::tester(scope)?;
    let cluster = connect(scope, &access(&proxy.kubeconfig))?.retry_for(RETRY_FOR);
    let here = Some(scope.namespace.as_str());
    scope.bed.apply(&labelled(scope, "a", "0"))?;
    let mut events: Events<'_> = Box::pin(cluster.watch(&config_maps(), here, Some("of=test")));
    expect(scope, &mut events, &["+a"])?;
    scope.bed.apply(&labelled(scope, "b", "1"))?;
    expect(scope, &mut events, &["b=1"])?;
    for fault in [
        Fault::Answer(503, None),
        Fault::Answer(429, Some(1)),
        Fault::CutBefore,
    ] {
        proxy.clear_rules();
        proxy.add_rule(Rule::new(fault).kind(Kind::Watch).times(3));
        proxy.cut_watches();
        // While the stream is not polled.
        scope.bed.apply(&labelled(scope, "b", "2"))?;
        scope.bed.apply(&labelled(scope, "c", "1"))?;
        remove(scope, &direct, "c")?;
        scope.bed.apply(&labelled(scope, "b", "1"))?;
        for event in ["b=2", "c=1", "-c", "b=1"] {
            expect(scope, &mut events, &[event])?;
        }
    }
    ensure(lists(&proxy) == 1, || format!("{:?}", proxy.requests()))?;
    let refused = proxy.requests();
    let refused = refused
        .iter()
        .filter(|seen| seen.kind == Kind::Watch && seen.status != Some(200));
    ensure(refused.count() == 9, || format!("{:?}", proxy.requests()))?;

    // The retry budget ends, counted from the first fault.
    drop(events);
    let cluster = cluster.retry_for(Duration::from_secs(1));
    let mut events: Events<'_> = Box::pin(cluster.watch(&config_maps(), here, Some("of=test")));
    expect(scope, &mut events, &["+a", "+b"])?;
    proxy.clear_rules();
    proxy.add_rule(Rule::new(Fault::Answer(503, None)).kind(Kind::Watch));
    let Err(error) = next(scope, &mut events) else {
        return Err("it is watched".into());
    };
    let text = error.to_string();
    ensure(
        text.starts_with(&format!(
            "cannot watch configmaps in namespace {}",
            scope.namespace
        )) && text.contains("too busy: 503"),
        || text.clone(),
    )
}

fn forgotten(scope: &Scope<'_>) -> Outcome {
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let cluster = connect(scope, &access(&proxy.kubeconfig))?.retry_for(RETRY_FOR);
    let here = Some(scope.namespace.as_str());
    scope.bed.apply(&labelled(scope, "a", "0"))?;
    let mut events: Events<'_> = Box::pin(cluster.watch(&config_maps(), here, Some("of=test")));
    expect(scope, &mut events, &["+a"])?;
    scope.bed.apply(&labelled(scope, "a", "1"))?;
    expect(scope, &mut events, &["a=1"])?;
    let before = lists(&proxy);
    proxy.add_rule(
        Rule::new(Fault::Answer(410, None))
            .kind(Kind::Watch)
            .times(1),
    );
    proxy.cut_watches();
    scope.bed.apply(&labelled(scope, "b", "1"))?;
    expect(scope, &mut events, &["+a", "+b"])?;
    ensure(lists(&proxy) == before + 1, || {
        format!("{:?}", proxy.requests())
    })?;
    scope.bed.apply(&labelled(scope, "a", "2"))?;
    expect(scope, &mut events, &["a=2"])?;
    // A server that always reports an expired version is not asked as fast as it answers.
    let before = lists(&proxy);
    proxy.add_rule(
        Rule::new(Fault::Answer(410, None))
            .kind(Kind::Watch)
            .times(4),
    );
    let start = Instant::now();
    proxy.cut_watches();
    for _ in 0..4 {
        expect(scope, &mut events, &["+a", "+b"])?;
    }
    scope.bed.apply(&labelled(scope, "a", "3"))?;
    expect(scope, &mut events, &["a=3"])?;
    ensure(
        lists(&proxy) == before + 4 && start.elapsed() > Duration::from_millis(700),
        || format!("{:?} {:?}", start.elapsed(), proxy.requests()),
    )
}

/// The other side may vanish without closing the connection.
fn silent(scope: &Scope<'_>) -> Outcome {
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let impatient = Access {
        timeout: Some(Duration::from_millis(500)),
        ..access(&proxy.kubeconfig)
    };
    let cluster = connect(scope, &impatient)?.retry_for(RETRY_FOR);
    let here = Some(scope.namespace.as_str());
    let mut events: Events<'_> = Box::pin(cluster.watch(&config_maps(), here, Some("of=test")));
    expect(scope, &mut events, &[])?;
    let before = lists(&proxy);
    thread::scope(|threads| {
        let watcher = threads.spawn(|| expect(scope, &mut events, &["a=1"]));
        let anew = until(SOON, || Ok((proxy.count(Kind::Watch) >= 2).then_some(())));
        // The watcher must end in any case.
        scope.bed.apply(&labelled(scope, "a", "1"))?;
        anew?;
        watcher.join().map_err(|_| "the watcher panicked")?
    })?;
    ensure(lists(&proxy) == before, || {
        format!("{:?}", proxy.requests())
    })
}

fn refused(scope: &Scope<'_>) -> Outcome {
    let stranger = Access {
        user: Some("stranger".to_owned()),
        ..access(&scope.bed.kubeconfig)
    };
    let cluster = connect(scope, &stranger)?.retry_for(RETRY_FOR);
    let mut events = follow(&cluster, scope);
    let first = scope.bed.block_on(events.next());
    let Some(Err(error)) = first else {
        return Err(format!("{first:?}").into());
    };
    ensure(matches!(cause(&error)?, Cause::Forbidden(_)), || {
        format!("{error:?}")
    })?;
    let second = scope.bed.block_on(events.next());
    ensure(second.is_none(), || format!("{second:?}"))?;
    // Refused credentials end it, in spite of the retry time.
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let cluster = connect(scope, &access(&proxy.kubeconfig))?.retry_for(RETRY_FOR);
    let mut events = follow(&cluster, scope);
    expect(scope, &mut events, &[])?;
    proxy.add_rule(Rule::new(Fault::Answer(401, None)).kind(Kind::Watch));
    let next = scope.bed.block_on(events.next());
    let Some(Err(error)) = next else {
        return Err(format!("{next:?}").into());
    };
    ensure(
        *cause(&error)? == Cause::Unauthorized && proxy.count(Kind::Watch) == 1,
        || format!("{error:?} {:?}", proxy.requests()),
    )
}
