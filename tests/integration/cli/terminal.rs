//! Colours, quiet, loud, and levels of codes.

use std::fs;

use libtest_mimic::Trial;

use super::super::support::{Ran, Result, contains, ensure, lacks, program, run};
use super::{Named, Place, named};

pub(super) fn trials() -> Vec<Trial> {
    let mut trials = named(
        "terminal",
        &[
            ("colours_only_when_asked_for", colours),
            ("quiet_says_errors_only", quiet),
            ("verbose_says_all", verbose),
            ("deny_makes_a_warning_an_error", deny),
            ("allow_leaves_a_warning_out", allow),
            ("errors_cannot_be_allowed", errors_stay),
            ("secrets_are_never_said", secrets),
        ],
    );
    trials.extend(named("terminal", TTY));
    trials
}

const CONVERT: &[&str] = &["convert", "armada.yaml", "-o", "out"];
const ESCAPE: &str = "\u{1b}[";

fn convert(place: &Place, more: &[&str]) -> Result<Ran> {
    run(place.dir(), &[CONVERT, more].concat())
}

fn colours() -> Result {
    let place = Place::small()?;
    lacks(&convert(&place, &[])?.expect(0)?.stderr, ESCAPE)?;
    lacks(
        &convert(&place, &["--color", "never"])?.expect(0)?.stderr,
        ESCAPE,
    )?;
    contains(
        &convert(&place, &["--color=always"])?.expect(0)?.stderr,
        ESCAPE,
    )?;
    // Asked for on the command line is asked for, whatever the environment says.
    let mut command = program();
    command.env("NO_COLOR", "1").current_dir(place.dir());
    let ran = Ran::of(command.args(CONVERT).arg("--color=always").output()?)?;
    contains(&ran.expect(0)?.stderr, ESCAPE)?;
    let mut command = program();
    command.env("CLICOLOR_FORCE", "1").current_dir(place.dir());
    let ran = Ran::of(command.args(CONVERT).output()?)?;
    contains(&ran.expect(0)?.stderr, ESCAPE)?;
    let stream = run(place.dir(), &["convert", "armada.yaml", "--color=always"])?;
    lacks(&stream.expect(0)?.stdout, ESCAPE)
}

fn quiet() -> Result {
    let place = Place::small()?;
    let ran = convert(&place, &["-q"])?.expect(0)?;
    ensure(ran.stderr.is_empty(), ran.stderr)?;
    let ran = convert(&place, &["-q", "--target-manifest", "none"])?.expect(1)?;
    contains(&ran.stderr, "error[manifest-missing]")?;
    lacks(&ran.stderr, "warning")?;
    lacks(&ran.stderr, "nothing was written")
}

/// How often a code is shown.
fn shown(ran: &Ran, code: &str) -> usize {
    ran.stderr.matches(&format!("[{code}]: ")).count()
}

fn verbose() -> Result {
    let place = Place::small()?;
    let text = place.text("armada.yaml")?;
    let more: String = (0..5).map(|n| format!("    v{n}: \"0{n}8\"\n")).collect();
    let many = text.replace("    replicas: 2\n", &format!("    replicas: 2\n{more}"));
    fs::write(place.path("armada.yaml"), many)?;
    let some = convert(&place, &[])?.expect(0)?;
    let all = convert(&place, &["-v"])?.expect(0)?;
    // Six in all: five more than the case has.
    ensure(shown(&all, "value-retyped") == 6, all.stderr.clone())?;
    lacks(&all.stderr, "more of these")?;
    contains(&some.stderr, "warning[value-retyped]: 5 more of these")?;
    ensure(shown(&some, "value-retyped") == 2, some.stderr)
}

const CODE: &str = "pre-delete-not-carried";

fn deny() -> Result {
    let place = Place::small()?;
    contains(
        &convert(&place, &[])?.expect(0)?.stderr,
        &format!("warning[{CODE}]"),
    )?;
    fs::remove_dir_all(place.path("out"))?;
    convert(&place, &["--deny", CODE])?
        .expect(1)?
        .says(&format!("error[{CODE}]"))?
        .says("nothing was written")?;
    ensure(!place.path("out").exists(), "a tree was made")
}

fn allow() -> Result {
    let place = Place::small()?;
    let ran = convert(&place, &["--allow", CODE])?.expect(0)?;
    lacks(&ran.stderr, CODE)?;
    // Deny is the stronger word.
    convert(&place, &["--allow", CODE, "--deny", CODE])?.expect(1)?;
    Ok(())
}

fn errors_stay() -> Result {
    let place = Place::small()?;
    let arguments = ["--allow", "manifest-missing", "--target-manifest", "none"];
    convert(&place, &arguments)?
        .expect(1)?
        .says("error[manifest-missing]")
        .map(|_| ())
}

fn secrets() -> Result {
    const SECRET: &str = "correct-horse-battery";
    let place = Place::small()?;
    contains(&place.text("armada.yaml")?, SECRET)?;
    let report = ["-v", "--report", "json"];
    for more in [
        &report[..],
        &[&report[..], &["--target-manifest", "none"]].concat(),
    ] {
        let ran = convert(&place, more)?;
        lacks(&ran.stdout, SECRET)?;
        lacks(&ran.stderr, SECRET)?;
    }
    // Broken after the secret: excerpts of what could not be read must not show it either.
    let text = place.text("armada.yaml")?;
    let at = text.find(SECRET).ok_or("no secret")?;
    for broken in [": [", "\n\t- x: [", "\n  \"", "\n   {"] {
        let mut text = text.clone();
        text.insert_str(at + SECRET.len(), broken);
        fs::write(place.path("armada.yaml"), text)?;
        let ran = convert(&place, &report)?.expect(1)?;
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

    use super::super::super::support::{Result, contains, ensure, lacks, program};
    use super::super::Place;
    use super::{CONVERT, ESCAPE};

    /// What a command writes to a terminal, which `attach` gives it. It must succeed.
    pub(crate) fn on_terminal(
        command: Command,
        attach: impl FnOnce(&mut Command, File),
    ) -> Result<String> {
        let (text, status) = typed(command, "", attach)?;
        ensure(status.success(), format!("the program failed: {text}"))?;
        Ok(text)
    }

    /// The same where somebody types, and how it ended.
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
        // The terminal closes when nobody holds its end any more.
        drop(command);
        let mut text = Vec::new();
        let mut controller = File::from(controller);
        controller.write_all(keys.as_bytes())?;
        // Linux ends a terminal with an error instead of an end.
        let _ = controller.read_to_end(&mut text);
        Ok((String::from_utf8(text)?, child.wait()?))
    }

    fn said(place: &Place, environment: Option<(&str, &str)>) -> Result<String> {
        let mut command = program();
        command
            .current_dir(place.dir())
            .args(CONVERT)
            .envs(environment);
        on_terminal(command, |command, terminal| {
            command.stderr(terminal);
        })
    }

    pub(super) fn colours() -> Result {
        let place = Place::small()?;
        contains(&said(&place, None)?, ESCAPE)?;
        lacks(&said(&place, Some(("NO_COLOR", "1")))?, ESCAPE)?;
        lacks(&said(&place, Some(("TERM", "dumb")))?, ESCAPE)?;
        contains(&said(&place, Some(("NO_COLOR", "")))?, ESCAPE)
    }
}
