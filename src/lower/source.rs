//! Where charts come from: `source` blocks to source objects.

use std::collections::{BTreeMap, BTreeSet};

use crate::armada::chart::{Source, SourceKind};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::flux::helm_release::{ChartTemplate, SourceReference};
use crate::flux::{
    GitReference, GitRepository, HelmRepository, Metadata, Object, SITE_LABEL, Seconds,
};
use crate::plan::{Plan, Release};
use crate::secret;
use crate::value::{REDACTED, Text};

use super::SourceNamespace;
use super::slug::{short_digest, slug};

/// How often Flux looks at a repository pinned to a commit: it cannot change.
const PINNED_INTERVAL: Seconds = Seconds(12 * 3600);
/// How often Flux looks at a branch.
const MOVING_INTERVAL: Seconds = Seconds(10 * 60);
/// How often Flux reads the index of a chart repository.
const INDEX_INTERVAL: Seconds = Seconds(3600);
/// Longest name of a source object: HelmCharts and labels are named after it.
const MAX_NAME: usize = 53;
/// Digits of a commit that stand in an object's name.
const COMMIT_DIGITS: usize = 12;
/// Reference of a git source that names none (Armada: utils/source.py).
const DEFAULT_REFERENCE: &str = "master";

/// What makes two sources one object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    Git { url: Text, reference: GitReference },
    Helm { url: Text },
}

/// The source of one release.
#[derive(Clone, Debug)]
pub(super) struct ReleaseSource {
    pub(super) template: ChartTemplate,
    /// The commit, to be stamped on the release's objects.
    pub(super) commit: Option<Text>,
    /// What nothing in Flux can read.
    pub(super) unresolved: Option<Text>,
    key: Option<Key>,
}

/// All sources of a plan.
#[derive(Debug)]
pub(super) struct Sources {
    releases: BTreeMap<(Text, Text), ReleaseSource>,
    objects: Vec<Object>,
    by_key: BTreeMap<Key, usize>,
    unresolved: usize,
}

/// What a `source` block comes to.
enum Reading {
    Git {
        url: Text,
        reference: GitReference,
        path: Text,
    },
    Archive {
        repository: Text,
        chart: Text,
        version: Text,
    },
    Unreadable(&'static str),
}

impl Sources {
    pub(super) fn new(
        plan: &Plan<'_, '_>,
        place: &SourceNamespace,
        diagnostics: &mut Diagnostics,
    ) -> Self {
        let readings: Vec<_> = plan
            .releases()
            .map(|release| (release, read(&release.chart.source)))
            .collect();
        let keys = readings.iter().filter_map(|(_, reading)| key_of(reading));
        let names = names(keys.collect());
        let mut sources = Self {
            releases: BTreeMap::new(),
            objects: Vec::new(),
            by_key: BTreeMap::new(),
            unresolved: 0,
        };
        let mut copies = BTreeSet::new();
        for (release, reading) in readings {
            report(release, &reading, diagnostics);
            let namespace = match place {
                SourceNamespace::Shared(namespace) => namespace.clone(),
                SourceNamespace::Release => release.namespace.clone(),
            };
            let key = key_of(&reading);
            if let Some((key, name)) = key.as_ref().and_then(|key| names.get_key_value(key))
                && copies.insert((key.clone(), namespace.clone()))
            {
                let object = object(key, name.clone(), namespace.clone());
                let origin = release.chart.source.span;
                sources
                    .by_key
                    .entry(key.clone())
                    .or_insert(sources.objects.len());
                sources.objects.push(object.with_origin(origin));
            }
            let name = key.as_ref().and_then(|key| names.get(key)).cloned();
            let source = release_source(release, reading, key, name, namespace);
            sources.unresolved += usize::from(source.unresolved.is_some());
            let id = (release.namespace.clone(), release.name.clone());
            sources.releases.insert(id, source);
        }
        sources
    }

    /// The source objects, by namespace and name.
    pub(super) fn objects(&self, site: &Text) -> Vec<Object> {
        let mut objects = self.objects.clone();
        objects.sort_by(|a, b| (&a.namespace, &a.name).cmp(&(&b.namespace, &b.name)));
        for object in &mut objects {
            object.label(SITE_LABEL, site.clone());
        }
        objects
    }

    /// The source of a release of the plan.
    pub(super) fn of(&self, release: &Release<'_, '_>) -> &ReleaseSource {
        &self.releases[&(release.namespace.clone(), release.name.clone())]
    }

    /// The source object of a release, if there is one.
    pub(super) fn object_of(&self, release: &Release<'_, '_>) -> Option<&Object> {
        let at = self.by_key.get(self.of(release).key.as_ref()?)?;
        self.objects.get(*at)
    }

    /// Number of releases whose source nothing can read.
    pub(super) fn unresolved(&self) -> usize {
        self.unresolved
    }
}

fn read(source: &Source) -> Reading {
    let Source {
        kind,
        location,
        subpath,
        reference,
        proxy_server: _,
        auth_method: _,
        span: _,
    } = source;
    let subpath = subpath.as_ref().map_or("", |subpath| &*subpath.value);
    match kind {
        Some(SourceKind::Git) => {
            let Some(path) = chart_path(subpath) else {
                return Reading::Unreadable("its subpath leads out of the repository");
            };
            let url = &location.value;
            if !["http://", "https://", "ssh://"]
                .iter()
                .any(|s| url.starts_with(s))
            {
                return Reading::Unreadable("flux reads git over http, https and ssh only");
            }
            let reference = reference.as_ref().map_or(DEFAULT_REFERENCE, |r| &*r.value);
            Reading::Git {
                url: url.clone(),
                reference: git_reference(reference),
                path,
            }
        }
        Some(SourceKind::Tar) => archive(&location.value).unwrap_or(Reading::Unreadable(
            "chart name and version are not in the archive's name",
        )),
        Some(SourceKind::Local) => Reading::Unreadable("it lies on the machine that runs armada"),
        None => Reading::Unreadable("armada knows no such source type"),
    }
}

/// A subpath as `chart.spec.chart` takes it; `None` when it leaves the repository.
fn chart_path(subpath: &str) -> Option<Text> {
    let parts: Vec<&str> = subpath
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    if subpath.starts_with('/') || parts.contains(&"..") {
        return None;
    }
    Some(Text::from(format!("./{}", parts.join("/"))))
}

fn git_reference(reference: &str) -> GitReference {
    let is_commit = reference.len() == 40 && reference.bytes().all(|b| b.is_ascii_hexdigit());
    if is_commit {
        GitReference::Commit(reference.into())
    } else if reference.starts_with("refs/") {
        GitReference::Name(reference.into())
    } else {
        GitReference::Branch(reference.into())
    }
}

/// Reads `https://host/folder/NAME-VERSION.tgz`.
fn archive(location: &str) -> Option<Reading> {
    let known = location.starts_with("http://") || location.starts_with("https://");
    let (folder, file) = location.rsplit_once('/')?;
    let stem = file
        .strip_suffix(".tgz")
        .or_else(|| file.strip_suffix(".tar.gz"))?;
    let (chart, version) = split_version(stem)?;
    (known && folder.contains("://")).then(|| Reading::Archive {
        repository: folder.into(),
        chart: chart.into(),
        version: version.into(),
    })
}

/// Splits `NAME-VERSION` at the first hyphen that a version follows; versions have two or three numbers,
/// an optional leading `v` and an optional suffix.
fn split_version(stem: &str) -> Option<(&str, &str)> {
    let hyphens = stem.match_indices('-').map(|(at, _)| at);
    let mut splits = hyphens.map(|at| (&stem[..at], &stem[at + 1..]));
    splits.find(|(name, version)| !name.is_empty() && is_version(version))
}

fn is_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, suffix) = text.split_at(end);
    let numbers: Vec<&str> = numbers.split('.').collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
    (2..=3).contains(&numbers.len())
        && numbers
            .iter()
            .all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        && suffix.len() != 1
        && suffix.chars().all(plain)
}

fn key_of(reading: &Reading) -> Option<Key> {
    match reading {
        Reading::Git {
            url,
            reference,
            path: _,
        } => Some(Key::Git {
            url: url.clone(),
            reference: reference.clone(),
        }),
        Reading::Archive {
            repository,
            chart: _,
            version: _,
        } => Some(Key::Helm {
            url: repository.clone(),
        }),
        Reading::Unreadable(_) => None,
    }
}

/// A name for each source; where two would share one, all of them get a digest of what they are.
fn names(keys: BTreeSet<Key>) -> BTreeMap<Key, Text> {
    let mut taken: BTreeMap<Text, Vec<Key>> = BTreeMap::new();
    for key in keys {
        taken.entry(base_name(&key)).or_default().push(key);
    }
    let mut names = BTreeMap::new();
    for (name, keys) in taken {
        let shared = keys.len() > 1;
        for key in keys {
            let name = if shared {
                let own = match &key {
                    Key::Git { url, reference } => format!("{url} {reference:?}"),
                    Key::Helm { url } => url.to_string(),
                };
                Text::from(format!(
                    "{}-{}",
                    slug(&name, MAX_NAME - 9),
                    short_digest(&own)
                ))
            } else {
                name.clone()
            };
            names.insert(key, name);
        }
    }
    names
}

fn base_name(key: &Key) -> Text {
    match key {
        Key::Git { url, reference } => {
            let last = url.trim_end_matches('/').rsplit('/').next().unwrap_or(url);
            let last = last.rsplit('@').next().unwrap_or(last);
            let repository = slug(last.trim_end_matches(".git"), MAX_NAME - COMMIT_DIGITS - 1);
            let reference = match reference {
                GitReference::Commit(commit) => slug(&commit[..COMMIT_DIGITS], COMMIT_DIGITS),
                GitReference::Branch(name) | GitReference::Name(name) => slug(name, 40),
            };
            slug(&format!("{repository}-{reference}"), MAX_NAME)
        }
        Key::Helm { url } => {
            let address = url.split_once("://").map_or(&**url, |(_, rest)| rest);
            let address = address.rsplit('@').next().unwrap_or(address);
            slug(address, MAX_NAME)
        }
    }
}

fn object(key: &Key, name: Text, namespace: Text) -> Object {
    let metadata = Metadata {
        name,
        namespace: Some(namespace),
        labels: Vec::new(),
        annotations: Vec::new(),
    };
    match key {
        Key::Git { url, reference } => GitRepository {
            metadata,
            url: url.clone(),
            reference: reference.clone(),
            interval: match reference {
                GitReference::Commit(_) => PINNED_INTERVAL,
                GitReference::Branch(_) | GitReference::Name(_) => MOVING_INTERVAL,
            },
        }
        .into(),
        Key::Helm { url } => HelmRepository {
            metadata,
            url: url.clone(),
            interval: INDEX_INTERVAL,
        }
        .into(),
    }
}

fn release_source(
    release: &Release<'_, '_>,
    reading: Reading,
    key: Option<Key>,
    name: Option<Text>,
    namespace: Text,
) -> ReleaseSource {
    let reference = |kind| SourceReference {
        kind,
        name: name.clone().unwrap_or_default(),
        namespace: namespace.clone(),
    };
    match reading {
        Reading::Git {
            url: _,
            reference: git,
            path,
        } => ReleaseSource {
            template: ChartTemplate {
                chart: path,
                version: None,
                source: reference("GitRepository"),
            },
            commit: match git {
                GitReference::Commit(commit) => Some(commit),
                GitReference::Branch(_) | GitReference::Name(_) => None,
            },
            unresolved: None,
            key,
        },
        Reading::Archive {
            repository: _,
            chart,
            version,
        } => ReleaseSource {
            template: ChartTemplate {
                chart,
                version: Some(version),
                source: reference("HelmRepository"),
            },
            commit: None,
            unresolved: None,
            key,
        },
        Reading::Unreadable(_) => {
            let source = &release.chart.source;
            let subpath = source
                .subpath
                .as_ref()
                .map_or("", |subpath| &*subpath.value);
            let folder = subpath
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or("");
            let chart = if folder.is_empty() || folder == "." {
                release.chart.release.value.clone()
            } else {
                folder.into()
            };
            ReleaseSource {
                template: ChartTemplate {
                    chart,
                    version: None,
                    source: SourceReference {
                        kind: "HelmRepository",
                        name: slug(&format!("unresolved-{}", release.name), MAX_NAME),
                        namespace,
                    },
                },
                commit: None,
                unresolved: Some(shown(&source.location.value)),
                key: None,
            }
        }
    }
}

/// A location fit for messages and annotations.
fn shown(location: &str) -> Text {
    if secret::text_looks_secret(location) {
        REDACTED.into()
    } else {
        location.into()
    }
}

fn report(release: &Release<'_, '_>, reading: &Reading, diagnostics: &mut Diagnostics) {
    let source = &release.chart.source;
    match reading {
        Reading::Unreadable(why) => {
            let message = format!(
                "release `{}`: flux cannot read its source: {why}",
                release.name
            );
            diagnostics.push(
                Diagnostic::new(Code::SourceUnresolved, message)
                    .at(source.location.span, "written without a source")
                    .help("give the HelmRelease a source that flux can read before it is applied"),
            );
        }
        Reading::Git {
            reference: GitReference::Branch(name) | GitReference::Name(name),
            ..
        } => {
            let span = source.reference.as_ref().map_or(source.span, |r| r.span);
            let message = format!("release `{}`: its source follows `{name}`", release.name);
            diagnostics.push(
                Diagnostic::new(Code::SourceMoving, message)
                    .at(span, "not a commit; written as a branch unless it starts with refs/")
                    .help("armada deployed what it pointed to when it ran; pin the commit to keep that"),
            );
        }
        Reading::Git { .. } | Reading::Archive { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_split_before_the_version() {
        let split = |stem| split_version(stem);
        assert_eq!(
            split("ingress-nginx-4.11.2"),
            Some(("ingress-nginx", "4.11.2"))
        );
        assert_eq!(
            split("cert-manager-v0.1.0"),
            Some(("cert-manager", "v0.1.0"))
        );
        assert_eq!(split("a-2-b-1.0-rc1"), Some(("a-2-b", "1.0-rc1")));
        assert_eq!(split("helm-toolkit"), None);
        assert_eq!(split("-1.0.0"), None);
    }

    #[test]
    fn subpaths_stay_inside() {
        assert_eq!(chart_path("charts/x/").as_deref(), Some("./charts/x"));
        assert_eq!(chart_path(".").as_deref(), Some("./"));
        assert_eq!(chart_path("../x"), None);
        assert_eq!(chart_path("/x"), None);
    }
}
