//! What Armada deletes before it upgrades a release.

pub mod annotation;

use std::fmt;

use super::wait::shown_selector;
use crate::armada::chart::DeleteKind;
use crate::armada::{Chart, Version};
use crate::source::Span;
use crate::value::Text;

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

    /// The kind that a document's word means.
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

    /// Its name in Kubernetes.
    #[must_use]
    pub fn kind_name(self) -> &'static str {
        match self {
            Deleted::Job => "Job",
            Deleted::CronJob => "CronJob",
            Deleted::Pod => "Pod",
        }
    }

    /// The kind as documents write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Deleted::Job => "job",
            Deleted::CronJob => "cronjob",
            Deleted::Pod => "pod",
        }
    }
}

/// One deletion in the release's namespace, only when the release is going to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreDelete {
    /// The type as the document writes it.
    pub asked: DeleteKind,
    /// The kinds of object, in order: v1's `job` means CronJobs, too (Armada:
    /// handlers/pre_update_actions.py); none for a type that Armada does not know.
    pub kinds: Vec<Deleted>,
    /// Labels that must be equal; empty selects every object of the kinds.
    pub labels: Vec<(Text, Text)>,
    /// Where the document asks for it.
    pub span: Span,
}

impl PreDelete {
    /// The label selector as Armada sends it: `a=b,c=d`, empty for none.
    #[must_use]
    pub fn selector(&self) -> String {
        super::wait::selector(&self.labels)
    }

    /// The deletions, kind by kind.
    pub fn deletions(&self) -> impl Iterator<Item = Deletion> {
        self.kinds.iter().map(|kind| Deletion {
            kind: *kind,
            selector: self.selector().into(),
        })
    }
}

/// One kind of object to delete, as a run does it: what [`PreDelete`] comes to, and what an annotation carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletion {
    /// The kind.
    pub kind: Deleted,
    /// Label selector, as Armada sends it to the API server; empty for every object of the kind.
    pub selector: Text,
}

/// As people read it, with what looks secret in its labels hidden: `job app=web`.
impl fmt::Display for Deletion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, selector } = self;
        match selector.as_str() {
            "" => write!(f, "every {}", kind.word()),
            selector => write!(f, "{} {}", kind.word(), shown_selector(selector)),
        }
    }
}

/// The deletions of a chart, in order.
pub(super) fn pre_deletes(chart: &Chart<'_>) -> Vec<PreDelete> {
    let deletes = chart.upgrade.pre_delete.iter().map(|delete| {
        let kinds = match (&delete.kind, chart.head.version) {
            (DeleteKind::Job, Version::V1) => vec![Deleted::Job, Deleted::CronJob],
            (DeleteKind::Job, Version::V2) => vec![Deleted::Job],
            (DeleteKind::CronJob, _) => vec![Deleted::CronJob],
            (DeleteKind::Pod, _) => vec![Deleted::Pod],
            (DeleteKind::Unknown(_), _) => Vec::new(),
        };
        PreDelete {
            asked: delete.kind.clone(),
            kinds,
            labels: delete.labels.clone(),
            span: delete.span,
        }
    });
    deletes.collect()
}
