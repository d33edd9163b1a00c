//! Python with packages, in virtual environments for the tests.

use std::fs;
use std::io::Seek as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::{Outcome, target_folder};

/// The version that Armada pins. The unit tests use the same environment.
const PYYAML: &str = "PyYAML==6.0.3";

/// A validator of XML schemas.
const XMLSCHEMA: &str = "xmlschema==4.3.2";

/// Python with PyYAML, or why there is none. The environment is made on first use and kept below the target folder.
pub(crate) fn interpreter() -> Result<&'static Path, &'static str> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    found(&FOUND, "python-pyyaml", PYYAML)
}

/// Python with a validator of XML schemas, or why there is none; kept as the other one is.
pub(crate) fn xml_validator() -> Result<&'static Path, &'static str> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    found(&FOUND, "python-xmlschema", XMLSCHEMA)
}

fn found(
    cell: &'static OnceLock<Result<PathBuf, String>>,
    folder: &str,
    package: &str,
) -> Result<&'static Path, &'static str> {
    cell.get_or_init(|| environment(folder, package).map_err(|error| error.to_string()))
        .as_deref()
        .map_err(String::as_str)
}

fn environment(folder: &str, package: &str) -> Outcome<PathBuf> {
    let folder = target_folder().join(folder);
    let python = folder.join("bin/python");
    let ready = folder.join("ready");
    if fs::read_to_string(&ready).is_ok_and(|made| made == package) {
        return Ok(python);
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&folder))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", package]))?;
    fs::write(&ready, package)?;
    Ok(python)
}

fn run(command: &mut Command) -> Outcome {
    let shown = format!("{command:?}");
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("{shown} cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("{shown} failed: {}", errors.trim()).into())
}

/// Runs a script with `input` on its stdin and returns what it prints.
pub(crate) fn answer(script: &str, input: &str) -> Outcome<Vec<u8>> {
    let mut file = tempfile::tempfile()?;
    std::io::Write::write_all(&mut file, input.as_bytes())?;
    file.rewind()?;
    let output = Command::new(interpreter()?)
        .args(["-c", script])
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(file)
        .output()?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("python: {}", String::from_utf8_lossy(&output.stderr).trim()).into())
    }
}
