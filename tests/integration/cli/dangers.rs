//! Changes that matter each give their danger in text, Markdown and JSON; changes that do not give none.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use serde_json::Value;

use super::named;
use crate::support::{Result, contains, ensure, root, run};

pub(super) fn trials() -> Vec<Trial> {
    named(
        "dangers",
        &[
            ("each_change_that_matters_gives_its_danger", deadly),
            ("no_other_change_gives_one", harmless),
            ("every_code_is_on_its_page", pages),
        ],
    )
}

/// A tree with everything that the pairs change.
const TREE: &str = r#"apiVersion: v1
kind: Namespace
metadata: {name: shop, annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: charts, namespace: shop}
spec: {url: "https://git.example.org/charts.git", ref: {commit: a123456789012345678901234567890123456789}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: fork, namespace: shop}
spec: {url: "https://git.example.org/fork", ref: {commit: a123456789012345678901234567890123456789}}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: HelmRepository
metadata: {name: stable, namespace: shop}
spec: {url: "https://charts.example.org/stable"}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: helmreleases.helm.toolkit.fluxcd.io, annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}
spec:
  scope: Namespaced
  versions:
  - {name: v2, served: true}
  - {name: v2beta2, served: true}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: site, namespace: shop}
spec: {path: ./site, prune: false}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: db
  namespace: shop
  annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}
spec:
  interval: 30m
  suspend: true
  targetNamespace: data
  chart: {spec: {chart: mariadb, version: 1.10.0, sourceRef: {kind: HelmRepository, name: stable}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: old
  namespace: shop
  annotations: {}
spec:
  chart: {spec: {chart: ./legacy, sourceRef: {kind: GitRepository, name: charts}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: till
  namespace: shop
  labels: {kustomize.toolkit.fluxcd.io/name: site, kustomize.toolkit.fluxcd.io/namespace: shop}
  annotations:
    kustomize.toolkit.fluxcd.io/prune: disabled
    armada2flux.dev/stage: "2"
    armada2flux.dev/protected: stop
    armada2flux.dev/gates: '{"version":1,"chart":"v2","waits":[{"type":"job","labels":"app=till","required":false},{"type":"deployment","labels":"app=till,tier=web","required":true,"min_ready":"80%"}]}'
    armada2flux.dev/pre-delete: '{"version":1,"deletions":[{"type":"job","labels":"app=till"},{"type":"pod","labels":"app=till"}]}'
spec:
  interval: 30m
  releaseName: quay-till
  timeout: 15m
  maxHistory: 10
  chart: {spec: {chart: ./till, sourceRef: {kind: GitRepository, name: charts}}}
  dependsOn:
  - {name: db}
  install: {}
  upgrade: {timeout: 20m, disableHooks: true}
  values: {replicas: 2, image: "till:1"}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: web
  namespace: shop
  annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}
spec:
  timeout: 5m
  chart: {spec: {chart: ./web, sourceRef: {kind: GitRepository, name: charts}}}
  dependsOn:
  - {name: till}
  - {name: db}
"#;

const OLD: &str = "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: old
  namespace: shop
  annotations: {}
spec:
  chart: {spec: {chart: ./legacy, sourceRef: {kind: GitRepository, name: charts}}}
---
";

/// Edits of a text: what stands there once, and what takes its place.
type Edits = &'static [(&'static str, &'static str)];

/// Changes that matter, with the code of their danger.
const DEADLY: &[(&str, Edits)] = &[
    (
        "second-installation",
        &[
            ("  name: till\n", "  name: till2\n"),
            ("releaseName: quay-till", "releaseName: quay-till2"),
        ],
    ),
    (
        "second-installation",
        &[(
            "  name: till\n  namespace: shop\n",
            "  name: till\n  namespace: market\n",
        )],
    ),
    ("removal", &[(OLD, "")]),
    ("toolkit-crd", &[("scope: Namespaced", "scope: Cluster")]),
    (
        "toolkit-crd",
        &[(
            "{name: v2beta2, served: true}",
            "{name: v2beta2, served: false}",
        )],
    ),
    (
        "toolkit-crd",
        &[(
            "metadata: {name: helmreleases.helm.toolkit.fluxcd.io, annotations: {",
            "metadata: {name: helmreleases.helm.toolkit.fluxcd.io, annotations: {kustomize.toolkit.fluxcd.io/force: enabled, ",
        )],
    ),
    (
        "toolkit-crd",
        &[(
            "name: helmreleases.helm.toolkit",
            "name: others.helm.toolkit",
        )],
    ),
    (
        "release-name",
        &[("releaseName: quay-till", "releaseName: pier-till")],
    ),
    ("release-name", &[("  releaseName: quay-till\n", "")]),
    (
        "release-namespace",
        &[("targetNamespace: data", "targetNamespace: store")],
    ),
    (
        "release-namespace",
        &[(
            "targetNamespace: data",
            "targetNamespace: data\n  storageNamespace: helm",
        )],
    ),
    ("chart", &[("chart: ./till", "chart: ./till-ng")]),
    (
        "chart-source",
        &[(
            "https://git.example.org/charts.git",
            "https://git.example.net/charts.git",
        )],
    ),
    (
        "chart-source",
        &[(
            "chart: ./till, sourceRef: {kind: GitRepository, name: charts}",
            "chart: ./till, sourceRef: {kind: GitRepository, name: fork}",
        )],
    ),
    (
        "chart-source",
        &[("charts.example.org/stable", "charts.example.org/incubator")],
    ),
    ("chart-downgrade", &[("version: 1.10.0", "version: 1.9.3")]),
    (
        "chart-downgrade",
        &[("version: 1.10.0", "version: 1.10.0-rc.1")],
    ),
    (
        "chart-unpinned",
        &[("version: 1.10.0", "version: \">=1.10.0\"")],
    ),
    (
        "chart-unpinned",
        &[(
            "charts.git\", ref: {commit: a123456789012345678901234567890123456789}",
            "charts.git\", ref: {branch: main}",
        )],
    ),
    ("chart-unpinned", &[("version: 1.10.0, ", "")]),
    ("resume", &[("  suspend: true\n", "")]),
    (
        "suspend",
        &[("maxHistory: 10", "maxHistory: 10\n  suspend: true")],
    ),
    (
        "remediation",
        &[("install: {}", "install: {remediation: {retries: 3}}")],
    ),
    (
        "remediation",
        &[(
            "upgrade: {timeout",
            "upgrade: {strategy: {name: RetryOnFailure}, timeout",
        )],
    ),
    (
        "prune",
        &[(
            "metadata: {name: shop, annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}}",
            "metadata: {name: shop}",
        )],
    ),
    ("prune", &[("prune: false", "prune: true")]),
    (
        "deletions",
        &[(
            "{\"type\":\"pod\",\"labels\":\"app=till\"}",
            "{\"type\":\"pod\",\"labels\":\"\"}",
        )],
    ),
    (
        "deletions",
        &[(
            "\"deletions\":[",
            "\"deletions\":[{\"type\":\"cronjob\",\"labels\":\"app=till\"},",
        )],
    ),
    ("gates-widened", &[("app=till,tier=web", "app=till")]),
    (
        "gates-widened",
        &[(
            "\"type\":\"job\",\"labels\":\"app=till\",\"required\"",
            "\"type\":\"job\",\"labels\":\"\",\"required\"",
        )],
    ),
    ("gates", &[("app=till,tier=web", "app=other")]),
    ("gates", &[("\"80%\"", "\"50%\"")]),
    (
        "gates",
        &[(
            "{\"type\":\"job\",\"labels\":\"app=till\",\"required\":false},",
            "",
        )],
    ),
    ("gates", &[("\"chart\":\"v2\"", "\"chart\":\"v9\"")]),
    (
        "waiting",
        &[("install: {}", "install: {disableWait: true}")],
    ),
    ("timeout", &[("timeout: 15m", "timeout: 10m")]),
    ("timeout", &[("timeout: 20m, ", "timeout: 90s, ")]),
    ("timeout", &[("timeout: 20m, ", "")]),
    (
        "protected",
        &[("    armada2flux.dev/protected: stop\n", "")],
    ),
    ("protected", &[("protected: stop", "protected: continue")]),
    ("order", &[("  dependsOn:\n  - {name: db}\n", "")]),
    (
        "order",
        &[("  - {name: till}\n  - {name: db}\n", "  - {name: db}\n")],
    ),
    (
        "owner",
        &[(
            "kustomize.toolkit.fluxcd.io/name: site",
            "kustomize.toolkit.fluxcd.io/name: other",
        )],
    ),
    ("crds", &[("install: {}", "install: {crds: CreateReplace}")]),
    (
        "tests",
        &[("maxHistory: 10", "maxHistory: 10\n  test: {enable: true}")],
    ),
    ("hooks", &[(", disableHooks: true", "")]),
    (
        "force",
        &[("upgrade: {timeout", "upgrade: {force: true, timeout")],
    ),
];

/// Changes that do not matter.
const HARMLESS: &[Edits] = &[
    &[("replicas: 2", "replicas: 3")],
    &[(
        "image: \"till:1\"",
        "image: \"till:2\", suspend: true, timeout: 1s",
    )],
    &[("  suspend: true\n", "  suspend: true\n  maxHistory: 5\n")],
    &[("timeout: 15m", "timeout: 25m")],
    &[("timeout: 15m", "timeout: 900s")],
    &[("timeout: 20m, ", "timeout: 1h, ")],
    &[("  timeout: 5m\n", "")],
    &[("version: 1.10.0", "version: 1.11.0")],
    &[("version: 1.10.0", "version: v1.10.0")],
    &[(
        "charts.git\", ref: {commit: a1",
        "charts.git\", ref: {commit: b1",
    )],
    &[(
        "charts.git\", ref: {commit: a123456789012345678901234567890123456789}",
        "charts/\", ref: {tag: v1}",
    )],
    &[(
        "annotations: {}\n",
        "annotations: {kustomize.toolkit.fluxcd.io/prune: disabled}\n",
    )],
    &[(
        "armada2flux.dev/stage: \"2\"",
        "armada2flux.dev/stage: \"3\"",
    )],
    &[("labels: {kustomize", "labels: {team: till, kustomize")],
    &[(
        "name: db\n  namespace: shop\n  annotations: {",
        "name: db\n  namespace: shop\n  annotations: {armada2flux.dev/protected: continue, ",
    )],
    &[(",{\"type\":\"pod\",\"labels\":\"app=till\"}", "")],
    &[(
        "{\"type\":\"pod\",\"labels\":\"app=till\"}",
        "{\"type\":\"pod\",\"labels\":\"app=till,tier=web\"}",
    )],
    &[(
        "\"waits\":[",
        "\"waits\":[{\"type\":\"pod\",\"labels\":\"app=till\",\"required\":true},",
    )],
    &[("\"80%\"", "\"90%\"")],
    &[(
        "\"type\":\"job\",\"labels\":\"app=till\",\"required\":false",
        "\"type\":\"job\",\"labels\":\"app=till\",\"required\":true",
    )],
    &[(
        "  - {name: till}\n  - {name: db}\n",
        "  - {name: db}\n  - {name: till}\n",
    )],
    &[("  - {name: till}\n  - {name: db}\n", "  - {name: till}\n")],
    &[(
        "  dependsOn:\n  - {name: db}\n",
        "  dependsOn:\n  - {name: db, namespace: shop}\n",
    )],
    &[(
        "  timeout: 5m\n",
        "  timeout: 5m\n  install: {disableHooks: false, crds: Create, remediation: {retries: 0}}\n",
    )],
    &[(
        "  timeout: 5m\n",
        "  timeout: 5m\n  suspend: false\n  test: {enable: false, timeout: 5m}\n",
    )],
    &[(
        "  timeout: 5m\n",
        "  timeout: 5m\n  upgrade: {force: false, crds: Skip}\n  postRenderers: []\n",
    )],
    &[(
        "  targetNamespace: data\n",
        "  targetNamespace: data\n  dependsOn: []\n",
    )],
    &[(
        "  targetNamespace: data\n",
        "  targetNamespace: data\n  releaseName: data-db\n",
    )],
    &[(
        OLD,
        "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web2, namespace: shop}
spec:
  chart: {spec: {chart: ./web, sourceRef: {kind: GitRepository, name: charts}}}
---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: old
  namespace: shop
  annotations: {}
spec:
  chart: {spec: {chart: ./legacy, sourceRef: {kind: GitRepository, name: charts}}}
---
",
    )],
    &[(
        "  interval: 30m\n  releaseName",
        "  interval: 1h\n  releaseName",
    )],
];

fn edited(edits: Edits) -> Result<String> {
    let mut text = TREE.to_owned();
    for (from, to) in edits {
        let places = text.matches(from).count();
        ensure(places == 1, format!("`{from}` stands there {places} times"))?;
        text = text.replacen(from, to, 1);
    }
    Ok(text)
}

/// The codes that the three reports name, each for itself.
fn reported(folder: &Path, after: &str) -> Result<[BTreeSet<String>; 3]> {
    fs::write(folder.join("before.yaml"), TREE)?;
    fs::write(folder.join("after.yaml"), after)?;
    let arguments = [
        "diff",
        "after.yaml",
        "--against",
        "before.yaml",
        "--report",
        "text",
        "--report",
        "json=report.json",
        "--report",
        "markdown=report.md",
    ];
    let text = run(folder, &arguments)?.expect_code(0)?.stdout;
    let report: Value = serde_json::from_str(&fs::read_to_string(folder.join("report.json"))?)?;
    let page = fs::read_to_string(folder.join("report.md"))?;
    let mut json = BTreeSet::new();
    for object in report["objects"].as_array().ok_or("no objects")? {
        let changes = object["changes"].as_array().ok_or("no changes")?;
        let of_changes = changes.iter().map(|change| &change["danger"]);
        let of_object = object["dangers"].as_array().ok_or("no dangers")?.iter();
        let names = of_changes.chain(of_object);
        json.extend(names.filter_map(|danger| danger["name"].as_str().map(str::to_owned)));
    }
    let counted = report["summary"]["dangers"].as_u64() > Some(0);
    ensure(counted != json.is_empty(), "the summary counts otherwise")?;
    let texts = text.lines().filter_map(|line| {
        let (code, _) = line.strip_prefix("! ")?.split_once(':')?;
        Some(code.to_owned())
    });
    let rows = page.lines().skip_while(|line| *line != "### Dangers");
    let rows = rows.filter_map(|line| {
        let (code, _) = line.strip_prefix("| `")?.split_once('`')?;
        Some(code.to_owned())
    });
    Ok([texts.collect(), rows.collect(), json])
}

fn deadly() -> Result {
    ensure(DEADLY.len() >= 20, "too few pairs")?;
    for (code, edits) in DEADLY {
        let folder = tempfile::tempdir()?;
        let found = reported(folder.path(), &edited(edits)?)?;
        for (format, codes) in ["text", "Markdown", "JSON"].iter().zip(&found) {
            ensure(
                codes.contains(*code),
                format!("{format} names {codes:?}, not {code}, for {edits:?}"),
            )?;
        }
    }
    Ok(())
}

fn harmless() -> Result {
    ensure(HARMLESS.len() >= 20, "too few pairs")?;
    for edits in HARMLESS {
        let folder = tempfile::tempdir()?;
        let found = reported(folder.path(), &edited(edits)?)?;
        ensure(
            found.iter().all(BTreeSet::is_empty),
            format!("{found:?} for {edits:?}"),
        )?;
    }
    Ok(())
}

/// Each code that the pairs or the cluster give has its section, and the pairs give all codes but those of a cluster.
fn pages() -> Result {
    let page = fs::read_to_string(root().join("docs/dangers.md"))?;
    for code in armada2flux::compare::danger::Code::ALL {
        contains(&page, &format!("\n## {code}\n"))?;
        let paired = DEADLY.iter().any(|(name, _)| *name == code.name());
        let of_cluster = code.name() == "takeover";
        ensure(paired != of_cluster, format!("{code} has no pair"))?;
    }
    Ok(())
}
