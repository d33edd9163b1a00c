//! The journal's file: one process at a time, each line on the disk before anything follows it.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use crate::report::quoted_path;
use crate::rollout::journal::{self, Entry, FORMAT, Line, RunInfo, RunRecord};
use crate::value::Text;

use super::{Failure, clock};

/// For its owner only: addresses and names of a site stand in it.
const MODE: u32 = 0o600;

/// A journal that this process writes; the file is locked as long as it lives.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    run: Text,
    /// What all lines so far come to.
    state: Option<RunRecord>,
    /// Length of the whole lines, in bytes.
    whole: u64,
    /// The same before this process wrote any.
    found: u64,
    /// Whether a line could not be written: nothing may follow it.
    broken: bool,
}

/// The journal of a site unless another file is given: in the current folder.
pub(super) fn default_path(site: &str) -> PathBuf {
    PathBuf::from(format!("armada2flux-{site}.journal"))
}

/// What a journal says, whoever writes it; `None` when there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<journal::Journal>, Failure> {
    match std::fs::read(path) {
        Ok(bytes) => parse(path, &bytes).map(Some),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(Failure::io("read", path, cause)),
    }
}

impl Journal {
    /// Begins a run. A file that holds complete runs is added to; an unfinished one is refused.
    pub(super) fn start(path: &Path, info: RunInfo) -> Result<Self, Failure> {
        let made = options().create_new(true).open(path);
        let file = match made {
            Ok(file) => {
                // The name must outlive a crash, too. Where folders cannot be synced, it does by itself.
                let folder = path
                    .parent()
                    .filter(|folder| !folder.as_os_str().is_empty());
                let folder = File::open(folder.unwrap_or_else(|| Path::new(".")));
                let _ = folder.and_then(|folder| folder.sync_all());
                file
            }
            Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => open(path)?,
            Err(cause) => return Err(Failure::io("make", path, cause)),
        };
        let (mut journal, last) = Self::of(file, path)?;
        if let Some(last) = last.filter(|last| !last.is_complete()) {
            let act = format!(
                "`{}` holds a run that is not finished: {} of site {}, started {}",
                path.display(),
                last.run,
                last.info.site,
                last.started
            );
            let hint = format!(
                "resume it with `--resume --journal {}`, or start another run with another `--journal FILE`",
                quoted_path(path)
            );
            return Err(Failure::new(act).hint(hint).refused());
        }
        journal.run = clock::run_name();
        journal.append(Entry::RunStarted(info))?;
        Ok(journal)
    }

    /// Takes an unfinished run up, and says where it stood. `about` must be about the same site, rollout and cluster;
    /// what had failed before the run is what its beginning says.
    pub(super) fn resume(path: &Path, info: RunInfo) -> Result<(Self, RunRecord), Failure> {
        let nothing = || {
            let act = format!("no run to resume in `{}`", path.display());
            Failure::new(act)
                .hint("start one without `--resume`, or give the journal of the run with `--journal FILE`")
        };
        let file = match options().open(path) {
            Ok(file) => file,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Err(nothing()),
            Err(cause) => return Err(Failure::io("open", path, cause)),
        };
        let (mut journal, last) = Self::of(file, path)?;
        let state = last.ok_or_else(nothing)?;
        if state.is_complete() {
            let act = format!("the run in `{}` is complete", path.display());
            return Err(Failure::new(act)
                .hint("start another run without `--resume`")
                .refused());
        }
        if !state.is_same_run(&info) {
            return Err(another(path, &state.info, &info));
        }
        journal.run = state.run.clone();
        let info = RunInfo {
            failed_before: state.info.failed_before.clone(),
            ..info
        };
        journal.append(Entry::RunResumed(info))?;
        Ok((journal, state))
    }

    /// Locks a file and cuts off what a process did not get to the end of.
    fn of(mut file: File, path: &Path) -> Result<(Self, Option<RunRecord>), Failure> {
        match file.try_lock() {
            // Some file systems know no locks; the Lease in the cluster keeps a second run out as well.
            Ok(()) | Err(TryLockError::Error(_)) => {}
            Err(TryLockError::WouldBlock) => {
                let last = read(path).ok().flatten().and_then(|journal| journal.last);
                let who = last.map_or_else(String::new, |last| format!(": `{}`", last.info.holder));
                let act = format!(
                    "another process writes the journal `{}`{who}",
                    path.display()
                );
                return Err(Failure::new(act)
                    .refused()
                    .hint("wait until it ends; `armada2flux status` shows its progress"));
            }
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)
            .map_err(|cause| Failure::io("read", path, cause))?;
        let journal::Journal { last, whole, torn } = parse(path, &bytes)?;
        let mut journal = Self {
            file,
            path: path.to_owned(),
            run: Text::new(),
            state: last.clone(),
            whole: whole as u64,
            found: whole as u64,
            broken: false,
        };
        if torn {
            journal
                .cut()
                .map_err(|cause| Failure::io("write", path, cause))?;
        }
        Ok((journal, last))
    }

    /// Takes back what this process wrote: it was refused before it did anything.
    pub(super) fn withdraw(mut self) -> Result<(), Failure> {
        self.whole = self.found;
        let gone = if self.found == 0 {
            std::fs::remove_file(&self.path)
        } else {
            self.cut()
        };
        gone.map_err(|cause| Failure::io("remove the first line of", &self.path, cause))
    }

    /// Where the run stands.
    pub(super) fn state(&self) -> Option<&RunRecord> {
        self.state.as_ref()
    }

    /// The run's name.
    pub(super) fn run(&self) -> &Text {
        &self.run
    }

    /// Adds a line and waits until it is on the disk.
    ///
    /// A line that cannot be written is the last: whoever calls stops before the write that it announces.
    pub(super) fn append(&mut self, entry: Entry) -> Result<(), Failure> {
        let line = Line {
            version: FORMAT,
            at: clock::now(),
            run: self.run.clone(),
            entry,
        };
        let written = if self.broken {
            Err(io::Error::other("an earlier line could not be written"))
        } else {
            self.write(&line)
        };
        written.map_err(|cause| {
            self.broken = true;
            // What was written of the line must not be in the way of the next one. Reading leaves it out, too.
            let _ = self.cut();
            Failure::io("write the journal", &self.path, cause).hint(
                "nothing was written to the cluster after the journal's last line; free some space",
            )
        })
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)?;
        self.file.sync_data()?;
        self.whole += text.len() as u64;
        // A line of this process is never out of its place, and the state is for show.
        self.state = RunRecord::after(self.state.take(), line.clone(), 0).ok();
        Ok(())
    }

    fn cut(&mut self) -> io::Result<()> {
        self.file.set_len(self.whole)?;
        self.file.seek(SeekFrom::Start(self.whole))?;
        self.file.sync_data()
    }
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(MODE);
    options
}

fn open(path: &Path) -> Result<File, Failure> {
    options()
        .open(path)
        .map_err(|cause| Failure::io("open", path, cause))
}

fn parse(path: &Path, bytes: &[u8]) -> Result<journal::Journal, Failure> {
    journal::Journal::read(bytes).map_err(|error| {
        Failure::new(format!(
            "cannot use the journal `{}`: {error}",
            path.display()
        ))
        .hint(error.hint())
    })
}

/// Why a run is not taken up with this input in this cluster.
fn another(path: &Path, started: &RunInfo, now: &RunInfo) -> Failure {
    let path = path.display();
    let (what, hint) = if started.site != now.site {
        let what = format!("of site {}, not of {}", started.site, now.site);
        (
            what,
            "give the journal of this site's run with `--journal FILE`",
        )
    } else if started.cluster != now.cluster {
        let what = format!("in another cluster, then at {}", started.server);
        (what, "give the cluster of the run with `--context`")
    } else {
        let what = "of other objects than the input holds now".to_owned();
        (
            what,
            "give the input of the run, or start another run with another `--journal FILE`",
        )
    };
    Failure::new(format!("the run in `{path}` is {what}"))
        .hint(hint)
        .refused()
}

#[cfg(test)]
mod tests;
