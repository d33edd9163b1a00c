//! The frame of the benchmarks that need a cluster: the test bed, the program, and objects with large values.
#![allow(dead_code, reason = "each benchmark uses a part of it")]

#[path = "../integration"]
mod integration {
    pub(crate) mod bed;
}

use std::fmt::Write as _;
use std::process::{Command, Stdio};

pub(crate) use integration::bed;

use bed::Outcome;

/// HelmReleases of a large site.
pub(crate) const RELEASES: usize = 500;
/// Namespaces that have them.
pub(crate) const NAMESPACES: usize = 5;
/// Bytes of values of each, about.
pub(crate) const VALUES: usize = 10_000;
/// The field manager of `apply`, as an option of kubectl.
pub(crate) const MANAGER: &str = "--field-manager=armada2flux";

/// Returns a command for the program, with an empty environment and empty stdin.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_armada2flux"));
    command.env_clear().stdin(Stdio::null());
    command
}

/// Runs a command until it ends; fails with its stderr unless it exits with 0.
pub(crate) fn finish(command: &mut Command) -> Outcome {
    let output = command.output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(String::from_utf8_lossy(&output.stderr).into())
}

/// Writes the values of release `number`, indented by four.
pub(crate) fn write_values(text: &mut String, number: usize) -> Outcome {
    let end = text.len() + VALUES;
    let mut key = 0;
    while text.len() < end {
        writeln!(
            text,
            "    part_{key}: {{enabled: true, replicas: {key}, image: registry.example.org/part/{key}:1.{number}, nothing: null}}"
        )?;
        key += 1;
    }
    Ok(())
}
