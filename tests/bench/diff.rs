//! How long `diff` takes against a real API server, compared with `kubectl diff --server-side`, and its requests.
//!
//! `cargo bench --bench diff` needs Go for the test bed and prints a table for `docs/performance.md`.
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
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use measure::{median, peak_memory, ratio, time};

use cluster::bed::proxy::Proxy;
use cluster::bed::{Bed, Outcome, program::Program};
use cluster::{MANAGER, NAMESPACES, RELEASES, VALUES, program, write_values};

/// Counted rounds of the last comparison; the median is printed.
const ROUNDS: usize = 3;
/// Releases that differ in the count of dry runs.
const CHANGED: usize = 5;
/// Values of `--concurrency` of `kubectl diff`; the best one counts.
const CONCURRENCIES: [usize; 4] = [1, 4, 16, 32];

fn main() {
    run().unwrap();
}

/// Prints progress to stderr, since a run takes minutes.
fn print_progress(start: Instant, what: &str) {
    eprintln!("{:4} s  {what}", start.elapsed().as_secs());
}

fn run() -> Outcome {
    let start = Instant::now();
    print_progress(start, "starting a cluster");
    let bed = Bed::start()?;
    // Work of controllers would be measured, too.
    bed.stop_controllers();
    let file = bed.path().join("releases.yaml");
    std::fs::write(&file, releases(0))?;
    let name = file.display().to_string();
    print_progress(start, "applying the objects");
    for (manager, name) in [
        ("--field-manager=bench", &namespaces(&bed)?),
        (MANAGER, &name),
    ] {
        let arguments = ["apply", "--server-side", manager, "-f", name];
        bed.run(Program::Kubectl, &arguments)?;
    }
    let ours = || time(|| finish(&mut diff(&bed.kubeconfig, &file)));
    let theirs =
        |concurrency| time(|| finish(&mut kubectl(&bed, &bed.kubeconfig, concurrency, &name)));

    print_progress(start, "warming up");
    ours();
    // Each once, then the best of them in turn with ours, so that a slow machine affects both.
    let mut tried = Vec::new();
    for concurrency in CONCURRENCIES {
        let taken = theirs(concurrency);
        print_progress(
            start,
            &format!(
                "kubectl diff --concurrency={concurrency}: {:.2} s",
                taken.as_secs_f64()
            ),
        );
        tried.push((taken, concurrency));
    }
    let (_, best) = tried.iter().min().copied().ok_or("nothing was tried")?;
    let (mut our_times, mut all_times, mut their_times) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=ROUNDS {
        our_times.push(ours());
        all_times.push(time(|| {
            finish(diff(&bed.kubeconfig, &file).arg("--ask-all"));
        }));
        their_times.push(theirs(best));
        let times = [&our_times, &their_times].map(|times| times[round - 1].as_secs_f64());
        print_progress(
            start,
            &format!(
                "round {round}: ours {:.2} s, kubectl {:.2} s",
                times[0], times[1]
            ),
        );
    }
    let (our_time, all_time) = (median(our_times), median(all_times));
    let their_time = median(their_times);

    print_progress(start, "counting requests");
    let counted = |name: &str, command: &dyn Fn(&Path) -> Command| -> Outcome<Requests> {
        let proxy = bed.proxy(name)?;
        finish(&mut command(&proxy.kubeconfig));
        Ok(Requests::new(&proxy))
    };
    let our_requests = counted("ours", &|kubeconfig| diff(kubeconfig, &file))?;
    let all_requests = counted("all", &|kubeconfig| {
        let mut command = diff(kubeconfig, &file);
        command.arg("--ask-all");
        command
    })?;
    let their_requests = counted("kubectl", &|kubeconfig| {
        kubectl(&bed, kubeconfig, best, &name)
    })?;
    let changed = bed.path().join("changed.yaml");
    std::fs::write(&changed, releases(CHANGED))?;
    let proxy = bed.proxy("changed")?;
    let status = diff(&proxy.kubeconfig, &changed).status()?;
    assert_eq!(status.code(), Some(2), "nothing differs");
    let changed_requests = Requests::new(&proxy);
    print_progress(start, "measuring memory");
    let our_memory = peak_memory(&mut diff(&bed.kubeconfig, &file));
    let all_memory = peak_memory(diff(&bed.kubeconfig, &file).arg("--ask-all"));
    let their_memory = peak_memory(&mut kubectl(&bed, &bed.kubeconfig, best, &name));

    println!(
        "{RELEASES} HelmReleases with values of {VALUES} bytes in {NAMESPACES} namespaces, nothing to change\n"
    );
    println!(
        "| what | time | requests: lists, dry runs, others | peak memory |\n|---|---|---|---|"
    );
    let tried: Vec<String> = tried
        .iter()
        .map(|(taken, concurrency)| format!("{concurrency}: {:.2} s", taken.as_secs_f64()))
        .collect();
    let row = |what: &str, time: Duration, requests: &Requests, memory: u64| {
        let Requests {
            lists,
            dry_runs,
            others,
        } = requests;
        println!(
            "| {what} | {:.2} s | {}: {lists}, {dry_runs}, {others} | {:.0} MB |",
            time.as_secs_f64(),
            lists + dry_runs + others,
            memory as f64 / 1e6
        );
    };
    row(
        &format!(
            "`kubectl diff --server-side --concurrency={best}`, its best (once each, {})",
            tried.join(", ")
        ),
        their_time,
        &their_requests,
        their_memory,
    );
    row("`armada2flux diff`", our_time, &our_requests, our_memory);
    row(
        "`armada2flux diff --ask-all`",
        all_time,
        &all_requests,
        all_memory,
    );
    println!(
        "\nratio of times: {:.3} (goal ≤ 0.10), with --ask-all {:.2} (goal ≤ 0.5); with {CHANGED} releases changed: {} dry runs",
        ratio(our_time, their_time),
        ratio(all_time, their_time),
        changed_requests.dry_runs
    );
    let dry_runs = [&our_requests, &changed_requests, &all_requests].map(|seen| seen.dry_runs);
    assert_eq!(
        dry_runs,
        [0, CHANGED, RELEASES],
        "one dry run for each object that differs; with --ask-all, for each"
    );
    Ok(())
}

/// Requests that a proxy received.
struct Requests {
    lists: usize,
    dry_runs: usize,
    others: usize,
}

impl Requests {
    fn new(proxy: &Proxy) -> Self {
        let seen = proxy.requests();
        let count = |part: &str| seen.iter().filter(|seen| seen.path.contains(part)).count();
        let (lists, dry_runs) = (count("limit="), count("dryRun=All"));
        Self {
            lists,
            dry_runs,
            others: seen.len() - lists - dry_runs,
        }
    }
}

fn diff(kubeconfig: &Path, file: &Path) -> Command {
    let mut command = program();
    command
        .args(["diff", "--exit-code", "-q", "--kubeconfig"])
        .args([kubeconfig, file]);
    command
}

fn kubectl(bed: &Bed, kubeconfig: &Path, concurrency: usize, file: &str) -> Command {
    let mut command = Command::new(bed.programs.path(Program::Kubectl));
    command
        .args(["diff", "--server-side", MANAGER, "-f", file])
        .arg(format!("--concurrency={concurrency}"))
        .env("KUBECONFIG", kubeconfig)
        .stdin(Stdio::null());
    command
}

/// Runs it until it ends; both programs exit with 0 only if nothing differs.
fn finish(command: &mut Command) {
    let status = command.status().unwrap();
    assert!(
        status.success(),
        "something differs, or it failed: {status}"
    );
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

/// The releases, the first of which differ.
fn releases(changed: usize) -> String {
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
  interval: {}
  releaseName: release-{number}
  chart: {{spec: {{chart: ./chart, sourceRef: {{kind: GitRepository, name: charts, namespace: flux-system}}}}}}
  values:",
            number % NAMESPACES,
            if number < changed { "31m" } else { "30m" }
        )
        .unwrap();
        write_values(&mut text, number).unwrap();
    }
    text
}
