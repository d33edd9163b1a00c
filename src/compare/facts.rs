//! What is kept of each side of an object, so that all objects can be judged together.

use crate::flux::{Object, ObjectKey, PRUNE_ANNOTATION, ReleaseView, SOURCE_GROUP};
use crate::secret;
use crate::value::{REDACTED, Text, Value};

/// One side of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) key: ObjectKey,
    /// Whether a Kustomization leaves it alone when it leaves the tree.
    pub(super) keeps: bool,
    pub(super) what: What,
}

/// What the object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Release(Release),
    Source(Source),
    Other,
}

/// A HelmRelease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Release {
    /// The name under which Helm holds it.
    pub(super) name: Text,
    /// The namespace that Helm installs into.
    pub(super) namespace: Text,
    pub(super) chart: Chart,
    pub(super) depends_on: Vec<ObjectKey>,
}

/// A chart, as a release names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chart {
    /// Name or path; empty where the source is the chart.
    pub(super) name: Text,
    /// Its version or range, for a HelmRepository.
    pub(super) version: Option<Text>,
    /// The source object.
    pub(super) source: ObjectKey,
}

/// A source object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// Its address, without what makes no difference.
    pub(super) address: Text,
    /// What is fetched from there; `None` where the release says it.
    pub(super) revision: Option<Revision>,
}

/// What is fetched of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Revision {
    /// A commit, a digest or a tag.
    Pinned(Text),
    /// A branch or a range of versions.
    Floating(Text),
}

impl Facts {
    pub(super) fn of(object: &Object) -> Self {
        let what = match ReleaseView::of(object) {
            Some(release) => What::Release(self::release(object, release)),
            None if object.is_source() => What::Source(source(object)),
            None => What::Other,
        };
        Self {
            key: object.key(),
            keeps: object.annotation(PRUNE_ANNOTATION) == Some("disabled"),
            what,
        }
    }

    pub(super) fn release(&self) -> Option<&Release> {
        match &self.what {
            What::Release(release) => Some(release),
            What::Source(_) | What::Other => None,
        }
    }

    pub(super) fn source(&self) -> Option<&Source> {
        match &self.what {
            What::Source(source) => Some(source),
            What::Release(_) | What::Other => None,
        }
    }
}

fn release(object: &Object, release: ReleaseView<'_>) -> Release {
    Release {
        name: release.helm_name(),
        namespace: release.target_namespace().into(),
        chart: chart(object),
        depends_on: release.depends_on().collect(),
    }
}

fn chart(object: &Object) -> Chart {
    let template = object.value.at(&["spec", "chart", "spec"]);
    let text = |key: &str| template?.text_at(&[key]).map(Text::from);
    let reference = match template {
        Some(template) => template.at(&["sourceRef"]),
        None => object.value.at(&["spec", "chartRef"]),
    };
    let named = |key: &str| reference?.text_at(&[key]).map(Text::from);
    let name = text("chart").unwrap_or_default();
    Chart {
        name: name.trim_start_matches("./").trim_end_matches('/').into(),
        version: text("version"),
        source: ObjectKey {
            group: SOURCE_GROUP.into(),
            kind: named("kind").unwrap_or_default(),
            namespace: named("namespace").or_else(|| object.namespace.clone()),
            name: named("name").unwrap_or_default(),
        },
    }
}

fn source(object: &Object) -> Source {
    let spec = |keys: &[&str]| object.value.at(&[&["spec"], keys].concat());
    let text = |keys: &[&str]| {
        let text = spec(keys).and_then(Value::as_str);
        text.filter(|text| !text.is_empty()).map(Text::from)
    };
    let address = text(&["url"]).or_else(|| text(&["endpoint"]));
    let pinned = ["commit", "digest", "tag", "name"]
        .iter()
        .find_map(|key| text(&["ref", key]));
    let floating = ["semver", "branch"]
        .iter()
        .find_map(|key| text(&["ref", key]));
    let revision = match (pinned, floating) {
        (Some(pinned), _) => Some(Revision::Pinned(pinned)),
        (None, Some(floating)) => Some(Revision::Floating(floating)),
        (None, None) => match object.kind.as_str() {
            "GitRepository" => Some(Revision::Floating("the default branch".into())),
            "OCIRepository" => Some(Revision::Floating("the latest tag".into())),
            _ => None,
        },
    };
    Source {
        address: address.map(|text| plain(&text)).unwrap_or_default(),
        revision,
    }
}

/// An address without its end that makes no difference.
fn plain(address: &str) -> Text {
    let address = address.trim_end_matches('/');
    address.strip_suffix(".git").unwrap_or(address).into()
}

/// An address that may be shown.
pub(super) fn shown(address: &str) -> &str {
    if secret::text_looks_secret(address) {
        REDACTED
    } else {
        address
    }
}
