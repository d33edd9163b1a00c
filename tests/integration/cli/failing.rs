//! Full disks, and readers that close their pipe.

use std::fs::{self, File};
use std::io::Read as _;
use std::process::{Command, Stdio};

use libtest_mimic::{Completion, Failed, Trial};

use super::{Workspace, named};
use crate::support::{
    ProgramOutput, Result, compare, contains, ensure, program, program_path, read_tree, run,
};

pub(super) fn trials() -> Vec<Trial> {
    let mut trials = named(
        "failing",
        &[
            ("a_full_disk_at_stdout_is_an_error", full_stdout),
            ("a_full_disk_at_a_report_is_an_error", full_report),
            ("a_failed_write_leaves_no_partial_tree", failing_write),
            ("a_closed_pipe_is_not_an_error", closed_pipe),
            ("a_reader_that_stops_is_not_an_error", stopped_reader),
            ("a_closed_stderr_stops_nothing", closed_stderr),
        ],
    );
    trials.push(Trial::ignorable_test(
        "cli::failing::a_full_disk_leaves_no_partial_tree",
        full_disk,
    ));
    trials
}

fn full_stdout() -> Result {
    let workspace = Workspace::small()?;
    for arguments in [
        &["convert", "armada.yaml"][..],
        &["convert", "armada.yaml", "-o", "out", "--report", "json"],
        &["schema", "report"],
        &["convert", "--help"],
        &["--version"],
    ] {
        let mut command = program();
        command.current_dir(workspace.dir()).args(arguments);
        let full = File::options().write(true).open("/dev/full")?;
        let ran = ProgramOutput::new(command.stdout(full).output()?)?;
        let what = format!("{arguments:?}: ");
        let ran = ran
            .expect_code(1)
            .map_err(|e| what.clone() + e.message().unwrap_or_default())?;
        contains(
            &ran.stderr,
            "error: cannot write to standard output: no space left",
        )
        .map_err(|e| what + e.message().unwrap_or_default())?;
    }
    Ok(())
}

fn full_report() -> Result {
    let workspace = Workspace::small()?;
    let full = File::options().write(true).open("/dev/full")?;
    let mut command = program();
    command
        .current_dir(workspace.dir())
        .args(["validate", "armada.yaml", "--report", "json=/dev/stdout"])
        .stdout(full);
    contains(
        &ProgramOutput::new(command.output()?)?
            .expect_code(1)?
            .stderr,
        "error: cannot write `/dev/stdout`: no space left",
    )?;
    // A file: the whole report or none, and the older one stays.
    fs::write(workspace.path("r.json"), "older")?;
    let ran = limited(
        &workspace,
        &["validate", "armada.yaml", "--report", "json=r.json"],
        0,
    )?;
    contains(
        &ran.expect_code(1)?.stderr,
        "error: cannot write `r.json`: file too large",
    )?;
    ensure(workspace.text("r.json")? == "older", "partly written")?;
    ensure(
        workspace.names()? == ["armada.yaml", "r.json"],
        "something left over",
    )
}

/// Runs the program with a limit on the size of files, in blocks of 512 bytes, which makes writes fail for every user.
fn limited(workspace: &Workspace, arguments: &[&str], blocks: u32) -> Result<ProgramOutput> {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("/bin/sh");
    command.env_clear().current_dir(workspace.dir());
    command.args(["-c", &script]).arg(program_path());
    command.args(arguments);
    // The limit does not apply to streams, which are pipes.
    ProgramOutput::new(command.output()?)
}

fn failing_write() -> Result {
    let workspace = Workspace::small()?;
    run(workspace.dir(), &["convert", "armada.yaml", "-o", "out"])?.expect_code(0)?;
    let before = read_tree(&workspace.path("out"))?;
    let largest = before.values().map(Vec::len).max().unwrap_or_default();
    ensure(largest > 1024, "the case makes only small files")?;
    let text = workspace.text("armada.yaml")?;
    fs::write(
        workspace.path("armada.yaml"),
        text.replace("replicas: 2", "replicas: 3"),
    )?;
    let arguments = ["convert", "armada.yaml", "-o", "out"];
    let ran = limited(&workspace, &arguments, 1)?.expect_code(1)?;
    ran.expect_stderr("error: cannot write `")?
        .expect_stderr("file too large")?;
    compare(&before, &read_tree(&workspace.path("out"))?)?;
    ensure(
        workspace.names()? == ["armada.yaml", "out"],
        "something left over",
    )
}

/// A file system of a few pages, if the user may mount one.
fn full_disk() -> std::result::Result<Completion, Failed> {
    let workspace = Workspace::with("convert-small")?;
    fs::create_dir(workspace.path("small"))?;
    let script = "mount -t tmpfs -o size=8k none small && echo mounted && \"$0\" \"$@\"; \
                  code=$?; ls -A small small/out 2>/dev/null; exit $code";
    let mut command = Command::new("unshare");
    command.current_dir(workspace.dir());
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
    command.arg(program_path());
    command.args(["convert", "armada.yaml", "-o", "small/out"]);
    let output = match command.output() {
        Ok(output) if output.stdout.starts_with(b"mounted") => output,
        Ok(_) | Err(_) => return Ok(Completion::ignored_with("no right to mount a tmpfs")),
    };
    let ran = ProgramOutput::new(output)?.expect_code(1)?;
    contains(&ran.stderr, "no space left")?;
    ensure(ran.stdout == "mounted\nsmall:\n", ran.stdout)?;
    Ok(Completion::Completed)
}

fn closed_pipe() -> Result {
    let workspace = Workspace::small()?;
    for arguments in [
        &["convert", "armada.yaml", "--quiet"][..],
        &["schema", "report"],
        &["convert", "--help"],
    ] {
        let mut command = program();
        command.current_dir(workspace.dir()).args(arguments);
        let (reader, writer) = std::io::pipe()?;
        drop(reader);
        let ran = ProgramOutput::new(command.stdout(writer).output()?)?.expect_code(0)?;
        ensure(
            ran.stderr.is_empty(),
            format!("{arguments:?}: {}", ran.stderr),
        )?;
    }
    Ok(())
}

/// Reads one byte, as `| head -c 1` does.
fn stopped_reader() -> Result {
    let workspace = Workspace::small()?;
    let text = workspace.text("armada.yaml")?;
    let filler = format!("replicas: 2\n    filler: \"{}\"", "x ".repeat(200_000));
    fs::write(
        workspace.path("armada.yaml"),
        text.replace("replicas: 2", &filler),
    )?;
    let mut command = program();
    command
        .current_dir(workspace.dir())
        .args(["convert", "armada.yaml", "-q"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let mut stdout = child.stdout.take().ok_or("no stdout")?;
    stdout.read_exact(&mut [0])?;
    drop(stdout);
    let ran = ProgramOutput::new(child.wait_with_output()?)?.expect_code(0)?;
    ensure(ran.stderr.is_empty(), ran.stderr)
}

fn closed_stderr() -> Result {
    let workspace = Workspace::small()?;
    let mut command = program();
    command
        .current_dir(workspace.dir())
        .args(["convert", "armada.yaml", "-v", "-o", "out"]);
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    let status = command.stderr(writer).status()?;
    ensure(status.success(), format!("{status}"))?;
    ensure(workspace.path("out/kustomization.yaml").exists(), "no tree")
}
