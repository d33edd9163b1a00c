//! Every field has a row, every row a field, and every node of every document belongs to one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use armada2flux::armada::disposition::Row;
use armada2flux::armada::rows;
use armada2flux::armada::{Documents, decode_documents};
use armada2flux::diagnostic::Diagnostics;
use armada2flux::gate::Version;
use armada2flux::source::Sources;
use armada2flux::yaml::{Dialect, Kind, Node};
use libtest_mimic::{Failed, Trial};

use crate::shared;

/// Rows for fields that no schema lists by name, with the reason.
const BEYOND_THE_SCHEMAS: &[(&str, &str)] = &[
    ("data", "the body itself"),
    ("data.source.*", "the schema lets any other field pass"),
    ("data.delete.*", "the schema lets any other field pass"),
    (
        "data.wait.resources[].allow_async_updates",
        "the schema lets it pass, the code reads it",
    ),
];

/// The tests of this module.
pub(crate) fn trials() -> Vec<Trial> {
    vec![
        shared::trial("fields::rows_and_schemas_agree", "corpus", |corpus| {
            rows_and_schemas_agree(&corpus.join("armada-schemas"))
        }),
        Trial::test("fields::every_row_is_produced", every_row_is_produced),
        shared::trial(
            "fields::every_node_has_one_row",
            "corpus",
            every_node_has_one_row,
        ),
    ]
}

/// The paths of each document kind and version, as rows spell them.
type Paths = BTreeMap<(String, bool), BTreeSet<String>>;

fn rows_and_schemas_agree(folder: &Path) -> Result<(), Failed> {
    let mut paths = Paths::new();
    for file in shared::files(folder, &["yaml"]) {
        let mut sources = Sources::default();
        let mut diagnostics = Diagnostics::default();
        let tree = shared::read(&file, &mut sources, &mut diagnostics);
        for root in tree.roots() {
            let name = child(root, "metadata").and_then(|metadata| child(metadata, "name"));
            let name = name.and_then(Node::scalar).ok_or("a schema has no name")?;
            let (kind, version) = name
                .text
                .strip_prefix("armada/")
                .and_then(|name| name.split_once('/'))
                .ok_or("a schema of another program")?;
            let schema = child(root, "data").ok_or("a schema has no data")?;
            let mut found = BTreeSet::new();
            walk(schema, schema, "data", &mut found);
            paths.insert((kind.to_owned(), version == "v1"), found);
        }
    }
    if paths.len() != 6 {
        return Err(format!("{} schemas instead of 6", paths.len()).into());
    }
    let mut wrong = Vec::new();
    for ((kind, is_v1), paths) in &paths {
        let version = if *is_v1 { Version::V1 } else { Version::V2 };
        let rows: BTreeMap<&str, &Row> = rows::ALL
            .iter()
            .filter(|row| row.documents == kind && row.versions.contain(version))
            .map(|row| (row.path, row))
            .collect();
        for path in paths {
            if !rows.contains_key(path.as_str()) {
                wrong.push(format!("{kind} {version:?}: no row for {path}"));
            }
        }
        for path in rows.keys() {
            let beyond = BEYOND_THE_SCHEMAS.iter().any(|(known, _)| known == path);
            if !beyond && !paths.contains(*path) {
                wrong.push(format!("{kind} {version:?}: {path} is in no schema"));
            }
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n").into())
    }
}

fn child<'t>(node: Node<'t>, key: &str) -> Option<Node<'t>> {
    let mut entries = node.entries();
    entries
        .find(|(name, _)| name.scalar().is_some_and(|name| name.text == key))
        .map(|(_, value)| value)
}

/// Collects the paths of a schema: properties, items, and `additionalProperties`.
fn walk(root: Node<'_>, schema: Node<'_>, path: &str, found: &mut BTreeSet<String>) {
    if let Some(reference) = child(schema, "$ref").and_then(Node::scalar) {
        let name = reference.text.rsplit('/').next().unwrap_or("");
        let target = child(root, "definitions").and_then(|all| child(all, name));
        return walk(root, target.expect("a definition"), path, found);
    }
    for (key, property) in child(schema, "properties")
        .into_iter()
        .flat_map(Node::entries)
    {
        let key = key.scalar().expect("a name").text;
        let path = format!("{path}.{key}");
        found.insert(path.clone());
        walk(root, property, &path, found);
    }
    for combined in ["anyOf", "allOf"] {
        for branch in child(schema, combined).into_iter().flat_map(Node::items) {
            walk(root, branch, path, found);
        }
    }
    // The map of waits of v2 has the same items as its list; other items and keys are data of their parent.
    let is_waits = path.starts_with("data.wait.resources");
    let item = if is_waits {
        "data.wait.resources[]".to_owned()
    } else {
        format!("{path}[]")
    };
    if let Some(items) = child(schema, "items") {
        if is_waits {
            found.insert(item.clone());
        }
        walk(root, items, &item, found);
    }
    if let Some(any) = child(schema, "additionalProperties")
        && let Kind::Mapping = any.kind()
        && is_waits
    {
        found.insert(item.clone());
        walk(root, any, &item, found);
    }
}

fn every_row_is_produced() -> Result<(), Failed> {
    let mut produced = BTreeSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/fields");
    for file in shared::files(&folder, &["yaml"]) {
        let mut sources = Sources::default();
        let mut diagnostics = Diagnostics::default();
        let tree = shared::read(&file, &mut sources, &mut diagnostics);
        let mut documents = Documents::default();
        let ledger = decode_documents(&tree, Dialect::PyYaml, &mut documents, &mut diagnostics);
        produced.extend(ledger.totals().into_keys());
    }
    let rows = rows::ALL.iter().enumerate();
    let idle: Vec<String> = rows
        .filter(|(at, _)| !produced.contains(at))
        .map(|(_, row)| format!("{} {}", row.documents, row.path))
        .collect();
    if idle.is_empty() {
        Ok(())
    } else {
        Err(format!("nothing produces {}", idle.join(", ")).into())
    }
}

fn every_node_has_one_row(corpus: &Path) -> Result<(), Failed> {
    let mut files = shared::files(&corpus.join("airship"), &["yaml"]);
    files.extend(
        shared::files(&corpus.join("starlingx"), &["yaml"])
            .into_iter()
            .filter(|file| file.ends_with("armada.yaml")),
    );
    let mut nodes = 0;
    for file in files {
        let mut sources = Sources::default();
        let mut diagnostics = Diagnostics::default();
        let tree = shared::read(&file, &mut sources, &mut diagnostics);
        let mut documents = Documents::default();
        let ledger = decode_documents(&tree, Dialect::PyYaml, &mut documents, &mut diagnostics);
        for root in tree.roots() {
            if let Some(node) = ledger.unclaimed(root).first() {
                let place = sources.locate(node.span());
                return Err(format!("{place}: no row for the node here").into());
            }
        }
        let claimed: usize = ledger.totals().values().sum();
        if claimed != tree.len() {
            let name = file.display();
            return Err(format!("{name}: {claimed} of {} nodes have a row", tree.len()).into());
        }
        nodes += claimed;
    }
    if nodes < 50_000 {
        return Err(format!("only {nodes} nodes were looked at").into());
    }
    Ok(())
}
