//! Values outside of a HelmRelease are the values that stood in it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::{Scope, Test, ensure};
use crate::bed::armada::copy_charts;
use crate::bed::program::Program;
use crate::bed::{Outcome, has_condition};
use crate::support;

/// For a small release, fetched and tested.
const READY_WITHIN: Duration = Duration::from_secs(120);

pub(super) fn tests() -> Vec<Test> {
    vec![Test::shared(
        "values::are_the_same_wherever_they_stand",
        places,
    )]
}

/// What Helm reads differently from other readers, secrets at all places, nulls and comments.
const VALUES: &str = r#"
    # password: long-gone
    plain: "08"
    quoted: "1e3 "
    octal: 0644
    none: null
    text: |
      [main]
      debug = true
    substituted: "${HOME} and $(pwd)"
    admin_password: grain-of-sand
    database:
      host: db.example.org
      none: null
      users:
        reader: {name: reader, password: 1234567890}
        writer: {name: writer, password: "0123"}
    endpoints:
      - host: a.example.org
        token: "not a token: a list goes whole"
      - null
    empty: {}
    only:
      secret: |
        -----BEGIN PRIVATE KEY-----
        grain
        -----END PRIVATE KEY-----
"#;

fn places(scope: &Scope<'_>) -> Outcome {
    let charts = scope.bed.path().join(format!("tree-{}", scope.namespace));
    let probe = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/charts/probe");
    copy_charts(&probe, &charts.join("probe"))?;
    let git = &scope.bed.git;
    let commit = git.commit(&scope.namespace, &charts, "Add the chart")?;
    let documents = scope.bed.path().join(format!("{}.yaml", scope.namespace));
    fs::write(&documents, site(scope, &commit))?;

    let mut first = None;
    for (at, (place, options)) in [
        ("inline", &["--values-in=inline"][..]),
        ("secret", &["--values-in=secret"]),
        ("configmap", &["--values-in=configmap"]),
        ("split", &["--split-secrets"]),
        ("both", &["--values-in=configmap", "--split-secrets"]),
    ]
    .into_iter()
    .enumerate()
    {
        let tree = scope
            .bed
            .path()
            .join(format!("{}-{place}", scope.namespace));
        let mut convert = support::program();
        convert.arg("convert").arg(&documents).arg("-o").arg(&tree);
        convert
            .args(["--new-cluster", "--no-namespaces"])
            .args(options);
        let output = convert.output()?;
        ensure(output.status.success(), || {
            String::from_utf8_lossy(&output.stderr).into_owned()
        })?;
        let apply = format!("--kustomize={}", tree.display());
        scope.bed.run(
            Program::Kubectl,
            &["apply", "--server-side", "--validate=strict", &apply],
        )?;
        let path = format!(
            "/apis/helm.toolkit.fluxcd.io/v2/namespaces/{}/helmreleases/grain-probe",
            scope.namespace
        );
        let release = scope.bed.wait(&path, READY_WITHIN, |release| {
            let generation = &release["metadata"]["generation"];
            generation.as_u64() > Some(at as u64)
                && release["status"]["observedGeneration"] == *generation
                && has_condition(release, "Ready")
        })?;
        let sources = release["spec"]["valuesFrom"].as_array().map_or(0, Vec::len);
        let wanted = [0, 1, 1, 1, 2][at];
        ensure(sources == wanted, || {
            format!("{place}: {}", release["spec"])
        })?;
        let namespace = format!("--namespace={}", scope.namespace);
        let values = scope.bed.run(
            Program::Helm4,
            &["get", "values", "grain-probe", &namespace, "--output=json"],
        )?;
        let values: Value = serde_json::from_str(&values)?;
        let first = first.get_or_insert_with(|| values.clone());
        ensure(values == *first, || {
            format!("{place}: {values} instead of {first}")
        })?;
        // The same values are no reason for an upgrade.
        let revision = &release["status"]["history"][0]["version"];
        ensure(*revision == 1, || format!("{place}: revision {revision}"))?;
    }
    let first = first.unwrap_or_default();
    ensure(
        first["plain"] == 8
            && first["octal"] == 420
            && first["database"]["users"]["writer"]["password"] == "0123"
            && first["substituted"] == "${HOME} and $(pwd)",
        || first.to_string(),
    )
}

fn site(scope: &Scope<'_>, commit: &str) -> String {
    let namespace = &scope.namespace;
    let location = scope.bed.git.url(namespace);
    format!(
        "---
schema: armada/Chart/v2
metadata: {{schema: metadata/Document/v1, name: probe}}
data:
  release: probe
  namespace: {namespace}
  source: {{type: git, location: '{location}', subpath: probe, reference: {commit}}}
  test: {{enabled: false}}
  wait: {{timeout: 90, resources: []}}
  values:{VALUES}
---
schema: armada/ChartGroup/v2
metadata: {{schema: metadata/Document/v1, name: all}}
data: {{chart_group: [probe]}}
---
schema: armada/Manifest/v2
metadata: {{schema: metadata/Document/v1, name: {namespace}}}
data: {{release_prefix: grain, chart_groups: [all]}}
"
    )
}
