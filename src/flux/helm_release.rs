//! `HelmRelease` (helm-controller)

use crate::value::{Entry, Mapping, Text, Value};

use super::{
    Fields, HELM_RELEASE, HELM_RELEASE_API, Metadata, Object, Seconds, Verify, text_mapping,
};

/// A Helm release, but for the releases that it depends on: see [`depend_on`].
#[derive(Clone, Debug)]
pub struct HelmRelease {
    /// Name, namespace and marks.
    pub metadata: Metadata,
    /// Interval of reconciliation, in seconds.
    pub interval: Seconds,
    /// Limit of each Helm action.
    pub timeout: Seconds,
    /// Whether the release is suspended; `false` is never written.
    pub suspend: bool,
    /// Name under which Helm holds the release.
    pub release_name: Text,
    /// Where the chart comes from.
    pub chart: Chart,
    /// Revisions that Helm keeps.
    pub max_history: i64,
    /// Annotations for every object of the release.
    pub common_annotations: Vec<(Text, Text)>,
    /// How Helm waits.
    pub wait: Wait,
    /// When objects are done, by kind, instead of Flux's own rules; only the poller uses them.
    pub health_checks: Vec<HealthCheckExpr>,
    /// What Flux changes in the Jobs that the chart renders, in order.
    pub job_patches: Vec<JobPatch>,
    /// Whether hooks are left out on upgrades.
    pub upgrade_disable_hooks: bool,
    /// Whether upgrades are forced.
    pub upgrade_force: bool,
    /// Limit of the tests; `None` when they do not run.
    pub test_timeout: Option<Seconds>,
    /// Limit of an uninstall.
    pub uninstall_timeout: Seconds,
    /// Objects with values, in the order in which they are merged, below [`Self::values`].
    pub values_from: Vec<ValuesReference>,
    /// The values; empty ones are left out.
    pub values: Option<Value>,
}

/// Where the chart of a release comes from.
#[derive(Clone, Debug)]
pub enum Chart {
    /// One of several charts of a source: `spec.chart`.
    Template(ChartTemplate),
    /// A source that is one chart: `spec.chartRef`.
    Reference(SourceReference),
}

impl Chart {
    /// Returns the source object.
    #[must_use]
    pub fn source(&self) -> &SourceReference {
        match self {
            Chart::Template(template) => &template.source,
            Chart::Reference(source) => source,
        }
    }
}

/// `spec.chart.spec`
#[derive(Clone, Debug)]
pub struct ChartTemplate {
    /// Name in a HelmRepository, folder in a GitRepository.
    pub chart: Text,
    /// Exact version; `None` for Git.
    pub version: Option<Text>,
    /// Source object that holds the chart.
    pub source: SourceReference,
    /// How the chart's signature is checked; only for charts from registries.
    pub verify: Option<Verify>,
}

/// A reference to a source object.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceReference {
    /// `Secret` or `ConfigMap`.
    pub kind: &'static str,
    /// `metadata.name` in the same namespace.
    pub name: Text,
    /// Its namespace.
    pub namespace: Text,
}

/// An entry of `spec.valuesFrom`; the values are under helm-controller's default key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuesReference {
    /// Kind of the object.
    pub kind: Text,
    /// Its name, in the release's namespace.
    pub name: Text,
}

impl From<&Object> for ValuesReference {
    fn from(object: &Object) -> Self {
        Self {
            kind: object.kind.clone(),
            name: object.name.clone(),
        }
    }
}

impl From<ValuesReference> for Value {
    fn from(ValuesReference { kind, name }: ValuesReference) -> Self {
        let fields = Fields::default().set("kind", kind).set("name", name);
        fields.mapping().into()
    }
}

/// Annotations for Jobs that the chart renders and that are not hooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobPatch {
    /// Regular expression that the whole name must match; `None` for every name.
    pub name: Option<Text>,
    /// Label selector; empty for all.
    pub labels: Text,
    /// The added annotations.
    pub annotations: Vec<(Text, Text)>,
}

impl From<JobPatch> for Value {
    fn from(patch: JobPatch) -> Self {
        let JobPatch {
            name,
            labels,
            annotations,
        } = patch;
        let target = Fields::default()
            .set("group", "batch")
            .set("kind", "Job")
            .set_some("name", name)
            .set_some(
                "labelSelector",
                Some(labels).filter(|labels| !labels.is_empty()),
            )
            .set("annotationSelector", "!helm.sh/hook")
            .mapping();
        let mut text = String::from(
            "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: any\n  annotations:\n",
        );
        for (key, value) in annotations {
            // Both are words of this program.
            text.push_str(&format!("    {key}: \"{value}\"\n"));
        }
        let fields = Fields::default().set("target", target).set("patch", text);
        fields.mapping().into()
    }
}

/// An entry of `spec.dependsOn`.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// Name of the other HelmRelease.
    pub name: Text,
    /// Its namespace.
    pub namespace: Text,
    /// CEL: when it counts as ready.
    pub ready_expr: Text,
}

/// How Helm waits during install and upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// As Helm's `--wait` without `--wait-for-jobs`.
    On(Strategy),
    /// Not at all.
    Off,
}

/// `spec.waitStrategy.name`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// The rules of Helm 3.
    Legacy,
    /// kstatus, as Helm 4.
    Poller,
}

impl Strategy {
    fn name(self) -> &'static str {
        match self {
            Strategy::Legacy => "legacy",
            Strategy::Poller => "poller",
        }
    }
}

/// An entry of `spec.healthCheckExprs`: at most one for each kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheckExpr {
    /// API version of the kind.
    pub api_version: &'static str,
    /// Kind of the checked objects.
    pub kind: &'static str,
    /// CEL: the object is done.
    pub current: Text,
    /// CEL: the object will never be.
    pub failed: Option<Text>,
}

impl From<HelmRelease> for Object {
    fn from(release: HelmRelease) -> Self {
        let HelmRelease {
            metadata,
            interval,
            timeout,
            suspend,
            release_name,
            chart,
            max_history,
            common_annotations,
            wait,
            health_checks,
            job_patches,
            upgrade_disable_hooks,
            upgrade_force,
            test_timeout,
            uninstall_timeout,
            values_from,
            values,
        } = release;
        let strategy = match wait {
            Wait::On(strategy) => Some(strategy),
            Wait::Off => None,
        };
        // A health check for Jobs is there to be waited for.
        let jobs_checked = health_checks.iter().any(|check| check.kind == "Job");
        // Armada passes `--wait`, never `--wait-for-jobs`, and always `--disable-openapi-validation`.
        let action = || {
            Fields::default()
                .set_if("disableWait", strategy.is_none())
                .set_if("disableWaitForJobs", strategy.is_some() && !jobs_checked)
                .set("disableOpenAPIValidation", true)
        };
        // Helm's CLI creates the CRDs of a chart on install and keeps them on upgrade.
        let install = action().set("crds", "Create").mapping();
        let upgrade = action()
            .set("crds", "Skip")
            .set_if("disableHooks", upgrade_disable_hooks)
            .set_if("force", upgrade_force)
            .mapping();
        let test = Fields::default()
            .set("enable", test_timeout.is_some())
            .set_some("timeout", test_timeout)
            .mapping();
        // Armada does not wait for the end of an uninstall.
        let uninstall = Fields::default()
            .set("timeout", uninstall_timeout)
            .set("disableWait", true)
            .mapping();
        let strategy = strategy.map(|strategy| {
            let name = [("name", strategy.name())];
            name.into_iter().collect::<Mapping>()
        });
        let health_checks: Vec<Value> = health_checks.into_iter().map(Value::from).collect();
        let common = Fields::default()
            .set_filled("annotations", text_mapping(common_annotations))
            .mapping();
        let (template, chart_ref) = match chart {
            Chart::Template(template) => (Some(Value::from(template)), None),
            Chart::Reference(source) => (None, Some(Value::from(source))),
        };
        let patches: Vec<Value> = job_patches.into_iter().map(Value::from).collect();
        let post_renderers = (!patches.is_empty()).then(|| {
            let kustomize = Fields::default().set("patches", patches).mapping();
            let renderer = Fields::default().set("kustomize", kustomize).mapping();
            vec![Value::from(renderer)]
        });
        let values_from: Vec<Value> = values_from.into_iter().map(Value::from).collect();
        let values_from = Some(values_from).filter(|list| !list.is_empty());
        let values = values.filter(|values| values.as_mapping().is_none_or(|m| !m.is_empty()));
        let spec = Fields::default()
            .set("interval", interval)
            .set("timeout", timeout)
            .set_if("suspend", suspend)
            .set("releaseName", release_name)
            .set_some("chart", template)
            .set_some("chartRef", chart_ref)
            .set("maxHistory", max_history)
            .set_filled("commonMetadata", common)
            .set_some("waitStrategy", strategy)
            .set_some(
                "healthCheckExprs",
                Some(health_checks).filter(|list| !list.is_empty()),
            )
            .set("install", install)
            .set("upgrade", upgrade)
            .set("test", test)
            .set("uninstall", uninstall)
            .set_some("postRenderers", post_renderers)
            .set_some("valuesFrom", values_from)
            .set_some("values", values)
            .mapping();
        let rest = Fields::default().set("spec", spec).mapping();
        Object::new(HELM_RELEASE_API, HELM_RELEASE, metadata, rest)
    }
}

/// Returns the entries of `spec.dependsOn`; `None` when there are none.
#[must_use]
pub(crate) fn depends_on(dependencies: Vec<Dependency>) -> Option<Entry> {
    let list: Vec<Value> = dependencies.into_iter().map(Value::from).collect();
    (!list.is_empty()).then(|| Entry {
        key: "dependsOn".into(),
        key_span: None,
        value: list.into(),
    })
}

/// Sets `spec.dependsOn` of a HelmRelease that has none yet, in front of `maxHistory`.
///
/// It holds digests of earlier releases, so it is set last.
pub(crate) fn depend_on(release: &mut Object, depends_on: Entry) {
    let spec = release
        .value
        .as_mapping_mut()
        .and_then(|release| release.get_mut("spec"));
    let Some(spec) = spec.and_then(Value::as_mapping_mut) else {
        return;
    };
    let entries = spec.entries_mut();
    let place = entries.iter().position(|entry| entry.key == "maxHistory");
    entries.insert(place.unwrap_or(entries.len()), depends_on);
}

impl From<ChartTemplate> for Value {
    fn from(template: ChartTemplate) -> Self {
        let ChartTemplate {
            chart,
            version,
            source,
            verify,
        } = template;
        // ChartVersion: with Revision any commit to the repository would upgrade the release.
        let spec = Fields::default()
            .set("chart", chart)
            .set_some("version", version)
            .set("reconcileStrategy", "ChartVersion")
            .set("sourceRef", Value::from(source))
            .set_some("verify", verify.map(Value::from))
            .mapping();
        Fields::default().set("spec", spec).mapping().into()
    }
}

impl From<SourceReference> for Value {
    fn from(source: SourceReference) -> Self {
        let SourceReference {
            kind,
            name,
            namespace,
        } = source;
        Fields::default()
            .set("kind", kind)
            .set("name", name)
            .set("namespace", namespace)
            .mapping()
            .into()
    }
}

impl From<HealthCheckExpr> for Value {
    fn from(check: HealthCheckExpr) -> Self {
        let HealthCheckExpr {
            api_version,
            kind,
            current,
            failed,
        } = check;
        Fields::default()
            .set("apiVersion", api_version)
            .set("kind", kind)
            .set("current", current)
            .set_some("failed", failed)
            .mapping()
            .into()
    }
}

impl From<Dependency> for Value {
    fn from(dependency: Dependency) -> Self {
        let Dependency {
            name,
            namespace,
            ready_expr,
        } = dependency;
        Fields::default()
            .set("name", name)
            .set("namespace", namespace)
            .set("readyExpr", ready_expr)
            .mapping()
            .into()
    }
}
