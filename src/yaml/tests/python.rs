//! The real PyYAML, in a virtual environment of the tests' own.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the test runs a program, hands it a file and says so where there is none"
)]

use std::fs::{self, File};
use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

/// The version that Armada pins.
const PYYAML: &str = "PyYAML==6.0.3";

/// Runs a script that answers each line of JSON with a line of JSON. `None`, with the reason
/// printed, where Python or PyYAML is not installed.
pub(crate) fn answers(script: &str, requests: &[Value]) -> Option<Vec<Value>> {
    let python = match interpreter() {
        Ok(python) => python,
        Err(reason) => {
            writeln!(stderr(), "skipped: {reason}").unwrap();
            return None;
        }
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("requests");
    let mut file = File::create(&path).unwrap();
    for request in requests {
        writeln!(file, "{request}").unwrap();
    }
    let output = Command::new(python)
        .args(["-c", script])
        .stdin(File::open(&path).unwrap())
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(answers.len(), requests.len(), "{errors}");
    Some(answers)
}

/// Python with PyYAML; the environment is made on first use and kept below the target folder.
fn interpreter() -> Result<&'static Path, &'static str> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = FOUND.get_or_init(environment);
    found.as_deref().map_err(String::as_str)
}

fn environment() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    // target/PROFILE/deps/PROGRAM
    let target = program.ancestors().nth(3).ok_or("no target folder")?;
    let dir = target.join("python-pyyaml");
    let python = dir.join("bin/python");
    let ready = dir.join("ready");
    if fs::read_to_string(&ready).is_ok_and(|made| made == PYYAML) {
        return Ok(python);
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&dir))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", PYYAML]))?;
    fs::write(&ready, PYYAML).map_err(|error| error.to_string())?;
    Ok(python)
}

fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}");
    match command.stdin(Stdio::null()).output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            Err(format!("{shown} failed: {}", errors.trim()))
        }
        Err(error) => Err(format!("{shown} cannot be run: {error}")),
    }
}
