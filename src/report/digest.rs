//! What people want to know of a conversion first: what to decide, what is lost, the same things together.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Severity};
use crate::flux::duration;

use super::convert::{Report, Summary};
use super::finding::{Finding, Place};

/// Findings of one code.
#[derive(Debug)]
pub(super) struct Group<'r> {
    /// The code.
    pub(super) code: Code,
    /// Its severity in this run.
    pub(super) severity: Severity,
    /// The findings by release, in order of place; `None` for what belongs to no release.
    pub(super) by_release: Vec<(Option<&'r str>, Vec<&'r Finding>)>,
}

impl Group<'_> {
    /// Number of findings.
    pub(super) fn len(&self) -> usize {
        self.by_release.iter().map(|(_, list)| list.len()).sum()
    }

    /// Number of releases.
    pub(super) fn releases(&self) -> usize {
        let named = self
            .by_release
            .iter()
            .filter(|(release, _)| release.is_some());
        named.count()
    }

    /// Whether it tells of a loss.
    pub(super) fn is_lossy(&self) -> bool {
        self.code.is_lossy()
    }

    /// `67 in 67 releases`, `3`.
    pub(super) fn amount(&self) -> String {
        match self.releases() {
            0 => self.len().to_string(),
            releases => format!("{} in {}", self.len(), count(releases, "release")),
        }
    }
}

/// The findings by code: errors, then losses, then other warnings, then notes.
pub(super) fn groups(report: &Report) -> Vec<Group<'_>> {
    let mut by_code: BTreeMap<(usize, &str), Group<'_>> = BTreeMap::new();
    for finding in &report.diagnostics {
        let code = finding.code;
        let rank = match finding.severity {
            Severity::Error => 0,
            Severity::Warning if code.is_lossy() => 1,
            Severity::Warning => 2,
            Severity::Note => 3,
        };
        let group = by_code.entry((rank, code.name())).or_insert(Group {
            code,
            severity: finding.severity,
            by_release: Vec::new(),
        });
        let release = finding.release.as_deref();
        // Findings are in order of place, so those of a release stand together.
        match group.by_release.last_mut() {
            Some((last, list)) if *last == release => list.push(finding),
            _ => group.by_release.push((release, vec![finding])),
        }
    }
    by_code.into_values().collect()
}

/// What somebody has to decide or do, most urgent first.
pub(super) fn decisions(report: &Report) -> Vec<String> {
    let Summary {
        stages: _,
        steps: _,
        releases,
        suspended,
        health_checked: _,
        namespaces: _,
        sources: _,
        empty_secrets,
        unresolved_sources,
        clear_text_secrets,
        secrets_apart,
        releases_with_secrets,
        values_objects: _,
        nulls,
        codes,
    } = &report.summary;
    let mut decisions = Vec::new();
    if *unresolved_sources > 0 {
        decisions.push(format!(
            "{} without a source that Flux can read: name them in a source map before they are applied",
            count(*unresolved_sources, "release")
        ));
    }
    if *empty_secrets > 0 {
        decisions.push(format!(
            "{} of sources without content: fill in what their annotation `armada2flux.dev/keys-to-fill` names",
            count(*empty_secrets, "secret")
        ));
    }
    if *clear_text_secrets > 0 {
        let what = if secrets_apart == clear_text_secrets {
            "in clear text in Secrets of their own: encrypt those files before the tree is committed anywhere"
        } else {
            "in clear text: encrypt the tree before it is committed anywhere, or write them to Secrets with --split-secrets"
        };
        decisions.push(format!(
            "{} in {} {what}",
            count(*clear_text_secrets, "secret value"),
            count(*releases_with_secrets, "release")
        ));
    }
    if let Some(deleted) = codes.get(&Code::PreDeleteNotCarried) {
        decisions.push(format!(
            "{} whose Jobs or pods Armada deleted before each upgrade: upgrade them with apply, or delete by hand before an upgrade that changes them",
            count(*deleted, "release")
        ));
    }
    if let Some(moving) = codes.get(&Code::SourceMoving) {
        decisions.push(format!(
            "{} not pinned to a commit: pin what runs, or Flux follows the branch",
            count(*moving, "release")
        ));
    }
    if let Some(retyped) = codes.get(&Code::ValueRetyped) {
        decisions.push(format!(
            "{} reached Helm as something else than written, and are written as they arrived: nothing to do for running releases",
            count(*retyped, "value")
        ));
    }
    if *nulls > 0 {
        decisions.push(format!(
            "{} in values: apply with `kubectl apply --server-side`, client-side apply drops them",
            count(*nulls, "null")
        ));
    }
    if *suspended > 0 {
        decisions.push(format!(
            "{suspended} of {} written suspended: Flux leaves them alone until they are resumed",
            count(*releases, "release")
        ));
    }
    decisions
}

/// `69 releases in 12 stages (14 steps), 9 namespaces, 24 sources`
pub(super) fn size(report: &Report) -> String {
    let summary = &report.summary;
    format!(
        "{} in {} ({}), {}, {}",
        count(summary.releases, "release"),
        count(summary.stages, "stage"),
        count(summary.steps, "step"),
        count(summary.namespaces, "namespace"),
        count(summary.sources, "source"),
    )
}

/// What an upgrade of everything goes through; nothing when there is a single step.
pub(super) fn order(report: &Report) -> Option<String> {
    let order = &report.order;
    (order.steps > 1).then(|| {
        format!(
            "an upgrade of everything goes through {} one after another; plain Flux rests up to {} between them, {} in all",
            count(order.steps, "step"),
            duration::show(order.requeue_seconds),
            duration::show(order.rest_seconds)
        )
    })
}

/// `141 losses of 3 kinds`
pub(super) fn losses(groups: &[Group<'_>]) -> String {
    let lossy = groups.iter().filter(|group| group.is_lossy());
    let (kinds, number) = lossy.fold((0, 0), |(kinds, n), group| (kinds + 1, n + group.len()));
    if number == 0 {
        return "no loss".to_owned();
    }
    let es = if number == 1 { "" } else { "es" };
    format!("{number} loss{es} of {}", count(kinds, "kind"))
}

/// A number and what it counts: `1 release`, `2 releases`.
pub(crate) fn count(number: usize, what: &str) -> String {
    count_of(number, what, &format!("{what}s"))
}

/// A number and what it counts, for words with a plural of their own.
pub(crate) fn count_of(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// `file:line`, the file left out when the input is only one.
pub(super) fn place(place: &Place, one_file: bool) -> String {
    if one_file {
        format!("line {}", place.line)
    } else {
        format!("{}:{}", place.file, place.line)
    }
}

/// Whether all places are in one file.
pub(super) fn one_file(report: &Report) -> bool {
    let places = report.diagnostics.iter().flat_map(|f| &f.places);
    let mut files = places
        .map(|place| &place.place.file)
        .chain(report.releases.iter().map(|release| &release.origin.file));
    let first = files.next();
    files.all(|file| Some(file) == first)
}
