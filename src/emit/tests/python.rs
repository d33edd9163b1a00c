//! The values that PyYAML reads, where Python is installed.

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::trees::{hostile, random};
use crate::emit::{View, to_json, to_yaml};
use crate::value::{Data, Number, Value};
use crate::yaml::tests::python;

const RANDOM_TREES: usize = 5000;

/// Reads requests line by line; answers each with `ok` or what differs.
const READER: &str = r#"
import json, struct, sys, yaml

loaders = [yaml.SafeLoader]
if hasattr(yaml, "CSafeLoader"):
    loaders.insert(0, yaml.CSafeLoader)

def typed(value):
    if value is None or value is True or value is False or type(value) is str:
        return value
    if type(value) is int:
        return ["int", str(value)]
    if type(value) is float:
        return ["float", struct.pack(">d", value).hex()]
    if type(value) is list:
        return ["list", [typed(item) for item in value]]
    if type(value) is dict:
        return ["map", [[typed(key), typed(item)] for key, item in value.items()]]
    return ["other", repr(value)]

def equal(a, b):
    if type(a) in (int, float) and type(b) in (int, float):
        return float(a) == float(b) if float in (type(a), type(b)) else a == b
    if type(a) is not type(b):
        return False
    if type(a) is list:
        return len(a) == len(b) and all(map(equal, a, b))
    if type(a) is dict:
        return list(a) == list(b) and all(map(equal, a.values(), b.values()))
    return a == b

def answer(request):
    for loader in loaders if request["thorough"] else loaders[:1]:
        value = yaml.load(request["yaml"], loader)
        if typed(value) != request["want"]:
            return f"{loader.__name__} reads {value!r}"
    back = json.loads(request["json"])
    if not equal(back, value):
        return f"JSON holds {back!r}"
    if type(value) is str and yaml.load(request["json"], loaders[-1]) != value:
        return "JSON is another string when read as YAML"
    return "ok"

for line in sys.stdin:
    try:
        print(json.dumps(answer(json.loads(line))))
    except Exception as error:
        print(json.dumps(f"{type(error).__name__}: {error}"))
"#;

/// Returns the value with its types spelled out; floats by their bits.
fn typed(value: &Value) -> serde_json::Value {
    match &value.data {
        Data::Null => json!(null),
        Data::Bool(bool) => json!(bool),
        Data::String(text) => json!(text.as_str()),
        Data::Number(Number::Int(int)) => json!(["int", int.to_string()]),
        Data::Number(Number::Big(digits)) => json!(["int", digits.as_str()]),
        Data::Number(Number::Float(float)) => {
            json!(["float", format!("{:016x}", float.to_bits())])
        }
        Data::Sequence(items) => {
            json!(["list", items.iter().map(typed).collect::<Vec<_>>()])
        }
        Data::Mapping(mapping) => {
            let pairs = mapping.entries().iter();
            let pairs: Vec<_> = pairs
                .map(|entry| json!([entry.key.as_str(), typed(&entry.value)]))
                .collect();
            json!(["map", pairs])
        }
    }
}

fn request(value: &Value, thorough: bool) -> serde_json::Value {
    json!({
        "yaml": to_yaml(value, View::Clear),
        "json": to_json(value, View::Clear),
        "want": typed(value),
        "thorough": thorough,
    })
}

fn requests() -> Vec<serde_json::Value> {
    let mut runner = TestRunner::deterministic();
    let trees = random();
    // The reader in Python takes a hundred times as long as the one in C: every string by itself, fewer trees.
    let hostile = hostile();
    let hostile = hostile.iter().enumerate();
    let mut requests: Vec<_> = hostile
        .map(|(at, value)| request(value, value.as_str().is_some() || at % 8 == 1))
        .collect();
    requests.extend((0..RANDOM_TREES).map(|at| {
        let tree = trees.new_tree(&mut runner).unwrap().current();
        request(&tree, at % 25 == 0)
    }));
    requests
}

#[test]
fn pyyaml_reads_what_was_written() {
    check(&requests());
}

/// Checks with PyYAML, if installed, that it reads the written values back.
pub(super) fn pyyaml_reads_all(values: &[Value]) {
    let requests: Vec<_> = values.iter().map(|value| request(value, true)).collect();
    check(&requests);
}

fn check(requests: &[serde_json::Value]) {
    let Some(answers) = python::answers(READER, requests) else {
        return;
    };
    let wrong: Vec<String> = requests
        .iter()
        .zip(&answers)
        .filter(|(_, answer)| *answer != "ok")
        .map(|(request, answer)| format!("{answer}\n{}", request["yaml"].as_str().unwrap()))
        .collect();
    let shown = wrong.iter().take(5).cloned().collect::<Vec<_>>();
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        shown.join("\n")
    );
}
