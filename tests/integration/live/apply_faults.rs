//! `apply` where the API server makes trouble in the middle of a stage: it goes on by itself when it can, else it says
//! what is wrong, and what is left is done when it is taken up again.

use std::time::{Duration, Instant};

use serde_json::json;

use super::client::kubeconfig;
use super::small_site::{self, FIRST, LAST, Town, WITHIN, ended};
use super::{Scope, Test, ensure};
use crate::bed::program::Program;
use crate::bed::proxy::{Kind, Rule, Trouble};
use crate::bed::{Outcome, until};

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::private("apply_faults::a_server_that_dies_is_awaited", dies),
        Test::shared("apply_faults::a_busy_server_is_outlasted", busy),
        Test::shared("apply_faults::what_is_cut_off_is_done_once", cut),
        Test::shared("apply_faults::an_expired_token_stops_it", expired),
        Test::shared("apply_faults::a_refused_write_stops_it", refused),
        Test::shared("apply_faults::a_field_of_another_is_left_to_it", conflict),
    ]
}

/// For so long the server has time for nobody, with each of two answers.
const BUSY: Duration = Duration::from_secs(15);

fn town<'b>(scope: &Scope<'b>) -> Outcome<Town<'b>> {
    let commit = small_site::commit(scope)?;
    Town::found(scope, &commit, &scope.namespace)
}

fn dies(scope: &Scope<'_>) -> Outcome {
    let town = town(scope)?;
    let tree = town.tree("one", &[Town::closed()])?;
    let running = town.start(&scope.bed.kubeconfig, &tree, &[])?;
    town.waits(1)?;
    scope.bed.kill_api_server();
    scope.bed.restart_api_server()?;
    town.open()?;
    ended(&running.end()?, 0, &[])?;
    town.holds("one")?;
    ensure(town.is_complete()? == 1, || {
        "taken up by somebody".to_owned()
    })
}

fn busy(scope: &Scope<'_>) -> Outcome {
    let town = town(scope)?;
    let tree = town.tree("one", &[Town::closed()])?;
    let proxy = scope.bed.proxy(&town.name)?;
    let running = town.start(&proxy.kubeconfig, &tree, &[])?;
    town.waits(1)?;
    let before = proxy.seen().len();
    for status in [429, 503] {
        proxy.calm();
        proxy.rule(Rule::new(Trouble::Answer(status, None)));
        proxy.cut_watches();
        town.open()?;
        let start = Instant::now();
        until(2 * BUSY, || Ok((start.elapsed() >= BUSY).then_some(())))?;
    }
    let tried: Vec<Option<u16>> = proxy.seen()[before..]
        .iter()
        .map(|seen| seen.status)
        .collect();
    proxy.calm();
    ended(&running.end()?, 0, &[])?;
    for status in [429, 503] {
        ensure(
            tried.iter().filter(|tried| **tried == Some(status)).count() > 2,
            || format!("{tried:?}"),
        )?;
    }
    town.holds("one")?;
    ensure(town.is_complete()? == 1, || {
        "taken up by somebody".to_owned()
    })
}

fn cut(scope: &Scope<'_>) -> Outcome {
    let town = town(scope)?;
    let tree = town.tree("one", &[Town::closed()])?;
    let proxy = scope.bed.proxy(&town.name)?;
    // Its first write is lost on the way, and when that has arrived, the answer is.
    let last = town.path(LAST);
    for (nth, trouble) in [(1, Trouble::CutBefore), (2, Trouble::CutAfter)] {
        proxy.rule(
            Rule::new(trouble)
                .of(Kind::Write)
                .exactly(&last)
                .from(nth)
                .times(1),
        );
    }
    let running = town.start(&proxy.kubeconfig, &tree, &[])?;
    town.waits(1)?;
    let lists = || {
        let seen = proxy.seen();
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
        // Everything that was followed is followed again: HelmReleases, sources, Deployments.
        until(WITHIN, || {
            Ok((proxy.count(Kind::Watch) >= watches + 3).then_some(()))
        })
        .map_err(|error| format!("cut {cuts}: {error}"))?;
    }
    ensure(lists() == before, || {
        format!("listed again: {:?}", proxy.seen())
    })?;
    town.open()?;
    ended(&running.end()?, 0, &[])?;
    town.holds("one")?;
    let written = proxy
        .seen()
        .iter()
        .filter(|seen| seen.kind == Kind::Write && seen.path.starts_with(&last))
        .count();
    let generation = town.release(LAST)?["metadata"]["generation"].clone();
    ensure(written == 3 && generation == 1, || {
        format!("{written} writes, generation {generation}")
    })
}

fn expired(scope: &Scope<'_>) -> Outcome {
    let town = town(scope)?;
    let tree = town.tree("one", &[Town::closed()])?;
    let place = format!("--namespace={}", town.name);
    let kubectl = |arguments: &[&str]| {
        let arguments = [arguments, &[&*place]].concat();
        scope.bed.run(Program::Kubectl, &arguments)
    };
    kubectl(&["create", "serviceaccount", "brief"])?;
    let account = format!("--serviceaccount={}:brief", town.name);
    let role = "--clusterrole=cluster-admin";
    kubectl(&["create", "clusterrolebinding", &town.name, role, &account])?;
    let token = kubectl(&["create", "token", "brief"])?;
    let token = token.trim();
    let config = kubeconfig(scope, "brief", &json!({"token": token}), &json!({}))?;
    let running = town.start(&config, &tree, &[])?;
    town.waits(1)?;
    kubectl(&["delete", "serviceaccount", "brief"])?;
    // The server remembers a good token for some seconds.
    let as_brief = format!("--kubeconfig={}", config.display());
    until(WITHIN, || {
        let tried = kubectl(&["get", "configmaps", &as_brief]);
        Ok(tried
            .is_err_and(|error| error.to_string().contains("Unauthorized"))
            .then_some(()))
    })?;
    // Watches that are open stay open.
    town.open()?;
    let ran = running.end()?;
    ended(&ran, 1, &["(401)", "log in again", "--resume"])?;
    ensure(!ran.stderr.contains(token), || "the token shows".to_owned())?;
    ensure(town.release(LAST)?.is_null(), || {
        "the second stage was begun".to_owned()
    })?;
    ended(&town.apply(&tree, &["--resume"])?, 0, &[])?;
    town.holds("one")?;
    ensure(town.is_complete()? == 2, || "not taken up".to_owned())
}

fn refused(scope: &Scope<'_>) -> Outcome {
    let town = town(scope)?;
    let tree = town.tree("one", &[])?;
    let words = "not on a Saturday";
    let webhook = scope
        .bed
        .refuse_release(&town.name, &format!("grain-{}", FIRST[0]), words)?;
    let object = format!("HelmRelease {}/grain-{}", town.name, FIRST[0]);
    ended(&town.apply(&tree, &[])?, 3, &[&object, words, "--resume"])?;
    // The other release of the stage was finished, the next stage not begun.
    let db = town.release(FIRST[1])?;
    ensure(
        crate::bed::has_condition(&db, "Ready") && town.release(LAST)?.is_null(),
        || db.to_string(),
    )?;
    webhook.allow();
    ended(&town.apply(&tree, &["--resume"])?, 0, &[])?;
    town.holds("one")
}

fn conflict(scope: &Scope<'_>) -> Outcome {
    let town = town(scope)?;
    ended(&town.apply(&town.tree("one", &[])?, &[])?, 0, &[])?;
    let tree = town.tree("two", &[Town::closed()])?;
    let running = town.start(&scope.bed.kubeconfig, &tree, &[])?;
    town.waits(2)?;
    let forced = |spec: serde_json::Value| -> Outcome {
        let object = json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": format!("grain-{LAST}"), "namespace": town.name},
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
    town.open()?;
    let object = format!("HelmRelease {}/grain-{LAST}", town.name);
    ended(
        &running.end()?,
        3,
        &[&object, "marker", "is held by `neighbour`", "--resume"],
    )?;
    ensure(
        town.release(LAST)?["spec"]["values"]["marker"] == "mine",
        || "taken away".to_owned(),
    )?;
    forced(json!({}))?;
    ended(&town.apply(&tree, &["--resume"])?, 0, &[])?;
    town.holds("two")
}
