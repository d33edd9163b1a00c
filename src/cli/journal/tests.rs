use std::os::unix::fs::PermissionsExt as _;
use std::process::ExitCode;

use tempfile::TempDir;

use super::file::MODE;
use super::*;
use crate::rollout::journal::RunEnd;

fn start(path: &Path, info: RunInfo) -> Result<Journal, Failure> {
    Opened::to_start(path)?.start(clock::run_name(), info)
}

fn resume(path: &Path, info: RunInfo) -> Result<(Journal, RunRecord), Failure> {
    let opened = Opened::to_resume(path, &info)?;
    let state = opened.unfinished().cloned().unwrap();
    Ok((opened.resume(info)?, state))
}

fn info(site: &str) -> RunInfo {
    RunInfo {
        site: site.into(),
        rollout: "sha256:1".into(),
        cluster: "1111".into(),
        server: "https://127.0.0.1:6443".into(),
        holder: "me".into(),
        program: "0.1.0".into(),
        failed_before: vec!["town/old".into()],
    }
}

fn said(failure: Failure) -> String {
    let (message, hint) = failure.message().unwrap();
    let hint = hint.unwrap();
    format!("{message} | {hint}")
}

fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a.journal");
    (folder, path)
}

fn stage(stage: usize) -> Entry {
    Entry::StageStarted { stage }
}

#[test]
fn a_run_is_begun_taken_up_completed_and_followed() {
    let (_folder, path) = place();
    let mut journal = start(&path, info("a")).unwrap();
    let first = journal.run().clone();
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, MODE);
    journal.append(stage(1)).unwrap();
    let state = read(&path).unwrap().unwrap().last.unwrap();
    assert_eq!((state.stage, state.processes), (Some(1), 1));
    drop(journal);

    let other = RunInfo {
        failed_before: Vec::new(),
        ..info("a")
    };
    let (mut journal, state) = resume(&path, other).unwrap();
    assert_eq!(
        (&state.run, journal.run(), state.processes),
        (&first, &first, 1)
    );
    journal.append(Entry::RunEnded(RunEnd::Complete)).unwrap();
    drop(journal);
    let state = read(&path).unwrap().unwrap().last.unwrap();
    assert_eq!((state.is_complete(), state.processes), (true, 2));
    assert_eq!(state.info.failed_before, ["town/old"]);

    let complete = said(resume(&path, info("a")).unwrap_err());
    assert!(
        complete.contains("is complete | start another run without `--resume`"),
        "{complete}"
    );
    let journal = start(&path, info("a")).unwrap();
    assert_ne!(journal.run(), &first);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 5);
}

#[test]
fn a_second_process_is_told() {
    let (_folder, path) = place();
    let journal = start(&path, info("a")).unwrap();
    for second in [
        start(&path, info("a")).map(|_| ()),
        resume(&path, info("a")).map(|_| ()),
    ] {
        let failure = second.unwrap_err();
        assert_eq!(failure.exit_code(), ExitCode::from(4));
        let said = said(failure);
        assert!(
            said.contains("another process writes the journal") && said.contains(": `me`"),
            "{said}"
        );
    }
    // Looking is no writing.
    assert!(read(&path).unwrap().unwrap().last.is_some());
    drop(journal);
    let said = said(start(&path, info("a")).unwrap_err());
    assert!(
        said.contains("holds a run that is not finished") && said.contains("of site a"),
        "{said}"
    );
    assert!(said.contains("--resume --journal"), "{said}");
}

#[test]
fn a_beginning_is_taken_back() {
    let (_folder, path) = place();
    start(&path, info("a")).unwrap().withdraw().unwrap();
    assert!(!path.exists());
    let mut journal = start(&path, info("a")).unwrap();
    journal.append(Entry::RunEnded(RunEnd::Complete)).unwrap();
    drop(journal);
    let before = std::fs::read(&path).unwrap();
    start(&path, info("a")).unwrap().withdraw().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[test]
fn only_the_same_run_is_taken_up() {
    let (_folder, path) = place();
    assert!(read(&path).unwrap().is_none());
    let nothing = said(resume(&path, info("a")).unwrap_err());
    assert!(nothing.contains("no run to resume"), "{nothing}");
    assert!(!path.exists());
    drop(start(&path, info("a")).unwrap());
    let cluster = RunInfo {
        cluster: "2222".into(),
        ..info("a")
    };
    let input = RunInfo {
        rollout: "sha256:2".into(),
        ..info("a")
    };
    for (info, expected) in [
        (info("b"), "is of site a, not of b"),
        (
            cluster,
            "is in another cluster, then at https://127.0.0.1:6443",
        ),
        (input, "is of other objects than the input holds now"),
    ] {
        let before = std::fs::read(&path).unwrap();
        let said = said(resume(&path, info).unwrap_err());
        assert!(said.contains(expected), "{said}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}

#[test]
fn cut_at_any_byte_of_its_last_lines_it_goes_on() {
    let (_folder, path) = place();
    let mut journal = start(&path, info("a")).unwrap();
    for number in 1..=3 {
        journal.append(stage(number)).unwrap();
    }
    drop(journal);
    let whole = std::fs::read(&path).unwrap();
    let ends: Vec<usize> = (0..whole.len()).filter(|at| whole[*at] == b'\n').collect();
    for cut in ends[1] + 1..=whole.len() {
        std::fs::write(&path, &whole[..cut]).unwrap();
        let (mut journal, state) = resume(&path, info("a")).unwrap();
        let lines = ends.iter().filter(|end| **end < cut).count();
        assert_eq!(state.stage, Some(lines - 1), "{cut}");
        journal.append(stage(9)).unwrap();
        drop(journal);
        let text = std::fs::read(&path).unwrap();
        assert!(text.starts_with(&whole[..=ends[lines - 1]]), "{cut}");
        let state = read(&path).unwrap().unwrap().last.unwrap();
        assert_eq!((state.stage, state.processes), (Some(9), 2), "{cut}");
    }
}

#[test]
fn a_torn_line_is_cut_off_and_a_broken_one_is_not() {
    let (_folder, path) = place();
    let mut journal = start(&path, info("a")).unwrap();
    journal.append(stage(1)).unwrap();
    drop(journal);
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&whole[..], b"{\"version\":2,\"at\":\"20"].concat()).unwrap();
    let (mut journal, state) = resume(&path, info("a")).unwrap();
    assert_eq!(state.stage, Some(1));
    journal.append(stage(2)).unwrap();
    drop(journal);
    assert_eq!(read(&path).unwrap().unwrap().last.unwrap().stage, Some(2));
    assert!(std::fs::read(&path).unwrap().starts_with(&whole));

    // An empty file, or a first line that is torn, holds no run.
    for text in ["", "{\"versi"] {
        std::fs::write(&path, text).unwrap();
        let nothing = said(resume(&path, info("a")).unwrap_err());
        assert!(nothing.contains("no run to resume"), "{nothing}");
        let mut journal = start(&path, info("a")).unwrap();
        journal.append(stage(3)).unwrap();
        drop(journal);
        assert_eq!(read(&path).unwrap().unwrap().last.unwrap().stage, Some(3));
    }

    let newer = String::from_utf8(whole)
        .unwrap()
        .replace("\"version\":2", "\"version\":7");
    std::fs::write(&path, &newer).unwrap();
    let said = said(resume(&path, info("a")).unwrap_err());
    assert!(
        said.contains(
            "line 1 of the journal has version 7, this program reads version 2 | use the version"
        ),
        "{said}"
    );
    assert_eq!(std::fs::read_to_string(&path).unwrap(), newer);
}

#[test]
fn after_a_line_that_cannot_be_written_nothing_follows() {
    let (_folder, path) = place();
    let mut journal = start(&path, info("a")).unwrap();
    let whole = std::fs::read(&path).unwrap();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let good = std::mem::replace(&mut journal.file, full);
    let length = std::mem::take(&mut journal.whole);
    journal.path = "/dev/full".into();
    let full = said(journal.append(stage(1)).unwrap_err());
    assert!(
        full.contains("cannot write the journal") && full.contains("space left"),
        "{full}"
    );
    assert!(
        full.contains("nothing was written to the cluster after the journal's last line"),
        "{full}"
    );
    // The disk has room again; a line in between is missing all the same.
    journal.file = good;
    journal.whole = length;
    journal.path = path.clone();
    let again = said(journal.append(stage(2)).unwrap_err());
    assert!(
        again.contains("an earlier line could not be written"),
        "{again}"
    );
    drop(journal);
    assert_eq!(std::fs::read(&path).unwrap(), whole);
    let (_, state) = resume(&path, info("a")).unwrap();
    assert_eq!(state.stage, None);
}
