//! The summary of a conversion: its size, what is lost, what to decide, and findings by code.

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

    /// Returns whether it is a loss.
    pub(super) fn is_lossy(&self) -> bool {
        self.code.is_lossy()
    }

    /// Returns the amount: `67 in 67 releases`, `3`.
    pub(super) fn amount(&self) -> String {
        match self.releases() {
            0 => self.len().to_string(),
            releases => format!("{} in {}", self.len(), count(releases, "release")),
        }
    }
}

/// Groups the findings by code: errors, then losses, then other warnings, then notes.
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
        // Findings are in order of place, so those of a release are neighbours.
        match group.by_release.last_mut() {
            Some((last, list)) if *last == release => list.push(finding),
            _ => group.by_release.push((release, vec![finding])),
        }
    }
    by_code.into_values().collect()
}

/// Returns what the user has to decide or do, most urgent first.
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
            "{} without a source that Flux can read: map it, `armada2flux source-map init` writes a first source map",
            count(*unresolved_sources, "release")
        ));
    }
    if *empty_secrets > 0 {
        decisions.push(format!(
            "{} of sources without content: fill in the keys that the annotation `armada2flux.dev/keys-to-fill` lists",
            count(*empty_secrets, "Secret")
        ));
    }
    if *clear_text_secrets > 0 {
        let what = if secrets_apart == clear_text_secrets {
            "in clear text, all in Secrets: encrypt these files before you commit them"
        } else {
            "in clear text: encrypt the tree before you commit it, or move them to Secrets with `--split-secrets`"
        };
        decisions.push(format!(
            "{} in {} {what}",
            count(*clear_text_secrets, "secret value"),
            count(*releases_with_secrets, "release")
        ));
    }
    if let Some(deleted) = codes.get(&Code::PreDeleteNotCarried) {
        decisions.push(format!(
            "{} whose Jobs or Pods Armada deleted before each upgrade: upgrade with `apply`, or delete them before an upgrade that changes them",
            count(*deleted, "release")
        ));
    }
    if let Some(moving) = codes.get(&Code::SourceMoving) {
        decisions.push(format!(
            "{} not pinned to a commit: pin the commit that runs, or Flux follows the branch",
            count(*moving, "release")
        ));
    }
    if let Some(retyped) = codes.get(&Code::ValueRetyped) {
        decisions.push(format!(
            "{} reached Helm as another type: written as received, nothing to do for running releases",
            count(*retyped, "value")
        ));
    }
    if *nulls > 0 {
        decisions.push(format!(
            "{} in values: apply with `kubectl apply --server-side`; client-side apply drops them",
            count(*nulls, "null")
        ));
    }
    if *suspended > 0 {
        decisions.push(format!(
            "{suspended} of {} suspended: Flux does not touch them until they are resumed",
            count(*releases, "release")
        ));
    }
    decisions
}

/// Returns the size: `69 releases in 12 stages (14 steps), 9 namespaces, 24 sources`.
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

/// A fact of the summary.
#[derive(Debug)]
pub(super) struct Fact {
    /// What it is about, in lower case.
    pub(super) about: &'static str,
    /// The fact, without a full stop.
    pub(super) text: String,
}

/// Returns the other facts of a conversion, in order.
pub(super) fn facts(report: &Report, groups: &[Group<'_>]) -> Vec<Fact> {
    let Report { order, summary, .. } = report;
    let mut facts = vec![Fact {
        about: "against Armada",
        text: losses(groups),
    }];
    if order.steps > 1 {
        facts.push(Fact {
            about: "order",
            text: format!(
                "{} one after another, {}; when all change, plain Flux waits up to {} between two steps, {} in all",
                count(order.steps, "step"),
                count_of(order.dependencies, "dependency", "dependencies"),
                duration::show(order.requeue_seconds),
                duration::show(order.rest_seconds)
            ),
        });
    }
    if summary.values_objects > 0 {
        facts.push(Fact {
            about: "values outside of HelmReleases",
            text: count(summary.values_objects, "object"),
        });
    }
    if summary.health_checked > 0 {
        facts.push(Fact {
            about: "health checks for Armada's waits",
            text: count(summary.health_checked, "release"),
        });
    }
    let skipped: usize = report.skipped_documents.values().sum();
    if skipped > 0 {
        facts.push(Fact {
            about: "skipped",
            text: format!(
                "{} of {}",
                count(skipped, "document"),
                count(report.skipped_documents.len(), "other schema")
            ),
        });
    }
    facts
}

/// Returns the number of losses: `141 losses of 3 kinds`.
fn losses(groups: &[Group<'_>]) -> String {
    let lossy = groups.iter().filter(|group| group.is_lossy());
    let (kinds, number) = lossy.fold((0, 0), |(kinds, n), group| (kinds + 1, n + group.len()));
    if number == 0 {
        return "no loss".to_owned();
    }
    let es = if number == 1 { "" } else { "es" };
    format!("{number} loss{es} of {}", count(kinds, "kind"))
}

/// Returns a number with what it counts: `1 release`, `2 releases`.
pub(crate) fn count(number: usize, what: &str) -> String {
    count_of(number, what, &format!("{what}s"))
}

/// Returns a number with what it counts, for words with an irregular plural.
pub(crate) fn count_of(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Returns `file:line`; with a single input file, only the line.
pub(super) fn place(place: &Place, one_file: bool) -> String {
    if one_file {
        format!("line {}", place.line)
    } else {
        format!("{}:{}", place.file, place.line)
    }
}

/// Returns whether all places are in one file.
pub(super) fn one_file(report: &Report) -> bool {
    let places = report.diagnostics.iter().flat_map(|f| &f.places);
    let mut files = places
        .map(|place| &place.place.file)
        .chain(report.releases.iter().map(|release| &release.origin.file));
    let first = files.next();
    files.all(|file| Some(file) == first)
}
