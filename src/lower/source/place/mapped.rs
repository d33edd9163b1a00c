//! What the source map says instead of a `source` block.

use crate::armada::chart::{Source, SourceKind};
use crate::flux::{self, GitReference};
use crate::source_map::{self, ExistingKind, Facts, Reference, Rule, Target};
use crate::value::Text;

use super::super::address::{self, folder};
use super::super::key::{GitKey, HelmKey, OciKey};
use super::{Known, Located, Note, Place, nowhere, shown};

/// What the source map says instead.
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
                None => Err("the chart's folder leads out of the repository".to_owned()),
            }
        }
    };
    let mut located = match place {
        Ok(place) => Located::new(place),
        Err(what) => {
            let mut located = nowhere(what.clone());
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
        url,
        chart,
        version,
        secret,
        cert_secret,
        provider,
        insecure,
        verify,
    } = target;
    let known = ["http://", "https://", "oci://"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    if !known {
        return Err(format!(
            "`{}` is no address of a HelmRepository",
            shown(&url)
        ));
    }
    let version = version.or_else(|| Some(Text::from(facts.version)));
    Ok(Place::Helm {
        repository: HelmKey {
            url,
            provider,
            insecure,
            secret,
            cert_secret,
        },
        chart: chart.unwrap_or_else(|| facts.chart.into()),
        version: version.filter(|version| !version.is_empty()),
        verify: verify.map(verified),
    })
}

fn oci_place(target: source_map::OciTarget<Text>, facts: &Facts<'_>) -> Result<Place, String> {
    let source_map::OciTarget {
        url,
        version,
        secret,
        cert_secret,
        proxy_secret,
        provider,
        insecure,
        verify,
    } = target;
    if !url.starts_with("oci://") {
        return Err(format!(
            "`{}` is no address of an OCIRepository",
            shown(&url)
        ));
    }
    let version = version.or_else(|| Some(Text::from(facts.version)));
    // Tags have no `+`; Helm writes `_` for it.
    let tag = version
        .filter(|version| !version.is_empty())
        .map(|version| version.replace("+", "_"));
    Ok(Place::Oci(OciKey {
        url,
        tag,
        provider,
        insecure,
        secret,
        cert_secret,
        proxy_secret,
        verify: verify.map(verified),
    }))
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
        return Err("flux does not speak `git://`".to_owned());
    }
    let reference = match reference {
        None if facts.reference.is_empty() => {
            return Err(
                "a source that is not git has no commit, the rule must name one".to_owned(),
            );
        }
        None => address::reference(facts.reference),
        Some(Reference::Commit(commit)) if !address::is_commit(&commit) => {
            return Err(format!("`{commit}` is no whole commit"));
        }
        Some(Reference::Commit(commit)) => GitReference::Commit(commit.to_ascii_lowercase()),
        Some(Reference::Branch(name)) => GitReference::Branch(name),
        Some(Reference::Tag(name)) => GitReference::Tag(name),
        Some(Reference::Name(name)) => GitReference::Name(name),
    };
    let chart = chart.unwrap_or_else(|| facts.subpath.into());
    let folder = folder(&chart).ok_or("the chart's folder leads out of the repository")?;
    let git = GitKey {
        url: address.url,
        reference,
        provider,
        secret,
        proxy_secret,
    };
    Ok(Place::Git { git, folder })
}

fn verified(verify: source_map::Verify) -> flux::Verify {
    let source_map::Verify {
        provider,
        secret,
        identities,
    } = verify;
    flux::Verify {
        provider,
        secret,
        identities,
    }
}
