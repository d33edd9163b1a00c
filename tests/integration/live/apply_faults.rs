//! `apply` with faults of the API server in the middle of a stage: it continues if it can. Otherwise it reports the fault,
//! and a resumed run does the rest.

use std::time::{Duration, Instant};

use serde_json::json;

use super::client::kubeconfig;
use super::small_site::{self, FIRST, LAST, SmallSite, WITHIN, ended};
use super::{Scope, Test, ensure};
use crate::bed::program::Program;
use crate::bed::proxy::{Fault, Kind, Rule};
use crate::bed::{Outcome, until};

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::private("apply_faults::a_crashed_server_is_awaited", dies),
        Test::shared("apply_faults::a_busy_server_is_awaited", busy),
        Test::shared("apply_faults::cut_connections_repeat_nothing", cut),
        Test::shared("apply_faults::an_expired_token_stops_it", expired),
        Test::shared("apply_faults::a_refused_write_stops_it", refused),
        Test::shared("apply_faults::a_field_of_another_is_left_to_it", conflict),
    ]
}

/// How long the server is busy, with each of two responses.
const BUSY: Duration = Duration::from_secs(15);

fn site<'b>(scope: &Scope<'b>) -> Outcome<SmallSite<'b>> {
    let commit = small_site::commit(scope)?;
    SmallSite::create(scope, &commit, &scope.namespace)
}

fn dies(scope: &Scope<'_>) -> Outcome {
    let site = site(scope)?;
    let tree = site.tree("one", &[SmallSite::held_first_stage()])?;
    let running = site.start(&scope.bed.kubeconfig, &tree, &[])?;
    site.wait_until_held(1)?;
    scope.bed.kill_api_server();
    scope.bed.restart_api_server()?;
    site.release_first_stage()?;
    ended(&running.end()?, 0, &[])?;
    site.expect_deployed("one")?;
    ensure(site.expect_complete()? == 1, || {
        "resumed by another process".to_owned()
    })
}

fn busy(scope: &Scope<'_>) -> Outcome {
    let site = site(scope)?;
    let tree = site.tree("one", &[SmallSite::held_first_stage()])?;
    let proxy = scope.bed.proxy(&site.name)?;
    let running = site.start(&proxy.kubeconfig, &tree, &[])?;
    site.wait_until_held(1)?;
    let before = proxy.requests().len();
    for status in [429, 503] {
        proxy.clear_rules();
        proxy.add_rule(Rule::new(Fault::Answer(status, None)));
        proxy.cut_watches();
        site.release_first_stage()?;
        let start = Instant::now();
        until(2 * BUSY, || Ok((start.elapsed() >= BUSY).then_some(())))?;
    }
    let tried: Vec<Option<u16>> = proxy.requests()[before..]
        .iter()
        .map(|seen| seen.status)
        .collect();
    proxy.clear_rules();
    ended(&running.end()?, 0, &[])?;
    for status in [429, 503] {
        ensure(
            tried.iter().filter(|tried| **tried == Some(status)).count() > 2,
            || format!("{tried:?}"),
        )?;
    }
    site.expect_deployed("one")?;
    ensure(site.expect_complete()? == 1, || {
        "resumed by another process".to_owned()
    })
}

fn cut(scope: &Scope<'_>) -> Outcome {
    let site = site(scope)?;
    let tree = site.tree("one", &[SmallSite::held_first_stage()])?;
    let proxy = scope.bed.proxy(&site.name)?;
    // The first write is lost as a request, the second as a response.
    let last = site.path(LAST);
    for (nth, fault) in [(1, Fault::CutBefore), (2, Fault::CutAfter)] {
        proxy.add_rule(
            Rule::new(fault)
                .kind(Kind::Write)
                .exactly(&last)
                .starting_at(nth)
                .times(1),
        );
    }
    let running = site.start(&proxy.kubeconfig, &tree, &[])?;
    site.wait_until_held(1)?;
    let lists = || {
        let seen = proxy.requests();
        let lists = seen.iter().filter(|seen| {
            let path = seen.path.split('?').next().unwrap_or_default();
            seen.kind == Kind::Read
                && (path.ends_with("/helmreleases") || path.ends_with("/deployments"))
        });
        lists.count()
    };
    let before = lists();
    for cuts in 1..=3 {
        let watches = proxy.count(Kind::Watch);
        proxy.cut_watches();
        // All watches are started again: HelmReleases, sources, Deployments.
        until(WITHIN, || {
            Ok((proxy.count(Kind::Watch) >= watches + 3).then_some(()))
        })
        .map_err(|error| format!("cut {cuts}: {error}"))?;
    }
    ensure(lists() == before, || {
        format!("listed again: {:?}", proxy.requests())
    })?;
    site.release_first_stage()?;
    ended(&running.end()?, 0, &[])?;
    site.expect_deployed("one")?;
    let written = proxy
        .requests()
        .iter()
        .filter(|seen| seen.kind == Kind::Write && seen.path.starts_with(&last))
        .count();
    let generation = site.release(LAST)?["metadata"]["generation"].clone();
    ensure(written == 3 && generation == 1, || {
        format!("{written} writes, generation {generation}")
    })
}

fn expired(scope: &Scope<'_>) -> Outcome {
    let site = site(scope)?;
    let tree = site.tree("one", &[SmallSite::held_first_stage()])?;
    let place = format!("--namespace={}", site.name);
    let kubectl = |arguments: &[&str]| {
        let arguments = [arguments, &[&*place]].concat();
        scope.bed.run(Program::Kubectl, &arguments)
    };
    kubectl(&["create", "serviceaccount", "brief"])?;
    let account = format!("--serviceaccount={}:brief", site.name);
    let role = "--clusterrole=cluster-admin";
    kubectl(&["create", "clusterrolebinding", &site.name, role, &account])?;
    let token = kubectl(&["create", "token", "brief"])?;
    let token = token.trim();
    let config = kubeconfig(scope, "brief", &json!({"token": token}), &json!({}))?;
    let running = site.start(&config, &tree, &[])?;
    site.wait_until_held(1)?;
    kubectl(&["delete", "serviceaccount", "brief"])?;
    // The server caches a valid token for some seconds.
    let as_brief = format!("--kubeconfig={}", config.display());
    until(WITHIN, || {
        let tried = kubectl(&["get", "configmaps", &as_brief]);
        Ok(tried
            .is_err_and(|error| error.to_string().contains("Unauthorized"))
            .then_some(()))
    })?;
    // Open watches stay open.
    site.release_first_stage()?;
    let ran = running.end()?;
    ended(&ran, 1, &["(401)", "log in again", "--resume"])?;
    ensure(!ran.stderr.contains(token), || "the token shows".to_owned())?;
    ensure(site.release(LAST)?.is_null(), || {
        "the second stage was begun".to_owned()
    })?;
    ended(&site.apply(&tree, &["--resume"])?, 0, &[])?;
    site.expect_deployed("one")?;
    ensure(site.expect_complete()? == 2, || "not taken up".to_owned())
}

fn refused(scope: &Scope<'_>) -> Outcome {
    let site = site(scope)?;
    let tree = site.tree("one", &[])?;
    let words = "not on a Saturday";
    let webhook = scope
        .bed
        .refuse_release(&site.name, &format!("grain-{}", FIRST[0]), words)?;
    let object = format!("HelmRelease {}/grain-{}", site.name, FIRST[0]);
    ended(&site.apply(&tree, &[])?, 3, &[&object, words, "--resume"])?;
    // The other release of the stage is finished, the next stage is not started.
    let db = site.release(FIRST[1])?;
    ensure(
        crate::bed::has_condition(&db, "Ready") && site.release(LAST)?.is_null(),
        || db.to_string(),
    )?;
    webhook.allow();
    ended(&site.apply(&tree, &["--resume"])?, 0, &[])?;
    site.expect_deployed("one")
}

fn conflict(scope: &Scope<'_>) -> Outcome {
    let site = site(scope)?;
    ended(&site.apply(&site.tree("one", &[])?, &[])?, 0, &[])?;
    let tree = site.tree("two", &[SmallSite::held_first_stage()])?;
    let running = site.start(&scope.bed.kubeconfig, &tree, &[])?;
    site.wait_until_held(2)?;
    let forced = |spec: serde_json::Value| -> Outcome {
        let object = json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": format!("grain-{LAST}"), "namespace": site.name},
            "spec": spec,
        });
        let arguments = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--field-manager=neighbour",
            "-f",
            "-",
        ];
        scope
            .bed
            .run_with(Program::Kubectl, &arguments, &object.to_string())
            .map(drop)
    };
    forced(json!({"values": {"marker": "mine"}}))?;
    site.release_first_stage()?;
    let object = format!("HelmRelease {}/grain-{LAST}", site.name);
    ended(
        &running.end()?,
        3,
        &[&object, "marker", "is owned by `neighbour`", "--resume"],
    )?;
    ensure(
        site.release(LAST)?["spec"]["values"]["marker"] == "mine",
        || "taken away".to_owned(),
    )?;
    forced(json!({}))?;
    ended(&site.apply(&tree, &["--resume"])?, 0, &[])?;
    site.expect_deployed("two")
}
