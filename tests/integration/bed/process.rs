//! A process of the bed, with its own log.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::Outcome;
use super::supervisor::Supervisor;

/// The pause between two checks of a process that is starting.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Lines of a log that a message quotes.
const QUOTED_LINES: usize = 3;

/// A program to start, with arguments and environment.
#[derive(Debug, Clone)]
pub(crate) struct Launch {
    /// Used in messages and in the log's file name.
    pub(crate) name: String,
    /// The executable file.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) arguments: Vec<String>,
    /// Its environment, in addition to `PATH` and `HOME`.
    pub(crate) environment: Vec<(String, OsString)>,
    /// Working folder, home and place of the log.
    pub(crate) folder: PathBuf,
}

impl Launch {
    /// Creates a launch with an empty environment.
    pub(crate) fn new(name: &str, program: PathBuf, folder: &Path, arguments: Vec<String>) -> Self {
        Self {
            name: name.to_owned(),
            program,
            arguments,
            environment: Vec::new(),
            folder: folder.to_owned(),
        }
    }

    /// Adds a variable to the environment.
    pub(crate) fn with(mut self, variable: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((variable.to_owned(), value.into()));
        self
    }

    /// Returns the file of the program's output.
    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }
}

/// A running program and its log.
#[derive(Debug)]
pub(crate) struct Process {
    launch: Launch,
    child: Child,
}

impl Process {
    /// Starts it in the supervisor's group. Of this process's environment it gets only `PATH`.
    pub(crate) fn start(supervisor: &Supervisor, launch: Launch) -> Outcome<Self> {
        let Launch {
            name,
            program,
            arguments,
            environment,
            folder,
        } = &launch;
        let file = File::options()
            .create(true)
            .append(true)
            .open(launch.log())?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder)
            .envs(
                environment
                    .iter()
                    .map(|(variable, value)| (variable, value)),
            )
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file);
        let child = supervisor.spawn(&mut command).map_err(|error| {
            format!("{name} cannot be started ({}): {error}", program.display())
        })?;
        Ok(Self { launch, child })
    }

    /// Returns how it was started; start the same again to restart it.
    pub(crate) fn launch(&self) -> &Launch {
        &self.launch
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Pauses it until the returned value is dropped or resumed.
    pub(crate) fn pause(&self) -> Outcome<Paused> {
        signal("STOP", self.id())?;
        Ok(Paused { id: self.id() })
    }

    /// Returns its exit status; `None` while it runs.
    pub(crate) fn exit_status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Returns a message if it no longer runs.
    pub(crate) fn exit_message(&mut self) -> Option<String> {
        self.exit_status()
            .map(|status| self.failure(&format!("ended ({status})")).to_string())
    }

    /// Kills it and waits until it has ended.
    pub(crate) fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }

    /// Waits until `ready`. If the process ends before, or time runs out, the error names the log.
    pub(crate) fn wait_until(
        &mut self,
        within: Duration,
        mut ready: impl FnMut() -> bool,
    ) -> Outcome {
        let start = Instant::now();
        while !ready() {
            if let Some(status) = self.exit_status() {
                return Err(self.failure(&format!("ended at start ({status})")));
            }
            if start.elapsed() > within {
                return Err(self.failure(&format!("was not ready after {} s", within.as_secs())));
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    fn failure(&self, what: &str) -> super::Error {
        let log = self.launch.log();
        format!(
            "{} {what}; see {}: {}",
            self.launch.name,
            log.display(),
            tail(&log, QUOTED_LINES)
        )
        .into()
    }
}

/// A paused process.
#[derive(Debug)]
pub(crate) struct Paused {
    id: u32,
}

impl Paused {
    /// Resumes it.
    pub(crate) fn resume(self) -> Outcome {
        signal("CONT", self.id)
    }
}

impl Drop for Paused {
    fn drop(&mut self) {
        drop(signal("CONT", self.id));
    }
}

/// Sends a signal, by its name.
pub(crate) fn signal(name: &str, id: u32) -> Outcome {
    let status = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(id.to_string())
        .status()?;
    if status.success() {
        return Ok(());
    }
    Err(format!("kill -{name} {id}: {status}").into())
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts the stack trace of a panic in Go.
const CALLS: &str = "goroutine ";

/// Returns the last non-blank lines of a log on one line, without the stack trace of a panic.
pub(crate) fn tail(log: &Path, lines: usize) -> String {
    let text = fs::read(log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let all: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .take_while(|line| !line.starts_with(CALLS))
        .collect();
    all[all.len().saturating_sub(lines)..].join(" | ")
}
