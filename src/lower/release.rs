//! One release of the plan to its HelmRelease.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::flux::helm_release::ValuesReference;
use crate::flux::{
    GATES_ANNOTATION, GROUP_ANNOTATION, HelmRelease, Metadata, Object, PRE_DELETE_ANNOTATION,
    PROTECTED_ANNOTATION, PROTECTED_CONTINUE, PROTECTED_STOP, PRUNE_ANNOTATION, SITE_LABEL,
    SOURCE_ANNOTATION, STAGE_ANNOTATION, STEP_ANNOTATION, Seconds, UNRESOLVED_ANNOTATION,
};
use crate::gate::{Deletion, annotation, deletion};
use crate::plan::Release;
use crate::value::{Data, Text, Value};
use crate::yaml::deliver;

use super::options::Options;
use super::pre_delete::{self, PreDeleted};
use super::source::Sources;
use super::values::{self, Placed};
use super::waits::{self, Waiting};
use super::{fingerprint, size, substitution};

/// Interval at which helm-controller reconciles a release, in seconds.
const INTERVAL: Seconds = Seconds(30 * 60);
/// Revisions that Helm keeps: the default of its command line, which Armada used.
const MAX_HISTORY: i64 = 10;

/// A HelmRelease and its totals.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) object: Object,
    /// Secrets and ConfigMaps with its values.
    pub(super) values: Vec<Object>,
    pub(super) secrets: usize,
    pub(super) nulls: usize,
    pub(super) health_checked: bool,
    /// Bytes of the object as JSON.
    pub(super) bytes: usize,
    /// Digest of everything whose change is a change of the release.
    pub(super) fingerprint: String,
    /// Whether a text of it looks like a variable of a Kustomization.
    pub(super) has_variable: bool,
}

/// Number of a stage and of a step in it, both from 1.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position<'p> {
    pub(super) stage: usize,
    /// Name of the chart group that is the stage.
    pub(super) group: &'p Text,
    pub(super) step: usize,
}

/// Builds the HelmRelease, without what depends on the previous step. `None` when its values cannot be
/// delivered (an error was reported).
pub(super) fn make(
    release: &Release<'_, '_>,
    position: Position<'_>,
    sources: &Sources,
    options: &Options,
    site: &Text,
    diagnostics: &mut Diagnostics,
) -> Option<Made> {
    report_not_carried(release, diagnostics);
    let values = match release.chart.values {
        Some(node) => Some(deliver::deliver(node, options.delivery, diagnostics)?),
        None => None,
    };
    let secrets = values.as_ref().map_or(0, Value::sensitive_leaves);
    let nulls = values.as_ref().map_or(0, count_nulls);
    let Placed { inline, objects } = values::place(values, options.values_in, release, site);
    size::check_values(release, &objects, diagnostics);

    let Release {
        name,
        namespace,
        chart,
        dependencies: _,
        timeout,
        native_wait: _,
        upgrade_no_hooks,
        upgrade_force,
        test_timeout,
        delete_timeout,
        waits: _,
        pre_deletes: _,
        protected,
    } = release;
    let version = chart.head.version;
    let gates = release.gates();
    let Waiting {
        wait,
        health_checks,
    } = waits::waiting(
        release,
        &gates,
        &options.waits,
        options.armada_helm,
        diagnostics,
    );
    let PreDeleted {
        job_patches,
        deletions,
    } = pre_delete::pre_deleted(release, options.pre_deletes, diagnostics);
    let health_checked = !health_checks.is_empty();
    let source = sources.source_of(release);
    let object = Object::from(HelmRelease {
        metadata: Metadata {
            name: name.clone(),
            namespace: Some(namespace.clone()),
            labels: vec![(SITE_LABEL.into(), site.clone())],
            annotations: annotations(
                position,
                annotation::write(&gates, version),
                &deletions,
                *protected,
                source.unresolved.clone(),
            ),
        },
        interval: INTERVAL,
        timeout: Seconds(*timeout),
        suspend: !options.new_cluster,
        release_name: name.clone(),
        chart: source.chart.clone(),
        max_history: MAX_HISTORY,
        common_annotations: source
            .stamp
            .iter()
            .map(|stamp| (SOURCE_ANNOTATION.into(), stamp.clone()))
            .collect(),
        wait,
        health_checks,
        job_patches,
        upgrade_disable_hooks: *upgrade_no_hooks,
        upgrade_force: *upgrade_force,
        test_timeout: test_timeout.map(Seconds),
        uninstall_timeout: Seconds(*delete_timeout),
        values_from: objects.iter().map(ValuesReference::from).collect(),
        values: inline,
    });
    let fingerprint = fingerprint::fingerprint(&object, source.fingerprint.as_ref());
    let bytes = object.value.json_bytes();
    let has_variable = substitution::has_variable(&object.value);
    Some(Made {
        object: object.with_origin(chart.head.name.span),
        values: objects,
        secrets,
        nulls,
        health_checked,
        bytes,
        fingerprint,
        has_variable,
    })
}

/// Returns the annotations of a release, for `apply` and for people.
fn annotations(
    position: Position<'_>,
    gates: String,
    deletions: &[Deletion],
    protected: Option<bool>,
    unresolved: Option<Text>,
) -> Vec<(Text, Text)> {
    let Position { stage, group, step } = position;
    let mut annotations: Vec<(Text, Text)> = vec![
        (STAGE_ANNOTATION.into(), stage.to_string().into()),
        (STEP_ANNOTATION.into(), step.to_string().into()),
        (GROUP_ANNOTATION.into(), group.clone()),
        (GATES_ANNOTATION.into(), gates.into()),
        // A pruned HelmRelease uninstalls its release.
        (PRUNE_ANNOTATION.into(), "disabled".into()),
    ];
    if !deletions.is_empty() {
        let text = deletion::annotation::write(deletions);
        annotations.push((PRE_DELETE_ANNOTATION.into(), text.into()));
    }
    annotations.extend(protected.map(|continues| {
        let word = if continues {
            PROTECTED_CONTINUE
        } else {
            PROTECTED_STOP
        };
        (PROTECTED_ANNOTATION.into(), word.into())
    }));
    annotations.extend(unresolved.map(|location| (UNRESOLVED_ANNOTATION.into(), location)));
    annotations
}

fn count_nulls(values: &Value) -> usize {
    let mut nulls = 0;
    values.for_each_leaf(&mut |leaf| nulls += usize::from(leaf.data == Data::Null));
    nulls
}

/// Reports what Armada did for this release and the tree does not do.
fn report_not_carried(release: &Release<'_, '_>, diagnostics: &mut Diagnostics) {
    let Release { name, chart, .. } = release;
    if let Some(update) = chart.upgrade.pre_update {
        diagnostics.push(
            Diagnostic::new(
                Code::FieldNotCarried,
                format!("release `{name}`: `upgrade.pre.update` is not carried over"),
            )
            .at(update, "recreated the pods of DaemonSets before an upgrade")
            .help(
                "restart the DaemonSets with `kubectl rollout restart` where an upgrade needs it",
            ),
        );
    }
}
