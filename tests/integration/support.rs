//! Running the program, reading and comparing trees of files.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use libtest_mimic::Failed;
use serde_json::Value;
use similar::TextDiff;

/// The result of a test.
pub(crate) type Result<T = ()> = std::result::Result<T, Failed>;

/// The environment variable that makes tests rewrite their expected files.
pub(crate) const UPDATE: &str = "UPDATE_GOLDEN";

/// The environment variable that names another program to test, such as an earlier version.
const PROGRAM: &str = "ARMADA2FLUX_PROGRAM";

/// Returns the root of the checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether to rewrite expected files.
pub(crate) fn update() -> bool {
    std::env::var_os(UPDATE).is_some_and(|value| !value.is_empty() && value != "0")
}

/// Returns the program under test: this build's, or another version that [`PROGRAM`] names.
pub(crate) fn program_path() -> OsString {
    std::env::var_os(PROGRAM).unwrap_or_else(|| env!("CARGO_BIN_EXE_armada2flux").into())
}

/// Returns a command for the program, with an empty environment and empty stdin.
pub(crate) fn program() -> Command {
    let mut command = Command::new(program_path());
    command.env_clear().stdin(Stdio::null());
    // Needed for colours on a terminal.
    command.env("TERM", "xterm");
    command
}

/// Output and exit code of a finished program.
#[derive(Debug)]
pub(crate) struct ProgramOutput {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// `None` if a signal ended the program.
    pub(crate) code: Option<i32>,
}

impl ProgramOutput {
    pub(crate) fn new(output: Output) -> Result<Self> {
        let Output {
            status,
            stdout,
            stderr,
        } = output;
        Ok(Self {
            stdout: String::from_utf8(stdout)?,
            stderr: String::from_utf8(stderr)?,
            code: status.code(),
        })
    }

    /// Fails unless the program exited with `code`.
    pub(crate) fn expect_code(self, code: i32) -> Result<Self> {
        if self.code == Some(code) {
            return Ok(self);
        }
        let Self {
            stdout,
            stderr,
            code: found,
        } = self;
        Err(
            format!("exit code {found:?} instead of {code}\nstdout:\n{stdout}\nstderr:\n{stderr}")
                .into(),
        )
    }

    /// Fails unless stderr contains `text`.
    pub(crate) fn expect_stderr(self, text: &str) -> Result<Self> {
        contains(&self.stderr, text)?;
        Ok(self)
    }
}

/// Runs the program in a folder.
pub(crate) fn run<A: AsRef<OsStr>>(folder: &Path, arguments: &[A]) -> Result<ProgramOutput> {
    let output = program().current_dir(folder).args(arguments).output()?;
    ProgramOutput::new(output)
}

/// Runs a command with `input` on its stdin.
pub(crate) fn run_with_input(command: &mut Command, input: &[u8]) -> Result<ProgramOutput> {
    command.stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let stdin = child.stdin.take();
    let written = std::thread::scope(|scope| {
        let writer = scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        let output = child.wait_with_output();
        // Writing fails if the program exits early; the test sees that in its output.
        let _ = writer.join();
        output
    });
    ProgramOutput::new(written?)
}

/// Fails unless `text` contains `part`.
pub(crate) fn contains(text: &str, part: &str) -> Result {
    if text.contains(part) {
        Ok(())
    } else {
        Err(format!("`{part}` is not in:\n{text}").into())
    }
}

/// Fails if `text` contains `part`.
pub(crate) fn lacks(text: &str, part: &str) -> Result {
    if text.contains(part) {
        Err(format!("`{part}` must not be in:\n{text}").into())
    } else {
        Ok(())
    }
}

/// Fails if a text without colours acts on a terminal, a log or a CI system: it has a character without a glyph, or a line that
/// is a command.
pub(crate) fn expect_inert(text: &str) -> Result {
    let acts = |c: &char| {
        c.is_control() && *c != '\n'
            || matches!(
                *c,
                '\u{61c}'
                    | '\u{200b}'..='\u{200f}'
                    | '\u{2028}'..='\u{202e}'
                    | '\u{2060}'..='\u{206f}'
                    | '\u{feff}'
                    | '\u{fff9}'..='\u{fffb}'
                    | '\u{e0000}'..='\u{e007f}'
            )
    };
    if let Some(c) = text.chars().find(acts) {
        return Err(format!("{} is in {text:?}", c.escape_unicode()).into());
    }
    let command = |line: &&str| {
        line.trim_start().starts_with("::") || line.contains("##[") || line.contains("##vso[")
    };
    match text.lines().find(command) {
        Some(line) => Err(format!("a CI system runs {line:?} of:\n{text}").into()),
        None => Ok(()),
    }
}

/// Fails with `reason` unless `holds`.
pub(crate) fn ensure(holds: bool, reason: impl Into<String>) -> Result {
    if holds {
        Ok(())
    } else {
        Err(reason.into().into())
    }
}

/// Files by their path below a folder, separated by `/`.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// Reads all files below a folder; a missing folder has none.
pub(crate) fn read_tree(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    if folder.exists() {
        walk(folder, "", &mut files)?;
    }
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, files: &mut Files) -> Result {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &format!("{name}/"), files)?;
        } else {
            let bytes = fs::read(entry.path()).map_err(|error| format!("{name}: {error}"))?;
            files.insert(name, bytes);
        }
    }
    Ok(())
}

/// Returns the folders in a folder by name, sorted.
pub(crate) fn folders(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut found: Vec<(String, PathBuf)> = entries
        .filter_map(std::result::Result::ok)
        .filter(|entry| entry.path().is_dir())
        .map(|entry| {
            (
                entry.file_name().to_string_lossy().into_owned(),
                entry.path(),
            )
        })
        .collect();
    found.sort();
    found
}

/// Compares files; the error has a diff of each.
pub(crate) fn compare(expected: &Files, found: &Files) -> Result {
    const SHOWN: usize = 6000;
    let mut report = String::new();
    for (name, bytes) in expected {
        match found.get(name) {
            None => writeln!(report, "{name}: expected, but missing")?,
            Some(other) if other == bytes => {}
            Some(other) => report.push_str(&difference(name, bytes, other)),
        }
    }
    for name in found.keys().filter(|name| !expected.contains_key(*name)) {
        writeln!(report, "{name}: not expected")?;
    }
    if report.is_empty() {
        return Ok(());
    }
    if report.len() > SHOWN {
        report = report.chars().take(SHOWN).collect();
        report.push_str("\n… and more");
    }
    Err(format!("{report}\n{UPDATE}=1 rewrites the expected files").into())
}

fn difference(name: &str, expected: &[u8], found: &[u8]) -> String {
    let (expected, found) = (
        String::from_utf8_lossy(expected),
        String::from_utf8_lossy(found),
    );
    let diff = TextDiff::from_lines(&expected, &found);
    let mut unified = diff.unified_diff();
    unified.header(&format!("expected {name}"), &format!("found {name}"));
    unified.to_string()
}

/// Fails unless a value matches the published schema `docs/schema/NAME`.
pub(crate) fn expect_schema(name: &str, value: &Value) -> Result {
    let schema: Value = serde_json::from_slice(&fs::read(root().join("docs/schema").join(name))?)?;
    let validator = jsonschema::validator_for(&schema)?;
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    ensure(errors.is_empty(), errors.join("\n"))
}

/// Compares a generated file of the checkout, or rewrites it.
pub(crate) fn check_file(path: &str, text: &str) -> Result {
    let file = root().join(path);
    if update() {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&file, text)?;
        return Ok(());
    }
    let expected = fs::read(&file).map_err(|error| format!("{path}: {error}"))?;
    let one = |bytes: Vec<u8>| Files::from([(path.to_owned(), bytes)]);
    compare(&one(expected), &one(text.as_bytes().to_vec()))
}
