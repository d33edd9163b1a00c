//! Whether a server-side apply would change nothing, as the live object alone shows it.

use std::collections::BTreeSet;

use super::{Fields, Part, owner};
use crate::flux::Object;
use crate::value::{Data, Mapping, Text, Value};

/// Longest list whose items are matched one by one; objects with longer ones are not judged here.
const MAX_ITEMS: usize = 512;

/// Metadata that an apply is about. The server sets the rest, or it is identity.
const METADATA: [&str; 4] = ["labels", "annotations", "finalizers", "ownerReferences"];

/// Returns whether `live` proves that an apply of `input` by `manager` would change nothing: what `manager` applied last,
/// at the same API version, are just the fields of `input`, and each has its value.
///
/// Then the server's merge replaces every field with what is there, removes none, meets no conflict, and the owners of all
/// fields stay (Kubernetes: structured-merge-diff, merge/update.go). What it would do beyond the merge is not looked at:
/// webhooks and policies. `false` says nothing: ask the server.
#[must_use]
pub fn is_applied(live: &Object, input: &Object, manager: &str) -> bool {
    let mut own = None;
    let mut others = Vec::new();
    for entry in live.meta().managed_fields() {
        // The fields of an entry that cannot be read could be anything.
        let (Some(owner), Some("FieldsV1")) = (owner(entry), entry.text_at(&["fieldsType"])) else {
            return false;
        };
        if !owner.applies_as(manager) {
            others.push(owner.fields);
            continue;
        }
        let version = entry.text_at(&["apiVersion"]);
        if own.is_some() || version != Some(&input.api_version) {
            return false;
        }
        own = Some(owner.fields);
    }
    let (Some(own), Some(input)) = (own, without_identity(&input.value)) else {
        return false;
    };
    let others: Vec<&Fields> = others.iter().collect();
    sets_all(&own, &others, &live.value, &input)
}

/// Returns what of an object its managers own; `None` when it sets what only the server sets.
fn without_identity(object: &Value) -> Option<Value> {
    let mut rest = Mapping::new();
    for entry in object.as_mapping()?.entries() {
        match entry.key.as_str() {
            "apiVersion" | "kind" => {}
            "status" => return None,
            "metadata" => {
                let mut metadata = Mapping::new();
                for field in entry.value.as_mapping()?.entries() {
                    match field.key.as_str() {
                        "name" | "namespace" => {}
                        key if METADATA.contains(&key) => metadata.push(field.clone()),
                        _ => return None,
                    }
                }
                if !metadata.is_empty() {
                    rest.insert("metadata", metadata);
                }
            }
            _ => rest.push(entry.clone()),
        }
    }
    Some(rest.into())
}

/// Whether `fields` are just those that `input` sets, each with its value in `live`. `others` are the fields of other
/// owners at the same place.
fn sets_all(fields: &Fields, others: &[&Fields], live: &Value, input: &Value) -> bool {
    let whole = fields.below.is_empty();
    match &input.data {
        Data::Mapping(input) if !input.is_empty() => match live.as_mapping() {
            Some(live) => mappings(fields, others, live, input),
            None => false,
        },
        Data::Sequence(input) if !whole => match live.as_sequence() {
            Some(live) => items(fields, others, live, input),
            None => false,
        },
        // A list that others own parts of is merged by items, whatever we applied last.
        Data::Sequence(_) => others.iter().all(|other| other.below.is_empty()) && live == input,
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) | Data::Mapping(_) => {
            whole && live == input
        }
    }
}

fn mappings(fields: &Fields, others: &[&Fields], live: &Mapping, input: &Mapping) -> bool {
    fields.below.len() == input.len()
        && input.entries().iter().all(|entry| {
            let step = Text::from(format!("f:{}", entry.key));
            match (fields.below.get(&step), live.get(&entry.key)) {
                (Some(fields), Some(live)) => {
                    sets_all(fields, &below(others, &step), live, &entry.value)
                }
                _ => false,
            }
        })
}

/// Items that the server merges by what they are. Their order counts, too: the merge takes that of the input.
fn items(fields: &Fields, others: &[&Fields], live: &[Value], input: &[Value]) -> bool {
    let alike = fields.below.len() == input.len() && live.len() == input.len();
    if !alike || input.len() > MAX_ITEMS {
        return false;
    }
    let steps: Vec<(&Text, Part<'_>)> = fields
        .below
        .keys()
        .filter_map(|step| Some((step, Part::read(step)?)))
        .collect();
    let mut met = BTreeSet::new();
    live.iter().zip(input).all(|(live, input)| {
        let mut steps = steps
            .iter()
            .filter(|(_, part)| part.is_of(input) && part.is_of(live));
        let (Some((step, part)), None) = (steps.next(), steps.next()) else {
            return false;
        };
        let Some(fields) = fields.below.get(*step) else {
            return false;
        };
        met.insert(*step)
            && match part {
                Part::Value(_) => live == input,
                Part::Keys(_) => sets_all(fields, &below(others, step), live, input),
                Part::Field(_) | Part::Index(_) => false,
            }
    })
}

fn below<'f>(others: &[&'f Fields], step: &str) -> Vec<&'f Fields> {
    others
        .iter()
        .filter_map(|other| other.below.get(step))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        Object::from_value(Value::from_json(text.as_bytes()).expect("JSON")).expect("object")
    }

    /// Returns whether `input` is applied, given what `us` own and another manager owns of `live`.
    fn judged(live: &str, ours: &str, theirs: &str, input: &str) -> bool {
        let live = object(&format!(
            r#"{{"apiVersion":"x/v1","kind":"X","metadata":{{"name":"a","labels":{{"l":"1"}},"uid":"u","managedFields":[
                {{"manager":"us","operation":"Apply","apiVersion":"x/v1","fieldsType":"FieldsV1","fieldsV1":{ours}}},
                {{"manager":"us","operation":"Update","apiVersion":"x/v1","fieldsType":"FieldsV1","fieldsV1":{theirs}}}]}},
                {live}}}"#
        ));
        let input = object(&format!(
            r#"{{"apiVersion":"x/v1","kind":"X","metadata":{{"name":"a"}},{input}}}"#
        ));
        is_applied(&live, &input, "us")
    }

    const NONE: &str = "{}";

    #[test]
    fn what_is_set_and_owned_alike_is_applied() {
        for (live, ours, theirs, input) in [
            (
                r#""s":{"a":1}"#,
                r#"{"f:s":{"f:a":{}}}"#,
                NONE,
                r#""s":{"a":1}"#,
            ),
            (
                r#""s":{"a":1}"#,
                r#"{"f:s":{"f:a":{}}}"#,
                NONE,
                r#""s":{"a":1.0}"#,
            ),
            // Defaults, and fields of others.
            (
                r#""s":{"a":1,"b":2},"status":{"x":1}"#,
                r#"{"f:s":{".":{},"f:a":{}}}"#,
                r#"{"f:s":{"f:b":{},"f:a":{}}}"#,
                r#""s":{"a":1}"#,
            ),
            (
                r#""s":{"a":{}}"#,
                r#"{"f:s":{"f:a":{}}}"#,
                NONE,
                r#""s":{"a":{}}"#,
            ),
            (
                r#""s":{"a":null}"#,
                r#"{"f:s":{"f:a":{}}}"#,
                NONE,
                r#""s":{"a":null}"#,
            ),
            (
                r#""s":{"a":[1,{"b":2}]}"#,
                r#"{"f:s":{"f:a":{}}}"#,
                NONE,
                r#""s":{"a":[1,{"b":2}]}"#,
            ),
            (
                r#""s":[{"n":"x","v":1,"w":2},{"n":"y"}]"#,
                r#"{"f:s":{"k:{\"n\":\"x\"}":{".":{},"f:n":{},"f:v":{}},"k:{\"n\":\"y\"}":{".":{},"f:n":{}}}}"#,
                r#"{"f:s":{"k:{\"n\":\"x\"}":{"f:w":{}}}}"#,
                r#""s":[{"n":"x","v":1},{"n":"y"}]"#,
            ),
            (
                r#""s":["x","y"]"#,
                r#"{"f:s":{"v:\"x\"":{},"v:\"y\"":{}}}"#,
                NONE,
                r#""s":["x","y"]"#,
            ),
        ] {
            assert!(
                judged(live, ours, theirs, input),
                "{live} {ours} {theirs} {input}"
            );
        }
    }

    #[test]
    fn whatever_an_apply_could_change_is_not() {
        for (live, ours, theirs, input, why) in [
            (
                r#""s":{"a":1}"#,
                r#"{"f:s":{"f:a":{}}}"#,
                NONE,
                r#""s":{"a":2}"#,
                "another value",
            ),
            (
                r#""s":{"a":1}"#,
                r#"{"f:s":{"f:a":{}}}"#,
                NONE,
                r#""s":{"a":"1"}"#,
                "another type",
            ),
            (
                r#""s":{"a":1,"b":1}"#,
                r#"{"f:s":{"f:a":{},"f:b":{}}}"#,
                NONE,
                r#""s":{"a":1}"#,
                "a field removed",
            ),
            (
                r#""s":{"a":1,"b":1}"#,
                r#"{"f:s":{"f:a":{}}}"#,
                r#"{"f:s":{"f:b":{}}}"#,
                r#""s":{"a":1,"b":1}"#,
                "a field of another manager",
            ),
            (
                r#""s":{"b":1}"#,
                r#"{"f:s":{"f:a":{}}}"#,
                NONE,
                r#""s":{"a":1}"#,
                "a field that is gone",
            ),
            (
                r#""s":{"a":{"b":1}}"#,
                r#"{"f:s":{"f:a":{}}}"#,
                NONE,
                r#""s":{"a":{"b":1}}"#,
                "an empty mapping was applied",
            ),
            (
                r#""s":{"a":{"b":1}}"#,
                r#"{"f:s":{"f:a":{}}}"#,
                NONE,
                r#""s":{"a":{}}"#,
                "what others added",
            ),
            (
                r#""s":{"a":[1]}"#,
                r#"{"f:s":{"f:a":{}}}"#,
                r#"{"f:s":{"f:a":{"v:1":{}}}}"#,
                r#""s":{"a":[1]}"#,
                "an empty list was applied",
            ),
            (
                r#""s":["y","x"]"#,
                r#"{"f:s":{"v:\"x\"":{},"v:\"y\"":{}}}"#,
                NONE,
                r#""s":["x","y"]"#,
                "another order",
            ),
            (
                r#""s":["x","x"]"#,
                r#"{"f:s":{"v:\"x\"":{},"v:\"y\"":{}}}"#,
                NONE,
                r#""s":["x","x"]"#,
                "an item twice",
            ),
            (
                r#""s":[{"n":"x","v":1},{"n":"y"}]"#,
                r#"{"f:s":{"k:{\"n\":\"x\"}":{".":{},"f:n":{},"f:v":{}}}}"#,
                NONE,
                r#""s":[{"n":"x","v":1}]"#,
                "an item of others",
            ),
            (
                r#""s":[{"n":"x","v":1}]"#,
                r#"{"f:s":{"k:{\"n\":\"x\"}":{".":{},"f:n":{}}}}"#,
                NONE,
                r#""s":[{"n":"x","v":1}]"#,
                "a field of an item",
            ),
            (
                r#""s":[1]"#,
                r#"{"f:s":{"i:0":{}}}"#,
                NONE,
                r#""s":[1]"#,
                "an index",
            ),
            (
                r#""s":[1]"#,
                r#"{"f:s":{"z:1":{}}}"#,
                NONE,
                r#""s":[1]"#,
                "an unknown step",
            ),
            (
                r#""status":{"a":1}"#,
                r#"{"f:status":{"f:a":{}}}"#,
                NONE,
                r#""status":{"a":1}"#,
                "a status",
            ),
            (
                r#""s":1"#,
                r#"{"f:metadata":{"f:labels":{"f:l":{}}},"f:s":{}}"#,
                NONE,
                r#""s":1"#,
                "a label removed",
            ),
        ] {
            assert!(!judged(live, ours, theirs, input), "{why}");
        }
    }

    #[test]
    fn entries_that_cannot_be_judged_are_asked_about() {
        let entry = |manager: &str, version: &str, kind: &str, more: &str| {
            format!(
                r#"{{"manager":"{manager}","operation":"Apply","apiVersion":"{version}","fieldsType":"{kind}",
                    "fieldsV1":{{"f:s":{{}}}}{more}}}"#
            )
        };
        let ours = entry("us", "x/v1", "FieldsV1", "");
        let judged = |entries: &[String]| {
            let live = object(&format!(
                r#"{{"apiVersion":"x/v1","kind":"X","metadata":{{"name":"a","managedFields":[{}]}},"s":1}}"#,
                entries.join(",")
            ));
            let input = r#"{"apiVersion":"x/v1","kind":"X","metadata":{"name":"a"},"s":1}"#;
            is_applied(&live, &object(input), "us")
        };
        assert!(judged(std::slice::from_ref(&ours)));
        let status = entry("us", "x/v1", "FieldsV1", r#","subresource":"status""#);
        assert!(judged(&[ours.clone(), status]), "another subresource");
        for (entries, why) in [
            (vec![], "no entry"),
            (
                vec![entry("us", "x/v1beta1", "FieldsV1", "")],
                "another version",
            ),
            (
                vec![entry("us", "x/v1", "FieldsV2", "")],
                "an unknown format",
            ),
            (
                vec![entry("them", "x/v1", "FieldsV1", "")],
                "another manager",
            ),
            (vec![ours.clone(), ours.clone()], "two entries"),
            (
                vec![ours, r#"{"manager":"x"}"#.to_owned()],
                "an entry without fields",
            ),
        ] {
            assert!(!judged(&entries), "{why}");
        }
    }
}
