use super::*;
use crate::value::{Data, Mapping, Value};

/// Returns a value from JSON.
fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::null(),
        serde_json::Value::Bool(bool) => (*bool).into(),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(int) => int.into(),
            None => Data::Number(crate::value::Number::Float(number.as_f64().unwrap())).into(),
        },
        serde_json::Value::String(text) => text.as_str().into(),
        serde_json::Value::Array(items) => items.iter().map(value).collect::<Vec<_>>().into(),
        serde_json::Value::Object(map) => {
            let mut mapping = Mapping::new();
            for (key, json) in map {
                mapping.insert(key.as_str(), value(json));
            }
            mapping.into()
        }
    }
}

fn release(rest: serde_json::Value) -> Object {
    let mut json = serde_json::json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
        "metadata": {"name": "a", "namespace": "town"},
    });
    for (key, part) in rest.as_object().unwrap() {
        json[key] = part.clone();
    }
    Object::from_value(value(&json)).unwrap()
}

fn paths(before: serde_json::Value, after: serde_json::Value) -> Vec<String> {
    let changes = object(&release(before), &release(after)).changes;
    let shown = changes.iter().map(|change| {
        let sign = match change.edit {
            Edit::Added(_) => '+',
            Edit::Removed(_) => '-',
            Edit::Changed { .. } => '~',
            Edit::Reordered { .. } => '%',
            Edit::Moved { .. } => '>',
        };
        format!("{sign}{}", change.path)
    });
    shown.collect()
}

#[test]
fn differences_are_said_where_they_are() {
    let spec = |spec: serde_json::Value| serde_json::json!({"spec": spec});
    let of = |a: serde_json::Value, b: serde_json::Value| paths(spec(a), spec(b));
    use serde_json::json;
    assert!(of(json!({"a": 1}), json!({"a": 1.0})).is_empty());
    assert_eq!(of(json!({"a": null}), json!({})), ["-spec.a"]);
    assert_eq!(
        of(json!({"a": {"b.c": 1}}), json!({"a": {"b.c": 2}})),
        ["~spec.a[\"b.c\"]"]
    );
    assert_eq!(
        of(json!({"l": [1, 2, 3]}), json!({"l": [1, 3]})),
        ["-spec.l[1]"]
    );
    assert_eq!(
        of(json!({"l": [1, 3]}), json!({"l": [1, 2, 3]})),
        ["+spec.l[1]"]
    );
    let named = |names: &[&str]| -> Vec<serde_json::Value> {
        names
            .iter()
            .map(|name| json!({"name": name, "x": 1}))
            .collect()
    };
    assert_eq!(
        of(
            json!({"l": named(&["a", "b"])}),
            json!({"l": named(&["c", "b", "a"])})
        ),
        ["+spec.l[c]", "%spec.l"]
    );
    assert_eq!(
        of(json!({"l": named(&["a"])}), json!({"l": []})),
        ["-spec.l[a]"]
    );
    assert_eq!(of(json!({"a": "1"}), json!({"a": 1})), ["~spec.a"]);
}

#[test]
fn noise_is_no_change_and_values_are_never_noise() {
    use serde_json::json;
    let noisy = object(
        &release(json!({"spec": {"interval": "30m"}, "status": {"x": 1}})),
        &release(json!({"spec": {"interval": "30m0s"}})),
    );
    assert!(
        matches!(noisy.outcome, Outcome::Unchanged),
        "{:?}",
        noisy.changes
    );
    assert_eq!(noisy.changes.len(), 2);
    for (before, after) in [
        (
            json!({"values": {"t": "30m"}}),
            json!({"values": {"t": "30m0s"}}),
        ),
        (json!({"suspend": true}), json!({})),
        (
            json!({"values": {"status": 1}}),
            json!({"values": {"status": 2}}),
        ),
    ] {
        let changed = object(
            &release(json!({"spec": before})),
            &release(json!({"spec": after})),
        );
        assert!(matches!(changed.outcome, Outcome::Changed));
    }
}

#[test]
fn dangers_are_found_below_and_above_their_place() {
    use serde_json::json;
    let of = |before, after| {
        let changes = object(
            &release(json!({"spec": before})),
            &release(json!({"spec": after})),
        )
        .changes;
        let dangers = changes
            .iter()
            .filter_map(|change| Some(change.danger.as_ref()?.code.name()));
        dangers.collect::<Vec<_>>()
    };
    assert_eq!(
        of(json!({"releaseName": "a"}), json!({"releaseName": "b"})),
        ["release-name"]
    );
    assert_eq!(
        of(json!({"upgrade": {}}), json!({"upgrade": {"force": true}})),
        ["force"]
    );
    assert_eq!(
        of(
            json!({"upgrade": {"remediation": {"retries": 1}}}),
            json!({"upgrade": {"remediation": {"retries": 2}}})
        ),
        ["remediation"]
    );
    assert!(of(json!({"values": {"suspend": true}}), json!({"values": {}})).is_empty());
    let (on, off) = (json!({"suspend": true}), json!({"suspend": false}));
    assert_eq!(of(on.clone(), json!({})), ["resume"]);
    assert_eq!(of(on.clone(), off.clone()), ["resume"]);
    assert_eq!(of(json!({}), on.clone()), ["suspend"]);
    assert_eq!(of(off.clone(), on), ["suspend"]);
    assert!(of(json!({}), off).is_empty());
}

#[test]
fn what_the_server_was_not_asked_about_is_compared_by_the_input() {
    use serde_json::json;
    let live =
        release(json!({"spec": {"suspend": true, "interval": "1m", "values": {"a": 1, "b": 2}}}));
    let input = release(json!({"spec": {"values": {"a": 3}}}));
    let change = super::input(&live, &input);
    let paths: Vec<_> = change.changes.iter().map(|c| c.path.to_string()).collect();
    assert_eq!(paths, ["spec.values.a", "spec.suspend"]);
}

#[test]
fn a_digest_that_is_passed_on_is_no_change_of_its_own() {
    use serde_json::json;
    let with = |digest: &str, extra: &str| {
        release(json!({"spec": {"dependsOn": [
            {"name": "b", "namespace": "town", "readyExpr": format!("x == 'sha256:{digest}'{extra}")},
        ]}}))
    };
    let follows = object(&with("00ff", ""), &with("11aa", ""));
    assert!(matches!(follows.outcome, Outcome::Follows));
    let changed = object(&with("00ff", ""), &with("11aa", " && y"));
    assert!(matches!(changed.outcome, Outcome::Changed));
    assert_eq!(
        changed.changes[0]
            .danger
            .as_ref()
            .map(|danger| danger.code.name()),
        Some("order")
    );
}

#[test]
fn what_only_one_side_has_is_created_or_left_over() {
    use serde_json::json;
    let set = |names: &[&str]| {
        let mut set = ObjectSet::default();
        set.extend(
            names
                .iter()
                .map(|name| release(json!({"metadata": {"name": name, "namespace": "town"}}))),
        );
        set
    };
    let all = sets(&set(&["a", "b"]), &set(&["b", "c"]), &|_| None);
    let outcomes: Vec<_> = all
        .iter()
        .map(|o| (o.name.to_string(), format!("{:?}", o.outcome)))
        .collect();
    let wanted = [("b", "Unchanged"), ("c", "Created"), ("a", "LeftOver")];
    assert_eq!(outcomes, wanted.map(|(a, b)| (a.to_owned(), b.to_owned())));
}
