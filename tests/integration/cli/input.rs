//! Files, folders, stdin; and what cannot be read.

use std::fs::{self, File};
use std::process::Stdio;

use libtest_mimic::{Completion, Trial};

use super::super::support::{Ran, Result, contains, ensure, feed, program, run};
use super::{Place, named};

pub(super) fn trials() -> Vec<Trial> {
    let mut trials = named(
        "input",
        &[
            ("stdin_is_as_good_as_a_file", stdin),
            ("stdin_twice_is_refused", stdin_twice),
            ("stdin_over_the_limit", stdin_limit),
            ("a_folder_stands_for_its_files", folder),
            ("an_empty_folder_is_an_error", empty_folder),
            ("missing_files_are_named", missing),
            ("a_link_to_nowhere_is_named", dangling),
            ("a_read_that_fails_is_named", failing_read),
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
    let place = Place::small()?;
    let text = place.text("armada.yaml")?;
    let file = run(place.dir(), &["convert", "armada.yaml"])?.expect(0)?;
    let stdin = feed(program().args(["convert", "-"]), text.as_bytes())?.expect(0)?;
    ensure(file.stdout == stdin.stdout, "another stream")?;
    let verbose = feed(program().args(["convert", "-", "-v"]), text.as_bytes())?;
    contains(&verbose.stderr, "<stdin>:")
}

fn stdin_twice() -> Result {
    let ran = feed(program().args(["convert", "-", "-"]), b"")?.expect(1)?;
    contains(&ran.stderr, "give `-` once")
}

fn stdin_limit() -> Result {
    let mut command = program();
    command
        .args(["convert", "-"])
        .stdin(File::open("/dev/zero")?);
    let ran = Ran::of(command.output()?)?.expect(1)?;
    let ran = ran.says("error[input-limit]")?.says("256 MiB")?;
    ensure(ran.stdout.is_empty(), "wrote to stdout")
}

fn folder() -> Result {
    let place = Place::small()?;
    let text = place.text("armada.yaml")?;
    let file = run(place.dir(), &["convert", "armada.yaml"])?.expect(0)?;
    let documents: Vec<&str> = text.split("---\n").filter(|d| !d.is_empty()).collect();
    for (at, document) in documents.iter().enumerate() {
        let (part, end) = if at % 2 == 0 {
            ("site/a", "yaml")
        } else {
            ("site/b/c", "yml")
        };
        fs::create_dir_all(place.path(part))?;
        fs::write(place.path(&format!("{part}/{at}.{end}")), document)?;
    }
    fs::write(place.path("site/notes.txt"), "not: [yaml")?;
    fs::write(place.path("site/.hidden.yaml"), "not: [yaml")?;
    fs::create_dir(place.path("site/.git"))?;
    fs::write(place.path("site/.git/x.yaml"), "not: [yaml")?;
    fs::create_dir(place.path("site/folder.yaml"))?;
    let folder = run(place.dir(), &["convert", "site"])?.expect(0)?;
    ensure(file.stdout == folder.stdout, "another stream")?;
    // What a kustomization lists matters to a Flux tree, not to a folder of documents.
    fs::write(place.path("site/kustomization.yaml"), "resources: []\n")?;
    let folder = run(place.dir(), &["convert", "site"])?.expect(0)?;
    ensure(
        file.stdout == folder.stdout,
        "another stream beside a kustomization",
    )
}

fn empty_folder() -> Result {
    let place = Place::small()?;
    fs::create_dir(place.path("empty"))?;
    let ran = run(place.dir(), &["convert", "empty", "-o", "out"])?.expect(1)?;
    ran.says("error[input-empty]")?
        .says("folder `empty` holds no YAML file")?
        .says("help: ")?;
    ensure(!place.path("out").exists(), "a tree was made")
}

fn missing() -> Result {
    let place = Place::small()?;
    let ran = run(place.dir(), &["convert", "nowhere.yaml"])?.expect(1)?;
    contains(
        &ran.stderr,
        "error: cannot read `nowhere.yaml`: no such file",
    )
}

fn dangling() -> Result {
    let place = Place::small()?;
    fs::create_dir(place.path("site"))?;
    std::os::unix::fs::symlink("nowhere", place.path("site/link.yaml"))?;
    let ran = run(place.dir(), &["convert", "site"])?.expect(1)?;
    contains(
        &ran.stderr,
        "error: cannot read `site/link.yaml`: no such file",
    )
}

/// Opens, but gives an error when read, for every user.
fn failing_read() -> Result {
    let place = Place::small()?;
    let ran = run(place.dir(), &["convert", "/proc/self/mem"])?.expect(1)?;
    contains(
        &ran.stderr,
        "error: cannot read `/proc/self/mem`: input/output error",
    )
}

fn unreadable() -> std::result::Result<Completion, libtest_mimic::Failed> {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::small()?;
    let file = place.path("armada.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000))?;
    if File::open(&file).is_ok() {
        return Ok(Completion::ignored_with(
            "permissions do not bind this user; cli::input::a_read_that_fails_is_named does it otherwise",
        ));
    }
    let mut command = program();
    command.current_dir(place.dir()).stdin(Stdio::null());
    let ran = Ran::of(command.args(["convert", "armada.yaml"]).output()?)?.expect(1)?;
    contains(
        &ran.stderr,
        "error: cannot read `armada.yaml`: permission denied",
    )?;
    Ok(Completion::Completed)
}
