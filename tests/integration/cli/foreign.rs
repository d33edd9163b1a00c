//! Foreign text, in file names, documents and arguments: no output acts on a terminal, a log or a CI system.

use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use serde_json::Value;

use super::{Workspace, named};
use crate::support::{ProgramOutput, Result, ensure, expect_inert, run};

pub(super) fn trials() -> Vec<Trial> {
    named(
        "foreign",
        &[
            ("file_names_act_on_nothing", file_names),
            ("documents_act_on_nothing", documents),
            ("arguments_act_on_nothing", arguments),
            ("a_tree_on_stdout_holds_no_command", stream),
        ],
    )
}

/// A new line with a command, escape sequences, another direction and a character of no width.
const NAME: &str = "a\n::error::pwned\n##[error]x\u{1b}[2J\u{9b}31m\u{202e}\u{200b}\r.yaml";

/// Such a text in double quotes of YAML. YAML of ours holds characters of no width as they are.
const QUOTED: &str =
    r#""a\n::error::pwned\n##[error]x ##vso[task.complete]\x1b[2J\x9b31m\u202e\r""#;

/// Ensures that both streams of a program are inert; GitHub's own commands are left out.
fn inert(ran: &ProgramOutput, github: bool) -> Result {
    let stdout: Vec<&str> = ran
        .stdout
        .lines()
        .map(|line| match line.strip_prefix("::") {
            Some(rest) if github => rest,
            Some(_) | None => line,
        })
        .collect();
    expect_inert(&stdout.join("\n"))?;
    expect_inert(&ran.stderr)
}

fn check(folder: &Path, arguments: &[&str]) -> Result<ProgramOutput> {
    let ran = run(folder, arguments)?;
    ensure(matches!(ran.code, Some(0 | 1)), ran.stderr.clone())?;
    let github = arguments.contains(&"github");
    inert(&ran, github)
        .map_err(|error| format!("{arguments:?}: {}", error.message().unwrap_or_default()))?;
    Ok(ran)
}

fn file_names() -> Result {
    let workspace = Workspace::small()?;
    fs::copy(workspace.path("armada.yaml"), workspace.path(NAME))?;
    let broken = format!("b{NAME}");
    fs::write(workspace.path(&broken), "schema: armada/Chart/v1\n")?;
    for file in [NAME, &broken, "missing\n::error::x\u{1b}[2J"] {
        for format in ["json", "junit", "sarif", "github"] {
            check(workspace.dir(), &["validate", file, "--report", format])?;
        }
        for format in ["json", "text", "markdown"] {
            check(
                workspace.dir(),
                &["convert", file, "-o", "out", "-vv", "--report", format],
            )?;
        }
        check(workspace.dir(), &["convert", file, "--color=never"])?;
        check(workspace.dir(), &["diff", file, "--against", file])?;
        check(
            workspace.dir(),
            &["convert", "armada.yaml", "-o", file, "-q"],
        )?;
        check(
            workspace.dir(),
            &["convert", "armada.yaml", "--values", file],
        )?;
        check(
            workspace.dir(),
            &["convert", "armada.yaml", "--source-map", file],
        )?;
    }
    // A report keeps the name as it is.
    let ran = check(workspace.dir(), &["validate", &broken, "--report", "json"])?;
    let report: Value = serde_json::from_str(&ran.stdout)?;
    let place = &report["diagnostics"][0]["places"][0]["file"];
    ensure(*place == broken, place.to_string())
}

fn documents() -> Result {
    let workspace = Workspace::small()?;
    let site = format!(
        "---
schema: armada/Chart/v1
metadata: {{schema: metadata/Document/v1, name: {QUOTED}}}
data:
  chart_name: {QUOTED}
  release: web
  namespace: web
  upgrade: {{no_hooks: false, pre: {{delete: [{{type: job}}]}}}}
  source: {{type: git, location: {QUOTED}, reference: {QUOTED}, subpath: .}}
  values: {{{QUOTED}: {QUOTED}, replicas: 1}}
---
schema: armada/ChartGroup/v1
metadata: {{schema: metadata/Document/v1, name: {QUOTED}}}
data: {{description: {QUOTED}, chart_group: [{QUOTED}]}}
---
schema: armada/Manifest/v1
metadata: {{schema: metadata/Document/v1, name: {QUOTED}}}
data: {{release_prefix: p, chart_groups: [{QUOTED}]}}
---
schema: {QUOTED}
metadata: {{name: {QUOTED}}}
data: {QUOTED}
"
    );
    fs::write(workspace.path("hostile.yaml"), &site)?;
    fs::write(
        workspace.path("other.yaml"),
        site.replace("replicas: 1", "replicas: 2"),
    )?;
    let faults = format!("  wait: {{labels: {{app: {QUOTED}}}}}\n  {QUOTED}: 1\n  source: {{type");
    fs::write(
        workspace.path("faulty.yaml"),
        site.replace("  source: {type", &faults),
    )?;
    for arguments in [
        &["validate", "faulty.yaml", "--report", "github"][..],
        &[
            "convert",
            "faulty.yaml",
            "-vv",
            "-o",
            "out",
            "--report",
            "markdown",
        ],
    ] {
        let ran = check(workspace.dir(), arguments)?;
        ensure(ran.code == Some(1), ran.stderr)?;
    }
    // Nothing stops these: all of what they print is reached.
    let check = |folder: &Path, arguments: &[&str]| check(folder, arguments)?.expect_code(0);
    for format in ["json", "junit", "sarif", "github"] {
        check(
            workspace.dir(),
            &["validate", "hostile.yaml", "--report", format],
        )?;
    }
    for format in ["json", "text", "markdown"] {
        let report = ["--report", format];
        let convert = ["convert", "hostile.yaml", "-o", "out", "-vv"];
        check(workspace.dir(), &[&convert[..], &report].concat())?;
        let diff = ["diff", "other.yaml", "--against", "out", "-v"];
        check(workspace.dir(), &[&diff[..], &report].concat())?;
    }
    for format in ["text", "dot", "mermaid"] {
        check(
            workspace.dir(),
            &["graph", "hostile.yaml", "--format", format],
        )?;
    }
    check(workspace.dir(), &["convert", "hostile.yaml", "-v"])?;
    check(workspace.dir(), &["source-map", "init", "hostile.yaml"])?;
    Ok(())
}

fn arguments() -> Result {
    let workspace = Workspace::small()?;
    for arguments in [
        &["explain", NAME][..],
        &[NAME],
        &["convert", "armada.yaml", "--order", NAME],
        &["convert", "armada.yaml", "--target-manifest", NAME],
        &["convert", "armada.yaml", "--set", NAME],
        &["convert", "armada.yaml", "--report", NAME],
        &[
            "convert",
            "armada.yaml",
            "--report",
            &format!("json=none/{NAME}"),
            "-o",
            "out",
        ],
        &["convert", "armada.yaml", "--deny", NAME],
        &["diff", "armada.yaml", "--context", NAME],
        &["plan", "armada.yaml", "--kubeconfig", NAME],
    ] {
        let ran = check(workspace.dir(), arguments)?;
        ensure(ran.code == Some(1), ran.stderr)?;
    }
    Ok(())
}

/// Values stay as they are, in another form.
fn stream() -> Result {
    let workspace = Workspace::small()?;
    let text = workspace.text("armada.yaml")?;
    let values = "replicas: 2\n    script: |\n      one\n      ::error::pwned\n      ##[error]x\n    note: \"a ##vso[task.complete]b\"";
    fs::write(
        workspace.path("armada.yaml"),
        text.replace("replicas: 2", values),
    )?;
    let ran = check(workspace.dir(), &["convert", "armada.yaml"])?;
    for part in [
        r#"script: "one\n::error::pwned\n\x23#[error]x\n""#,
        r#"note: "a \x23#vso[task.complete]b""#,
    ] {
        ensure(ran.stdout.contains(part), ran.stdout.clone())?;
    }
    Ok(())
}
