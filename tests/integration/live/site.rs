//! The worked site, installed as by Armada and by Flux.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use armada2flux::plan::Release;
use serde_json::Value;

use super::{Scope, Test, ensure};
use crate::bed::armada::Site;
use crate::bed::audit::Entry;
use crate::bed::program::Program;
use crate::bed::{Outcome, has_condition};

/// Time limit for seven small releases in five steps.
pub(super) const READY_WITHIN: Duration = Duration::from_secs(240);

/// Releases are not suspended.
pub(super) const NEW: &[&str] = &["--new-cluster"];

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared(
            "site::armada_with_helm_3_installs_the_worked_site",
            with_helm_3,
        ),
        Test::shared(
            "site::armada_with_helm_4_installs_the_worked_site",
            with_helm_4,
        ),
        Test::private(
            "site::flux_installs_the_worked_site_in_armadas_order",
            with_flux,
        ),
        Test::shared("site::stages_upgrade_in_lockstep", lockstep),
        Test::shared(
            "site::a_suspended_dependency_holds_its_dependents_back",
            suspended,
        ),
        Test::shared(
            "site::one_kustomization_builds_the_trees_of_two_sites",
            two_sites,
        ),
        Test::shared(
            "site::a_new_commit_under_the_same_version_is_deployed",
            new_commit,
        ),
    ]
}

fn with_helm_3(scope: &Scope<'_>) -> Outcome {
    with_helm(scope, Program::Helm3, "h3")
}

fn with_helm_4(scope: &Scope<'_>) -> Outcome {
    with_helm(scope, Program::Helm4, "h4")
}

fn with_helm(scope: &Scope<'_>, helm: Program, word: &str) -> Outcome {
    let site = Site::worked(scope.bed, word)?.renamed(word)?;
    let mut wanted: Vec<_> = scope.bed.install_as_armada(&site, helm)?.concat();
    wanted.sort();
    let installed = deployed(scope, helm, &format!("{word}-"))?;
    ensure(installed == wanted && wanted.len() == 7, || {
        format!("{installed:?} instead of {wanted:?}")
    })
}

/// Returns namespace and name of every release that Helm has deployed in namespaces with this prefix.
fn deployed(scope: &Scope<'_>, helm: Program, namespaces: &str) -> Outcome<Vec<(String, String)>> {
    let list = scope.bed.run(
        helm,
        &["list", "--all-namespaces", "--max=0", "--output=json"],
    )?;
    let list: Vec<Value> = serde_json::from_str(&list)?;
    let text = |release: &Value, key: &str| release[key].as_str().unwrap_or_default().to_owned();
    let mut all: Vec<_> = list
        .iter()
        .filter(|release| release["status"] == "deployed")
        .map(|release| (text(release, "namespace"), text(release, "name")))
        .filter(|(namespace, _)| namespace.starts_with(namespaces))
        .collect();
    all.sort();
    Ok(all)
}

/// Namespace and name of the releases of each step.
pub(super) type Steps = Vec<Vec<(String, String)>>;

pub(super) fn steps(site: &Site) -> Outcome<Steps> {
    site.with_plan(|plan| {
        let key =
            |release: &Release<'_, '_>| (release.namespace.to_string(), release.name.to_string());
        Ok(plan
            .steps()
            .map(|(_, step)| step.releases.iter().map(key).collect())
            .collect())
    })
}

/// Converts the site with the program; returns the tree.
pub(super) fn convert(
    scope: &Scope<'_>,
    site: &Site,
    name: &str,
    options: &[&str],
) -> Outcome<PathBuf> {
    let documents = scope.bed.path().join(format!("{name}.yaml"));
    fs::write(&documents, &site.text)?;
    let map = scope.bed.path().join(format!("{name}-sources.yaml"));
    fs::write(&map, &site.source_map)?;
    let tree = scope.bed.path().join(name);
    let map = format!("--source-map={}", map.display());
    let target = site
        .target
        .map(|target| format!("--target-manifest={target}"));
    let mut all = vec![map.as_str()];
    all.extend(target.as_deref());
    all.extend(options);
    super::convert(&documents, &tree, &all)?;
    Ok(tree)
}

/// Applies folders or files of a tree in this order, or all of it, as the documentation describes.
pub(super) fn apply(scope: &Scope<'_>, tree: &Path, parts: &[&str]) -> Outcome {
    apply_as("kubectl", scope, tree, parts)
}

/// Like [`apply`], with a field manager.
pub(super) fn apply_as(manager: &str, scope: &Scope<'_>, tree: &Path, parts: &[&str]) -> Outcome {
    let mut arguments = vec![
        "apply".to_owned(),
        "--server-side".to_owned(),
        "--validate=strict".to_owned(),
        format!("--field-manager={manager}"),
    ];
    if parts.is_empty() {
        arguments.push(format!("--kustomize={}", tree.display()));
    }
    for part in parts {
        arguments.push(format!("--filename={}", tree.join(part).display()));
    }
    scope.bed.run(Program::Kubectl, &arguments).map(drop)
}

pub(super) fn helm_release(namespace: &str, name: &str) -> String {
    format!("/apis/helm.toolkit.fluxcd.io/v2/namespaces/{namespace}/helmreleases/{name}")
}

/// Waits until every release is Ready and returns them.
pub(super) fn all_ready(scope: &Scope<'_>, steps: &Steps) -> Outcome<Vec<Value>> {
    let ready = |(namespace, name): &(String, String)| {
        let path = helm_release(namespace, name);
        scope
            .bed
            .wait(&path, READY_WITHIN, |object| has_condition(object, "Ready"))
    };
    steps.iter().flatten().map(ready).collect()
}

fn with_flux(scope: &Scope<'_>) -> Outcome {
    // Not renamed, although some of the namespaces are Kubernetes' own.
    let site = Site::worked(scope.bed, "flux")?;
    let steps = steps(&site)?;
    apply(scope, &convert(scope, &site, "flux", NEW)?, &[])?;
    for (release, (namespace, name)) in all_ready(scope, &steps)?.iter().zip(steps.iter().flatten())
    {
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
    let installed = deployed(scope, Program::Helm4, "")?;
    ensure(installed == wanted, || {
        format!("{installed:?} instead of {wanted:?}")
    })?;
    in_order(&scope.bed.audit()?, &steps)
}

/// Returns the site with another number of replicas in a release of the first and one of the last stage.
pub(super) fn with_replicas(site: &Site, replicas: u32) -> Outcome<Site> {
    let mut text = site.text.clone();
    for after in ["    upstream:", "    queue:"] {
        let old = format!("    replicas: 2\n{after}");
        ensure(text.matches(&old).count() == 1, || {
            format!("the worked site has no single `{old}`")
        })?;
        text = text.replace(&old, &format!("    replicas: {replicas}\n{after}"));
    }
    Ok(Site {
        text,
        target: site.target,
        source_map: site.source_map.clone(),
        charts: site.charts.clone(),
    })
}

fn lockstep(scope: &Scope<'_>) -> Outcome {
    let site = Site::worked(scope.bed, "lock")?.renamed("lock")?;
    let steps = steps(&site)?;
    apply(scope, &convert(scope, &site, "lock-one", NEW)?, &[])?;
    all_ready(scope, &steps)?;

    // Stages 1 and 3 change, 2 does not; all are applied in one call, in reverse order.
    let two = convert(scope, &with_replicas(&site, 3)?, "lock-two", NEW)?;
    apply(
        scope,
        &two,
        &["030-services", "020-control-plane", "010-ground"],
    )?;
    let last = helm_release("lock-web", "lock-breakwater-worker");
    let version = |object: &Value| {
        object["status"]["history"][0]["version"]
            .as_i64()
            .unwrap_or_default()
    };
    scope.bed.wait(&last, READY_WITHIN, |object| {
        version(object) == 2 && has_condition(object, "Ready")
    })?;
    for (release, (_, name)) in all_ready(scope, &steps)?.iter().zip(steps.iter().flatten()) {
        let wanted =
            if ["lock-breakwater-mirror", "lock-breakwater-worker"].contains(&name.as_str()) {
                2
            } else {
                1
            };
        ensure(version(release) == wanted, || {
            format!("{name} is at revision {}", version(release))
        })?;
    }
    let audit = scope.bed.audit()?;
    let first = record_writes(&audit, "lock-infra", "lock-breakwater-mirror", 2);
    let third = record_writes(&audit, "lock-web", "lock-breakwater-worker", 2);
    ensure(first.len() > 1 && first.last() < third.first(), || {
        format!("{first:?}, then {third:?}")
    })?;

    // Only the last stage changes again: it waits for the first, which has not been applied.
    let three = convert(scope, &with_replicas(&site, 4)?, "lock-three", NEW)?;
    apply(scope, &three, &["030-services/lock-breakwater-worker.yaml"])?;
    let waits = |object: &Value| {
        let conditions = object["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        conditions
            .iter()
            .any(|condition| condition["reason"] == "DependencyNotReady")
    };
    let waiting = scope.bed.wait(&last, READY_WITHIN, waits)?;
    ensure(version(&waiting) == 2, || waiting["status"].to_string())?;

    // Without readyExpr it does not wait.
    let plain = scope.bed.get(&last)?.unwrap_or_default();
    let edges = plain["spec"]["dependsOn"]
        .as_array()
        .map(Vec::len)
        .unwrap_or_default();
    let removals: Vec<_> = (0..edges)
        .map(|edge| serde_json::json!({"op": "remove", "path": format!("/spec/dependsOn/{edge}/readyExpr")}))
        .collect();
    let patch = format!("--patch={}", Value::from(removals));
    let kind = "helmreleases.helm.toolkit.fluxcd.io";
    scope.bed.run(
        Program::Kubectl,
        &[
            "patch",
            kind,
            "lock-breakwater-worker",
            "--namespace=lock-web",
            "--type=json",
            &patch,
        ],
    )?;
    scope
        .bed
        .wait(&last, READY_WITHIN, |object| version(object) == 3)?;
    let mirror = scope
        .bed
        .get(&helm_release("lock-infra", "lock-breakwater-mirror"))?
        .unwrap_or_default();
    ensure(version(&mirror) == 2, || mirror["status"].to_string())
}

/// A dependency that is suspended with a change looks ready: it has the wanted digest, its generation is observed, and
/// `Ready` is still true. Only the generation that it last attempted tells; without that part of the expression the
/// dependent starts too early.
fn suspended(scope: &Scope<'_>) -> Outcome {
    const PART: &str = " && dep.status.lastAttemptedGeneration == dep.metadata.generation";
    let site = Site::worked(scope.bed, "hole")?.renamed("hole")?;
    let steps = steps(&site)?;
    apply(scope, &convert(scope, &site, "hole-one", NEW)?, &[])?;
    all_ready(scope, &steps)?;
    let two = convert(scope, &with_replicas(&site, 3)?, "hole-two", NEW)?;

    let path = helm_release("hole-web", "hole-breakwater-worker");
    let worker = scope.bed.get(&path)?.unwrap_or_default();
    let dependencies = worker["spec"]["dependsOn"].as_array().cloned();
    let dependencies = dependencies.unwrap_or_default();
    ensure(!dependencies.is_empty(), || worker["spec"].to_string())?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut paths = Vec::new();
    for dependency in &dependencies {
        let (namespace, name) = (text(&dependency["namespace"]), text(&dependency["name"]));
        paths.push(helm_release(&namespace, &name));
        for folder in fs::read_dir(&two)? {
            let file = folder?.path().join(format!("{name}.yaml"));
            if file.is_file() {
                let old = fs::read_to_string(&file)?;
                fs::write(
                    &file,
                    old.replace("\nspec:\n", "\nspec:\n  suspend: true\n"),
                )?;
                apply(scope, Path::new("/"), &[&file.display().to_string()])?;
            }
        }
    }
    let version = |object: &Value| object["status"]["history"][0]["version"].clone();
    for path in &paths {
        scope.bed.wait(path, READY_WITHIN, |object| {
            let (own, status) = (&object["metadata"], &object["status"]);
            object["spec"]["suspend"] == true
                && own["generation"] == status["observedGeneration"]
                && own["generation"] != status["lastAttemptedGeneration"]
                && has_condition(object, "Ready")
        })?;
    }

    apply(scope, &two, &["030-services/hole-breakwater-worker.yaml"])?;
    let waits = |object: &Value| {
        let conditions = object["status"]["conditions"].as_array().cloned();
        conditions
            .unwrap_or_default()
            .iter()
            .any(|condition| condition["reason"] == "DependencyNotReady")
    };
    let waiting = scope.bed.wait(&path, READY_WITHIN, waits)?;
    ensure(version(&waiting) == 1, || waiting["status"].to_string())?;

    let edges = waiting["spec"]["dependsOn"].as_array().cloned();
    let mut patch = Vec::new();
    for (at, edge) in edges.unwrap_or_default().iter().enumerate() {
        let whole = text(&edge["readyExpr"]);
        ensure(whole.matches(PART).count() == 1, || whole.clone())?;
        let path = format!("/spec/dependsOn/{at}/readyExpr");
        let value = whole.replace(PART, "");
        patch.push(serde_json::json!({"op": "replace", "path": path, "value": value}));
    }
    let patch = format!("--patch={}", Value::from(patch));
    scope.bed.run(
        Program::Kubectl,
        &[
            "patch",
            "helmreleases.helm.toolkit.fluxcd.io",
            "hole-breakwater-worker",
            "--namespace=hole-web",
            "--type=json",
            &patch,
        ],
    )?;
    scope
        .bed
        .wait(&path, READY_WITHIN, |object| version(object) == 2)?;
    for path in &paths {
        let dependency = scope.bed.get(path)?.unwrap_or_default();
        ensure(version(&dependency) == 1, || {
            dependency["status"].to_string()
        })?;
    }
    Ok(())
}

/// Two sites use the same repositories. Each tree has sources of its own, so kustomize builds both together, as it does
/// not for a tree that is there twice.
fn two_sites(scope: &Scope<'_>) -> Outcome {
    let one = Site::worked(scope.bed, "pair")?.renamed("east")?;
    // The same sources under other names of releases and namespaces.
    let two = Site {
        text: one.text.replace("east-", "west-"),
        target: one.target,
        source_map: one.source_map.clone(),
        charts: one.charts.clone(),
    };
    convert(scope, &one, "pair-east", &["--site=east"])?;
    convert(scope, &two, "pair-west", &["--site=west"])?;
    let build = |folder: &str, trees: &[&str]| {
        let folder = scope.bed.path().join(folder);
        fs::create_dir_all(&folder)?;
        let resources: Vec<String> = trees.iter().map(|tree| format!("../{tree}")).collect();
        let list = serde_json::json!({"resources": resources}).to_string();
        fs::write(folder.join("kustomization.yaml"), list)?;
        let folder = folder.display().to_string();
        scope.bed.run(Program::Kubectl, &["kustomize", &folder])
    };
    let both = build("pair-both", &["pair-east", "pair-west"])?;
    let alone = build("pair-alone", &["pair-east"])?;
    let count = |text: &str| text.matches("\nkind: ").count();
    ensure(
        count(&both) == 2 * count(&alone) && count(&alone) > 10,
        || format!("{} objects, {} for one", count(&both), count(&alone)),
    )?;
    // What one site would get in the place of another.
    convert(scope, &two, "pair-same", &["--site=east"])?;
    match build("pair-clash", &["pair-east", "pair-same"]) {
        Err(error) if error.to_string().contains("already registered id") => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err("kustomize builds two sources of one name".into()),
    }
}

/// Returns the UIDs of pods of workloads in namespaces with this prefix.
fn running_pods(scope: &Scope<'_>, namespaces: &str) -> Outcome<BTreeSet<String>> {
    let pods = scope.bed.get("/api/v1/pods")?.unwrap_or_default();
    let pods = pods["items"].as_array().cloned().unwrap_or_default();
    let runs = |pod: &&Value| {
        let owner = &pod["metadata"]["ownerReferences"][0]["kind"];
        ["ReplicaSet", "StatefulSet", "DaemonSet"]
            .iter()
            .any(|kind| owner == kind)
    };
    let is_here = |pod: &&Value| {
        let namespace = pod["metadata"]["namespace"].as_str();
        namespace.is_some_and(|namespace| namespace.starts_with(namespaces))
    };
    let uid = |pod: &Value| {
        pod["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    Ok(pods.iter().filter(is_here).filter(runs).map(uid).collect())
}

fn new_commit(scope: &Scope<'_>) -> Outcome {
    let site = Site::worked(scope.bed, "new")?.renamed("new")?;
    let steps = steps(&site)?;
    apply(scope, &convert(scope, &site, "new-one", NEW)?, &[])?;
    all_ready(scope, &steps)?;
    let before = running_pods(scope, "new-")?;

    let template = site.charts.join("facts/templates/configmap.yaml");
    let text = fs::read_to_string(&template)?;
    fs::write(
        &template,
        text.replace("\ndata:\n", "\ndata:\n  added: by a new commit\n"),
    )?;
    let message = "Change a template, not the version";
    let new = scope.bed.git.commit("charts-new", &site.charts, message)?;
    let site = Site {
        text: site.text,
        target: site.target,
        source_map: Site::worked_map(scope.bed, "new", &new),
        charts: site.charts,
    };
    apply(scope, &convert(scope, &site, "new-two", NEW)?, &[])?;
    scope.bed.wait(
        "/api/v1/namespaces/new-infra/configmaps/new-breakwater-facts",
        READY_WITHIN,
        |map| map["data"]["added"] == "by a new commit",
    )?;
    all_ready(scope, &steps)?;
    let after = running_pods(scope, "new-")?;
    ensure(before == after && !after.is_empty(), || {
        format!("{before:?} became {after:?}")
    })
}

/// Returns where in the audit log the Helm record of a revision was written.
fn record_writes(entries: &[Entry], namespace: &str, release: &str, revision: u32) -> Vec<usize> {
    let record = format!("sh.helm.release.v1.{release}.v{revision}");
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
}

/// Fails if a release of a step was started before the last write to the Helm records of the step before.
pub(super) fn in_order(entries: &[Entry], steps: &[Vec<(String, String)>]) -> Outcome {
    let mut before = 0;
    for step in steps {
        let mut last = before;
        for (namespace, release) in step {
            let writes = record_writes(entries, namespace, release, 1);
            let [first, .., end] = writes[..] else {
                return Err(
                    format!("{release}: its record was written {} times", writes.len()).into(),
                );
            };
            ensure(first >= before, || {
                format!("{release} was started before the step before it was done")
            })?;
            last = last.max(end);
        }
        before = last;
    }
    Ok(())
}
