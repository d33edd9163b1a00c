//! `spec.suspend` of trees: `apply` removes it, so its presence in the input is not a difference.

use std::fs;

use serde_json::Value;

use super::{apply_as_ours, diff, json, one, shown};
use crate::bed::Outcome;
use crate::bed::program::Program;
use crate::live::{Scope, Test, ensure};

pub(super) fn tests() -> Vec<Test> {
    vec![Test::shared("diff::reports_a_resumed_release", resumes)]
}

/// Suspends a release as an operator does, or resumes it.
pub(super) fn suspend(scope: &Scope<'_>, place: (&str, &str), suspended: Value) -> Outcome {
    let (namespace, name) = place;
    let patch = format!("--patch={}", json!({"spec": {"suspend": suspended}}));
    let namespace = format!("--namespace={namespace}");
    let arguments = [
        "patch",
        "helmreleases.helm.toolkit.fluxcd.io",
        name,
        &namespace,
        "--type=merge",
        &patch,
    ];
    scope.bed.run(Program::Kubectl, &arguments).map(drop)
}

/// A suspended release is reported as resumed, whoever suspended it, and whether the input does or not.
fn resumes(scope: &Scope<'_>) -> Outcome {
    let tree = one(scope, "", "one")?;
    let folder = tree.display().to_string();
    let text = fs::read_to_string(tree.join("010-probe/grain-probe.yaml"))?;
    let suspended = text.replace("\nspec:\n", "\nspec:\n  suspend: true\n");
    ensure(suspended != text && !text.contains("suspend:"), || {
        text.clone()
    })?;
    let file = scope
        .bed
        .path()
        .join(format!("{}-suspended.yaml", scope.namespace));
    fs::write(&file, suspended)?;
    let file = file.display().to_string();
    apply_as_ours(scope, &tree)?;
    for input in [&folder, &file] {
        let ran = diff(scope, &scope.bed.kubeconfig, &[input, "--exit-code"])?;
        ensure(ran.code == Some(0), || ran.stdout.clone())?;
    }
    let expect_resumed = |input: &str| -> Outcome {
        let run = |more: &str| diff(scope, &scope.bed.kubeconfig, &[input, "--exit-code", more]);
        let report = json(&run("--report=json")?, 2)?;
        let object = &report["objects"][0];
        let change = &object["changes"][0];
        ensure(
            shown(&report).len() == 1
                && object["outcome"] == "changed"
                && object["staying"] == json!([])
                && object["changes"].as_array().map(Vec::len) == Some(1)
                && change["path"] == "spec.suspend"
                && change["before"] == "true"
                && change["danger"]["name"] == "resume",
            || report.to_string(),
        )?;
        let text = run("--color=never")?.stdout;
        ensure(
            text.starts_with("! resume: its controller acts at once"),
            || text.clone(),
        )
    };
    suspend(scope, (&scope.namespace, "grain-probe"), json!(true))?;
    expect_resumed(&folder)?;
    expect_resumed(&file)?;
    // Suspended by the tree itself, and by both.
    apply_as_ours_forced(scope, &file)?;
    expect_resumed(&file)?;
    expect_resumed(&folder)?;
    suspend(scope, (&scope.namespace, "grain-probe"), Value::Null)?;
    apply_as_ours_forced(scope, &file)?;
    expect_resumed(&file)
}

/// Applies one file with the field manager of `apply`, even if others own its fields.
fn apply_as_ours_forced(scope: &Scope<'_>, file: &str) -> Outcome {
    let file = format!("--filename={file}");
    let arguments = [
        "apply",
        "--server-side",
        "--force-conflicts",
        "--field-manager=armada2flux",
        &file,
    ];
    scope.bed.run(Program::Kubectl, &arguments).map(drop)
}
