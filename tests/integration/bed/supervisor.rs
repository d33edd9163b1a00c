//! Ends what the bed started, whatever happens to the test process.
//!
//! A shell waits on a pipe whose other end only the test process holds. When that end is gone (dropped, after a panic,
//! after SIGKILL) the shell kills its own process group, and every process of the bed is a member of that group from
//! before its first instruction.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};

/// `read` returns when the pipe is closed. A keyboard interrupt must not end the shell before its duty is done.
const SCRIPT: &str = "trap '' HUP INT TERM; read -r _; kill -KILL 0";

/// A process group that dies with this value or with the process that holds it, whichever ends first.
#[derive(Debug)]
pub(crate) struct Supervisor {
    shell: Child,
    pipe: Option<ChildStdin>,
}

impl Supervisor {
    /// Starts the shell at the head of a new process group.
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
        // The group is gone when the shell is: it kills itself with the others.
        drop(self.shell.wait());
    }
}
