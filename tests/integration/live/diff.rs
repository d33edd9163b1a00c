//! `diff` against a real cluster: empty after an apply, each change once at its path, other managers named.

mod holders;
mod namespace;
mod suspended;
mod unasked;
mod webhook;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::probe_site::{self, ProbeChart};
use super::site::{apply_as, convert};
use super::{Scope, Test, ensure, run_to_end, to_error};
use crate::bed::Outcome;
use crate::bed::armada::Site;
use crate::bed::charts::test_chart;
use crate::bed::program::Program;
use crate::cli::single_changes;
use crate::shared;
use crate::support::{self, ProgramOutput};

/// Time limit for reporting a refusal.
const TOLD_WITHIN: Duration = Duration::from_secs(10);

pub(super) fn tests() -> Vec<Test> {
    [
        own(),
        holders::tests(),
        namespace::tests(),
        suspended::tests(),
        unasked::tests(),
        webhook::tests(),
    ]
    .concat()
}

fn own() -> Vec<Test> {
    vec![
        Test::shared("diff::is_empty_after_an_apply", empty),
        Test::private("diff::shows_each_change_once", changes),
        Test::shared("diff::reports_a_takeover", takeover),
        Test::shared("diff::finds_an_unnamed_takeover", unnamed_takeover),
        Test::shared("diff::reports_missing_and_leftover_objects", created),
        Test::private("diff::reports_what_the_cluster_refuses", refused),
    ]
}

/// Runs `diff` on the bed.
pub(super) fn diff(
    scope: &Scope<'_>,
    kubeconfig: &Path,
    arguments: &[&str],
) -> Outcome<ProgramOutput> {
    let mut command = support::program();
    command.current_dir(scope.bed.path()).arg("diff");
    command.arg("--kubeconfig").arg(kubeconfig).args(arguments);
    run_to_end(&mut command)
}

pub(super) fn json(ran: &ProgramOutput, code: i32) -> Outcome<Value> {
    ensure(ran.code == Some(code), || {
        format!(
            "exit {:?} instead of {code}: {}{}",
            ran.code, ran.stdout, ran.stderr
        )
    })?;
    let report = serde_json::from_str(&ran.stdout)?;
    let path = support::root().join("docs/schema/diff-report.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
    jsonschema::validate(&schema, &report).map_err(|error| error.to_string())?;
    Ok(report)
}

/// Returns the objects of a report: name, outcome, paths of changes.
fn shown(report: &Value) -> Vec<(String, String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let objects = report["objects"].as_array().cloned().unwrap_or_default();
    objects
        .iter()
        .map(|object| {
            let changes = object["changes"].as_array().cloned().unwrap_or_default();
            let paths = changes.iter().map(|change| text(&change["path"]));
            (
                text(&object["name"]),
                text(&object["outcome"]),
                paths.collect(),
            )
        })
        .collect()
}

/// Joins a text that was wrapped to 80 columns into one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Applies a tree under the field manager of `apply`.
fn apply_as_ours(scope: &Scope<'_>, tree: &Path) -> Outcome {
    apply_as("armada2flux", scope, tree, &[])
}

fn empty(scope: &Scope<'_>) -> Outcome {
    let mut sites = vec![(Site::worked(scope.bed, "ed")?.renamed("ed")?, None)];
    if let Some(shared) = shared::folder() {
        for (file, manifest, word) in [
            ("airship/airskiff.yaml", Some("full-site"), "ea"),
            ("airship/seaworthy.yaml", Some("full-site"), "es"),
            ("starlingx/cert-manager/armada.yaml", None, "ec"),
            ("starlingx/oidc-auth/armada.yaml", None, "eo"),
            ("starlingx/platform-integ-apps/armada.yaml", None, "ep"),
            ("starlingx/vault/armada.yaml", None, "ev"),
        ] {
            let text = fs::read_to_string(shared.join("corpus").join(file))?;
            let charts = PathBuf::new();
            sites.push((Site::plain(text, charts).renamed(word)?, manifest));
        }
    }
    for (at, (site, manifest)) in sites.iter().enumerate() {
        let site_name = format!("--site=empty-{at}");
        // Sources of other tests' sites have the same names.
        let mut options = vec![
            site_name.as_str(),
            "--source-namespace=release",
            "--new-cluster",
        ];
        options.extend(manifest.iter().flat_map(|name| ["--target-manifest", name]));
        let tree = convert(scope, site, &format!("empty-{at}"), &options)?;
        apply_as_ours(scope, &tree)?;
        let folder = tree.display().to_string();
        for _ in 0..3 {
            let ran = diff(scope, &scope.bed.kubeconfig, &[&folder, "--exit-code"])?;
            ensure(
                ran.code == Some(0) && ran.stdout.contains(" unchanged\n"),
                || format!("{at}: {:?}\n{}{}", ran.code, ran.stdout, ran.stderr),
            )?;
            ensure(
                ran.stdout
                    .lines()
                    .all(|line| !line.starts_with(['+', '~', 'x', '?'])),
                || ran.stdout.clone(),
            )?;
        }
        // The controllers need not keep looking for missing sources.
        let tree = format!("--kustomize={folder}");
        let arguments = ["delete", "--wait=false", "--ignore-not-found", &tree];
        scope.bed.run(Program::Kubectl, &arguments)?;
    }
    Ok(())
}

/// Copies a tree without the suspension of its releases, as `apply` leaves it.
fn resumed(tree: &Path, copy: &Path) -> Outcome {
    for (name, bytes) in support::read_tree(tree).map_err(to_error)? {
        let text = String::from_utf8(bytes)?.replace("  suspend: true\n", "");
        let path = copy.join(&name);
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        fs::write(path, text)?;
    }
    Ok(())
}

fn changes(scope: &Scope<'_>) -> Outcome {
    let written = Path::new(env!("CARGO_MANIFEST_DIR")).join("charts-examples/breakwater/flux");
    // The releases are not suspended: no controller may act on them.
    scope.bed.stop_controllers();
    let tree = scope.bed.path().join("resumed");
    resumed(&written, &tree)?;
    apply_as_ours(scope, &tree)?;
    for (at, change) in single_changes().iter().enumerate() {
        let (release, from, to, path) = *change;
        let edited = scope.bed.path().join(format!("edited-{at}"));
        let catch = path == "spec.suspend";
        let place = ("infra", "breakwater-mirror");
        if catch {
            // For this change the cluster differs: whatever a tree sets, `apply` resumes.
            suspended::suspend(scope, place, json!(true))?;
            crate::cli::edited(&written, &edited, release, from, from).map_err(to_error)?;
        } else {
            crate::cli::edited(&tree, &edited, release, from, to).map_err(to_error)?;
        }
        let folder = edited.display().to_string();
        let arguments = [folder.as_str(), "--exit-code", "--report=json"];
        let ran = diff(scope, &scope.bed.kubeconfig, &arguments)?;
        let found = shown(&json(&ran, 2)?);
        let wanted = crate::cli::places(to);
        ensure(
            found.len() == 1
                && found[0].0 == format!("breakwater-{release}")
                && found[0].1 == "changed"
                && found[0].2.len() == wanted
                && found[0].2[0].contains(path),
            || format!("`{from}` to `{to}`: {found:?}"),
        )?;
        for secret in [
            "root-of-breakwater",
            "worker-of-breakwater",
            "896417",
            "896418",
        ] {
            ensure(!ran.stdout.contains(secret), || ran.stdout.clone())?;
        }
        if catch {
            suspended::suspend(scope, place, Value::Null)?;
        }
    }
    Ok(())
}

/// A tree of one release of the test's own.
fn one(scope: &Scope<'_>, values: &str, name: &str) -> Outcome<PathBuf> {
    let chart = ProbeChart {
        release: "probe",
        fields: "  test: {enabled: false}\n  wait: {timeout: 90, resources: []}",
        values,
    };
    let text = probe_site::manifest(scope, "0123456789abcdef0123456789abcdef01234567", &[chart]);
    let charts = PathBuf::new();
    let options = ["--new-cluster", "--no-namespaces", "-q"];
    convert(
        scope,
        &Site::plain(text, charts),
        &format!("{}-{name}", scope.namespace),
        &options,
    )
}

/// Installs the probe chart with Helm alone.
fn helm_install(scope: &Scope<'_>, release: &str) -> Outcome {
    let chart = test_chart("probe");
    let (chart, namespace) = (
        chart.display().to_string(),
        format!("--namespace={}", scope.namespace),
    );
    let arguments = ["install", release, &chart, &namespace];
    scope.bed.run(Program::Helm3, &arguments)?;
    Ok(())
}

/// Ensures that `diff` calls the one release of a tree a takeover.
fn ensure_takeover(scope: &Scope<'_>, tree: &Path) -> Outcome {
    let folder = tree.display().to_string();
    let ran = diff(scope, &scope.bed.kubeconfig, &[&folder])?;
    let note =
        "a takeover, not an install: Helm has revision 1 (deployed), Flux does not manage it yet";
    ensure(
        ran.code == Some(0)
            && ran.stdout.starts_with("! takeover: ")
            && one_line(&ran.stdout).contains(note)
            && ran.stdout.contains("takeovers, not installs: 1\n"),
        || ran.stdout.clone(),
    )
}

/// Installs a release with Helm alone; returns a tree that would take it over.
pub(super) fn held_by_helm(scope: &Scope<'_>) -> Outcome<PathBuf> {
    helm_install(scope, "grain-probe")?;
    one(scope, "", "one")
}

fn takeover(scope: &Scope<'_>) -> Outcome {
    ensure_takeover(scope, &held_by_helm(scope)?)
}

/// A HelmRelease written manually, with `targetNamespace` and without `releaseName`: helm-controller composes
/// the name of the release.
fn unnamed_takeover(scope: &Scope<'_>) -> Outcome {
    helm_install(scope, &format!("{}-grain-probe", scope.namespace))?;
    let release = one(scope, "", "unnamed")?.join("010-probe/grain-probe.yaml");
    let text = fs::read_to_string(&release)?;
    let named = "  releaseName: grain-probe\n";
    ensure(text.contains(named), || text.clone())?;
    let target = format!("  targetNamespace: {}\n", scope.namespace);
    fs::write(&release, text.replace(named, &target))?;
    ensure_takeover(scope, &release)
}

fn created(scope: &Scope<'_>) -> Outcome {
    let tree = one(scope, "    database: {password: grain-of-sand}", "one")?;
    apply_as_ours(scope, &tree)?;
    // Another namespace without the objects. Existing objects are not deleted, and not of the listed kinds.
    let text = fs::read_to_string(tree.join("010-probe/grain-probe.yaml"))?;
    let file = scope
        .bed
        .path()
        .join(format!("{}-elsewhere.yaml", scope.namespace));
    let elsewhere = format!("{}-elsewhere", scope.namespace);
    fs::write(
        &file,
        text.replace(
            &format!("namespace: {}", scope.namespace),
            &format!("namespace: {elsewhere}"),
        ),
    )?;
    let file = file.display().to_string();
    let ran = diff(
        scope,
        &scope.bed.kubeconfig,
        &[&file, "--exit-code", "--report=json"],
    )?;
    let report = json(&ran, 2)?;
    let note = format!(
        "compared without the API server's defaults: namespace `{elsewhere}` is not there yet"
    );
    ensure(
        report["objects"][0]["outcome"] == "created"
            && report["objects"][0]["notes"][0] == note.as_str(),
        || report.to_string(),
    )?;
    // Under another name in the same namespace: one new, one left over.
    let file = scope
        .bed
        .path()
        .join(format!("{}-renamed.yaml", scope.namespace));
    let text = fs::read_to_string(tree.join("010-probe/grain-probe.yaml"))?;
    fs::write(&file, text.replace("grain-probe", "grain-other"))?;
    let file = file.display().to_string();
    let ran = diff(scope, &scope.bed.kubeconfig, &[&file, "--report=json"])?;
    let found = shown(&json(&ran, 0)?);
    let wanted = [("grain-other", "created"), ("grain-probe", "left-over")];
    ensure(
        found
            .iter()
            .map(|(name, outcome, _)| (name.as_str(), outcome.as_str()))
            .eq(wanted),
        || format!("{found:?}"),
    )
}

fn refused(scope: &Scope<'_>) -> Outcome {
    // A policy whose message quotes the object.
    scope.bed.apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "no-sand"},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [{
                "apiGroups": ["helm.toolkit.fluxcd.io"], "apiVersions": ["*"],
                "operations": ["CREATE", "UPDATE"], "resources": ["helmreleases"],
            }]},
            "validations": [{
                "expression": "!has(object.spec.values.database)",
                "messageExpression": "'no databases here: ' + object.spec.values.database.password",
            }],
        },
    }))?;
    scope.bed.apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "no-sand"},
        "spec": {"policyName": "no-sand", "validationActions": ["Deny"]},
    }))?;
    let tree = one(scope, "    database: {password: grain-of-sand}", "one")?;
    let folder = tree.display().to_string();
    let start = Instant::now();
    let report = loop {
        let ran = diff(
            scope,
            &scope.bed.kubeconfig,
            &[&folder, "--exit-code", "--report=json", "-vvv"],
        )?;
        for text in [&ran.stdout, &ran.stderr] {
            ensure(!text.contains("grain-of-sand"), || text.clone())?;
        }
        // Before the policy acts the report shows a difference, then a refusal.
        let report = json(&ran, if ran.code == Some(1) { 1 } else { 2 })?;
        // The API server takes a moment to use a new policy.
        if report["summary"]["refused"] == 1 || start.elapsed() > Duration::from_secs(30) {
            break report;
        }
    };
    let objects = report["objects"].as_array().cloned().unwrap_or_default();
    let message = objects.iter().find_map(|object| object["message"].as_str());
    ensure(
        message.is_some_and(|message| message.contains("no databases here: ***"))
            && report["summary"]["refused"] == 1,
        || report.to_string(),
    )?;

    let fails = |arguments: &[&str], kubeconfig: &Path, wanted: &str| -> Outcome {
        let start = Instant::now();
        let ran = diff(scope, kubeconfig, arguments)?;
        ensure(
            ran.code == Some(1) && ran.stderr.contains(wanted) && ran.stdout.is_empty(),
            || format!("{arguments:?}: {:?} {}{}", ran.code, ran.stdout, ran.stderr),
        )?;
        ensure(start.elapsed() < TOLD_WITHIN, || {
            format!("{arguments:?}: reported after {:?}", start.elapsed())
        })
    };
    let kubeconfig = &scope.bed.kubeconfig;
    fails(
        &[&folder, "--context=nowhere"],
        kubeconfig,
        "context `nowhere` does not exist",
    )?;
    fails(
        &[&folder, "--as=nobody"],
        kubeconfig,
        "permission to patch HelmRelease of helm.toolkit.fluxcd.io",
    )?;
    let unknown = scope.bed.path().join("unknown.yaml");
    fs::write(
        &unknown,
        "apiVersion: example.org/v1\nkind: Thing\nmetadata: {name: a, namespace: default}\n",
    )?;
    let unknown = unknown.display().to_string();
    fails(
        &[&unknown],
        kubeconfig,
        "kind Thing of example.org/v1 is not served",
    )?;
    let text = fs::read_to_string(kubeconfig)?;
    let wrong = scope.bed.path().join("wrong.kubeconfig");
    fs::write(
        &wrong,
        text.replace("token-of-tester", "token-of-yesterday"),
    )?;
    fails(&[&folder], &wrong, "401")?;
    scope.bed.kill_api_server();
    fails(
        &[&folder],
        kubeconfig,
        "cannot connect at https://127.0.0.1",
    )
}
