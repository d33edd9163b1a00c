//! Flux trees on disk: which files belong to one, and reading them.

use std::fs;
use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostics;
use crate::flux::ObjectSet;
use crate::render::read::{self, KUSTOMIZATIONS};
use crate::report;
use crate::source::{FileId, Sources};
use crate::yaml::{self, Tree};

use super::{Failure, Output, load, show};

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
        Some(error) => {
            let place = error.labels.first().map(|label| sources.locate(label.span));
            let place = place.map_or_else(String::new, |place| format!("{place}: "));
            Err(refuse(&format!("cannot be read: {place}{}", error.message)))
        }
        None => Ok(found),
    }
}

fn trees(sources: &Sources, files: &[FileId], diagnostics: &mut Diagnostics) -> Vec<Tree> {
    files
        .iter()
        .map(|&file| yaml::read(file, sources.file(file).text(), diagnostics))
        .collect()
}

/// Reads a tree that is not the input: a folder or a file. Its faults are printed before this fails.
pub(super) fn read(input: &Path, output: &Output) -> Result<ObjectSet, Failure> {
    // A missing folder must not look like an empty one.
    let found = fs::metadata(input).map_err(|cause| Failure::io("read", input, cause))?;
    if found.is_dir() && is_empty(input, 0)? {
        return Ok(ObjectSet::default());
    }
    let mut sources = Sources::default();
    let mut diagnostics = Diagnostics::default();
    let files = load::load(&mut sources, &files(input)?, &mut diagnostics)?;
    let trees = trees(&sources, &files, &mut diagnostics);
    let set = read::objects(&trees, &mut diagnostics);
    if diagnostics.errors() == 0 {
        return Ok(set);
    }
    show::diagnostics(
        diagnostics.list(),
        &sources,
        &trees.iter().collect::<Vec<_>>(),
        &output.errors_only(),
    );
    let act = format!("cannot read the tree `{}`", input.display());
    Err(Failure::new(act).hint("correct what is shown above"))
}

/// Returns whether a folder has no files: a site before its first tree. Hidden ones, such as Git's, do not count.
fn is_empty(folder: &Path, depth: usize) -> Result<bool, Failure> {
    if depth > MAX_DEPTH {
        return Ok(false);
    }
    for (path, kind) in load::entries(folder)? {
        let hidden = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let counts_not = hidden || kind.is_dir() && is_empty(&path, depth + 1)?;
        if !counts_not {
            return Ok(false);
        }
    }
    Ok(true)
}
