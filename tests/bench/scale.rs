//! Time, memory and requests of `convert`, `diff` and `plan` for sites of different sizes, against a real API server.
//!
//! `cargo bench --bench scale` needs Go for the test bed and prints a table for `docs/performance.md`.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark measures, starts programs and prints"
)]

mod cluster;
mod measure;

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::PostParams;
use measure::peak_memory;
use serde_json::{Value, json};

use cluster::bed::{Bed, Outcome, ensure, program::Program};
use cluster::{MANAGER, NAMESPACES, program};

/// Releases of the sites.
const SIZES: [usize; 3] = [250, 1000, 3000];
/// Bytes of a chart document, about.
const DOCUMENT: usize = 6600;
/// Charts of a group.
const GROUP: usize = 10;
/// Records of Helm that belong to no release of the last site.
const FOREIGN: usize = 50_000;
/// Records that are created at once.
const AT_ONCE: usize = 32;

fn main() {
    run().unwrap();
}

fn run() -> Outcome {
    let start = Instant::now();
    let progress = |what: &str| eprintln!("{:4} s  {what}", start.elapsed().as_secs());
    progress("starting a cluster");
    let bed = Bed::start()?;
    // Work of controllers would be measured, too.
    bed.stop_controllers();
    println!("| releases | command | time | requests | peak memory |\n|---|---|---|---|---|");
    for size in SIZES {
        for number in 0..NAMESPACES {
            let name = namespace(size, number);
            bed.apply(
                &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}),
            )?;
        }
        let input = bed.path().join(format!("site-{size}.yaml"));
        std::fs::write(&input, site(size))?;
        let tree = bed.path().join(format!("tree-{size}"));
        progress(&format!("{size} releases: convert, diff and plan"));
        let mut convert = program();
        convert
            .arg("convert")
            .args([&input, Path::new("-o"), &tree])
            .args(["-q", "--no-namespaces"]);
        Row::measured(convert)?.print(size, "`convert`", None);
        let site = Site {
            bed: &bed,
            size,
            tree: &tree,
        };
        site.row("diff", "created", "`diff`, new")?;
        site.row("plan", "created", "`plan`, new")?;
        if size == SIZES[SIZES.len() - 1] {
            progress("creating foreign records of Helm");
            create_foreign(&bed, &namespace(size, 0))?;
            let what = format!("`diff`, new, beside {FOREIGN} records of other releases");
            site.row("diff", "created", &what)?;
        }
        progress("applying the objects");
        let folder = tree.display().to_string();
        let apply = ["apply", "--server-side", MANAGER, "-k", &folder];
        bed.run(Program::Kubectl, &apply)?;
        progress("diff and plan again");
        site.row("diff", "unchanged", "`diff`, unchanged")?;
        site.row("plan", "unchanged", "`plan`, unchanged")?;
    }
    Ok(())
}

fn namespace(size: usize, number: usize) -> String {
    format!("scale-{size}-{}", number % NAMESPACES)
}

/// A site on a cluster.
struct Site<'s> {
    bed: &'s Bed,
    size: usize,
    tree: &'s Path,
}

impl Site<'_> {
    /// Prints the row of a command, whose report must say that every object has this outcome.
    fn row(&self, command: &str, outcome: &str, what: &str) -> Outcome {
        let Self { bed, size, tree } = self;
        let report = bed.path().join("report.json");
        let run = |kubeconfig: &Path| {
            let mut run = program();
            run.args([command, "-q", "--kubeconfig"])
                .args([kubeconfig, tree]);
            run.arg("--report")
                .arg(format!("json={}", report.display()));
            run
        };
        let row = Row::measured(run(&bed.kubeconfig))?;
        let proxy = bed.proxy(&format!("{command}-{outcome}-{size}"))?;
        cluster::finish(&mut run(&proxy.kubeconfig))?;
        let said: Value = serde_json::from_slice(&std::fs::read(&report)?)?;
        let summary = &said["summary"];
        let objects = summary["objects"].as_u64();
        ensure(
            objects >= Some(*size as u64) && summary[outcome].as_u64() == objects,
            || format!("{summary}"),
        )?;
        row.print(*size, what, Some(proxy.requests().len()));
        Ok(())
    }
}

/// What a command takes.
struct Row {
    time: Duration,
    memory: u64,
}

impl Row {
    fn measured(mut command: Command) -> Outcome<Self> {
        let start = Instant::now();
        let memory = peak_memory(&mut command);
        Ok(Self {
            time: start.elapsed(),
            memory,
        })
    }

    fn print(&self, size: usize, what: &str, requests: Option<usize>) {
        let requests = requests.map_or_else(String::new, |requests| requests.to_string());
        println!(
            "| {size} | {what} | {:.2} s | {requests} | {:.0} MB |",
            self.time.as_secs_f64(),
            self.memory as f64 / 1e6
        );
    }
}

/// Creates records of releases that the site does not have, as Helm labels them.
fn create_foreign(bed: &Bed, namespace: &str) -> Outcome {
    let secrets: Api<Secret> = Api::namespaced(bed.client.clone(), namespace);
    let created = (0..FOREIGN).map(|number| {
        let secrets = secrets.clone();
        async move {
            let secret: Secret = serde_json::from_value(json!({
                "metadata": {
                    "name": format!("sh.helm.release.v1.foreign-{number}.v1"),
                    "labels": {
                        "name": format!("foreign-{number}"), "owner": "helm", "status": "deployed", "version": "1",
                        "modifiedAt": "1790000000",
                    },
                },
                "type": "helm.sh/release.v1",
                "stringData": {"release": "H4sIAAAAAAAA"},
            }))?;
            secrets.create(&PostParams::default(), &secret).await?;
            Ok::<_, cluster::bed::Error>(())
        }
    });
    bed.block_on(
        futures::stream::iter(created)
            .buffer_unordered(AT_ONCE)
            .try_collect::<Vec<()>>(),
    )?;
    Ok(())
}

/// Returns the documents of a site.
fn site(size: usize) -> String {
    let mut text = String::new();
    for number in 0..size {
        let end = text.len() + DOCUMENT;
        write!(
            text,
            "---
schema: armada/Chart/v1
metadata: {{schema: metadata/Document/v1, name: chart-{number}}}
data:
  chart_name: chart-{number}
  release: release-{number}
  namespace: {}
  source:
    type: git
    location: https://git.example.org/charts.git
    subpath: chart-{number}
    reference: 0123456789abcdef0123456789abcdef01234567
  dependencies: []
  wait: {{timeout: 1800, labels: {{release_group: scale-release-{number}}}}}
  upgrade: {{no_hooks: false}}
  values:
",
            namespace(size, number)
        )
        .unwrap();
        let mut section = 0;
        while text.len() < end {
            let some = (number * 31 + section * 7919) % 100_000;
            write!(
                text,
                "    section_{section}:
      images: {{tags: {{main: 'registry.example.org/project/image-{some}:v1.{section}.0', pull: null}}}}
      pod: {{replicas: {{server: {}}}, lifecycle: {{upgrades: {{revision_history: 3, enabled: true}}}}}}
      endpoints:
        service: {{hosts: {{default: service-{some}}}, port: {{api: {{default: {some}}}}}, ratio: 0.{some}}}
      hosts: [node-{some}-a.example.org, node-{some}-b.example.org]
      script: |
        #!/bin/bash
        set -ex
        exec service --port {some} \\
          --verbose \"$@\"
",
                some % 5
            )
            .unwrap();
            section += 1;
        }
    }
    let groups = size / GROUP;
    for group in 0..groups {
        let charts: Vec<String> = (0..GROUP)
            .map(|at| format!("chart-{}", group * GROUP + at))
            .collect();
        write!(
            text,
            "---
schema: armada/ChartGroup/v1
metadata: {{schema: metadata/Document/v1, name: group-{group}}}
data:
  sequenced: {}
  chart_group: [{}]
",
            group % 4 == 0,
            charts.join(", ")
        )
        .unwrap();
    }
    let groups: Vec<String> = (0..groups).map(|group| format!("group-{group}")).collect();
    write!(
        text,
        "---
schema: armada/Manifest/v1
metadata: {{schema: metadata/Document/v1, name: scale-{size}}}
data:
  release_prefix: scale
  chart_groups: [{}]
",
        groups.join(", ")
    )
    .unwrap();
    text
}
