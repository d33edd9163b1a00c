//! Files back to objects: a Flux tree, written by `convert`, edited or both, and what its kustomizations list.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::flux::{Object, ObjectSet};
use crate::source::{Sources, Span};
use crate::value::{Mapping, Value};
use crate::yaml::deliver::{self, Delivery};
use crate::yaml::{self, Node, Tree};

/// Files that list others, in the order in which kustomize looks for them.
pub(crate) const KUSTOMIZATIONS: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// API group of kustomize's own files.
const KUSTOMIZE: &str = "kustomize.config.k8s.io/";

/// Why a kustomization is not supported: its result would differ from the files read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotFollowed {
    /// It does more than list files.
    #[error("has `{0}`, which is not evaluated here")]
    Field(String),
    /// It lists what is not a file beside it.
    #[error("lists `{0}`, which is not in this folder")]
    Remote(String),
}

/// Returns the objects of a tree, in its order; kustomizations are left out. A document that is no object, and an
/// object that is there twice, are errors.
pub(crate) fn objects(trees: &[Tree], diagnostics: &mut Diagnostics) -> ObjectSet {
    let mut set = ObjectSet::default();
    let mut seen = BTreeMap::new();
    for root in trees.iter().flat_map(Tree::roots) {
        let Some(value) = value(root, diagnostics) else {
            continue;
        };
        if value == Value::null() {
            continue;
        }
        let start = start(root.span());
        if let Some(fault) = not_an_object(&value) {
            diagnostics.push(fault.at(start, "this document"));
            continue;
        }
        let Some(mut object) = Object::from_value(value) else {
            continue;
        };
        if object.api_version.starts_with(KUSTOMIZE) {
            continue;
        }
        object.origin = Some(root.span());
        if let Some(first) = seen.insert(object.key(), start) {
            diagnostics.push(twice(&object, start, first));
            continue;
        }
        set.extend([object]);
    }
    set
}

/// Returns what a document lacks that every object has.
fn not_an_object(value: &Value) -> Option<Diagnostic> {
    let fault = |message: String, help: &str| {
        Some(Diagnostic::new(Code::ObjectInvalid, message).help(help))
    };
    if value.as_mapping().is_none() {
        return fault(
            "a document of the tree is not a Kubernetes object: it is no mapping".to_owned(),
            "give a folder that holds nothing but a tree, or name its files",
        );
    }
    let kind = value.text_at(&["kind"]);
    if let Some(kind) = kind.filter(|kind| kind.ends_with("List"))
        && value.at(&["items"]).is_some()
    {
        return fault(
            format!(
                "a `{kind}` holds objects and is none: a tree has each object in a document of its own"
            ),
            "write each item as a document of its own",
        );
    }
    let fields: [&[&str]; 3] = [&["apiVersion"], &["kind"], &["metadata", "name"]];
    let missing: Vec<String> = fields
        .into_iter()
        .filter(|path| value.text_at(path).is_none_or(str::is_empty))
        .map(|path| format!("`{}`", path.join(".")))
        .collect();
    if missing.is_empty() {
        return None;
    }
    fault(
        format!(
            "a document of the tree is not a Kubernetes object: it has no {}",
            missing.join(", no ")
        ),
        "every object has `apiVersion`, `kind` and `metadata.name`, each a text",
    )
}

fn twice(object: &Object, second: Span, first: Span) -> Diagnostic {
    let message = format!("{} appears twice in the tree", object.title());
    Diagnostic::new(Code::ObjectDuplicate, message)
        .at(second, "again")
        .at(first, "for the first time")
        .help("leave one of the two")
}

/// Returns the first place of a document; the rest of it says nothing more.
fn start(span: Span) -> Span {
    Span::new(span.file(), span.start(), span.start())
}

/// Returns what a kustomization lists.
///
/// # Errors
///
/// It does more than list files beside it.
pub(crate) fn resources(
    tree: &Tree,
    diagnostics: &mut Diagnostics,
) -> Result<Vec<String>, NotFollowed> {
    let mut found = Vec::new();
    for value in documents(tree, diagnostics) {
        let entries = value.as_mapping().map(Mapping::entries);
        for entry in entries.unwrap_or_default() {
            match &*entry.key {
                "apiVersion" | "kind" | "metadata" | "sortOptions" => {}
                "resources" => {
                    let items = entry.value.as_sequence().unwrap_or_default();
                    found.extend(items.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                other => return Err(NotFollowed::Field(other.to_owned())),
            }
        }
    }
    let remote = found
        .iter()
        .find(|name| name.contains("://") || name.contains('?'));
    match remote {
        Some(remote) => Err(NotFollowed::Remote(remote.clone())),
        None => Ok(found),
    }
}

/// Reads a text with values of a release; `None` if it is not one mapping. An empty text holds no values.
pub(crate) fn values(text: &str) -> Option<Value> {
    let mut sources = Sources::default();
    let file = sources.add("values", text)?;
    let mut diagnostics = Diagnostics::default();
    let tree = yaml::read(file, sources.file(file).text(), &mut diagnostics);
    let mut documents = documents(&tree, &mut diagnostics);
    let values = match documents.pop() {
        None => Mapping::new().into(),
        Some(values) if values == Value::null() => Mapping::new().into(),
        Some(values) => values,
    };
    let whole = documents.is_empty() && diagnostics.errors() == 0;
    (whole && values.as_mapping().is_some()).then_some(values)
}

/// Returns the documents of a file as trees, as kubectl reads them.
fn documents(tree: &Tree, diagnostics: &mut Diagnostics) -> Vec<Value> {
    tree.roots()
        .filter_map(|root| value(root, diagnostics))
        .collect()
}

/// Returns a document as a tree. Diagnostics about its values are not about a conversion, so only errors are kept.
fn value(root: Node<'_>, diagnostics: &mut Diagnostics) -> Option<Value> {
    let mut reported = Diagnostics::default();
    let value = deliver::deliver(root, Delivery::Go, &mut reported);
    reported.retain(|diagnostic| diagnostic.severity == Severity::Error);
    diagnostics.append(reported);
    value
}
