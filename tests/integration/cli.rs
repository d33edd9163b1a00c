//! The command line: arguments, streams, files, exit codes.

mod dangers;
mod diff;
mod explain;
mod failing;
mod files;
mod foreign;
mod input;
mod junit;
mod output;
mod rbac;
mod report;
#[cfg(unix)]
mod screen;
mod terminal;
mod trees;
mod usage;

pub(crate) use diff::{edited, places, single_changes};
pub(crate) use terminal::{on_terminal, typed};

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::Trial;
use tempfile::TempDir;

use super::support::{Result, root};

pub(crate) fn trials() -> Vec<Trial> {
    let parts = [
        dangers::trials(),
        diff::trials(),
        explain::trials(),
        failing::trials(),
        files::trials(),
        foreign::trials(),
        input::trials(),
        junit::trials(),
        output::trials(),
        rbac::trials(),
        report::trials(),
        terminal::trials(),
        trees::trials(),
        usage::trials(),
    ];
    parts.into_iter().flatten().collect()
}

/// A test and its name.
type Named = (&'static str, fn() -> Result);

/// Named tests of one file.
fn named(part: &str, tests: &[Named]) -> Vec<Trial> {
    let trials = tests
        .iter()
        .map(|&(name, test)| Trial::test(format!("cli::{part}::{name}"), test));
    trials.collect()
}

/// A temporary folder with the input of a case.
struct Workspace {
    folder: TempDir,
}

impl Workspace {
    /// Creates one with `armada.yaml` of a case below `testdata/cases`.
    fn with(case: &str) -> Result<Self> {
        let workspace = Self {
            folder: tempfile::tempdir()?,
        };
        let input = root().join("testdata/cases").join(case).join("armada.yaml");
        fs::copy(input, workspace.path("armada.yaml"))?;
        Ok(workspace)
    }

    /// Creates one with a small site of three releases in two groups.
    fn small() -> Result<Self> {
        Self::with("convert-small")
    }

    fn dir(&self) -> &Path {
        self.folder.path()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> Result<String> {
        let text = fs::read_to_string(self.path(name));
        Ok(text.map_err(|error| format!("{name}: {error}"))?)
    }

    /// Returns the names in the folder, sorted.
    fn names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.dir())? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }
}
