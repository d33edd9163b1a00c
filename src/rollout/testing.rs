//! Sites for tests: objects as lowering makes them, and as people edit them.

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::flux::{Object, ObjectSet};
use crate::value::Value;

/// The object that JSON is.
pub(super) fn object(json: &Json) -> Object {
    let value = Value::from_json(json.to_string().as_bytes()).expect("JSON");
    Object::from_value(value).expect("object")
}

pub(super) fn set(objects: impl IntoIterator<Item = Json>) -> ObjectSet {
    let mut set = ObjectSet::default();
    set.extend(objects.into_iter().map(|json| object(&json)));
    set
}

/// A Namespace.
pub(super) fn namespace(name: &str) -> Json {
    json!({
        "apiVersion": "v1", "kind": "Namespace",
        "metadata": {"name": name, "labels": {"armada2flux.dev/site": "harbour"}},
    })
}

/// A GitRepository at a commit, made of others.
pub(super) fn repository(name: &str, included: &[&str]) -> Json {
    let include = included.iter();
    let include: Vec<Json> = include
        .map(|name| json!({"repository": {"name": name}, "toPath": name}))
        .collect();
    let mut repository = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": {"name": name, "namespace": "flux-system", "labels": {"armada2flux.dev/site": "harbour"}},
        "spec": {"url": "https://git.example.org/charts", "ref": {"commit": "0123456789abcdef0123456789abcdef01234567"}},
    });
    if !include.is_empty() {
        repository["spec"]["include"] = include.into();
    }
    repository
}

/// A HelmRelease of a stage and a step, called by its place.
pub(super) fn release(stage: usize, step: usize, name: &str) -> Json {
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {
            "name": name, "namespace": "town", "labels": {"armada2flux.dev/site": "harbour"},
            "annotations": {
                "armada2flux.dev/stage": stage.to_string(), "armada2flux.dev/step": step.to_string(),
                "armada2flux.dev/chart-group": format!("group-{stage}"),
                "armada2flux.dev/gates": r#"{"version":1,"chart":"v2","waits":[]}"#,
            },
        },
        "spec": {
            "timeout": "15m", "suspend": true, "releaseName": name,
            "chart": {"spec": {"chart": "charts/web", "sourceRef": {"kind": "GitRepository", "name": "main", "namespace": "flux-system"}}},
            "test": {"enable": false},
        },
    })
}

/// What the documents say of one release.
#[derive(Clone, Debug)]
struct Choice {
    gated: bool,
    deletes: bool,
    protected: Option<bool>,
    tested: bool,
    values: usize,
    suspended: bool,
    source: usize,
    elsewhere: bool,
}

fn choice() -> impl Strategy<Value = Choice> {
    let flags = prop::array::uniform5(any::<bool>());
    (flags, any::<Option<bool>>(), 0..4_usize, 0..3_usize).prop_map(
        |([gated, deletes, tested, suspended, elsewhere], protected, values, source)| Choice {
            gated,
            deletes,
            protected,
            tested,
            values,
            suspended,
            source,
            elsewhere,
        },
    )
}

/// The objects of a random site: up to three stages of up to three steps of up to three releases.
pub(super) fn site() -> impl Strategy<Value = ObjectSet> {
    let step = prop::collection::vec(choice(), 1..4);
    let stage = prop::collection::vec(step, 1..4);
    prop::collection::vec(stage, 1..4).prop_map(|stages| set(objects(&stages)))
}

fn objects(stages: &[Vec<Vec<Choice>>]) -> Vec<Json> {
    let mut objects = vec![
        namespace("town"),
        namespace("flux-system"),
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "login", "namespace": "flux-system", "annotations": {"armada2flux.dev/keys-to-fill": "username,password"}},
        }),
        // Before what it is made of.
        repository("main", &["toolkit"]),
        repository("toolkit", &[]),
        json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
            "metadata": {"name": "registry", "namespace": "flux-system"},
            "spec": {"type": "oci", "url": "oci://registry.example.org", "secretRef": {"name": "login"}},
        }),
        json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "OCIRepository",
            "metadata": {"name": "web", "namespace": "flux-system"},
            "spec": {"url": "oci://registry.example.org/web", "ref": {"tag": "1"}},
        }),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "by-hand", "namespace": "town"}, "data": {"a": "b"}}),
    ];
    let mut before: Vec<String> = Vec::new();
    for (stage, steps) in stages.iter().enumerate() {
        for (step, releases) in steps.iter().enumerate() {
            let mut here = Vec::new();
            for (at, choice) in releases.iter().enumerate() {
                let name = format!("r{stage}-{step}-{at}");
                objects.extend(chosen(release(stage + 1, step + 1, &name), choice, &before));
                here.push(name);
            }
            before = here;
        }
    }
    objects
}

/// A release as chosen, and its values before it.
fn chosen(mut release: Json, choice: &Choice, before: &[String]) -> Vec<Json> {
    let name = release["metadata"]["name"].clone();
    let mut objects = Vec::new();
    let annotations = &mut release["metadata"]["annotations"];
    if choice.gated {
        annotations["armada2flux.dev/gates"] = r#"{"version":1,"chart":"v2","waits":[{"type":"job","labels":"app=web","required":true},{"type":"deployment","labels":"","required":false,"min_ready":"50%"}]}"#.into();
    }
    if choice.deletes {
        annotations["armada2flux.dev/pre-delete"] =
            r#"{"version":1,"deletions":[{"type":"job","labels":"app=web"},{"type":"pod","labels":""}]}"#
                .into();
    }
    if let Some(continues) = choice.protected {
        let word = if continues { "continue" } else { "stop" };
        annotations["armada2flux.dev/protected"] = word.into();
    }
    let spec = &mut release["spec"];
    spec["test"]["enable"] = choice.tested.into();
    if !choice.suspended {
        spec.as_object_mut().expect("a mapping").remove("suspend");
    }
    if choice.elsewhere {
        spec["targetNamespace"] = "town".into();
        spec["storageNamespace"] = "flux-system".into();
    }
    match choice.values {
        0 => {}
        1 => spec["values"] = json!({"a": 1, "password": "x", "nothing": null}),
        kind => {
            let kind = ["Secret", "ConfigMap"][kind - 2];
            let of_values = format!("{}-values", name.as_str().expect("a name"));
            spec["valuesFrom"] = json!([{"kind": kind, "name": of_values}]);
            objects.push(json!({
                "apiVersion": "v1", "kind": kind, "metadata": {"name": of_values, "namespace": "town"},
                "data": {"values.yaml": "YTogMQo="},
            }));
        }
    }
    match choice.source {
        0 => {}
        1 => {
            let reference =
                json!({"kind": "HelmRepository", "name": "registry", "namespace": "flux-system"});
            spec["chart"]["spec"]["sourceRef"] = reference;
        }
        _ => {
            spec.as_object_mut().expect("a mapping").remove("chart");
            spec["chartRef"] =
                json!({"kind": "OCIRepository", "name": "web", "namespace": "flux-system"});
        }
    }
    if !before.is_empty() {
        let entries = before
            .iter()
            .map(|name| json!({"name": name, "namespace": "town"}));
        spec["dependsOn"] = entries.collect();
    }
    // The order of the input says nothing: releases may stand before what they need.
    objects.insert(0, release);
    objects
}
