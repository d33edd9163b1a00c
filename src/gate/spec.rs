//! The content of a wait: the words that documents, gates and annotations share.

use std::fmt;

use crate::value::Text;

/// The version of the Chart document's schema: Armada waits and deletes by other rules for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// `armada/…/v1`
    V1,
    /// `armada/…/v2`
    V2,
}

impl Version {
    /// Returns the version as schemas and annotations write it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Version::V1 => "v1",
            Version::V2 => "v2",
        }
    }
}

/// The kinds of object that Armada can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WaitKind {
    /// `Job` (batch)
    Job,
    /// `DaemonSet` (apps)
    DaemonSet,
    /// `StatefulSet` (apps)
    StatefulSet,
    /// `Deployment` (apps)
    Deployment,
    /// `Pod`
    Pod,
}

impl WaitKind {
    /// All kinds, in the order in which v2 waits for them by default.
    pub const ALL: [WaitKind; 5] = [
        WaitKind::Job,
        WaitKind::DaemonSet,
        WaitKind::StatefulSet,
        WaitKind::Deployment,
        WaitKind::Pod,
    ];

    /// Returns the word that documents use.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            WaitKind::Job => "job",
            WaitKind::DaemonSet => "daemonset",
            WaitKind::StatefulSet => "statefulset",
            WaitKind::Deployment => "deployment",
            WaitKind::Pod => "pod",
        }
    }

    /// Returns the kind with that word in documents; words are exact.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// API version of the kind.
    #[must_use]
    pub fn api_version(self) -> &'static str {
        match self {
            WaitKind::Job => "batch/v1",
            WaitKind::DaemonSet | WaitKind::StatefulSet | WaitKind::Deployment => "apps/v1",
            WaitKind::Pod => "v1",
        }
    }

    /// Returns its name in Kubernetes.
    #[must_use]
    pub fn kind_name(self) -> &'static str {
        match self {
            WaitKind::Job => "Job",
            WaitKind::DaemonSet => "DaemonSet",
            WaitKind::StatefulSet => "StatefulSet",
            WaitKind::Deployment => "Deployment",
            WaitKind::Pod => "Pod",
        }
    }

    /// Returns whether `min_ready` applies to it.
    #[must_use]
    pub fn counts_ready(self) -> bool {
        match self {
            WaitKind::DaemonSet | WaitKind::StatefulSet | WaitKind::Deployment => true,
            WaitKind::Job | WaitKind::Pod => false,
        }
    }

    /// Returns whether `allow_async_updates` applies to it.
    #[must_use]
    pub fn updates_async(self) -> bool {
        match self {
            WaitKind::DaemonSet | WaitKind::StatefulSet => true,
            WaitKind::Job | WaitKind::Deployment | WaitKind::Pod => false,
        }
    }
}

impl fmt::Display for WaitKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How many of a controller's pods must be ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MinReady {
    /// That many.
    Count(i64),
    /// A share of the desired pods, in percent; Armada allows more than 100 and less than 0.
    Percent(i64),
}

impl MinReady {
    /// The default (Armada: handlers/wait.py, `ControllerWait`).
    pub const DEFAULT: MinReady = MinReady::Percent(100);
}

impl fmt::Display for MinReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MinReady::Count(count) => write!(f, "{count}"),
            MinReady::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

/// One wait of a release, with the defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// Kind of the objects.
    pub kind: WaitKind,
    /// Label selector, as Armada sends it to the API server; empty for every object of the kind.
    pub selector: Text,
    /// Whether the gate keeps waiting when no object exists.
    pub required: bool,
    /// How many pods must be ready; `None` for kinds that do not count.
    pub min_ready: Option<MinReady>,
    /// Whether updates pass that Kubernetes does not roll out itself; `None` for kinds without such updates.
    pub allow_async_updates: Option<bool>,
}

impl Spec {
    /// Returns a wait for objects of a kind with Armada's defaults.
    #[must_use]
    pub(crate) fn new(kind: WaitKind, selector: Text, required: bool) -> Self {
        Self {
            kind,
            selector,
            required,
            min_ready: kind.counts_ready().then_some(MinReady::DEFAULT),
            allow_async_updates: kind.updates_async().then_some(false),
        }
    }
}
