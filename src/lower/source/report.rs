//! Diagnostics about sources and dependencies.

use crate::armada::Chart;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::flux::GitReference;
use crate::plan::Release;
use crate::resolve::Dependency;
use crate::source_map::ExistingKind;

use super::address::is_short_commit;
use super::compose::{NotIncluded, Parts};
use super::key::OfSite;
use super::place::{Located, Note, Place};

/// Reports the notes about the source of `chart`, which is the release's own chart or a dependency.
pub(super) fn source(
    release: &Release<'_, '_>,
    chart: &Chart<'_>,
    located: &Located,
    of_site: &OfSite,
    diagnostics: &mut Diagnostics,
) {
    let is_own = std::ptr::eq(release.chart, chart);
    let subject = if is_own {
        format!("release `{}`", release.name)
    } else {
        let name = &chart.head.name.value;
        format!("release `{}`: its dependency `{name}`", release.name)
    };
    let source = &chart.source;
    let moving = |what: &str, label: &str| {
        let span = source.reference.as_ref().map_or(source.span, |r| r.span);
        Diagnostic::new(
            Code::SourceMoving,
            format!("{subject}: its source follows {what}"),
        )
        .at(span, label)
        .help("Armada deployed what it pointed to at that time; pin the commit to keep that")
    };
    match &located.place {
        Place::Unreadable(why) => {
            // A dependency has its own diagnostic.
            if is_own
                && !located
                    .notes
                    .iter()
                    .any(|note| matches!(note, Note::Unusable { .. }))
            {
                let message = format!("{subject}: Flux cannot read its source: {why}");
                diagnostics.push(
                    Diagnostic::new(Code::SourceUnresolved, message)
                        .at(source.location.span, "written without a source")
                        .help("map the chart to a source that Flux can read: `armada2flux source-map init` writes a source map"),
                );
            }
        }
        Place::Git { git, folder: _ } => match &git.reference {
            GitReference::Commit(_) => {}
            GitReference::Branch(name) if is_short_commit(name) => {
                let label =
                    "looks like a short commit; written as a branch, which is probably wrong";
                diagnostics.push(moving(&format!("`{name}`"), label));
            }
            GitReference::Branch(name) => {
                let label = "not a commit; written as a branch unless it starts with refs/";
                diagnostics.push(moving(&format!("`{name}`"), label));
            }
            GitReference::Tag(name) | GitReference::Name(name) => {
                diagnostics.push(moving(&format!("`{name}`"), "not a commit"));
            }
        },
        Place::Helm { version: None, .. }
        | Place::Existing {
            kind: ExistingKind::HelmRepository,
            version: None,
            ..
        } => {
            let diagnostic = moving(
                "the newest version of the chart",
                "names no version of the chart",
            );
            diagnostics.push(diagnostic.help("set `version` in the rule of the source map"));
        }
        Place::Oci(key) => {
            if key.tag.is_none() {
                let diagnostic = moving(
                    "the newest version of the chart",
                    "names no version of the chart",
                );
                diagnostics.push(diagnostic.help("set `version` in the rule of the source map"));
            }
            let message =
                format!("{subject}: Flux adds the artifact's digest to the version of its chart");
            diagnostics.push(
                Diagnostic::new(Code::SourceVersionSuffix, message)
                    .at(source.location.span, "comes from an OCIRepository")
                    .help("make the rule a HelmRepository with an `oci://` address to keep the plain version"),
            );
        }
        Place::Helm { .. } | Place::Existing { .. } => {}
    }
    located
        .notes
        .iter()
        .for_each(|note| diagnostics.push(diagnostic_of(&subject, note, of_site)));
}

fn diagnostic_of(subject: &str, note: &Note, of_site: &OfSite) -> Diagnostic {
    match note {
        Note::Rewritten { what, span } => {
            Diagnostic::new(Code::SourceRewritten, format!("{subject}: {what}"))
                .at(*span, "not read the way Armada read it")
                .help("check that it holds the same chart; the source map can set another source")
        }
        Note::Secret { what, secret, span } => {
            let secret = of_site.name(secret);
            let message = format!("{subject}: {what}: Secret `{secret}` must be filled in");
            Diagnostic::new(Code::SourceSecret, message)
                .at(*span, "its content is not in the documents")
                .help("fill in the keys that its annotation names, or name another Secret in the source map")
        }
        Note::Ignored { field, why, span } => {
            let message = format!("{subject}: `{field}` of its source has no effect");
            Diagnostic::new(Code::FieldIgnored, message)
                .at(*span, *why)
                .help("remove it")
        }
        Note::NotCarried { field, why, span } => {
            let message = format!("{subject}: `{field}` of its source is not carried over");
            Diagnostic::new(Code::FieldNotCarried, message)
                .at(*span, *why)
                .help("let source-controller reach the address, through a proxy of its own if need be, or map the chart to a Git repository")
        }
        Note::Replaced { field, span } => {
            let message = format!("{subject}: `{field}` of its source is left out");
            Diagnostic::new(Code::FieldIgnored, message)
                .at(*span, "belongs to a source that the source map replaces")
                .help("set `secretRef` or `proxySecretRef` in the rule if the new source needs one")
        }
        Note::Unusable { what, span } => {
            let message = format!("source map: {subject}: {what}");
            Diagnostic::new(Code::SourceMapInvalid, message)
                .at(*span, "computed by this rule")
                .help("correct the rule, or let it match less")
        }
    }
}

/// Reports dependencies that are not in the tree.
pub(super) fn dependencies(
    release: &Release<'_, '_>,
    located: &Located,
    parts: &Parts<'_, '_, '_>,
    diagnostics: &mut Diagnostics,
) {
    let why = match &located.place {
        Place::Git { .. } => None,
        Place::Helm { .. } | Place::Oci(_) => Some("Flux installs the chart as it was packaged"),
        Place::Existing { .. } => Some("Flux takes the chart as the existing object has it"),
        // Without a chart its dependencies do not matter.
        Place::Unreadable(_) => return,
    };
    let chart = release.chart;
    let own = &chart.head.name.value;
    if let Some(why) = why {
        if release.dependencies.as_ref().is_some_and(Vec::is_empty) {
            let message = format!(
                "release `{}`: Armada emptied its `charts` folder, {why}",
                release.name
            );
            diagnostics.push(
                Diagnostic::new(Code::DependencyNotCarried, message)
                    .at(chart.head.name.span, "its document has `dependencies: []`")
                    .help("check that the packaged chart holds no subcharts, or map the source to a Git repository"),
            );
        }
        for dependency in release.dependencies.iter().flatten() {
            let name = &dependency.chart.head.name.value;
            let message = format!(
                "release `{}`: Armada put chart `{name}` into its `charts` folder, {why}",
                release.name
            );
            diagnostics.push(
                Diagnostic::new(Code::DependencyNotCarried, message)
                    .at(dependency.listed, "not put in by Flux")
                    .help("check that the packaged chart holds it, or map the source to a Git repository"),
            );
        }
        return;
    }
    let missing: Vec<_> = parts.not_included.iter().collect();
    if missing.is_empty() {
        return;
    }
    let diagnostic = |dependency: &Dependency<'_, '_>, why: &str| {
        let name = &dependency.chart.head.name.value;
        let message = format!(
            "release `{}`: Armada put chart `{name}` into a `charts` folder, {why}",
            release.name
        );
        let help = format!(
            "Flux builds `{own}` with its own `charts` folder and requirements; map the dependency to a Git repository"
        );
        Diagnostic::new(Code::DependencyNotCarried, message)
            .at(dependency.listed, "not put in by Flux")
            .help(help)
    };
    for NotIncluded { dependency, why } in &missing {
        diagnostics.push(diagnostic(dependency, why));
    }
    for dependency in release.dependencies.iter().flatten() {
        let is_missing =
            |missing: &&NotIncluded<'_, '_, '_>| std::ptr::eq(missing.dependency, dependency);
        if !missing.iter().any(is_missing) {
            let why = "it is left out since another dependency cannot be put in";
            diagnostics.push(diagnostic(dependency, why));
        }
    }
}
