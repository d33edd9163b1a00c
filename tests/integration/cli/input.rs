//! Files, folders and stdin, readable and not.

use std::fs::{self, File};
use std::process::Stdio;

use libtest_mimic::{Completion, Trial};

use super::{Workspace, named};
use crate::support::{ProgramOutput, Result, contains, ensure, program, run, run_with_input};

pub(super) fn trials() -> Vec<Trial> {
    let mut trials = named(
        "input",
        &[
            ("stdin_gives_the_same_result_as_a_file", stdin),
            ("stdin_twice_is_refused", stdin_twice),
            ("stdin_over_the_limit_is_refused", stdin_limit),
            ("a_folder_means_its_files", folder),
            ("an_empty_folder_is_an_error", empty_folder),
            ("missing_files_are_named", missing),
            ("a_dangling_link_is_named", dangling),
            ("a_failed_read_is_named", failing_read),
        ],
    );
    let unreadable = || {
        if cfg!(not(unix)) {
            return Ok(Completion::ignored_with("needs Unix permissions"));
        }
        unreadable()
    };
    trials.push(Trial::ignorable_test("cli::input::permissions", unreadable));
    trials
}

fn stdin() -> Result {
    let workspace = Workspace::small()?;
    let text = workspace.text("armada.yaml")?;
    let file = run(workspace.dir(), &["convert", "armada.yaml"])?.expect_code(0)?;
    let stdin =
        run_with_input(program().args(["convert", "-"]), text.as_bytes())?.expect_code(0)?;
    ensure(file.stdout == stdin.stdout, "another stream")?;
    let verbose = run_with_input(program().args(["convert", "-", "-v"]), text.as_bytes())?;
    contains(&verbose.stderr, "<stdin>:")
}

fn stdin_twice() -> Result {
    let ran = run_with_input(program().args(["convert", "-", "-"]), b"")?.expect_code(1)?;
    contains(&ran.stderr, "give `-` once")
}

fn stdin_limit() -> Result {
    let mut command = program();
    command
        .args(["convert", "-"])
        .stdin(File::open("/dev/zero")?);
    let ran = ProgramOutput::new(command.output()?)?.expect_code(1)?;
    let ran = ran
        .expect_stderr("error[input-limit]")?
        .expect_stderr("256 MiB")?;
    ensure(ran.stdout.is_empty(), "wrote to stdout")
}

fn folder() -> Result {
    let workspace = Workspace::small()?;
    let text = workspace.text("armada.yaml")?;
    let file = run(workspace.dir(), &["convert", "armada.yaml"])?.expect_code(0)?;
    let documents: Vec<&str> = text.split("---\n").filter(|d| !d.is_empty()).collect();
    for (at, document) in documents.iter().enumerate() {
        let (part, end) = if at % 2 == 0 {
            ("site/a", "yaml")
        } else {
            ("site/b/c", "yml")
        };
        fs::create_dir_all(workspace.path(part))?;
        fs::write(workspace.path(&format!("{part}/{at}.{end}")), document)?;
    }
    fs::write(workspace.path("site/notes.txt"), "not: [yaml")?;
    fs::write(workspace.path("site/.hidden.yaml"), "not: [yaml")?;
    fs::create_dir(workspace.path("site/.git"))?;
    fs::write(workspace.path("site/.git/x.yaml"), "not: [yaml")?;
    fs::create_dir(workspace.path("site/folder.yaml"))?;
    let folder = run(workspace.dir(), &["convert", "site"])?.expect_code(0)?;
    ensure(file.stdout == folder.stdout, "another stream")?;
    // The list of a kustomization matters in a Flux tree, not in a folder of documents.
    fs::write(workspace.path("site/kustomization.yaml"), "resources: []\n")?;
    let folder = run(workspace.dir(), &["convert", "site"])?.expect_code(0)?;
    ensure(
        file.stdout == folder.stdout,
        "another stream beside a kustomization",
    )
}

fn empty_folder() -> Result {
    let workspace = Workspace::small()?;
    fs::create_dir(workspace.path("empty"))?;
    let ran = run(workspace.dir(), &["convert", "empty", "-o", "out"])?.expect_code(1)?;
    ran.expect_stderr("error[input-empty]")?
        .expect_stderr("the folder `empty` has no YAML files")?
        .expect_stderr("help: ")?;
    ensure(!workspace.path("out").exists(), "a tree was made")
}

fn missing() -> Result {
    let workspace = Workspace::small()?;
    let ran = run(workspace.dir(), &["convert", "nowhere.yaml"])?.expect_code(1)?;
    contains(
        &ran.stderr,
        "error: cannot read `nowhere.yaml`: no such file",
    )
}

fn dangling() -> Result {
    let workspace = Workspace::small()?;
    fs::create_dir(workspace.path("site"))?;
    std::os::unix::fs::symlink("nowhere", workspace.path("site/link.yaml"))?;
    let ran = run(workspace.dir(), &["convert", "site"])?.expect_code(1)?;
    contains(
        &ran.stderr,
        "error: cannot read `site/link.yaml`: no such file",
    )
}

/// A file that opens but fails to read, for every user.
fn failing_read() -> Result {
    let workspace = Workspace::small()?;
    let ran = run(workspace.dir(), &["convert", "/proc/self/mem"])?.expect_code(1)?;
    contains(
        &ran.stderr,
        "error: cannot read `/proc/self/mem`: input/output error",
    )
}

fn unreadable() -> std::result::Result<Completion, libtest_mimic::Failed> {
    use std::os::unix::fs::PermissionsExt as _;
    let workspace = Workspace::small()?;
    let file = workspace.path("armada.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000))?;
    if File::open(&file).is_ok() {
        return Ok(Completion::ignored_with(
            "permissions do not bind this user; cli::input::a_failed_read_is_named does it otherwise",
        ));
    }
    let mut command = program();
    command.current_dir(workspace.dir()).stdin(Stdio::null());
    let ran =
        ProgramOutput::new(command.args(["convert", "armada.yaml"]).output()?)?.expect_code(1)?;
    contains(
        &ran.stderr,
        "error: cannot read `armada.yaml`: permission denied",
    )?;
    Ok(Completion::Completed)
}
