//! Compares decoding with Armada's own JSON Schemas: it refuses what they refuse, and nothing else.

use std::collections::BTreeMap;
use std::path::Path;

use armada2flux::armada::{Documents, decode_documents, leftover};
use armada2flux::diagnostic::Diagnostics;
use armada2flux::emit::{self, View};
use armada2flux::source::Sources;
use armada2flux::yaml::deliver::{Delivery, deliver};
use armada2flux::yaml::{self, Dialect, Node};
use jsonschema::Validator;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value as Json, json};

use crate::shared;

/// The tests of this module.
pub(crate) fn trials() -> Vec<Trial> {
    let schemas = "corpus/armada-schemas";
    vec![shared::trial("schemas::verdicts_agree", schemas, run)]
}

/// Changes every node of documents that have every field, and compares the verdicts.
fn run(folder: &Path) -> Result<(), Failed> {
    let validators = validators(folder)?;
    let mut wrong = Vec::new();
    let mut tried = 0;
    for document in documents(&validators) {
        let schema = document["schema"].as_str().unwrap_or_default();
        let validator = &validators[schema];
        let mut paths = Vec::new();
        nodes(&document["data"], "/data", &mut paths);
        for path in paths {
            for (mutant, what) in mutants(&document, &path) {
                tried += 1;
                let valid = validator.is_valid(&mutant["data"]);
                let errors = errors(&mutant);
                // The schemas of groups and Manifests do not check the type of the body; Armada fails on it later.
                let body = path == "/data" && !mutant["data"].is_object();
                if valid != errors.is_empty() && !body {
                    wrong.push(format!("{schema} {path} {what}: valid {valid}, {errors:?}"));
                }
            }
        }
    }
    if tried < 2_000 {
        wrong.push(format!("only {tried} documents were tried"));
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n").into())
    }
}

fn validators(folder: &Path) -> Result<BTreeMap<String, Validator>, Failed> {
    let mut validators = BTreeMap::new();
    for file in shared::files(folder, &["yaml"]) {
        for mut document in read(&file) {
            let name = document["metadata"]["name"].as_str().map(str::to_owned);
            // The schema names no draft; Armada uses draft 4.
            let schema = document["data"].as_object_mut().ok_or("no schema")?;
            schema.remove("$schema");
            let validator = jsonschema::draft4::new(&document["data"])?;
            validators.insert(name.ok_or("no name")?, validator);
        }
    }
    Ok(validators)
}

/// Returns documents of Armada that have every field.
fn documents(validators: &BTreeMap<String, Validator>) -> Vec<Json> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fields");
    let files = ["v1.yaml", "v2.yaml"].map(|file| folder.join(file));
    let documents = files.iter().flat_map(|file| read(file));
    documents
        .filter(|document| {
            let schema = document["schema"].as_str();
            schema.is_some_and(|schema| validators.contains_key(schema))
        })
        .collect()
}

fn read(file: &Path) -> Vec<Json> {
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let tree = shared::read(file, &mut sources, &mut diagnostics);
    let to_json = |root: Node<'_>| {
        let value = deliver(root, Delivery::Written, &mut Diagnostics::default())?;
        serde_json::from_str(&emit::to_json(&value, View::Clear)).ok()
    };
    tree.roots().filter_map(to_json).collect()
}

/// Collects the JSON pointers of a value and all below it, except a chart's values, which may be anything.
fn nodes(value: &Json, path: &str, found: &mut Vec<String>) {
    found.push(path.to_owned());
    if path == "/data/values" {
        return;
    }
    match value {
        Json::Object(entries) => {
            for (key, value) in entries {
                nodes(value, &format!("{path}/{key}"), found);
            }
        }
        Json::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                nodes(value, &format!("{path}/{at}"), found);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
}

fn mutants(document: &Json, path: &str) -> Vec<(Json, String)> {
    let values = [
        Json::Null,
        json!(true),
        json!(5),
        json!(5.5),
        json!("text"),
        json!("50%"),
        json!([]),
        json!({}),
        json!(["item"]),
        json!([null]),
        json!({"key": "value"}),
        json!({"key": 5}),
        json!([{"type": "job"}]),
        json!([{"typo": 1}]),
    ];
    let mut mutants = Vec::new();
    let mut add = |what: String, change: &dyn Fn(&mut Json)| {
        let mut mutant = document.clone();
        change(&mut mutant);
        mutants.push((mutant, what));
    };
    for value in &values {
        add(format!("is {value}"), &|mutant| {
            if let Some(node) = mutant.pointer_mut(path) {
                node.clone_from(value);
            }
        });
    }
    add("has one field more".to_owned(), &|mutant| {
        if let Some(Json::Object(entries)) = mutant.pointer_mut(path) {
            entries.insert("typo".to_owned(), json!(1));
        }
    });
    let (parent, key) = path.rsplit_once('/').unwrap_or(("", path));
    if !parent.is_empty() {
        add(
            "is removed".to_owned(),
            &|mutant| match mutant.pointer_mut(parent) {
                Some(Json::Object(entries)) => {
                    entries.remove(key);
                }
                Some(Json::Array(items)) => {
                    items.remove(key.parse().unwrap_or(0));
                }
                _ => {}
            },
        );
    }
    mutants
}

/// Returns the errors of decoding the document.
fn errors(document: &Json) -> Vec<String> {
    let mut sources = Sources::default();
    let text = document.to_string();
    let file = sources.add("document.yaml", text).expect("room");
    let mut diagnostics = Diagnostics::default();
    let tree = yaml::read(file, sources.file(file).text(), &mut diagnostics);
    let mut documents = Documents::default();
    decode_documents(&tree, Dialect::PyYaml, &mut documents, &mut diagnostics);
    leftover::report(&documents, &mut diagnostics);
    let messages = diagnostics
        .list()
        .iter()
        .filter(|d| d.severity == armada2flux::diagnostic::Severity::Error);
    messages.map(|d| d.message.clone()).collect()
}
