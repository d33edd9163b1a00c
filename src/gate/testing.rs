//! Objects for tests of both readers of gates, here and against a real API server (`tests/integration/live`).

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

/// Annotation that makes an object a Helm hook.
pub(crate) const HOOK: &str = "helm.sh/hook";

/// Returns a number that may be a double, or missing.
fn number() -> impl Strategy<Value = Option<Json>> {
    prop_oneof![
        1 => Just(None),
        4 => (0_i64..4).prop_map(|n| Some(json!(n))),
        1 => (0_i64..4).prop_map(|n| Some(json!(n as f64))),
        1 => (0_i64..8).prop_map(|n| Some(json!(n as f64 / 2.0))),
        // Numbers of pods of which shares are rounded.
        1 => prop::sample::select(vec![7, 8, 25, 56, 100]).prop_map(|n| Some(json!(n))),
    ]
}

fn number_or_share() -> impl Strategy<Value = Option<Json>> {
    prop_oneof![
        number(),
        one_of(&["0%", "1%", "25%", "33%", "34%", "50%", "100%"]),
    ]
}

fn one_of(words: &'static [&'static str]) -> impl Strategy<Value = Option<Json>> {
    prop::option::weighted(
        0.8,
        prop::sample::select(words.to_vec()).prop_map(|word| json!(word)),
    )
}

/// Returns a mapping in which any field may be missing.
fn fields(fields: Vec<(&'static str, BoxedStrategy<Option<Json>>)>) -> impl Strategy<Value = Json> {
    let (names, values): (Vec<_>, Vec<_>) = fields.into_iter().unzip();
    values.prop_map(move |values| {
        let present: Map<_, _> = names
            .iter()
            .zip(values)
            .filter_map(|(name, value)| Some(((*name).to_owned(), value?)))
            .collect();
        Json::Object(present)
    })
}

fn optional(strategy: impl Strategy<Value = Json> + 'static) -> BoxedStrategy<Option<Json>> {
    prop::option::weighted(0.8, strategy).boxed()
}

fn list(strategy: impl Strategy<Value = Json> + 'static) -> impl Strategy<Value = Json> {
    prop::collection::vec(strategy, 0..3).prop_map(Json::Array)
}

/// Objects of a kind as no API server would have them: any field may be missing, whole or broken.
pub(crate) fn objects(
    api_version: &'static str,
    kind: &'static str,
) -> impl Strategy<Value = Json> {
    let condition = fields(vec![
        (
            "type",
            one_of(&["Ready", "Progressing", "Complete", "Failed"]).boxed(),
        ),
        ("status", one_of(&["True", "False", "true"]).boxed()),
        (
            "reason",
            one_of(&["ProgressDeadlineExceeded", "Evicted"]).boxed(),
        ),
    ]);
    let counts = [
        "observedGeneration",
        "replicas",
        "updatedReplicas",
        "availableReplicas",
        "readyReplicas",
        "desiredNumberScheduled",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberReady",
        "succeeded",
    ];
    let mut status: Vec<_> = counts.map(|name| (name, number().boxed())).into();
    status.push((
        "phase",
        one_of(&["Running", "Succeeded", "Failed", "Evicted"]).boxed(),
    ));
    status.push(("conditions", optional(list(condition))));
    status.push(("updateRevision", one_of(&["r1", "r2", ""]).boxed()));
    status.push(("currentRevision", one_of(&["r1", "r2", ""]).boxed()));
    let strategy = || {
        let rolling = fields(vec![
            ("partition", number().boxed()),
            ("maxUnavailable", number_or_share().boxed()),
            ("maxSurge", number_or_share().boxed()),
        ]);
        fields(vec![
            ("type", one_of(&["RollingUpdate", "OnDelete", ""]).boxed()),
            ("rollingUpdate", optional(rolling)),
        ])
    };
    let spec = fields(vec![
        ("replicas", number().boxed()),
        ("completions", number().boxed()),
        ("strategy", optional(strategy())),
        ("updateStrategy", optional(strategy())),
    ]);
    let hooks = one_of(&[
        "test",
        "test-success",
        "pre-install,test",
        "pre-install, test",
        "",
        "x",
    ]);
    let metadata = fields(vec![
        ("generation", number().boxed()),
        (
            "labels",
            optional(fields(vec![
                ("app", one_of(&["a", "b", ""]).boxed()),
                ("tier", one_of(&["x", "y"]).boxed()),
            ])),
        ),
        ("annotations", optional(fields(vec![(HOOK, hooks.boxed())]))),
        (
            "ownerReferences",
            optional(list(fields(vec![(
                "kind",
                one_of(&["Job", "CronJob", "ReplicaSet"]).boxed(),
            )]))),
        ),
    ]);
    let status = prop::option::weighted(0.95, fields(status));
    (metadata, spec, status).prop_map(move |(mut metadata, spec, status)| {
        metadata["name"] = json!("o");
        metadata["namespace"] = json!("demo");
        let mut object = json!({
            "apiVersion": api_version,
            "kind": kind,
            "metadata": metadata,
            "spec": spec,
        });
        if let Some(status) = status {
            object["status"] = status;
        }
        object
    })
}
