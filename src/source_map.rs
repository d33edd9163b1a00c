//! The source map: the user's rules for where Flux finds what Armada's `source` blocks name.
//!
//! A rule matches sources by patterns with captures ([`Pattern`]) and sets the object that replaces them.
//! The first matching rule decides. `cli` reads the file, `lower` builds the objects.

mod decode;
mod pattern;
pub mod schema;

use crate::armada::chart::SourceKind;
use crate::flux::{GitReference, HelmSource, OciSource, Verify};
use crate::source::Span;
use crate::value::Text;

pub use decode::decode;
pub use pattern::{Captures, Fault, Pattern, Template, Unknown};

/// Placeholder in a new source map for an address that only the user knows.
pub const FILL_IN: &str = "FILL-IN";

/// The rules of a source map, in order.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    /// The rules in order; the first that matches decides.
    pub rules: Vec<Rule>,
}

/// One rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it matches.
    pub matching: Match,
    /// The replacement of the source.
    pub target: Target<Template>,
    /// Span of the rule.
    pub span: Span,
}

/// What a rule matches; absent patterns match everything.
#[derive(Clone, Debug, Default)]
pub struct Match {
    /// Kind of source.
    pub kind: Option<SourceKind>,
    /// Its location, as the document writes it.
    pub location: Option<Pattern>,
    /// Its reference; `master` for a git source that names none, empty for other kinds.
    pub reference: Option<Pattern>,
    /// Its subpath, without leading `./` and trailing `/`.
    pub subpath: Option<Pattern>,
    /// The chart's name as far as the document tells: from the archive's name, or the last folder of the
    /// subpath.
    pub chart: Option<Pattern>,
}

/// The facts about a source in the documents.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'f> {
    /// Kind of source.
    pub kind: SourceKind,
    /// Its location, as the document writes it.
    pub location: &'f str,
    /// Its reference; `master` for a git source that names none, empty for other kinds.
    pub reference: &'f str,
    /// Its subpath, without leading `./` and trailing `/`.
    pub subpath: &'f str,
    /// The chart's name as far as the document tells.
    pub chart: &'f str,
    /// The chart's version, if an archive's name tells; else empty.
    pub version: &'f str,
}

/// The replacement of a source; `T` is a [`Template`] in a rule and a [`Text`] after filling in captures.
#[derive(Clone, Debug)]
pub enum Target<T> {
    /// A repository of chart archives with an index, or a registry of charts.
    Helm(HelmTarget<T>),
    /// One chart in a registry; the source's own version when the tag is absent.
    Oci(OciSource<T>),
    /// A GitRepository.
    Git(GitTarget<T>),
    /// An existing object.
    Existing(ExistingTarget<T>),
}

/// `HelmRepository`
#[derive(Clone, Debug)]
pub struct HelmTarget<T> {
    /// Address and access.
    pub source: HelmSource<T>,
    /// Name of the chart; the source's own when absent.
    pub chart: Option<T>,
    /// Version of the chart; the source's own when absent.
    pub version: Option<T>,
    /// How signatures are checked (`oci` only).
    pub verify: Option<Verify>,
}

/// `GitRepository`
#[derive(Clone, Debug)]
pub struct GitTarget<T> {
    /// `http`, `https` or `ssh` address, or `HOST:PATH`.
    pub url: T,
    /// Which commit; the source's own when absent.
    pub reference: Option<GitReference<T>>,
    /// Folder of the chart; the source's subpath when absent.
    pub chart: Option<T>,
    /// Secret that holds a login.
    pub secret: Option<Text>,
    /// Secret that holds a proxy's address and login.
    pub proxy_secret: Option<Text>,
    /// Which cloud logs in.
    pub provider: Option<Text>,
}

/// An existing object.
#[derive(Clone, Debug)]
pub struct ExistingTarget<T> {
    /// One of the kinds that a HelmRelease may name.
    pub kind: ExistingKind,
    /// `metadata.name` of the object.
    pub name: T,
    /// Its namespace; that of the other source objects when absent.
    pub namespace: Option<T>,
    /// Name or folder of the chart, for the kinds that hold several.
    pub chart: Option<T>,
    /// Version of the chart in a HelmRepository.
    pub version: Option<T>,
}

/// The kinds of object that can be there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExistingKind {
    /// Charts by name and version.
    HelmRepository,
    /// One chart.
    OciRepository,
    /// Charts by folder.
    GitRepository,
    /// Charts by folder.
    Bucket,
    /// One chart.
    HelmChart,
    /// One chart.
    ExternalArtifact,
}

impl ExistingKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::HelmRepository,
        Self::OciRepository,
        Self::GitRepository,
        Self::Bucket,
        Self::HelmChart,
        Self::ExternalArtifact,
    ];

    /// Returns the kind as Flux spells it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HelmRepository => "HelmRepository",
            Self::OciRepository => "OCIRepository",
            Self::GitRepository => "GitRepository",
            Self::Bucket => "Bucket",
            Self::HelmChart => "HelmChart",
            Self::ExternalArtifact => "ExternalArtifact",
        }
    }

    /// Returns whether the object is one chart, which a HelmRelease names by `chartRef`.
    #[must_use]
    pub fn is_one_chart(self) -> bool {
        match self {
            Self::OciRepository | Self::HelmChart | Self::ExternalArtifact => true,
            Self::HelmRepository | Self::GitRepository | Self::Bucket => false,
        }
    }
}

impl SourceMap {
    /// Returns the first matching rule, its position, and the captures of its patterns.
    #[must_use]
    pub fn find(&self, facts: &Facts<'_>) -> Option<(usize, &Rule, Captures)> {
        self.rules
            .iter()
            .enumerate()
            .find_map(|(at, rule)| Some((at, rule, rule.matching.captures(facts)?)))
    }
}

impl Match {
    /// Returns the captures of the patterns; `None` when one of them does not match.
    #[must_use]
    pub fn captures(&self, facts: &Facts<'_>) -> Option<Captures> {
        let Self {
            kind,
            location,
            reference,
            subpath,
            chart,
        } = self;
        if kind.is_some_and(|kind| kind != facts.kind) {
            return None;
        }
        let mut captures = Captures::default();
        for (pattern, text) in [
            (location, facts.location),
            (reference, facts.reference),
            (subpath, facts.subpath),
            (chart, facts.chart),
        ] {
            if let Some(pattern) = pattern
                && !pattern.matches(text, &mut captures)
            {
                return None;
            }
        }
        for (name, text) in [
            ("location", facts.location),
            ("reference", facts.reference),
            ("subpath", facts.subpath),
            ("chart", facts.chart),
            ("version", facts.version),
        ] {
            captures.set_default(name, text);
        }
        Some(captures)
    }

    /// Returns the names that a rule's target may use: captures of its patterns, and the names that every
    /// source has.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let Self {
            kind: _,
            location,
            reference,
            subpath,
            chart,
        } = self;
        let patterns = [location, reference, subpath, chart];
        patterns
            .into_iter()
            .flatten()
            .flat_map(Pattern::names)
            .chain(FACT_NAMES.iter().copied())
            .collect()
    }
}

/// Returns the value of a name that every source has.
pub const FACT_NAMES: &[&str] = &["location", "reference", "subpath", "chart", "version"];

impl Target<Template> {
    /// Fills the captures into the templates.
    #[must_use]
    pub fn fill(&self, captures: &Captures) -> Target<Text> {
        let fill = |template: &Template| template.fill(captures);
        let some = |template: &Option<Template>| template.as_ref().map(fill);
        match self {
            Target::Helm(HelmTarget {
                source:
                    HelmSource {
                        url,
                        provider,
                        insecure,
                        secret,
                        cert_secret,
                    },
                chart,
                version,
                verify,
            }) => Target::Helm(HelmTarget {
                source: HelmSource {
                    url: fill(url),
                    provider: provider.clone(),
                    insecure: *insecure,
                    secret: secret.clone(),
                    cert_secret: cert_secret.clone(),
                },
                chart: some(chart),
                version: some(version),
                verify: verify.clone(),
            }),
            Target::Oci(OciSource {
                url,
                tag,
                provider,
                insecure,
                secret,
                cert_secret,
                proxy_secret,
                verify,
            }) => Target::Oci(OciSource {
                url: fill(url),
                tag: some(tag),
                secret: secret.clone(),
                cert_secret: cert_secret.clone(),
                proxy_secret: proxy_secret.clone(),
                provider: provider.clone(),
                insecure: *insecure,
                verify: verify.clone(),
            }),
            Target::Git(GitTarget {
                url,
                reference,
                chart,
                secret,
                proxy_secret,
                provider,
            }) => Target::Git(GitTarget {
                url: fill(url),
                reference: reference.as_ref().map(|reference| reference.map(fill)),
                chart: some(chart),
                secret: secret.clone(),
                proxy_secret: proxy_secret.clone(),
                provider: provider.clone(),
            }),
            Target::Existing(ExistingTarget {
                kind,
                name,
                namespace,
                chart,
                version,
            }) => Target::Existing(ExistingTarget {
                kind: *kind,
                name: fill(name),
                namespace: some(namespace),
                chart: some(chart),
                version: some(version),
            }),
        }
    }
}

impl<T> Target<T> {
    /// Returns the key under which a rule holds it.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Target::Helm(_) => "HelmRepository",
            Target::Oci(_) => "OCIRepository",
            Target::Git(_) => "GitRepository",
            Target::Existing(_) => "existing",
        }
    }
}
