//! The journal of `apply`: only a journal is touched, a changed one is refused, and one that is lost stops the run.

use std::ffi::CString;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use armada2flux::rollout::journal::Chain;
use serde_json::{Value, json};

use super::parallel::on_sites;
use super::small_site::{self, DB, FIRST, LAST, Running, SmallSite, WITHIN, ended};
use super::{Scope, Test, ensure, run_to_end};
use crate::bed::proxy::{Fault, Kind, Rule};
use crate::bed::{Outcome, until};
use crate::support::ProgramOutput;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("apply_journal::only_journals_are_touched", touched),
        Test::shared("apply_journal::edited_lines_delete_nothing", edited),
        Test::shared("apply_journal::a_lost_file_stops_the_run", lost),
        Test::shared("apply_journal::a_bad_namespace_leaves_no_file", unfit),
    ]
}

/// Longer than a refusal takes.
const SOON: Duration = Duration::from_secs(20);

/// The largest address space of a process that is given an endless file, in KiB.
const MEMORY: u32 = 4_000_000;

fn site<'b>(scope: &Scope<'b>, name: &str) -> Outcome<SmallSite<'b>> {
    let commit = scope.bed.git.commit_chart(&scope.namespace, "small")?;
    SmallSite::create(scope, &commit, &format!("{}-{name}", scope.namespace))
}

/// Everything that a refusal must leave as it is.
#[derive(Debug, PartialEq, Eq)]
struct Snapshot {
    link: Option<PathBuf>,
    inode: u64,
    mode: u32,
    bytes: Option<Vec<u8>>,
}

impl Snapshot {
    fn of(path: &Path) -> Outcome<Self> {
        let found = fs::symlink_metadata(path)?;
        let target = fs::metadata(path);
        // The streams of this process may be files that it writes to.
        let is_file = target.is_ok_and(|target| target.is_file()) && !path.starts_with("/dev");
        Ok(Self {
            link: fs::read_link(path).ok(),
            inode: found.ino(),
            mode: found.permissions().mode(),
            bytes: is_file.then(|| fs::read(path)).transpose()?,
        })
    }
}

/// Runs `apply` with a journal, with a limit of memory and time.
fn run(
    site: &SmallSite<'_>,
    scope: &Scope<'_>,
    tree: &Path,
    arguments: &[&str],
) -> Outcome<ProgramOutput> {
    let script = format!("ulimit -v {MEMORY}; exec \"$0\" \"$@\"");
    let command = site.shell_command(&script, &scope.bed.kubeconfig, tree, arguments);
    Running::start(command)?.end_within(SOON)
}

fn touched(scope: &Scope<'_>) -> Outcome {
    let site = site(scope, "a")?;
    let tree = site.tree("one", &[])?;
    let place = |name: &str| site.folder.join(name);
    let texts: [(&str, &[u8]); 9] = [
        ("token", b"hunter2hunter2hunter2"),
        ("note", b"a note of one line\n"),
        ("lines", b"a note\nof two lines\n"),
        (
            "config",
            br#"{"apiVersion":"v1","kind":"Config","users":[{"name":"a"}]}"#,
        ),
        (
            "state",
            br#"{"version":2,"terraform_version":"1.9","serial":3}"#,
        ),
        (
            "end",
            br#"{"version":2,"terraform_version":"1.9","serial":3}
"#,
        ),
        ("newline", b"\n"),
        ("zeros", &[0; 64]),
        ("binary", &[0xff, 0xfe, 0, b'\n', 1]),
    ];
    for (name, bytes) in texts {
        fs::write(place(name), bytes)?;
    }
    let keys = place("authorized_keys");
    fs::write(&keys, "ssh-ed25519 AAAA me@host")?;
    symlink(&keys, place("link"))?;
    fs::write(place("empty"), "")?;
    symlink(place("empty"), place("link-to-empty"))?;
    symlink(place("nothing"), place("dangling"))?;
    fs::write(place("linked"), "")?;
    fs::hard_link(place("linked"), place("hard-link"))?;
    let fifo = CString::new(place("fifo").display().to_string())?;
    rustix::fs::mkfifoat(rustix::fs::CWD, &*fifo, 0o600.into())?;
    let _socket = UnixListener::bind(place("socket"))?;
    fs::create_dir(place("folder"))?;
    let mut names: Vec<String> = texts.iter().map(|(name, _)| (*name).to_owned()).collect();
    for name in [
        "link",
        "link-to-empty",
        "dangling",
        "hard-link",
        "fifo",
        "socket",
        "folder",
    ] {
        names.push(name.to_owned());
    }
    for device in ["/dev/zero", "/dev/full", "/dev/null", "/dev/stdout"] {
        names.push(device.to_owned());
    }
    fs::write(place("foreign"), "")?;
    // Only root may give a file away.
    if chown(place("foreign"), Some(1), None).is_ok() {
        names.push("foreign".to_owned());
    }
    let mark = scope.bed.audit()?.len();
    let mut wrong = Vec::new();
    for name in &names {
        let path = place(name);
        let before = Snapshot::of(&path)?;
        let journal = format!("--journal={name}");
        for arguments in [&[journal.as_str()][..], &[&journal, "--resume"]] {
            let ran = run(&site, scope, &tree, arguments);
            let after = Snapshot::of(&path).ok();
            if after.as_ref() != Some(&before) {
                wrong.push(format!("{arguments:?}: {before:?} became {after:?}"));
            }
            match ran {
                Ok(ran) if ran.code == Some(4) => {}
                Ok(ran) => wrong.push(format!("{arguments:?}: {:?} {}", ran.code, ran.stderr)),
                Err(error) => wrong.push(format!("{arguments:?}: {error}")),
            }
        }
    }
    ensure(wrong.is_empty(), || wrong.join("\n"))?;
    ensure(fs::read(&keys)? == b"ssh-ed25519 AAAA me@host", || {
        "the keys were changed".to_owned()
    })?;
    ensure(!place("nothing").exists(), || {
        "a link was followed".to_owned()
    })?;
    let audit = scope.bed.audit()?;
    let mut written = audit[mark..].iter().filter(|entry| {
        entry.user.username == "tester"
            && entry.object_ref.namespace == site.name
            && entry.is_write()
    });
    ensure(written.next().is_none(), || {
        "something was written".to_owned()
    })?;
    held_by_another(scope, &site, &tree)
}

/// What a run would change is as before when somebody else holds the Lease; a run of its own makes the file private.
fn held_by_another(scope: &Scope<'_>, site: &SmallSite<'_>, tree: &Path) -> Outcome {
    let lease = super::apply_locks::lease(
        &site.name,
        &site.name,
        "somebody@elsewhere",
        "2099-01-01T00:00:00.000000Z",
    );
    scope.bed.apply(&lease)?;
    fs::write(site.journal(), "")?;
    fs::set_permissions(site.journal(), Permissions::from_mode(0o644))?;
    let torn = b"{\"version\":2,\"at\":\"2026-11";
    fs::write(site.folder.join("torn"), torn)?;
    let refused = |journal: &str| -> Outcome {
        let path = site.folder.join(journal);
        let before = Snapshot::of(&path)?;
        let argument = format!("--journal={journal}");
        ended(&site.apply(tree, &[&argument])?, 4, &["somebody@elsewhere"])?;
        let after = Snapshot::of(&path)?;
        ensure(before == after, || format!("{before:?} became {after:?}"))
    };
    let journal = format!("armada2flux-{}.journal", site.name);
    refused(&journal)?;
    refused("torn")?;
    ended(
        &site.apply(tree, &["--journal=new"])?,
        4,
        &["somebody@elsewhere"],
    )?;
    ensure(!site.folder.join("new").exists(), || {
        "a file was left".to_owned()
    })?;
    let free = super::apply_locks::lease(&site.name, &site.name, "", "2020-01-01T00:00:00.000000Z");
    scope.bed.apply(&free)?;
    ended(&site.apply(tree, &[])?, 0, &[])?;
    let mode = fs::metadata(site.journal())?.permissions().mode();
    ensure(mode & 0o777 == 0o600, || format!("mode {mode:o}"))?;
    // A complete run stays as it is, too, with and without a torn line behind it.
    scope.bed.apply(&super::apply_locks::lease(
        &site.name,
        &site.name,
        "somebody@elsewhere",
        "2099-01-01T00:00:00.000000Z",
    ))?;
    refused(&journal)?;
    let mut whole = fs::read(site.journal())?;
    whole.extend(torn);
    fs::write(site.journal(), whole)?;
    refused(&journal)
}

/// Returns a journal with these lines, with digests that fit if it has any.
fn sealed(lines: &[String]) -> Vec<u8> {
    let mut chain = Chain::default();
    let mut text = Vec::new();
    for line in lines {
        match line.rsplit_once(",\"digest\":") {
            Some((body, _)) => text.extend(chain.seal_text(format!("{body}}}").into_bytes())),
            None => text.extend(format!("{line}\n").into_bytes()),
        }
    }
    text
}

/// An object for the list of deletions.
fn target(scope: &Scope<'_>, api: &str, kind: &str, path: &str) -> Outcome<Value> {
    let found = scope
        .bed
        .get(path)?
        .ok_or_else(|| format!("{path} is not there"))?;
    let metadata = &found["metadata"];
    Ok(json!({"api_version": api, "kind": kind, "name": metadata["name"], "uid": metadata["uid"]}))
}

fn edited(scope: &Scope<'_>) -> Outcome {
    let site = site(scope, "a")?;
    ended(&site.apply(&site.tree("one", &[])?, &[])?, 0, &[])?;
    let job = site.job()?["metadata"]["uid"].clone();
    let (bed, name) = (scope.bed, &site.name);
    // Beside the site: objects of the kinds of the list, and of others.
    for (kind, labels) in [
        ("other", json!({})),
        ("ours", json!({"release_group": "grain-other"})),
    ] {
        bed.apply(&json!({
            "apiVersion": "batch/v1", "kind": "Job",
            "metadata": {"name": kind, "namespace": name, "labels": labels},
            "spec": {"template": {"spec": {
                "restartPolicy": "Never", "containers": [{"name": "main", "image": "example.org/a:1"}],
            }}},
        }))?;
    }
    bed.apply(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "precious", "namespace": name},
    }))?;
    let tree = site.tree("two", &[])?;
    let proxy = bed.proxy(name)?;
    let killed = site.apply_with(&proxy, &tree, &[], |process| {
        let rule = Rule::new(Fault::KillBefore(process)).kind(Kind::Write);
        proxy.add_rule(rule.method("DELETE").times(1));
    })?;
    ensure(killed.code.is_none(), || killed.stderr)?;
    let lines = site.journal_entries()?;
    let text = fs::read_to_string(site.journal())?;
    let listed = lines
        .iter()
        .position(|line| line["entry"]["type"] == "deletions-listed");
    let listed = listed.ok_or("no deletions are listed")?;
    let jobs = format!("/apis/batch/v1/namespaces/{name}/jobs");
    let core = format!("/api/v1/namespaces/{name}");
    for (what, more, code) in [
        (
            "Secret",
            target(scope, "v1", "Secret", &format!("{core}/secrets/precious"))?,
            4,
        ),
        (
            "HelmRelease",
            target(
                scope,
                "helm.toolkit.fluxcd.io/v2",
                "HelmRelease",
                &site.path(LAST),
            )?,
            4,
        ),
        (
            "ConfigMap",
            target(
                scope,
                "v1",
                "ConfigMap",
                &format!("{core}/configmaps/grain-{LAST}"),
            )?,
            4,
        ),
        // Kinds that a release may delete, but not this one.
        (
            "Pod",
            json!({"api_version": "v1", "kind": "Pod", "name": "a", "uid": "b"}),
            4,
        ),
        (
            "CronJob",
            json!({"api_version": "batch/v1", "kind": "CronJob", "name": "a", "uid": "b"}),
            4,
        ),
        // Jobs that the selector of the release does not select.
        (
            "other",
            target(scope, "batch/v1", "Job", &format!("{jobs}/other"))?,
            3,
        ),
        (
            "ours",
            target(scope, "batch/v1", "Job", &format!("{jobs}/ours"))?,
            3,
        ),
    ] {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let more = format!("\"objects\":[{more},");
        lines[listed] = lines[listed].replacen("\"objects\":[", &more, 1);
        // Without digests that fit it is refused as any changed line; here they fit.
        fs::write(site.journal(), sealed(&lines))?;
        let ran = site.apply(&tree, &["--resume"])?;
        ended(&ran, code, &["for deletion", what])?;
        fs::write(site.journal(), &text)?;
    }
    // Lines that are changed, missing, repeated or moved.
    let of: Vec<&str> = text.split_inclusive('\n').collect();
    let changed = text.replacen(&format!("grain-{DB}"), &format!("grain-{LAST}"), 1);
    let missing = [&of[..listed], &of[listed + 1..]].concat().concat();
    let repeated = [&of[..=listed], &of[listed..]].concat().concat();
    let mut moved = of.clone();
    moved.swap(1, 2);
    for damaged in [changed, missing, repeated, moved.concat()] {
        fs::write(site.journal(), &damaged)?;
        let ran = site.apply(&tree, &["--resume"])?;
        ended(
            &ran,
            4,
            &[
                "cannot use the journal",
                "a line was changed, removed, repeated or moved",
            ],
        )?;
        ensure(fs::read_to_string(site.journal())? == damaged, || {
            "the journal was changed".to_owned()
        })?;
    }
    ensure(site.job()?["metadata"]["uid"] == job, || {
        "the Job was deleted".to_owned()
    })?;
    for path in [
        format!("{core}/secrets/precious"),
        site.path(LAST),
        format!("{jobs}/other"),
        format!("{jobs}/ours"),
    ] {
        let found = bed
            .get(&path)?
            .ok_or_else(|| format!("{path} was deleted"))?;
        ensure(found["metadata"]["deletionTimestamp"].is_null(), || {
            format!("{path} is deleted")
        })?;
    }
    fs::write(site.journal(), text)?;
    ended(&site.apply(&tree, &["--resume"])?, 0, &[])?;
    site.expect_deployed("two")?;
    ensure(site.job()?["metadata"]["uid"] != job, || {
        "the Job was not deleted".to_owned()
    })
}

/// What happens to the journal of a running run.
type Act = fn(&SmallSite<'_>) -> Outcome;

fn lost(scope: &Scope<'_>) -> Outcome {
    let commit = small_site::commit(scope)?;
    let acts: [(&str, Act); 5] = [
        ("removed", |site| Ok(fs::remove_file(site.journal())?)),
        ("moved", |site| {
            Ok(fs::rename(site.journal(), site.folder.join("kept"))?)
        }),
        ("replaced", |site| {
            let copy = site.folder.join("copy");
            fs::copy(site.journal(), &copy)?;
            Ok(fs::rename(copy, site.journal())?)
        }),
        ("edited", |site| {
            let mut text = fs::read(site.journal())?;
            text.extend(b"a note\n");
            Ok(fs::write(site.journal(), text)?)
        }),
        ("folder", |site| Ok(fs::remove_dir_all(&site.folder)?)),
    ];
    on_sites(scope, &commit, acts, |site, act| lose(scope, site, act))
}

fn lose(scope: &Scope<'_>, site: &SmallSite<'_>, act: Act) -> Outcome {
    let tree = site.tree("one", &[SmallSite::held_first_stage()])?;
    let running = site.start(&scope.bed.kubeconfig, &tree, &[])?;
    site.wait_until_held(1)?;
    let before = fs::read(site.journal())?;
    act(site)?;
    site.release_first_stage()?;
    ended(
        &running.end_within(WITHIN)?,
        1,
        &["the journal", "during the run", "--resume"],
    )?;
    ensure(site.release(LAST)?.is_null(), || {
        "the second stage was begun".to_owned()
    })?;
    // The Lease was given back, and a journal that is put back is resumed.
    fs::create_dir_all(&site.folder)?;
    fs::write(site.journal(), before)?;
    let tree = site.tree("one", &[SmallSite::held_first_stage()])?;
    ended(&site.apply(&tree, &["--resume"])?, 0, &[])?;
    ensure(site.expect_complete()? == 2, || "not resumed".to_owned())
}

fn unfit(scope: &Scope<'_>) -> Outcome {
    let site = site(scope, "a")?;
    let tree = site.tree("one", &[])?;
    let (bed, name) = (scope.bed, &site.name);
    let ending = format!("{name}-ending");
    let namespace = format!("/api/v1/namespaces/{ending}");
    bed.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ending}}))?;
    bed.apply(&json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "holds", "namespace": ending, "finalizers": ["armada2flux.example/hold"]},
    }))?;
    let arguments = ["delete", "namespace", &ending, "--wait=false"];
    bed.run(crate::bed::program::Program::Kubectl, &arguments)?;
    bed.wait(&namespace, WITHIN, |found| {
        !found["metadata"]["deletionTimestamp"].is_null()
    })?;
    // Somebody else's objects of the names of the state.
    let state = format!("armada2flux-{name}");
    let mut foreign = Vec::new();
    for (place, labels) in [
        ("plain", json!({})),
        ("other-site", json!({"armada2flux.dev/state-of": "other"})),
    ] {
        let place = format!("{name}-{place}");
        bed.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": place}}))?;
        bed.apply(&json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": state, "namespace": place, "labels": labels},
            "data": {"run.json": "precious"},
        }))?;
        foreign.push(place);
    }
    let missing = format!("{name}-missing");
    let says = "is not the state of this site";
    for (place, said) in [
        (&missing, "does not exist"),
        (&ending, "is being deleted"),
        (&foreign[0], says),
        (&foreign[1], says),
    ] {
        let ran = run_to_end(&mut site.command_in(&site.folder, place, &tree, &[]))?;
        ended(&ran, 4, &[place, said])?;
        ensure(!site.journal().exists(), || {
            format!("{place}: a journal was left")
        })?;
        let lease = format!("/apis/coordination.k8s.io/v1/namespaces/{place}/leases/{state}");
        ensure(bed.get(&lease)?.is_none(), || {
            format!("{place}: a Lease was left")
        })?;
    }
    for place in &foreign {
        let map = format!("/api/v1/namespaces/{place}/configmaps/{state}");
        let map = bed.get(&map)?.unwrap_or_default();
        ensure(map["data"]["run.json"] == "precious", || map.to_string())?;
    }
    ensure(
        FIRST
            .iter()
            .all(|release| site.release(release).is_ok_and(|found| found.is_null())),
        || "something was written".to_owned(),
    )?;
    let release = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {
        "name": "holds", "namespace": ending, "finalizers": [],
    }});
    let patch = [
        "patch",
        "configmap",
        "holds",
        "--namespace",
        &ending,
        "--type=merge",
        "--patch",
        &release.to_string(),
    ];
    bed.run(crate::bed::program::Program::Kubectl, &patch)?;
    until(WITHIN, || Ok(bed.get(&namespace)?.is_none().then_some(())))?;
    ended(&site.apply(&tree, &[])?, 0, &[])
}
