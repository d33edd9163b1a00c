//! What all benchmarks measure with.

use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long something takes.
pub(crate) fn time<T>(act: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    black_box(act());
    start.elapsed()
}

/// The middle one of several times.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// How many times longer `a` is than `b`.
pub(crate) fn ratio(a: Duration, b: Duration) -> f64 {
    a.as_secs_f64() / b.as_secs_f64()
}

/// Greatest resident memory of a program, in bytes, as the kernel keeps it.
pub(crate) fn peak_memory(command: &mut Command) -> u64 {
    let mut child = command.spawn().unwrap();
    let mut peak = 0;
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(memory_of(child.id(), "VmHWM:"));
        std::thread::sleep(Duration::from_millis(1));
    }
    peak
}

/// Memory of a process, in bytes, by its line in the kernel's status; 0 when the process has ended.
pub(crate) fn memory_of(process: u32, line: &str) -> u64 {
    let status = PathBuf::from(format!("/proc/{process}/status"));
    let text = std::fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|text| text.strip_prefix(line));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kilobytes.map_or(0, |kb| kb.trim().parse::<u64>().unwrap() * 1024)
}
