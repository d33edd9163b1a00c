//! The plan: stages and steps, pure data from documents.
//!
//! A chart group is a stage. A sequenced group is one stage of several steps, any other group a stage
//! of one. Every release of a step comes after every release of all steps before it. The files
//! (`dependsOn`) and a staged run use the same steps.

mod lint;
mod name;
mod wait;

use std::collections::BTreeMap;

use crate::armada::chart::PreDelete;
use crate::armada::{Chart, Documents};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::gate::{Gate, Version};
use crate::resolve::{self, Dependency, Member, Site};
use crate::source::{Span, Spanned};
use crate::value::Text;

pub use wait::Wait;

/// Time limit of a chart that names none, in seconds (Armada: const.py `DEFAULT_CHART_TIMEOUT`).
pub const DEFAULT_TIMEOUT: i64 = 900;
/// Time limit of tests that name none, in seconds (Armada: const.py `DEFAULT_TEST_TIMEOUT`).
pub const DEFAULT_TEST_TIMEOUT: i64 = 300;
/// Time limit of an uninstall that names none, in seconds (Armada: const.py `DEFAULT_DELETE_TIMEOUT`).
pub const DEFAULT_DELETE_TIMEOUT: i64 = 300;

/// A site, ready to be lowered.
#[derive(Debug)]
pub struct Plan<'d, 't> {
    /// Name of the Manifest.
    pub manifest: Text,
    /// Span of the Manifest's name.
    pub manifest_span: Span,
    /// The stages in order; never empty ones.
    pub stages: Vec<Stage<'d, 't>>,
}

/// One chart group.
#[derive(Debug)]
pub struct Stage<'d, 't> {
    /// Position among the stages, from 1.
    pub number: usize,
    /// Name of the chart group.
    pub group: Text,
    /// Span of the group's name.
    pub group_span: Span,
    /// Whether its charts are deployed one after another.
    pub sequenced: bool,
    /// Its steps in order.
    pub steps: Vec<Step<'d, 't>>,
}

/// Releases that may change at the same time.
#[derive(Debug)]
pub struct Step<'d, 't> {
    /// The releases, in the order of the group.
    pub releases: Vec<Release<'d, 't>>,
}

/// A Helm release and how it is deployed.
#[derive(Debug)]
pub struct Release<'d, 't> {
    /// Name under which Helm holds it: prefix, hyphen, release.
    pub name: Text,
    /// Namespace of release and HelmRelease.
    pub namespace: Text,
    /// The document it comes from.
    pub chart: &'d Chart<'t>,
    /// The charts that replace its dependencies.
    pub dependencies: Option<Vec<Dependency<'d, 't>>>,
    /// Limit of each Helm action, in seconds.
    pub timeout: i64,
    /// Whether Helm itself waits.
    pub native_wait: bool,
    /// Whether hooks are left out on upgrades.
    pub upgrade_no_hooks: bool,
    /// Whether upgrades are forced.
    pub upgrade_force: bool,
    /// Limit of the tests in seconds; `None` when tests do not run.
    pub test_timeout: Option<i64>,
    /// Limit of an uninstall, in seconds.
    pub delete_timeout: i64,
    /// What Armada itself waits for after Helm and its hooks, in order.
    pub waits: Vec<Wait>,
    /// What Armada deletes before an upgrade, in order.
    pub pre_deletes: &'d [PreDelete],
    /// Whether a run continues past the release when it failed before; `None` when it is not
    /// protected: then Armada uninstalls it and installs it again.
    pub protected: Option<bool>,
}

impl Release<'_, '_> {
    /// Returns its waits as gates, in order.
    #[must_use]
    pub fn gates(&self) -> Vec<Gate> {
        let version = self.chart.head.version;
        let waits = self.waits.iter();
        waits
            .map(|wait| Gate::new(wait.spec.clone(), self.namespace.clone(), version))
            .collect()
    }
}

/// Options of Armada's command line for a whole run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// `--timeout`: limit of every chart in seconds, overriding the documents.
    pub timeout: Option<i64>,
    /// `--wait`: whether charts are deployed one after another.
    pub order: Order,
}

/// Which releases depend on which.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Every release on all of the step before.
    #[default]
    Exact,
    /// One after another, a single dependency each.
    Chain,
}

impl<'d, 't> Plan<'d, 't> {
    /// Returns the plan with every release as a step of its own: the order of `armada apply --wait`, which
    /// takes the charts of every group one after another (Armada: handlers/armada.py).
    fn one_by_one(self) -> Self {
        let stages = self
            .stages
            .into_iter()
            .map(|stage| Stage {
                steps: one_each(stage.steps.into_iter().flat_map(|step| step.releases)),
                ..stage
            })
            .collect();
        Self { stages, ..self }
    }

    /// Returns the slowest release of each step, by its time limit: no run can take longer than all of them
    /// together, tests and waits in between not counted.
    pub fn critical_path(&self) -> impl Iterator<Item = &Release<'d, 't>> {
        self.steps().filter_map(|(_, step)| {
            // The first of several that are as slow.
            step.releases
                .iter()
                .rev()
                .max_by_key(|release| release.timeout)
        })
    }

    /// Returns all steps in order, with their stages.
    pub fn steps(&self) -> impl Iterator<Item = (&Stage<'d, 't>, &Step<'d, 't>)> {
        self.stages
            .iter()
            .flat_map(|stage| stage.steps.iter().map(move |step| (stage, step)))
    }

    /// Returns all releases in order.
    pub fn releases(&self) -> impl Iterator<Item = &Release<'d, 't>> {
        self.steps().flat_map(|(_, step)| &step.releases)
    }
}

/// Steps of one release each.
fn one_each<'d, 't>(releases: impl IntoIterator<Item = Release<'d, 't>>) -> Vec<Step<'d, 't>> {
    releases
        .into_iter()
        .map(|release| Step {
            releases: vec![release],
        })
        .collect()
}

/// Builds the plan. `None` when an error was reported.
pub(crate) fn plan<'d, 't>(
    site: Site<'d, 't>,
    options: Options,
    diagnostics: &mut Diagnostics,
) -> Option<Plan<'d, 't>> {
    let before = diagnostics.errors();
    let Site { manifest, groups } = site;
    let mut keys: BTreeMap<(Text, Text), Span> = BTreeMap::new();
    let mut stages = Vec::new();
    for group in groups {
        let document = group.document;
        let mut releases = Vec::new();
        for member in group.charts {
            let release = release(
                &manifest.release_prefix.value,
                member,
                document.test_charts,
                options,
                diagnostics,
            );
            let key = (release.namespace.clone(), release.name.clone());
            let here = release.chart.release.span;
            lint::labels(&release, diagnostics);
            lint::tests(&release, document, diagnostics);
            if let Some(&first) = keys.get(&key) {
                let (namespace, name) = key;
                let message =
                    format!("two charts deploy release `{name}` in namespace `{namespace}`");
                diagnostics.push(
                    Diagnostic::new(Code::ReleaseDuplicate, message)
                        .at(here, "this one")
                        .at(first, "and this one")
                        .help("in Armada they would overwrite each other; rename one of the two"),
                );
            } else {
                keys.insert(key, here);
            }
            releases.push(release);
        }
        if releases.is_empty() {
            continue;
        }
        let steps = if document.sequenced {
            one_each(releases)
        } else {
            vec![Step { releases }]
        };
        stages.push(Stage {
            number: stages.len() + 1,
            group: document.head.name.value.clone(),
            group_span: document.head.name.span,
            sequenced: document.sequenced,
            steps,
        });
    }
    if diagnostics.errors() > before {
        return None;
    }
    let plan = Plan {
        manifest: manifest.head.name.value.clone(),
        manifest_span: manifest.head.name.span,
        stages,
    };
    Some(match options.order {
        Order::Exact => plan,
        Order::Chain => plan.one_by_one(),
    })
}

/// Checks the references between documents, and the plan of each Manifest (or of `target` alone).
pub(crate) fn check(
    documents: &Documents<'_>,
    target: Option<&str>,
    diagnostics: &mut Diagnostics,
) {
    resolve::check(documents, target, diagnostics);
    let manifests = documents.manifests.iter().map(|m| &*m.head.name.value);
    for name in manifests.filter(|name| target.is_none_or(|target| target == *name)) {
        let mut found = Diagnostics::default();
        let site = resolve::resolve(documents, Some(name), &mut found);
        // Faults of charts were reported above, for all Manifests.
        found.retain(|found| found.code != Code::DeployFault);
        if let Some(site) = site {
            plan(site, Options::default(), &mut found);
        }
        // Manifests share groups and charts; the sink drops repeated diagnostics.
        diagnostics.append(found);
    }
}

/// Longest time limit, in seconds: more does not fit the durations of Flux.
pub const MAX_TIMEOUT: i64 = 100 * 365 * 24 * 3600;

/// What Armada gives Helm where the time limit of a chart is not positive (Armada: handlers/helm.py,
/// `_check_timeout`).
const HELM_TIMEOUT: i64 = 300;

/// The limits of a release as its document writes them, checked.
struct Limits<'c> {
    release: &'c str,
    diagnostics: &'c mut Diagnostics,
}

impl Limits<'_> {
    /// Returns the limit of the chart. A limit that is not positive fails Armada's own waits before they look
    /// at anything; without such waits Armada only gives Helm another limit.
    fn chart(&mut self, seconds: Option<&Spanned<i64>>, waits: bool) -> i64 {
        let Some(seconds) = seconds else {
            return DEFAULT_TIMEOUT;
        };
        if seconds.value > 0 {
            return self.checked(seconds);
        }
        if waits {
            self.fault(seconds, "Armada's own waits after Helm fail at once");
            return seconds.value;
        }
        let message = format!(
            "release `{}`: its time limit of {} s is {HELM_TIMEOUT} s for Helm",
            self.release, seconds.value
        );
        self.diagnostics.push(
            Diagnostic::new(Code::FieldMisread, message)
                .at(seconds.span, format!("Armada gives Helm {HELM_TIMEOUT} s"))
                .help("write the limit that is meant"),
        );
        HELM_TIMEOUT
    }

    /// Returns the limit of the tests, which run.
    fn test(&mut self, seconds: Option<&Spanned<i64>>) -> i64 {
        match seconds {
            None => DEFAULT_TEST_TIMEOUT,
            Some(seconds) if seconds.value > 0 => self.checked(seconds),
            Some(seconds) => {
                self.fault(seconds, "Armada ends `helm test` at once");
                seconds.value
            }
        }
    }

    /// Returns the limit of an uninstall. One that is not positive is a fault of the chart.
    fn delete(&mut self, seconds: Option<&Spanned<i64>>) -> i64 {
        match seconds {
            Some(seconds) if seconds.value > 0 => self.checked(seconds),
            Some(_) | None => DEFAULT_DELETE_TIMEOUT,
        }
    }

    fn checked(&mut self, seconds: &Spanned<i64>) -> i64 {
        if seconds.value > MAX_TIMEOUT {
            let message = format!(
                "release `{}`: a time limit of {} s is longer than 100 years",
                self.release, seconds.value
            );
            self.diagnostics.push(
                Diagnostic::new(Code::InputLimit, message)
                    .at(seconds.span, format!("must be at most {MAX_TIMEOUT} s"))
                    .help("correct the limit"),
            );
        }
        seconds.value
    }

    fn fault(&mut self, seconds: &Spanned<i64>, label: &str) {
        let message = format!(
            "release `{}`: a time limit of {} s is not valid",
            self.release, seconds.value
        );
        self.diagnostics.push(
            Diagnostic::new(Code::DeployFault, message)
                .at(seconds.span, label)
                .help("Armada accepts the document and fails when it deploys the chart; correct the limit"),
        );
    }
}

/// Returns whether tests run: the chart decides, else its group, else yes. A chart's block without `enabled`
/// has no effect (Armada: handlers/test.py).
fn tests_run(chart: Option<bool>, group: Option<bool>) -> bool {
    chart.or(group).unwrap_or(true)
}

fn release<'d, 't>(
    prefix: &str,
    member: Member<'d, 't>,
    test_charts: Option<bool>,
    options: Options,
    diagnostics: &mut Diagnostics,
) -> Release<'d, 't> {
    let Member {
        chart,
        dependencies,
    } = member;
    let name = Text::from(format!("{prefix}-{}", chart.release.value));
    name::check_release(&name, chart.release.span, diagnostics);
    name::check_namespace(&chart.namespace.value, chart.namespace.span, diagnostics);

    let waits = wait::waits(chart);
    let mut limits = Limits {
        release: &name,
        diagnostics,
    };
    let timeout = chart.wait.timeout.as_ref().or(chart.timeout.as_ref());
    let enabled = chart.test.as_ref().and_then(|test| test.enabled);
    let tested = tests_run(enabled, test_charts);
    let test_timeout = chart.test.as_ref().and_then(|test| test.timeout.as_ref());
    Release {
        timeout: match options.timeout {
            Some(seconds) => seconds,
            None => limits.chart(timeout, !waits.is_empty()),
        },
        native_wait: chart.wait.native.unwrap_or(match chart.head.version {
            Version::V1 => true,
            Version::V2 => false,
        }),
        upgrade_no_hooks: chart.upgrade.no_hooks,
        upgrade_force: chart.upgrade.force,
        test_timeout: tested.then(|| limits.test(test_timeout)),
        delete_timeout: limits.delete(chart.delete_timeout.as_ref()),
        waits,
        pre_deletes: &chart.upgrade.pre_delete,
        protected: chart
            .protected
            .map(|protected| protected.continue_processing),
        name,
        namespace: chart.namespace.value.clone(),
        chart,
        dependencies,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_wins_over_its_group() {
        assert!(tests_run(Some(true), Some(false)));
        assert!(!tests_run(Some(false), Some(true)));
        assert!(!tests_run(None, Some(false)));
        assert!(tests_run(None, None));
    }
}
