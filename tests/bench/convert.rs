//! The time and memory of `convert`, and the start-up time of the program.
//!
//! `cargo bench --bench convert` prints a table for `docs/performance.md`. Times are compared with a
//! baseline of the same run, since machines differ in speed and load.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark measures, starts programs and prints"
)]

mod measure;

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use armada2flux::compile::{Inputs, Options, Texts};
use armada2flux::diagnostic::Diagnostics;
use armada2flux::emit::{self, View};
use armada2flux::flux::Object;
use armada2flux::lower::Role;
use armada2flux::parallel::{self, Workers};
use armada2flux::yaml::Dialect;
use measure::{median, peak_memory, ratio, time};

/// Charts of the input.
const CHARTS: usize = 2500;
/// Bytes of the input, about.
const BYTES: usize = 20_000_000;
/// Charts in a group.
const GROUP: usize = 10;
/// Steps of the site of large steps.
const STEPS: usize = 20;
/// Releases of each of them.
const STEP: usize = 40;
/// Counted rounds; the median is printed.
const ROUNDS: usize = 7;

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let text = manifest();
    let input = folder.path().join("site.yaml");
    std::fs::write(&input, &text).unwrap();
    let events = events(&text);
    println!(
        "input: {:.1} MB, {CHARTS} charts, {events} events; {} cores\n",
        text.len() as f64 / 1e6,
        std::thread::available_parallelism().map_or(1, usize::from)
    );

    let all = std::thread::available_parallelism().map_or(Workers::ONE, Workers::new);
    let mut bare = Vec::new();
    let mut sink = Vec::new();
    let mut one = Vec::new();
    let mut files = Vec::new();
    let mut again = Vec::new();
    let mut checks = Vec::new();
    for round in 0..=ROUNDS {
        let output = folder.path().join(format!("flux-{round}"));
        // In turn, so that a slow machine affects all of them; the first round warms up.
        let times = (
            time(|| black_box(self::events(&text))),
            time(|| black_box(convert_to_sink(&text, all))),
            time(|| black_box(convert_to_sink(&text, Workers::ONE))),
            time(|| convert_to_files(&input, &output)),
            time(|| convert_to_files(&input, &output)),
            validation(&text, all),
        );
        if round > 0 {
            bare.push(times.0);
            sink.push(times.1);
            one.push(times.2);
            files.push(times.3);
            again.push(times.4);
            checks.push(times.5);
        }
        std::fs::remove_dir_all(&output).unwrap();
    }
    let (bare, sink, one) = (median(bare), median(sink), median(one));
    let (files, again, checks) = (median(files), median(again), median(checks));
    let mut table =
        String::from("| what | time | against | ratio | goal |\n|---|---|---|---|---|\n");
    row(
        &mut table,
        "bare event parse of the same bytes",
        bare,
        "",
        None,
        "",
    );
    row(
        &mut table,
        "convert to a sink, all cores",
        sink,
        "bare event parse",
        Some(ratio(sink, bare)),
        "≤ 2.5",
    );
    row(
        &mut table,
        "the same on one core",
        one,
        "bare event parse",
        Some(ratio(one, bare)),
        "",
    );
    row(
        &mut table,
        "convert to a new folder, whole process",
        files,
        "bare event parse",
        Some(ratio(files, bare)),
        "≤ 1.8",
    );
    row(
        &mut table,
        "the same over an earlier tree",
        again,
        "bare event parse",
        Some(ratio(again, bare)),
        "",
    );
    row(
        &mut table,
        "validate: decode and every check, the YAML read before",
        checks,
        "convert to a sink",
        Some(ratio(checks, sink)),
        "≤ 0.20",
    );
    match pyyaml(&input) {
        Some(python) => {
            row(
                &mut table,
                "PyYAML's C loader alone",
                python,
                "convert to a sink",
                Some(ratio(python, sink)),
                "≥ 7, two cores ≥ 15",
            );
        }
        None => println!("PyYAML with libyaml is not installed: its row is left out\n"),
    }
    let starts: Vec<_> = (0..31).map(|_| time(start)).collect();
    let start = median(starts);
    row(
        &mut table,
        "start-up (`--version`), whole process",
        start,
        "",
        None,
        "≤ 10 ms",
    );
    println!("{table}");

    let peak = peak_memory(&mut convert_command(&input, &folder.path().join("flux")));
    println!(
        "peak memory of convert to files: {:.0} MB, {:.1} × input (goal ≤ 6)",
        peak as f64 / 1e6,
        peak as f64 / text.len() as f64
    );
    let program = std::fs::metadata(program()).unwrap().len();
    println!("program: {:.1} MB (goal ≤ 20)", program as f64 / 1e6);
    large_steps(folder.path());
}

/// Prints the time of a site of few and large steps, where dependencies are most of the tree, and the size of the tree.
fn large_steps(folder: &Path) {
    let input = folder.join("steps.yaml");
    std::fs::write(&input, steps()).unwrap();
    let output = folder.join("steps");
    let times = (0..ROUNDS).map(|_| {
        let time = time(|| convert_to_files(&input, &output));
        let bytes = size(&output);
        std::fs::remove_dir_all(&output).unwrap();
        (time, bytes)
    });
    let (times, bytes): (Vec<_>, Vec<_>) = times.unzip();
    println!(
        "{} releases in {STEPS} groups of {STEP}: {:.1} ms, a tree of {:.1} MB",
        STEPS * STEP,
        median(times).as_secs_f64() * 1e3,
        bytes[0] as f64 / 1e6
    );
}

/// Returns the bytes of all files below a folder.
fn size(folder: &Path) -> u64 {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let bytes = entries.map(|entry| {
        let found = entry.metadata().unwrap();
        if found.is_dir() {
            size(&entry.path())
        } else {
            found.len()
        }
    });
    bytes.sum()
}

/// Returns a site whose groups are not sequenced, so that each is one step.
fn steps() -> String {
    let mut text = String::new();
    let mut groups = Vec::new();
    for group in 0..STEPS {
        let charts: Vec<String> = (0..STEP)
            .map(|chart| format!("chart-{group:02}-{chart:02}"))
            .collect();
        for chart in &charts {
            write!(
                text,
                "---
schema: armada/Chart/v1
metadata: {{schema: metadata/Document/v1, name: {chart}}}
data:
  chart_name: {chart}
  release: {chart}
  namespace: shop
  source: {{type: git, location: https://git.example.org/charts.git, subpath: {chart}, reference: a123456789012345678901234567890123456789}}
  wait: {{timeout: 600, labels: {{release_group: fleet-{chart}}}}}
  values: {{replicas: 2, image: registry.example.org/{chart}:1.2}}
"
            )
            .unwrap();
        }
        let charts = charts.join(", ");
        write!(
            text,
            "---
schema: armada/ChartGroup/v1
metadata: {{schema: metadata/Document/v1, name: group-{group:02}}}
data: {{description: a group, sequenced: false, chart_group: [{charts}]}}
"
        )
        .unwrap();
        groups.push(format!("group-{group:02}"));
    }
    write!(
        text,
        "---
schema: armada/Manifest/v1
metadata: {{schema: metadata/Document/v1, name: fleet}}
data: {{release_prefix: fleet, chart_groups: [{}]}}
",
        groups.join(", ")
    )
    .unwrap();
    text
}

fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_armada2flux"))
}

fn row(
    table: &mut String,
    what: &str,
    time: Duration,
    against: &str,
    ratio: Option<f64>,
    goal: &str,
) {
    let ratio = ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
    let milliseconds = time.as_secs_f64() * 1e3;
    writeln!(
        table,
        "| {what} | {milliseconds:.1} ms | {against} | {ratio} | {goal} |"
    )
    .unwrap();
}

fn events(text: &str) -> usize {
    let mut events = 0;
    for event in granit_parser::Parser::new_from_str(text) {
        black_box(event.unwrap());
        events += 1;
    }
    events
}

fn read(text: &str, workers: Workers, diagnostics: &mut Diagnostics) -> Inputs {
    let mut texts = Texts::default();
    let file = texts.sources.add("site.yaml", text).unwrap();
    texts.documents.push(file);
    Inputs::read(texts, Dialect::PyYaml, workers, diagnostics)
}

/// Runs all of `convert`; the output is counted and dropped.
fn convert_to_sink(text: &str, workers: Workers) -> usize {
    let mut diagnostics = Diagnostics::default();
    let inputs = read(text, workers, &mut diagnostics);
    let mut bytes = 0;
    let mut sink = |batch: Vec<(Role<'_>, Object)>| {
        let lengths = parallel::map(batch, workers, |(_, object)| {
            let mut text = String::new();
            emit::write_yaml(&object.value, View::Clear, &mut text);
            black_box(text).len()
        });
        bytes += lengths.iter().sum::<usize>();
    };
    inputs
        .decode(&mut diagnostics)
        .compile(&Options::default(), &mut diagnostics, &mut sink)
        .unwrap();
    assert_eq!(diagnostics.errors(), 0, "{:?}", diagnostics.list().first());
    bytes
}

/// Measures validation without reading: decoding by Armada's schemas, and every check.
fn validation(text: &str, workers: Workers) -> Duration {
    let mut diagnostics = Diagnostics::default();
    let inputs = read(text, workers, &mut diagnostics);
    let time = time(|| {
        let decoded = inputs.decode(&mut diagnostics);
        decoded.check(None, &mut diagnostics);
        decoded.documents.charts.len()
    });
    assert_eq!(diagnostics.errors(), 0, "{:?}", diagnostics.list().first());
    time
}

fn convert_to_files(input: &Path, output: &Path) {
    let status = convert_command(input, output).status().unwrap();
    assert!(status.success());
}

fn convert_command(input: &Path, output: &Path) -> Command {
    let mut command = Command::new(program());
    command
        .arg("convert")
        .args([input, Path::new("-o"), output])
        .arg("-q")
        .stdin(Stdio::null());
    command
}

fn start() {
    let output = Command::new(program()).arg("--version").output().unwrap();
    assert!(output.status.success());
}

/// Measures how long PyYAML takes to load the file as Armada does; `None` without Python, PyYAML or libyaml.
fn pyyaml(input: &Path) -> Option<Duration> {
    let script = "
import sys, time, yaml
loader = yaml.CSafeLoader
text = open(sys.argv[1]).read()
start = time.perf_counter()
for document in yaml.load_all(text, Loader=loader):
    pass
print(time.perf_counter() - start)
";
    let output = Command::new("python3")
        .args(["-c", script])
        .arg(input)
        .output()
        .ok()?;
    let seconds: f64 = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
    Some(Duration::from_secs_f64(seconds))
}

/// Returns a site like real ones: values with short strings, numbers, nulls, lists and scripts.
fn manifest() -> String {
    let mut text = String::with_capacity(BYTES + BYTES / 10);
    let per_chart = BYTES / CHARTS;
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    for chart in 0..CHARTS {
        let end = text.len() + per_chart;
        write!(
            text,
            "---
schema: armada/Chart/v1
metadata:
  schema: metadata/Document/v1
  name: chart-{chart}
data:
  chart_name: chart-{chart}
  release: release-{chart}
  namespace: namespace-{}
  source:
    type: git
    location: https://git.example.org/charts.git
    subpath: chart-{chart}
    reference: 0123456789abcdef0123456789abcdef01234567
  dependencies: []
  wait:
    timeout: 1800
    labels:
      release_group: site-release-{chart}
  upgrade:
    no_hooks: false
  values:
",
            chart % 7
        )
        .unwrap();
        let mut section = 0;
        while text.len() < end {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let number = random % 100_000;
            write!(
                text,
                "    section_{section}:
      images:
        tags:
          main: registry.example.org/project/image-{number}:v1.{section}.0
          init: 'registry.example.org/project/init-{number}:stable'
      pod:
        replicas:
          server: {}
        lifecycle:
          upgrades:
            revision_history: 3
            enabled: true
      endpoints:
        service:
          hosts:
            default: service-{number}
          host_fqdn_override:
            default: null
          port:
            api:
              default: {number}
          ratio: 0.{number}
      hosts:
        - node-{number}-a.example.org
        - node-{number}-b.example.org
      script: |
        #!/bin/bash
        set -ex
        exec service --port {number} \\
          --verbose \"$@\"
",
                number % 5
            )
            .unwrap();
            section += 1;
        }
    }
    for group in 0..CHARTS / GROUP {
        write!(
            text,
            "---
schema: armada/ChartGroup/v1
metadata: {{schema: metadata/Document/v1, name: group-{group}}}
data:
  sequenced: {}
  chart_group:
",
            group % 4 == 0
        )
        .unwrap();
        for chart in 0..GROUP {
            writeln!(text, "    - chart-{}", group * GROUP + chart).unwrap();
        }
    }
    text.push_str(
        "---
schema: armada/Manifest/v1
metadata: {schema: metadata/Document/v1, name: site}
data:
  release_prefix: site
  chart_groups:
",
    );
    for group in 0..CHARTS / GROUP {
        writeln!(text, "    - group-{group}").unwrap();
    }
    text
}
