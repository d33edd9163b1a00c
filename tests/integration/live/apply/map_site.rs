//! Sites in which each release is one ConfigMap, so that a run takes no longer than Flux itself.

use std::fs;
use std::path::PathBuf;

use serde_json::json;

use super::{Scope, site};
use crate::bed::Outcome;
use crate::bed::armada::Site;
use crate::bed::documents::{self, ChartDocument, GitSource};

const CHART: &str = "apiVersion: v2\nname: map\nversion: 0.1.0\n";

const TEMPLATE: &str = "apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
data:
  word: {{ .Values.word | quote }}
";

/// A release of a site.
#[derive(Clone, Copy, Debug)]
pub(super) struct MapRelease<'a> {
    pub(super) release: &'a str,
    /// The content of its ConfigMap.
    pub(super) word: &'a str,
    /// The `wait` of its Chart, as YAML.
    pub(super) wait: &'a str,
}

/// Waits up to 300 s for a pod with the label of [`open_gate`].
pub(super) const GATED: &str = "{timeout: 300, resources: [{type: pod, labels: {gate: open}}]}";

impl<'a> MapRelease<'a> {
    pub(super) const fn new(release: &'a str, word: &'a str) -> Self {
        Self {
            release,
            word,
            wait: "{timeout: 90, resources: []}",
        }
    }
}

/// Documents with a group for each slice of releases, named after the first of them.
pub(super) fn site(scope: &Scope<'_>, groups: &[&[MapRelease<'_>]]) -> Outcome<Site> {
    let namespace = &scope.namespace;
    let charts = scope.bed.path().join(format!("tiny-{namespace}"));
    let git = &scope.bed.git;
    // All trees of a test use one commit: another would change every release.
    let known = scope.bed.path().join(format!("tiny-{namespace}.commit"));
    if !known.exists() {
        fs::create_dir_all(charts.join("map/templates"))?;
        fs::write(charts.join("map/Chart.yaml"), CHART)?;
        fs::write(charts.join("map/templates/map.yaml"), TEMPLATE)?;
        fs::write(&known, git.commit(namespace, &charts, "Add the chart")?)?;
    }
    let commit = fs::read_to_string(&known)?;
    let location = git.url(namespace);
    let mut text = String::new();
    let mut names = Vec::new();
    for group in groups {
        for MapRelease {
            release,
            word,
            wait,
        } in *group
        {
            text.push_str(&documents::chart(&ChartDocument {
                name: release,
                namespace,
                source: GitSource {
                    location: &location,
                    commit: &commit,
                    subpath: "map",
                },
                fields: &format!(
                    "  wait: {wait}
  test: {{enabled: false}}"
                ),
                values: &format!("    word: '{word}'"),
            }));
        }
        let releases: Vec<&str> = group.iter().map(|tiny| tiny.release).collect();
        let name = format!("{}s", releases.first().ok_or("an empty group")?);
        text.push_str(&documents::group(&name, &releases));
        names.push(name);
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    text.push_str(&documents::manifest(namespace, "grain", &names));
    Ok(Site::plain(text, charts))
}

/// Creates the pod that opens the gate.
pub(super) fn open_gate(scope: &Scope<'_>) -> Outcome {
    scope.bed.apply(&json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "gate", "namespace": scope.namespace, "labels": {"gate": "open"}},
        "spec": {"containers": [{"name": "main", "image": "example.org/main:1"}]},
    }))
}

/// Converts such a site; returns the tree.
pub(super) fn tree(
    scope: &Scope<'_>,
    name: &str,
    groups: &[&[MapRelease<'_>]],
) -> Outcome<PathBuf> {
    let site = site(scope, groups)?;
    let name = format!("{}-{name}", scope.namespace);
    let options = ["--no-namespaces", "--source-namespace=release"];
    site::convert(scope, &site, &name, &options)
}
