//! `status` against a real cluster: releases, the last run, the lock and the journal; read-only.

use std::fs;
use std::time::Duration;

use armada2flux::rollout::ItemId;
use armada2flux::rollout::journal::{Chain, Entry, FORMAT, ItemOutcome, Line, RunEnd, RunInfo};
use armada2flux::rollout::state::{self, Counts, RunState, RunStatus, StageState};
use serde_json::{Value, json};

use super::client::tester;
use super::probe_site::publish_probe;
use super::site::helm_release;
use super::{Scope, Test, ensure, run_to_end};
use crate::bed::{Outcome, has_condition};
use crate::support::{self, ProgramOutput};

/// Time limit for a release: its chart is fetched, its pods start.
const INSTALLED_WITHIN: Duration = Duration::from_secs(120);

/// A secret in the values of a release, quoted in its status.
const SECRET: &str = "hunter2-in-status";

/// Sites that no other test uses.
const FIRST: &str = "status-first";
const SECOND: &str = "status-second";

pub(super) fn tests() -> Vec<Test> {
    vec![Test::shared("status::shows_sites_runs_and_locks", shown)]
}

/// Runs `status` as a user with few permissions, in a folder of the test.
fn status(scope: &Scope<'_>, user: &str, arguments: &[&str]) -> Outcome<ProgramOutput> {
    let folder = scope.bed.path().join(&scope.namespace);
    fs::create_dir_all(&folder)?;
    let mut command = support::program();
    command.current_dir(folder).arg("status");
    command.arg("--kubeconfig").arg(&scope.bed.kubeconfig);
    command.args(["--as", user, "--state-namespace", &scope.namespace]);
    command.args(arguments);
    run_to_end(&mut command)
}

/// Allows a user to list releases everywhere and, with `state`, to read the state of runs here.
fn allow(scope: &Scope<'_>, user: &str, state: bool) -> Outcome {
    const RBAC: &str = "rbac.authorization.k8s.io/v1";
    let rule = |group: &str, resource: &str, verb: &str| json!({"apiGroups": [group], "resources": [resource], "verbs": [verb]});
    let subjects = json!([{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user}]);
    let reference =
        |kind: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": user});
    scope.bed.apply(&json!({
        "apiVersion": RBAC, "kind": "ClusterRole", "metadata": {"name": user},
        "rules": [rule("helm.toolkit.fluxcd.io", "helmreleases", "list")],
    }))?;
    scope.bed.apply(&json!({
        "apiVersion": RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": user},
        "roleRef": reference("ClusterRole"), "subjects": subjects,
    }))?;
    if !state {
        return Ok(());
    }
    scope.bed.apply(&json!({
        "apiVersion": RBAC, "kind": "Role", "metadata": {"name": user, "namespace": scope.namespace},
        "rules": [rule("", "configmaps", "list"), rule("coordination.k8s.io", "leases", "get")],
    }))?;
    scope.bed.apply(&json!({
        "apiVersion": RBAC, "kind": "RoleBinding", "metadata": {"name": user, "namespace": scope.namespace},
        "roleRef": reference("Role"), "subjects": subjects,
    }))
}

/// A release of a site, at a step of stage 1.
fn release(scope: &Scope<'_>, site: &str, name: &str, step: usize, spec: &Value) -> Value {
    let mut object = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {
            "name": name, "namespace": scope.namespace,
            "labels": {"armada2flux.dev/site": site},
            "annotations": {
                "armada2flux.dev/stage": "1", "armada2flux.dev/step": step.to_string(),
                "armada2flux.dev/chart-group": "core",
            },
        },
        "spec": {
            "interval": "30m", "releaseName": name, "timeout": "90s",
            "chart": {"spec": {
                "chart": "probe", "version": "0.1.0", "sourceRef": {"kind": "HelmRepository", "name": "charts"},
            }},
            "values": {"replicas": 1, "password": SECRET},
        },
    });
    for (key, value) in spec.as_object().into_iter().flatten() {
        object["spec"][key] = value.clone();
    }
    object
}

fn path(scope: &Scope<'_>, name: &str) -> String {
    helm_release(&scope.namespace, name)
}

/// Three releases of one site, one of another.
fn releases(scope: &Scope<'_>) -> Outcome {
    publish_probe(scope)?;
    let none = json!({});
    let stalls = json!({"dependsOn": [{"name": "ready", "readyExpr": "this is no expression"}]});
    scope
        .bed
        .apply(&release(scope, FIRST, "stalled", 2, &stalls))?;
    scope.bed.apply(&release(scope, FIRST, "ready", 1, &none))?;
    scope.bed.apply(&release(
        scope,
        SECOND,
        "resting",
        1,
        &json!({"suspend": true}),
    ))?;
    scope
        .bed
        .wait(&path(scope, "ready"), INSTALLED_WITHIN, |live| {
            has_condition(live, "Ready")
        })?;
    scope
        .bed
        .wait(&path(scope, "stalled"), INSTALLED_WITHIN, |live| {
            has_condition(live, "Stalled")
        })?;
    Ok(())
}

/// Makes the status of the stalled release quote its secret, as messages of Helm may.
fn quote(scope: &Scope<'_>) -> Outcome {
    let live = scope.bed.get(&path(scope, "stalled"))?.unwrap_or_default();
    let mut conditions = live["status"]["conditions"].clone();
    for condition in conditions.as_array_mut().into_iter().flatten() {
        condition["message"] = format!("cannot read {SECRET}").into();
    }
    let patch = json!({"status": {"conditions": conditions}}).to_string();
    let arguments = [
        "patch",
        "helmrelease",
        "stalled",
        "--namespace",
        &scope.namespace,
        "--subresource=status",
        "--type=merge",
        "--patch",
        &patch,
    ];
    scope
        .bed
        .run(crate::bed::program::Program::Kubectl, &arguments)?;
    Ok(())
}

/// Creates what a failed run leaves: its state in the cluster, the lock, and a journal in the folder of `status`.
fn run(scope: &Scope<'_>) -> Outcome {
    let counts = |all, done, failed| Counts {
        all,
        done,
        failed,
        ..Counts::default()
    };
    let state = RunState {
        version: state::VERSION,
        site: FIRST.into(),
        run: "r1".into(),
        rollout: "sha256:1".into(),
        program: "0.1.0".into(),
        holder: "somebody".into(),
        started: "2026-11-28T12:00:00.000Z".into(),
        updated: "2026-11-28T12:00:09.000Z".into(),
        end: Some(RunEnd::Failed),
        total: counts(2, 1, 1),
        stages: vec![StageState {
            number: 1,
            name: "core".into(),
            state: RunStatus::Failed,
            objects: counts(2, 1, 1),
            steps: Vec::new(),
        }],
        left_out: 0,
    };
    let cluster = tester(scope)?;
    let object = state.object(&scope.namespace);
    scope.bed.block_on(cluster.apply(&object, None, true))?;
    let name = state::name(FIRST);
    scope
        .bed
        .block_on(cluster.take_lease(&scope.namespace, &name, "somebody", 600, |_| false))?;

    let failed = ItemId {
        stage: 1,
        step: 2,
        kind: "HelmRelease".into(),
        namespace: Some(scope.namespace.as_str().into()),
        name: "stalled".into(),
    };
    let begin = RunInfo {
        site: FIRST.into(),
        rollout: "sha256:1".into(),
        cluster: "1111".into(),
        server: "https://127.0.0.1:1".into(),
        holder: "somebody".into(),
        program: "0.1.0".into(),
        failed_before: Vec::new(),
    };
    let reason = "no expression".into();
    let entries = [
        Entry::RunStarted(begin),
        Entry::StageStarted { stage: 1 },
        Entry::ItemFinished {
            item: failed,
            outcome: ItemOutcome::Failed { reason },
        },
        Entry::RunEnded(RunEnd::Failed),
    ];
    let (mut chain, mut text) = (Chain::default(), Vec::new());
    for entry in entries {
        let line = Line {
            version: FORMAT,
            at: "2026-11-28T12:00:09.000Z".into(),
            run: "r1".into(),
            entry,
        };
        text.extend(chain.seal(&line)?);
    }
    let folder = scope.bed.path().join(&scope.namespace);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("armada2flux-{FIRST}.journal")), text)?;
    Ok(())
}

fn report(ran: &ProgramOutput) -> Outcome<Value> {
    ensure(ran.code == Some(0), || {
        format!("{:?}: {}{}", ran.code, ran.stdout, ran.stderr)
    })?;
    Ok(serde_json::from_str(&ran.stdout)?)
}

fn site<'r>(report: &'r Value, name: &str) -> Outcome<&'r Value> {
    let sites = report["sites"].as_array().into_iter().flatten();
    let mut found = sites.filter(|site| site["name"] == name);
    found
        .next()
        .ok_or_else(|| format!("no site {name} in {report}").into())
}

fn shown(scope: &Scope<'_>) -> Outcome {
    releases(scope)?;
    quote(scope)?;
    run(scope)?;
    allow(scope, "status-reader", true)?;
    allow(scope, "status-lister", false)?;

    // All sites; other tests have sites as well.
    let ran = status(scope, "status-reader", &["--report", "json"])?;
    let all = report(&ran)?;
    ensure(
        !ran.stdout.contains(SECRET) && ran.stderr.is_empty(),
        || format!("{}{}", ran.stdout, ran.stderr),
    )?;
    let first = site(&all, FIRST)?;
    let expected = json!({"releases": 2, "ready": 1, "waiting": 0, "failed": 1, "suspended": 0});
    ensure(first["summary"] == expected, || first.to_string())?;
    let of = &first["stages"][0];
    ensure(of["number"] == 1 && of["name"] == "core", || of.to_string())?;
    let [ready, stalled] = &of["releases"].as_array().cloned().unwrap_or_default()[..] else {
        return Err(of.to_string().into());
    };
    let found = (
        &ready["name"],
        &ready["state"],
        &ready["revision"],
        &ready["chart"],
    );
    ensure(
        found == (&json!("ready"), &json!("ready"), &json!(1), &json!("0.1.0")),
        || ready.to_string(),
    )?;
    ensure(
        stalled["step"] == 2
            && stalled["why"] == "Flux gave up (InvalidCELExpression): cannot read ***",
        || stalled.to_string(),
    )?;
    ensure(
        first["run"]["outcome"] == "failed" && first["run"]["stages"][0]["state"] == "failed",
        || first.to_string(),
    )?;
    ensure(
        first["lock"]["holder"] == "somebody" && first["lock"]["expired"] == false,
        || first.to_string(),
    )?;
    ensure(
        first["journal"]["failures"][0]["reason"] == "no expression",
        || first.to_string(),
    )?;
    let second = site(&all, SECOND)?;
    ensure(
        second["summary"]["suspended"] == 1 && second["run"].is_null() && second["lock"].is_null(),
        || second.to_string(),
    )?;

    // One site, as text.
    let ran = status(scope, "status-reader", &["--site", FIRST])?;
    for text in [
        "2 releases: 1 failed, 1 ready\n  last run: r1,",
        "  lock: held by somebody since ",
        &format!("to continue: armada2flux apply --resume --journal armada2flux-{FIRST}.journal"),
        "cannot read ***",
    ] {
        ensure(ran.stdout.contains(text), || {
            format!("{text:?} is not in {}", ran.stdout)
        })?;
    }
    ensure(
        !ran.stdout.contains(SECOND) && !ran.stdout.contains(SECRET),
        || ran.stdout.clone(),
    )?;

    // Another site's journal, and one that does not exist.
    let journal = format!("armada2flux-{FIRST}.journal");
    let ran = status(
        scope,
        "status-reader",
        &["--site", SECOND, "--journal", &journal],
    )?;
    let message = format!("error: the journal `{journal}` is of site {FIRST}, not of {SECOND}");
    ensure(ran.code == Some(1) && ran.stderr.contains(&message), || {
        ran.stderr.clone()
    })?;
    let ran = status(scope, "status-reader", &["--journal", "none"])?;
    ensure(
        ran.code == Some(1)
            && ran
                .stderr
                .contains("error: the journal `none` does not exist"),
        || ran.stderr.clone(),
    )?;

    // A user with fewer permissions gets a message, and the rest.
    let ran = status(
        scope,
        "status-lister",
        &["--site", FIRST, "--report", "json"],
    )?;
    let less = report(&ran)?;
    let first = site(&less, FIRST)?;
    ensure(
        first["run"].is_null() && first["lock"].is_null() && first["summary"] == expected,
        || first.to_string(),
    )?;
    for what in ["the last run", "the lock"] {
        let warning = format!(
            "warning: {what} is not shown: it cannot be read in namespace {}",
            scope.namespace
        );
        ensure(ran.stderr.contains(&warning), || ran.stderr.clone())?;
    }
    let ran = status(scope, "nobody-at-all", &[])?;
    ensure(
        ran.code == Some(1)
            && ran
                .stderr
                .contains("permission to list HelmRelease of helm.toolkit.fluxcd.io"),
        || ran.stderr.clone(),
    )
}
