//! Where charts come from: `source` blocks, the source map and dependencies to source objects.

mod address;
mod archive;
mod compose;
mod key;
mod object;
mod place;
mod report;
pub(super) mod survey;

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::flux::helm_release::{Chart, ChartTemplate, SourceReference};
use crate::flux::{GitReference, GitSource, Metadata, Object, SITE_LABEL};
use crate::names::slug;
use crate::plan::{Plan, Release};
use crate::source::Span;
use crate::source_map::{ExistingKind, SourceMap};
use crate::value::{Text, Value};

use super::options::SourceNamespace;
use compose::{Parts, chart_folder};
use key::{Form, Key, MAX_NAME, Names, Nested, OfSite};
use place::{ArchiveFolders, Located, Place, locate, shown};

/// The source of one release.
#[derive(Clone, Debug)]
pub(super) struct ReleaseSource {
    /// The reference to the chart in the HelmRelease.
    pub(super) chart: Chart,
    /// The commits of chart and dependencies, to be stamped on the release's objects.
    pub(super) stamp: Option<Text>,
    /// The commit of the chart, if it is pinned to one.
    pub(super) commit: Option<Text>,
    /// The location that Flux cannot read.
    pub(super) unresolved: Option<Text>,
    /// Number of the source map's rule that decided, from 1.
    pub(super) rule: Option<usize>,
    /// The identity of the source, for the digest of its step.
    pub(super) fingerprint: Option<Value>,
}

/// All sources of a plan.
#[derive(Debug, Default)]
pub(super) struct Sources {
    releases: BTreeMap<(Text, Text), ReleaseSource>,
    objects: Vec<Object>,
    unresolved: usize,
}

/// What a release needs, before objects have names.
struct Need<'s, 'd, 't> {
    release: &'s Release<'d, 't>,
    located: Located,
    /// The object that holds the chart.
    key: Option<Key>,
    /// The parts of a composed chart.
    parts: Parts<'s, 'd, 't>,
}

/// Objects by namespace and key, with the folders of the charts that use them and the first place that asks.
type Wanted = BTreeMap<(Text, Key), (BTreeSet<Text>, Span)>;

impl Sources {
    pub(super) fn new(
        plan: &Plan<'_, '_>,
        place: &SourceNamespace,
        map: &SourceMap,
        site: &Text,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let folders = ArchiveFolders::of(plan);
        let needs: Vec<_> = plan
            .releases()
            .map(|release| Need::new(release, map, &folders))
            .collect();
        unused_rules(map, &needs, diagnostics);
        let mut emptied = BTreeMap::new();
        needs.iter().for_each(|need| need.emptied(&mut emptied));
        let nested = Nested::among(&emptied);
        let of_site = OfSite::new(site);
        let mut wanted = Wanted::new();
        for need in &needs {
            need.report(&of_site, diagnostics);
            need.request(place.namespace_of(need.release), &nested, &mut wanted);
        }
        let keys = wanted.keys().map(|(_, key)| key.clone());
        let names = Names::new(keys.collect(), &of_site);
        let mut sources = Self::default();
        for ((namespace, key), (charts, span)) in &wanted {
            let metadata = Metadata {
                name: names.get(key).cloned().unwrap_or_default(),
                namespace: Some(namespace.clone()),
                labels: vec![(SITE_LABEL.into(), site.clone())],
                annotations: Vec::new(),
            };
            let object = object::object(key, metadata, charts, &names, &nested);
            sources.objects.push(object.with_origin(*span));
        }
        sources.objects.sort_by(|a, b| {
            (&a.namespace, &a.name, &a.kind).cmp(&(&b.namespace, &b.name, &b.kind))
        });
        for need in needs {
            let id = (need.release.namespace.clone(), need.release.name.clone());
            let namespace = place.namespace_of(need.release);
            let source = need.source(namespace, &names, &sources.objects);
            sources.unresolved += usize::from(source.unresolved.is_some());
            sources.releases.insert(id, source);
        }
        sources
    }

    /// Returns the source objects, by namespace and name.
    pub(super) fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// Returns the source of a release of the plan.
    pub(super) fn source_of(&self, release: &Release<'_, '_>) -> &ReleaseSource {
        &self.releases[&(release.namespace.clone(), release.name.clone())]
    }

    /// Number of releases whose source Flux cannot read.
    pub(super) fn unresolved(&self) -> usize {
        self.unresolved
    }
}

impl SourceNamespace {
    /// Returns the namespace of the source objects of a release.
    fn namespace_of(&self, release: &Release<'_, '_>) -> Text {
        match self {
            SourceNamespace::Shared(namespace) => namespace.clone(),
            SourceNamespace::Release => release.namespace.clone(),
        }
    }
}

impl<'s, 'd, 't> Need<'s, 'd, 't> {
    fn new(release: &'s Release<'d, 't>, map: &SourceMap, folders: &ArchiveFolders) -> Self {
        let located = locate(release.chart, map, folders);
        let parts = release
            .dependencies
            .as_deref()
            .map(|dependencies| Parts::new(dependencies, map, folders));
        let key = match &located.place {
            Place::Git { git, folder: _ } => {
                let form = match &parts {
                    // What cannot be put in may already be in the chart: its folder is not changed.
                    Some(parts) if parts.not_included.is_empty() => {
                        Form::Composed(parts.parts.clone())
                    }
                    Some(_) | None => Form::Plain,
                };
                Some(Key::Git(git.clone(), form))
            }
            Place::Helm { repository, .. } => Some(Key::Helm(repository.clone())),
            Place::Oci(key) => Some(Key::Oci(key.clone())),
            Place::Existing { .. } | Place::Unreadable(_) => None,
        };
        Self {
            release,
            located,
            key,
            parts: parts.unwrap_or_default(),
        }
    }

    /// Returns whether the chart is composed from several repositories.
    fn composed(&self) -> Option<(&GitSource, &Text)> {
        match (&self.located.place, &self.key) {
            (Place::Git { git, folder }, Some(Key::Git(_, Form::Composed(_)))) => {
                Some((git, folder))
            }
            _ => None,
        }
    }

    fn report(&self, of_site: &OfSite, diagnostics: &mut Diagnostics) {
        let mut report = |chart, located| {
            report::source(self.release, chart, located, of_site, diagnostics);
        };
        report(self.release.chart, &self.located);
        if self.composed().is_some() {
            for (dependency, located) in &self.parts.located {
                report(dependency.chart, located);
            }
        }
        report::dependencies(self.release, &self.located, &self.parts, diagnostics);
    }

    /// Adds the folders of the charts whose `charts` folders are replaced.
    fn emptied(&self, emptied: &mut BTreeMap<GitSource, BTreeSet<Text>>) {
        let Some((git, folder)) = self.composed() else {
            return;
        };
        let parts = self
            .parts
            .parts
            .iter()
            .filter(|part| part.emptied)
            .map(|part| (&part.repository, &part.from));
        for (git, folder) in parts.chain([(git, folder)]) {
            emptied
                .entry(git.clone())
                .or_default()
                .insert(folder.clone());
        }
    }

    /// Requests all objects that the release needs.
    fn request(&self, namespace: Text, nested: &Nested, wanted: &mut Wanted) {
        let span = self.release.chart.source.span;
        let mut request = |key: Key, folder: Option<&Text>| {
            let (folders, _) = wanted
                .entry((namespace.clone(), key))
                .or_insert_with(|| (BTreeSet::new(), span));
            folders.extend(folder.cloned());
        };
        let secrets = self.located.secrets.iter();
        secrets.for_each(|secret| request(Key::Secret(secret.clone()), None));
        let composed = self.composed();
        if let Some(key) = &self.key {
            request(key.clone(), composed.map(|(_, folder)| folder));
        }
        let Some((git, folder)) = composed else {
            return;
        };
        request(nested.emptied(git, folder), Some(folder));
        for part in &self.parts.parts {
            request(part.key(nested), Some(&part.from));
        }
        for (_, located) in &self.parts.located {
            located
                .secrets
                .iter()
                .for_each(|secret| request(Key::Secret(secret.clone()), None));
        }
    }

    fn source(self, namespace: Text, names: &Names, objects: &[Object]) -> ReleaseSource {
        let name = self.key.as_ref().and_then(|key| names.get(key)).cloned();
        let reference = |kind| SourceReference {
            kind,
            name: name.clone().unwrap_or_default(),
            namespace: namespace.clone(),
        };
        let composed = self.composed().map(|(_, folder)| chart_folder(folder));
        // The object of a composed chart also depends on other charts.
        let fingerprint = match &self.key {
            Some(key) if composed.is_some() => Some(key::identity(key).into()),
            Some(_) => name
                .as_ref()
                .and_then(|name| spec(objects, name, &namespace)),
            None => None,
        };
        let commit = match &self.located.place {
            Place::Git { git, folder: _ } => pinned(git).cloned(),
            _ => None,
        };
        let mut unresolved = None;
        let chart = match &self.located.place {
            Place::Git { git: _, folder } => {
                let folder = composed.as_ref().unwrap_or(folder);
                template(
                    format!("./{folder}").into(),
                    None,
                    reference("GitRepository"),
                )
            }
            Place::Helm {
                repository: _,
                chart,
                version,
                verify,
            } => Chart::Template(ChartTemplate {
                chart: chart.clone(),
                version: version.clone(),
                source: reference("HelmRepository"),
                verify: verify.clone(),
            }),
            Place::Oci(_) => Chart::Reference(reference("OCIRepository")),
            Place::Existing {
                kind,
                name,
                namespace: own,
                chart,
                version,
            } => {
                let source = SourceReference {
                    kind: kind.name(),
                    name: name.clone(),
                    namespace: own.clone().unwrap_or(namespace),
                };
                match kind {
                    ExistingKind::HelmRepository => {
                        template(chart.clone(), version.clone(), source)
                    }
                    ExistingKind::GitRepository | ExistingKind::Bucket => {
                        template(format!("./{chart}").into(), None, source)
                    }
                    ExistingKind::OciRepository
                    | ExistingKind::HelmChart
                    | ExistingKind::ExternalArtifact => Chart::Reference(source),
                }
            }
            Place::Unreadable(_) => {
                unresolved = Some(shown(&self.release.chart.source.location.value));
                let source = SourceReference {
                    kind: "HelmRepository",
                    name: slug(&format!("unresolved-{}", self.release.name), MAX_NAME),
                    namespace,
                };
                let name = place::with_facts(self.release.chart, |facts| Text::from(facts.chart));
                template(
                    name.unwrap_or_else(|| self.release.chart.release.value.clone()),
                    None,
                    source,
                )
            }
        };
        ReleaseSource {
            chart,
            stamp: self.stamp(commit.as_ref()),
            commit,
            unresolved,
            rule: self.located.rule.map(|at| at + 1),
            fingerprint,
        }
    }

    /// Returns the commits that the release's objects are marked with, so that a new one reaches them.
    fn stamp(&self, commit: Option<&Text>) -> Option<Text> {
        let mut stamp = commit.map(ToString::to_string).unwrap_or_default();
        if self.composed().is_some() {
            for part in &self.parts.parts {
                if let Some(commit) = pinned(&part.repository) {
                    let name = part.to.rsplit('/').next().unwrap_or(&part.to);
                    let space = if stamp.is_empty() { "" } else { " " };
                    stamp.push_str(&format!("{space}{name}={commit}"));
                }
            }
        }
        Some(Text::from(stamp)).filter(|stamp| !stamp.is_empty())
    }
}

/// Returns the `spec` of a source object.
fn spec(objects: &[Object], name: &Text, namespace: &Text) -> Option<Value> {
    let object = objects.iter().find(|object| {
        object.name == *name
            && object.namespace.as_ref() == Some(namespace)
            && object.kind != "Secret"
    })?;
    object.value.at(&["spec"]).cloned()
}

/// Returns the commit that a source is pinned to.
fn pinned(git: &GitSource) -> Option<&Text> {
    match &git.reference {
        GitReference::Commit(commit) => Some(commit),
        GitReference::Branch(_) | GitReference::Tag(_) | GitReference::Name(_) => None,
    }
}

fn template(chart: Text, version: Option<Text>, source: SourceReference) -> Chart {
    Chart::Template(ChartTemplate {
        chart,
        version,
        source,
        verify: None,
    })
}

/// Reports rules without effect.
fn unused_rules(map: &SourceMap, needs: &[Need<'_, '_, '_>], diagnostics: &mut Diagnostics) {
    let own = needs.iter().map(|need| (need.release.chart, &need.located));
    let inner = needs
        .iter()
        .flat_map(|need| need.parts.located.iter())
        .map(|(dependency, located)| (dependency.chart, located));
    let charts: Vec<_> = own.chain(inner).collect();
    let used: BTreeSet<usize> = charts
        .iter()
        .filter_map(|(_, located)| located.rule)
        .collect();
    for (at, rule) in map.rules.iter().enumerate() {
        if used.contains(&at) {
            continue;
        }
        let matched = charts.iter().filter(|(chart, _)| {
            place::with_facts(chart, |facts| rule.matching.captures(facts).is_some()) == Some(true)
        });
        let number = at + 1;
        let (message, help) = match matched.count() {
            0 => (
                format!("rule {number} of the source map matches no source"),
                "compare its patterns with what `armada2flux source-map init` lists, or remove it",
            ),
            _ => (
                format!(
                    "rule {number} of the source map has no effect: rules before it match the same sources"
                ),
                "move it up, or remove it",
            ),
        };
        diagnostics.push(
            Diagnostic::new(Code::SourceRuleUnused, message)
                .at(rule.span, "without effect")
                .help(help),
        );
    }
}
