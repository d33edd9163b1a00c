//! How long `diff` takes against a real API server, beside `kubectl diff --server-side`, and what it asks.
//!
//! `cargo bench --bench diff` needs Go for the test bed and prints a table for `docs/performance.md`.
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
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use measure::{median, peak_memory, ratio, time};

use integration::bed::{Bed, Outcome, program::Program};

/// HelmReleases.
const RELEASES: usize = 500;
/// Namespaces that hold them.
const NAMESPACES: usize = 5;
/// Bytes of values of each, about.
const VALUES: usize = 10_000;
/// Counted rounds; the median is printed.
const ROUNDS: usize = 3;
/// What `kubectl diff` is given as `--concurrency`; its best is what counts.
const CONCURRENCIES: [usize; 6] = [1, 2, 4, 8, 16, 32];

fn main() {
    run().unwrap();
}

fn run() -> Outcome {
    let bed = Bed::start()?;
    let file = bed.path().join("releases.yaml");
    std::fs::write(&file, releases())?;
    let name = file.display().to_string();
    bed.run(
        Program::Kubectl,
        &["apply", "--server-side", "-f", &namespaces(&bed)?],
    )?;
    let manager = "--field-manager=armada2flux";
    bed.run(
        Program::Kubectl,
        &["apply", "--server-side", manager, "-f", &name],
    )?;

    let mut ours = Vec::new();
    let mut theirs: Vec<(usize, Vec<Duration>)> =
        CONCURRENCIES.iter().map(|n| (*n, Vec::new())).collect();
    for round in 0..=ROUNDS {
        // In turn, so that a slow spell of the machine hits all of them; the first round warms up.
        let taken = time(|| diff(&bed.kubeconfig, &file));
        if round > 0 {
            ours.push(taken);
        }
        for (concurrency, times) in &mut theirs {
            let concurrency = format!("--concurrency={concurrency}");
            let arguments = ["diff", "--server-side", manager, &concurrency, "-f", &name];
            let taken = time(|| bed.run(Program::Kubectl, &arguments).unwrap());
            if round > 0 {
                times.push(taken);
            }
        }
    }
    let ours = median(ours);
    let medians = theirs.into_iter().map(|(n, times)| (median(times), n));
    let (best, concurrency) = medians.min().unwrap();
    println!(
        "{RELEASES} HelmReleases with values of {VALUES} bytes in {NAMESPACES} namespaces, nothing to change\n"
    );
    println!("| what | time | against | ratio | goal |\n|---|---|---|---|---|");
    println!(
        "| `kubectl diff --server-side --concurrency={concurrency}`, its best of {CONCURRENCIES:?} | {:.2} s | | | |",
        best.as_secs_f64()
    );
    println!(
        "| `armada2flux diff` | {:.2} s | kubectl at its best | {:.2} | ≤ 0.5 |",
        ours.as_secs_f64(),
        ratio(ours, best)
    );

    let proxy = bed.proxy("counted")?;
    diff(&proxy.kubeconfig, &file);
    println!(
        "\nrequests: {} for {RELEASES} objects in {NAMESPACES} namespaces",
        proxy.seen().len()
    );
    println!(
        "peak memory: {:.0} MB",
        peak_memory(&mut command(&bed.kubeconfig, &file)) as f64 / 1e6
    );
    Ok(())
}

fn command(kubeconfig: &Path, file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_armada2flux"));
    command
        .args(["diff", "--exit-code", "-q", "--kubeconfig"])
        .args([kubeconfig, file])
        .stdin(Stdio::null());
    command
}

fn diff(kubeconfig: &Path, file: &Path) {
    let status = command(kubeconfig, file).status().unwrap();
    assert!(status.success(), "something differs, or diff failed");
}

fn namespaces(bed: &Bed) -> Outcome<String> {
    let mut text = String::new();
    for number in 0..NAMESPACES {
        writeln!(
            text,
            "---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: bench-{number}}}"
        )?;
    }
    let file = bed.path().join("namespaces.yaml");
    std::fs::write(&file, text)?;
    Ok(file.display().to_string())
}

/// Suspended releases, so that no controller acts on them while time is taken.
fn releases() -> String {
    let mut text = String::new();
    for number in 0..RELEASES {
        writeln!(
            text,
            "---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: release-{number}
  namespace: bench-{}
  labels: {{armada2flux.dev/site: bench}}
spec:
  interval: 30m
  suspend: true
  releaseName: release-{number}
  chart: {{spec: {{chart: ./chart, sourceRef: {{kind: GitRepository, name: charts, namespace: flux-system}}}}}}
  values:",
            number % NAMESPACES
        )
        .unwrap();
        let end = text.len() + VALUES;
        let mut key = 0;
        while text.len() < end {
            writeln!(
                text,
                "    part_{key}: {{enabled: true, replicas: {key}, image: registry.example.org/part/{key}:1.{number}, nothing: null}}"
            )
            .unwrap();
            key += 1;
        }
    }
    text
}
