//! Files back to objects: a Flux tree, written by `convert`, edited or both, and what its kustomizations list.

use std::collections::BTreeSet;

use crate::diagnostic::{Diagnostics, Severity};
use crate::flux::{Object, ObjectSet};
use crate::value::{Mapping, Value};
use crate::yaml::Tree;
use crate::yaml::deliver::{self, Delivery};

/// Files that list others, in the order in which kustomize looks for them.
pub(crate) const KUSTOMIZATIONS: [&str; 3] =
    ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// API group of kustomize's own files.
const KUSTOMIZE: &str = "kustomize.config.k8s.io/";

/// Why files are not a tree of objects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A document lacks what every object has.
    #[error("a document of the tree is not a Kubernetes object")]
    NotAnObject,
    /// An object is there twice.
    #[error("{0} appears twice in the tree")]
    Twice(String),
}

impl Fault {
    /// Returns the advice.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Fault::NotAnObject => "every document needs apiVersion, kind and metadata.name",
            Fault::Twice(_) => "leave one of the two",
        }
    }
}

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

/// Returns the objects of a tree, in its order; kustomizations are left out.
///
/// # Errors
///
/// A document is not an object, or an object is there twice.
pub(crate) fn objects(trees: &[Tree], diagnostics: &mut Diagnostics) -> Result<ObjectSet, Fault> {
    let mut set = ObjectSet::default();
    let mut seen = BTreeSet::new();
    for tree in trees {
        for value in values(tree, diagnostics) {
            if value == Value::null() {
                continue;
            }
            let span = value.span;
            let mut object = Object::from_value(value).ok_or(Fault::NotAnObject)?;
            if object.api_version.starts_with(KUSTOMIZE) {
                continue;
            }
            object.origin = span;
            if !seen.insert((object.api_version.clone(), object.key())) {
                return Err(Fault::Twice(object.title()));
            }
            set.extend([object]);
        }
    }
    Ok(set)
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
    for value in values(tree, diagnostics) {
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

/// Returns the documents of a file as trees, as kubectl reads them. Its diagnostics about values are not about a
/// conversion, so only errors are kept.
fn values(tree: &Tree, diagnostics: &mut Diagnostics) -> Vec<Value> {
    let mut found = Vec::new();
    for root in tree.roots() {
        let mut reported = Diagnostics::default();
        found.extend(deliver::deliver(root, Delivery::Go, &mut reported));
        reported.retain(|diagnostic| diagnostic.severity == Severity::Error);
        diagnostics.append(reported);
    }
    found
}
