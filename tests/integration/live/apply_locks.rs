//! The locks of `apply`: one process carries out a run, whatever is copied, lost or written into the Lease.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::parallel::{Act, in_parallel, on_sites};
use super::small_site::{self, FIRST, LAST, Running, SmallSite, WITHIN, ended};
use super::{Scope, Test, ensure, run_to_end};
use crate::bed::audit::Entry;
use crate::bed::{Outcome, until};
use crate::support::ProgramOutput;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("apply_locks::a_copied_journal_has_one_run", copied),
        Test::shared("apply_locks::a_killed_runs_copies_go_on_once", killed),
        Test::shared("apply_locks::a_lost_lease_publishes_nothing", stopped),
        Test::shared("apply_locks::an_implausible_lease_is_broken", implausible),
        Test::shared("apply_locks::a_site_has_one_state_namespace", namespaces),
    ]
}

/// Longer than a Lease lasts, with a run after it.
const LONG: Duration = Duration::from_secs(180);

/// Returns a Lease of a site.
pub(super) fn lease(site: &str, namespace: &str, holder: &str, renewed: &str) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {"name": format!("armada2flux-{site}"), "namespace": namespace},
        "spec": {"holderIdentity": holder, "leaseDurationSeconds": 60, "renewTime": renewed},
    })
}

/// A time at which every Lease has expired.
pub(super) const PAST: &str = "2020-01-01T00:00:00.000000Z";

fn site<'b>(scope: &Scope<'b>, name: &str) -> Outcome<SmallSite<'b>> {
    let commit = scope.bed.git.commit_chart(&scope.namespace, "small")?;
    SmallSite::create(scope, &commit, &format!("{}-{name}", scope.namespace))
}

/// Copies the journal into a folder of its own; returns the folder.
pub(super) fn copy(site: &SmallSite<'_>, name: &str) -> Outcome<PathBuf> {
    let folder = site.folder.join(name);
    fs::create_dir_all(&folder)?;
    let journal = site.journal();
    let file = journal.file_name().ok_or("a file name")?;
    fs::copy(&journal, folder.join(file))?;
    Ok(folder)
}

/// Resumes the run of a folder's journal.
fn resume(site: &SmallSite<'_>, folder: &Path, tree: &Path) -> Outcome<Running> {
    Running::start(site.command_in(folder, &site.name, tree, &["--resume"]))
}

/// Fails unless each release was written once, by one process.
pub(super) fn written_once(scope: &Scope<'_>, site: &SmallSite<'_>) -> Outcome {
    let audit = scope.bed.audit()?;
    for release in FIRST.into_iter().chain([LAST]) {
        let is_it = |entry: &&Entry| {
            entry.user.username == "tester"
                && entry.object_ref.resource == "helmreleases"
                && entry.object_ref.namespace == site.name
                && entry.object_ref.name == format!("grain-{release}")
                && entry.is_write()
        };
        let writes = audit.iter().filter(is_it).count();
        ensure(writes == 1, || {
            format!("{release} was written {writes} times")
        })?;
    }
    Ok(())
}

fn copied(scope: &Scope<'_>) -> Outcome {
    let site = site(scope, "a")?;
    let tree = site.tree("one", &[SmallSite::held_first_stage()])?;
    let running = site.start(&scope.bed.kubeconfig, &tree, &[])?;
    // As early as there is a journal, and when the run waits.
    until(WITHIN, || {
        Ok((!site.journal_entries()?.is_empty()).then_some(()))
    })?;
    let early = copy(&site, "early")?;
    site.wait_until_held(1)?;
    let late = copy(&site, "late")?;
    let refused = |folder: &Path, more: &[&str]| -> Outcome {
        let before = fs::read(folder.join(site.journal().file_name().ok_or("a name")?))?;
        let arguments = [&["--resume"], more].concat();
        let command = site.command_in(folder, &site.name, &tree, &arguments);
        ended(
            &Running::start(command)?.end_within(WITHIN)?,
            4,
            &["holds the Lease", "on this machine"],
        )?;
        let after = fs::read(folder.join(site.journal().file_name().ok_or("a name")?))?;
        ensure(before == after, || "its journal was changed".to_owned())
    };
    for folder in [&early, &late] {
        refused(folder, &[])?;
        refused(folder, &["--break-lock"])?;
    }
    site.release_first_stage()?;
    ended(&running.end()?, 0, &[])?;
    site.expect_deployed("one")?;
    written_once(scope, &site)?;
    // When it is over, a copy only finds that everything is done.
    ended(&resume(&site, &late, &tree)?.end()?, 0, &[])?;
    written_once(scope, &site)
}

fn killed(scope: &Scope<'_>) -> Outcome {
    let site = site(scope, "a")?;
    let tree = site.tree("one", &[SmallSite::held_first_stage()])?;
    let running = site.start(&scope.bed.kubeconfig, &tree, &[])?;
    site.wait_until_held(1)?;
    drop(running);
    let copies = 4;
    let folders: Vec<PathBuf> = (0..copies)
        .map(|number| copy(&site, &format!("copy-{number}")))
        .collect::<Outcome<_>>()?;
    let running: Vec<Running> = folders
        .iter()
        .map(|folder| resume(&site, folder, &tree))
        .collect::<Outcome<_>>()?;
    let mut running = running;
    // All but one are refused while that one waits.
    let mut refused = Vec::new();
    until(WITHIN, || {
        let mut active = Vec::new();
        for mut one in running.drain(..) {
            if one.has_ended()? {
                refused.push(one.end()?);
            } else {
                active.push(one);
            }
        }
        running = active;
        Ok((running.len() <= 1).then_some(()))
    })?;
    for one in &refused {
        ended(one, 4, &["holds the Lease"])?;
    }
    site.release_first_stage()?;
    let last: Vec<ProgramOutput> = running
        .into_iter()
        .map(Running::end)
        .collect::<Outcome<_>>()?;
    let [last] = &last[..] else {
        return Err(format!("{} of {copies} went on", last.len()).into());
    };
    ended(last, 0, &[])?;
    site.expect_deployed("one")?;
    written_once(scope, &site)
}

/// Returns the state of the last run.
fn state(scope: &Scope<'_>, site: &SmallSite<'_>) -> Outcome<Value> {
    let name = &site.name;
    let path = format!("/api/v1/namespaces/{name}/configmaps/armada2flux-{name}");
    let map = scope.bed.get(&path)?.ok_or("there is no state")?;
    Ok(serde_json::from_str(
        map["data"]["run.json"].as_str().ok_or("no text")?,
    )?)
}

fn stopped(scope: &Scope<'_>) -> Outcome {
    let commit = small_site::commit(scope)?;
    // In a wait, and in one that fails when it goes on.
    let acts = [("gate", &[][..]), ("limit", &["--stage-timeout=30s"][..])];
    on_sites(scope, &commit, acts, |site, options| {
        stop(scope, site, options)
    })
}

fn stop(scope: &Scope<'_>, site: &SmallSite<'_>, options: &[&str]) -> Outcome {
    let tree = site.tree("one", &[SmallSite::held_first_stage()])?;
    let first = site.start(&scope.bed.kubeconfig, &tree, options)?;
    site.wait_until_held(1)?;
    first.signal("STOP")?;
    site.release_first_stage()?;
    // A copy of its journal is not enough as long as its process is there.
    let folder = copy(site, "copy")?;
    ended(
        &resume(site, &folder, &tree)?.end()?,
        4,
        &["on this machine"],
    )?;
    until(LONG, || {
        let ran = site.apply(&tree, &["--journal=second", "--break-lock"])?;
        match ran.code {
            Some(4) => Ok(None),
            _ => ended(&ran, 0, &[]).map(Some),
        }
    })?;
    let newer = state(scope, site)?;
    ensure(newer["end"]["result"] == "complete", || newer.to_string())?;
    let mark = scope.bed.audit()?.len();
    first.signal("CONT")?;
    ended(&first.end()?, 3, &[])?;
    let now = state(scope, site)?;
    ensure(now == newer, || format!("{newer} became {now}"))?;
    let audit = scope.bed.audit()?;
    let written = audit[mark..].iter().find(|entry| {
        entry.user.username == "tester"
            && entry.object_ref.namespace == site.name
            && entry.is_write()
    });
    ensure(written.is_none(), || format!("{written:?}"))
}

fn implausible(scope: &Scope<'_>) -> Outcome {
    let commit = small_site::commit(scope)?;
    let commit = &commit;
    let site =
        |name: &str| SmallSite::create(scope, commit, &format!("{}-{name}", scope.namespace));
    let broken = |name: &'static str, change: Value, said: &'static str| -> Act<'_> {
        Box::new(move || {
            let site = site(name)?;
            let tree = site.tree("one", &[])?;
            let mut lease = lease(&site.name, &site.name, "somebody@elsewhere", PAST);
            for (key, value) in change.as_object().into_iter().flatten() {
                lease["spec"][key] = value.clone();
            }
            scope.bed.apply(&lease)?;
            ended(
                &site.apply(&tree, &[])?,
                4,
                &["somebody@elsewhere", said, "--break-lock"],
            )?;
            ensure(!site.journal().exists(), || "a journal was left".to_owned())?;
            ended(
                &site.apply(&tree, &["--break-lock"])?,
                0,
                &["waiting 60 s", said],
            )?;
            site.expect_deployed("one")
        })
    };
    // A run that is alive keeps a Lease into which somebody wrote such a time.
    let alive = || -> Outcome {
        let site = site("alive")?;
        let tree = site.tree("one", &[SmallSite::held_first_stage()])?;
        let running = site.start(&scope.bed.kubeconfig, &tree, &[])?;
        site.wait_until_held(1)?;
        let path = site.lease_path();
        site.patch_lease(&json!({"leaseDurationSeconds": i32::MAX}))?;
        let ran = site.apply(&tree, &["--journal=second", "--break-lock"])?;
        ended(&ran, 4, &["holds the Lease"])?;
        let held = scope.bed.get(&path)?.unwrap_or_default();
        ensure(held["spec"]["leaseDurationSeconds"] == 60, || {
            held.to_string()
        })?;
        site.release_first_stage()?;
        ended(&running.end()?, 0, &[])
    };
    in_parallel(vec![
        broken(
            "future",
            json!({"renewTime": "2099-01-01T00:00:00.000000Z"}),
            "its renewal is in the future",
        ),
        broken(
            "long",
            json!({"renewTime": "2026-01-01T00:00:00.000000Z", "leaseDurationSeconds": i32::MAX}),
            "its duration is 2147483647 s",
        ),
        Box::new(alive),
    ])
}

fn namespaces(scope: &Scope<'_>) -> Outcome {
    let site = site(scope, "a")?;
    let other = format!("{}-state", site.name);
    scope
        .bed
        .apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}}))?;
    let tree = site.tree("one", &[SmallSite::held_first_stage()])?;
    let running = site.start(&scope.bed.kubeconfig, &tree, &[])?;
    site.wait_until_held(1)?;
    let second = |arguments: &[&str]| -> Outcome {
        let arguments = [&["--journal=second"], arguments].concat();
        let ran = run_to_end(&mut site.command_in(&site.folder, &other, &tree, &arguments))?;
        let named = format!("--state-namespace {}", site.name);
        ended(
            &ran,
            4,
            &["another run of this site holds the Lease", &named],
        )?;
        ensure(!site.folder.join("second").exists(), || {
            "a journal was left".to_owned()
        })?;
        let path = format!(
            "/apis/coordination.k8s.io/v1/namespaces/{other}/leases/armada2flux-{}",
            site.name
        );
        ensure(scope.bed.get(&path)?.is_none(), || {
            "a Lease was left".to_owned()
        })
    };
    second(&[])?;
    second(&["--break-lock"])?;
    site.release_first_stage()?;
    ended(&running.end()?, 0, &[])?;
    written_once(scope, &site)?;
    // Nobody holds the other one any more. Of two that begin at the same moment, at most one goes on.
    let starts = |journal: &str, place: &str| {
        let journal = format!("--journal={journal}");
        Running::start(site.command_in(&site.folder, place, &tree, &[&journal]))
    };
    let rounds = 4;
    for round in 0..rounds {
        let one = starts(&format!("one-{round}"), &site.name)?;
        let two = starts(&format!("two-{round}"), &other)?;
        let codes = [one.end()?, two.end()?];
        let together = codes.iter().all(|ran| ran.code == Some(0));
        let known = codes.iter().all(|ran| matches!(ran.code, Some(0 | 4)));
        let said = || format!("{round}: {codes:?}");
        ensure(known, said)?;
        // Both may succeed only one after the other.
        if together {
            let journals = [format!("one-{round}"), format!("two-{round}")];
            let times = journals.map(|name| begun_and_ended(&site.folder.join(name)));
            let [one, two] = times;
            let (one, two) = (one?, two?);
            ensure(one.1 <= two.0 || two.1 <= one.0, said)?;
        }
    }
    Ok(())
}

/// Returns the times of the first and the last line of a journal.
fn begun_and_ended(journal: &Path) -> Outcome<(String, String)> {
    let text = fs::read_to_string(journal)?;
    let time = |line: Option<&str>| -> Outcome<String> {
        let line: Value = serde_json::from_str(line.ok_or("no line")?)?;
        Ok(line["at"].as_str().unwrap_or_default().to_owned())
    };
    Ok((time(text.lines().next())?, time(text.lines().last())?))
}
