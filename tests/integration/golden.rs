//! Each folder is one run of the program with its complete output.
//!
//! `testdata/cases/<area>-<what>/` and `testdata/diagnostics/<code>/` hold the input (`armada.yaml` or `input/`,
//! `stdin`, files that `args` names), `args` (one a line) and what is expected: `expected/` (the tree), `expected.stdout`, `expected.stderr`,
//! `expected.code`, `expected.report.json`; an output that is empty has no file. Placeholders in `args`:
//! `{out}` the output folder, `{report}` a report file, `{large}` a file one byte over the input limit.

use std::fs;
use std::path::Path;

use armada2flux::diagnostic::{Code, Severity};
use libtest_mimic::Trial;

use super::support::{self, Files, ProgramOutput, Result, ensure, folders, read_tree, root};

/// One more than the most bytes that all input may hold: 256 MiB (`docs/guide/convert.md`).
const OVER_THE_LIMIT: u64 = 256 * 1024 * 1024 + 1;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::test("golden::no_stray_files", no_stray_files),
        Trial::test("diagnostics::every_code_has_a_folder", every_code_has_one),
    ];
    for (name, folder) in folders(&root().join("testdata/cases")) {
        let test = move || run_case(&folder).map(|_| ());
        trials.push(Trial::test(format!("golden::{name}"), test));
    }
    for (name, folder) in folders(&root().join("testdata/diagnostics")) {
        let code = name.clone();
        let test = move || run_diagnostic(&code, &folder);
        trials.push(Trial::test(format!("diagnostics::{name}"), test));
    }
    trials
}

/// Runs a case and compares its output, or rewrites the expected files.
fn run_case(folder: &Path) -> Result<ProgramOutput> {
    let before = read_tree(folder)?;
    let arguments = fs::read_to_string(folder.join("args"))?;
    let strays: Vec<&str> = before
        .keys()
        .map(String::as_str)
        .filter(|name| !belongs(name) && !arguments.lines().any(|line| line == *name))
        .collect();
    ensure(strays.is_empty(), format!("stray files: {strays:?}"))?;
    let (found, ran) = outcome(folder)?;
    let expected: Files = before
        .into_iter()
        .filter(|(name, _)| name.starts_with("expected"))
        .collect();
    if support::update() {
        rewrite(folder, &expected, &found)?;
    } else {
        support::compare(&expected, &found)?;
    }
    Ok(ran)
}

fn belongs(name: &str) -> bool {
    const FILES: &[&str] = &[
        "armada.yaml",
        "args",
        "stdin",
        "README.md",
        "expected.stdout",
        "expected.stderr",
        "expected.code",
        "expected.report.json",
    ];
    FILES.contains(&name) || name.starts_with("expected/") || name.starts_with("input/")
}

pub(crate) fn outcome(folder: &Path) -> Result<(Files, ProgramOutput)> {
    let place = tempfile::tempdir()?;
    let (out, report, large) = (
        place.path().join("out"),
        place.path().join("report.json"),
        place.path().join("large.yaml"),
    );
    let mut arguments = Vec::new();
    for line in fs::read_to_string(folder.join("args"))?.lines() {
        if line.contains("{large}") {
            // A sparse file takes no space, and the program must refuse it without reading.
            fs::File::create(&large)?.set_len(OVER_THE_LIMIT)?;
        }
        let places = [("{out}", &out), ("{report}", &report), ("{large}", &large)];
        let argument = places.iter().fold(line.to_owned(), |line, (name, path)| {
            line.replace(name, &path.to_string_lossy())
        });
        arguments.push(argument);
    }
    let mut command = support::program();
    command.current_dir(folder).args(&arguments);
    let stdin = fs::read(folder.join("stdin")).unwrap_or_default();
    let mut ran = support::run_with_input(&mut command, &stdin)?;
    for text in [&mut ran.stdout, &mut ran.stderr] {
        for (name, path) in [("{out}", &out), ("{report}", &report), ("{large}", &large)] {
            *text = text.replace(&*path.to_string_lossy(), name);
        }
    }
    let mut found = Files::new();
    let code = ran
        .code
        .map_or("signal".to_owned(), |code| code.to_string());
    found.insert("expected.code".into(), format!("{code}\n").into_bytes());
    for (name, text) in [
        ("expected.stdout", &ran.stdout),
        ("expected.stderr", &ran.stderr),
    ] {
        if !text.is_empty() {
            found.insert(name.into(), text.clone().into_bytes());
        }
    }
    if let Ok(report) = fs::read(&report) {
        found.insert("expected.report.json".into(), report);
    }
    for (name, bytes) in read_tree(&out)? {
        found.insert(format!("expected/{name}"), bytes);
    }
    let left: Vec<String> = folders(place.path()).into_iter().map(|(n, _)| n).collect();
    let only_out = left.iter().all(|name| name == "out");
    ensure(only_out, format!("left beside the tree: {left:?}"))?;
    Ok((found, ran))
}

fn rewrite(folder: &Path, expected: &Files, found: &Files) -> Result {
    for name in expected.keys() {
        fs::remove_file(folder.join(name))?;
    }
    if folder.join("expected").exists() {
        fs::remove_dir_all(folder.join("expected"))?;
    }
    for (name, bytes) in found {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, bytes)?;
    }
    Ok(())
}

/// A case whose input must produce the code, with the severity that the code has.
fn run_diagnostic(name: &str, folder: &Path) -> Result {
    let code: Code = name.parse()?;
    let ran = run_case(folder)?;
    let wanted = format!("{}[{code}]: ", code.severity());
    ensure(
        ran.stderr.contains(&wanted),
        format!("no `{wanted}` in:\n{}", ran.stderr),
    )?;
    if code.severity() == Severity::Error {
        ensure(ran.code == Some(1), "an error must end with exit code 1")?;
    }
    Ok(())
}

fn every_code_has_one() -> Result {
    let there = folders(&root().join("testdata/diagnostics"));
    let there: Vec<&str> = there.iter().map(|(name, _)| name.as_str()).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    let missing: Vec<_> = codes.iter().filter(|code| !there.contains(code)).collect();
    let unknown: Vec<_> = there.iter().filter(|name| !codes.contains(name)).collect();
    ensure(
        missing.is_empty() && unknown.is_empty(),
        format!("codes without a folder: {missing:?}, folders without a code: {unknown:?}"),
    )
}

/// No test reads files outside the folders of cases.
fn no_stray_files() -> Result {
    for area in ["testdata/cases", "testdata/diagnostics"] {
        for entry in fs::read_dir(root().join(area))? {
            let path = entry?.path();
            let is_case = path.join("args").is_file();
            ensure(is_case, format!("not a case: {}", path.display()))?;
        }
    }
    Ok(())
}
