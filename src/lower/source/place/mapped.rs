//! Places that the source map sets instead of a `source` block.

use crate::armada::chart::{Source, SourceKind};
use crate::flux::{GitReference, GitSource, OciSource};
use crate::source_map::{self, ExistingKind, Facts, Rule, Target};
use crate::value::Text;

use super::{Known, Located, Note, Place, shown, unreadable};
use crate::lower::source::address::{self, folder};

/// Returns the place that the source map sets.
pub(super) fn place(
    source: &Source,
    kind: SourceKind,
    known: &Known,
    rule: &Rule,
    target: Target<Text>,
    at: usize,
) -> Located {
    let facts = known.facts(source, kind);
    let some = |text: &str| Some(Text::from(text)).filter(|text| !text.is_empty());
    let place = match target {
        Target::Helm(target) => helm_place(target, &facts),
        Target::Oci(target) => oci_place(target, &facts),
        Target::Git(target) => git_place(target, &facts),
        Target::Existing(target) => {
            let chart = target.chart.or_else(|| match target.kind {
                ExistingKind::GitRepository | ExistingKind::Bucket => some(facts.subpath),
                ExistingKind::HelmRepository => some(facts.chart),
                ExistingKind::OciRepository
                | ExistingKind::HelmChart
                | ExistingKind::ExternalArtifact => None,
            });
            let version = match target.kind {
                ExistingKind::HelmRepository => target.version.or_else(|| some(facts.version)),
                _ => None,
            };
            let chart = chart.unwrap_or_default();
            let inside = match target.kind {
                ExistingKind::GitRepository | ExistingKind::Bucket => folder(&chart),
                _ => Some(chart),
            };
            match inside {
                Some(chart) => Ok(Place::Existing {
                    kind: target.kind,
                    name: target.name,
                    namespace: target.namespace,
                    chart,
                    version,
                }),
                None => Err("the chart's folder is outside of the repository".to_owned()),
            }
        }
    };
    let mut located = match place {
        Ok(place) => Located::new(place),
        Err(what) => {
            let mut located = unreadable(what.clone());
            located.notes.push(Note::Unusable {
                what,
                span: rule.span,
            });
            located
        }
    };
    for (field, value) in [
        ("proxy_server", &source.proxy_server),
        ("auth_method", &source.auth_method),
    ] {
        let value = value.as_ref().filter(|value| !value.value.is_empty());
        if let Some(value) = value.filter(|value| !value.value.eq_ignore_ascii_case("none")) {
            let span = value.span;
            located.notes.push(Note::Replaced { field, span });
        }
    }
    located.rule = Some(at);
    located.with_ssh(rule.span)
}

fn helm_place(target: source_map::HelmTarget<Text>, facts: &Facts<'_>) -> Result<Place, String> {
    let source_map::HelmTarget {
        source,
        chart,
        version,
        verify,
    } = target;
    let known = ["http://", "https://", "oci://"]
        .iter()
        .any(|scheme| source.url.starts_with(scheme));
    if !known {
        return Err(format!(
            "`{}` is not a valid address of a HelmRepository",
            shown(&source.url)
        ));
    }
    let version = version.or_else(|| Some(Text::from(facts.version)));
    Ok(Place::Helm {
        repository: source,
        chart: chart.unwrap_or_else(|| facts.chart.into()),
        version: version.filter(|version| !version.is_empty()),
        verify,
    })
}

fn oci_place(source: OciSource, facts: &Facts<'_>) -> Result<Place, String> {
    if !source.url.starts_with("oci://") {
        return Err(format!(
            "`{}` is not a valid address of an OCIRepository",
            shown(&source.url)
        ));
    }
    let version = source.tag.or_else(|| Some(Text::from(facts.version)));
    // Tags have no `+`; Helm writes `_` for it.
    let tag = version
        .filter(|version| !version.is_empty())
        .map(|version| version.replace("+", "_"));
    Ok(Place::Oci(OciSource { tag, ..source }))
}

fn git_place(target: source_map::GitTarget<Text>, facts: &Facts<'_>) -> Result<Place, String> {
    let source_map::GitTarget {
        url,
        reference,
        chart,
        secret,
        proxy_secret,
        provider,
    } = target;
    let address = address::address(&url).map_err(str::to_owned)?;
    if address.guessed {
        return Err("Flux does not support `git://`".to_owned());
    }
    let reference = match reference {
        None if facts.reference.is_empty() => {
            return Err(
                "a source that is not Git has no commit, so the rule must set one".to_owned(),
            );
        }
        None => address::reference(facts.reference),
        Some(GitReference::Commit(commit)) if !address::is_commit(&commit) => {
            return Err(format!("`{commit}` is not a full commit"));
        }
        Some(GitReference::Commit(commit)) => GitReference::Commit(commit.to_ascii_lowercase()),
        Some(reference) => reference,
    };
    let chart = chart.unwrap_or_else(|| facts.subpath.into());
    let folder = folder(&chart).ok_or("the chart's folder is outside of the repository")?;
    let git = GitSource {
        url: address.url,
        reference,
        provider,
        secret,
        proxy_secret,
    };
    Ok(Place::Git { git, folder })
}
