//! All sources of a plan and whether Flux can read them: the input of a new source map.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::armada::Chart;
use crate::armada::chart::SourceKind;
use crate::plan::Plan;
use crate::resolve::Dependency;
use crate::source_map::SourceMap;
use crate::value::Text;

use super::place::{self, ArchiveFolders, Place, locate};

/// A source that documents name.
#[derive(Clone, Debug)]
pub struct Surveyed {
    /// Source type of the document: `git`, `tar` or `local`.
    pub kind: SourceKind,
    /// Its location, as the documents write it.
    pub location: Text,
    /// Its reference; `master` for a Git source without one, empty for other kinds.
    pub reference: Text,
    /// Its charts by folder: name, and the version if the archive's name holds one.
    pub charts: BTreeMap<Text, (Text, Text)>,
    /// The releases that need it.
    pub releases: BTreeSet<Text>,
    /// Whether Flux can read it.
    pub verdict: Verdict,
}

/// Whether Flux can read a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It can: the kind of object and its address.
    Read(&'static str, Text),
    /// It cannot, and why.
    Unreadable(Cow<'static, str>),
}

/// Lists the sources of a plan, including those of dependencies, by kind, location and reference.
#[must_use]
pub fn survey(plan: &Plan<'_, '_>) -> Vec<Surveyed> {
    let folders = ArchiveFolders::of(plan);
    let mut found = BTreeMap::new();
    for release in plan.releases() {
        add(&mut found, release.chart, &release.name, &folders);
        let dependencies = release.dependencies.as_deref();
        add_all(&mut found, dependencies, &release.name, &folders);
    }
    found.into_values().collect()
}

type Found = BTreeMap<(&'static str, Text, Text), Surveyed>;

fn add_all(
    found: &mut Found,
    dependencies: Option<&[Dependency<'_, '_>]>,
    release: &Text,
    folders: &ArchiveFolders,
) {
    for dependency in dependencies.into_iter().flatten() {
        add(found, dependency.chart, release, folders);
        add_all(found, dependency.dependencies.as_deref(), release, folders);
    }
}

fn add(found: &mut Found, chart: &Chart<'_>, release: &Text, folders: &ArchiveFolders) {
    let verdict = || match locate(chart, &SourceMap::default(), folders).place {
        Place::Git { git, folder: _ } => Verdict::Read("GitRepository", git.url),
        Place::Helm { repository, .. } => Verdict::Read("HelmRepository", repository.url),
        Place::Oci(key) => Verdict::Read("OCIRepository", key.url),
        Place::Existing { kind, name, .. } => Verdict::Read(kind.name(), name),
        Place::Unreadable(why) => Verdict::Unreadable(why),
    };
    place::with_facts(chart, |facts| {
        let kind = match facts.kind {
            SourceKind::Git => "git",
            SourceKind::Tar => "tar",
            SourceKind::Local => "local",
        };
        let key = (kind, facts.location.into(), facts.reference.into());
        let surveyed = found.entry(key).or_insert_with(|| Surveyed {
            kind: facts.kind,
            location: facts.location.into(),
            reference: facts.reference.into(),
            charts: BTreeMap::new(),
            releases: BTreeSet::new(),
            verdict: verdict(),
        });
        let own = (facts.chart.into(), facts.version.into());
        surveyed.charts.insert(facts.subpath.into(), own);
        surveyed.releases.insert(release.clone());
    });
}
