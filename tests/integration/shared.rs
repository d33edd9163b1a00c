//! Reads `../shared`, the folder beside the checkout with real input and recorded answers of Armada.

use std::path::{Path, PathBuf};

use armada2flux::diagnostic::Diagnostics;
use armada2flux::source::Sources;
use armada2flux::value::Value;
use armada2flux::yaml::{self, Tree};
use libtest_mimic::{Completion, Failed, Trial};
use serde::Deserialize as _;
use serde_json::Value as Json;

/// Returns `../shared` if it exists.
pub(crate) fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    folder.is_dir().then_some(folder)
}

/// A test that gets the folder `needed` of `../shared`. Without that folder it is ignored, with the reason.
pub(crate) fn trial(
    name: &str,
    needed: &str,
    test: impl FnOnce(&Path) -> Result<(), Failed> + Send + 'static,
) -> Trial {
    let needed = needed.to_owned();
    Trial::ignorable_test(name, move || {
        match folder()
            .map(|folder| folder.join(&needed))
            .filter(|folder| folder.is_dir())
        {
            Some(folder) => test(&folder).map(|()| Completion::Completed),
            None => Ok(Completion::ignored_with(format!(
                "../shared/{needed} does not exist"
            ))),
        }
    })
}

/// Returns the files below a folder with one of the extensions, sorted.
pub(crate) fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable folder") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path
                .extension()
                .is_some_and(|end| extensions.iter().any(|wanted| end == *wanted))
            {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Returns the cases of Armada's waits, with its answers, from the folder `oracle/waits`.
pub(crate) fn wait_cases(folder: &Path) -> Result<Vec<Json>, Failed> {
    let text = std::fs::read_to_string(folder.join("cases.json"))?;
    Ok(serde_json::from_str(&text)?)
}

/// Fails with all differences if there are any.
pub(crate) fn no_differences(differences: &[String]) -> Result<(), Failed> {
    match differences {
        [] => Ok(()),
        _ => Err(differences.join("\n").into()),
    }
}

/// Adds a file to `sources` and parses it.
pub(crate) fn read(path: &Path, sources: &mut Sources, diagnostics: &mut Diagnostics) -> Tree {
    let text = std::fs::read_to_string(path).expect("a readable file");
    let id = sources
        .add(path.display().to_string(), text)
        .expect("room for a file");
    yaml::read(id, sources.file(id).text(), diagnostics)
}

/// Converts JSON into a value of the program.
pub(crate) fn value(json: &Json) -> Value {
    Value::deserialize(json).expect("a value")
}
