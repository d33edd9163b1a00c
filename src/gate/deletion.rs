//! What Armada deletes before it upgrades a release.

pub mod annotation;

use std::fmt;

use crate::value::Text;

use super::selector;

/// Kinds of object that are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deleted {
    /// `Job` (batch)
    Job,
    /// `CronJob` (batch)
    CronJob,
    /// `Pod`
    Pod,
}

impl Deleted {
    /// All kinds.
    pub const ALL: [Deleted; 3] = [Deleted::Job, Deleted::CronJob, Deleted::Pod];

    /// Returns the kind with that word in documents.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// API version of the kind.
    #[must_use]
    pub fn api_version(self) -> &'static str {
        match self {
            Deleted::Job | Deleted::CronJob => "batch/v1",
            Deleted::Pod => "v1",
        }
    }

    /// Returns its name in Kubernetes.
    #[must_use]
    pub fn kind_name(self) -> &'static str {
        match self {
            Deleted::Job => "Job",
            Deleted::CronJob => "CronJob",
            Deleted::Pod => "Pod",
        }
    }

    /// Returns the kind as documents write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Deleted::Job => "job",
            Deleted::CronJob => "cronjob",
            Deleted::Pod => "pod",
        }
    }
}

/// One kind of object to delete in its release's namespace, only when the release changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// Kind of the deleted objects.
    pub kind: Deleted,
    /// Label selector, as Armada sends it to the API server; empty for every object of the kind.
    pub selector: Text,
}

/// Returns the deletion as text, with labels that look secret hidden: `job app=web`.
impl fmt::Display for Deletion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, selector } = self;
        match selector.as_str() {
            "" => write!(f, "every {}", kind.word()),
            selector => write!(f, "{} {}", kind.word(), selector::shown(selector)),
        }
    }
}
