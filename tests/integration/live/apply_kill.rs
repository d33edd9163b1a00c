//! `apply` is killed at every write to the cluster, and at random requests; when resumed, it reaches the same result.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::parallel::in_rounds;
use super::small_site::{self, DB, FIRST, LAST, SmallSite};
use super::{Scope, Test, ensure};
use crate::bed::audit::Entry;
use crate::bed::build;
use crate::bed::proxy::{Fault, Kind, Proxy, Rule};
use crate::bed::{Outcome, lock};

/// The status that the API server logs for a request whose client has gone.
const GATEWAY_TIMEOUT: u16 = 504;

pub(super) fn tests() -> Vec<Test> {
    vec![Test::shared(
        "apply_kill::every_killed_run_resumes",
        every_write,
    )]
}

/// Sites that are rolled out in parallel.
const AT_ONCE: usize = 6;

/// Kills at random requests.
const RANDOM: u64 = 10;

/// The marker in the values of a site before and after its upgrade.
pub(super) const MARKERS: [&str; 2] = ["one", "two"];

/// When a process is killed.
#[derive(Clone, Debug)]
struct Moment {
    /// Method and path of the write, with [`HERE`] for the namespace; `None` for any request.
    write: Option<(String, String)>,
    /// Which of those requests, from 1.
    nth: usize,
    /// Whether the API server handles it before.
    done: bool,
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { write, nth, done } = self;
        let when = if *done { "after" } else { "before" };
        match write {
            Some((method, path)) => write!(f, "{when} {method} {path}, number {nth}"),
            None => write!(f, "{when} request {nth}"),
        }
    }
}

/// The placeholder for the namespace in a path.
const HERE: &str = "NAMESPACE";

/// The source of a site is the only one there. Its name has a digest of the site's name in it, so the path ends here.
const SOURCE: &str = "/gitrepositories/";

impl Moment {
    /// Returns a moment before and one after every recorded write, identified by path and number.
    fn all(proxy: &Proxy, site: &SmallSite<'_>) -> Vec<Self> {
        let mut met: BTreeMap<(String, String), usize> = BTreeMap::new();
        let mut all = Vec::new();
        for seen in proxy
            .requests()
            .into_iter()
            .filter(|seen| seen.kind == Kind::Write)
        {
            let path = seen.path.split('?').next().unwrap_or_default();
            let path = match path.find(SOURCE) {
                Some(at) => &path[..at + SOURCE.len()],
                None => path,
            };
            let path = path.replace(&site.name, HERE);
            let write = (seen.method.to_string(), path);
            let nth = met.entry(write.clone()).or_insert(0);
            *nth += 1;
            for done in [false, true] {
                let (write, nth) = (Some(write.clone()), *nth);
                all.push(Self { write, nth, done });
            }
        }
        all
    }

    fn rule(&self, site: &SmallSite<'_>, process: u32) -> Rule {
        let Self { write, nth, done } = self;
        let rule = Rule::new(if *done {
            Fault::KillAfter(process)
        } else {
            Fault::KillBefore(process)
        });
        let rule = match write {
            Some((method, path)) => {
                let path = path.replace(HERE, &site.name);
                let rule = rule.kind(Kind::Write).method(method);
                match path.ends_with(SOURCE) {
                    true => rule.path(&path),
                    false => rule.exactly(&path),
                }
            }
            None => rule,
        };
        rule.starting_at(*nth).times(1)
    }

    /// Whether a run may end without reaching it: how often the state is written and the Lease renewed depends on time,
    /// and so does the number of requests.
    fn may_be_missed(&self) -> bool {
        let Some((method, path)) = &self.write else {
            return true;
        };
        path.contains("/configmaps/") || method == "PUT" && self.nth > 1
    }
}

/// Returns the seed of random choices, which `ARMADA2FLUX_SEED` sets.
pub(super) fn seed() -> Outcome<u64> {
    Ok(match std::env::var("ARMADA2FLUX_SEED") {
        Ok(seed) => seed.parse()?,
        Err(_) => u64::from(std::process::id()),
    })
}

fn every_write(scope: &Scope<'_>) -> Outcome {
    let seed = seed()?;
    let commit = small_site::commit(scope)?;
    let clean = SmallSite::create(scope, &commit, &format!("{}-clean", scope.namespace))?;
    // The moments are those of runs without a kill.
    let mut moments = Vec::new();
    let mut requests = Vec::new();
    for marker in MARKERS {
        let proxy = scope.bed.proxy(&format!("{}-{marker}", clean.name))?;
        let ran = clean.apply_at(&proxy.kubeconfig, &clean.tree(marker, &[])?, &[])?;
        ensure(ran.code == Some(0), || {
            format!("{}{}", ran.stdout, ran.stderr)
        })?;
        clean.expect_deployed(marker)?;
        moments.push(Moment::all(&proxy, &clean));
        requests.push(proxy.requests().len());
    }
    let [install, upgrade] = &mut moments[..] else {
        return Err("two runs".into());
    };
    let deletes = upgrade
        .iter()
        .any(|moment| matches!(&moment.write, Some((method, _)) if method == "DELETE"));
    ensure(deletes, || {
        "nothing is deleted before the upgrade".to_owned()
    })?;
    let mut random = Random::new(seed);
    for (moments, requests) in [(&mut *install, requests[0]), (&mut *upgrade, requests[1])] {
        for _ in 0..RANDOM / 2 {
            let nth = 1 + random.below(requests);
            let done = random.below(2) == 1;
            moments.push(Moment {
                write: None,
                nth,
                done,
            });
        }
    }
    let sites = install.len().max(upgrade.len());
    let done: Mutex<Vec<Killed>> = Mutex::default();
    in_rounds(sites, AT_ONCE, |number| {
        // The shorter list is repeated.
        let moments = [
            &install[number % install.len()],
            &upgrade[number % upgrade.len()],
        ];
        let name = format!("{}-{number}", scope.namespace);
        let killed = site(scope, &commit, &name, moments).map_err(|error| {
            format!(
                "site {number}, {} then {}, seed {seed}: {error}",
                moments[0], moments[1]
            )
        })?;
        lock(&done).push(killed);
        Ok(())
    })?;
    let audit = scope.bed.audit()?;
    let done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    ensure(done.len() == sites, || {
        format!("{} of {sites} sites", done.len())
    })?;
    let kills: usize = done.iter().map(|killed| killed.kills).sum();
    build::print_progress(&format!(
        "{sites} sites installed and upgraded, {kills} runs killed; ARMADA2FLUX_SEED={seed}"
    ));
    for killed in &done {
        killed
            .kept_order(&audit)
            .map_err(|error| format!("{}, seed {seed}: {error}", killed.described()))?;
    }
    Ok(())
}

/// A site whose installation and upgrade were killed and resumed.
pub(super) struct Killed {
    name: String,
    moments: String,
    /// How many of its runs were killed; the others ended before their moment.
    kills: usize,
    /// UIDs of the Jobs of the installation and of the upgrade.
    jobs: [String; 2],
}

fn site(scope: &Scope<'_>, commit: &str, name: &str, moments: [&Moment; 2]) -> Outcome<Killed> {
    let site = SmallSite::create(scope, commit, name)?;
    let mut jobs = Vec::new();
    let mut kills = 0;
    for (marker, moment) in MARKERS.into_iter().zip(moments) {
        let tree = site.tree(marker, &[])?;
        let proxy = scope.bed.proxy(&format!("{name}-{marker}"))?;
        kills += usize::from(kill_and_resume(&site, &proxy, &tree, moment)?);
        site.expect_deployed(marker)?;
        let uid = site.job()?["metadata"]["uid"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        jobs.push(uid);
    }
    let jobs = jobs.try_into().map_err(|_| "two runs")?;
    let moments = format!("{} then {}", moments[0], moments[1]);
    Ok(Killed {
        name: site.name.clone(),
        moments,
        kills,
        jobs,
    })
}

/// Kills a run at a moment and resumes it; returns whether it was killed.
fn kill_and_resume(
    site: &SmallSite<'_>,
    proxy: &Proxy,
    tree: &Path,
    moment: &Moment,
) -> Outcome<bool> {
    let runs = |lines: &[serde_json::Value]| {
        lines
            .iter()
            .filter(|line| line["entry"]["type"] == "run-started")
            .count()
    };
    let before = runs(&site.journal_entries()?);
    let ran = site.apply_with(proxy, tree, &[], |process| {
        proxy.add_rule(moment.rule(site, process))
    })?;
    let said = format!("{}{}", ran.stdout, ran.stderr);
    match ran.code {
        None => {}
        Some(0) if moment.may_be_missed() => {
            site.expect_complete()?;
            return Ok(false);
        }
        code => return Err(format!("not killed but {code:?}: {said}").into()),
    }
    proxy.clear_rules();
    let begun = runs(&site.journal_entries()?) > before;
    if !begun {
        // Nothing was written, so there is nothing to resume.
        let writes = proxy.count(Kind::Write);
        ensure(writes == 0, || {
            format!("{writes} writes before the journal's first line")
        })?;
    }
    let resume: &[&str] = if begun { &["--resume"] } else { &[] };
    let again = site.apply(tree, resume)?;
    ensure(again.code == Some(0), || {
        format!(
            "resumed: {:?}\n{}{}\nkilled: {said}",
            again.code, again.stdout, again.stderr
        )
    })?;
    let processes = site.expect_complete()?;
    ensure(processes == 1 + usize::from(begun), || {
        format!("{processes} processes")
    })?;
    Ok(true)
}

/// Whether the client was killed during a write: the log has neither its result nor its object.
fn is_open(entry: &Entry) -> bool {
    entry.response_status.code == GATEWAY_TIMEOUT && !entry.request_uri.contains("dryRun=All")
}

/// Returns the position of the first write of the last release with a marker: a run that is resumed after the release was
/// deployed may write it again. When the client was killed during the only one, the log does not have its object, and it
/// is the last such write before the revision began.
fn written(ours: &[&Entry], begun: usize, marker: &str) -> Option<usize> {
    let is_it = |entry: &Entry| {
        entry.user.username == "tester"
            && entry.object_ref.resource == "helmreleases"
            && entry.object_ref.name == format!("grain-{LAST}")
    };
    let mut writes = ours.iter().enumerate().filter(|(_, entry)| is_it(entry));
    let has_marker = |entry: &Entry| {
        let object = entry.response_object.as_ref();
        object.is_some_and(|object| object["spec"]["values"]["marker"] == marker)
    };
    let whole = writes.clone().find(|(_, entry)| has_marker(entry));
    let open = || writes.rfind(|(at, entry)| *at < begun && is_open(entry));
    whole.or_else(open).map(|(at, _)| at)
}

impl Killed {
    pub(super) fn new(name: String, moments: String, kills: usize, jobs: [String; 2]) -> Self {
        Self {
            name,
            moments,
            kills,
            jobs,
        }
    }

    /// Returns the site's name, and what happened to its runs.
    pub(super) fn described(&self) -> String {
        format!("{}, {}", self.name, self.moments)
    }

    /// Fails if a write of the second stage came before the end of the first, or a wrong Job was deleted.
    pub(super) fn kept_order(&self, audit: &[Entry]) -> Outcome {
        let Self {
            name,
            jobs,
            moments: _,
            kills: _,
        } = self;
        let ours: Vec<&Entry> = audit
            .iter()
            .filter(|entry| entry.object_ref.namespace == *name)
            .filter(|entry| {
                let release = entry.object_ref.resource == "helmreleases";
                entry.is_write() || release && is_open(entry)
            })
            .collect();
        let positions = |is_it: &dyn Fn(&Entry) -> bool| -> Vec<usize> {
            (0..ours.len()).filter(|at| is_it(ours[*at])).collect()
        };
        // Helm creates the record when a revision starts and updates it when it is deployed.
        let record = |release: &str, revision: usize| -> Outcome<[usize; 2]> {
            let record = format!("sh.helm.release.v1.grain-{release}.v{revision}");
            let writes = positions(&|entry| {
                entry.object_ref.resource == "secrets" && entry.object_ref.name == record
            });
            let [begun, deployed, ..] = writes[..] else {
                return Err(format!("{record} was written {} times", writes.len()).into());
            };
            Ok([begun, deployed])
        };
        let mut since = 0;
        for (revision, marker) in (1..).zip(MARKERS) {
            let [begun, end] = record(LAST, revision)?;
            let written = written(&ours, begun, marker).ok_or("the last release is not written")?;
            for release in FIRST {
                let [first, deployed] = record(release, revision)?;
                ensure(
                    since <= first && deployed < written && deployed < begun,
                    || {
                        format!(
                            "revision {revision} of {release}: {first} to {deployed}, last release: {written}, {begun}"
                        )
                    },
                )?;
            }
            // The pod ends before the Job is complete; the gate waits for the Job.
            let pods = positions(&|entry| {
                entry.object_ref.resource == "pods"
                    && entry.object_ref.subresource == "status"
                    && entry.object_ref.name.starts_with(&format!("grain-{DB}-"))
            });
            let pod = pods
                .into_iter()
                .filter(|at| (since..end).contains(at))
                .max();
            ensure(pod.is_some_and(|pod| pod < written), || {
                format!(
                    "revision {revision}: the Job's pod was played at {pod:?}, the last release was written at {written}"
                )
            })?;
            since = end;
        }
        // A third revision would be a second upgrade.
        ensure(
            record(LAST, 3).is_err() && FIRST.iter().all(|release| record(release, 3).is_err()),
            || "upgraded twice".to_owned(),
        )?;
        let deleted: Vec<&Entry> = audit
            .iter()
            .filter(|entry| entry.object_ref.namespace == *name)
            .filter(|entry| entry.object_ref.resource == "jobs" && entry.verb == "delete")
            .filter(|entry| entry.is_write() || is_open(entry))
            .collect();
        let done = deleted.iter().filter(|entry| entry.is_write());
        let uids: Vec<&str> = done
            .map(|entry| &*entry.response_status.details.uid)
            .collect();
        let once = match uids[..] {
            [uid] => uid == jobs[0],
            [] => deleted.iter().any(|entry| is_open(entry)),
            _ => false,
        };
        ensure(once && jobs[0] != jobs[1], || {
            format!("{uids:?} of {jobs:?} were deleted")
        })?;
        let names: BTreeSet<&str> = deleted.iter().map(|entry| &*entry.user.username).collect();
        ensure(names == BTreeSet::from(["tester"]), || format!("{names:?}"))
    }
}

/// A reproducible random number generator (SplitMix64).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let number = (z ^ (z >> 31)) % (bound.max(1) as u64);
        usize::try_from(number).unwrap_or_default()
    }
}
