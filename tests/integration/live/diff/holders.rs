//! Fields of other managers, alone or shared with this program.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{apply_as_ours, diff, json, one, one_line};
use crate::bed::Outcome;
use crate::bed::program::Program;
use crate::live::site::apply_as;
use crate::live::{Scope, Test, ensure, run_to_end};
use crate::support;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("diff::names_the_manager_of_a_field", held),
        Test::private("diff::names_fields_of_several_managers", held_together),
        Test::shared("diff::names_other_owners", other_owners),
    ]
}

/// Makes another manager own fields of the release.
fn take(scope: &Scope<'_>, manager: &str, spec: &Value) -> Outcome {
    let object = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "grain-probe", "namespace": scope.namespace}, "spec": spec,
    });
    let manager = format!("--field-manager={manager}");
    let arguments = [
        "apply",
        "--server-side",
        "--force-conflicts",
        &manager,
        "--filename=-",
    ];
    let input = object.to_string();
    scope.bed.run_with(Program::Kubectl, &arguments, &input)?;
    Ok(())
}

/// Fields that other managers own, too, are named, above all if they leave the input and stay in the cluster.
fn held_together(scope: &Scope<'_>) -> Outcome {
    // helm-controller tries again and again, and a status that changes between LIST and dry run is shown as noise.
    scope.bed.stop_controllers();
    let tree = one(scope, "    conf: {a: 1, b: 2}", "one")?;
    apply_as_ours(scope, &tree)?;
    take(
        scope,
        "kubectl",
        &json!({"interval": "30m", "values": {"conf": {"a": 1, "z": 3}}}),
    )?;
    take(scope, "helm-controller", &json!({"interval": "30m"}))?;
    let run = |tree: &Path, more: &[&str]| {
        let folder = tree.display().to_string();
        let arguments = [&[folder.as_str(), "--exit-code"], more].concat();
        diff(scope, &scope.bed.kubeconfig, &arguments)
    };
    let report = json(&run(&tree, &["--report=json"])?, 0)?;
    let object = &report["objects"][0];
    ensure(
        object["outcome"] == "unchanged"
            && object["staying"] == json!([])
            && object["shared"]
                == json!([
                    {"field": ".spec.interval", "managers": ["helm-controller", "kubectl"]},
                    {"field": ".spec.values.conf.a", "managers": ["kubectl"]},
                ]),
        || report.to_string(),
    )?;
    let short = run(&tree, &[])?;
    let long = run(&tree, &["-v"])?;
    ensure(
        !short.stdout.contains("grain-probe")
            && short
                .stdout
                .ends_with("fields that other field managers own, too: 2; -v lists them\n")
            && long
                .stdout
                .contains(".spec.values.conf.a: also owned by `kubectl`\n")
            && long
                .stdout
                .contains(".spec.interval: also owned by `helm-controller`, `kubectl`\n"),
        || format!("{}\n{}", short.stdout, long.stdout),
    )?;

    // A shared field that leaves the input stays. A field of ours alone is removed.
    let less = one(scope, "    conf: {}", "two")?;
    let report = json(&run(&less, &["--report=json"])?, 2)?;
    let object = &report["objects"][0];
    let changes = object["changes"].as_array().cloned().unwrap_or_default();
    let removed: Vec<&Value> = changes
        .iter()
        .filter(|change| change["what"] == "removed")
        .map(|change| &change["path"])
        .collect();
    ensure(
        object["staying"] == json!([{"field": ".spec.values.conf.a", "managers": ["kubectl"]}])
            && removed == [&json!("spec.values.conf.b")],
        || report.to_string(),
    )?;
    let said = one_line(&run(&less, &["--report=markdown=stays.md"])?.stdout);
    let markdown = fs::read_to_string(scope.bed.path().join("stays.md"))?;
    let stays = "removed from the input but stays, also owned by `kubectl`";
    ensure(
        said.contains(&format!(".spec.values.conf.a: {stays}")) && markdown.contains(stays),
        || format!("{said}\n{markdown}"),
    )?;
    // `plan` reports it as well.
    let mut plan = support::program();
    plan.arg("plan")
        .arg("--kubeconfig")
        .arg(&scope.bed.kubeconfig);
    let plan = run_to_end(plan.arg(&less).arg("--report=json"))?;
    ensure(
        plan.stdout
            .contains(&format!(".spec.values.conf.a: {stays}")),
        || format!("{:?} {}{}", plan.code, plan.stdout, plan.stderr),
    )?;
    // If nothing else is to report, it is reported once.
    let mut text = fs::read_to_string(tree.join("010-probe/grain-probe.yaml"))?;
    ensure(text.contains("      a: 1\n"), || text.clone())?;
    text = text.replace("      a: 1\n", "");
    let file = scope
        .bed
        .path()
        .join(format!("{}-less.yaml", scope.namespace));
    fs::write(&file, text)?;
    let ran = run(&file, &[])?;
    ensure(
        ran.code == Some(2)
            && one_line(&ran.stdout).contains(stays)
            && ran.stdout.contains("1 unchanged"),
        || format!("{:?} {}", ran.code, ran.stdout),
    )?;
    apply_as(
        "armada2flux",
        scope,
        Path::new(""),
        &[&file.display().to_string()],
    )?;
    let ran = run(&file, &[])?;
    ensure(ran.code == Some(0) && !ran.stdout.contains("stays"), || {
        format!("{:?} {}", ran.code, ran.stdout)
    })
}

/// A Kustomization that would undo the change, and another site.
fn other_owners(scope: &Scope<'_>) -> Outcome {
    let tree = one(scope, "", "one")?;
    apply_as_ours(scope, &tree)?;
    let namespace = format!("--namespace={}", scope.namespace);
    let arguments = [
        "label",
        "helmreleases.helm.toolkit.fluxcd.io",
        "grain-probe",
        "kustomize.toolkit.fluxcd.io/name=apps",
        "kustomize.toolkit.fluxcd.io/namespace=flux-system",
        &namespace,
    ];
    scope.bed.run(Program::Kubectl, &arguments)?;
    let folder = tree.display().to_string();
    let report = |input: &str| -> Outcome<Value> {
        let arguments = [input, "--report=json"];
        let ran = diff(scope, &scope.bed.kubeconfig, &arguments)?;
        Ok(json(&ran, 0)?["objects"][0].clone())
    };
    let kustomization = "the Kustomization `flux-system/apps` applies it and would revert a change; change it in Git";
    let object = report(&folder)?;
    ensure(
        object["outcome"] == "unchanged" && object["notes"] == json!([kustomization]),
        || object.to_string(),
    )?;
    let text = fs::read_to_string(tree.join("010-probe/grain-probe.yaml"))?;
    let label = "armada2flux.dev/site: ";
    let site = text
        .split(label)
        .nth(1)
        .and_then(|rest| rest.lines().next());
    let site = site.ok_or("the release has no site")?;
    let file = scope
        .bed
        .path()
        .join(format!("{}-other.yaml", scope.namespace));
    fs::write(
        &file,
        text.replace(&format!("{label}{site}"), &format!("{label}other")),
    )?;
    let object = report(&file.display().to_string())?;
    let other = format!("belongs to site `{site}`; a run of another site does not touch it");
    ensure(
        object["outcome"] == "changed" && object["notes"] == json!([other, kustomization]),
        || object.to_string(),
    )
}

fn held(scope: &Scope<'_>) -> Outcome {
    let tree = one(scope, "    conf: {a: 1}", "one")?;
    apply_as_ours(scope, &tree)?;
    // Another manager takes a field over, and helm-controller shares another with us.
    take(scope, "kubectl-edit", &json!({"maxHistory": 3}))?;
    take(scope, "helm-controller", &json!({"interval": "30m"}))?;
    let folder = tree.display().to_string();
    let ran = diff(
        scope,
        &scope.bed.kubeconfig,
        &[&folder, "--exit-code", "--report=json"],
    )?;
    let report = json(&ran, 2)?;
    let object = &report["objects"][0];
    ensure(
        object["outcome"] == "conflicting"
            && object["conflicts"]
                == json!([{"field": ".spec.maxHistory", "manager": "kubectl-edit"}])
            && object["changes"][0]["path"] == "spec.maxHistory"
            && object["changes"][0]["before"] == "3",
        || report.to_string(),
    )?;
    // A change of a shared field conflicts with the other manager.
    let text = fs::read_to_string(tree.join("010-probe/grain-probe.yaml"))?;
    let text = text
        .replace("interval: \"30m\"", "interval: \"31m\"")
        .replace("maxHistory: 10", "maxHistory: 3");
    let file = scope
        .bed
        .path()
        .join(format!("{}-changed.yaml", scope.namespace));
    fs::write(&file, text)?;
    let file = file.display().to_string();
    let ran = diff(scope, &scope.bed.kubeconfig, &[&file, "--report=json"])?;
    let report = json(&ran, 0)?;
    ensure(
        report["objects"][0]["conflicts"]
            == json!([{"field": ".spec.interval", "manager": "helm-controller"}]),
        || report.to_string(),
    )
}
