//! The input of commands: files, overrides and the source map.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::armada::overrides::{self, Set};
use crate::compile::{Content, Inputs, SourceMapText, Texts};
use crate::diagnostic::Diagnostics;
use crate::source::Sources;
use crate::yaml::Dialect;

use super::{Failure, flux_tree, load};

/// Help on the files of commands that take Flux trees, too.
pub(super) const TREES_TOO: &str =
    "Files or folders with Armada documents, or with a Flux tree; `-` is stdin";

/// Input files, and the options that Armada's own command line has for them.
#[derive(Debug, Args)]
pub(super) struct InputArguments {
    /// Files with Armada documents, or folders with YAML files; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Manifest to use, if the input has several
    #[arg(long, value_name = "NAME")]
    pub(super) target_manifest: Option<String>,
    /// Override a value as Armada does: KIND is chart, chart_group or manifest; values are strings; may be given several
    /// times
    #[arg(long, value_name = "KIND:NAME:path=value")]
    set: Vec<String>,
    /// File with documents to merge over those of the same schema and name, before --set; may be given several times
    #[arg(long, value_name = "FILE")]
    values: Vec<PathBuf>,
    /// Programs through which documents and values went to Helm; changes types of values, nothing else
    #[arg(long, value_enum, default_value_t = YamlReader::PyYaml, value_name = "READER")]
    pub(super) yaml_reader: YamlReader,
}

impl InputArguments {
    /// Returns the files as they were given.
    pub(super) fn named(&self) -> &[PathBuf] {
        &self.files
    }

    /// Reads all files; a folder stands for the YAML files below it.
    pub(super) fn read(
        &self,
        source_map: Option<&Path>,
        diagnostics: &mut Diagnostics,
    ) -> Result<Inputs, Failure> {
        self.read_files(&self.files, source_map, diagnostics)
    }

    /// As [`Self::read`], but a folder with a Kustomization stands for the files that it lists, unless the input holds
    /// Armada documents: those are read as `convert` reads them.
    pub(super) fn read_trees(
        &self,
        source_map: Option<&Path>,
        diagnostics: &mut Diagnostics,
    ) -> Result<Inputs, Failure> {
        let mut files = Vec::new();
        let mut folders = Vec::new();
        let mut not_followed = None;
        for file in &self.files {
            match flux_tree::files(file) {
                Ok(found) if found == [file.as_path()] => files.extend(found),
                Ok(found) => {
                    folders.push(file.clone());
                    files.extend(found);
                }
                Err(failure) => {
                    folders.push(file.clone());
                    not_followed.get_or_insert(failure);
                }
            }
        }
        if may_hold_documents(&folders)? {
            let mut found = diagnostics.of_same_levels();
            let inputs = self.read(source_map, &mut found)?;
            if let Content::Armada { objects: _ } = inputs.content() {
                diagnostics.append(found);
                return Ok(inputs);
            }
        }
        match not_followed {
            Some(failure) => Err(failure),
            None => self.read_files(&files, source_map, diagnostics),
        }
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
                    .hint("put several overrides into one file and give it with `--values`")
                })?;
            sets.push(Set {
                argument: argument.clone(),
                file,
            });
        }
        if let Some(file) = source_map {
            *map = load_source_map(sources, file, diagnostics)?;
        }
        let dialect = self.yaml_reader.dialect();
        Ok(Inputs::read(texts, dialect, super::workers(), diagnostics))
    }
}

/// Returns whether files of these folders have a text that every Armada document has. It costs less than to read all
/// trees twice.
fn may_hold_documents(folders: &[PathBuf]) -> Result<bool, Failure> {
    if folders.is_empty() {
        return Ok(false);
    }
    let mut sources = Sources::default();
    load::load(&mut sources, folders, &mut Diagnostics::default())?;
    let found = sources
        .iter()
        .any(|(_, file)| file.text().contains("schema") && file.text().contains("armada/"));
    Ok(found)
}

fn load_source_map(
    sources: &mut Sources,
    file: &Path,
    diagnostics: &mut Diagnostics,
) -> Result<SourceMapText, Failure> {
    if file.is_dir() {
        let failure = Failure::new(format!("the source map `{}` is a folder", file.display()));
        return Err(failure.hint("give the file in it"));
    }
    let files = load::load(sources, &[file.to_owned()], diagnostics)?;
    Ok(match files.as_slice() {
        [file] => SourceMapText::File(*file),
        _ => SourceMapText::Unreadable,
    })
}

/// What reads the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum YamlReader {
    /// PyYAML, then go-yaml: Armada
    #[value(name = "pyyaml")]
    PyYaml,
    /// go-yaml alone: armada-go. Waits, tests, hooks, deletions and limits stay those of Armada
    GoYaml,
}

impl YamlReader {
    fn dialect(self) -> Dialect {
        match self {
            YamlReader::PyYaml => Dialect::PyYaml,
            YamlReader::GoYaml => Dialect::GoYamlV2,
        }
    }
}
