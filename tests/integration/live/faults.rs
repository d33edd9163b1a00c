//! The proxy injects exactly the faults of its rules, and the API server can crash and come back.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures::TryStreamExt as _;
use hyper::Method;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, DeleteParams, ListParams, PostParams, WatchEvent, WatchParams};
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::{Client, ResourceExt as _};
use serde_json::json;

use super::{Scope, Test, ensure};
use crate::bed::Outcome;
use crate::bed::program::Program;
use crate::bed::proxy::{Fault, Kind, Proxy, Rule};

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("faults::the_proxy_counts_delays_and_refuses", refuses),
        Test::shared("faults::the_proxy_loses_answers", loses),
        Test::shared("faults::the_proxy_cuts_watches", cuts),
        Test::shared("faults::the_proxy_kills_at_the_nth_write", kills),
        Test::private("faults::a_crashed_api_server_comes_back", crash),
    ]
}

fn client(scope: &Scope<'_>, proxy: &Proxy) -> Outcome<Client> {
    let kubeconfig = Kubeconfig::read_from(&proxy.kubeconfig)?;
    scope.bed.block_on(async {
        let mut config =
            Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        config.default_retry = false;
        Ok(Client::try_from(config)?)
    })
}

fn map(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: kube::api::ObjectMeta {
            name: Some(name.to_owned()),
            ..Default::default()
        },
        ..Default::default()
    }
}

fn refuses(scope: &Scope<'_>) -> Outcome {
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let maps: Api<ConfigMap> = Api::namespaced(client(scope, &proxy)?, &scope.namespace);
    scope.bed.block_on(async {
        maps.create(&PostParams::default(), &map("plain")).await?;
        ensure(
            proxy.count(Kind::Write) == 1 && proxy.count(Kind::Read) == 0,
            || format!("{:?}", proxy.requests()),
        )?;
        maps.create(
            &PostParams {
                dry_run: true,
                ..Default::default()
            },
            &map("dry"),
        )
        .await?;
        ensure(
            proxy.count(Kind::Write) == 1 && proxy.count(Kind::Read) == 1,
            || format!("{:?}", proxy.requests()),
        )?;

        proxy.add_rule(
            Rule::new(Fault::Answer(429, Some(1)))
                .kind(Kind::Write)
                .starting_at(2)
                .times(1),
        );
        maps.create(&PostParams::default(), &map("first")).await?;
        let refused = maps.create(&PostParams::default(), &map("second")).await;
        let code = match &refused {
            Err(kube::Error::Api(status)) => status.code,
            _ => 0,
        };
        ensure(code == 429, || format!("{refused:?}"))?;
        maps.create(&PostParams::default(), &map("second")).await?;

        proxy.clear_rules();
        proxy.add_rule(Rule::new(Fault::Answer(503, None)).path("/configmaps/first"));
        ensure(maps.get("first").await.is_err(), || {
            "a refused read succeeded".to_owned()
        })?;
        maps.get("second").await?;

        proxy.clear_rules();
        proxy.add_rule(Rule::new(Fault::Delay(Duration::from_millis(700))).times(1));
        let start = Instant::now();
        maps.get("second").await?;
        let slow = start.elapsed();
        ensure(slow >= Duration::from_millis(700), || {
            format!("answered after {slow:?}")
        })
    })
}

fn loses(scope: &Scope<'_>) -> Outcome {
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let maps: Api<ConfigMap> = Api::namespaced(client(scope, &proxy)?, &scope.namespace);
    let direct: Api<ConfigMap> = Api::namespaced(scope.bed.client.clone(), &scope.namespace);
    scope.bed.block_on(async {
        proxy.add_rule(Rule::new(Fault::CutBefore).kind(Kind::Write));
        ensure(
            maps.create(&PostParams::default(), &map("unseen"))
                .await
                .is_err(),
            || "got an answer".to_owned(),
        )?;
        ensure(direct.get_opt("unseen").await?.is_none(), || {
            "the request was passed on".to_owned()
        })?;
        proxy.clear_rules();
        proxy.add_rule(Rule::new(Fault::CutAfter).kind(Kind::Write));
        ensure(
            maps.create(&PostParams::default(), &map("done"))
                .await
                .is_err(),
            || "got an answer".to_owned(),
        )?;
        ensure(direct.get_opt("done").await?.is_some(), || {
            "the request was not passed on".to_owned()
        })
    })
}

fn cuts(scope: &Scope<'_>) -> Outcome {
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let maps: Api<ConfigMap> = Api::namespaced(client(scope, &proxy)?, &scope.namespace);
    scope.bed.block_on(async {
        maps.create(&PostParams::default(), &map("seen")).await?;
        let events = maps
            .watch(&WatchParams::default().fields("metadata.name=seen"), "0")
            .await?;
        futures::pin_mut!(events);
        // A bookmark may come before the object, and before the cut.
        let first = loop {
            match events.try_next().await? {
                Some(WatchEvent::Bookmark(_)) => {}
                other => break other,
            }
        };
        let named = matches!(&first, Some(WatchEvent::Added(map)) if map.name_any() == "seen");
        ensure(named, || format!("{first:?}"))?;
        proxy.cut_watches();
        let ends = async { while matches!(events.try_next().await, Ok(Some(_))) {} };
        tokio::time::timeout(Duration::from_secs(20), ends).await?;
        ensure(proxy.count(Kind::Watch) == 1, || {
            format!("{:?}", proxy.requests())
        })?;
        maps.delete("seen", &DeleteParams::default()).await?;
        Ok(())
    })
}

fn kills(scope: &Scope<'_>) -> Outcome {
    let after = killed_at_the_second_write(scope, "after", Fault::KillAfter)?;
    ensure(after == ["after-a", "after-b"], || format!("{after:?}"))?;
    let before = killed_at_the_second_write(scope, "before", Fault::KillBefore)?;
    ensure(before == ["before-a"], || format!("{before:?}"))
}

/// Starts a process that creates objects one after another, kills it at the second, and returns those that exist.
fn killed_at_the_second_write(
    scope: &Scope<'_>,
    prefix: &str,
    fault: impl Fn(u32) -> Fault,
) -> Outcome<Vec<String>> {
    let proxy = scope.bed.proxy(&format!("{}-{prefix}", scope.namespace))?;
    // It waits for input first, so that the rule can have its process id.
    let script = "read -r _; for name in a b c; do \"$0\" create configmap \"$1-$name\" --namespace=\"$2\" || exit 1; done";
    let mut victim = Command::new("sh")
        .args(["-c", script])
        .arg(scope.bed.programs.path(Program::Kubectl))
        .args([prefix, &scope.namespace])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", scope.bed.path().join("home"))
        .env("KUBECONFIG", &proxy.kubeconfig)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    proxy.add_rule(
        Rule::new(fault(victim.id()))
            .kind(Kind::Write)
            .starting_at(2)
            .times(1),
    );
    drop(victim.stdin.take());
    let status = victim.wait()?;
    ensure(status.code().is_none(), || format!("not killed: {status}"))?;
    let posts: Vec<_> = proxy
        .requests()
        .into_iter()
        .filter(|seen| seen.method == Method::POST)
        .collect();
    let last_was_cut =
        posts.len() == 2 && posts[0].status == Some(201) && posts[1].status.is_none();
    ensure(
        last_was_cut && posts[1].path.contains("/configmaps"),
        || format!("{posts:?}"),
    )?;
    let maps: Api<ConfigMap> = Api::namespaced(scope.bed.client.clone(), &scope.namespace);
    let all = scope.bed.block_on(maps.list(&ListParams::default()))?;
    let names = all
        .items
        .iter()
        .map(kube::ResourceExt::name_any)
        .filter(|name| name.starts_with(prefix));
    Ok(names.collect())
}

fn crash(scope: &Scope<'_>) -> Outcome {
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept", "namespace": scope.namespace}});
    scope.bed.apply(&map)?;
    let path = format!("/api/v1/namespaces/{}/configmaps/kept", scope.namespace);
    scope.bed.kill_api_server();
    ensure(scope.bed.get(&path).is_err(), || {
        "a killed API server answered".to_owned()
    })?;
    ensure(!scope.bed.exited_processes().is_empty(), || {
        "no client noticed the outage".to_owned()
    })?;
    scope.bed.restart_api_server()?;
    ensure(scope.bed.get(&path)?.is_some(), || {
        "what was written is gone".to_owned()
    })
}
