//! What `apply` costs while it waits: 500 releases that never become ready.
//!
//! `cargo bench --bench waiting` needs Go for the test bed and prints a table for `docs/performance.md`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark measures, starts programs and prints"
)]
#![allow(dead_code, reason = "the bed is made for the live tests")]

mod measure;

#[path = "../integration"]
mod integration {
    pub(crate) mod bed;
}

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use measure::memory_of;

use integration::bed::{Bed, Outcome, armada::copy_charts, program::Program, until};

/// HelmReleases of the site, all in one chart group.
const RELEASES: usize = 500;
/// Namespaces that hold them.
const NAMESPACES: usize = 5;
/// Bytes of values of each, about.
const VALUES: usize = 10_000;
/// How many are awaited at the same time: the most that `--parallel` takes.
const PARALLEL: &str = "100";
/// For so long nothing may have been told before it counts as idle.
const QUIET: Duration = Duration::from_secs(10);
/// For so long the processor's time is taken.
const MEASURED: Duration = Duration::from_secs(20);
/// For the controllers to look at all releases.
const WITHIN: Duration = Duration::from_secs(300);

fn main() {
    run().unwrap();
}

fn run() -> Outcome {
    let bed = Bed::start()?;
    let tree = tree(&bed)?;
    // Everything is there as the run wants it, so all that it does is to look and to wait.
    let folder = tree.display().to_string();
    let manager = "--field-manager=armada2flux";
    bed.run(
        Program::Kubectl,
        &["apply", "--server-side", manager, "-k", &folder],
    )?;

    let log = bed.path().join("told.log");
    let mut child = start(&bed, &tree, &log)?;
    let told = || std::fs::metadata(&log).map_or(0, |log| log.len());
    let (mut last, mut since) = (told(), Instant::now());
    until(WITHIN, || {
        if let Some(status) = child.try_wait()? {
            let said = std::fs::read_to_string(&log)?;
            return Err(format!("it ended ({status}): {said}").into());
        }
        if told() != last || last == 0 {
            (last, since) = (told(), Instant::now());
        }
        Ok((since.elapsed() > QUIET).then_some(()))
    })?;
    let (before, start) = (processor_time(child.id()), Instant::now());
    std::thread::sleep(MEASURED);
    let (used, time) = (processor_time(child.id()) - before, start.elapsed());
    let peak = memory_of(child.id(), "VmHWM:");
    let resident = memory_of(child.id(), "VmRSS:");
    child.kill()?;
    child.wait()?;
    println!(
        "{RELEASES} HelmReleases with values of {VALUES} bytes in {NAMESPACES} namespaces, {PARALLEL} of them awaited\n"
    );
    println!("| while it waits | | goal |\n|---|---|---|");
    println!(
        "| processor, of one core over {} s | {:.2} % | < 2 % |",
        time.as_secs(),
        100.0 * used.as_secs_f64() / time.as_secs_f64()
    );
    println!("| memory, peak | {:.0} MB | |", peak as f64 / 1e6);
    println!("| memory, resident | {:.0} MB | |", resident as f64 / 1e6);
    Ok(())
}

fn start(bed: &Bed, tree: &Path, log: &Path) -> Outcome<Child> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_armada2flux"));
    command
        .current_dir(bed.path())
        .env_clear()
        .args(["apply", "--yes", "--parallel", PARALLEL, "--kubeconfig"])
        .args([&bed.kubeconfig, tree])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(log)?);
    Ok(command.spawn()?)
}

/// The site, converted. Its charts are in no folder of the repository, so Flux waits for them for ever.
fn tree(bed: &Bed) -> Outcome<PathBuf> {
    let charts = bed.path().join("charts-bench");
    let small = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/testbed/charts/small");
    copy_charts(&small, &charts.join("small"))?;
    let commit = bed.git.commit("bench", &charts, "Add a chart")?;
    for number in 0..NAMESPACES {
        bed.apply(&serde_json::json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": format!("bench-{number}")},
        }))?;
    }
    let location = bed.git.url("bench");
    let mut text = String::new();
    for number in 0..RELEASES {
        write!(
            text,
            "---
schema: armada/Chart/v2
metadata: {{schema: metadata/Document/v1, name: chart-{number}}}
data:
  release: release-{number}
  namespace: bench-{}
  source: {{type: git, location: '{location}', subpath: nowhere, reference: {commit}}}
  test: {{enabled: false}}
  wait: {{timeout: 3600, labels: {{app: release-{number}}}}}
  values:
",
            number % NAMESPACES
        )?;
        let end = text.len() + VALUES;
        let mut key = 0;
        while text.len() < end {
            writeln!(
                text,
                "    part_{key}: {{enabled: true, image: registry.example.org/part/{key}:1.{number}}}"
            )?;
            key += 1;
        }
    }
    let names: Vec<String> = (0..RELEASES)
        .map(|number| format!("chart-{number}"))
        .collect();
    write!(
        text,
        "---
schema: armada/ChartGroup/v2
metadata: {{schema: metadata/Document/v1, name: all}}
data: {{sequenced: false, chart_group: [{}]}}
---
schema: armada/Manifest/v2
metadata: {{schema: metadata/Document/v1, name: bench}}
data: {{release_prefix: bench, chart_groups: [all]}}
",
        names.join(", ")
    )?;
    let (documents, tree) = (bed.path().join("bench.yaml"), bed.path().join("bench"));
    std::fs::write(&documents, text)?;
    let output = Command::new(env!("CARGO_BIN_EXE_armada2flux"))
        .args(["convert", "--new-cluster", "--no-namespaces", "-q", "-o"])
        .args([&tree, &documents])
        .output()?;
    if output.status.success() {
        return Ok(tree);
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned().into())
}

/// How long all threads of a process have had a processor.
fn processor_time(process: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let nanoseconds = threads.map(|thread| {
        let text = std::fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
        text.split(' ').next().unwrap().parse::<u64>().unwrap()
    });
    Duration::from_nanos(nanoseconds.sum())
}
