//! Source maps: the published schema and the decoder agree, and `init` writes a map to fill in.

use std::fs;

use armada2flux::diagnostic::Diagnostics;
use armada2flux::emit::{self, View};
use armada2flux::source::Sources;
use armada2flux::source_map;
use armada2flux::yaml;
use armada2flux::yaml::deliver::{Delivery, deliver};
use jsonschema::Validator;
use libtest_mimic::Trial;
use serde_json::{Value as Json, json};

use super::support::{Result, contains, ensure, root, run};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("source_map::schema_and_decoder_agree", verdicts),
        Trial::test("source_map::init_keeps_existing_rules", keeps),
        Trial::test(
            "source_map::the_file_of_init_is_refused_until_filled_in",
            filled_in,
        ),
    ]
}

/// Rules of the decoder that no schema can express.
const BEYOND_THE_SCHEMA: &[&str] = &[
    "which no pattern of the rule has",
    "does not support this address",
    "a source that is not Git has no commit",
    "must be 40 hexadecimal digits",
    "holds a single chart",
    "has no versions to choose from",
    "Flux has no",
];

/// Changes every node of a map with every form, and compares the verdicts.
fn verdicts() -> Result {
    let schema = run(root(), &["schema", "source-map"])?
        .expect_code(0)?
        .stdout;
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema)?)?;
    let file = root().join("testdata/cases/sources-map/armada2flux.yaml");
    let map = to_json(&fs::read_to_string(file)?)?;
    let mut wrong = Vec::new();
    let mut tried = 0;
    let mut paths = Vec::new();
    nodes(&map, String::new(), &mut paths);
    let mut check = |mutant: &Json, what: &str| {
        tried += 1;
        wrong.extend(disagreement(&validator, mutant).map(|error| format!("{what}: {error}")));
    };
    check(&map, "unchanged");
    for path in paths {
        for value in [
            Json::Null,
            json!(true),
            json!(5),
            json!(""),
            json!("text"),
            json!("git"),
            json!([]),
            json!({}),
            json!({"name": "x"}),
            json!({"name": "Not A Name"}),
            json!({"tag": "v1"}),
            json!({"tag": "v1", "branch": "main"}),
            json!(["item"]),
        ] {
            let mut mutant = map.clone();
            if let Some(node) = mutant.pointer_mut(&path) {
                *node = value.clone();
            }
            check(&mutant, &format!("{path} = {value}"));
        }
        for key in ["typo", "chart", "insecure", "existing", "ref"] {
            let mut mutant = map.clone();
            if let Some(Json::Object(fields)) = mutant.pointer_mut(&path) {
                let old = fields.remove(key);
                if old.is_none() {
                    fields.insert(key.to_owned(), json!("text"));
                }
                check(&mutant, &format!("{path}: {key} changed"));
            }
        }
    }
    ensure(tried > 1_000, format!("only {tried} maps were tried"))?;
    ensure(wrong.is_empty(), wrong.join("\n"))
}

fn disagreement(validator: &Validator, map: &Json) -> Option<String> {
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let file = sources.add("map.yaml", map.to_string())?;
    let tree = yaml::read(file, sources.file(file).text(), &mut diagnostics);
    let taken = source_map::decode(&tree, &mut diagnostics).is_some();
    let faults = diagnostics.list().iter().map(|d| d.message.as_str());
    let mut faults: Vec<&str> = faults.collect();
    let valid = validator.is_valid(map);
    match (valid, taken) {
        (true, true) | (false, false) => None,
        (false, true) => Some("the decoder takes what the schema refuses".to_owned()),
        (true, false) => {
            faults.retain(|fault| !BEYOND_THE_SCHEMA.iter().any(|known| fault.contains(known)));
            let first = faults.first()?;
            Some(format!("the schema takes it: {first}"))
        }
    }
}

fn to_json(text: &str) -> Result<Json> {
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let file = sources.add("map.yaml", text).ok_or("no room")?;
    let tree = yaml::read(file, sources.file(file).text(), &mut diagnostics);
    let node = tree.roots().next().ok_or("no document")?;
    let value = deliver(node, Delivery::Written, &mut diagnostics).ok_or("no value")?;
    Ok(serde_json::from_str(&emit::to_json(&value, View::Clear))?)
}

/// Collects the JSON pointers of a value and all below it.
fn nodes(value: &Json, path: String, found: &mut Vec<String>) {
    match value {
        Json::Object(entries) => {
            for (key, value) in entries {
                nodes(value, format!("{path}/{key}"), found);
            }
        }
        Json::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                nodes(value, format!("{path}/{at}"), found);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
    found.push(path);
}

/// The case with the output of `init`.
fn input() -> String {
    let folder = root().join("testdata/cases/sources-map-init");
    folder.join("armada.yaml").display().to_string()
}

fn keeps() -> Result {
    let place = tempfile::tempdir()?;
    let arguments = ["source-map", "init", &input(), "-o", "map.yaml"];
    let stdout = run(place.path(), &arguments)?.expect_code(0)?.stdout;
    ensure(stdout.is_empty(), stdout)?;
    let map = place.path().join("map.yaml");
    fs::write(&map, "sources: []\n")?;
    run(place.path(), &arguments)?
        .expect_code(1)?
        .expect_stderr("cannot write `map.yaml`")?;
    ensure(
        fs::read_to_string(&map)? == "sources: []\n",
        "it was overwritten",
    )
}

fn filled_in() -> Result {
    let place = tempfile::tempdir()?;
    run(
        place.path(),
        &["source-map", "init", &input(), "-o", "map.yaml"],
    )?
    .expect_code(0)?;
    let convert = ["convert", &input(), "-o", "out", "--source-map=map.yaml"];
    let refused = run(place.path(), &convert)?.expect_code(1)?;
    contains(&refused.stderr, "`url` must be filled in")?;
    ensure(!place.path().join("out").exists(), "a tree was written")
}
