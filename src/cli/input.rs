//! What commands that read Armada documents share: files, overrides, decoding.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::armada::leftover;
use crate::armada::overrides::{self, Set};
use crate::armada::{Documents, Ledger, decode_documents};
use crate::diagnostic::Diagnostics;
use crate::plan::{self, Plan};
use crate::resolve;
use crate::source::Sources;
use crate::source_map::{self, SourceMap};
use crate::yaml::{self, Dialect, Tree};

use super::{Failure, flux_tree, load};

/// Files with Armada documents and what Armada's command line says about them.
#[derive(Debug, Args)]
pub(super) struct InputArguments {
    /// Files with Armada documents; `-` is stdin, a folder stands for the YAML files below it
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The Manifest in question, when there are several
    #[arg(long, value_name = "NAME")]
    pub(super) target_manifest: Option<String>,
    /// Change documents as armada does: KIND is chart, chart_group or manifest; values are strings
    #[arg(long, value_name = "KIND:NAME:path=value")]
    set: Vec<String>,
    /// Merge the documents of this file over those of the same schema and name, before any --set
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// Which Armada deployed the site
    #[arg(long, value_enum, default_value_t = Armada::Python, value_name = "WHICH")]
    pub(super) armada: Armada,
}

impl InputArguments {
    /// The files, as they were given.
    pub(super) fn named(&self) -> &[PathBuf] {
        &self.files
    }

    /// The plan of the chosen Manifest, unless something is wrong with the documents.
    pub(super) fn plan<'d, 't>(
        &self,
        documents: &'d Documents<'t>,
        options: plan::Options,
        diagnostics: &mut Diagnostics,
    ) -> Option<Plan<'d, 't>> {
        if !documents.not_rendered.is_empty() || documents.is_empty() {
            return None;
        }
        let target = self.target_manifest.as_deref();
        let site = resolve::resolve(documents, target, diagnostics)?;
        plan::plan(site, options, diagnostics)
    }
}

/// The programs that read Armada documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Armada {
    /// The Python program
    Python,
    /// armada-go
    Go,
}

impl Armada {
    fn dialect(self) -> Dialect {
        match self {
            Armada::Python => Dialect::PyYaml,
            Armada::Go => Dialect::GoYamlV2,
        }
    }
}

/// What input files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Armada documents.
    Armada,
    /// Kubernetes objects.
    Flux,
}

/// The input, read and changed by the overrides.
pub(super) struct Input {
    /// All files, override files and arguments included.
    pub(super) sources: Sources,
    /// What the input files hold, overrides applied.
    trees: Vec<Tree>,
    /// Files as they were before overrides, and override files: for what may be shown of them.
    others: Vec<Tree>,
    dialect: Dialect,
}

impl Input {
    /// Reads everything.
    pub(super) fn read(
        arguments: &InputArguments,
        diagnostics: &mut Diagnostics,
    ) -> Result<Self, Failure> {
        Self::read_files(arguments, &arguments.files, diagnostics)
    }

    /// As [`Input::read`], where a folder may be a Flux tree: then it is what its kustomization lists.
    pub(super) fn read_trees(
        arguments: &InputArguments,
        diagnostics: &mut Diagnostics,
    ) -> Result<Self, Failure> {
        let mut files = Vec::new();
        for file in &arguments.files {
            files.extend(flux_tree::files(file)?);
        }
        Self::read_files(arguments, &files, diagnostics)
    }

    fn read_files(
        arguments: &InputArguments,
        files: &[PathBuf],
        diagnostics: &mut Diagnostics,
    ) -> Result<Self, Failure> {
        let dialect = arguments.armada.dialect();
        let mut sources = Sources::default();
        load::load(&mut sources, files, diagnostics)?;
        let mut trees = read_from(&sources, 0, diagnostics);
        let before = sources.iter().count();
        load::load(&mut sources, &arguments.values, diagnostics)?;
        let mut others = read_from(&sources, before, diagnostics);
        let mut sets = Vec::new();
        for (at, argument) in arguments.set.iter().enumerate() {
            let name = format!("<--set {}>", at + 1);
            let file = sources
                .add(name, overrides::shown(argument))
                .ok_or_else(|| {
                    Failure::new(format!(
                        "more than {} files and arguments",
                        Sources::MAX_FILES
                    ))
                    .hint("put several overrides into one file and give it with --values")
                })?;
            sets.push(Set {
                argument: argument.clone(),
                file,
            });
        }
        let changed = overrides::apply(&trees, &others, &sets, dialect, diagnostics);
        for (tree, changed) in trees.iter_mut().zip(changed) {
            if let Some(changed) = changed {
                others.push(std::mem::replace(tree, changed));
            }
        }
        Ok(Self {
            sources,
            trees,
            others,
            dialect,
        })
    }

    /// Reads the source map; an empty one without a file, `None` when it has faults, which are diagnostics.
    pub(super) fn source_map(
        &mut self,
        file: Option<&Path>,
        diagnostics: &mut Diagnostics,
    ) -> Result<Option<SourceMap>, Failure> {
        let Some(file) = file else {
            return Ok(Some(SourceMap::default()));
        };
        let is_folder = file.is_dir();
        if is_folder {
            let failure = Failure::new(format!("the source map `{}` is a folder", file.display()));
            return Err(failure.hint("name the file"));
        }
        let before = self.sources.iter().count();
        let errors = diagnostics.errors();
        load::load(&mut self.sources, &[file.to_owned()], diagnostics)?;
        let trees = read_from(&self.sources, before, diagnostics);
        // One file makes one tree; none when it cannot be read, which was reported.
        let map = match trees.first() {
            Some(tree) if diagnostics.errors() == errors => source_map::decode(tree, diagnostics),
            Some(_) | None => None,
        };
        self.others.extend(trees);
        Ok(map)
    }

    /// What the input is, by its first document that says so.
    pub(super) fn content(&self) -> Content {
        let mut roots = self.trees.iter().flat_map(Tree::roots);
        let is_object = |root: crate::yaml::tree::Node<'_>| {
            let has = |name: &str| {
                let mut keys = root.entries().filter_map(|(key, _)| key.scalar());
                keys.any(|key| key.text == name)
            };
            has("apiVersion") && has("kind") && !has("schema")
        };
        if roots.any(is_object) {
            Content::Flux
        } else {
            Content::Armada
        }
    }

    /// What the input files hold, overrides applied.
    pub(super) fn trees(&self) -> &[Tree] {
        &self.trees
    }

    /// Names of the files, without the arguments that changed them.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        let trees = self.trees.iter().chain(&self.others);
        let ids: std::collections::BTreeSet<_> = trees.map(Tree::file).collect();
        ids.into_iter().map(|id| self.sources.file(id).name())
    }

    /// All trees, to find out what of a file may be shown.
    pub(super) fn all_trees(&self) -> Vec<&Tree> {
        self.trees.iter().chain(&self.others).collect()
    }

    /// Decodes the documents, and says what is wrong with the input as a whole.
    pub(super) fn decode(&self, diagnostics: &mut Diagnostics) -> (Documents<'_>, Vec<Ledger>) {
        let mut documents = Documents::default();
        let ledgers = self
            .trees
            .iter()
            .map(|tree| decode_documents(tree, self.dialect, &mut documents, diagnostics))
            .collect();
        leftover::report(&documents, diagnostics);
        (documents, ledgers)
    }
}

fn read_from(sources: &Sources, first: usize, diagnostics: &mut Diagnostics) -> Vec<Tree> {
    sources
        .iter()
        .skip(first)
        .map(|(id, file)| yaml::read_in_parts(id, file.text(), super::workers(), diagnostics))
        .collect()
}
