//! What a release is made of is watched: somebody changes a source or values between the stages of a run.

use std::path::Path;

use serde_json::{Value, json};

use super::parallel::on_sites;
use super::small_site::{self, DB, FIRST, LAST, SmallSite, WITHIN, ended};
use super::{Scope, Test, ensure};
use crate::bed::Outcome;
use crate::bed::program::Program;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("ground::a_change_between_stages_ends_the_run", changed),
        Test::shared("ground::fields_of_others_weaken_no_check", weakened),
        Test::shared("ground::a_run_that_moves_nothing_is_quiet", quiet),
    ]
}

/// Changes what the second stage uses, and returns what the run must say.
type Act = fn(&Scope<'_>, &SmallSite<'_>) -> Outcome<String>;

fn changed(scope: &Scope<'_>) -> Outcome {
    let commit = small_site::commit(scope)?;
    scope.bed.git.commit_chart(&scope.namespace, "probe")?;
    let acts: [(&str, (&[&str], Act)); 7] = [
        ("pin", (&[], pin)),
        ("pause", (&[], pause)),
        ("source", (&[], source)),
        ("gone", (&[], gone)),
        ("secret", (&["--values-in=secret"], secret)),
        ("map", (&["--values-in=configmap"], map)),
        ("label", (&["--values-in=secret"], label)),
    ];
    on_sites(scope, &commit, acts, |site, (options, act)| {
        between_stages(scope, site, options, act)?;
        if site.name.ends_with("-pause") {
            put_back(scope, site)?;
        }
        Ok(())
    })
}

/// Runs until the first stage waits, acts, lets it go on: the second stage is not touched.
fn between_stages(scope: &Scope<'_>, site: &SmallSite<'_>, options: &[&str], act: Act) -> Outcome {
    let tree = site.tree_with("one", &[SmallSite::held_first_stage()], options)?;
    let run = site.start(&scope.bed.kubeconfig, &tree, &[])?;
    site.wait_until_held(1)?;
    let said = act(scope, site)?;
    site.release_first_stage()?;
    let ran = run.end()?;
    ensure(site.release(LAST)?.is_null(), || {
        format!("the second stage was written:\n{}", ran.stderr)
    })?;
    ended(&ran, 3, &[&said, "since this run prepared it"])
}

/// What the message says: the source as the input has it, then `--resume`.
fn put_back(scope: &Scope<'_>, site: &SmallSite<'_>) -> Outcome {
    patch_source(scope, site, &json!({"suspend": null}))?;
    let ran = site.apply(&site.folder.join("tree-one"), &["--resume"])?;
    ended(&ran, 0, &[])?;
    site.expect_deployed("one")
}

fn kubectl(scope: &Scope<'_>, site: &SmallSite<'_>, arguments: &[&str]) -> Outcome<String> {
    let place = format!("--namespace={}", site.name);
    scope
        .bed
        .run(Program::Kubectl, &[arguments, &[&*place]].concat())
}

/// The one object of a kind whose name has this word.
fn find(scope: &Scope<'_>, site: &SmallSite<'_>, kind: &str, word: &str) -> Outcome<Value> {
    let list: Value = serde_json::from_str(&kubectl(scope, site, &["get", kind, "-o=json"])?)?;
    let items = list["items"].as_array().cloned().unwrap_or_default();
    let mut found = items.into_iter().filter(|item| {
        item["metadata"]["name"]
            .as_str()
            .is_some_and(|name| name.contains(word))
    });
    found
        .next()
        .ok_or_else(|| format!("no {kind} with `{word}`").into())
}

fn name(object: &Value) -> String {
    object["metadata"]["name"]
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

const REPOSITORIES: &str = "gitrepositories.source.toolkit.fluxcd.io";

/// Patches the source as `oncall`.
fn patch_source(scope: &Scope<'_>, site: &SmallSite<'_>, spec: &Value) -> Outcome<String> {
    let source = name(&find(scope, site, REPOSITORIES, "")?);
    let patch = format!("--patch={}", json!({"spec": spec}));
    let by = "--field-manager=oncall";
    kubectl(
        scope,
        site,
        &["patch", REPOSITORIES, &source, "--type=merge", by, &patch],
    )?;
    Ok(format!("GitRepository {}/{source}", site.name))
}

fn pin(scope: &Scope<'_>, site: &SmallSite<'_>) -> Outcome<String> {
    let other = scope.bed.git.head(&scope.namespace)?;
    let source = patch_source(scope, site, &json!({"ref": {"commit": other}}))?;
    let path = format!(
        "/apis/source.toolkit.fluxcd.io/v1/namespaces/{}/gitrepositories/{}",
        site.name,
        source.rsplit('/').next().unwrap_or_default()
    );
    scope.bed.wait(&path, WITHIN, |object| {
        let revision = object["status"]["artifact"]["revision"].as_str();
        revision.is_some_and(|revision| revision.ends_with(&other))
    })?;
    Ok(format!(
        "{source} was changed: it is at generation 2, prepared was 1 (last written by `oncall`)"
    ))
}

fn pause(scope: &Scope<'_>, site: &SmallSite<'_>) -> Outcome<String> {
    let source = patch_source(scope, site, &json!({"suspend": true}))?;
    Ok(format!("{source} was suspended (last written by `oncall`)"))
}

/// Deletes an object and creates it with the same name and content, changed by `change`.
fn create_again(
    scope: &Scope<'_>,
    site: &SmallSite<'_>,
    object: &Value,
    change: impl FnOnce(&mut Value),
) -> Outcome {
    let mut again = object.clone();
    again["metadata"] = json!({
        "name": object["metadata"]["name"], "namespace": object["metadata"]["namespace"],
        "labels": object["metadata"]["labels"], "annotations": object["metadata"]["annotations"],
    });
    if let Some(fields) = again.as_object_mut() {
        fields.remove("status");
    }
    change(&mut again);
    let kind = object["kind"].as_str().unwrap_or_default();
    kubectl(scope, site, &["delete", kind, &name(object)])?;
    scope.bed.apply(&again)
}

fn source(scope: &Scope<'_>, site: &SmallSite<'_>) -> Outcome<String> {
    let source = find(scope, site, REPOSITORIES, "")?;
    create_again(scope, site, &source, |_| {})?;
    let (place, name) = (&site.name, name(&source));
    Ok(format!(
        "GitRepository {place}/{name} was deleted and created again"
    ))
}

fn gone(scope: &Scope<'_>, site: &SmallSite<'_>) -> Outcome<String> {
    let source = name(&find(scope, site, REPOSITORIES, "")?);
    kubectl(scope, site, &["delete", REPOSITORIES, &source])?;
    Ok(format!(
        "GitRepository {}/{source} was deleted since",
        site.name
    ))
}

fn secret(scope: &Scope<'_>, site: &SmallSite<'_>) -> Outcome<String> {
    let values = find(scope, site, "secrets", &format!("grain-{LAST}-"))?;
    create_again(scope, site, &values, |again| {
        // `marker: EVIL`
        again["data"]["values.yaml"] = "bWFya2VyOiBFVklMCg==".into();
    })?;
    let (place, name) = (&site.name, name(&values));
    Ok(format!(
        "Secret {place}/{name} was deleted and created again"
    ))
}

fn map(scope: &Scope<'_>, site: &SmallSite<'_>) -> Outcome<String> {
    let values = find(scope, site, "configmaps", &format!("grain-{LAST}-"))?;
    create_again(scope, site, &values, |again| {
        again["data"]["values.yaml"] = "marker: EVIL\n".into();
    })?;
    let (place, name) = (&site.name, name(&values));
    Ok(format!(
        "ConfigMap {place}/{name} was deleted and created again"
    ))
}

/// A change that the API server allows on an immutable object.
fn label(scope: &Scope<'_>, site: &SmallSite<'_>) -> Outcome<String> {
    let values = name(&find(scope, site, "secrets", &format!("grain-{LAST}-"))?);
    let by = "--field-manager=oncall";
    kubectl(
        scope,
        site,
        &["label", "secret", &values, "touched=yes", by],
    )?;
    Ok(format!(
        "Secret {}/{values} was changed (last written by `oncall`)",
        site.name
    ))
}

/// Sets a field of a release as `oncall`, by a server-side apply that no field of ours conflicts with.
fn hold(scope: &Scope<'_>, site: &SmallSite<'_>, release: &str, spec: &Value) -> Outcome {
    let object = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": format!("grain-{release}"), "namespace": site.name}, "spec": spec,
    });
    let arguments = [
        "apply",
        "--server-side",
        "--field-manager=oncall",
        "-f",
        "-",
    ];
    let bed = scope.bed;
    bed.run_with(Program::Kubectl, &arguments, &object.to_string())
        .map(drop)
}

fn weakened(scope: &Scope<'_>) -> Outcome {
    let commit = small_site::commit(scope)?;
    let site = SmallSite::create(scope, &commit, &format!("{}-site", scope.namespace))?;
    let tests = |labels: &str| small_site::Variation {
        release: LAST,
        fields: "  test: {enabled: true}".to_owned(),
        values: format!("    test: {{{labels}}}"),
    };
    ended(
        &site.apply(&site.tree("one", &[tests("fine: 'yes'")])?, &[])?,
        0,
        &[],
    )?;
    let leave_out =
        json!({"test": {"filters": [{"name": format!("grain-{LAST}-test"), "exclude": true}]}});
    hold(scope, &site, LAST, &leave_out)?;
    let fails = tests("armada2flux.example/fails: 'true'");
    let tree = site.tree("two", std::slice::from_ref(&fails))?;
    let before = site.release(LAST)?["spec"].clone();
    let ran = site.apply(&tree, &[])?;
    let said = "`.spec.test.filters` is held by `oncall` and not in the input";
    ended(&ran, 4, &[said, "nothing was written"])?;
    ensure(site.release(LAST)?["spec"] == before, || {
        "it was written".to_owned()
    })?;
    shown(&scope.bed.kubeconfig, &tree)?;

    // In the middle of a run, between two stages.
    hold(scope, &site, LAST, &json!({}))?;
    let tree = site.tree("three", &[SmallSite::held_first_stage(), fails])?;
    let run = site.start(&scope.bed.kubeconfig, &tree, &[])?;
    held(&site, "three")?;
    hold(scope, &site, LAST, &leave_out)?;
    site.release_first_stage()?;
    ended(&run.end()?, 3, &[said])?;
    let marker = &site.release(LAST)?["spec"]["values"]["marker"];
    ensure(marker == "one", || format!("it was written: {marker}"))
}

/// Waits until the first stage is upgraded and waits.
fn held(site: &SmallSite<'_>, marker: &str) -> Outcome {
    crate::bed::until(WITHIN, || {
        let lines = site.journal_entries()?;
        let finished = lines
            .iter()
            .rev()
            .take_while(|line| line["entry"]["type"] != "run-started");
        let finished = finished.filter(|line| {
            line["entry"]["type"] == "item-finished"
                && line["entry"]["item"]["name"] == format!("grain-{DB}")
        });
        let aux = site.release(FIRST[0])?;
        Ok((finished.count() > 0 && aux["spec"]["values"]["marker"] == marker).then_some(()))
    })
}

/// `diff` shows the field in every format.
fn shown(kubeconfig: &Path, tree: &Path) -> Outcome {
    for format in ["text", "markdown", "json"] {
        let mut command = crate::support::program();
        command
            .arg("diff")
            .arg(tree)
            .arg(format!("--report={format}"));
        let ran = super::run_to_end(command.arg("--kubeconfig").arg(kubeconfig))?;
        let words: Vec<&str> = ran.stdout.split_whitespace().collect();
        let text = words.join(" ").replace('\\', "");
        ensure(
            text.contains("spec.test.filters") && text.contains("oncall"),
            || format!("{format}: {}", ran.stdout),
        )?;
    }
    Ok(())
}

fn quiet(scope: &Scope<'_>) -> Outcome {
    let commit = small_site::commit(scope)?;
    let site = SmallSite::create(scope, &commit, &format!("{}-site", scope.namespace))?;
    let tree = site.tree("one", &[])?;
    let states = || -> Outcome<usize> {
        let state = format!("armada2flux-{}", site.name);
        let entries = scope.bed.audit()?;
        let writes = entries.iter().filter(|entry| {
            let object = &entry.object_ref;
            entry.is_write()
                && object.resource == "configmaps"
                && object.namespace == site.name
                && object.name == state
        });
        Ok(writes.count())
    };
    ended(&site.apply(&tree, &[])?, 0, &[])?;
    let first = states()?;
    ended(&site.apply(&tree, &[])?, 0, &[])?;
    let second = states()? - first;
    ensure((1..=2).contains(&second), || {
        format!(
            "the state was written {first} times by an install and {second} times when nothing moved"
        )
    })
}
