//! Reading a journal back: what the last run in it came to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Act, Begin, Doomed, End, Entry, FORMAT, Finish, Line};
use crate::rollout::PartId;
use crate::value::Text;

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// The last run; `None` when no line is whole.
    pub last: Option<State>,
    /// Length of the whole lines, in bytes: what is behind it is cut off before anything is added.
    pub whole: usize,
    /// Whether something is behind it: a line that a process did not get to its end.
    pub torn: bool,
}

/// Where a run stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Its name.
    pub run: Text,
    /// What it is about, as it stood when the run began; `holder`, `program` and `server` are of the last process.
    pub about: Begin,
    /// When it began, as the line says.
    pub began: Text,
    /// When the last line was written.
    pub updated: Text,
    /// How many processes have worked on it.
    pub processes: usize,
    /// The stage that began last.
    pub stage: Option<usize>,
    /// Stages whose last gate has opened.
    pub ended: BTreeSet<usize>,
    /// Parts, as far as something was done about them.
    pub parts: BTreeMap<PartId, PartState>,
    /// How the last process ended; `None` while one is at work, and when it was killed.
    pub end: Option<End>,
}

/// Where a part stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartState {
    /// The write that was begun and of which it is not known whether the cluster took it.
    pub going: Option<Act>,
    /// Generation after the last write that is known to be done; `None` also for what has none.
    pub generation: Option<i64>,
    /// What is deleted before the upgrade; `None` as long as that was not looked up.
    pub doomed: Option<Vec<Doom>>,
    /// What the annotations of the last request to try again hold.
    pub retried: Option<Text>,
    /// How it ended; a failure is forgotten when the run is taken up again.
    pub outcome: Option<Finish>,
}

/// An object that is deleted before an upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doom {
    /// The object.
    pub object: Doomed,
    /// Whether the cluster is known to have deleted it.
    pub deleted: bool,
}

/// Why a journal cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// A line is of another version of the format.
    #[error(
        "line {line} of the journal is of version {version}, this program reads version {FORMAT}"
    )]
    Version {
        /// Number of the line, from 1.
        line: usize,
        /// The version it names.
        version: u64,
    },
    /// A line that is not the last one is no line of a journal.
    #[error("line {line} is no line of a journal")]
    Malformed {
        /// Number of the line, from 1.
        line: usize,
    },
    /// A line belongs to another run than those around it, or a run begins before the one before is complete.
    #[error("two runs are mixed at line {line} of the journal")]
    Mixed {
        /// Number of the line, from 1.
        line: usize,
    },
    /// A line stands where none of its kind can: before a run begins, or after it ended.
    #[error("line {line} of the journal is out of order")]
    Disorder {
        /// Number of the line, from 1.
        line: usize,
    },
}

impl JournalError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            JournalError::Version { .. } => "use the version of the program that wrote it",
            JournalError::Malformed { .. }
            | JournalError::Mixed { .. }
            | JournalError::Disorder { .. } => {
                "somebody changed the file: restore it, or begin a new run with another --journal FILE"
            }
        }
    }
}

/// What every version of a line has.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

impl Journal {
    /// Reads a file.
    ///
    /// A last line without its end, or that is no JSON, is left out: the process that wrote it did not come to act on
    /// it.
    ///
    /// # Errors
    ///
    /// When a line is of another version, broken in the middle of the file, or not where it belongs.
    pub fn read(bytes: &[u8]) -> Result<Self, JournalError> {
        let mut journal = Self::default();
        let mut lines = bytes
            .split_inclusive(|byte| *byte == b'\n')
            .enumerate()
            .peekable();
        while let Some((at, bytes)) = lines.next() {
            let number = at + 1;
            let Some(text) = bytes.strip_suffix(b"\n") else {
                journal.torn = true;
                break;
            };
            let last = lines.peek().is_none();
            if last && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_err() {
                journal.torn = true;
                break;
            }
            let line = parse(text, number)?;
            journal.last = Some(State::after(journal.last.take(), line, number)?);
            journal.whole += bytes.len();
        }
        Ok(journal)
    }
}

fn parse(text: &[u8], line: usize) -> Result<Line, JournalError> {
    match serde_json::from_slice(text) {
        Ok(Versioned { version }) if version != u64::from(FORMAT) => {
            Err(JournalError::Version { line, version })
        }
        Ok(Versioned { .. }) => {
            serde_json::from_slice(text).map_err(|_| JournalError::Malformed { line })
        }
        Err(_) => Err(JournalError::Malformed { line }),
    }
}

impl State {
    /// The state after one more line, whose number is given.
    ///
    /// # Errors
    ///
    /// When the line cannot stand there.
    pub fn after(state: Option<Self>, line: Line, number: usize) -> Result<Self, JournalError> {
        match state {
            None => Self::begin(line, number),
            Some(state) => state.then(line, number),
        }
    }

    fn begin(line: Line, number: usize) -> Result<Self, JournalError> {
        let Line {
            version: _,
            at,
            run,
            entry,
        } = line;
        let Entry::Begin(about) = entry else {
            return Err(JournalError::Disorder { line: number });
        };
        Ok(Self {
            run,
            about,
            began: at.clone(),
            updated: at,
            processes: 1,
            stage: None,
            ended: BTreeSet::new(),
            parts: BTreeMap::new(),
            end: None,
        })
    }

    /// The state after one more line.
    fn then(mut self, line: Line, number: usize) -> Result<Self, JournalError> {
        if matches!(line.entry, Entry::Begin(_)) {
            if !self.is_complete() || self.run == line.run {
                return Err(JournalError::Mixed { line: number });
            }
            return Self::begin(line, number);
        }
        let Line {
            version: _,
            at,
            run,
            entry,
        } = line;
        if run != self.run {
            return Err(JournalError::Mixed { line: number });
        }
        let resumes = matches!(entry, Entry::Resume(_));
        if self.is_complete() || self.end.is_some() && !resumes {
            return Err(JournalError::Disorder { line: number });
        }
        self.updated = at;
        match entry {
            // Taken care of above.
            Entry::Begin(_) => {}
            Entry::Resume(about) => self.resume(about, number)?,
            Entry::StageBegins { stage } => self.stage = Some(stage),
            Entry::Going { part, act } => self.part(part).go(act),
            Entry::Done {
                part,
                act,
                generation,
            } => self.part(part).done(&act, generation),
            Entry::Doomed { part, objects } => {
                let dooms = objects.into_iter().map(|object| Doom {
                    object,
                    deleted: false,
                });
                self.part(part).doomed = Some(dooms.collect());
            }
            Entry::Finished { part, outcome } => {
                let part = self.part(part);
                part.going = None;
                part.outcome = Some(outcome);
            }
            Entry::StageEnds { stage } => {
                self.ended.insert(stage);
            }
            Entry::End(end) => self.end = Some(end),
        }
        Ok(self)
    }

    /// Another process takes the run up: it must be about the same, and tries again what had failed.
    fn resume(&mut self, about: Begin, number: usize) -> Result<(), JournalError> {
        if !self.is_about(&about) {
            return Err(JournalError::Mixed { line: number });
        }
        let Begin {
            site: _,
            rollout: _,
            cluster: _,
            server,
            holder,
            program,
            // `protected` is about what had failed before the run began.
            failed_before: _,
        } = about;
        self.about.server = server;
        self.about.holder = holder;
        self.about.program = program;
        self.processes += 1;
        self.end = None;
        for part in self.parts.values_mut() {
            if let Some(Finish::Failed { .. }) = part.outcome {
                part.outcome = None;
            }
        }
        Ok(())
    }

    /// Whether another beginning is about the same: site, rollout and cluster.
    #[must_use]
    pub fn is_about(&self, other: &Begin) -> bool {
        let Begin {
            site,
            rollout,
            cluster,
            server: _,
            holder: _,
            program: _,
            failed_before: _,
        } = &self.about;
        (site, rollout, cluster) == (&other.site, &other.rollout, &other.cluster)
    }

    /// Whether everything that was asked for is done: such a run is not taken up again.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.end == Some(End::Complete)
    }

    /// Whether a part is finished for good: nothing of it is done again. A part that failed is not.
    #[must_use]
    pub fn is_finished(&self, part: &PartId) -> bool {
        let outcome = self.parts.get(part).and_then(|part| part.outcome.as_ref());
        match outcome {
            Some(Finish::Unchanged | Finish::Applied | Finish::PassedOver) => true,
            Some(Finish::Failed { .. }) | None => false,
        }
    }

    fn part(&mut self, part: PartId) -> &mut PartState {
        self.parts.entry(part).or_default()
    }
}

impl PartState {
    fn go(&mut self, act: Act) {
        if let Act::Retry { token } | Act::Retest { token } = &act {
            self.retried = Some(token.clone());
        }
        self.going = Some(act);
    }

    fn done(&mut self, act: &Act, generation: Option<i64>) {
        if self.going.as_ref() == Some(act) {
            self.going = None;
        }
        match act {
            Act::Apply | Act::Unsuspend => self.generation = generation,
            Act::Retry { token } | Act::Retest { token } => {
                self.retried = Some(token.clone());
                self.generation = generation.or(self.generation);
            }
            Act::Delete { uid } => {
                for doom in self.doomed.iter_mut().flatten() {
                    doom.deleted |= doom.object.uid == *uid;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
