//! The location of a chart: from its `source` block or from the source map.

mod login;
mod mapped;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::armada::Chart;
use crate::armada::chart::{Source, SourceKind};
use crate::flux::{GitReference, GitSource, HelmSource, OciSource, Verify};
use crate::plan::Plan;
use crate::resolve::Dependency;
use crate::secret;
use crate::source::Span;
use crate::source_map::{ExistingKind, Facts, SourceMap};
use crate::value::Text;

use super::address::{self, folder};
use super::archive::{self, Archive};
use super::key::{SecretKey, proxy_secret, ssh_secret};

/// Reference of a Git source without one (Armada: utils/source.py).
const DEFAULT_REFERENCE: &str = "master";

/// Why a subpath with `..` cannot be read.
const OUT_OF_REPOSITORY: &str = "its subpath points outside of the repository";

/// Where Flux finds a chart.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A folder of a Git repository.
    Git { git: GitSource, folder: Text },
    /// A chart of a repository of charts.
    Helm {
        repository: HelmSource,
        chart: Text,
        version: Option<Text>,
        verify: Option<Verify>,
    },
    /// A chart in a registry.
    Oci(OciSource),
    /// A chart of an existing object.
    Existing {
        kind: ExistingKind,
        name: Text,
        namespace: Option<Text>,
        chart: Text,
        version: Option<Text>,
    },
    /// No source that Flux can read, with the reason.
    Unreadable(Cow<'static, str>),
}

/// The location of a chart and the notes about it.
#[derive(Clone, Debug)]
pub(super) struct Located {
    pub(super) place: Place,
    /// Position of the rule that decided, from 0.
    pub(super) rule: Option<usize>,
    pub(super) notes: Vec<Note>,
    /// Secrets that the place needs and that no rule names.
    pub(super) secrets: Vec<SecretKey>,
}

/// A note about a source.
#[derive(Clone, Debug)]
pub(super) enum Note {
    /// Flux does not read it the way Armada did.
    Rewritten { what: String, span: Span },
    /// It needs a Secret.
    Secret {
        what: &'static str,
        secret: Text,
        span: Span,
    },
    /// A field had no effect in Armada.
    Ignored {
        field: &'static str,
        why: &'static str,
        span: Span,
    },
    /// A field had an effect in Armada and has none in Flux.
    NotCarried {
        field: &'static str,
        why: &'static str,
        span: Span,
    },
    /// A field belongs to a source that the source map replaces.
    Replaced { field: &'static str, span: Span },
    /// The rule produced an unusable result.
    Unusable { what: String, span: Span },
}

/// The folders that the charts of a site name in each archive.
#[derive(Debug, Default)]
pub(super) struct ArchiveFolders(BTreeMap<Text, BTreeSet<Text>>);

impl ArchiveFolders {
    /// Finds the archives of all charts of a plan, dependencies included.
    pub(super) fn of(plan: &Plan<'_, '_>) -> Self {
        let mut folders = Self::default();
        for release in plan.releases() {
            folders.add(release.chart);
            folders.add_all(release.dependencies.as_deref());
        }
        folders
    }

    fn add_all(&mut self, dependencies: Option<&[Dependency<'_, '_>]>) {
        for dependency in dependencies.into_iter().flatten() {
            self.add(dependency.chart);
            self.add_all(dependency.dependencies.as_deref());
        }
    }

    fn add(&mut self, chart: &Chart<'_>) {
        let source = &chart.source;
        if source.kind == Some(SourceKind::Tar) {
            let subpath = written_subpath(source);
            let folders = self.0.entry(source.location.value.clone()).or_default();
            folders.insert(folder(subpath).unwrap_or_else(|| subpath.into()));
        }
    }

    /// Returns whether charts are in several folders of an archive.
    fn are_several(&self, location: &str) -> bool {
        self.0
            .get(location)
            .is_some_and(|folders| folders.len() > 1)
    }
}

/// Locates a chart.
pub(super) fn locate(chart: &Chart<'_>, map: &SourceMap, folders: &ArchiveFolders) -> Located {
    let source = &chart.source;
    let Some(kind) = source.kind else {
        return unreadable("Armada has no such source type");
    };
    let known = Known::new(source, kind);
    let located = match map.find(&known.facts(source, kind)) {
        Some((at, rule, captures)) => {
            let target = rule.target.fill(&captures);
            mapped::place(source, kind, &known, rule, target, at)
        }
        None => read(source, kind, known, folders),
    };
    located.with_login(source.location.span)
}

/// Returns the facts of a chart's source that rules of a source map match.
pub(super) fn with_facts<T>(chart: &Chart<'_>, look: impl FnOnce(&Facts<'_>) -> T) -> Option<T> {
    let source = &chart.source;
    let kind = source.kind?;
    let known = Known::new(source, kind);
    Some(look(&known.facts(source, kind)))
}

/// What is computed from a `source` block before a rule or a default decides.
struct Known {
    archive: Result<Archive, archive::Unreadable>,
    subpath: Text,
    chart: Text,
    version: Text,
}

impl Known {
    fn new(source: &Source, kind: SourceKind) -> Self {
        let location = &*source.location.value;
        let subpath = written_subpath(source);
        let subpath = folder(subpath).unwrap_or_else(|| subpath.into());
        let last = |text: &str| {
            Text::from(
                text.trim_end_matches('/')
                    .rsplit('/')
                    .next()
                    .unwrap_or(text),
            )
        };
        let (archive, named) = match kind {
            SourceKind::Tar => (archive::read(location), last(location)),
            SourceKind::Git | SourceKind::Local => (Err(archive::Unreadable::Name), last(location)),
        };
        let stem = archive::stem(&named).unwrap_or(&named);
        let (chart, version) = match &archive {
            Ok(Archive::Chart {
                repository: _,
                name,
                version,
            }) if subpath.is_empty() || subpath == *name => (name.clone(), version.clone()),
            Ok(_) | Err(_) if !subpath.is_empty() => (last(&subpath), Text::new()),
            Ok(_) | Err(_) => (stem.trim_end_matches(".git").into(), Text::new()),
        };
        Self {
            archive,
            subpath,
            chart,
            version,
        }
    }

    fn facts<'f>(&'f self, source: &'f Source, kind: SourceKind) -> Facts<'f> {
        Facts {
            kind,
            location: &source.location.value,
            reference: match kind {
                SourceKind::Git => source
                    .reference
                    .as_ref()
                    .map_or(DEFAULT_REFERENCE, |reference| &*reference.value),
                // Every archive of StarlingX has a meaningless `master`.
                SourceKind::Tar | SourceKind::Local => "",
            },
            subpath: &self.subpath,
            chart: &self.chart,
            version: &self.version,
        }
    }
}

fn unreadable(why: impl Into<Cow<'static, str>>) -> Located {
    Located::new(Place::Unreadable(why.into()))
}

impl Located {
    fn new(place: Place) -> Self {
        Self {
            place,
            rule: None,
            notes: Vec::new(),
            secrets: Vec::new(),
        }
    }

    /// Gives a Git place the Secret that SSH needs, unless a rule names one.
    fn with_ssh(mut self, span: Span) -> Self {
        if let Place::Git { git, folder: _ } = &mut self.place
            && git.secret.is_none()
            && git.url.starts_with("ssh://")
        {
            let secret = ssh_secret(&git.url);
            git.secret = Some(secret.name.clone());
            self.notes.push(Note::Secret {
                what: "Flux needs a private key and the host key for SSH",
                secret: secret.name.clone(),
                span,
            });
            self.secrets.push(secret);
        }
        self
    }

    /// Gives a Git place that is read over HTTP the Secret with the address of its proxy.
    fn take_proxy(&mut self, source: &Source, kind: SourceKind, over_http: bool) {
        let Some(proxy) = source
            .proxy_server
            .as_ref()
            .filter(|proxy| !proxy.value.is_empty())
        else {
            return;
        };
        let git = match &mut self.place {
            Place::Git { git, folder: _ } if over_http => git,
            Place::Git { .. }
            | Place::Helm { .. }
            | Place::Oci(_)
            | Place::Existing { .. }
            | Place::Unreadable(_) => {
                let (field, span) = ("proxy_server", proxy.span);
                self.notes.push(match kind {
                    SourceKind::Tar => Note::NotCarried {
                        field,
                        why: "Armada downloaded the archive through it, a HelmRepository has no proxy",
                        span,
                    },
                    SourceKind::Git | SourceKind::Local => Note::Ignored {
                        field,
                        why: "Git uses it only over HTTP",
                        span,
                    },
                });
                return;
            }
        };
        let secret = proxy_secret(&proxy.value);
        git.proxy_secret = Some(secret.name.clone());
        self.notes.push(Note::Secret {
            what: "Flux reads the proxy's address from a Secret",
            secret: secret.name.clone(),
            span: proxy.span,
        });
        self.secrets.push(secret);
    }
}

/// Returns the place that the source itself names.
fn read(source: &Source, kind: SourceKind, known: Known, folders: &ArchiveFolders) -> Located {
    let mut located = match kind {
        SourceKind::Git => match read_git(source) {
            Ok(located) => located,
            Err(why) => return unreadable(why),
        },
        SourceKind::Tar => read_archive(source, known, folders),
        SourceKind::Local => unreadable("it is on the machine that runs Armada"),
    };
    let git_over_http = match &located.place {
        Place::Git { git, folder: _ } => git.url.starts_with("http"),
        Place::Helm { .. } | Place::Oci(_) | Place::Existing { .. } | Place::Unreadable(_) => false,
    };
    located.take_proxy(source, kind, git_over_http);
    if let Some(method) = source
        .auth_method
        .as_ref()
        .filter(|method| !method.value.is_empty())
        && (git_over_http || kind != SourceKind::Git)
        && !method.value.eq_ignore_ascii_case("none")
    {
        located.notes.push(Note::Ignored {
            field: "auth_method",
            why: "Armada logs in only over SSH",
            span: method.span,
        });
    }
    located
}

/// Returns the subpath, as the document writes it.
fn written_subpath(source: &Source) -> &str {
    source
        .subpath
        .as_ref()
        .map_or("", |subpath| &*subpath.value)
}

fn read_git(source: &Source) -> Result<Located, &'static str> {
    let span = source.location.span;
    let folder = folder(written_subpath(source)).ok_or(OUT_OF_REPOSITORY)?;
    let address = address::address(&source.location.value)?;
    let reference = source
        .reference
        .as_ref()
        .map_or(DEFAULT_REFERENCE, |reference| &*reference.value);
    let mut located = git(address.url.clone(), address::reference(reference), folder);
    if address.guessed {
        let what = format!(
            "Flux does not support `git://`, it is read from `{}`",
            shown(&address.url)
        );
        located.notes.push(Note::Rewritten { what, span });
    }
    Ok(located.with_ssh(span))
}

fn read_archive(source: &Source, known: Known, folders: &ArchiveFolders) -> Located {
    let forge = match known.archive {
        Ok(Archive::Forge(forge)) => forge,
        Ok(Archive::Chart {
            repository,
            name,
            version,
        }) => {
            // `helm package` puts a chart into a folder of its name, and nothing beside it.
            if known.subpath != name {
                let folder = match &*known.subpath {
                    "" => "its top".to_owned(),
                    folder => format!("the folder `{folder}`"),
                };
                return unreadable(format!(
                    "the document takes {folder} of the archive, a packaged chart `{name}` is in a folder of its name"
                ));
            }
            if folders.are_several(&source.location.value) {
                return unreadable(
                    "charts of the site are in several folders of the archive, a packaged chart is alone in it",
                );
            }
            return Located::new(chart_of(repository, name, version));
        }
        Err(why) => return unreadable(why.to_string()),
    };
    let Some(folder) = forge.folder(written_subpath(source)) else {
        return unreadable(OUT_OF_REPOSITORY);
    };
    let what = format!(
        "its archive is packed from a repository, which is read from `{}`",
        shown(&forge.url)
    );
    let mut located = git(forge.url, forge.reference, folder);
    located.notes.push(Note::Rewritten {
        what,
        span: source.location.span,
    });
    located
}

/// Returns a chart of a public repository.
fn chart_of(repository: Text, chart: Text, version: Text) -> Place {
    Place::Helm {
        repository: HelmSource {
            url: repository,
            provider: None,
            insecure: false,
            secret: None,
            cert_secret: None,
        },
        chart,
        version: Some(version),
        verify: None,
    }
}

fn git(url: Text, reference: GitReference, folder: Text) -> Located {
    let git = GitSource {
        url,
        reference,
        provider: None,
        secret: None,
        proxy_secret: None,
    };
    Located::new(Place::Git { git, folder })
}

/// Returns a location that is safe in messages and annotations.
pub(super) fn shown(location: &str) -> Text {
    secret::redact(location).into()
}
