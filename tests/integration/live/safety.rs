//! The bed leaves no process and no partly built program, and its messages name the log.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use super::{Skipped, Test, ensure};
use crate::bed::Outcome;
use crate::bed::build::Builder;
use crate::bed::process::{Launch, Process};
use crate::bed::program::Recipe;
use crate::bed::run_folder::RunFolder;
use crate::bed::supervisor::Supervisor;

/// Set for a child of this test program that is to be killed: its task, and the folder for it.
const VICTIM: &str = "ARMADA2FLUX_BED_VICTIM";

/// Time limit for things that happen immediately.
const SOON: Duration = Duration::from_secs(20);

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::alone(
            "safety::processes_end_when_the_test_process_is_killed",
            killed,
        ),
        Test::alone("safety::processes_end_when_the_bed_is_dropped", dropped),
        Test::alone("safety::two_parallel_runs_build_once", two_runs),
        Test::alone("safety::leftovers_block_no_run", left_behind),
        Test::alone("safety::a_killed_build_is_not_used", killed_build),
        Test::alone("safety::a_failed_build_names_its_log", failed_build),
        Test::alone("safety::a_full_disk_names_the_log", full_disk),
        Test::alone("safety::a_process_that_dies_at_start_names_its_log", dies),
        Test::alone("safety::a_taken_port_names_the_log", taken_port),
    ]
}

/// Returns the only trial of a child that is to be killed.
pub(crate) fn victim() -> Option<Trial> {
    let task = std::env::var(VICTIM).ok()?;
    Some(Trial::test("victim", move || {
        Ok(be_victim(&task).map_err(|error| error.to_string())?)
    }))
}

fn be_victim(task: &str) -> Outcome {
    let (what, folder) = task.split_once(' ').ok_or("no folder")?;
    let folder = Path::new(folder);
    if what == "build" {
        Builder::new(folder.join("go"), folder.join("cache"))?.build(&[recipe(folder)?])?;
        return Ok(());
    }
    if what == "full" {
        return fill_disk(folder);
    }
    let supervisor = Supervisor::start()?;
    let script = "sleep 600 & echo $! > grandchild.new; mv grandchild.new grandchild; wait";
    let arguments = vec!["-c".to_owned(), script.to_owned()];
    let process = Process::start(
        &supervisor,
        Launch::new("child", "/bin/sh".into(), folder, arguments),
    )?;
    write_whole(&folder.join("child"), &process.id().to_string())?;
    std::thread::sleep(Duration::from_secs(600));
    Ok(())
}

fn write_whole(path: &Path, text: &str) -> Outcome {
    let new = path.with_extension("new");
    fs::write(&new, text)?;
    Ok(fs::rename(new, path)?)
}

fn start_victim(what: &str, folder: &Path) -> Outcome<std::process::Child> {
    Ok(Command::new(std::env::current_exe()?)
        .env(VICTIM, format!("{what} {}", folder.display()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?)
}

fn until(what: &str, mut holds: impl FnMut() -> bool) -> Outcome {
    let start = Instant::now();
    while !holds() {
        ensure(start.elapsed() < SOON, || {
            format!("{what}: not within {} s", SOON.as_secs())
        })?;
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Whether a process runs; a zombie does not.
fn runs(process: &str) -> bool {
    let output = Command::new("ps")
        .args(["-o", "stat=", "-p", process.trim()])
        .output();
    output.is_ok_and(|output| {
        let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        !state.is_empty() && !state.starts_with('Z')
    })
}

fn killed() -> Outcome {
    let folder = tempfile::tempdir()?;
    let mut victim = start_victim("run", folder.path())?;
    let files = [
        folder.path().join("child"),
        folder.path().join("grandchild"),
    ];
    until("the victim starts its processes", || {
        files.iter().all(|file| file.is_file())
    })?;
    let processes = files
        .iter()
        .map(fs::read_to_string)
        .collect::<Result<Vec<_>, _>>()?;
    ensure(processes.iter().all(|process| runs(process)), || {
        format!("{processes:?} do not run")
    })?;
    victim.kill()?;
    victim.wait()?;
    until("the processes of a killed test process end", || {
        !processes.iter().any(|process| runs(process))
    })
}

fn dropped() -> Outcome {
    let folder = tempfile::tempdir()?;
    let supervisor = Supervisor::start()?;
    let arguments = vec![
        "-c".to_owned(),
        "sleep 600 & echo $! > grandchild; wait".to_owned(),
    ];
    let process = Process::start(
        &supervisor,
        Launch::new("child", "/bin/sh".into(), folder.path(), arguments),
    )?;
    let child = process.id().to_string();
    let file = folder.path().join("grandchild");
    until("the grandchild starts", || {
        fs::read_to_string(&file).is_ok_and(|text| text.ends_with('\n'))
    })?;
    let grandchild = fs::read_to_string(&file)?;
    drop(supervisor);
    drop(process);
    until("the processes end", || !runs(&child) && !runs(&grandchild))
}

/// A program without dependencies, so that its build is quick.
fn recipe(folder: &Path) -> Outcome<Recipe> {
    let module = folder.join("hello");
    if !module.is_dir() {
        fs::create_dir_all(&module)?;
        fs::write(
            module.join("go.mod"),
            "module example.org/hello\n\ngo 1.24\n",
        )?;
        fs::write(module.join("go.sum"), "")?;
        fs::write(
            module.join("main.go"),
            "package main\n\nfunc main() { println(\"hello\") }\n",
        )?;
    }
    Ok(Recipe {
        name: "hello".to_owned(),
        version: String::new(),
        folder: module,
        package: "example.org/hello".to_owned(),
        stamps: Vec::new(),
        shares: None,
    })
}

/// Writes a fake `go` that runs `script` instead of a build.
fn stand_in(folder: &Path, script: &str) -> Outcome<PathBuf> {
    let path = folder.join("go");
    let text = format!("#!/bin/sh\n[ \"$1\" = build ] || exec go \"$@\"\n{script}\n");
    // Another process writes it: a file that this process has open for writing is also open, for a moment, in
    // processes that other tests start, and such a file cannot be executed.
    let mut writer = Command::new("install")
        .args(["-m", "755", "/dev/stdin"])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()?;
    let written = writer
        .stdin
        .take()
        .map(|mut pipe| pipe.write_all(text.as_bytes()));
    written.ok_or("no pipe")??;
    ensure(writer.wait()?.success(), || {
        "cannot write the stand-in".to_owned()
    })?;
    Ok(path)
}

fn says_hello(place: &Path) -> Outcome {
    let output = Command::new(place.join("hello")).output()?;
    ensure(output.stderr == b"hello\n", || format!("{output:?}"))
}

fn two_runs() -> Outcome {
    let folder = tempfile::tempdir()?;
    let calls = folder.path().join("calls");
    stand_in(
        folder.path(),
        &format!("echo x >> {}; sleep 1; exec go \"$@\"", calls.display()),
    )?;
    let recipe = recipe(folder.path())?;
    let mut runs = [
        start_victim("build", folder.path())?,
        start_victim("build", folder.path())?,
    ];
    for run in &mut runs {
        let status = run.wait()?;
        ensure(status.success(), || format!("a run ended with {status}"))?;
    }
    let builder = Builder::new(folder.path().join("go"), folder.path().join("cache"))?;
    says_hello(&builder.place(&recipe)?)?;
    let calls = fs::read_to_string(calls)?;
    ensure(calls.lines().count() == 1, || {
        format!("built {} times", calls.lines().count())
    })
}

/// A lock file without a holder, a partly built program, and the folder of a bed whose process has ended.
fn left_behind() -> Outcome {
    let folder = tempfile::tempdir()?;
    let cache = folder.path().join("cache");
    let recipe = recipe(folder.path())?;
    let builder = Builder::new("go".into(), cache.clone())?;
    let place = builder.place(&recipe)?;
    fs::write(cache.join("lock"), "")?;
    let half = cache.join("bin/.unfinished-hello");
    fs::create_dir(&half)?;
    fs::write(half.join("hello"), "half")?;
    let old = cache.join("run/old");
    fs::create_dir_all(&old)?;
    fs::write(old.join("alive"), "")?;

    builder.build(&[recipe])?;
    says_hello(&place)?;
    ensure(!half.exists(), || {
        "the half-built program is still there".to_owned()
    })?;
    let living = RunFolder::make(&cache)?;
    ensure(!old.exists(), || "the old run is still there".to_owned())?;
    let second = RunFolder::make(&cache)?;
    ensure(
        living.path().is_dir() && second.path() != living.path(),
        || "a living run lost its folder".to_owned(),
    )
}

fn killed_build() -> Outcome {
    let folder = tempfile::tempdir()?;
    // Writes a part of a program to the `-o` path, then sleeps.
    let script = "while [ \"$1\" != -o ]; do shift; done; echo half > \"$2\"; echo $$ > \"$(dirname $0)/building\"; sleep 600";
    stand_in(folder.path(), script)?;
    let mut victim = start_victim("build", folder.path())?;
    let building = folder.path().join("building");
    let begun = || fs::read_to_string(&building).is_ok_and(|text| text.ends_with('\n'));
    let mut ended = None;
    until("the build begins", || {
        ended = victim.try_wait().ok().flatten();
        ended.is_some() || begun()
    })?;
    ensure(ended.is_none(), || {
        format!("the victim ended by itself: {ended:?}")
    })?;
    let process = fs::read_to_string(&building)?;
    victim.kill()?;
    victim.wait()?;
    until("the build ends with the test process", || !runs(&process))?;

    let recipe = recipe(folder.path())?;
    let cache = folder.path().join("cache");
    let places = Builder::new("go".into(), cache.clone())?.build(&[recipe])?;
    says_hello(&places[0])?;
    let left: Vec<_> = fs::read_dir(cache.join("bin"))?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    ensure(left == places, || format!("{left:?} instead of {places:?}"))
}

fn failed_build() -> Outcome {
    let folder = tempfile::tempdir()?;
    let script = "while [ \"$1\" != -o ]; do shift; done; echo half > \"$2\"; echo 'no space left on device' >&2; exit 1";
    let go = stand_in(folder.path(), script)?;
    let cache = folder.path().join("cache");
    let done = Builder::new(go, cache.clone())?.build(&[recipe(folder.path())?]);
    let message = done
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    let log = cache.join("hello.log").display().to_string();
    ensure(
        message.contains("no space left on device") && message.contains(&log),
        || message.clone(),
    )?;
    let left = fs::read_dir(cache.join("bin"))?.count();
    ensure(left == 0, || format!("{left} entries are left"))
}

/// Megabytes of the small disk.
const SMALL_DISK: u32 = 1;

/// Runs in a child with a small disk: a build and a server on it, and their messages.
fn fill_disk(folder: &Path) -> Outcome {
    let small = folder.join("small");
    let cache = small.join("cache");
    let built = Builder::new("go".into(), cache.clone())?.build(&[recipe(folder)?]);
    let left = fs::read_dir(cache.join("bin"))?.count();
    let said = built.err().map(|error| error.to_string());
    fs::write(
        folder.join("build"),
        format!("{left} left: {}", said.unwrap_or_default()),
    )?;

    let programs = crate::bed::build::Programs::get()?;
    let url = format!("http://127.0.0.1:{}", crate::bed::port::free()?);
    let supervisor = Supervisor::start()?;
    let launch = crate::bed::control_plane::etcd(&programs, &url, &small)?;
    let mut process = Process::start(&supervisor, launch)?;
    let said = process.wait_until(SOON, || false).err();
    let said = said.map(|error| error.to_string());
    fs::write(folder.join("server"), said.unwrap_or_default())?;
    Ok(())
}

/// If the user may mount a small disk.
fn full_disk() -> Outcome {
    let folder = tempfile::tempdir()?;
    let small = folder.path().join("small");
    fs::create_dir(&small)?;
    let script =
        format!("mount -t tmpfs -o size={SMALL_DISK}m none \"$1\" && echo mounted && exec \"$0\"");
    let output = Command::new("unshare")
        .args(["--user", "--map-root-user", "--mount", "sh", "-c", &script])
        .arg(std::env::current_exe()?)
        .arg(&small)
        .env(VICTIM, format!("full {}", folder.path().display()))
        .stdin(Stdio::null())
        .output();
    let output = match output {
        Ok(output) if output.stdout.starts_with(b"mounted") => output,
        Ok(_) | Err(_) => return Err(Skipped("no right to mount a tmpfs".to_owned()).into()),
    };
    ensure(output.status.success(), || {
        String::from_utf8_lossy(&output.stdout).into_owned()
    })?;
    for (file, parts) in [
        (
            "build",
            ["0 left: ", "cache/hello.log", "no space left on device"],
        ),
        (
            "server",
            [
                "etcd ended at start",
                "small/etcd.log",
                "no space left on device",
            ],
        ),
    ] {
        let said = fs::read_to_string(folder.path().join(file))?;
        ensure(parts.iter().all(|part| said.contains(part)), || {
            format!("{file}: {said}")
        })?;
    }
    Ok(())
}

fn dies() -> Outcome {
    let folder = tempfile::tempdir()?;
    let supervisor = Supervisor::start()?;
    let arguments = vec![
        "-c".to_owned(),
        "echo 'cannot open the database' >&2; exit 3".to_owned(),
    ];
    let mut process = Process::start(
        &supervisor,
        Launch::new("store", "/bin/sh".into(), folder.path(), arguments),
    )?;
    let message = process
        .wait_until(SOON, || false)
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    let log = folder.path().join("store.log").display().to_string();
    let wanted = [
        "store ended at start",
        "exit status: 3",
        "cannot open the database",
        log.as_str(),
    ];
    ensure(wanted.iter().all(|part| message.contains(part)), || {
        message.clone()
    })
}

fn taken_port() -> Outcome {
    let folder = tempfile::tempdir()?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", taken.local_addr()?);
    let programs = crate::bed::build::Programs::get()?;
    let supervisor = Supervisor::start()?;
    let launch = crate::bed::control_plane::etcd(&programs, &url, folder.path())?;
    let log = launch.log().display().to_string();
    let mut process = Process::start(&supervisor, launch)?;
    let message = process
        .wait_until(SOON, || false)
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    let wanted = [
        "etcd ended at start",
        "address already in use",
        log.as_str(),
    ];
    ensure(wanted.iter().all(|part| message.contains(part)), || {
        message.clone()
    })
}
