//! The program's own client: lists, dry runs, owners of fields.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use armada2flux::cluster::{Access, ApplyResult, Cluster, Error, FIELD_MANAGER, KindRef};
use armada2flux::emit::{View, to_json};
use armada2flux::flux::Object;
use armada2flux::flux::managed_fields::owners;
use armada2flux::value::{Data, Number, Value};
use futures::future::try_join_all;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, PostParams};
use serde_json::json;

use super::{Scope, Test, ensure};
use crate::bed::Outcome;
use crate::bed::proxy::Kind;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("client::lists_mark_secrets", lists),
        Test::shared("client::long_lists_are_paged", pages),
        Test::shared("client::a_dry_run_changes_nothing", dry_run),
        Test::shared("client::a_dry_run_reports_obstacles", in_the_way),
        Test::shared("client::a_conflict_names_manager_and_field", conflict),
        Test::shared("client::quotes_of_a_policy_are_scrubbed", scrubbed),
    ]
}

/// Time limit for a new admission policy to act.
pub(super) const ACTS_WITHIN: Duration = Duration::from_secs(30);

pub(super) const HELM: &str = "helm.toolkit.fluxcd.io/v2";

pub(super) fn access(kubeconfig: &std::path::Path) -> Access {
    Access {
        kubeconfig: vec![kubeconfig.to_owned()],
        ..Access::default()
    }
}

pub(super) fn connect(scope: &Scope<'_>, access: &Access) -> Result<Cluster, Error> {
    scope.bed.block_on(Cluster::connect(access))
}

pub(super) fn tester(scope: &Scope<'_>) -> Outcome<Cluster> {
    Ok(connect(scope, &access(&scope.bed.kubeconfig))?)
}

pub(super) fn config_maps() -> KindRef {
    KindRef {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        plural: "configmaps".into(),
        namespaced: true,
    }
}

pub(super) fn helm_releases() -> KindRef {
    KindRef {
        api_version: HELM.into(),
        kind: "HelmRelease".into(),
        plural: "helmreleases".into(),
        namespaced: true,
    }
}

/// Creates an object from JSON, with its secrets marked.
pub(super) fn object(json: &serde_json::Value) -> Outcome<Object> {
    let mut value = Value::from_json(json.to_string().as_bytes())?;
    armada2flux::secret::mark(&mut value);
    Object::from_value(value).ok_or_else(|| "no object".into())
}

pub(super) fn release(scope: &Scope<'_>, values: serde_json::Value) -> serde_json::Value {
    json!({
        "apiVersion": HELM, "kind": "HelmRelease",
        "metadata": {"name": "web", "namespace": scope.namespace},
        "spec": {
            "interval": "30m", "suspend": true, "releaseName": "web", "values": values,
            "chart": {"spec": {"chart": "x", "sourceRef": {"kind": "HelmRepository", "name": "none"}}},
        },
    })
}

pub(super) fn map(scope: &Scope<'_>, name: &str, data: serde_json::Value) -> serde_json::Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": scope.namespace}, "data": data,
    })
}

fn lists(scope: &Scope<'_>) -> Outcome {
    // Deeper than serde_json's default limit.
    const DEEP: usize = 150;
    let mut values: serde_json::Value = serde_json::from_str(
        r#"{"big":9007199254740993,"huge":12345678901234567890,"half":0.5,"none":{"a":null},"db":{"password":"hunter2-live"}}"#,
    )?;
    values["deep"] = (0..DEEP).fold(json!("end"), |inner, _| json!({"in": inner}));
    scope.bed.apply(&release(scope, values))?;
    scope.bed.apply(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": scope.namespace},
        "stringData": {"plain": "hunter2-data"},
    }))?;
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let cluster = connect(scope, &access(&proxy.kubeconfig))?;
    let here = Some(scope.namespace.as_str());
    let releases = scope
        .bed
        .block_on(cluster.list(&helm_releases(), here, None))?;
    ensure(releases.len() == 1 && releases[0].name == "web", || {
        format!("{releases:?}")
    })?;
    let values = releases[0].value.at(&["spec", "values"]);
    let values = values.ok_or("no values")?;
    let big = values.at(&["big"]).map(|value| value.data.clone());
    ensure(
        matches!(big, Some(Data::Number(Number::Int(9_007_199_254_740_993)))),
        || format!("{values:?}"),
    )?;
    // The API server stores it as a double.
    let asked = Value::from(Data::Number(Number::Big("12345678901234567890".into())));
    ensure(values.at(&["huge"]) == Some(&asked), || {
        format!("{values:?}")
    })?;
    ensure(values.at(&["none", "a"]) == Some(&Value::null()), || {
        format!("{values:?}")
    })?;
    let deep = ["deep"]
        .into_iter()
        .chain([&"in"; DEEP].into_iter().copied());
    let deep: Vec<&str> = deep.collect();
    ensure(values.at(&deep) == Some(&Value::from("end")), || {
        "deep values are not read".to_owned()
    })?;
    let secrets = KindRef {
        kind: "Secret".into(),
        plural: "secrets".into(),
        ..config_maps()
    };
    let found = scope.bed.block_on(cluster.list(&secrets, here, None))?;
    let shown = format!("{releases:?} {found:?}");
    ensure(
        !shown.contains("hunter2") && !shown.contains("aHVudGVyMi1kYXRh"),
        || "a secret shows".to_owned(),
    )?;
    let data = found[0].value.at(&["data"]).ok_or("no data")?;
    ensure(
        found[0].kind == "Secret" && data.sensitive_leaves() == 1,
        || format!("{found:?}"),
    )?;
    let kind = helm_releases();
    let labelled = cluster.list(&kind, here, Some("a in (b, c),d!=e"));
    ensure(scope.bed.block_on(labelled)?.is_empty(), || {
        "the selector is not used".to_owned()
    })?;
    // Version and three lists.
    ensure(
        cluster.requests() == 4 && proxy.count(Kind::Read) == 4,
        || format!("{} {:?}", cluster.requests(), proxy.requests()),
    )
}

fn pages(scope: &Scope<'_>) -> Outcome {
    const MANY: usize = 501;
    let maps: Api<ConfigMap> = Api::namespaced(scope.bed.client.clone(), &scope.namespace);
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let cluster = connect(scope, &access(&proxy.kubeconfig))?;
    let found = scope.bed.block_on(async {
        let maps: Vec<_> = (0..MANY)
            .map(|number| {
                let mut map = ConfigMap::default();
                map.metadata.name = Some(format!("m{number:03}"));
                let maps = maps.clone();
                async move { maps.create(&PostParams::default(), &map).await }
            })
            .collect();
        try_join_all(maps).await?;
        let here = Some(scope.namespace.as_str());
        Ok::<_, crate::bed::Error>(cluster.list(&config_maps(), here, None).await?)
    })?;
    let names: BTreeSet<&str> = found.iter().map(|map| map.name.as_str()).collect();
    let ours = names.iter().filter(|name| name.starts_with('m')).count();
    ensure(ours == MANY && names.len() == found.len(), || {
        format!("{ours} of {}", found.len())
    })?;
    let paths: Vec<String> = proxy.requests().into_iter().map(|seen| seen.path).collect();
    let lists = paths
        .iter()
        .filter(|path| path.contains("/configmaps?"))
        .count();
    ensure(lists == 2, || paths.join("\n"))
}

fn version(scope: &Scope<'_>, name: &str) -> Outcome<String> {
    let path = format!("/api/v1/namespaces/{}/configmaps/{name}", scope.namespace);
    let object = scope.bed.get(&path)?.ok_or("it is gone")?;
    Ok(object["metadata"]["resourceVersion"].to_string())
}

fn dry_run(scope: &Scope<'_>) -> Outcome {
    let cluster = tester(scope)?;
    scope.bed.apply(&map(scope, "old", json!({"a": "1"})))?;
    let before = version(scope, "old")?;
    let text = "next\u{85}line \u{7f}\u{9f}\u{fffe}\u{ffff} \u{2028} \u{1f600} ~ no yes 0x1";
    let sent = object(&map(scope, "old", json!({"b": text})))?;
    let done = scope
        .bed
        .block_on(cluster.dry_run_apply(&sent, None, false))?;
    let ApplyResult::Applied {
        object: stored,
        created: false,
    } = done
    else {
        return Err(format!("{done:?}").into());
    };
    ensure(
        stored.value.at(&["data", "b"]).and_then(Value::as_str) == Some(text)
            && stored.value.at(&["data", "a"]).is_some(),
        || to_json(&stored.value, View::Redacted),
    )?;
    let names = holders(&stored, ".data.b");
    ensure(names == [FIELD_MANAGER], || format!("{names:?}"))?;
    ensure(version(scope, "old")? == before, || {
        "the dry run wrote".to_owned()
    })?;
    let new = object(&map(scope, "new", json!({"b": "1"})))?;
    let done = scope
        .bed
        .block_on(cluster.dry_run_apply(&new, None, false))?;
    ensure(
        matches!(done, ApplyResult::Applied { created: true, .. }),
        || format!("{done:?}"),
    )?;
    ensure(version(scope, "new").is_err(), || {
        "the dry run made an object".to_owned()
    })
}

fn in_the_way(scope: &Scope<'_>) -> Outcome {
    let cluster = tester(scope)?;
    let run = |json: serde_json::Value| -> Outcome<ApplyResult> {
        let object = object(&json)?;
        Ok(scope
            .bed
            .block_on(cluster.dry_run_apply(&object, None, false))?)
    };
    let mut nowhere = map(scope, "x", json!({}));
    nowhere["metadata"]["namespace"] = json!("not-there");
    let done = run(nowhere)?;
    ensure(
        matches!(&done, ApplyResult::NamespaceMissing { namespace } if namespace == "not-there"),
        || format!("{done:?}"),
    )?;
    for api_version in ["helm.toolkit.fluxcd.io/v9", "example.org/v1"] {
        let mut unknown = map(scope, "x", json!({}));
        unknown["apiVersion"] = json!(api_version);
        unknown["kind"] = json!("HelmRelease");
        let done = run(unknown)?;
        ensure(matches!(done, ApplyResult::KindNotServed), || {
            format!("{done:?}")
        })?;
    }
    let mut misspelt = release(scope, json!({}));
    misspelt["spec"]["intervall"] = json!("1m");
    let done = run(misspelt)?;
    ensure(
        matches!(&done, ApplyResult::Refused { message, .. } if message.contains("spec.intervall")),
        || format!("{done:?}"),
    )?;
    let mut wrong = release(scope, json!({}));
    wrong["spec"]["interval"] = json!("hunter2-interval");
    let done = run(wrong)?;
    ensure(
        matches!(&done, ApplyResult::Refused { code: 422, message } if message.contains("spec.interval")),
        || format!("{done:?}"),
    )?;
    // Names with path separators are escaped.
    let done = run(map(scope, "../secrets/x?y=", json!({})))?;
    ensure(matches!(done, ApplyResult::Refused { .. }), || {
        format!("{done:?}")
    })
}

/// Returns the managers that own a field.
pub(super) fn holders(object: &Object, field: &str) -> Vec<String> {
    let owners = owners(object).into_iter();
    let holders = owners.filter(|owner| owner.paths().iter().any(|path| path == field));
    holders.map(|owner| owner.manager.to_string()).collect()
}

fn conflict(scope: &Scope<'_>) -> Outcome {
    scope.bed.apply(&release(
        scope,
        json!({"replicas": 1, "db": {"password": "hunter2"}}),
    ))?;
    let cluster = tester(scope)?;
    let other = object(&release(
        scope,
        json!({"replicas": 2, "db": {"password": "other"}}),
    ))?;
    let here = Some(scope.namespace.as_str());
    let live = scope
        .bed
        .block_on(cluster.list(&helm_releases(), here, None))?;
    let live = live.first().ok_or("nothing is there")?;
    let done = scope
        .bed
        .block_on(cluster.dry_run_apply(&other, Some(live), false))?;
    let ApplyResult::Conflict(conflicts) = &done else {
        return Err(format!("{done:?}").into());
    };
    let fields: Vec<(&str, &str)> = conflicts
        .iter()
        .map(|conflict| (conflict.manager.as_str(), conflict.field.as_str()))
        .collect();
    ensure(
        fields
            == [
                ("tester", ".spec.values.db.password"),
                ("tester", ".spec.values.replicas"),
            ],
        || format!("{conflicts:?}"),
    )?;
    let names = holders(live, ".spec.values.replicas");
    ensure(names == ["tester"], || format!("{names:?}"))?;
    let done = scope
        .bed
        .block_on(cluster.dry_run_apply(&other, Some(live), true))?;
    let ApplyResult::Applied { object: stored, .. } = &done else {
        return Err(format!("{done:?}").into());
    };
    let names = holders(stored, ".spec.values.replicas");
    ensure(names == [FIELD_MANAGER], || format!("{names:?}"))
}

fn scrubbed(scope: &Scope<'_>) -> Outcome {
    let name = scope.namespace.as_str();
    scope.bed.apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                 "resources": ["secrets", "configmaps"]},
            ]},
            "validations": [{
                "expression": "!has(object.data) || !('pin' in object.data)",
                "messageExpression":
                    "'pin ' + string(object.data.pin) + ' of ' + object.metadata.name + ' is known, was ' \
                     + (oldObject == null ? 'nothing' : oldObject.data.text)",
            }],
        },
    }))?;
    scope.bed.apply(&json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {
            "policyName": name, "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}},
        },
    }))?;
    let secret = |data: serde_json::Value| {
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"name": "s", "namespace": name}, "stringData": data,
        })
    };
    scope.bed.apply(&secret(json!({"text": "hunter2-old"})))?;
    let cluster = tester(scope)?;
    let secrets = KindRef {
        kind: "Secret".into(),
        plural: "secrets".into(),
        ..config_maps()
    };
    let live = scope
        .bed
        .block_on(cluster.list(&secrets, Some(name), None))?;
    let live = live.first().ok_or("nothing is there")?;
    let sent = object(&secret(json!({"pin": "hunter2-new"})))?;
    let start = std::time::Instant::now();
    let message = loop {
        let done = cluster.dry_run_apply(&sent, Some(live), true);
        match scope.bed.block_on(done)? {
            ApplyResult::Refused { message, .. } => break message,
            other if start.elapsed() > ACTS_WITHIN => return Err(format!("{other:?}").into()),
            _ => std::thread::sleep(Duration::from_millis(200)),
        }
    };
    ensure(
        message.contains("pin *** of s is known, was ***")
            && !message.contains("hunter2")
            && !message.contains("aHVudGVyMi"),
        || message.clone(),
    )
}

/// Writes a kubeconfig like the bed's, with another user and other settings of the cluster.
pub(super) fn kubeconfig(
    scope: &Scope<'_>,
    name: &str,
    user: &serde_json::Value,
    cluster: &serde_json::Value,
) -> Outcome<PathBuf> {
    let mut config: serde_json::Value = serde_json::from_slice(&fs::read(&scope.bed.kubeconfig)?)?;
    config["users"][0]["user"] = user.clone();
    for (key, value) in cluster.as_object().into_iter().flatten() {
        config["clusters"][0]["cluster"][key] = value.clone();
    }
    let path = scope
        .bed
        .path()
        .join(format!("{}-{name}.kubeconfig", scope.namespace));
    fs::write(&path, config.to_string())?;
    Ok(path)
}
