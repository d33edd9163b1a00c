//! Flux trees on disk: which files belong to one, and reading them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostics;
use crate::flux::ObjectSet;
use crate::render::read::{self, KUSTOMIZATIONS};
use crate::report;
use crate::source::{FileId, Sources};
use crate::yaml::{self, Tree};

use super::{Failure, load};

/// Deepest nesting of Kustomizations.
const MAX_DEPTH: usize = 32;

/// Returns the files of a tree: those that its Kustomization lists, or the path itself.
pub(super) fn files(input: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    find(input, 0, &mut files)?;
    Ok(files)
}

fn find(input: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    if depth > MAX_DEPTH {
        let failure = Failure::new(format!(
            "the Kustomization `{}` is nested deeper than {MAX_DEPTH} levels",
            input.display()
        ));
        return Err(failure.hint("look for a Kustomization that lists itself"));
    }
    let folder = input.is_dir();
    let list = KUSTOMIZATIONS
        .iter()
        .map(|name| input.join(name))
        .find(|path| folder && path.is_file());
    let Some(list) = list else {
        files.push(input.to_owned());
        return Ok(());
    };
    for resource in resources(&list)? {
        find(&input.join(resource), depth + 1, files)?;
    }
    Ok(())
}

/// Returns what a Kustomization lists; refuses one that patches or generates.
fn resources(path: &Path) -> Result<Vec<String>, Failure> {
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let files = load::load(&mut sources, &[path.to_owned()], &mut diagnostics)?;
    let refuse = |why: &dyn std::fmt::Display| {
        let failure = Failure::new(format!("the Kustomization `{}` {why}", path.display()));
        let folder = path.parent().unwrap_or(Path::new("."));
        let folder = report::quoted_path(folder);
        failure.hint(format!(
            "build it first: `kustomize build {folder} | armada2flux diff -`"
        ))
    };
    let mut found = Vec::new();
    for tree in trees(&sources, &files, &mut diagnostics) {
        found.extend(read::resources(&tree, &mut diagnostics).map_err(|why| refuse(&why))?);
    }
    match diagnostics.first_error() {
        Some(error) => Err(refuse(&format!("cannot be read: {}", error.message))),
        None => Ok(found),
    }
}

fn trees(sources: &Sources, files: &[FileId], diagnostics: &mut Diagnostics) -> Vec<Tree> {
    files
        .iter()
        .map(|&file| yaml::read(file, sources.file(file).text(), diagnostics))
        .collect()
}

/// Reads a tree that is not the input: a folder or a file.
pub(super) fn read(input: &Path) -> Result<ObjectSet, Failure> {
    // A missing folder must not look like an empty one.
    fs::metadata(input).map_err(|cause| Failure::io("read", input, cause))?;
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let files = load::load(&mut sources, &files(input)?, &mut diagnostics)?;
    let trees = trees(&sources, &files, &mut diagnostics);
    let set = read::objects(&trees, &mut diagnostics)?;
    match diagnostics.first_error() {
        None => Ok(set),
        Some(error) => Err(Failure::new(format!(
            "cannot read the tree `{}`: {}",
            input.display(),
            error.message
        ))),
    }
}
