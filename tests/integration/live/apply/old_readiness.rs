//! Readiness of an older generation does not start the next step.

use serde_json::{Value, json};

use super::map_site::{self, MapRelease};
use super::running::Running;
use super::{Scope, Test, apply, ended, ensure};
use crate::bed::order::{self, Window};
use crate::bed::program::Program;
use crate::bed::{Outcome, has_condition};
use crate::live::probe_site::{path, revision};

pub(super) fn tests() -> Vec<Test> {
    // Other tests need the controller that this test pauses.
    vec![Test::private("apply::ignores_outdated_readiness", old)]
}

fn get(scope: &Scope<'_>, release: &str) -> Outcome<Value> {
    let found = scope.bed.get(&path(scope, release))?;
    found.ok_or_else(|| format!("{release} is gone").into())
}

/// Writes the status that helm-controller would write for a ready release.
fn forge(scope: &Scope<'_>, release: &str, generation: &Value) -> Outcome {
    let mut conditions = get(scope, release)?["status"]["conditions"].take();
    for condition in conditions.as_array_mut().into_iter().flatten() {
        condition["observedGeneration"] = generation.clone();
    }
    let patch = json!({"status": {"conditions": conditions, "observedGeneration": generation}});
    let name = format!("grain-{release}");
    let namespace = format!("--namespace={}", scope.namespace);
    let patch = format!("--patch={patch}");
    let arguments = [
        "patch",
        "helmreleases.helm.toolkit.fluxcd.io",
        &name,
        &namespace,
        "--subresource=status",
        "--type=merge",
        &patch,
    ];
    scope.bed.run(Program::Kubectl, &arguments).map(drop)
}

fn old(scope: &Scope<'_>) -> Outcome {
    let groups = |word| {
        [
            [MapRelease::new("first", word)],
            [MapRelease::new("second", word)],
        ]
    };
    let [first, second] = groups("one");
    let kubeconfig = &scope.bed.kubeconfig;
    let tree = map_site::tree(scope, "one", &[&first, &second])?;
    ended(&apply(scope, kubeconfig, &tree, &[])?, 0)?;

    let [first, second] = groups("two");
    let tree = map_site::tree(scope, "two", &[&first, &second])?;
    let paused = scope.bed.pause(Program::HelmController)?;
    let from = scope.bed.mark()?;
    let run = Running::start(scope, kubeconfig, &tree, &[])?;
    run.wait_for("helm-controller has not observed generation 2 yet")?;
    let live = get(scope, "first")?;
    // Ready, as it was before.
    let conditions = live["status"]["conditions"].as_array();
    let ready = conditions.is_some_and(|all| {
        let mut all = all.iter();
        all.any(|one| one["type"] == "Ready" && one["status"] == "True")
    });
    ensure(
        ready && live["metadata"]["generation"] == 2 && live["status"]["observedGeneration"] == 1,
        || live.to_string(),
    )?;

    forge(scope, "first", &live["metadata"]["generation"])?;
    run.wait_for("helm-controller has not tried generation 2 yet")?;
    let forged = get(scope, "first")?;
    ensure(
        has_condition(&forged, "Ready") && forged["status"]["observedGeneration"] == 2,
        || forged.to_string(),
    )?;
    let untouched = get(scope, "second")?;
    ensure(untouched["metadata"]["generation"] == 1, || {
        untouched.to_string()
    })?;

    paused.resume()?;
    run.end(0)?;
    let to = scope.bed.mark()?;
    for release in ["first", "second"] {
        let live = get(scope, release)?;
        ensure(
            has_condition(&live, "Ready") && revision(&live) == 2,
            || live.to_string(),
        )?;
    }
    let steps = order::awaited(&map_site::site(scope, &[&first, &second])?)?;
    let gaps = order::prove_order(&scope.bed.audit()?, &Window { from, to }, "tester", &steps)?;
    ensure(!gaps.is_empty(), || "nothing was in order".to_owned())
}
