//! A site for one test: its releases as Armada documents, converted and applied, and their results.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use armada2flux::gate::{Gate, Verdict, WaitKind, annotation};
use armada2flux::value::Value;
use serde_json::{Value as Json, json};

use super::workload::Workload;
use crate::bed::charts::test_chart;
use crate::bed::program::Program;
use crate::bed::{Outcome, has_condition};
use crate::corpus::tree;
use crate::live::site::helm_release;
use crate::live::{Scope, ensure};
use crate::shared;

/// Time limit for everything that ends by itself.
const ENDS_WITHIN: Duration = Duration::from_secs(150);

/// Annotation that holds a release's gates.
const GATES: &str = "armada2flux.dev/gates";

/// A release, as in its Chart document.
#[derive(Debug)]
pub(super) struct Release {
    /// Name without the site's prefix.
    pub(super) name: &'static str,
    /// `wait.timeout` in seconds.
    pub(super) timeout: u32,
    /// `wait.native.enabled`.
    pub(super) native: bool,
    /// `wait.resources`.
    pub(super) resources: Json,
    /// What the chart installs.
    pub(super) workloads: Vec<Workload>,
}

impl Release {
    fn objects(&self, prefix: &str) -> Vec<Json> {
        let group = format!("{prefix}-{}", self.name);
        let workloads = self.workloads.iter();
        workloads.map(|workload| workload.object(&group)).collect()
    }
}

/// Releases in one chart group, in parallel.
#[derive(Debug)]
pub(super) struct Site {
    /// `release_prefix`.
    pub(super) prefix: &'static str,
    pub(super) releases: Vec<Release>,
}

/// The result of the controller for a release.
#[derive(Debug)]
pub(super) enum End {
    Ready,
    /// Stalled, with this message.
    Stalled(String),
}

fn chart() -> PathBuf {
    test_chart("objects")
}

impl Site {
    /// Returns the documents; every release uses the chart that installs the objects in its values.
    fn documents(&self, scope: &Scope<'_>) -> String {
        let document = |kind: &str, name: &str, data: Json| {
            json!({
                "schema": format!("armada/{kind}/v1"),
                "metadata": {"schema": "metadata/Document/v1", "name": name},
                "data": data,
            })
        };
        let Site { prefix, releases } = self;
        let names: Vec<_> = releases.iter().map(|release| release.name).collect();
        let mut documents = vec![
            document(
                "Manifest",
                prefix,
                json!({"release_prefix": prefix, "chart_groups": ["all"]}),
            ),
            document(
                "ChartGroup",
                "all",
                json!({"description": "all", "sequenced": false, "chart_group": names}),
            ),
        ];
        documents.extend(releases.iter().map(|release| {
            let data = json!({
                "chart_name": "objects",
                "release": release.name,
                "namespace": scope.namespace,
                "source": {
                    "type": "tar",
                    "location": format!("{}/objects-0.1.0.tgz", scope.bed.charts.url),
                    "subpath": "objects",
                    "reference": "master",
                },
                "wait": {
                    "timeout": release.timeout,
                    "native": {"enabled": release.native},
                    "labels": {"release_group": format!("{prefix}-{}", release.name)},
                    "resources": release.resources,
                },
                "test": {"enabled": false},
                "values": {"objects": release.objects(prefix)},
            });
            document("Chart", release.name, data)
        }));
        let texts = documents.iter().map(Json::to_string);
        texts.collect::<Vec<_>>().join("\n---\n")
    }

    /// Converts the site with the program and applies the tree; returns its HelmReleases.
    pub(super) fn install(&self, scope: &Scope<'_>, options: &[&str]) -> Outcome<Vec<Json>> {
        scope.bed.charts.publish(&chart())?;
        let name = format!("{}-{}", scope.namespace, self.prefix);
        let objects = convert(scope, &name, &self.documents(scope), options)?;
        let is_release = |object: &Json| object["kind"] == "HelmRelease";
        let releases: Vec<Json> = objects.into_iter().filter(is_release).collect();
        ensure(releases.len() == self.releases.len(), || {
            format!("{} releases were written", releases.len())
        })?;
        let tree = scope.bed.path().join(name);
        let arguments = [
            "apply",
            "--server-side",
            "--force-conflicts",
            "--validate=strict",
            &format!("--kustomize={}", tree.display()),
        ];
        scope.bed.run(Program::Kubectl, &arguments)?;
        Ok(releases)
    }

    /// Installs a release of the site with real Helm as Armada does; returns Helm's error, if any.
    pub(super) fn install_by_helm(
        &self,
        scope: &Scope<'_>,
        release: &Release,
    ) -> Outcome<Option<String>> {
        let name = format!("{}-{}", self.prefix, release.name);
        let values = scope
            .bed
            .path()
            .join(format!("{}-{name}.json", scope.namespace));
        let objects = json!({"objects": release.objects(self.prefix)});
        fs::write(&values, objects.to_string())?;
        let done = scope.bed.run(
            Program::Helm3,
            &[
                "install",
                &name,
                &chart().display().to_string(),
                &format!("--namespace={}", scope.namespace),
                &format!("--values={}", values.display()),
                &format!("--timeout={}s", release.timeout),
                "--wait",
            ],
        );
        Ok(done.err().map(|error| error.to_string()))
    }

    /// Waits until exactly those pods are ready that can be.
    pub(super) fn settled(&self, scope: &Scope<'_>) -> Outcome {
        for release in &self.releases {
            for workload in &release.workloads {
                let group = format!("{}-{}", self.prefix, release.name);
                let path = workload.path(&scope.namespace, &group);
                let settled = |object: &Json| workload.is_settled(object);
                scope.bed.wait(&path, ENDS_WITHIN, settled)?;
            }
        }
        Ok(())
    }
}

/// Converts documents for a new cluster into a tree of that name; returns its objects.
pub(super) fn convert(
    scope: &Scope<'_>,
    name: &str,
    documents: &str,
    options: &[&str],
) -> Outcome<Vec<Json>> {
    let file = scope.bed.path().join(format!("{name}.yaml"));
    fs::write(&file, documents)?;
    let folder = scope.bed.path().join(name);
    let mut all = vec!["--new-cluster", "--source-namespace=release"];
    all.extend(options);
    crate::live::convert(&file, &folder, &all)?;
    tree::read(&folder).map_err(|error| error.message().unwrap_or("no tree").into())
}

pub(super) fn text<'v>(object: &'v Json, pointer: &str) -> &'v str {
    object
        .pointer(pointer)
        .and_then(Json::as_str)
        .unwrap_or_default()
}

fn path(release: &Json) -> String {
    helm_release(
        text(release, "/metadata/namespace"),
        text(release, "/metadata/name"),
    )
}

/// Waits until a release is Ready or Stalled.
pub(super) fn end(scope: &Scope<'_>, release: &Json) -> Outcome<End> {
    let is_done =
        |object: &Json| has_condition(object, "Ready") || has_condition(object, "Stalled");
    let object = scope.bed.wait(&path(release), ENDS_WITHIN, is_done)?;
    if has_condition(&object, "Ready") {
        return Ok(End::Ready);
    }
    let conditions = object["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    let ready = conditions.find(|condition| condition["type"] == "Ready");
    Ok(End::Stalled(
        ready.map_or("", |ready| text(ready, "/message")).to_owned(),
    ))
}

/// Reads the gates of a release from its annotation.
pub(super) fn gates(release: &Json) -> Outcome<Vec<Gate>> {
    let written = release["metadata"]["annotations"][GATES].as_str();
    let written = written.ok_or("a release without gates")?;
    let namespace = text(release, "/metadata/namespace").into();
    Ok(annotation::read(written, &namespace)?)
}

/// Returns the verdict of each gate of a release in the cluster.
pub(super) fn verdicts(scope: &Scope<'_>, release: &Json) -> Outcome<Vec<Verdict>> {
    let gates = gates(release)?;
    let verdict = |gate: &Gate| {
        let objects = list(scope, gate.spec.kind, &gate.namespace)?;
        Ok(gate.evaluate(&objects))
    };
    gates.iter().map(verdict).collect()
}

/// Returns all objects of a kind in a namespace.
fn list(scope: &Scope<'_>, kind: WaitKind, namespace: &str) -> Outcome<Vec<Value>> {
    let version = kind.api_version();
    let prefix = if version.contains('/') { "apis" } else { "api" };
    let plural = format!("{}s", kind.kind_name().to_lowercase());
    let path = format!("/{prefix}/{version}/namespaces/{namespace}/{plural}");
    let list = scope.bed.get(&path)?.unwrap_or_default();
    let mut items = list["items"].as_array().cloned().ok_or("no list")?;
    for item in &mut items {
        // The API server omits both in the items of a list.
        item["apiVersion"] = version.into();
        item["kind"] = kind.kind_name().into();
    }
    Ok(items.iter().map(shared::value).collect())
}
