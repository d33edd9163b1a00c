//! The worked site, as Armada installs it and as Flux does.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::{Scope, Test, ensure};
use crate::bed::armada::Site;
use crate::bed::audit::Entry;
use crate::bed::program::Program;
use crate::bed::{Outcome, has_condition};
use crate::support;

/// For seven small releases in five steps.
const READY_WITHIN: Duration = Duration::from_secs(240);

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::private(
            "site::armada_with_helm_3_installs_the_worked_site",
            with_helm_3,
        ),
        Test::private(
            "site::armada_with_helm_4_installs_the_worked_site",
            with_helm_4,
        ),
        Test::private(
            "site::flux_installs_the_worked_site_in_armadas_order",
            with_flux,
        ),
    ]
}

fn with_helm_3(scope: &Scope<'_>) -> Outcome {
    with_helm(scope, Program::Helm3)
}

fn with_helm_4(scope: &Scope<'_>) -> Outcome {
    with_helm(scope, Program::Helm4)
}

fn with_helm(scope: &Scope<'_>, helm: Program) -> Outcome {
    let site = Site::worked(scope.bed)?;
    let mut wanted: Vec<_> = scope.bed.install_as_armada(&site, helm)?.concat();
    wanted.sort();
    let installed = deployed(scope, helm)?;
    ensure(installed == wanted && wanted.len() == 7, || {
        format!("{installed:?} instead of {wanted:?}")
    })
}

/// Namespace and name of everything that Helm holds as deployed.
fn deployed(scope: &Scope<'_>, helm: Program) -> Outcome<Vec<(String, String)>> {
    let list = scope
        .bed
        .run(helm, &["list", "--all-namespaces", "--output=json"])?;
    let list: Vec<Value> = serde_json::from_str(&list)?;
    let text = |release: &Value, key: &str| release[key].as_str().unwrap_or_default().to_owned();
    let mut all: Vec<_> = list
        .iter()
        .filter(|release| release["status"] == "deployed")
        .map(|release| (text(release, "namespace"), text(release, "name")))
        .collect();
    all.sort();
    Ok(all)
}

fn with_flux(scope: &Scope<'_>) -> Outcome {
    let site = Site::worked(scope.bed)?;
    let steps: Vec<Vec<(String, String)>> = site.with_plan(|plan| {
        let name = |release: &armada2flux::plan::Release<'_, '_>| {
            (release.namespace.to_string(), release.name.to_string())
        };
        Ok(plan
            .steps()
            .map(|(_, step)| step.releases.iter().map(name).collect())
            .collect())
    })?;
    let documents = scope.bed.path().join("site.yaml");
    fs::write(&documents, &site.text)?;
    let tree = scope.bed.path().join("flux");
    convert(&documents, &tree)?;
    scope.bed.run(
        Program::Kubectl,
        &[
            "apply",
            "--server-side",
            "--kustomize",
            &tree.display().to_string(),
            "--validate=strict",
        ],
    )?;
    for (namespace, name) in steps.concat() {
        let path =
            format!("/apis/helm.toolkit.fluxcd.io/v2/namespaces/{namespace}/helmreleases/{name}");
        let release = scope
            .bed
            .wait(&path, READY_WITHIN, |object| has_condition(object, "Ready"))?;
        let snapshot = &release["status"]["history"][0];
        ensure(
            snapshot["name"] == name.as_str() && snapshot["namespace"] == namespace.as_str(),
            || format!("{namespace}/{name} became {snapshot}"),
        )?;
        let tests = snapshot["testHooks"]
            .as_object()
            .map(serde_json::Map::len)
            .unwrap_or_default();
        let is_tested = release["spec"]["test"]["enable"] == true;
        ensure(tests > 0 || !is_tested, || {
            format!("{name} was not tested: {snapshot}")
        })?;
    }
    let mut wanted = steps.concat();
    wanted.sort();
    let installed = deployed(scope, Program::Helm4)?;
    ensure(installed == wanted, || {
        format!("{installed:?} instead of {wanted:?}")
    })?;
    in_order(&scope.bed.audit()?, &steps)
}

fn convert(documents: &Path, tree: &Path) -> Outcome {
    let output = support::program()
        .arg("convert")
        .arg(documents)
        .arg("-o")
        .arg(tree)
        .arg("--new-cluster")
        .output()?;
    ensure(output.status.success(), || {
        String::from_utf8_lossy(&output.stderr).into_owned()
    })
}

/// No release of a step is begun before the last write to the release records of the step before.
fn in_order(entries: &[Entry], steps: &[Vec<(String, String)>]) -> Outcome {
    let writes_to = |namespace: &str, release: &str| -> Vec<usize> {
        let record = format!("sh.helm.release.v1.{release}.v1");
        let is_it = |entry: &Entry| {
            let object = &entry.object_ref;
            entry.is_write()
                && object.resource == "secrets"
                && object.namespace == namespace
                && object.name == record
        };
        (0..entries.len())
            .filter(|at| is_it(&entries[*at]))
            .collect()
    };
    let mut before = 0;
    for step in steps {
        let mut last = before;
        for (namespace, release) in step {
            let writes = writes_to(namespace, release);
            let [first, .., end] = writes[..] else {
                return Err(
                    format!("{release}: its record was written {} times", writes.len()).into(),
                );
            };
            ensure(first >= before, || {
                format!("{release} was begun before the step before it was done")
            })?;
            last = last.max(end);
        }
        before = last;
    }
    Ok(())
}
