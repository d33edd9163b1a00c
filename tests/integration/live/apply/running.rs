//! A running `apply`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use super::{Scope, command, ensure};
use crate::bed::{Outcome, build, until};

/// Time limit for a step of a small site on busy cores.
const WITHIN: Duration = Duration::from_secs(120);

/// A running `apply`; dropping it kills the process.
pub(super) struct Running {
    child: Child,
    output: PathBuf,
}

impl Running {
    /// Starts it.
    pub(super) fn start(
        scope: &Scope<'_>,
        kubeconfig: &Path,
        tree: &Path,
        arguments: &[&str],
    ) -> Outcome<Self> {
        let name = format!("{}-{}.output", scope.namespace, build::unique_name());
        let output = scope.bed.path().join(name);
        let file = File::create(&output)?;
        let mut command = command(scope, kubeconfig, tree, arguments);
        command.stdout(file.try_clone()?).stderr(file);
        command.stdin(Stdio::null());
        let child = command.spawn()?;
        Ok(Self { child, output })
    }

    /// Returns everything that it printed so far.
    pub(super) fn printed(&self) -> Outcome<String> {
        Ok(fs::read_to_string(&self.output)?)
    }

    /// Waits until it printed `text`.
    pub(super) fn wait_for(&self, text: &str) -> Outcome {
        let seen = until(WITHIN, || Ok(self.printed()?.contains(text).then_some(())));
        seen.map_err(|error| {
            let printed = self.printed().unwrap_or_default();
            format!("`{text}` was not printed ({error}):\n{printed}").into()
        })
    }

    /// Waits until it ends with exit code `code`; returns what it printed.
    pub(super) fn end(mut self, code: i32) -> Outcome<String> {
        let status = until(WITHIN, || Ok(self.child.try_wait()?))?;
        let printed = self.printed()?;
        ensure(status.code() == Some(code), || {
            format!("{status} instead of {code}:\n{printed}")
        })?;
        Ok(printed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
