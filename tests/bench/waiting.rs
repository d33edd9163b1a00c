//! The cost of `apply` while it waits for 500 releases that never become ready.
//!
//! `cargo bench --bench waiting` needs Go for the test bed and prints a table for `docs/performance.md`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a benchmark measures, starts programs and prints"
)]

mod cluster;
mod measure;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use measure::memory_of;

use cluster::bed::{Bed, Outcome, program::Program, until};
use cluster::{MANAGER, NAMESPACES, RELEASES, VALUES, finish, program, write_values};

/// How many are awaited in parallel: the maximum of `--parallel`.
const PARALLEL: &str = "100";
/// `apply` counts as idle after printing nothing for this long.
const QUIET: Duration = Duration::from_secs(10);
/// How long processor time is measured.
const MEASURED: Duration = Duration::from_secs(20);
/// Time limit for the controllers to reconcile all releases.
const WITHIN: Duration = Duration::from_secs(300);

fn main() {
    run().unwrap();
}

fn run() -> Outcome {
    let bed = Bed::start()?;
    let tree = tree(&bed)?;
    // The cluster already has everything that the run applies, so it only reads and waits.
    let folder = tree.display().to_string();
    bed.run(
        Program::Kubectl,
        &["apply", "--server-side", MANAGER, "-k", &folder],
    )?;

    let log = bed.path().join("apply.log");
    let mut child = start(&bed, &tree, &log)?;
    let printed = || std::fs::metadata(&log).map_or(0, |log| log.len());
    let (mut last, mut since) = (printed(), Instant::now());
    until(WITHIN, || {
        if let Some(status) = child.try_wait()? {
            let text = std::fs::read_to_string(&log)?;
            return Err(format!("apply ended ({status}): {text}").into());
        }
        if printed() != last || last == 0 {
            (last, since) = (printed(), Instant::now());
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
    let mut command = program();
    command
        .current_dir(bed.path())
        .args(["apply", "--yes", "--parallel", PARALLEL, "--kubeconfig"])
        .args([&bed.kubeconfig, tree])
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(log)?);
    Ok(command.spawn()?)
}

/// Converts the site; returns the tree. The repository lacks the folder of its charts, so Flux waits for ever.
fn tree(bed: &Bed) -> Outcome<PathBuf> {
    let commit = bed.git.commit_chart("bench", "small")?;
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
        write_values(&mut text, number)?;
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
    let mut command = program();
    command
        .args(["convert", "--new-cluster", "--no-namespaces", "-q", "-o"])
        .args([&tree, &documents]);
    finish(&mut command)?;
    Ok(tree)
}

/// Returns the processor time of all threads of a process.
fn processor_time(process: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let nanoseconds = threads.map(|thread| {
        let text = std::fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
        text.split(' ').next().unwrap().parse::<u64>().unwrap()
    });
    Duration::from_nanos(nanoseconds.sum())
}
