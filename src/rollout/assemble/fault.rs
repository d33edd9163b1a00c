//! Why there is no rollout of some objects.

use crate::value::Text;

/// Something that stands in the way; each names its object and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing to roll out.
    #[error("there is no HelmRelease in the input")]
    NoRelease,
    /// A release whose site is not known.
    #[error("{object} says of no site that it belongs to it")]
    NoSite {
        /// The release.
        object: Text,
    },
    /// An object that needs a namespace and names none.
    #[error("{object} names no namespace")]
    NoNamespace {
        /// The object.
        object: Text,
    },
    /// Objects of two sites.
    #[error("{object} belongs to site `{site}`, the first release to `{other}`")]
    OtherSite {
        /// The object.
        object: Text,
        /// Its site.
        site: Text,
        /// The site of the first release.
        other: Text,
    },
    /// An object that stands twice in the input.
    #[error("{object} stands twice in the input")]
    Twice {
        /// The object.
        object: Text,
    },
    /// A release that nothing says the place of, or what is awaited of it.
    #[error("{object} lacks the annotation{} `{}`", if .annotations.len() > 1 { "s" } else { "" }, .annotations.join("`, `"))]
    Unannotated {
        /// The release.
        object: Text,
        /// What is missing.
        annotations: Vec<Text>,
    },
    /// An annotation that cannot be read.
    #[error("{object}: annotation `{annotation}`: {reason}")]
    Unreadable {
        /// The release.
        object: Text,
        /// The annotation.
        annotation: Text,
        /// Why.
        reason: String,
    },
    /// One number for two chart groups.
    #[error("{object} is in stage {stage} as `{group}`, others are there as `{other}`")]
    TwoGroups {
        /// The release.
        object: Text,
        /// Number of the stage.
        stage: usize,
        /// Its chart group.
        group: Text,
        /// The chart group of releases before it.
        other: Text,
    },
    /// Two HelmReleases that would upgrade each other's work away.
    #[error("{object} and {other} are one release to helm: `{release}` in namespace `{storage}`")]
    OneRelease {
        /// The second of them.
        object: Text,
        /// The first.
        other: Text,
        /// The name under which Helm holds it.
        release: Text,
        /// Where Helm keeps its records.
        storage: Text,
    },
    /// A release whose name under Helm is made up by helm-controller, with a digest in it.
    #[error("{object} names no `spec.releaseName`, and its own name is too long for helm")]
    NoReleaseName {
        /// The release.
        object: Text,
    },
    /// A release that goes to a cluster that is not watched.
    #[error("{object} goes to another cluster (`spec.kubeConfig`)")]
    OtherCluster {
        /// The release.
        object: Text,
    },
    /// A duration that is none.
    #[error("{object}: `{field}` is no duration")]
    NoDuration {
        /// The object.
        object: Text,
        /// The field.
        field: &'static str,
    },
    /// Values that helm-controller would drop, all of them, without a word.
    #[error("{object}: helm-controller would drop all values without a word: {reason} in {place}")]
    LostValues {
        /// The release.
        object: Text,
        /// What it cannot read.
        reason: String,
        /// Where it stands; no text of the values.
        place: &'static str,
    },
    /// A release that waits for one that comes with it or after it: neither would ever be ready.
    #[error("{object} depends on {other}, which is not in an earlier step")]
    Dependency {
        /// The release.
        object: Text,
        /// What it depends on.
        other: Text,
    },
    /// A source that would never have an artifact.
    #[error("{object} is suspended: its artifact would never come")]
    SuspendedSource {
        /// The source.
        object: Text,
    },
    /// Sources that are made of each other.
    #[error("{object} is made of itself, by way of others")]
    Circle {
        /// One of them.
        object: Text,
    },
}

impl Fault {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Fault::NoRelease => "give the whole tree that convert wrote, or armada documents",
            Fault::NoSite { .. } => "add the label `armada2flux.dev/site` that the others have",
            Fault::NoNamespace { .. } => {
                "write `metadata.namespace`: a run takes none from a kubeconfig, so that it never changes with it"
            }
            Fault::OtherSite { .. } => {
                "give the objects of one site; each has a rollout of its own"
            }
            Fault::Twice { .. } => "leave one of the two",
            Fault::Unannotated { .. } | Fault::Unreadable { .. } => {
                "convert again with this version; to add a release by hand, copy the annotations of one in its step"
            }
            Fault::TwoGroups { .. } => {
                "give the tree of one conversion; to add a stage by hand, use a number of its own"
            }
            Fault::OneRelease { .. } => {
                "leave one of the two, or give one another `spec.releaseName`"
            }
            Fault::NoReleaseName { .. } => "write `spec.releaseName`",
            Fault::OtherCluster { .. } => "roll it out where it goes to",
            Fault::NoDuration { .. } => "write it as in `15m` or `1h30m`",
            Fault::LostValues { .. } => {
                "write values to Secrets with --values-in secret: text arrives there as it is"
            }
            Fault::Dependency { .. } => {
                "correct `spec.dependsOn`, or the annotations for stage and step"
            }
            Fault::SuspendedSource { .. } => "take `spec.suspend` out of it",
            Fault::Circle { .. } => "break the circle of `spec.include`",
        }
    }
}
