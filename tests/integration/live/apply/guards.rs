//! What `apply` refuses before it writes anything, with exit code 4 and the object's name.

use std::fs;

use serde_json::{Value, json};

use super::map_site::{self, GATED, MapRelease};
use super::running::Running;
use super::{Scope, Test, apply, ended, ensure, run_to_end, site, to_error};
use crate::bed::program::Program;
use crate::bed::{Bed, Outcome, until};
use crate::cli::typed;
use crate::live::probe_site::path;
use crate::support;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("apply::refuses_objects_of_others", foreign),
        Test::shared("apply::refuses_unreadable_sources", unresolved),
        Test::shared("apply::asks_for_confirmation", asks),
        Test::private("apply::refuses_while_armada_runs", armada),
        Test::shared("apply::refuses_a_concurrent_run", twice),
        Test::shared("apply::applies_only_the_saved_plan", planned),
        Test::shared("apply::does_no_more_than_planned", more_than_planned),
    ]
}

/// A HelmRelease of another owner.
fn release(scope: &Scope<'_>, name: &str, labels: &Value, suspend: bool) -> Value {
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": format!("grain-{name}"), "namespace": scope.namespace, "labels": labels},
        "spec": {
            "interval": "1h", "suspend": suspend,
            "chart": {"spec": {"chart": "map", "sourceRef": {"kind": "GitRepository", "name": "nowhere"}}},
        },
    })
}

fn kubectl(scope: &Scope<'_>, arguments: &[&str], input: &Value) -> Outcome {
    let bed = scope.bed;
    bed.run_with(Program::Kubectl, arguments, &input.to_string())
        .map(drop)
}

/// Fails if a release of the site exists.
fn untouched(scope: &Scope<'_>, release: &str) -> Outcome {
    let found = scope.bed.get(&path(scope, release))?;
    ensure(found.is_none(), || format!("{release} was made: {found:?}"))
}

fn foreign(scope: &Scope<'_>) -> Outcome {
    let namespace = &scope.namespace;
    let tree = map_site::tree(
        scope,
        "one",
        &[
            &[MapRelease::new("free", "a")],
            &[
                MapRelease::new("held", "a"),
                MapRelease::new("other", "a"),
                MapRelease::new("owned", "a"),
                MapRelease::new("stopped", "a"),
            ],
        ],
    )?;
    let chart = scope.bed.path().join(format!("tiny-{namespace}/map"));
    let (chart, place) = (
        chart.display().to_string(),
        format!("--namespace={namespace}"),
    );
    let arguments = ["install", "grain-held", &chart, &place];
    scope.bed.run(Program::Helm3, &arguments)?;
    let labels = json!({"armada2flux.dev/site": "harbour"});
    scope.bed.apply(&release(scope, "other", &labels, true))?;
    let labels = json!({
        "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    });
    scope.bed.apply(&release(scope, "owned", &labels, true))?;
    // It was running, and an operator suspended it.
    let stopped = release(scope, "stopped", &json!({}), true);
    let suspend = ["apply", "--server-side", "--field-manager=flux", "-f", "-"];
    kubectl(scope, &suspend, &stopped)?;
    let snapshot = json!({
        "name": "grain-stopped", "namespace": namespace, "version": 1, "status": "deployed", "digest": "sha256:0",
        "chartName": "map", "chartVersion": "0.1.0", "configDigest": "sha256:0",
        "firstDeployed": "2026-01-01T00:00:00Z", "lastDeployed": "2026-01-01T00:00:00Z",
    });
    let patch = format!("--patch={}", json!({"status": {"history": [snapshot]}}));
    let kind = "helmreleases.helm.toolkit.fluxcd.io";
    let arguments = [
        "patch",
        kind,
        "grain-stopped",
        &place,
        "--subresource=status",
        "--type=merge",
        &patch,
    ];
    scope.bed.run(Program::Kubectl, &arguments)?;

    let ran = apply(scope, &scope.bed.kubeconfig, &tree, &[])?;
    ended(&ran, 4)?;
    for wanted in [
        format!(
            "HelmRelease {namespace}/grain-held: Helm holds revision 1 of the release (deployed) and Flux does not manage it yet"
        ),
        format!("HelmRelease {namespace}/grain-other belongs to site `harbour`"),
        format!(
            "HelmRelease {namespace}/grain-owned is applied by Kustomization `flux-system/apps`"
        ),
        format!("HelmRelease {namespace}/grain-stopped is suspended by `flux`"),
        "flux resume helmrelease".to_owned(),
        "nothing was written".to_owned(),
    ] {
        ensure(ran.stderr.contains(&wanted), || {
            format!("`{wanted}` is not in:\n{}", ran.stderr)
        })?;
    }
    untouched(scope, "free")?;
    // Stages that are not part of the run do not matter.
    let ran = apply(scope, &scope.bed.kubeconfig, &tree, &["--pause-after=1"])?;
    ended(&ran, 0)
}

fn unresolved(scope: &Scope<'_>) -> Outcome {
    let mut site = map_site::site(
        scope,
        &[
            &[MapRelease::new("free", "a")],
            &[MapRelease::new("far", "a")],
        ],
    )?;
    let place = site.text.rfind("source: {type: git").ok_or("no source")?;
    let end = place + site.text[place..].find('\n').unwrap_or_default();
    let local = "source: {type: local, location: /charts, subpath: map}";
    site.text.replace_range(place..end, local);
    let options = ["--no-namespaces", "--source-namespace=release"];
    let tree = site::convert(scope, &site, &format!("{}-one", scope.namespace), &options)?;
    let ran = apply(scope, &scope.bed.kubeconfig, &tree, &[])?;
    ended(&ran, 4)?;
    let wanted = format!(
        "HelmRelease {}/grain-far: Flux cannot read the source of its chart: ",
        scope.namespace
    );
    ensure(
        ran.stderr.contains(&wanted) && ran.stderr.contains("--source-map"),
        || ran.stderr.clone(),
    )?;
    untouched(scope, "free")
}

fn asks(scope: &Scope<'_>) -> Outcome {
    let tree = map_site::tree(scope, "one", &[&[MapRelease::new("free", "a")]])?;
    let unasked = || {
        let mut command = support::program();
        command
            .current_dir(scope.bed.path())
            .arg("apply")
            .arg(&tree);
        command.arg("--kubeconfig").arg(&scope.bed.kubeconfig);
        command
    };
    let ran = support::run_with_input(&mut unasked(), b"y\n").map_err(to_error)?;
    ensure(ran.code == Some(4) && ran.stderr.contains("--yes"), || {
        format!("{:?}: {}", ran.code, ran.stderr)
    })?;
    let (text, status) = typed(unasked(), "n\n", |command, terminal| {
        if let Ok(input) = terminal.try_clone() {
            command.stdin(input);
        }
        command.stderr(terminal);
    })
    .map_err(to_error)?;
    ensure(
        status.code() == Some(4) && text.contains("[y/N]") && text.contains("grain-free"),
        || format!("{status}: {text}"),
    )?;
    untouched(scope, "free")
}

/// The lock as Armada makes it (Armada: handlers/lock.py).
fn lock() -> [Value; 2] {
    [
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "locks.armada.process"},
            "spec": {
                "group": "armada.process", "scope": "Namespaced",
                "names": {"kind": "Resource", "plural": "locks", "singular": "lock"},
                "versions": [{
                    "name": "v1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                }],
            },
        }),
        json!({
            "apiVersion": "armada.process/v1", "kind": "Resource",
            "metadata": {"name": "lock", "namespace": "kube-system"},
            "data": {"lastUpdated": "2026-01-01T00:00:00Z"},
        }),
    ]
}

fn armada(scope: &Scope<'_>) -> Outcome {
    let tree = map_site::tree(scope, "one", &[&[MapRelease::new("free", "a")]])?;
    // A plan is for one cluster only.
    let plan = scope.bed.path().join("plan.json").display().to_string();
    plans(scope, &tree.display().to_string(), &plan, &[])?;
    let elsewhere = &Bed::shared()?.kubeconfig;
    let ran = apply(scope, elsewhere, &tree, &["--plan", &plan])?;
    ended(&ran, 4)?;
    ensure(
        ran.stderr
            .contains("is for another cluster, at https://127.0.0.1"),
        || ran.stderr.clone(),
    )?;

    let [kind, lock] = lock();
    scope.bed.apply(&kind)?;
    until(site::READY_WITHIN, || Ok(scope.bed.apply(&lock).ok()))?;
    scope.bed.apply(&json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "armada-api", "namespace": "default"},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": "armada"}},
            "template": {
                "metadata": {"labels": {"app": "armada"}},
                "spec": {"containers": [{"name": "api", "image": "quay.io/airshipit/armada:latest-ubuntu_jammy"}]},
            },
        },
    }))?;
    let refuses = |wanted: &[&str], not: Option<&str>| -> Outcome {
        let ran = apply(scope, &scope.bed.kubeconfig, &tree, &[])?;
        ended(&ran, 4)?;
        ensure(
            wanted.iter().all(|text| ran.stderr.contains(text))
                && !not.is_some_and(|text| ran.stderr.contains(text)),
            || ran.stderr.clone(),
        )?;
        untouched(scope, "free")
    };
    let held = "Armada holds its lock `lock`, last renewed 2026-01-01T00:00:00Z";
    let delete = "kubectl -n kube-system delete locks.armada.process lock";
    let runs = "Deployment default/armada-api runs `quay.io/airshipit/armada:latest-ubuntu_jammy`";
    let freeze = "kubectl -n default scale deployment armada-api --replicas=0";
    refuses(&[held, delete, runs, freeze], None)?;
    // Each printed command removes its reason.
    let follow = |command: &str| -> Outcome {
        let words: Vec<&str> = command.split(' ').skip(1).collect();
        scope.bed.run(Program::Kubectl, &words).map(drop)
    };
    follow(delete)?;
    refuses(&[runs, freeze], Some("holds its lock"))?;
    follow(freeze)?;
    ended(&apply(scope, &scope.bed.kubeconfig, &tree, &[])?, 0)
}

fn twice(scope: &Scope<'_>) -> Outcome {
    let namespace = &scope.namespace;
    // Its gate opens when the test creates a pod.
    let gated = MapRelease {
        wait: GATED,
        ..MapRelease::new("first", "a")
    };
    let tree = map_site::tree(scope, "one", &[&[gated]])?;
    let kubeconfig = &scope.bed.kubeconfig;
    let run = Running::start(scope, kubeconfig, &tree, &[])?;
    run.wait_for("no pod in namespace")?;
    let journal = scope.bed.path().join(format!("{namespace}-second.journal"));
    let journal = format!("--journal={}", journal.display());
    let refused = |more: &[&str], wanted: &[&str]| -> Outcome {
        let arguments = [&[journal.as_str()], more].concat();
        let ran = apply(scope, kubeconfig, &tree, &arguments)?;
        ended(&ran, 4)?;
        ensure(wanted.iter().all(|text| ran.stderr.contains(text)), || {
            format!("{wanted:?} is not in {}", ran.stderr)
        })
    };
    let lease = format!(
        "/apis/coordination.k8s.io/v1/namespaces/flux-system/leases/armada2flux-{namespace}"
    );
    let held = scope.bed.get(&lease)?.ok_or("there is no lease")?;
    let holder = held["spec"]["holderIdentity"].as_str().unwrap_or_default();
    ensure(holder.contains('@'), || held.to_string())?;
    let by = format!("another run holds the Lease flux-system/armada2flux-{namespace}: `{holder}`");
    refused(&[], &[&by, "wait until process", "on this machine ends"])?;
    refused(&["--break-lock"], &[&by])?;
    // A killed run keeps the Lease until it expires.
    drop(run);
    refused(&["--break-lock"], &[&by])?;
    let patch = json!({"spec": {"renewTime": "2020-01-01T00:00:00.000000Z"}}).to_string();
    let (name, place) = (
        format!("armada2flux-{namespace}"),
        "--namespace=flux-system",
    );
    let arguments = [
        "patch",
        "lease",
        &name,
        place,
        "--type=merge",
        "--patch",
        &patch,
    ];
    scope.bed.run(Program::Kubectl, &arguments)?;
    refused(&[], &[&by, "it has expired", "--break-lock"])?;
    map_site::open_gate(scope)?;
    let ran = apply(scope, kubeconfig, &tree, &[&journal, "--break-lock"])?;
    ended(&ran, 0)?;
    let given_back = scope.bed.get(&lease)?.ok_or("there is no lease")?;
    let holder = given_back["spec"]["holderIdentity"].as_str();
    ensure(holder.unwrap_or_default().is_empty(), || {
        given_back.to_string()
    })
}

/// Saves a plan.
fn plans(scope: &Scope<'_>, tree: &str, file: &str, more: &[&str]) -> Outcome {
    let mut command = support::program();
    command.args(["plan", tree, "-q", "--output", file]);
    command.arg("--kubeconfig").arg(&scope.bed.kubeconfig);
    let ran = run_to_end(command.args(more))?;
    ended(&ran, 0)
}

fn planned(scope: &Scope<'_>) -> Outcome {
    let kubeconfig = &scope.bed.kubeconfig;
    let file = |name: &str| {
        let name = format!("{}-{name}", scope.namespace);
        scope.bed.path().join(name).display().to_string()
    };
    let (good, short) = (file("plan.json"), file("short.json"));
    let tree = map_site::tree(scope, "one", &[&[MapRelease::new("free", "a")]])?;
    let folder = tree.display().to_string();
    plans(scope, &folder, &short, &["--valid-for=1s"])?;
    plans(scope, &folder, &good, &[])?;
    let refuses = |tree: &std::path::Path, plan: &str, wanted: &str| -> Outcome {
        let ran = apply(scope, kubeconfig, tree, &["--plan", plan])?;
        ended(&ran, 4)?;
        ensure(ran.stderr.contains(wanted), || ran.stderr.clone())
    };
    // Any byte: of a digest, a time, a name.
    let text = fs::read_to_string(&good)?;
    for old in ["sha256:", "\"created\": \"20", "grain-free"] {
        let at = text
            .find(old)
            .ok_or_else(|| format!("no `{old}` in {text}"))?;
        let mut bytes = text.clone().into_bytes();
        let last = at + old.len() - 1;
        bytes[last] = if bytes[last] == b'1' { b'2' } else { b'1' };
        let edited = file("edited.json");
        fs::write(&edited, bytes)?;
        refuses(&tree, &edited, "plan")?;
    }
    let other = map_site::tree(scope, "two", &[&[MapRelease::new("free", "b")]])?;
    refuses(
        &other,
        &good,
        "the input is not what was planned: HelmRelease",
    )?;
    until(site::READY_WITHIN, || {
        let arguments = ["--plan", &short, "--dry-run"];
        let ran = apply(scope, kubeconfig, &tree, &arguments)?;
        Ok((ran.code == Some(4)).then_some(()))
    })?;
    refuses(&tree, &short, "and was valid for 1 s")?;
    untouched(scope, "free")?;
    let ran = apply(scope, kubeconfig, &tree, &["--plan", &good])?;
    ended(&ran, 0)
}

/// The cluster changes after the plan: the run does not do what nobody agreed to.
fn more_than_planned(scope: &Scope<'_>) -> Outcome {
    let kubeconfig = &scope.bed.kubeconfig;
    let namespace = &scope.namespace;
    let groups: [&[MapRelease<'_>]; 2] = [
        &[MapRelease::new("free", "a")],
        &[MapRelease::new("next", "a")],
    ];
    let tree = map_site::tree(scope, "one", &groups)?;
    let folder = tree.display().to_string();
    let plan = scope
        .bed
        .path()
        .join(format!("{namespace}-plan.json"))
        .display()
        .to_string();
    plans(scope, &folder, &plan, &[])?;
    let run = || apply(scope, kubeconfig, &tree, &["--plan", &plan]);
    ended(&run()?, 0)?;
    // Everything is done already, which is less than was planned.
    ended(&run()?, 0)?;
    plans(scope, &folder, &plan, &[])?;

    // Files of the tree, as `apply` sends them.
    let mut files = std::collections::BTreeMap::new();
    for (name, bytes) in crate::support::read_tree(&tree).map_err(to_error)? {
        files.insert(
            name,
            String::from_utf8(bytes)?.replace("  suspend: true\n", ""),
        );
    }
    let find = |part: &str| {
        let found = files.iter().find(|(name, _)| name.contains(part));
        found
            .map(|(_, text)| text.clone())
            .ok_or_else(|| format!("no file of {part}"))
    };
    let (source, free, next) = (find("sources/")?, find("grain-free")?, find("grain-next")?);
    let send = |text: &str, changed: String| -> Outcome {
        ensure(text != changed, || text.to_owned())?;
        let file = scope.bed.path().join(format!("{namespace}-drift.yaml"));
        fs::write(&file, changed)?;
        let file = file.display().to_string();
        site::apply_as("armada2flux", scope, std::path::Path::new(""), &[&file])
    };
    let refuses = |object: &str, now: &str| -> Outcome {
        let ran = run()?;
        ended(&ran, 4)?;
        let wanted = format!("{object} (planned: unchanged, now: {now})");
        ensure(ran.stderr.contains(&wanted), || {
            format!("{wanted}: {}", ran.stderr)
        })
    };
    let named = |release: &str| format!("HelmRelease {namespace}/grain-{release}");
    let repository = {
        let name = source
            .lines()
            .find_map(|line| line.strip_prefix("  name: "));
        format!(
            "GitRepository {namespace}/{}",
            name.ok_or("a source without name")?
        )
    };
    send(
        &source,
        source.replace("interval: ", "timeout: 59s\n  interval: "),
    )?;
    refuses(&repository, "change")?;
    let digest = next.find("sha256:").ok_or("no digest")? + "sha256:".len();
    let mut other = next.clone();
    let zero = if other[digest..].starts_with('0') {
        "1"
    } else {
        "0"
    };
    other.replace_range(digest..=digest, zero);
    send(&next, other)?;
    refuses(&named("next"), "reconcile")?;
    send(&free, free.replace("word: a", "word: c"))?;
    refuses(&named("free"), "upgrade")?;
    let release = named("next").replacen("HelmRelease ", "", 1);
    let (_, name) = release.split_once('/').ok_or("no name")?;
    let delete = |kind: &str, name: &str| {
        let place = format!("--namespace={namespace}");
        scope
            .bed
            .run(Program::Kubectl, &["delete", kind, name, &place])
    };
    delete("helmrelease", name)?;
    refuses(&named("next"), "create")?;
    let (_, name) = repository.split_once('/').ok_or("no name")?;
    delete("gitrepository", name)?;
    refuses(&repository, "create")?;
    ended(&apply(scope, kubeconfig, &tree, &[])?, 0)?;
    ended(&run()?, 0)
}
