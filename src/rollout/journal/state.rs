//! Reads a journal: the progress of the last run in it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{Chain, DeleteTarget, Entry, FORMAT, ItemOutcome, Line, RunEnd, RunInfo, Write};
use crate::rollout::ItemId;
use crate::value::Text;

/// The content of a journal file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// The last run; `None` when no line is whole.
    pub last: Option<RunRecord>,
    /// The length of the complete lines, in bytes. What follows is cut off before a line is added.
    pub whole: usize,
    /// Whether an incomplete line follows: its process ended while it wrote.
    pub torn: bool,
    /// What the next line follows.
    pub chain: Chain,
}

/// The progress of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRecord {
    /// The name of the run.
    pub run: Text,
    /// What the run works on. `holder`, `program` and `server` are those of the last process, the rest is of the first.
    pub info: RunInfo,
    /// The time of the first line.
    pub started: Text,
    /// The time of the last line.
    pub updated: Text,
    /// The number of processes that have worked on the run.
    pub processes: usize,
    /// The stage that started last.
    pub stage: Option<usize>,
    /// Stages whose last gate has opened.
    pub finished: BTreeSet<usize>,
    /// The items that were started.
    pub items: BTreeMap<ItemId, ItemRecord>,
    /// How the last process ended; `None` while one is running, and when it was killed.
    pub end: Option<RunEnd>,
}

/// The progress of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemRecord {
    /// The write that was announced and is not known to have succeeded.
    pub intent: Option<Write>,
    /// The generation after the last successful write; `None` also for kinds without one.
    pub generation: Option<i64>,
    /// The objects to delete before the upgrade; `None` before they were listed.
    pub deletions: Option<Vec<PendingDelete>>,
    /// The token of the last request to retry.
    pub retried: Option<Text>,
    /// The outcome; a failure is removed when the run is resumed.
    pub outcome: Option<ItemOutcome>,
}

/// An object that is deleted before an upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingDelete {
    /// The object to delete.
    pub target: DeleteTarget,
    /// Whether the deletion is known to have succeeded.
    pub deleted: bool,
}

/// Why a journal cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// A line has another version of the format.
    #[error(
        "line {line} of the journal has version {version}, this program reads version {FORMAT}"
    )]
    Version {
        /// The number of the line, from 1.
        line: usize,
        /// The version of the line.
        version: u64,
    },
    /// The file begins with something else than a line of a journal.
    #[error("it is not a journal of armada2flux")]
    Foreign,
    /// A line does not follow the lines before it, by its digest.
    #[error(
        "line {line} does not follow the lines before it: a line was changed, removed, repeated or moved"
    )]
    Changed {
        /// The number of the line, from 1.
        line: usize,
    },
    /// A line cannot be read, though it has its end.
    #[error("line {line} is not a valid line of a journal")]
    Malformed {
        /// The number of the line, from 1.
        line: usize,
    },
    /// A line belongs to another run than the lines before, or a run starts before the previous one is complete.
    #[error("line {line} of the journal belongs to another run than the lines before it")]
    Mixed {
        /// The number of the line, from 1.
        line: usize,
    },
    /// A line is not possible at this point: before a run started, or after it ended.
    #[error("line {line} of the journal is out of order")]
    OutOfOrder {
        /// The number of the line, from 1.
        line: usize,
    },
}

impl JournalError {
    /// Returns a hint on what to do.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            JournalError::Version { .. } => {
                "use the version of the program that wrote the journal, or start a new run with another `--journal FILE`"
            }
            JournalError::Foreign => "give another file with `--journal FILE`",
            JournalError::Changed { .. }
            | JournalError::Malformed { .. }
            | JournalError::Mixed { .. }
            | JournalError::OutOfOrder { .. } => {
                "the file was changed: restore it, or start a new run with another `--journal FILE`"
            }
        }
    }
}

/// The field that every version of a line has.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

/// How the first line of a journal begins; `#` is a digit.
const BEGINNING: &[u8] = b"{\"version\":#,\"at\":\"####-##-##T##:##:##.###Z\",\"run\":\"";

/// Returns whether a text may be the beginning of a first line: other programs write JSON, too.
fn is_beginning(text: &[u8]) -> bool {
    let mut pairs = text.iter().zip(BEGINNING);
    pairs.all(|(byte, expected)| match expected {
        b'#' => byte.is_ascii_digit(),
        expected => byte == expected,
    })
}

impl Journal {
    /// Reads a file.
    ///
    /// A last line without its end is left out: its process ended before it could act on it.
    ///
    /// # Errors
    ///
    /// When the file is not a journal, or a line has another version, does not follow the lines before it, cannot be
    /// read, or is out of order.
    pub fn read(bytes: &[u8]) -> Result<Self, JournalError> {
        let mut journal = Self::default();
        let lines = bytes.split_inclusive(|byte| *byte == b'\n');
        for (number, bytes) in (1..).zip(lines) {
            let Some(text) = bytes.strip_suffix(b"\n") else {
                if number == 1 && !is_beginning(bytes) {
                    return Err(JournalError::Foreign);
                }
                journal.torn = true;
                break;
            };
            let line = parse(text, number, &mut journal.chain)?;
            journal.last = Some(RunRecord::after(journal.last.take(), line, number)?);
            journal.whole += bytes.len();
        }
        Ok(journal)
    }
}

fn parse(text: &[u8], line: usize, chain: &mut Chain) -> Result<Line, JournalError> {
    match serde_json::from_slice(text) {
        _ if line == 1 && (text.len() < BEGINNING.len() || !is_beginning(text)) => {
            Err(JournalError::Foreign)
        }
        Ok(Versioned { version }) if version != u64::from(FORMAT) => {
            Err(JournalError::Version { line, version })
        }
        Ok(Versioned { .. }) => {
            let text = chain.open(text).ok_or(JournalError::Changed { line })?;
            serde_json::from_slice(&text).map_err(|_| JournalError::Malformed { line })
        }
        Err(_) => Err(JournalError::Malformed { line }),
    }
}

impl RunRecord {
    /// Returns the record after one more line, with the line's number.
    ///
    /// # Errors
    ///
    /// When the line is not possible at this point.
    pub fn after(state: Option<Self>, line: Line, number: usize) -> Result<Self, JournalError> {
        match state {
            None => Self::start(line, number),
            Some(state) => state.then(line, number),
        }
    }

    fn start(line: Line, number: usize) -> Result<Self, JournalError> {
        let Line {
            version: _,
            at,
            run,
            entry,
        } = line;
        let Entry::RunStarted(info) = entry else {
            return Err(JournalError::OutOfOrder { line: number });
        };
        Ok(Self {
            run,
            info,
            started: at.clone(),
            updated: at,
            processes: 1,
            stage: None,
            finished: BTreeSet::new(),
            items: BTreeMap::new(),
            end: None,
        })
    }

    fn then(mut self, line: Line, number: usize) -> Result<Self, JournalError> {
        if matches!(line.entry, Entry::RunStarted(_)) {
            if !self.is_complete() || self.run == line.run {
                return Err(JournalError::Mixed { line: number });
            }
            return Self::start(line, number);
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
        let resumes = matches!(entry, Entry::RunResumed(_));
        if self.is_complete() || self.end.is_some() && !resumes {
            return Err(JournalError::OutOfOrder { line: number });
        }
        self.updated = at;
        match entry {
            // Handled above.
            Entry::RunStarted(_) => {}
            Entry::RunResumed(info) => self.resume(info, number)?,
            Entry::StageStarted { stage } => self.stage = Some(stage),
            Entry::Intent { item, request } => self.item(item).intend(request),
            Entry::Done {
                item,
                request,
                generation,
            } => self.item(item).done(&request, generation),
            Entry::DeletionsListed { item, objects } => {
                let deletions = objects.into_iter().map(|target| PendingDelete {
                    target,
                    deleted: false,
                });
                self.item(item).deletions = Some(deletions.collect());
            }
            Entry::ItemFinished { item, outcome } => {
                let item = self.item(item);
                item.intent = None;
                item.outcome = Some(outcome);
            }
            Entry::StageFinished { stage } => {
                self.finished.insert(stage);
            }
            Entry::RunEnded(end) => self.end = Some(end),
        }
        Ok(self)
    }

    /// Records that another process resumes the same run. What had failed is tried again.
    fn resume(&mut self, info: RunInfo, number: usize) -> Result<(), JournalError> {
        if !self.is_same_run(&info) {
            return Err(JournalError::Mixed { line: number });
        }
        let RunInfo {
            site: _,
            rollout: _,
            cluster: _,
            server,
            holder,
            program,
            // `protected` applies to what had failed before the run started.
            failed_before: _,
        } = info;
        self.info.server = server;
        self.info.holder = holder;
        self.info.program = program;
        self.processes += 1;
        self.end = None;
        for item in self.items.values_mut() {
            if let Some(ItemOutcome::Failed { .. }) = item.outcome {
                item.outcome = None;
            }
        }
        Ok(())
    }

    /// Returns whether a process may resume the run: it has the same site, rollout and cluster.
    #[must_use]
    pub fn is_same_run(&self, other: &RunInfo) -> bool {
        let RunInfo {
            site,
            rollout,
            cluster,
            server: _,
            holder: _,
            program: _,
            failed_before: _,
        } = &self.info;
        (site, rollout, cluster) == (&other.site, &other.rollout, &other.cluster)
    }

    /// Returns whether everything that was requested is done. Such a run cannot be resumed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.end == Some(RunEnd::Complete)
    }

    /// Returns whether an item is finished for good. An item that failed is not.
    #[must_use]
    pub fn is_finished(&self, item: &ItemId) -> bool {
        let outcome = self.items.get(item).and_then(|item| item.outcome.as_ref());
        match outcome {
            Some(ItemOutcome::Unchanged | ItemOutcome::Applied | ItemOutcome::Skipped) => true,
            Some(ItemOutcome::Failed { .. }) | None => false,
        }
    }

    fn item(&mut self, item: ItemId) -> &mut ItemRecord {
        self.items.entry(item).or_default()
    }
}

impl ItemRecord {
    fn intend(&mut self, request: Write) {
        if let Write::Retry { token } | Write::Retest { token } = &request {
            self.retried = Some(token.clone());
        }
        self.intent = Some(request);
    }

    fn done(&mut self, request: &Write, generation: Option<i64>) {
        if self.intent.as_ref() == Some(request) {
            self.intent = None;
        }
        match request {
            Write::Apply | Write::Unsuspend => self.generation = generation,
            Write::Retry { token } | Write::Retest { token } => {
                self.retried = Some(token.clone());
                self.generation = generation.or(self.generation);
            }
            Write::Delete { uid } => {
                for deletion in self.deletions.iter_mut().flatten() {
                    deletion.deleted |= deletion.target.uid == *uid;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
