//! Objects about which the API server need not be asked: the answer is the same as with `--ask-all`.

use std::fs;
use std::time::Duration;

use hyper::Request;
use serde_json::{Map, Value};

use super::{diff, json};
use crate::bed::program::Program;
use crate::bed::{Outcome, until};
use crate::live::apply_kill::{Random, seed};
use crate::live::{Scope, Test, ensure};

/// Objects of random owners, half of them releases.
const OBJECTS: usize = 300;
/// Time limit for the API server to use a changed definition or a new policy.
const LEARNT_WITHIN: Duration = Duration::from_secs(30);
/// A policy that changes releases, and its binding; a policy that could refuse them.
const CHANGES: &str = "changes.armada2flux.example";
const REFUSES: &str = "refuses.armada2flux.example";
const GROUP: &str = "unasked.armada2flux.example";
const US: &str = "armada2flux";

pub(super) fn tests() -> Vec<Test> {
    vec![Test::private(
        "diff::answers_the_same_without_asking",
        random_owners,
    )]
}

/// The definition of a kind with every sort of list and mapping.
fn definition(default: u32) -> Value {
    let text = json!({"type": "string"});
    let ports = json!({
        "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
        "items": {"type": "object", "required": ["name"], "properties": {
            "name": text, "port": {"type": "integer"}, "protocol": {"type": "string", "default": "TCP"},
        }},
    });
    let spec = json!({"type": "object", "properties": {
        "size": {"type": "integer", "default": default},
        "note": {"type": "string", "nullable": true},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": text},
        "order": {"type": "array", "items": text},
        "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": text},
        "ports": ports,
    }});
    let schema = json!({"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("widgets.{GROUP}")},
        "spec": {
            "group": GROUP, "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets", "singular": "widget"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}],
        },
    })
}

/// Returns some of the items, in any order.
fn some(random: &mut Random, items: &[Value]) -> Vec<Value> {
    let mut left = items.to_vec();
    let mut taken = Vec::new();
    for _ in 0..random.below(items.len() + 1) {
        taken.push(left.remove(random.below(left.len())));
    }
    taken
}

/// Returns a spec of few fields and fewer values, so that two of them often have some in common.
fn spec(random: &mut Random) -> Map<String, Value> {
    let mut spec = Map::new();
    let word = |random: &mut Random| json!(["a", "b"][random.below(2)]);
    for field in ["size", "note", "free", "whole", "order", "tags", "ports"] {
        if random.below(2) == 0 {
            continue;
        }
        let value = match field {
            "size" => json!(3 + random.below(2)),
            "note" => word(random),
            "free" => match random.below(4) {
                0 => json!({}),
                1 => json!({"a": 1, "b": {"c": [1, {"d": null}]}}),
                2 => json!({"a": 1.0, "b": {}, "e": null}),
                _ => json!({"b": {"c": []}}),
            },
            "whole" => match random.below(3) {
                0 => json!({}),
                1 => json!({"a": "b"}),
                _ => json!({"a": "b", "c": "d"}),
            },
            "ports" => {
                let protocol = random.below(2) == 0;
                let port = |name: &str| match protocol {
                    true => json!({"name": name, "port": 1, "protocol": "TCP"}),
                    false => json!({"name": name, "port": 1}),
                };
                some(random, &["x", "y", "z"].map(port)).into()
            }
            _ => some(random, &[json!("p"), json!("q"), json!("r")]).into(),
        };
        spec.insert(field.to_owned(), value);
    }
    spec
}

/// Returns a part of a spec, at times with another value.
fn part(random: &mut Random, whole: &Map<String, Value>) -> Map<String, Value> {
    let mut part = match random.below(3) {
        0 => spec(random),
        _ => whole.clone(),
    };
    part.retain(|_, _| random.below(3) > 0);
    part
}

/// An object with this content.
fn object(scope: &Scope<'_>, number: usize, content: &Map<String, Value>, label: &str) -> Value {
    let metadata = json!({
        "name": format!("object-{number}"), "namespace": scope.namespace, "labels": {"some": label},
    });
    if number.is_multiple_of(2) {
        return json!({
            "apiVersion": format!("{GROUP}/v1"), "kind": "Widget", "metadata": metadata, "spec": content,
        });
    }
    json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease", "metadata": metadata,
        "spec": {"interval": "10m", "chartRef": {"kind": "OCIRepository", "name": "none"}, "values": content},
    })
}

/// Writes an object as a manager: by server-side apply, or by a merge patch.
fn write(scope: &Scope<'_>, object: &Value, manager: &str, apply: bool) -> Outcome {
    let plural = match object["kind"].as_str() {
        Some("Widget") => "widgets",
        _ => "helmreleases",
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let path = format!(
        "/apis/{}/namespaces/{}/{plural}/{}?fieldManager={manager}{}",
        text(&object["apiVersion"]),
        scope.namespace,
        text(&object["metadata"]["name"]),
        if apply { "&force=true" } else { "" }
    );
    let kind = match apply {
        true => "application/apply-patch+yaml",
        false => "application/merge-patch+json",
    };
    let request = Request::patch(path)
        .header("content-type", kind)
        .body(object.to_string().into_bytes())?;
    let client = &scope.bed.client;
    match scope.bed.block_on(client.request::<Value>(request)) {
        Ok(_) => Ok(()),
        // The server's merge leaves null where a mapping loses its last field, and then refuses it.
        Err(kube::Error::Api(status)) if status.code == 422 => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The objects and requests of `diff`, with and without asking about each.
fn both(scope: &Scope<'_>, file: &str, word: &str) -> Outcome<[(Value, usize); 2]> {
    let mut answers = Vec::new();
    for option in ["--ask-all", "-q"] {
        let proxy = scope.bed.proxy(&format!("{word}{option}"))?;
        let ran = diff(scope, &proxy.kubeconfig, &[file, option, "--report=json"])?;
        let code = ran.code.unwrap_or_default();
        let mut report = json(&ran, code)?;
        // A dry run has the time of its manager in it, at which it may differ.
        report["summary"]["noise"].take();
        let requests = proxy.requests();
        let asked = requests.iter().filter(|request| {
            request.path.contains("dryRun=All") && !request.path.contains("force=true")
        });
        answers.push((report, asked.count()));
    }
    <[_; 2]>::try_from(answers).map_err(|_| "two answers".into())
}

/// Ensures that both answers are the same; returns how many objects were asked about, and the short one.
fn same(scope: &Scope<'_>, file: &str, word: &str, seed: u64) -> Outcome<(usize, Value)> {
    let [(long, all), (short, few)] = both(scope, file, word)?;
    let (long_objects, short_objects) = (&long["objects"], &short["objects"]);
    let differing = || {
        let pairs = [long_objects, short_objects]
            .map(|objects| objects.as_array().cloned().unwrap_or_default());
        let [long, short] = pairs;
        let one = long.iter().find(|object| !short.contains(object));
        let other = short.iter().find(|object| !long.contains(object));
        format!(
            "{word}, ARMADA2FLUX_SEED={seed}: {one:?}\n{other:?}\n{}\n{}",
            long.len(),
            short.len()
        )
    };
    ensure(
        long_objects == short_objects && long["summary"] == short["summary"],
        differing,
    )?;
    ensure(all == OBJECTS, || {
        format!("{word}: {all} of {OBJECTS} asked about")
    })?;
    Ok((few, short))
}

fn random_owners(scope: &Scope<'_>) -> Outcome {
    let seed = seed()?;
    let random = &mut Random::new(seed);
    scope.bed.stop_controllers();
    scope.bed.apply(&definition(3))?;
    until(LEARNT_WITHIN, || {
        let probe = object(scope, 0, &Map::new(), "probe");
        Ok(write(scope, &probe, "probe", true).is_ok().then_some(()))
    })?;
    let mut documents = Vec::new();
    for number in 0..OBJECTS {
        let mut content = spec(random);
        let first = object(scope, number, &content, "one");
        write(scope, &first, US, true)?;
        if random.below(4) == 0 {
            // A second apply, which may give fields up.
            content = part(random, &content);
            write(scope, &object(scope, number, &content, "one"), US, true)?;
        }
        for _ in 0..random.below(3) {
            let theirs = object(scope, number, &part(random, &content), "one");
            let manager = ["them", "others", US][random.below(3)];
            // We apply once more only what we mean to have.
            let apply = manager != US && random.below(2) == 0;
            write(scope, &theirs, manager, apply)?;
        }
        let wanted = match random.below(3) {
            0 => part(random, &content),
            _ => content,
        };
        let label = if random.below(8) == 0 { "two" } else { "one" };
        documents.push(object(scope, number, &wanted, label).to_string());
    }
    let file = scope
        .bed
        .path()
        .join(format!("{}-objects.yaml", scope.namespace));
    fs::write(&file, documents.join("\n---\n"))?;
    let file = file.display().to_string();

    let (asked, _) = same(scope, &file, "owners", seed)?;
    // Two thirds of the inputs are what was applied last; about half of these, nobody else has written to.
    ensure((OBJECTS / 8..OBJECTS * 7 / 8).contains(&asked), || {
        format!("{asked} of {OBJECTS} asked about, ARMADA2FLUX_SEED={seed}")
    })?;

    // Defaults of a definition are filled in when an object is read.
    scope.bed.apply(&definition(4))?;
    let fresh = json!({
        "apiVersion": format!("{GROUP}/v1"), "kind": "Widget", "spec": {},
        "metadata": {"name": "fresh", "namespace": scope.namespace},
    });
    until(LEARNT_WITHIN, || {
        let arguments = ["create", "--dry-run=server", "--output=json", "-f", "-"];
        let made = scope
            .bed
            .run_with(Program::Kubectl, &arguments, &fresh.to_string())?;
        let made: Value = serde_json::from_str(&made)?;
        Ok((made["spec"]["size"] == 4).then_some(()))
    })?;
    let (again, _) = same(scope, &file, "defaults", seed)?;
    ensure(again == asked, || {
        format!("{again} asked about, before {asked}")
    })?;

    policies(scope, &file, seed, asked)
}

/// What could refuse an object is named; where something changes objects, each is asked about.
fn policies(scope: &Scope<'_>, file: &str, seed: u64, asked: usize) -> Outcome {
    let rules = json!({"resourceRules": [{
        "apiGroups": ["helm.toolkit.fluxcd.io"], "apiVersions": ["*"], "operations": ["UPDATE"], "resources": ["*"],
    }]});
    scope.bed.apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": REFUSES},
        "spec": {"matchConstraints": rules, "validations": [{"expression": "true"}]},
    }))?;
    let (again, report) = same(scope, file, "refusing", seed)?;
    let named = json!([format!("ValidatingAdmissionPolicy {REFUSES}")]);
    ensure(
        again == asked && report["validators_not_asked"] == named,
        || {
            format!(
                "{again} asked about, before {asked}; {}",
                report["validators_not_asked"]
            )
        },
    )?;
    let version = ["v1", "v1beta1"].into_iter().find(|version| {
        let path =
            format!("/apis/admissionregistration.k8s.io/{version}/mutatingadmissionpolicies");
        scope.bed.get(&path).is_ok_and(|found| found.is_some())
    });
    let api_version = format!(
        "admissionregistration.k8s.io/{}",
        version.ok_or("no policy that changes objects")?
    );
    scope.bed.apply(&json!({
        "apiVersion": api_version, "kind": "MutatingAdmissionPolicy", "metadata": {"name": CHANGES},
        "spec": {
            "matchConstraints": rules, "reinvocationPolicy": "Never", "failurePolicy": "Fail",
            "mutations": [{"patchType": "ApplyConfiguration", "applyConfiguration": {
                "expression": "Object{metadata: Object.metadata{labels: {\"changed\": \"yes\"}}}",
            }}],
        },
    }))?;
    scope.bed.apply(&json!({
        "apiVersion": api_version, "kind": "MutatingAdmissionPolicyBinding", "metadata": {"name": CHANGES},
        "spec": {"policyName": CHANGES},
    }))?;
    until(LEARNT_WITHIN, || {
        let [(long, _), _] = both(scope, file, "learning")?;
        let text = long.to_string();
        Ok(text.contains("metadata.labels.changed").then_some(()))
    })?;
    let (more, _) = same(scope, file, "changing", seed)?;
    ensure((OBJECTS / 2..OBJECTS).contains(&more), || {
        format!("{more} of {OBJECTS} asked about, and all releases are to be")
    })
}
