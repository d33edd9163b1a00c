//! Checks over all Manifests of the input.

use std::collections::{BTreeMap, BTreeSet};

use crate::armada::fault::Act;
use crate::armada::{ArmadaKind, Chart, Documents, Manifest};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::value::Text;

use super::Index;

/// Everything that any Manifest leads to must be there (Armada: utils/validate.py, handlers/manifest.py);
/// documents that no Manifest reaches are not checked. Groups that no Manifest lists are noted.
pub(super) fn references(
    documents: &Documents<'_>,
    index: &Index<'_, '_>,
    diagnostics: &mut Diagnostics,
) {
    for (kind, number) in [
        (ArmadaKind::Chart, documents.charts.len()),
        (ArmadaKind::ChartGroup, documents.chart_groups.len()),
    ] {
        let lacking = documents.may_lack(kind);
        if let (Some(manifest), 0, false) = (documents.manifests.first(), number, lacking) {
            let name = &manifest.head.name;
            let message = format!(
                "Manifest `{}` has nothing to deploy: the input holds no {kind}",
                name.value
            );
            diagnostics.push(
                Diagnostic::new(Code::ReferenceMissing, message)
                    .at(name.span, "this Manifest")
                    .help("Armada requires at least one; give all files of the site"),
            );
        }
    }
    let mut seen = BTreeSet::new();
    let mut checked = BTreeSet::new();
    for manifest in &documents.manifests {
        for name in &manifest.chart_groups {
            let Some(&group) = index.groups.get(&*name.value) else {
                let by = &manifest.head.name.value;
                if !may_be_unread(ArmadaKind::ChartGroup, name, documents, diagnostics) {
                    report_missing("chart group", name, by, diagnostics);
                }
                continue;
            };
            if !seen.insert(&*group.head.name.value) {
                continue;
            }
            for name in &group.charts {
                match index.charts.get(&*name.value) {
                    Some(chart) => {
                        dependencies(
                            chart,
                            documents,
                            index,
                            &mut Vec::new(),
                            &mut checked,
                            diagnostics,
                        );
                    }
                    None if may_be_unread(ArmadaKind::Chart, name, documents, diagnostics) => {}
                    None => report_missing("chart", name, &group.head.name.value, diagnostics),
                }
            }
        }
    }
    for group in &documents.chart_groups {
        let name = &group.head.name;
        if !seen.contains(&*name.value) {
            let message = format!("chart group `{}` is not listed by any Manifest", name.value);
            diagnostics.push(
                Diagnostic::new(Code::GroupUnlisted, message).at(name.span, "never deployed"),
            );
        }
    }
}

/// No two Manifests may have one name: Armada validates each by its name, and refuses a name that selects two
/// (Armada: handlers/manifest.py).
pub(super) fn manifest_names(documents: &Documents<'_>, diagnostics: &mut Diagnostics) {
    let mut named: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
    for manifest in &documents.manifests {
        let name = &manifest.head.name;
        named.entry(&name.value).or_default().push(name.span);
    }
    for (name, spans) in named {
        let [first, rest @ ..] = spans.as_slice() else {
            continue;
        };
        if rest.is_empty() {
            continue;
        }
        let message = format!("{} Manifests are named `{name}`", spans.len());
        let mut diagnostic = Diagnostic::new(Code::ManifestAmbiguous, message).at(*first, "one");
        for other in rest {
            diagnostic = diagnostic.at(*other, "another");
        }
        diagnostics.push(diagnostic.help("Armada refuses the input; remove or rename one of them"));
    }
}

/// Reports what Armada finds out only when it deploys: errors for the charts of `manifests`, warnings
/// for all others.
pub(super) fn faults(
    documents: &Documents<'_>,
    manifests: &[&Manifest],
    index: &Index<'_, '_>,
    diagnostics: &mut Diagnostics,
) {
    let deployed: BTreeSet<&str> = manifests
        .iter()
        .flat_map(|manifest| &manifest.chart_groups)
        .filter_map(|name| index.groups.get(&*name.value))
        .flat_map(|group| &group.charts)
        .map(|name| &*name.value)
        .collect();
    let built = with_dependencies(&deployed, index);
    for chart in &documents.charts {
        let name = &*chart.head.name.value;
        // A second document of the name is not the one that is deployed.
        let first = index
            .charts
            .get(name)
            .is_some_and(|first| std::ptr::eq(*first, chart));
        for fault in &chart.faults {
            let reached = match fault.act {
                Act::Build => &built,
                Act::Deploy | Act::Purge => &deployed,
            };
            diagnostics.push(fault.diagnostic(name, first && reached.contains(name)));
        }
    }
}

/// Returns the charts and all that they name as dependencies.
fn with_dependencies<'d>(charts: &BTreeSet<&'d str>, index: &Index<'d, '_>) -> BTreeSet<&'d str> {
    let mut all = charts.clone();
    let mut waiting: Vec<&str> = charts.iter().copied().collect();
    while let Some(name) = waiting.pop() {
        let Some(chart) = index.charts.get(name) else {
            continue;
        };
        for dependency in chart.dependencies.iter().flatten() {
            if all.insert(&dependency.value) {
                waiting.push(&dependency.value);
            }
        }
    }
    all
}

/// Returns whether a missing document may be one that could not be decoded or read.
fn may_be_unread(
    kind: ArmadaKind,
    name: &Spanned<Text>,
    documents: &Documents<'_>,
    diagnostics: &mut Diagnostics,
) -> bool {
    let may_be_unread = documents.may_have_failed(kind, &name.value);
    if may_be_unread && let Some(&unreadable) = documents.unreadable.first() {
        let help = "names that no other document has are assumed to be in this one";
        diagnostics.add_help(unreadable, help);
    }
    may_be_unread
}

fn report_missing(kind: &str, name: &Spanned<Text>, by: &str, diagnostics: &mut Diagnostics) {
    diagnostics.push(
        Diagnostic::new(
            Code::ReferenceMissing,
            format!(
                "`{by}` names {kind} `{}`, which is not in the input",
                name.value
            ),
        )
        .at(name.span, "not found")
        .help("give all files of the site, or correct the name"),
    );
}

/// Most charts of one chain of dependencies; real sites have one or two.
const MAX_DEPENDENCY_CHAIN: usize = 64;

/// The charts that a chart names as dependencies, and theirs.
fn dependencies<'d>(
    chart: &'d Chart<'_>,
    documents: &Documents<'_>,
    index: &Index<'d, '_>,
    chain: &mut Vec<&'d str>,
    done: &mut BTreeSet<&'d str>,
    diagnostics: &mut Diagnostics,
) {
    let own_name: &str = &chart.head.name.value;
    if done.contains(own_name) {
        return;
    }
    chain.push(own_name);
    for name in chart.dependencies.iter().flatten() {
        let Some(next) = index.charts.get(&*name.value) else {
            if !may_be_unread(ArmadaKind::Chart, name, documents, diagnostics) {
                report_missing("dependency chart", name, own_name, diagnostics);
            }
            continue;
        };
        if let Some(at) = chain.iter().position(|above| *above == &*name.value) {
            let circle = chain[at..].join("` → `");
            let message = format!(
                "charts depend on one another: `{circle}` → `{}`",
                name.value
            );
            diagnostics.push(
                Diagnostic::new(Code::DependencyCycle, message)
                    .at(name.span, "closes the circle")
                    .help("remove one of these dependencies"),
            );
        } else if chain.len() >= MAX_DEPENDENCY_CHAIN {
            let message = format!(
                "chart `{own_name}` ends a chain of more than {MAX_DEPENDENCY_CHAIN} dependencies"
            );
            diagnostics.push(Diagnostic::new(Code::DepthLimit, message).at(name.span, "too deep"));
        } else {
            dependencies(next, documents, index, chain, done, diagnostics);
        }
    }
    chain.pop();
    done.insert(own_name);
}
