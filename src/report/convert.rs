//! The report of `convert`.

pub mod page;
pub mod text;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use crate::armada::disposition::Fate;
use crate::armada::{Documents, Ledger, rows};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::gate::{WaitKind, selector};
use crate::lower::{Lowered, Totals};
use crate::plan::{self, Plan};
use crate::source::{Sources, Span};
use crate::source_map::ExistingKind;

use super::Rendered;
use super::finding::{Finding, Place};
use super::order::{Order, order};
use super::page::Page;
use crate::printable::Printable;
use crate::printable::style::Style;

/// Version of the report's shape: a number that grows with every change a reader must know of.
pub const VERSION: u32 = 1;

/// The report of `armada2flux convert`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "armada2flux convert report")]
pub struct Report {
    /// Version of this shape.
    pub version: u32,
    /// Version of the program.
    pub program: String,
    /// Whether the documents could be converted: no diagnostic is an error.
    pub ok: bool,
    /// Name of the site; empty when no Manifest was chosen.
    pub site: String,
    /// Numbers of objects, values and diagnostics.
    pub summary: Summary,
    /// The order of the releases and what it costs in plain Flux.
    pub order: Order,
    /// The releases in order of deployment.
    pub releases: Vec<Release>,
    /// All diagnostics, in order of place.
    pub diagnostics: Vec<Finding>,
    /// What becomes of the fields of the input; every node of every document is counted once.
    pub dispositions: Vec<Disposition>,
    /// Documents that are not Armada's, by schema.
    pub skipped_documents: BTreeMap<String, usize>,
}

/// Numbers of objects, values and diagnostics.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Summary {
    /// Chart groups that hold charts.
    pub stages: usize,
    /// Steps of all stages.
    pub steps: usize,
    /// HelmReleases.
    pub releases: usize,
    /// HelmReleases written with `suspend: true`.
    pub suspended: usize,
    /// HelmReleases with health checks that replace waits of Armada.
    pub health_checked: usize,
    /// Namespace objects.
    pub namespaces: usize,
    /// Source objects.
    pub sources: usize,
    /// Secrets of sources without content, which the user has to fill in.
    pub empty_secrets: usize,
    /// Releases whose source Flux cannot read yet.
    pub unresolved_sources: usize,
    /// Secret values written in clear text.
    pub clear_text_secrets: usize,
    /// Those of them that are in Secret objects.
    pub secrets_apart: usize,
    /// Releases that hold such values.
    pub releases_with_secrets: usize,
    /// Secrets and ConfigMaps with values.
    pub values_objects: usize,
    /// Nulls in values.
    pub nulls: usize,
    /// Diagnostics by code.
    #[schemars(extend("propertyNames" = {"$ref": "#/$defs/Code"}))]
    pub codes: BTreeMap<Code, usize>,
}

/// A release.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Release {
    /// Name of the HelmRelease, with the release prefix.
    pub name: String,
    /// Namespace of the HelmRelease.
    pub namespace: String,
    /// Name of the Chart document.
    pub chart: String,
    /// Place of that document.
    pub origin: Place,
    /// Name of the chart group.
    pub group: String,
    /// Number of the stage, from 1.
    pub stage: usize,
    /// Number of the step in its stage, from 1.
    pub step: usize,
    /// Time limit of each Helm action, in seconds.
    pub timeout: i64,
    /// Whether Helm waits.
    pub helm_wait: bool,
    /// Time limit of the tests, in seconds; null when they do not run.
    pub test_timeout: Option<i64>,
    /// Time limit of an uninstall, in seconds.
    pub delete_timeout: i64,
    /// Whether hooks are left out on upgrades.
    pub upgrade_no_hooks: bool,
    /// Whether upgrades are forced.
    pub upgrade_force: bool,
    /// Armada's own waits, after Helm, in order.
    pub waits: Vec<Wait>,
    /// What Armada deletes before an upgrade, in order.
    pub pre_deletes: Vec<PreDelete>,
    /// Whether a run continues past the release if it had failed before; null when it is not protected.
    pub protected: Option<bool>,
    /// Names of the Chart documents that replace the chart's own dependencies; null leaves those alone.
    pub dependencies: Option<Vec<String>>,
    /// What is written for it; null when nothing is.
    pub written: Option<Written>,
    /// Diagnostics about its document, by code.
    #[schemars(extend("propertyNames" = {"$ref": "#/$defs/Code"}))]
    pub codes: BTreeMap<Code, usize>,
}

/// What is written for a release.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Written {
    /// Kind of the source object.
    #[schemars(extend("enum" = ExistingKind::ALL.map(ExistingKind::name)))]
    pub source_kind: String,
    /// Source object, as `NAMESPACE/NAME`.
    pub source: String,
    /// Number of the rule of the source map that decided the source, from 1; null without such a rule.
    pub source_rule: Option<usize>,
    /// Commit of the chart; null when it is not pinned to one.
    pub commit: Option<String>,
    /// Location that Flux cannot read; null when it can read the source.
    pub unresolved_source: Option<String>,
    /// Whether the HelmRelease is suspended.
    pub suspended: bool,
    /// Secret values in clear text.
    pub clear_text_secrets: usize,
    /// Nulls in values.
    pub nulls: usize,
    /// Bytes of the HelmRelease as JSON.
    pub bytes: usize,
    /// Objects that hold values, as `KIND NAMESPACE/NAME`; empty when all are in the HelmRelease.
    pub values_from: Vec<String>,
}

/// A wait of Armada's own.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Wait {
    /// Kind of the objects.
    #[schemars(extend("enum" = WaitKind::ALL.map(WaitKind::word)))]
    pub kind: String,
    /// Label selector; empty selects every object of the kind in the namespace.
    pub selector: String,
    /// Whether the wait fails when there is no such object.
    pub required: bool,
    /// A number or a percentage; null for kinds that do not count.
    pub min_ready: Option<String>,
    /// Whether objects pass whose update is not rolled out by Kubernetes itself; null for kinds without updates.
    pub allow_async_updates: Option<bool>,
}

/// A deletion before an upgrade.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PreDelete {
    /// Type of the objects, as the document writes it.
    pub asked: String,
    /// Label selector; empty selects every object of the type in the namespace.
    pub selector: String,
}

/// What becomes of one field.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Disposition {
    /// Kind of document.
    #[schemars(extend("enum" = document_kinds()))]
    pub document: String,
    /// Path of the field.
    pub path: String,
    /// Kind of disposition.
    pub fate: Fate,
    /// Field that receives it; may be empty.
    pub target: String,
    /// Reason.
    pub reason: String,
    /// First Flux version that supports the target in full, as `2.8`; null when every supported version does.
    pub since: Option<String>,
    /// YAML nodes of the input that belong to it.
    pub nodes: usize,
}

/// Returns the kinds of documents that rows of dispositions name.
fn document_kinds() -> BTreeSet<&'static str> {
    rows::ALL.iter().map(|row| row.documents).collect()
}

/// Creates the report.
#[must_use]
pub fn report(
    sources: &Sources,
    documents: &Documents<'_>,
    ledgers: &[Ledger],
    plan: Option<&Plan<'_, '_>>,
    totals: &Totals,
    diagnostics: &Diagnostics,
) -> Report {
    let mut codes = BTreeMap::new();
    for diagnostic in diagnostics.list() {
        *codes.entry(diagnostic.code).or_default() += 1;
    }
    let skipped = documents.skipped.iter();
    let places = plan.map(Places::new).unwrap_or_default();
    let mut ordered: Vec<&Diagnostic> = diagnostics.list().iter().collect();
    ordered.sort_by_key(|d| (d.labels.first().map(|label| label.span), d.severity));
    let findings = ordered.into_iter().map(|diagnostic| Finding {
        release: places.release_of(diagnostic),
        ..Finding::new(diagnostic, sources)
    });
    let findings: Vec<Finding> = findings.collect();
    let releases = plan.map(|plan| releases(plan, totals, &findings, sources));
    Report {
        version: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        ok: diagnostics.errors() == 0,
        site: totals.site.to_string(),
        summary: Summary {
            stages: plan.map_or(0, |plan| plan.stages.len()),
            steps: plan.map_or(0, |plan| plan.steps().count()),
            releases: totals.releases,
            suspended: totals.suspended,
            health_checked: totals.health_checked,
            namespaces: totals.namespaces,
            sources: totals.sources,
            empty_secrets: totals.empty_secrets,
            unresolved_sources: totals.unresolved,
            clear_text_secrets: totals.secrets,
            secrets_apart: totals.secrets_apart,
            releases_with_secrets: totals.releases_with_secrets,
            values_objects: totals.values_objects,
            nulls: totals.nulls,
            codes,
        },
        order: plan.map(|plan| order(plan, totals)).unwrap_or_default(),
        releases: releases.unwrap_or_default(),
        diagnostics: findings,
        dispositions: dispositions(ledgers),
        skipped_documents: skipped
            .map(|(schema, n)| (schema.to_string(), *n))
            .collect(),
    }
}

impl Rendered for Report {
    fn text(&self, _: Style) -> Printable {
        text::text(self)
    }

    fn page(&self) -> Page {
        page::page(self)
    }
}

/// Returns `NAMESPACE/NAME`.
fn id(namespace: &str, name: &str) -> String {
    format!("{namespace}/{name}")
}

/// The documents of releases, to find the release of a place.
#[derive(Default)]
struct Places {
    /// Span and release of each document, in order of place.
    documents: Vec<(Span, String)>,
}

impl Places {
    fn new(plan: &Plan<'_, '_>) -> Self {
        let documents = plan.releases().map(|release| {
            let id = id(&release.namespace, &release.name);
            (release.chart.head.span, id)
        });
        let mut documents: Vec<_> = documents.collect();
        documents.sort();
        Self { documents }
    }

    /// Returns the release whose document a diagnostic is about.
    fn release_of(&self, diagnostic: &Diagnostic) -> Option<String> {
        let span = diagnostic.labels.first()?.span;
        let here = (span.file(), span.start());
        let after = self
            .documents
            .partition_point(|(document, _)| (document.file(), document.start()) <= here);
        let (document, id) = self.documents.get(after.checked_sub(1)?)?;
        let inside = document.file() == span.file() && span.start() < document.end();
        inside.then(|| id.clone())
    }
}

fn releases(
    plan: &Plan<'_, '_>,
    totals: &Totals,
    findings: &[Finding],
    sources: &Sources,
) -> Vec<Release> {
    let mut codes: BTreeMap<&str, BTreeMap<Code, usize>> = BTreeMap::new();
    for finding in findings {
        if let Some(release) = &finding.release {
            let of = codes.entry(release).or_default();
            *of.entry(finding.code).or_default() += 1;
        }
    }
    let written = totals.by_release.iter();
    let mut written: BTreeMap<String, Written> = written
        .map(|release| {
            let id = id(&release.namespace, &release.name);
            (id, Written::new(release))
        })
        .collect();
    let mut releases = Vec::new();
    for stage in &plan.stages {
        for (step, releases_of_step) in stage.steps.iter().enumerate() {
            for planned in &releases_of_step.releases {
                let id = id(&planned.namespace, &planned.name);
                releases.push(Release {
                    written: written.remove(&id),
                    codes: codes.remove(id.as_str()).unwrap_or_default(),
                    ..release(planned, stage, step + 1, sources)
                });
            }
        }
    }
    releases
}

impl Written {
    fn new(lowered: &Lowered) -> Self {
        let Lowered {
            name: _,
            namespace: _,
            source,
            rule,
            commit,
            unresolved,
            secrets,
            nulls,
            bytes,
            values_from,
            dependencies: _,
            health_checked: _,
            suspended,
            secrets_apart: _,
        } = lowered;
        Self {
            source_kind: source.kind.to_owned(),
            source: id(&source.namespace, &source.name),
            source_rule: *rule,
            commit: commit.as_ref().map(ToString::to_string),
            unresolved_source: unresolved.as_ref().map(ToString::to_string),
            suspended: *suspended,
            clear_text_secrets: *secrets,
            nulls: *nulls,
            bytes: *bytes,
            values_from: values_from.iter().map(ToString::to_string).collect(),
        }
    }
}

fn release(
    planned: &plan::Release<'_, '_>,
    stage: &plan::Stage<'_, '_>,
    step: usize,
    sources: &Sources,
) -> Release {
    let plan::Release {
        name,
        namespace,
        chart,
        dependencies,
        timeout,
        native_wait,
        upgrade_no_hooks,
        upgrade_force,
        test_timeout,
        delete_timeout,
        waits,
        pre_deletes,
        protected,
    } = planned;
    let waits = waits.iter().map(|wait| Wait {
        kind: wait.spec.kind.to_string(),
        selector: selector::shown_labels(&wait.labels),
        required: wait.spec.required,
        min_ready: wait.spec.min_ready.map(|min_ready| min_ready.to_string()),
        allow_async_updates: wait.spec.allow_async_updates,
    });
    let pre_deletes = pre_deletes.iter().map(|delete| PreDelete {
        asked: delete.type_word.to_string(),
        selector: selector::shown_labels(&delete.labels),
    });
    let dependencies = dependencies.as_ref().map(|charts| {
        let names = charts
            .iter()
            .map(|dependency| dependency.chart.head.name.value.to_string());
        names.collect()
    });
    Release {
        name: name.to_string(),
        namespace: namespace.to_string(),
        chart: chart.head.name.value.to_string(),
        origin: Place::new(chart.head.name.span, sources),
        group: stage.group.to_string(),
        stage: stage.number,
        step,
        timeout: *timeout,
        helm_wait: *native_wait,
        test_timeout: *test_timeout,
        delete_timeout: *delete_timeout,
        upgrade_no_hooks: *upgrade_no_hooks,
        upgrade_force: *upgrade_force,
        waits: waits.collect(),
        pre_deletes: pre_deletes.collect(),
        protected: *protected,
        dependencies,
        written: None,
        codes: BTreeMap::new(),
    }
}

fn dispositions(ledgers: &[Ledger]) -> Vec<Disposition> {
    let mut totals: BTreeMap<usize, usize> = BTreeMap::new();
    for ledger in ledgers {
        for (row, nodes) in ledger.totals() {
            *totals.entry(row).or_default() += nodes;
        }
    }
    let rows = rows::ALL.iter().enumerate();
    let found = rows.filter_map(|(at, row)| Some((row, *totals.get(&at)?)));
    let rows = found.map(|(row, nodes)| Disposition {
        document: row.documents.to_owned(),
        path: row.path.to_owned(),
        fate: row.fate,
        target: row.target.to_owned(),
        reason: row.reason.to_owned(),
        since: row.since.map(|since| since.to_string()),
        nodes,
    });
    rows.collect()
}
