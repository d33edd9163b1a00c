//! Wrong arguments, help and version.

use libtest_mimic::Trial;

use super::{Workspace, named};
use crate::support::{Result, contains, ensure, run};

pub(super) fn trials() -> Vec<Trial> {
    named(
        "usage",
        &[
            ("wrong_arguments_exit_1", wrong_arguments),
            ("help_and_version_go_to_stdout", help_and_version),
            ("help_has_examples", examples),
            ("only_one_result_goes_to_stdout", one_result),
        ],
    )
}

fn wrong_arguments() -> Result {
    let workspace = Workspace::small()?;
    let cases: &[(&[&str], &str)] = &[
        (&[], "Usage: armada2flux"),
        (&["convert"], "<FILE>..."),
        (&["frobnicate"], "unrecognized subcommand 'frobnicate'"),
        (&["convert", "--frobnicate", "x"], "'--frobnicate'"),
        (
            &["convert", "armada.yaml", "--deny", "no-such-code"],
            "docs/diagnostics.md",
        ),
        (
            &["convert", "armada.yaml", "--report", "yaml"],
            "`yaml` is not a report format",
        ),
        (
            &["convert", "armada.yaml", "--values-as", "is"],
            "[possible values: delivered, written]",
        ),
        (
            &["convert", "armada.yaml", "-q", "-v"],
            "cannot be used with",
        ),
        (
            &["convert", "armada.yaml", "--delete-stale"],
            "--output <DIR>",
        ),
        (
            &["convert", "armada.yaml", "--color", "blue"],
            "[possible values: auto, always, never]",
        ),
        (&["schema", "nothing"], "[possible values:"),
        (
            &["convert", "armada.yaml", "--site", "my site"],
            "not a valid label value; use at most 63 letters",
        ),
        (
            &["diff", "armada.yaml", "--site="],
            "not a valid label value; use at most 63 letters",
        ),
        (
            &["status", "--site=-a"],
            "not a valid label value; use at most 63 letters",
        ),
        (
            &[
                "convert",
                "armada.yaml",
                "--source-namespace",
                "Flux_System",
            ],
            "not a valid name; use at most 63 lower-case letters",
        ),
        (
            &["plan", "armada.yaml", "--source-namespace", "a.b"],
            "not a valid name; use at most 63 lower-case letters",
        ),
        (
            &["apply", "armada.yaml", "--state-namespace", "A"],
            "not a valid name; use at most 63 lower-case letters",
        ),
        (
            &["status", "--state-namespace", "a/b"],
            "not a valid name; use at most 63 lower-case letters",
        ),
        (
            &["diff", "armada.yaml", "--namespace", "ä"],
            "not a valid name; use at most 63 lower-case letters",
        ),
        (
            &["plan", "armada.yaml", "--valid-for", "1h"],
            "--output <FILE>",
        ),
        (
            &["plan", "armada.yaml", "-o", "p.json", "--valid-for", "soon"],
            "write it as in `2h` or `90m`",
        ),
        (
            &["plan", "armada.yaml", "-o", "p.json", "--valid-for", "200h"],
            "one week (168h) at most",
        ),
        (
            &["plan", "armada.yaml", "--graph", "dot", "-o", "p.json"],
            "cannot be used with",
        ),
        (
            &["plan", "armada.yaml", "--report=json", "--report=text"],
            "two reports would both go to standard output",
        ),
        (
            &["apply", "armada.yaml", "--report=json", "--report=text"],
            "two reports would both go to standard output",
        ),
        (
            &["validate", "armada.yaml", "--report=json", "--report=sarif"],
            "two reports would both go to standard output",
        ),
        (
            &["convert", "armada.yaml", "--cel-before-hooks", "town-web"],
            "add `--waits cel`",
        ),
        (
            &[
                "convert",
                "armada.yaml",
                "--waits",
                "cel",
                "--cel-before-hooks",
                "web",
            ],
            "the input has no release `web`",
        ),
        (
            &["graph", "armada.yaml", "--format", "svg"],
            "[possible values: text, dot, mermaid]",
        ),
        (&["graph", "no-such.yaml"], "no-such.yaml"),
    ];
    for (arguments, message) in cases {
        let ran = run(workspace.dir(), arguments)?
            .expect_code(1)?
            .expect_stderr(message)?;
        ensure(
            ran.stdout.is_empty(),
            format!("{arguments:?} wrote to stdout"),
        )?;
    }
    ensure(workspace.names()? == ["armada.yaml"], "a file was made")
}

fn help_and_version() -> Result {
    let workspace = Workspace::small()?;
    let version = run(workspace.dir(), &["--version"])?.expect_code(0)?;
    let wanted = concat!("armada2flux ", env!("CARGO_PKG_VERSION"), "\n");
    ensure(version.stdout == wanted, version.stdout)?;
    for arguments in [
        ["--help", "--help"],
        ["convert", "--help"],
        ["help", "convert"],
    ] {
        let ran = run(workspace.dir(), &arguments)?.expect_code(0)?;
        contains(&ran.stdout, "Usage: armada2flux")?;
        ensure(ran.stderr.is_empty(), ran.stderr)?;
    }
    Ok(())
}

fn examples() -> Result {
    let workspace = Workspace::small()?;
    for command in ["convert", "diff", "explain", "graph", "schema", "validate"] {
        let ran = run(workspace.dir(), &[command, "--help"])?.expect_code(0)?;
        contains(&ran.stdout, "Example")?;
        contains(&ran.stdout, &format!("armada2flux {command} "))?;
    }
    Ok(())
}

/// Two results on stdout could not be separated.
fn one_result() -> Result {
    let workspace = Workspace::small()?;
    for arguments in [
        &["convert", "armada.yaml", "--report", "json"][..],
        &[
            "convert",
            "armada.yaml",
            "-o",
            "out",
            "--report",
            "json",
            "--report",
            "json",
        ],
    ] {
        let ran = run(workspace.dir(), arguments)?
            .expect_code(1)?
            .expect_stderr("standard output")?;
        ensure(ran.stdout.is_empty(), ran.stdout)?;
    }
    ensure(workspace.names()? == ["armada.yaml"], "a file was made")
}
