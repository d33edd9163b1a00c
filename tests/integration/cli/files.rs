//! Reports in files: private, whole or not there, and never through a link.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use libtest_mimic::Trial;

use super::{Workspace, named};
use crate::support::{ProgramOutput, Result, contains, ensure, program, program_path, run};

pub(super) fn trials() -> Vec<Trial> {
    named(
        "files",
        &[
            ("a_report_is_private_and_replaces_a_file", private),
            ("a_report_follows_no_link", links),
            ("a_report_goes_to_no_pipe_or_device", special),
            ("a_report_goes_where_the_shell_sends_it", redirected),
        ],
    )
}

const FORMATS: [&str; 4] = ["json", "junit", "sarif", "github"];

/// Runs a command that writes a report to a file.
fn report(workspace: &Workspace, format: &str, file: &str) -> Result<ProgramOutput> {
    let target = format!("{format}={file}");
    run(
        workspace.dir(),
        &["validate", "armada.yaml", "--report", &target],
    )
}

fn private() -> Result {
    let workspace = Workspace::small()?;
    for format in FORMATS {
        let path = workspace.path(format);
        for earlier in [None, Some(0o644), Some(0o666)] {
            if let Some(mode) = earlier {
                fs::write(&path, "older")?;
                fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
            }
            report(&workspace, format, format)?.expect_code(0)?;
            let mode = fs::metadata(&path)?.permissions().mode() & 0o777;
            ensure(mode == 0o600, format!("{format}: {mode:o}"))?;
            ensure(workspace.text(format)? != "older", "not written")?;
        }
    }
    let convert = ["convert", "armada.yaml", "-o", "out", "--report"];
    for format in ["json", "text", "markdown"] {
        let target = format!("{format}=c-{format}");
        run(workspace.dir(), &[&convert[..], &[&target]].concat())?.expect_code(0)?;
        let data = fs::metadata(workspace.path(&format!("c-{format}")))?;
        ensure(data.permissions().mode() & 0o777 == 0o600, target)?;
    }
    let left = workspace.names()?;
    ensure(
        left.iter().all(|name| !name.starts_with('.')),
        format!("{left:?}"),
    )
}

fn links() -> Result {
    let workspace = Workspace::small()?;
    fs::write(workspace.path("target"), "mine")?;
    symlink("target", workspace.path("link"))?;
    symlink("nothing", workspace.path("dangling"))?;
    for (format, link) in FORMATS
        .iter()
        .flat_map(|format| [(format, "link"), (format, "dangling")])
    {
        let ran = report(&workspace, format, link)?.expect_code(1)?;
        ensure(workspace.text("target")? == "mine", "followed")?;
        ensure(!workspace.path("nothing").exists(), "followed")?;
        contains(
            &ran.stderr,
            &format!("refused to write to `{link}`: it is a symbolic link"),
        )?;
        contains(&ran.stderr, "help: give the path of a file")?;
    }
    let init = ["source-map", "init", "armada.yaml", "-o"];
    for link in ["link", "dangling"] {
        run(workspace.dir(), &[&init[..], &[link]].concat())?.expect_code(1)?;
    }
    ensure(workspace.text("target")? == "mine", "followed")?;
    ensure(!workspace.path("nothing").exists(), "followed")
}

/// None of these may hang either.
fn special() -> Result {
    let workspace = Workspace::small()?;
    let made = Command::new("mkfifo")
        .arg(workspace.path("pipe"))
        .status()?;
    ensure(made.success(), "no pipe")?;
    fs::create_dir(workspace.path("folder"))?;
    for (path, what) in [
        ("pipe", "a named pipe"),
        ("folder", "a folder"),
        ("/dev/full", "a device"),
        ("/dev/zero", "a device"),
    ] {
        let ran = report(&workspace, "json", path)?.expect_code(1)?;
        contains(
            &ran.stderr,
            &format!("refused to write to `{path}`: it is {what}"),
        )?;
    }
    report(&workspace, "json", "/dev/null")?.expect_code(0)?;
    Ok(())
}

fn redirected() -> Result {
    let workspace = Workspace::small()?;
    let ran = report(&workspace, "json", "/dev/stdout")?.expect_code(0)?;
    contains(&ran.stdout, "\"ok\": true")?;
    let script = "mkfifo pipe; cat pipe > read & \"$0\" validate armada.yaml --report json=/dev/fd/3 3> pipe; \
                  code=$?; wait; exit $code";
    let mut command = Command::new("/bin/sh");
    command.current_dir(workspace.dir());
    command.args(["-c", script]).arg(program_path());
    ProgramOutput::new(command.output()?)?.expect_code(0)?;
    contains(&workspace.text("read")?, "\"ok\": true")?;
    // What is in a file already stays.
    fs::write(workspace.path("log"), "earlier\n")?;
    let log = fs::File::options()
        .append(true)
        .open(workspace.path("log"))?;
    let mut command = program();
    command.current_dir(workspace.dir()).stdout(log);
    command.args(["validate", "armada.yaml", "--report=json=/dev/stdout"]);
    ProgramOutput::new(command.output()?)?.expect_code(0)?;
    let log = workspace.text("log")?;
    ensure(log.starts_with("earlier\n{"), log)
}
