//! Sites of probe charts: documents in the test's namespace, converted by the program and applied.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Scope, site};
use crate::bed::charts::test_chart;
use crate::bed::documents::{self, ChartDocument, GitSource};
use crate::bed::{Outcome, has_condition};

/// Time limit for a small release that is fetched and tested.
pub(super) const SETTLED_WITHIN: Duration = Duration::from_secs(120);

/// One probe release of a site; the pieces are YAML, indented as `data` of a Chart is.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProbeChart<'a> {
    pub(super) release: &'a str,
    /// Fields beside release, namespace, source and values.
    pub(super) fields: &'a str,
    /// Entries of the values.
    pub(super) values: &'a str,
}

/// Commits the probe chart to the test's repository; returns the commit.
pub(super) fn commit(scope: &Scope<'_>) -> Outcome<String> {
    scope.bed.git.commit_chart(&scope.namespace, "probe")
}

/// Publishes the probe chart, and creates the HelmRepository `charts` for it.
pub(super) fn publish_probe(scope: &Scope<'_>) -> Outcome {
    scope.bed.charts.publish(&test_chart("probe"))?;
    scope.bed.apply(&json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "HelmRepository",
        "metadata": {"name": "charts", "namespace": scope.namespace},
        "spec": {"interval": "1h", "url": scope.bed.charts.url},
    }))
}

/// Documents of v2, so without Helm's waiting unless a chart asks for it; one group for each chart.
pub(super) fn manifest(scope: &Scope<'_>, commit: &str, charts: &[ProbeChart<'_>]) -> String {
    let namespace = &scope.namespace;
    let location = scope.bed.git.url(namespace);
    let mut text = String::new();
    for ProbeChart {
        release,
        fields,
        values,
    } in charts
    {
        text.push_str(&documents::chart(&ChartDocument {
            name: release,
            namespace,
            source: GitSource {
                location: &location,
                commit,
                subpath: "probe",
            },
            fields,
            values: &format!("    replicas: 1\n{values}"),
        }));
        text.push_str(&documents::group(release, &[release]));
    }
    let groups: Vec<&str> = charts.iter().map(|chart| chart.release).collect();
    text.push_str(&documents::manifest(namespace, "grain", &groups));
    text
}

/// Converts with the program, for a new cluster; returns the tree and the program's stderr.
pub(super) fn convert(
    scope: &Scope<'_>,
    text: &str,
    name: &str,
    options: &[&str],
) -> Outcome<(PathBuf, String)> {
    let place = scope.bed.path().join(format!("{}-{name}", scope.namespace));
    fs::create_dir_all(&place)?;
    let (documents, tree) = (place.join("armada.yaml"), place.join("flux"));
    fs::write(&documents, text)?;
    let mut all = vec!["--new-cluster", "--no-namespaces", "-v"];
    all.extend(options);
    let said = super::convert(&documents, &tree, &all)?;
    Ok((tree, said))
}

/// Applies a whole tree as the documentation describes.
pub(super) fn apply(scope: &Scope<'_>, tree: &Path) -> Outcome {
    site::apply(scope, tree, &[])
}

/// Returns the path of a HelmRelease of the site.
pub(super) fn path(scope: &Scope<'_>, release: &str) -> String {
    site::helm_release(&scope.namespace, &format!("grain-{release}"))
}

/// Waits until the controller is done with the object as it was applied last, and it is as `wanted`.
pub(super) fn settled(
    scope: &Scope<'_>,
    release: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Outcome<Value> {
    scope
        .bed
        .wait(&path(scope, release), SETTLED_WITHIN, |object| {
            object["status"]["observedGeneration"] == object["metadata"]["generation"]
                && wanted(object)
        })
}

/// Waits until it is Ready as it was applied last.
pub(super) fn ready(scope: &Scope<'_>, release: &str) -> Outcome<Value> {
    settled(scope, release, |object| has_condition(object, "Ready"))
}

/// Returns the last revision of the release.
pub(super) fn revision(object: &Value) -> u64 {
    let version = &object["status"]["history"][0]["version"];
    version.as_u64().unwrap_or_default()
}

/// Returns reason and message of a condition.
pub(super) fn condition(object: &Value, kind: &str) -> Option<(String, String)> {
    let conditions = object["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|one| one["type"] == kind)?;
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    Some((text("reason"), text("message")))
}
