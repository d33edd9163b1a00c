//! Measurements that benchmarks share.
#![allow(dead_code, reason = "each benchmark uses a part of it")]

use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// Measures how long a call takes.
pub(crate) fn time<T>(act: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(act());
    start.elapsed()
}

/// Returns the median of several times.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// Returns `a` divided by `b`.
pub(crate) fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

/// Runs a program and returns its peak resident memory in bytes.
pub(crate) fn peak_memory(command: &mut Command) -> u64 {
    let mut child = command.spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(memory_of(child.id(), "VmHWM:"));
        std::thread::sleep(Duration::from_millis(1));
    }
    peak
}

/// Reads memory of a process, in bytes, from a line of `/proc/PID/status`; 0 if the process has ended.
pub(crate) fn memory_of(process: u32, line: &str) -> u64 {
    let status = PathBuf::from(format!("/proc/{process}/status"));
    let text = std::fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|text| text.strip_prefix(line));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kilobytes.map_or(0, |kb| kb.trim().parse::<u64>().unwrap() * 1024)
}
