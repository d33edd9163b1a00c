//! Ends all processes of the bed, whatever happens to the test process.
//!
//! A shell reads from a pipe whose other end only the test process has. When that end closes (by a drop, a panic or
//! SIGKILL), the shell kills its process group, and every process of the bed is a member of that group from its first
//! instruction on.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};

/// `read` returns when the pipe closes. Signals must not end the shell before it killed the group.
const SCRIPT: &str = "trap '' HUP INT TERM; read -r _; kill -KILL 0";

/// A process group that ends when this value is dropped or its process ends.
#[derive(Debug)]
pub(crate) struct Supervisor {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Supervisor {
    /// Starts the shell as leader of a new process group.
    pub(crate) fn start() -> io::Result<Self> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe })
    }

    /// Starts `command` as a member of the group.
    pub(crate) fn spawn(&self, command: &mut Command) -> io::Result<Child> {
        let group = i32::try_from(self.shell.id()).map_err(io::Error::other)?;
        command.process_group(group).spawn()
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        drop(self.pipe.take());
        // When the shell has ended, so has the group: it kills itself with the others.
        drop(self.shell.wait());
    }
}
