//! Flux trees: files of Kubernetes objects, written by `convert`, by hand or by both.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostics, Severity};
use crate::flux::{Object, ObjectSet};
use crate::source::Sources;
use crate::value::Value;
use crate::yaml::deliver::{self, Delivery};
use crate::yaml::{self, Tree};

use super::{Failure, load};

/// Files that list others, in the order in which kustomize looks for them.
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];
/// Deepest nesting of kustomizations.
const MAX_DEPTH: usize = 32;
/// API group of kustomize's own files.
const KUSTOMIZE: &str = "kustomize.config.k8s.io/";

/// The files that a tree consists of: those that its kustomization lists, or all of it.
pub(super) fn files(input: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    find(input, 0, &mut files)?;
    Ok(files)
}

fn find(input: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if depth > MAX_DEPTH {
        let failure = Failure::new(format!(
            "kustomization `{}` is nested deeper than {MAX_DEPTH}",
            input.display()
        ));
        return Err(failure.hint("look for one that lists itself"));
    }
    let folder = input.is_dir();
    let mut lists = KUSTOMIZATIONS.iter().map(|name| input.join(name));
    let list = lists.find(|path| folder && path.is_file());
    let Some(list) = list else {
        files.push(input.to_owned());
        return Ok(());
    };
    for resource in resources(&list)? {
        find(&input.join(resource), depth + 1, files)?;
    }
    Ok(())
}

/// What a kustomization lists; one that does more than that is refused, since its result would not be what
/// is compared.
fn resources(path: &Path) -> Result<Vec<String>, Failure> {
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    load::load(&mut sources, &[path.to_owned()], &mut diagnostics)?;
    let refuse = |why: String| {
        let failure = Failure::new(format!("kustomization `{}` {why}", path.display()));
        failure.hint("build it first: kustomize build DIR | armada2flux diff -")
    };
    let mut found = Vec::new();
    for (id, file) in sources.iter() {
        let tree = yaml::read(id, file.text(), &mut diagnostics);
        for value in values(&tree, &mut diagnostics) {
            let entries = value.as_mapping().map(crate::value::Mapping::entries);
            for entry in entries.unwrap_or_default() {
                match &*entry.key {
                    "apiVersion" | "kind" | "metadata" | "sortOptions" => {}
                    "resources" => {
                        let items = entry.value.as_sequence().unwrap_or_default();
                        let names = items.iter().filter_map(Value::as_str);
                        found.extend(names.map(str::to_owned));
                    }
                    other => {
                        return Err(refuse(format!(
                            "has `{other}`, which is not evaluated here"
                        )));
                    }
                }
            }
        }
    }
    if let Some(error) = first_error(&diagnostics) {
        return Err(refuse(format!("cannot be read: {error}")));
    }
    if let Some(remote) = found
        .iter()
        .find(|name| name.contains("://") || name.contains('?'))
    {
        return Err(refuse(format!(
            "lists `{remote}`, which is not in this folder"
        )));
    }
    Ok(found)
}

fn first_error(diagnostics: &Diagnostics) -> Option<&str> {
    let mut errors = diagnostics.list().iter();
    let error = errors.find(|found| found.severity == Severity::Error)?;
    Some(&error.message)
}

/// The documents of a file as trees, as kubectl reads them. What it has to say of values is not about a
/// conversion, so errors alone are kept.
fn values(tree: &Tree, diagnostics: &mut Diagnostics) -> Vec<Value> {
    let mut found = Vec::new();
    for root in tree.roots() {
        let mut said = Diagnostics::default();
        found.extend(deliver::deliver(root, Delivery::Go, &mut said));
        let errors = said.list().iter().filter(|d| d.severity == Severity::Error);
        errors.cloned().for_each(|error| diagnostics.push(error));
    }
    found
}

/// The objects of a tree, in its order.
pub(super) fn objects(trees: &[Tree], diagnostics: &mut Diagnostics) -> Result<ObjectSet, Failure> {
    let mut set = ObjectSet::default();
    let mut seen = BTreeSet::new();
    for tree in trees {
        for value in values(tree, diagnostics) {
            if value == Value::null() {
                continue;
            }
            let span = value.span;
            let Some(mut object) = Object::from_value(value) else {
                return Err(
                    Failure::new("a document of the tree is no kubernetes object")
                        .hint("every document needs apiVersion, kind and metadata.name"),
                );
            };
            if object.api_version.starts_with(KUSTOMIZE) {
                continue;
            }
            object.origin = span;
            if !seen.insert((object.api_version.clone(), object.key())) {
                let message = format!("{} stands twice in the tree", object.title());
                return Err(Failure::new(message).hint("leave one of the two"));
            }
            set.extend([object]);
        }
    }
    Ok(set)
}

/// Reads a tree that is not the input: a folder or a file.
pub(super) fn read(input: &Path) -> Result<ObjectSet, Failure> {
    // A folder that is not there must not look like an empty one.
    fs::metadata(input).map_err(|cause| Failure::io("read", input, cause))?;
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    load::load(&mut sources, &files(input)?, &mut diagnostics)?;
    let trees: Vec<Tree> = sources
        .iter()
        .map(|(id, file)| yaml::read(id, file.text(), &mut diagnostics))
        .collect();
    let set = objects(&trees, &mut diagnostics)?;
    match first_error(&diagnostics) {
        None => Ok(set),
        Some(error) => Err(Failure::new(format!(
            "cannot read the tree `{}`: {error}",
            input.display()
        ))),
    }
}
