//! Why there is no rollout of some objects.

use crate::value::Text;

/// Something that stands in the way; each names its object and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing to roll out.
    #[error("the input has no HelmRelease")]
    NoRelease,
    /// A release whose site is not known.
    #[error("{object} has no label `armada2flux.dev/site`")]
    NoSite {
        /// The release.
        object: Text,
    },
    /// An object that needs a namespace and names none.
    #[error("{object} has no namespace")]
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
    /// An object that appears twice in the input.
    #[error("{object} appears twice in the input")]
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
    #[error("stage {stage} has two names: {object} says `{group}`, others say `{other}`")]
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
    #[error(
        "{object} and {other} are the same release of Helm: `{release}` in namespace `{storage}`"
    )]
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
    #[error("{object} has no `spec.releaseName`, and its own name is too long for Helm")]
    NoReleaseName {
        /// The release.
        object: Text,
    },
    /// A release that goes to a cluster that is not watched.
    #[error("{object} is for another cluster (`spec.kubeConfig`)")]
    OtherCluster {
        /// The release.
        object: Text,
    },
    /// A duration that is none.
    #[error("{object}: `{field}` is not a valid duration")]
    NoDuration {
        /// The object.
        object: Text,
        /// The field.
        field: &'static str,
    },
    /// Values that helm-controller would drop, all of them, without a word.
    #[error("{object}: helm-controller would silently discard all values: {reason} in {place}")]
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
    #[error("{object} is suspended, so it never gets an artifact")]
    SuspendedSource {
        /// The source.
        object: Text,
    },
    /// Sources that are made of each other.
    #[error("{object} includes itself through other sources")]
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
            Fault::NoRelease => {
                "give the whole tree that `armada2flux convert` wrote, or Armada documents"
            }
            Fault::NoSite { .. } => "add the label with the site of the other releases",
            Fault::NoNamespace { .. } => {
                "set `metadata.namespace`: a run does not use the namespace of a kubeconfig"
            }
            Fault::OtherSite { .. } => "give the objects of one site at a time",
            Fault::Twice { .. } => "remove one of the two",
            Fault::Unannotated { .. } | Fault::Unreadable { .. } => {
                "convert again with this version; to add a release manually, copy the annotations of a release in the same step"
            }
            Fault::TwoGroups { .. } => {
                "give the tree of one conversion; to add a stage manually, use a number that is not taken"
            }
            Fault::OneRelease { .. } => {
                "remove one of the two, or set another `spec.releaseName` in one"
            }
            Fault::NoReleaseName { .. } => "set `spec.releaseName`",
            Fault::OtherCluster { .. } => "remove `spec.kubeConfig`, or leave the release out",
            Fault::NoDuration { .. } => "write a duration such as `15m` or `1h30m`",
            Fault::LostValues { .. } => {
                "convert with `--values-in secret`: values in Secrets arrive unchanged"
            }
            Fault::Dependency { .. } => {
                "correct `spec.dependsOn`, or the annotations for stage and step"
            }
            Fault::SuspendedSource { .. } => "remove `spec.suspend`",
            Fault::Circle { .. } => "remove one of the references in `spec.include`",
        }
    }
}
