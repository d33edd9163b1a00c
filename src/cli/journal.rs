//! The journal's file: one process at a time, each line on the disk before anything follows it.
//!
//! A journal is opened first, which changes nothing, and begun when the run may write. A run that is refused leaves the
//! file as it was.

mod file;

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::report::quoted_path;
use crate::rollout::journal::{self, Chain, Entry, FORMAT, Line, RunInfo, RunRecord};
use crate::value::Text;

use super::{Failure, clock};
use file::Access;

/// A journal that this process has locked, as it was found. Dropping it leaves the file as it was found.
#[derive(Debug)]
pub(super) struct Opened {
    file: File,
    path: PathBuf,
    /// Whether this process made the file; it is empty then.
    is_new: bool,
    content: journal::Journal,
    /// What follows the whole lines.
    torn: Vec<u8>,
    /// Whether a [`Journal`] keeps the lock.
    begun: bool,
}

/// A journal that this process writes; the file is locked as long as it lives.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    path: PathBuf,
    run: Text,
    /// What all lines so far come to.
    state: Option<RunRecord>,
    /// What the next line follows.
    chain: Chain,
    /// Length of the whole lines, in bytes.
    whole: u64,
    /// The file as it was before this process wrote to it.
    found: Found,
    /// Whether a line could not be written: nothing may follow it.
    broken: bool,
}

/// What a file held.
#[derive(Debug)]
struct Found {
    is_new: bool,
    whole: u64,
    torn: Vec<u8>,
}

/// The journal of a site unless another file is given: in the current folder.
pub(super) fn default_path(site: &str) -> PathBuf {
    PathBuf::from(format!("armada2flux-{site}.journal"))
}

/// What a journal says, whoever writes it; `None` when there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<journal::Journal>, Failure> {
    let Some(file) = file::open(path, Access::Read)? else {
        return Ok(None);
    };
    parse(path, &file::read(&file, path)?).map(Some)
}

impl Opened {
    /// Opens the journal for a new run, and makes it if there is none. An unfinished run in it is refused.
    pub(super) fn to_start(path: &Path) -> Result<Self, Failure> {
        let (file, is_new) = file::open_or_make(path).map_err(Failure::refused)?;
        let opened = Self::of(file, path, is_new).map_err(Failure::refused)?;
        let shown = path.display();
        if let Some(last) = opened.unfinished() {
            let act = format!(
                "`{shown}` holds a run that is not finished: {} of site {}, started {}",
                last.run, last.info.site, last.started
            );
            let hint = format!(
                "resume it with `--resume --journal {}`, or start another run with another `--journal FILE`",
                quoted_path(path)
            );
            return Err(Failure::new(act).hint(hint).refused());
        }
        if opened.content.whole as u64 > file::MAX_BYTES_BEFORE_A_RUN {
            let limit = file::MAX_BYTES_BEFORE_A_RUN >> 20;
            let act = format!(
                "the journal `{shown}` is larger than {limit} MiB, so no run is added to it"
            );
            return Err(Failure::new(act)
                .hint("move it away, or give another file with `--journal FILE`")
                .refused());
        }
        Ok(opened)
    }

    /// Opens the journal of an unfinished run. `about` must be about the same site, rollout and cluster.
    pub(super) fn to_resume(path: &Path, about: &RunInfo) -> Result<Self, Failure> {
        let nothing = || {
            let act = format!("no run to resume in `{}`", path.display());
            Failure::new(act)
                .hint("start one without `--resume`, or give the journal of the run with `--journal FILE`")
        };
        let file = file::open(path, Access::Append).map_err(Failure::refused)?;
        let file = file.ok_or_else(nothing)?;
        let opened = Self::of(file, path, false).map_err(Failure::refused)?;
        let state = opened.content.last.as_ref().ok_or_else(nothing)?;
        if state.is_complete() {
            let act = format!("the run in `{}` is complete", path.display());
            return Err(Failure::new(act)
                .hint("start another run without `--resume`")
                .refused());
        }
        if !state.is_same_run(about) {
            return Err(another(path, &state.info, about));
        }
        Ok(opened)
    }

    /// Locks and reads a file.
    fn of(file: File, path: &Path, is_new: bool) -> Result<Self, Failure> {
        if file::is_locked_by_another(&file) {
            let last = read(path).ok().flatten().and_then(|journal| journal.last);
            let who = last.map_or_else(String::new, |last| format!(": `{}`", last.info.holder));
            let act = format!(
                "another process writes the journal `{}`{who}",
                path.display()
            );
            return Err(Failure::new(act)
                .hint("wait until it ends; `armada2flux status` shows its progress"));
        }
        let mut opened = Self {
            file,
            path: path.to_owned(),
            is_new,
            content: journal::Journal::default(),
            torn: Vec::new(),
            begun: false,
        };
        let mut bytes = file::read(&opened.file, path)?;
        // The process that had it may have taken it away in between.
        moved(&opened.file, path, bytes.len() as u64)?;
        opened.content = parse(path, &bytes)?;
        opened.torn = bytes.split_off(opened.content.whole);
        Ok(opened)
    }

    /// The last run, if it is not complete.
    pub(super) fn unfinished(&self) -> Option<&RunRecord> {
        let last = self.content.last.as_ref();
        last.filter(|last| !last.is_complete())
    }

    /// Begins a run of this name: the first line.
    pub(super) fn start(self, run: Text, info: RunInfo) -> Result<Journal, Failure> {
        self.begin(run, Entry::RunStarted(info))
    }

    /// Takes the unfinished run up. What had failed before the run is what its beginning says.
    pub(super) fn resume(self, info: RunInfo) -> Result<Journal, Failure> {
        let last = self.content.last.as_ref();
        let run = last.map(|last| last.run.clone()).unwrap_or_default();
        let failed_before = last.map(|last| last.info.failed_before.clone());
        let info = RunInfo {
            failed_before: failed_before.unwrap_or_default(),
            ..info
        };
        self.begin(run, Entry::RunResumed(info))
    }

    fn begin(self, run: Text, entry: Entry) -> Result<Journal, Failure> {
        let mut this = self;
        let content = std::mem::take(&mut this.content);
        let path = this.path.clone();
        let failed = |cause| Failure::io("write", &path, cause);
        let mut journal = Journal {
            file: this.file.try_clone().map_err(failed)?,
            path: this.path.clone(),
            run,
            state: content.last,
            chain: content.chain,
            whole: content.whole as u64,
            found: Found {
                is_new: std::mem::take(&mut this.is_new),
                whole: content.whole as u64,
                torn: std::mem::take(&mut this.torn),
            },
            broken: false,
        };
        this.begun = true;
        drop(this);
        let length = journal.whole + journal.found.torn.len() as u64;
        moved(&journal.file, &path, length)?;
        file::make_private(&journal.file).map_err(failed)?;
        journal.cut().map_err(failed)?;
        if let Err(failure) = journal.append(entry) {
            let _ = journal.put_back();
            return Err(failure);
        }
        Ok(journal)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        // A file that this process made for nothing, unless another one has taken its place.
        if self.is_new
            && let Ok(Ok(())) = file::verify(&self.file, &self.path, 0)
        {
            let _ = std::fs::remove_file(&self.path);
        }
        if !self.begun {
            file::unlock(&self.file);
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        file::unlock(&self.file);
    }
}

impl Journal {
    /// Takes back what this process wrote: it was refused before it did anything.
    pub(super) fn withdraw(mut self) -> Result<(), Failure> {
        let back = self.put_back();
        back.map_err(|cause| Failure::io("remove the first line of", &self.path, cause))
    }

    fn put_back(&mut self) -> io::Result<()> {
        if file::verify(&self.file, &self.path, self.whole)?.is_err() {
            // Whoever changed it has it now.
            return Ok(());
        }
        if self.found.is_new {
            return std::fs::remove_file(&self.path);
        }
        self.whole = self.found.whole;
        self.cut()?;
        self.file.write_all(&self.found.torn)?;
        self.file.sync_data()
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
        let path = self.path.clone();
        let written = if self.broken {
            Err(io::Error::other("an earlier line could not be written"))
        } else if let Err(failure) = moved(&self.file, &path, self.whole) {
            self.broken = true;
            return Err(failure);
        } else {
            self.write(&line)
        };
        written.map_err(|cause| {
            // What was written of the line must not be in the way of the next one. Reading leaves it out, too.
            if !self.broken {
                let _ = self.cut();
            }
            self.broken = true;
            Failure::io("write the journal", &path, cause).hint(
                "nothing was written to the cluster after the journal's last line; free some space",
            )
        })
    }

    fn write(&mut self, line: &Line) -> io::Result<()> {
        let mut chain = self.chain.clone();
        let text = chain.seal(line)?;
        self.file.write_all(&text)?;
        self.file.sync_data()?;
        self.chain = chain;
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

/// Fails when a path does not lead to the open file any more, or another program has changed the file.
fn moved(file: &File, path: &Path, bytes: u64) -> Result<(), Failure> {
    let verified = file::verify(file, path, bytes);
    let verified = verified.map_err(|cause| Failure::io("look at the journal", path, cause))?;
    verified.map_err(|moved| {
        let act = format!("cannot write the journal `{}`: {moved}", path.display());
        Failure::new(act).hint(
            "nothing was written to the cluster after the journal's last line; put the journal back as it was, or check \
             `armada2flux diff` and start a new run with another `--journal FILE`",
        )
    })
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
