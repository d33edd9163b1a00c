//! Names to documents: which Manifest, which groups, which charts.

mod check;
mod overlap;

use std::collections::{BTreeMap, BTreeSet};

use crate::armada::{ArmadaKind, Chart, ChartGroup, Documents, Manifest};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::value::Text;

/// A Manifest with the documents it names.
#[derive(Debug)]
pub(crate) struct Site<'d, 't> {
    pub(crate) manifest: &'d Manifest,
    /// Its groups in order; a group listed twice appears once.
    pub(crate) groups: Vec<Group<'d, 't>>,
}

/// A ChartGroup with its charts.
#[derive(Debug)]
pub(crate) struct Group<'d, 't> {
    pub(crate) document: &'d ChartGroup,
    /// Its charts in order; a chart that was listed before is left out.
    pub(crate) charts: Vec<Member<'d, 't>>,
}

/// A chart of a group.
#[derive(Debug)]
pub(crate) struct Member<'d, 't> {
    pub(crate) chart: &'d Chart<'t>,
    /// The charts that replace its dependencies; `None` keeps them.
    pub(crate) dependencies: Option<Vec<Dependency<'d, 't>>>,
}

/// A chart that is a dependency of another one.
#[derive(Clone, Debug)]
pub struct Dependency<'d, 't> {
    /// The Chart document.
    pub chart: &'d Chart<'t>,
    /// Where the other chart names it.
    pub listed: Span,
    /// The charts that replace its own dependencies; `None` keeps them.
    pub dependencies: Option<Vec<Dependency<'d, 't>>>,
}

/// Most dependencies of one chart, indirect ones included: far more than any real chart has, and
/// few enough for charts that depend on one another in every way.
const MAX_DEPENDENCIES: usize = 500;

/// Chooses the Manifest and looks up everything it names. `None` when an error was reported.
///
/// All Manifests of the input are checked, as Armada does: one broken Manifest stops the others.
pub(crate) fn resolve<'d, 't>(
    documents: &'d Documents<'t>,
    target: Option<&str>,
    diagnostics: &mut Diagnostics,
) -> Option<Site<'d, 't>> {
    let before = diagnostics.errors();
    let index = Index::new(documents, diagnostics);
    check::manifest_names(documents, diagnostics);
    check::references(documents, &index, diagnostics);
    let manifest = choose(documents, target, diagnostics)?;
    check::faults(documents, &[manifest], &index, diagnostics);
    overlap::report(documents, manifest, &index, diagnostics);
    let mut placed: BTreeMap<&str, Span> = BTreeMap::new();
    let mut listed: BTreeMap<&str, Span> = BTreeMap::new();
    let mut groups = Vec::new();
    for name in &manifest.chart_groups {
        let Some(&document) = index.groups.get(&*name.value) else {
            continue;
        };
        if let Some(&first) = listed.get(&*name.value) {
            diagnostics.push(
                Diagnostic::new(
                    Code::ChartInTwoGroups,
                    format!(
                        "chart group `{}` is listed twice in the Manifest",
                        name.value
                    ),
                )
                .at(name.span, "listed again here, which is ignored")
                .at(first, "first listed here")
                .help("Armada would deploy it again; remove one of the two"),
            );
            continue;
        }
        listed.insert(&name.value, name.span);
        let charts = members(document, &index, &mut placed, diagnostics);
        groups.push(Group { document, charts });
    }
    (diagnostics.errors() == before).then_some(Site { manifest, groups })
}

/// Checks all Manifests and what they name, as Armada's validation does; `target` must be one of them.
pub(crate) fn check(
    documents: &Documents<'_>,
    target: Option<&str>,
    diagnostics: &mut Diagnostics,
) {
    let index = Index::new(documents, diagnostics);
    check::manifest_names(documents, diagnostics);
    check::references(documents, &index, diagnostics);
    let chosen: Vec<&Manifest> = match target {
        Some(_) => choose(documents, target, diagnostics).into_iter().collect(),
        None => documents.manifests.iter().collect(),
    };
    check::faults(documents, &chosen, &index, diagnostics);
}

/// Documents by name; of two with one name the first wins (Armada: handlers/manifest.py).
struct Index<'d, 't> {
    groups: BTreeMap<&'d str, &'d ChartGroup>,
    charts: BTreeMap<&'d str, &'d Chart<'t>>,
}

impl<'d, 't> Index<'d, 't> {
    fn new(documents: &'d Documents<'t>, diagnostics: &mut Diagnostics) -> Self {
        let mut index = Self {
            groups: BTreeMap::new(),
            charts: BTreeMap::new(),
        };
        for group in &documents.chart_groups {
            let name = &group.head.name;
            match index.groups.get(&*name.value) {
                Some(first) => duplicate("chart group", name, first.head.name.span, diagnostics),
                None => {
                    index.groups.insert(&name.value, group);
                }
            }
        }
        for chart in &documents.charts {
            let name = &chart.head.name;
            match index.charts.get(&*name.value) {
                Some(first) => duplicate("chart", name, first.head.name.span, diagnostics),
                None => {
                    index.charts.insert(&name.value, chart);
                }
            }
        }
        index
    }
}

fn duplicate(kind: &str, name: &Spanned<Text>, first: Span, diagnostics: &mut Diagnostics) {
    diagnostics.push(
        Diagnostic::new(
            Code::DocumentDuplicate,
            format!("{kind} `{}` is defined twice", name.value),
        )
        .at(name.span, "this one is ignored")
        .at(first, "this one wins")
        .help("Armada silently takes the first; remove one of the two"),
    );
}

/// Returns the Manifest to convert (Armada: handlers/manifest.py `_find_documents`).
fn choose<'d>(
    documents: &'d Documents<'_>,
    target: Option<&str>,
    diagnostics: &mut Diagnostics,
) -> Option<&'d Manifest> {
    let manifests = documents.manifests.as_slice();
    let mut failed = documents.failed.iter();
    let meant = |name: Option<&Text>| name.zip(target).is_none_or(|(name, target)| name == target);
    if failed.any(|failed| failed.kind == ArmadaKind::Manifest && meant(failed.name.as_ref())) {
        // With a broken one the choice is not known.
        return None;
    }
    let names: BTreeSet<&str> = manifests.iter().map(|m| &*m.head.name.value).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let all = names.join("`, `");
    if let Some(target) = target {
        let found = manifests.iter().find(|m| m.head.name.value == target);
        if found.is_none() && documents.unreadable.is_empty() {
            let message = format!("no Manifest is named `{target}`");
            diagnostics.push(
                Diagnostic::new(Code::ManifestMissing, message).help(format!(
                    "the input holds `{all}`; choose one with --target-manifest"
                )),
            );
        }
        return found;
    }
    match manifests {
        [only] => Some(only),
        // It may be the document that could not be read, which was reported.
        [] if !documents.unreadable.is_empty() => None,
        [] => {
            diagnostics.push(
                Diagnostic::new(Code::ManifestMissing, "the input holds no Armada Manifest")
                    .help("give the file with the document of schema armada/Manifest/v1 as well"),
            );
            None
        }
        // They have one name, which was reported.
        [_, ..] if names.len() == 1 => None,
        [first, rest @ ..] => {
            let message = format!("the input holds {} Manifests", manifests.len());
            let mut diagnostic =
                Diagnostic::new(Code::ManifestAmbiguous, message).at(first.head.name.span, "one");
            for other in rest {
                diagnostic = diagnostic.at(other.head.name.span, "another");
            }
            diagnostics
                .push(diagnostic.help(format!("choose one of `{all}` with --target-manifest")));
            None
        }
    }
}

fn members<'d, 't>(
    group: &'d ChartGroup,
    index: &Index<'d, 't>,
    placed: &mut BTreeMap<&'d str, Span>,
    diagnostics: &mut Diagnostics,
) -> Vec<Member<'d, 't>> {
    let group_name = &group.head.name;
    if group.charts.is_empty() {
        let message = format!("chart group `{}` lists no chart", group_name.value);
        diagnostics.push(
            Diagnostic::new(Code::GroupEmpty, message)
                .at(group_name.span, "an empty stage")
                .help("it deploys nothing; remove it from the Manifest"),
        );
    }
    let mut charts = Vec::new();
    for name in &group.charts {
        let Some(&chart) = index.charts.get(&*name.value) else {
            continue;
        };
        if let Some(&first) = placed.get(&*name.value) {
            let message = format!("chart `{}` is listed twice", name.value);
            diagnostics.push(
                Diagnostic::new(Code::ChartInTwoGroups, message)
                    .at(name.span, "listed again here, which is ignored")
                    .at(first, "it is deployed here")
                    .help("Armada would process it at both places; remove one of the two"),
            );
            continue;
        }
        placed.insert(&name.value, name.span);
        charts.push(Member {
            chart,
            dependencies: all_dependencies(chart, index, diagnostics),
        });
    }
    charts
}

/// Returns the charts that a chart names as dependencies, and theirs.
fn all_dependencies<'d, 't>(
    chart: &'d Chart<'t>,
    index: &Index<'d, 't>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Dependency<'d, 't>>> {
    let mut left = MAX_DEPENDENCIES;
    let found = dependencies(chart, index, &mut Vec::new(), &mut left);
    if left == 0 {
        let name = &chart.head.name;
        let message = format!(
            "chart `{}` has {MAX_DEPENDENCIES} dependencies or more, indirect ones included",
            name.value
        );
        diagnostics.push(
            Diagnostic::new(Code::InputLimit, message)
                .at(name.span, "this chart")
                .help("check the dependencies of its dependencies"),
        );
    }
    found
}

/// `above` are the names that lead here: what depends on itself was reported and ends there; `left` is how
/// many more there may be.
fn dependencies<'d, 't>(
    chart: &'d Chart<'t>,
    index: &Index<'d, 't>,
    above: &mut Vec<&'d str>,
    left: &mut usize,
) -> Option<Vec<Dependency<'d, 't>>> {
    let names = chart.dependencies.as_ref()?;
    let mut charts = Vec::new();
    above.push(&chart.head.name.value);
    for name in names {
        let found = index.charts.get(&*name.value);
        let Some(&inner) = found.filter(|_| !above.contains(&&*name.value)) else {
            continue;
        };
        *left = left.saturating_sub(1);
        if *left == 0 {
            break;
        }
        charts.push(Dependency {
            chart: inner,
            listed: name.span,
            dependencies: dependencies(inner, index, above, left),
        });
    }
    above.pop();
    Some(charts)
}
