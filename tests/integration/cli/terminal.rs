//! Colours, verbosity, and levels of diagnostics.

use std::fs;

use libtest_mimic::Trial;

use super::{Named, Workspace, named};
use crate::support::{ProgramOutput, Result, contains, ensure, lacks, program, run};

pub(super) fn trials() -> Vec<Trial> {
    let mut trials = named(
        "terminal",
        &[
            ("colours_only_when_asked_for", colours),
            ("quiet_prints_errors_only", quiet),
            ("verbose_prints_everything", verbose),
            ("deny_makes_a_warning_an_error", deny),
            ("allow_hides_a_warning", allow),
            ("errors_cannot_be_allowed", errors_stay),
            ("secrets_are_never_printed", secrets),
        ],
    );
    trials.extend(named("terminal", TTY));
    trials
}

const CONVERT: &[&str] = &["convert", "armada.yaml", "-o", "out"];
const ESCAPE: &str = "\u{1b}[";

fn convert(workspace: &Workspace, more: &[&str]) -> Result<ProgramOutput> {
    run(workspace.dir(), &[CONVERT, more].concat())
}

fn colours() -> Result {
    let workspace = Workspace::small()?;
    lacks(&convert(&workspace, &[])?.expect_code(0)?.stderr, ESCAPE)?;
    lacks(
        &convert(&workspace, &["--color", "never"])?
            .expect_code(0)?
            .stderr,
        ESCAPE,
    )?;
    contains(
        &convert(&workspace, &["--color=always"])?
            .expect_code(0)?
            .stderr,
        ESCAPE,
    )?;
    // The command line wins over the environment.
    let mut command = program();
    command.env("NO_COLOR", "1").current_dir(workspace.dir());
    let ran = ProgramOutput::new(command.args(CONVERT).arg("--color=always").output()?)?;
    contains(&ran.expect_code(0)?.stderr, ESCAPE)?;
    let mut command = program();
    command
        .env("CLICOLOR_FORCE", "1")
        .current_dir(workspace.dir());
    let ran = ProgramOutput::new(command.args(CONVERT).output()?)?;
    contains(&ran.expect_code(0)?.stderr, ESCAPE)?;
    let stream = run(
        workspace.dir(),
        &["convert", "armada.yaml", "--color=always"],
    )?;
    lacks(&stream.expect_code(0)?.stdout, ESCAPE)
}

fn quiet() -> Result {
    let workspace = Workspace::small()?;
    let ran = convert(&workspace, &["-q"])?.expect_code(0)?;
    ensure(ran.stderr.is_empty(), ran.stderr)?;
    let ran = convert(&workspace, &["-q", "--target-manifest", "none"])?.expect_code(1)?;
    contains(&ran.stderr, "error[manifest-missing]")?;
    lacks(&ran.stderr, "warning")?;
    lacks(&ran.stderr, "nothing was written")
}

/// Returns how often a code is shown.
fn shown(ran: &ProgramOutput, code: &str) -> usize {
    ran.stderr.matches(&format!("[{code}]: ")).count()
}

fn verbose() -> Result {
    let workspace = Workspace::small()?;
    let text = workspace.text("armada.yaml")?;
    let more: String = (0..5).map(|n| format!("    v{n}: \"0{n}8\"\n")).collect();
    let many = text.replace("    replicas: 2\n", &format!("    replicas: 2\n{more}"));
    fs::write(workspace.path("armada.yaml"), many)?;
    let some = convert(&workspace, &[])?.expect_code(0)?;
    let all = convert(&workspace, &["-v"])?.expect_code(0)?;
    // Six in all: five more than the case has.
    ensure(shown(&all, "value-retyped") == 6, all.stderr.clone())?;
    lacks(&all.stderr, "more of these")?;
    contains(&some.stderr, "warning[value-retyped]: 5 more of these")?;
    ensure(shown(&some, "value-retyped") == 2, some.stderr)
}

const CODE: &str = "pre-delete-not-carried";

fn deny() -> Result {
    let workspace = Workspace::small()?;
    contains(
        &convert(&workspace, &[])?.expect_code(0)?.stderr,
        &format!("warning[{CODE}]"),
    )?;
    fs::remove_dir_all(workspace.path("out"))?;
    convert(&workspace, &["--deny", CODE])?
        .expect_code(1)?
        .expect_stderr(&format!("error[{CODE}]"))?
        .expect_stderr("nothing was written")?;
    ensure(!workspace.path("out").exists(), "a tree was made")
}

fn allow() -> Result {
    let workspace = Workspace::small()?;
    let ran = convert(&workspace, &["--allow", CODE])?.expect_code(0)?;
    lacks(&ran.stderr, CODE)?;
    // `--deny` wins over `--allow`.
    convert(&workspace, &["--allow", CODE, "--deny", CODE])?.expect_code(1)?;
    Ok(())
}

fn errors_stay() -> Result {
    let workspace = Workspace::small()?;
    let arguments = ["--allow", "manifest-missing", "--target-manifest", "none"];
    convert(&workspace, &arguments)?
        .expect_code(1)?
        .expect_stderr("error[manifest-missing]")
        .map(|_| ())
}

fn secrets() -> Result {
    const SECRET: &str = "correct-horse-battery";
    let workspace = Workspace::small()?;
    contains(&workspace.text("armada.yaml")?, SECRET)?;
    let report = ["-v", "--report", "json"];
    for more in [
        &report[..],
        &[&report[..], &["--target-manifest", "none"]].concat(),
    ] {
        let ran = convert(&workspace, more)?;
        lacks(&ran.stdout, SECRET)?;
        lacks(&ran.stderr, SECRET)?;
    }
    // Unreadable after the secret: excerpts must not show it either.
    let text = workspace.text("armada.yaml")?;
    let at = text.find(SECRET).ok_or("no secret")?;
    for broken in [": [", "\n\t- x: [", "\n  \"", "\n   {"] {
        let mut text = text.clone();
        text.insert_str(at + SECRET.len(), broken);
        fs::write(workspace.path("armada.yaml"), text)?;
        let ran = convert(&workspace, &report)?.expect_code(1)?;
        lacks(&ran.stdout, SECRET)?;
        lacks(&ran.stderr, SECRET)?;
    }
    Ok(())
}

#[cfg(not(unix))]
const TTY: &[Named] = &[];
#[cfg(unix)]
const TTY: &[Named] = &[
    ("colours_on_a_terminal", tty::colours),
    ("diff_fits_eighty_columns", super::screen::columns),
    (
        "the_picture_in_the_docs_is_what_diff_prints",
        super::screen::picture,
    ),
];

#[cfg(unix)]
pub(crate) use tty::{on_terminal, typed};

#[cfg(unix)]
mod tty {
    use std::fs::File;
    use std::io::{Read as _, Write as _};
    use std::process::{Command, ExitStatus};

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    use super::{CONVERT, ESCAPE};
    use crate::cli::Workspace;
    use crate::support::{Result, contains, ensure, lacks, program};

    /// Returns what a successful command writes to the terminal that `attach` gives it.
    pub(crate) fn on_terminal(
        command: Command,
        attach: impl FnOnce(&mut Command, File),
    ) -> Result<String> {
        let (text, status) = typed(command, "", attach)?;
        ensure(status.success(), format!("the program failed: {text}"))?;
        Ok(text)
    }

    /// Like that, with typed input; also returns the exit code.
    pub(crate) fn typed(
        mut command: Command,
        keys: &str,
        attach: impl FnOnce(&mut Command, File),
    ) -> Result<(String, ExitStatus)> {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        grantpt(&controller)?;
        unlockpt(&controller)?;
        let name = ptsname(&controller, Vec::new())?;
        let terminal = File::options()
            .read(true)
            .write(true)
            .open(name.to_str()?)?;
        attach(&mut command, terminal);
        let mut child = command.spawn()?;
        // The terminal closes when its last other end is closed.
        drop(command);
        let mut text = Vec::new();
        let mut controller = File::from(controller);
        controller.write_all(keys.as_bytes())?;
        // On Linux, reading a closed terminal is an error.
        let _ = controller.read_to_end(&mut text);
        Ok((String::from_utf8(text)?, child.wait()?))
    }

    fn output_of(workspace: &Workspace, environment: Option<(&str, &str)>) -> Result<String> {
        let mut command = program();
        command
            .current_dir(workspace.dir())
            .args(CONVERT)
            .envs(environment);
        on_terminal(command, |command, terminal| {
            command.stderr(terminal);
        })
    }

    pub(super) fn colours() -> Result {
        let workspace = Workspace::small()?;
        contains(&output_of(&workspace, None)?, ESCAPE)?;
        lacks(&output_of(&workspace, Some(("NO_COLOR", "1")))?, ESCAPE)?;
        lacks(&output_of(&workspace, Some(("TERM", "dumb")))?, ESCAPE)?;
        contains(&output_of(&workspace, Some(("NO_COLOR", "")))?, ESCAPE)
    }
}
