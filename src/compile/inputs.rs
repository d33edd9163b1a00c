//! Texts, read: the trees of all files, changed by the overrides, and the source map.

use std::collections::BTreeSet;

use crate::armada::overrides::{self, Set};
use crate::diagnostic::Diagnostics;
use crate::parallel::Workers;
use crate::source::{FileId, Sources};
use crate::source_map::{self, SourceMap};
use crate::yaml::{self, Dialect, Tree, construct};

use super::Content;

/// Texts and their kinds.
#[derive(Debug, Default)]
pub struct Texts {
    /// All files, arguments of overrides included.
    pub sources: Sources,
    /// The files that are compiled.
    pub documents: Vec<FileId>,
    /// Files with overrides, in the order in which they are merged.
    pub values: Vec<FileId>,
    /// Overrides from the command line, which come after those in files.
    pub sets: Vec<Set>,
    /// The file with the source map.
    pub source_map: SourceMapText,
}

/// Where the source map is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SourceMapText {
    /// No source map was asked for.
    #[default]
    None,
    /// In this file.
    File(FileId),
    /// It has no text; the reason was reported.
    Unreadable,
}

/// Everything that is compiled, read.
#[derive(Debug)]
pub struct Inputs {
    sources: Sources,
    /// The files that are compiled, overrides applied.
    trees: Vec<Tree>,
    /// All other files, and those of `trees` before the overrides: to find secrets in them.
    others: Vec<Tree>,
    /// `None` when it has faults.
    source_map: Option<SourceMap>,
    dialect: Dialect,
    workers: Workers,
}

impl Inputs {
    /// Reads the texts and applies the overrides. Faults are diagnostics.
    #[must_use]
    pub fn read(
        texts: Texts,
        dialect: Dialect,
        workers: Workers,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let Texts {
            sources,
            documents,
            values,
            sets,
            source_map,
        } = texts;
        let read = |files: &[FileId], diagnostics: &mut Diagnostics| -> Vec<Tree> {
            files
                .iter()
                .map(|&file| {
                    let text = sources.file(file).text();
                    yaml::read_in_parts(file, text, workers, diagnostics)
                })
                .collect()
        };
        let mut trees = read(&documents, diagnostics);
        let mut others = read(&values, diagnostics);
        if dialect == Dialect::PyYaml {
            // A tree of Flux objects is no input of Armada.
            let documents = (Content::detect(&trees) != Content::Flux).then_some(&trees);
            for tree in documents.into_iter().flatten().chain(&others) {
                construct::check(tree, diagnostics);
            }
        }
        let changed = overrides::apply(&trees, &others, &sets, dialect, diagnostics);
        for (tree, changed) in trees.iter_mut().zip(changed) {
            if let Some(changed) = changed {
                others.push(std::mem::replace(tree, changed));
            }
        }
        let source_map = match source_map {
            SourceMapText::None => Some(SourceMap::default()),
            SourceMapText::Unreadable => None,
            SourceMapText::File(file) => {
                let before = diagnostics.errors();
                let read = read(&[file], diagnostics);
                let map = read
                    .first()
                    .filter(|_| diagnostics.errors() == before)
                    .and_then(|tree| source_map::decode(tree, diagnostics));
                others.extend(read);
                map
            }
        };
        Self {
            sources,
            trees,
            others,
            source_map,
            dialect,
            workers,
        }
    }

    /// Returns all files.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// Returns the files that are compiled, overrides applied.
    #[must_use]
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Returns all trees, to find the secrets of a file.
    #[must_use]
    pub fn all_trees(&self) -> Vec<&Tree> {
        self.trees.iter().chain(&self.others).collect()
    }

    /// Names of the files, without the arguments that changed them.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        let ids: BTreeSet<_> = self
            .trees
            .iter()
            .chain(&self.others)
            .map(Tree::file)
            .collect();
        ids.into_iter().map(|id| self.sources.file(id).name())
    }

    pub(super) fn source_map(&self) -> Option<&SourceMap> {
        self.source_map.as_ref()
    }

    pub(super) fn workers(&self) -> Workers {
        self.workers
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }
}
