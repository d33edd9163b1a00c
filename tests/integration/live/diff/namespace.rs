//! How `diff` finds the live object of an input object: default namespaces, objects outside of lists, and the number
//! of requests.

use std::fs;

use serde_json::Value;

use super::{apply_as_ours, diff, json, one, shown};
use crate::bed::Outcome;
use crate::live::{Scope, Test, ensure};

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("diff::finds_objects_without_a_site", without_site),
        Test::shared("diff::uses_the_default_namespace", placed),
        Test::shared("diff::requests_each_object_once", requests),
    ]
}

/// Writes an input of these objects; returns its path.
fn input(scope: &Scope<'_>, name: &str, objects: &[Value]) -> Outcome<String> {
    let texts: Vec<String> = objects.iter().map(ToString::to_string).collect();
    let path = scope
        .bed
        .path()
        .join(format!("{}-{name}.yaml", scope.namespace));
    fs::write(&path, texts.join("\n---\n"))?;
    Ok(path.display().to_string())
}

fn map(namespace: Option<&str>, name: &str, data: Value) -> Value {
    let mut map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data,
    });
    if let Some(namespace) = namespace {
        map["metadata"]["namespace"] = json!(namespace);
    }
    map
}

fn secret(namespace: &str, name: &str, password: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": namespace},
        "data": {"password": password},
    })
}

/// Secrets and ConfigMaps are listed by the label of a site; those without the label are found as well.
fn without_site(scope: &Scope<'_>) -> Outcome {
    let here = scope.namespace.as_str();
    // `one`, `other` and `third` in base64.
    let (one, other, third) = ("b25l", "b3RoZXI=", "dGhpcmQ=");
    let old = json!({"a": "1"});
    for object in [
        map(Some(here), "same", old.clone()),
        map(Some(here), "more", old.clone()),
        secret(here, "same", one),
        secret(here, "other", other),
    ] {
        scope.bed.apply(&object)?;
    }
    let objects = [
        map(Some(here), "same", old.clone()),
        map(Some(here), "more", json!({"b": "2"})),
        map(Some(here), "new", old),
        secret(here, "same", one),
        secret(here, "other", third),
    ];
    let file = input(scope, "plain", &objects)?;
    let proxy = scope.bed.proxy(here)?;
    let ran = diff(scope, &proxy.kubeconfig, &[&file, "--report=json", "-vvv"])?;
    let report = json(&ran, 0)?;
    let wanted = [
        ("same", "unchanged", vec![]),
        ("more", "changed", vec!["data.b"]),
        ("new", "created", vec![]),
        ("same", "unchanged", vec![]),
        ("other", "conflicting", vec!["data.password"]),
    ];
    let wanted = wanted.map(|(name, outcome, paths): (&str, &str, Vec<&str>)| {
        let paths = paths.into_iter().map(str::to_owned).collect();
        (name.to_owned(), outcome.to_owned(), paths)
    });
    ensure(shown(&report) == wanted, || report.to_string())?;
    let conflict = &report["objects"][4];
    ensure(
        conflict["conflicts"] == json!([{"field": ".data.password", "manager": "tester"}])
            && conflict["changes"][0]["after"] == "*** (changed)",
        || conflict.to_string(),
    )?;
    for text in [&ran.stdout, &ran.stderr] {
        for hidden in [one, other, third, "third"] {
            ensure(!text.contains(hidden), || text.clone())?;
        }
    }
    // Only objects outside of the list are requested, and new ones never.
    let seen = proxy.requests();
    let looked = seen
        .iter()
        .filter(|seen| seen.path.contains("fieldSelector"));
    ensure(looked.clone().count() == 4, || format!("{seen:?}"))?;
    ensure(
        looked.clone().all(|seen| !seen.path.contains("new")),
        || format!("{seen:?}"),
    )
}

fn placed(scope: &Scope<'_>) -> Outcome {
    let here = scope.namespace.as_str();
    scope
        .bed
        .apply(&map(Some(here), "there", json!({"a": "1"})))?;
    let nameless = [
        map(None, "there", json!({"b": "1"})),
        map(None, "new", json!({"b": "1"})),
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": here}}),
    ];
    let file = input(scope, "nameless", &nameless)?;
    let kubeconfig = &scope.bed.kubeconfig;
    let run = |file: &str, more: &[&str]| {
        let arguments = [&[file, "--report=json"], more].concat();
        diff(scope, kubeconfig, &arguments)
    };
    let places = |report: &Value| -> Vec<(Value, Value)> {
        let objects = report["objects"].as_array().cloned().unwrap_or_default();
        let place = |object: &Value| (object["namespace"].clone(), object["outcome"].clone());
        objects.iter().map(place).collect()
    };
    let found = places(&json(&run(&file, &["-n", here])?, 0)?);
    let wanted = [
        (json!(here), json!("changed")),
        (json!(here), json!("created")),
    ];
    ensure(found[..2] == wanted, || format!("{found:?}"))?;
    // The context of the bed's kubeconfig names `default`.
    let found = places(&json(&run(&file, &[])?, 0)?);
    let wanted = [json!("default"), json!("default")];
    ensure(
        found
            .iter()
            .take(2)
            .map(|(namespace, _)| namespace)
            .eq(&wanted),
        || format!("{found:?}"),
    )?;

    let named = map(Some(here), "there", json!({"b": "1"}));
    let fails = |name: &str, objects: &[Value], more: &[&str], wanted: &str| -> Outcome {
        let ran = run(&input(scope, name, objects)?, more)?;
        ensure(
            ran.code == Some(1) && ran.stdout.is_empty() && ran.stderr.contains(wanted),
            || format!("{:?} {}{}", ran.code, ran.stdout, ran.stderr),
        )
    };
    fails(
        "named",
        std::slice::from_ref(&named),
        &["--namespace=default"],
        &format!("ConfigMap {here}/there is not in namespace `default`"),
    )?;
    fails(
        "twice",
        &[named, nameless[0].clone()],
        &["-n", here],
        &format!("ConfigMap {here}/there appears twice"),
    )
}

/// Counts requests: one for each list, one for each object, and a fixed number for the rest.
fn requests(scope: &Scope<'_>) -> Outcome {
    const MORE: usize = 20;
    let tree = one(scope, "", "one")?;
    apply_as_ours(scope, &tree)?;
    let release = fs::read_to_string(tree.join("010-probe/grain-probe.yaml"))?;
    let few = scope
        .bed
        .path()
        .join(format!("{}-few.yaml", scope.namespace));
    fs::write(&few, &release)?;
    let others = (0..MORE).map(|at| release.replace("grain-probe", &format!("grain-{at}")));
    let many = scope
        .bed
        .path()
        .join(format!("{}-many.yaml", scope.namespace));
    let others: Vec<String> = [release.clone()].into_iter().chain(others).collect();
    fs::write(&many, others.join("\n---\n"))?;
    // The one that is there is as the input says.
    for (option, unasked) in [("--ask-all", 0), ("-q", 1)] {
        let mut counts = Vec::new();
        for (name, file) in [("few", &few), ("many", &many)] {
            let proxy = scope
                .bed
                .proxy(&format!("{}-{name}{option}", scope.namespace))?;
            let file = file.display().to_string();
            json(
                &diff(scope, &proxy.kubeconfig, &[&file, option, "--report=json"])?,
                0,
            )?;
            let seen = proxy.requests();
            let of = |part: &str| seen.iter().filter(|seen| seen.path.contains(part)).count();
            counts.push((seen.len(), of("dryRun=All"), of("limit=")));
        }
        let [(few, one, lists), (many, all, same)] = counts[..] else {
            return Err(format!("{counts:?}").into());
        };
        // Namespaces, HelmReleases, Helm's records, Flux's controllers; webhooks and policies.
        ensure(
            one == 1 - unasked && all == MORE + 1 - unasked && lists == same && many == few + MORE,
            || format!("{option}: {counts:?}"),
        )?;
    }
    Ok(())
}
