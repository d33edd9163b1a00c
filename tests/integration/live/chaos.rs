//! Random signals to `apply` and torn journals, while components of the cluster stop and restart: resumed until it ends, a
//! run does everything once and in order.

use std::fs::File;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::apply_kill::{Killed, MARKERS, Random, seed};
use super::parallel::in_rounds;
use super::small_site::{self, SmallSite, WITHIN};
use super::{Scope, Test, ensure};
use crate::bed::freezer::Freezer;
use crate::bed::program::Program;
use crate::bed::{Outcome, build, lock, until};
use crate::support::ProgramOutput;

pub(super) fn tests() -> Vec<Test> {
    vec![Test::private("chaos::runs_end_right", rounds)]
}

/// Installations with an upgrade; `ARMADA2FLUX_CHAOS_ROUNDS` sets another number.
const ROUNDS: usize = 40;
/// Rounds that run side by side.
const AT_ONCE: usize = 6;
/// Disturbances of one run, at most.
const ACTS: usize = 3;
/// Lines of the journal until a disturbance, at most.
const LINES: usize = 14;
/// Longest stop, in milliseconds.
const STOP: usize = 3000;

/// What happens to a run of `apply`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Act {
    Signal(&'static str),
    /// Stops it for a while.
    Stop,
    /// Kills it, and leaves the beginning of a line in the journal.
    Tear,
    /// Turns its connections silent.
    Freeze,
}

const CHOICE: [Act; 8] = [
    Act::Signal("KILL"),
    Act::Signal("KILL"),
    Act::Signal("TERM"),
    Act::Signal("INT"),
    Act::Stop,
    Act::Tear,
    Act::Tear,
    Act::Freeze,
];

fn rounds(scope: &Scope<'_>) -> Outcome {
    let rounds = match std::env::var("ARMADA2FLUX_CHAOS_ROUNDS") {
        Ok(rounds) => rounds.parse()?,
        Err(_) => ROUNDS,
    };
    let seed = seed()?;
    let commit = small_site::commit(scope)?;
    let done: Mutex<Vec<Killed>> = Mutex::default();
    let disturbed = AtomicUsize::new(0);
    let over = AtomicBool::new(false);
    let stops = AtomicUsize::new(0);
    let ran = thread::scope(|threads| {
        let cluster = threads.spawn(|| disturb_cluster(scope, seed, &over, &stops));
        let ran = in_rounds(rounds, AT_ONCE, |number| {
            let mut random = Random::new(seed.wrapping_add(number as u64 * 7919));
            let (killed, acts) = round(scope, &commit, number, &mut random)
                .map_err(|error| format!("round {number}, seed {seed}: {error}"))?;
            disturbed.fetch_add(acts, Ordering::Relaxed);
            lock(&done).push(killed);
            Ok(())
        });
        over.store(true, Ordering::Relaxed);
        let cluster = cluster
            .join()
            .unwrap_or_else(|_| Err("a thread panicked".into()));
        ran.and(cluster)
    });
    ran?;
    let audit = scope.bed.audit()?;
    let done = lock(&done);
    for killed in &*done {
        killed
            .kept_order(&audit)
            .map_err(|error| format!("{}, seed {seed}: {error}", killed.described()))?;
    }
    build::print_progress(&format!(
        "{} rounds, {} disturbances of runs, {} of the cluster; ARMADA2FLUX_SEED={seed}",
        done.len(),
        disturbed.into_inner(),
        stops.into_inner(),
    ));
    ensure(done.len() == rounds, || {
        format!("{} of {rounds} rounds", done.len())
    })
}

/// Stops components for a while, and restarts source-controller, until it is over.
fn disturb_cluster(
    scope: &Scope<'_>,
    seed: u64,
    over: &AtomicBool,
    stops: &AtomicUsize,
) -> Outcome {
    let mut random = Random::new(seed);
    while !over.load(Ordering::Relaxed) {
        let stopped = match random.below(5) {
            0 => Some(Program::Etcd),
            1 => Some(Program::KubeApiserver),
            2 => Some(Program::HelmController),
            3 => Some(Program::SourceController),
            _ => {
                scope.bed.restart(Program::SourceController)?;
                None
            }
        };
        let stopped = stopped
            .map(|program| scope.bed.pause(program))
            .transpose()?;
        passes(random.below(STOP))?;
        drop(stopped);
        stops.fetch_add(1, Ordering::Relaxed);
        passes(random.below(STOP))?;
    }
    Ok(())
}

/// Lets a time pass that is part of a disturbance.
fn passes(milliseconds: usize) -> Outcome {
    let time = Duration::from_millis(u64::try_from(milliseconds)?);
    let start = Instant::now();
    until(2 * WITHIN, || Ok((start.elapsed() >= time).then_some(())))
}

/// Installs and upgrades a site; returns also how often its runs were disturbed.
fn round(
    scope: &Scope<'_>,
    commit: &str,
    number: usize,
    random: &mut Random,
) -> Outcome<(Killed, usize)> {
    let name = format!("{}-{number}", scope.namespace);
    let site = SmallSite::create(scope, commit, &name)?;
    let freezer = scope.bed.freezer(&name)?;
    let mut jobs = Vec::new();
    let mut acts = Vec::new();
    for marker in MARKERS {
        let tree = site.tree(marker, &[])?;
        let plan: Vec<(Act, usize)> = (0..random.below(ACTS + 1))
            .map(|_| (CHOICE[random.below(CHOICE.len())], random.below(LINES)))
            .collect();
        let told = format!("{marker}: {plan:?}");
        run(&site, &freezer, &tree, &plan, random).map_err(|error| format!("{told}: {error}"))?;
        acts.extend(plan);
        site.expect_deployed(marker)
            .map_err(|error| format!("{told}: {error}"))?;
        site.expect_complete()?;
        let uid = site.job()?["metadata"]["uid"].as_str().map(str::to_owned);
        jobs.push(uid.unwrap_or_default());
    }
    let jobs = jobs.try_into().map_err(|_| "two runs")?;
    Ok((
        Killed::new(name, format!("{acts:?}"), acts.len(), jobs),
        acts.len(),
    ))
}

/// Runs `apply`, and resumes it until it ends with 0.
fn run(
    site: &SmallSite<'_>,
    freezer: &Freezer,
    tree: &std::path::Path,
    plan: &[(Act, usize)],
    random: &mut Random,
) -> Outcome {
    let began = |lines: &[serde_json::Value]| {
        let began = lines
            .iter()
            .filter(|line| line["entry"]["type"] == "run-started");
        began.count()
    };
    let before = began(&site.journal_entries()?);
    let mut acts = plan.iter();
    // A run that ends while the server is stopped may leave its Lease, which a later run takes once it has expired.
    let mut refused = None;
    loop {
        let act = match refused {
            None => acts.next(),
            Some(_) => None,
        };
        let entries = site.journal_entries()?;
        let begun = began(&entries) > before;
        let mut options = Vec::new();
        options.extend(begun.then_some("--resume"));
        options.extend(refused.map(|_| "--break-lock"));
        let mut running = site.start(&freezer.kubeconfig, tree, &options)?;
        if let Some((act, after)) = act {
            let lines = entries.len() + after;
            until(2 * WITHIN, || {
                let reached = site.journal_entries()?.len() >= lines;
                Ok((reached || running.has_ended()?).then_some(()))
            })?;
            if !running.has_ended()? {
                match act {
                    Act::Signal(name) => running.signal(name)?,
                    Act::Tear => running.signal("KILL")?,
                    Act::Freeze => freezer.freeze(),
                    Act::Stop => {
                        running.signal("STOP")?;
                        passes(random.below(STOP))?;
                        running.signal("CONT")?;
                    }
                }
            }
        }
        let ProgramOutput {
            code,
            stdout,
            stderr,
        } = running.end()?;
        match (act, code) {
            (_, Some(0)) => return Ok(()),
            (_, Some(4))
                if stderr.contains("another run holds the Lease")
                    && refused.is_none_or(|since: Instant| since.elapsed() < WITHIN) =>
            {
                refused.get_or_insert_with(Instant::now);
                passes(STOP)?;
                continue;
            }
            (Some((Act::Signal(_) | Act::Tear, _)), _) => {}
            _ => return Err(format!("{act:?}: {code:?}\n{stdout}{stderr}").into()),
        }
        if let Some((Act::Tear, _)) = act
            && site.journal().exists()
        {
            let mut journal = File::options().append(true).open(site.journal())?;
            journal.write_all(b"{\"at\":\"2026-")?;
        }
    }
}
