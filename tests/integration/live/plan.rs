//! `plan` against a real cluster: a site before and after an apply, and what a run would refuse.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::probe_site::{self, ProbeChart};
use super::site::{apply_as, helm_release};
use super::{Scope, Test, ensure, run_to_end, to_error};
use crate::bed::Outcome;
use crate::bed::charts::test_chart;
use crate::bed::program::Program;
use crate::canary;
use crate::support::{self, ProgramOutput};

/// Secrets that may only be in the tree.
const SECRETS: [&str; 4] = [
    "root-of-breakwater",
    "worker-of-breakwater",
    "896417",
    "896418",
];

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::private("plan::shows_changes_and_deletions", moves),
        Test::private("plan::shows_what_a_run_would_refuse", refusals),
        Test::shared("plan::recognises_a_running_install", installing),
    ]
}

fn plan(scope: &Scope<'_>, arguments: &[&str]) -> Outcome<ProgramOutput> {
    let mut command = support::program();
    command.current_dir(scope.bed.path()).arg("plan");
    command.arg("--kubeconfig").arg(&scope.bed.kubeconfig);
    let ran = run_to_end(command.args(arguments))?;
    for text in [&ran.stdout, &ran.stderr] {
        let secret = SECRETS.iter().find(|secret| text.contains(*secret));
        ensure(secret.is_none(), || format!("a secret in {text}"))?;
    }
    Ok(ran)
}

fn report(scope: &Scope<'_>, tree: &Path, code: i32) -> Outcome<Value> {
    let tree = tree.display().to_string();
    let ran = plan(scope, &[&tree, "--report=json", "--exit-code"])?;
    ensure(ran.code == Some(code), || {
        format!("{:?}: {}{}", ran.code, ran.stdout, ran.stderr)
    })?;
    Ok(serde_json::from_str(&ran.stdout)?)
}

/// Returns the objects of a report by name.
fn object<'r>(report: &'r Value, name: &str) -> Outcome<&'r Value> {
    let stages = report["stages"].as_array().into_iter().flatten();
    let steps = stages.flat_map(|stage| stage["steps"].as_array().into_iter().flatten());
    let mut objects = steps.flat_map(|step| step["objects"].as_array().into_iter().flatten());
    let found = objects.find(|object| object["name"] == name);
    found.ok_or_else(|| format!("no {name} in {report}").into())
}

fn breakwater() -> PathBuf {
    support::root().join("charts-examples/breakwater/flux")
}

/// Compares a page with its golden file, without what differs between beds.
fn golden(name: &str, ran: &ProgramOutput) -> Outcome {
    const SERVER: &str = "cluster at ";
    let mut text = ran.stdout.clone();
    if let Some(start) = text.find(SERVER).map(|at| at + SERVER.len()) {
        let end = text[start..].find('\n').ok_or("no end of line")?;
        text.replace_range(start..start + end, "SERVER");
    }
    support::check_file(&format!("testdata/live/{name}"), &text).map_err(to_error)
}

fn moves(scope: &Scope<'_>) -> Outcome {
    let tree = breakwater();
    let folder = tree.display().to_string();
    let fresh = plan(scope, &[&folder])?;
    ensure(fresh.code == Some(0), || fresh.stderr.clone())?;
    golden("plan-fresh.txt", &fresh)?;
    let markdown = plan(scope, &[&folder, "--report=markdown"])?;
    golden("plan-fresh.md", &markdown)?;
    saved(scope, &folder)?;

    apply_as("armada2flux", scope, &tree, &[])?;
    // The tree is suspended, but a run resumes it.
    let same = report(scope, &tree, 2)?;
    ensure(
        same["summary"]["changed"] == 7 && same["summary"]["unchanged"] == 7,
        || same["summary"].to_string(),
    )?;
    requests(scope, &folder)?;
    let running = edited(scope, "running", &[("  suspend: true\n", "")])?;
    apply_as("armada2flux", scope, &running, &[])?;
    let same = report(scope, &tree, 0)?;
    ensure(same["summary"]["unchanged"] == 14, || same.to_string())?;

    // A value of one release.
    let changed = edited(
        scope,
        "changed",
        &[("max_connections = 500", "max_connections = 501")],
    )?;
    let upgraded = report(scope, &changed, 2)?;
    let database = object(&upgraded, "breakwater-database")?;
    ensure(
        database["what"] == "upgrade"
            && database["deletions"][0] == "job release_group=breakwater-database"
            && upgraded["summary"]["upgraded"] == 1,
        || upgraded.to_string(),
    )
}

/// `plan` sends no more requests than `diff`.
fn requests(scope: &Scope<'_>, folder: &str) -> Outcome {
    let asked = |arguments: &[&str]| -> Outcome<u32> {
        let mut command = support::program();
        command.current_dir(scope.bed.path()).args(arguments);
        command.arg("--kubeconfig").arg(&scope.bed.kubeconfig);
        let ran = run_to_end(&mut command)?;
        let mut lines = ran.stderr.lines();
        let number = lines.find_map(|line| line.strip_prefix("sent ")?.split_once(" requests to "));
        let number = number.map(|(number, _)| number);
        let number = number.ok_or_else(|| format!("no number of requests: {}", ran.stderr))?;
        Ok(number.parse()?)
    };
    let diff = asked(&["diff", folder, "-v"])?;
    let plan = asked(&["plan", folder, "-v"])?;
    ensure(diff == plan && plan > 14, || {
        format!("diff {diff}, plan {plan}")
    })
}

/// Secrets of every kind, in every output.
fn hidden(scope: &Scope<'_>) -> Outcome {
    let site = scope.bed.path().join("canary.yaml");
    fs::write(&site, canary::site())?;
    let site = site.display().to_string();
    for more in [
        &[][..],
        &["-vvv", "--split-secrets"],
        &["--report=json", "--output=canary.json"],
        &["--report=markdown", "--values-in=secret"],
        &["--color=always", "-v", "--output=canary.json"],
    ] {
        let ran = plan(scope, &[&[site.as_str()], more].concat())?;
        ensure(ran.code == Some(0), || ran.stderr.clone())?;
        let saved = fs::read_to_string(scope.bed.path().join("canary.json")).unwrap_or_default();
        for (name, text) in [
            ("stdout", &ran.stdout),
            ("stderr", &ran.stderr),
            ("plan", &saved),
        ] {
            canary::clean(name, text).map_err(to_error)?;
        }
    }
    Ok(())
}

/// The tree with texts replaced, in a folder of its own.
fn edited(scope: &Scope<'_>, name: &str, changes: &[(&str, &str)]) -> Outcome<PathBuf> {
    let target = scope.bed.path().join(format!("plan-{name}"));
    let mut found = vec![false; changes.len()];
    for (file, bytes) in support::read_tree(&breakwater()).map_err(to_error)? {
        let mut text = String::from_utf8(bytes)?;
        for ((from, to), found) in changes.iter().zip(&mut found) {
            *found |= text.contains(from);
            text = text.replace(from, to);
        }
        let path = target.join(file);
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        fs::write(path, text)?;
    }
    ensure(found.iter().all(|found| *found), || {
        format!("{changes:?}: {found:?}")
    })?;
    Ok(target)
}

/// A saved plan: readable only by its owner, for this cluster, without content of objects.
fn saved(scope: &Scope<'_>, folder: &str) -> Outcome {
    let file = scope.bed.path().join("plan.json");
    let output = format!("--output={}", file.display());
    for _ in 0..2 {
        // The second replaces the first.
        let ran = plan(scope, &[folder, &output, "--valid-for=90m", "--quiet"])?;
        ensure(
            ran.code == Some(0) && ran.stdout.is_empty() && ran.stderr.is_empty(),
            || format!("{:?}: {}{}", ran.code, ran.stdout, ran.stderr),
        )?;
    }
    let mode = fs::metadata(&file)?.permissions().mode() & 0o777;
    ensure(mode == 0o600, || format!("mode {mode:o}"))?;
    let text = fs::read_to_string(&file)?;
    let secret = SECRETS.iter().find(|secret| text.contains(*secret));
    ensure(secret.is_none(), || text.clone())?;
    let plan_file: Value = serde_json::from_str(&text)?;
    let schema = fs::read_to_string(support::root().join("docs/schema/plan.json"))?;
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema)?)?;
    ensure(schema.is_valid(&plan_file), || text.clone())?;
    let first = scope.bed.get("/api/v1/namespaces/kube-system")?;
    let uid = first.map(|namespace| namespace["metadata"]["uid"].clone());
    ensure(
        Some(&plan_file["cluster"]["uid"]) == uid.as_ref()
            && plan_file["valid_for"] == 5400
            && plan_file["stages"][2]["steps"][0]["objects"][0]["kind"] == "HelmRelease",
        || text.clone(),
    )?;
    hidden(scope)?;
    // A file that is not a plan is kept.
    let other = scope.bed.path().join("other.json");
    fs::write(&other, "{\"my\": \"file\"}")?;
    let output = format!("--output={}", other.display());
    let ran = plan(scope, &[folder, &output])?;
    ensure(
        ran.code == Some(1)
            && ran.stderr.contains("refused to overwrite")
            && fs::read_to_string(&other)? == "{\"my\": \"file\"}",
        || ran.stderr.clone(),
    )
}

/// During the first install of a release Helm has a record, but its HelmRelease has no history: it is not a release
/// of another owner.
fn installing(scope: &Scope<'_>) -> Outcome {
    let commit = probe_site::commit(scope)?;
    let chart = ProbeChart {
        release: "probe",
        fields: "  test: {enabled: false}\n  wait: {timeout: 90, resources: []}",
        values: "",
    };
    let text = probe_site::manifest(scope, &commit, &[chart]);
    let options = ["--source-namespace=release"];
    let (tree, _) = probe_site::convert(scope, &text, "one", &options)?;
    apply_as("armada2flux", scope, &tree, &[])?;
    probe_site::ready(scope, "probe")?;
    let status = json!({"status": {"history": null}}).to_string();
    let place = (scope.namespace.as_str(), "grain-probe");
    patched(scope, place, &["--subresource=status", "--patch", &status])?;
    let going = report(scope, &tree, 0)?;
    ensure(going["summary"]["refused"] == 0, || going.to_string())?;
    // Without Flux installing it, it is one.
    let stop = r#"{"spec":{"suspend":true}}"#;
    patched(
        scope,
        place,
        &["--field-manager=armada2flux", "--patch", stop],
    )?;
    patched(scope, place, &["--subresource=status", "--patch", &status])?;
    let stopped = report(scope, &tree, 2)?;
    let release = object(&stopped, "grain-probe")?;
    let why = release["refusals"][0]["why"].as_str().unwrap_or_default();
    ensure(why.contains("Helm holds revision 1"), || {
        release.to_string()
    })
}

/// Patches a HelmRelease manually.
fn patched(scope: &Scope<'_>, (namespace, name): (&str, &str), more: &[&str]) -> Outcome {
    let namespace = format!("--namespace={namespace}");
    let patch = ["patch", "helmrelease", name, &namespace, "--type=merge"];
    scope
        .bed
        .run(Program::Kubectl, &[&patch, more].concat())
        .map(drop)
}

fn refusals(scope: &Scope<'_>) -> Outcome {
    let tree = breakwater();
    apply_as("armada2flux", scope, &tree, &[])?;
    patched(
        scope,
        ("infra", "breakwater-facts"),
        &[
            "--patch",
            r#"{"metadata":{"labels":{"armada2flux.dev/site":"elsewhere"}}}"#,
        ],
    )?;
    let owner = json!({"metadata": {"labels": {
        "kustomize.toolkit.fluxcd.io/name": "apps",
        "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    }}})
    .to_string();
    patched(
        scope,
        ("identity", "breakwater-identity"),
        &["--patch", &owner],
    )?;
    // A release that was running, and was suspended.
    let stopped = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "breakwater-portal", "namespace": "web"}, "spec": {"suspend": true},
    });
    let file = scope.bed.path().join("stopped.json");
    fs::write(&file, stopped.to_string())?;
    let file = format!("--filename={}", file.display());
    let stop = ["apply", "--server-side", "--field-manager=flux", &file];
    scope.bed.run(Program::Kubectl, &stop)?;
    let ran = json!({"status": {"history": [{
        "name": "breakwater-portal", "namespace": "web", "version": 3, "status": "deployed", "digest": "sha256:0",
        "chartName": "portal", "chartVersion": "1.0.0", "configDigest": "sha256:0",
        "firstDeployed": "2026-01-01T00:00:00Z", "lastDeployed": "2026-01-01T00:00:00Z",
    }]}})
    .to_string();
    patched(
        scope,
        ("web", "breakwater-portal"),
        &["--subresource=status", "--patch", &ran],
    )?;
    // A release that Helm installed itself, and one that cannot be fetched.
    let chart = test_chart("probe");
    let chart = chart.display().to_string();
    let install = ["install", "breakwater-mirror", &chart, "--namespace=infra"];
    scope.bed.run(Program::Helm3, &install)?;
    let input = edited(
        scope,
        "unresolved",
        &[(
            "    armada2flux.dev/chart-group: ground\n",
            "    armada2flux.dev/chart-group: ground\n    armada2flux.dev/unresolved-source: \"local: /charts\"\n",
        )],
    )?;
    // A field of another manager.
    let held = [
        "--field-manager=kubectl-edit",
        "--patch",
        r#"{"spec":{"maxHistory":3}}"#,
    ];
    patched(scope, ("web", "breakwater-worker"), &held)?;

    let found = report(scope, &input, 2)?;
    for (name, why) in [
        (
            "breakwater-facts",
            "HelmRelease infra/breakwater-facts belongs to site `elsewhere`",
        ),
        (
            "breakwater-identity",
            "HelmRelease identity/breakwater-identity is applied by Kustomization `flux-system/apps`, which would undo a change",
        ),
        (
            "breakwater-portal",
            "HelmRelease web/breakwater-portal is suspended by `flux`",
        ),
        (
            "breakwater-node-agent",
            "HelmRelease kube-system/breakwater-node-agent: Flux cannot read the source of its chart: local: /charts",
        ),
        (
            "breakwater-worker",
            "HelmRelease web/breakwater-worker: other managers own fields of it: `.spec.maxHistory` by `kubectl-edit`",
        ),
    ] {
        let object = object(&found, name)?;
        ensure(
            object["what"] == "refuse" && object["refusals"][0]["why"] == why,
            || object.to_string(),
        )?;
    }
    let mirror = object(&found, "breakwater-mirror")?;
    let taken = "HelmRelease infra/breakwater-mirror: Helm holds revision 1 of the release (deployed) and Flux does not manage it yet";
    ensure(mirror["refusals"][1]["why"] == taken, || mirror.to_string())?;
    ensure(found["summary"]["refused"] == 6, || {
        found["summary"].to_string()
    })?;
    let folder = input.display().to_string();
    let shown = plan(scope, &[&folder])?;
    golden("plan-refused.txt", &shown)?;
    let live = scope.bed.get(&helm_release("web", "breakwater-worker"))?;
    ensure(
        live.is_some_and(|live| live["spec"]["maxHistory"] == 3),
        || "the plan wrote something".to_owned(),
    )
}
