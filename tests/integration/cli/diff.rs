//! `diff --against` shows every change once, at its path, and nothing else.

use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use serde_json::Value;

use super::named;
use crate::support::{Result, contains, ensure, expect_schema, lacks, read_tree, root, run};

pub(super) fn trials() -> Vec<Trial> {
    named(
        "diff",
        &[
            ("each_of_forty_changes_is_shown_once", changes),
            ("the_worked_site_equals_its_tree", equal),
            ("matches_the_published_schema", schema),
            ("markdown_stays_within_its_limit", markdown),
            ("bad_trees_are_refused", refused),
        ],
    )
}

/// A change of one line in a file of the worked site's tree, and the path that the diff must name.
const CHANGES: &[(&str, &str, &str, &str)] = &[
    (
        "mirror",
        "interval: \"30m\"",
        "interval: \"31m\"",
        "spec.interval",
    ),
    ("mirror", "suspend: true", "# suspend: true", "spec.suspend"),
    (
        "mirror",
        "releaseName: breakwater-mirror",
        "releaseName: mirror",
        "spec.releaseName",
    ),
    (
        "mirror",
        "chart: mirror",
        "chart: other",
        "spec.chart.spec.chart",
    ),
    (
        "mirror",
        "reconcileStrategy: ChartVersion",
        "reconcileStrategy: Revision",
        "spec.chart.spec.reconcileStrategy",
    ),
    (
        "mirror",
        "kind: HelmRepository",
        "kind: Bucket",
        "spec.chart.spec.sourceRef.kind",
    ),
    (
        "mirror",
        "maxHistory: 10",
        "maxHistory: 9",
        "spec.maxHistory",
    ),
    ("mirror", "crds: Create", "crds: Skip", "spec.install.crds"),
    (
        "mirror",
        "crds: Skip",
        "crds: CreateReplace",
        "spec.upgrade.crds",
    ),
    (
        "mirror",
        "replicas: 2",
        "replicas: 3",
        "spec.values.replicas",
    ),
    (
        "mirror",
        "replicas: 2",
        "replicas: \"2\"",
        "spec.values.replicas",
    ),
    (
        "mirror",
        "replicas: 2",
        "replicas: null",
        "spec.values.replicas",
    ),
    (
        "mirror",
        "replicas: 2",
        "replicas: 2\n    extra: true",
        "spec.values.extra",
    ),
    ("mirror", "replicas: 2", "scale: 2", "spec.values.scale"),
    (
        "mirror",
        "armada2flux.dev/site: breakwater",
        "armada2flux.dev/site: other",
        "metadata.labels[\"armada2flux.dev/site\"]",
    ),
    (
        "mirror",
        "armada2flux.dev/stage: \"1\"",
        "armada2flux.dev/stage: \"2\"",
        "metadata.annotations[\"armada2flux.dev/stage\"]",
    ),
    (
        "mirror",
        "kustomize.toolkit.fluxcd.io/prune: disabled",
        "kustomize.toolkit.fluxcd.io/prune: enabled",
        "metadata.annotations[\"kustomize.toolkit.fluxcd.io/prune\"]",
    ),
    (
        "mirror",
        "enable: false",
        "enable: true",
        "spec.test.enable",
    ),
    (
        "mirror",
        "disableOpenAPIValidation: true\n    crds: Create",
        "crds: Create",
        "spec.install.disableOpenAPIValidation",
    ),
    (
        "database",
        "password: root-of-breakwater",
        "password: other",
        "spec.values.root.password",
    ),
    (
        "database",
        "password: root-of-breakwater",
        "password: 17",
        "spec.values.root.password",
    ),
    (
        "database",
        "password: 896417",
        "password: 896418",
        "spec.values.users.identity.password",
    ),
    (
        "database",
        "mode: 288",
        "mode: 289",
        "spec.values.conf.mode",
    ),
    (
        "database",
        "mode: 288",
        "mode: \"288\"",
        "spec.values.conf.mode",
    ),
    (
        "database",
        "mode: 288",
        "mode: 288.5",
        "spec.values.conf.mode",
    ),
    (
        "database",
        "slow_query_log: true",
        "slow_query_log: \"true\"",
        "spec.values.conf.slow_query_log",
    ),
    (
        "database",
        "slow_query_log: true",
        "slow_query_log: [true]",
        "spec.values.conf.slow_query_log",
    ),
    (
        "database",
        "slow_query_log: true",
        "slow_query_log: {on: true}",
        "spec.values.conf.slow_query_log",
    ),
    (
        "database",
        "max_connections = 500",
        "max_connections = 600",
        "spec.values.conf.text",
    ),
    (
        "database",
        "database: docker.io/library/mariadb:11.4",
        "database: docker.io/library/mariadb:11.5",
        "spec.values.images.database",
    ),
    (
        "database",
        "timeout: \"15m\"",
        "timeout: \"16m\"",
        "spec.uninstall.timeout",
    ),
    (
        "identity",
        "admin_required: \"role:admin\"",
        "admin_required: \"role:root\"",
        "spec.values.policy",
    ),
    (
        "identity",
        "user: admin",
        "user: root",
        "spec.values.admin.user",
    ),
    (
        "identity",
        "host: breakwater-database.infra",
        "host: other.infra",
        "spec.values.database.host",
    ),
    (
        "identity",
        "host: breakwater-database.infra",
        "\"odd.key\": 1\n      host: breakwater-database.infra",
        "spec.values.database[\"odd.key\"]",
    ),
    (
        "identity",
        "name: breakwater-database\n      namespace: infra",
        "name: breakwater-facts\n      namespace: infra",
        "spec.dependsOn",
    ),
    (
        "worker",
        "password: worker-of-breakwater",
        "password: ''",
        "spec.values.queue.password",
    ),
    (
        "worker",
        "replicas: 2",
        "replicas: 0",
        "spec.values.replicas",
    ),
    (
        "portal",
        "&& dep.status.observedGeneration == dep.metadata.generation",
        "",
        "readyExpr",
    ),
    (
        "mirror",
        "armada2flux.dev/gates: '{\"version\":1",
        "armada2flux.dev/gates: '{\"version\":2",
        "metadata.annotations[\"armada2flux.dev/gates\"]",
    ),
];

/// The forty changes: release, old and new text in its file, and the path that the diff must name.
pub(crate) fn single_changes() -> &'static [(&'static str, &'static str, &'static str, &'static str)]
{
    CHANGES
}

/// Returns how many paths a change has: two for a renamed key.
pub(crate) fn places(to: &str) -> usize {
    if to.starts_with("scale") { 2 } else { 1 }
}

/// Writes a tree with one line of one release changed.
pub(crate) fn edited(tree: &Path, into: &Path, release: &str, from: &str, to: &str) -> Result {
    let file = format!("breakwater-{release}.yaml");
    let mut done = false;
    for (name, bytes) in read_tree(tree)? {
        let mut text = String::from_utf8(bytes)?;
        if name.ends_with(&file) {
            done = text.contains(from);
            text = text.replacen(from, to, 1);
        }
        let path = into.join(&name);
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        fs::write(path, text)?;
    }
    ensure(done, format!("{release} has no `{from}`"))
}

fn worked() -> std::path::PathBuf {
    root().join("charts-examples/breakwater/flux")
}

fn changes() -> Result {
    ensure(CHANGES.len() == 40, format!("{} changes", CHANGES.len()))?;
    let against = worked().display().to_string();
    for (release, from, to, path) in CHANGES {
        let workspace = tempfile::tempdir()?;
        edited(&worked(), &workspace.path().join("tree"), release, from, to)?;
        let arguments = [
            "diff",
            "tree",
            "--against",
            &against,
            "--exit-code",
            "--report",
            "json",
        ];
        let ran = run(workspace.path(), &arguments)?.expect_code(2)?;
        let report: Value = serde_json::from_str(&ran.stdout)?;
        let objects = report["objects"].as_array().ok_or("no objects")?;
        let shown: Vec<String> = objects
            .iter()
            .flat_map(|object| object["changes"].as_array().cloned().unwrap_or_default())
            .map(|change| change["path"].as_str().unwrap_or_default().to_owned())
            .collect();
        let wanted = places(to);
        ensure(
            objects.len() == 1
                && objects[0]["name"] == format!("breakwater-{release}")
                && shown.len() == wanted
                && shown[0].contains(path),
            format!("{release} `{from}` to `{to}`: {shown:?}"),
        )?;
        let text = run(workspace.path(), &arguments[..4])?
            .expect_code(0)?
            .stdout;
        let title = objects[0]["changes"][0]["title"].as_str();
        contains(&text, title.unwrap_or(&shown[0]))?;
        for secret in [
            "root-of-breakwater",
            "worker-of-breakwater",
            "896417",
            "896418",
        ] {
            lacks(&text, secret)?;
            lacks(&ran.stdout, secret)?;
        }
    }
    Ok(())
}

fn equal() -> Result {
    let against = worked().display().to_string();
    let input = root().join("charts-examples/breakwater/armada.yaml");
    let input = input.display().to_string();
    for _ in 0..3 {
        for input in [&input, &against] {
            let arguments = ["diff", input, "--against", &against, "--exit-code"];
            let ran = run(root(), &arguments)?.expect_code(0)?;
            ensure(ran.stdout == "14 objects: 14 unchanged\n", ran.stdout)?;
        }
    }
    Ok(())
}

fn schema() -> Result {
    let folder = root().join("testdata/cases/diff-text/input");
    let arguments = [
        "diff",
        "after",
        "--against",
        "before",
        "--show-noise",
        "--report",
        "json",
    ];
    let report: Value = serde_json::from_str(&run(&folder, &arguments)?.expect_code(0)?.stdout)?;
    let valid = |report: &Value| expect_schema("diff-report.json", report);
    valid(&report)?;
    // A schema that accepts everything proves nothing.
    for field in ["version", "summary", "objects"] {
        let mut broken = report.clone();
        broken[field] = Value::Null;
        ensure(valid(&broken).is_err(), format!("{field} may be null"))?;
    }
    Ok(())
}

/// A comment on a forge about 500 changed releases.
fn markdown() -> Result {
    let workspace = tempfile::tempdir()?;
    for (tree, replicas) in [("before", 1), ("after", 2)] {
        let mut text = String::new();
        for number in 0..500 {
            text.push_str(&format!(
                "---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: release-with-a-name-{number}, namespace: namespace-{number}}}
spec:
  suspend: {}
  values: {{replicas: {replicas}, text: 'one text that is as long as texts of values often are {number} {replicas}'}}
",
                replicas == 1
            ));
        }
        fs::write(workspace.path().join(format!("{tree}.yaml")), text)?;
    }
    let arguments = [
        "diff",
        "after.yaml",
        "--against",
        "before.yaml",
        "--report",
        "markdown",
    ];
    let text = run(workspace.path(), &arguments)?.expect_code(0)?.stdout;
    ensure(text.len() < 65_536, format!("{} bytes", text.len()))?;
    contains(&text, "**500 objects**: 500 dangerous, 500 changed")?;
    contains(&text, "Left out to stay below")
}

fn refused() -> Result {
    let workspace = tempfile::tempdir()?;
    let write = |name: &str, text: &str| fs::write(workspace.path().join(name), text);
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: b}\n";
    write("map.yaml", map)?;
    write("twice.yaml", &format!("{map}---\n{map}"))?;
    write("nameless.yaml", "apiVersion: v1\nkind: ConfigMap\n")?;
    write(
        "broken.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\n",
    )?;
    for (input, against, message) in [
        ("map.yaml", "nowhere", "nowhere"),
        (
            "twice.yaml",
            "map.yaml",
            "ConfigMap b/a appears twice in the tree",
        ),
        (
            "map.yaml",
            "twice.yaml",
            "ConfigMap b/a appears twice in the tree",
        ),
        ("nameless.yaml", "map.yaml", "not a Kubernetes object"),
        ("broken.yaml", "map.yaml", "yaml-syntax"),
        (
            "map.yaml",
            "broken.yaml",
            "cannot read the tree `broken.yaml`",
        ),
    ] {
        let ran = run(workspace.path(), &["diff", input, "--against", against])?.expect_code(1)?;
        contains(&ran.stderr, message)?;
        ensure(ran.stdout.is_empty(), ran.stdout)?;
    }
    Ok(())
}
