//! What commands that read Armada documents share: files and what the command line says about them.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::armada::overrides::{self, Set};
use crate::compile::{Inputs, SourceMapText, Texts};
use crate::diagnostic::Diagnostics;
use crate::source::Sources;
use crate::yaml::Dialect;

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

    /// Reads everything.
    pub(super) fn read(
        &self,
        source_map: Option<&Path>,
        diagnostics: &mut Diagnostics,
    ) -> Result<Inputs, Failure> {
        self.read_files(&self.files, source_map, diagnostics)
    }

    /// As [`Self::read`], where a folder may be a Flux tree: then it is what its kustomization lists.
    pub(super) fn read_trees(
        &self,
        source_map: Option<&Path>,
        diagnostics: &mut Diagnostics,
    ) -> Result<Inputs, Failure> {
        let mut files = Vec::new();
        for file in &self.files {
            files.extend(flux_tree::files(file)?);
        }
        self.read_files(&files, source_map, diagnostics)
    }

    fn read_files(
        &self,
        files: &[PathBuf],
        source_map: Option<&Path>,
        diagnostics: &mut Diagnostics,
    ) -> Result<Inputs, Failure> {
        let mut texts = Texts::default();
        let Texts {
            sources,
            documents,
            values,
            sets,
            source_map: map,
        } = &mut texts;
        *documents = load::load(sources, files, diagnostics)?;
        *values = load::load(sources, &self.values, diagnostics)?;
        for (at, argument) in self.set.iter().enumerate() {
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
        if let Some(file) = source_map {
            *map = load_source_map(sources, file, diagnostics)?;
        }
        let dialect = self.armada.dialect();
        Ok(Inputs::read(texts, dialect, super::workers(), diagnostics))
    }
}

fn load_source_map(
    sources: &mut Sources,
    file: &Path,
    diagnostics: &mut Diagnostics,
) -> Result<SourceMapText, Failure> {
    if file.is_dir() {
        let failure = Failure::new(format!("the source map `{}` is a folder", file.display()));
        return Err(failure.hint("name the file"));
    }
    let files = load::load(sources, &[file.to_owned()], diagnostics)?;
    Ok(match files.as_slice() {
        [file] => SourceMapText::File(*file),
        _ => SourceMapText::Unreadable,
    })
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
