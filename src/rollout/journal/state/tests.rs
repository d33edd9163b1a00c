use proptest::prelude::*;

use super::*;

fn item(name: &str) -> ItemId {
    ItemId {
        stage: 1,
        step: 1,
        kind: "HelmRelease".into(),
        namespace: Some("town".into()),
        name: name.into(),
    }
}

fn begin(holder: &str) -> RunInfo {
    RunInfo {
        site: "worked".into(),
        rollout: "sha256:1".into(),
        cluster: "11111111-2222".into(),
        server: "https://127.0.0.1:6443".into(),
        holder: holder.into(),
        program: "0.1.0".into(),
        failed_before: vec!["town/old".into()],
    }
}

fn deletions(name: &str) -> DeleteTarget {
    DeleteTarget {
        api_version: "batch/v1".into(),
        kind: "Job".into(),
        name: name.into(),
        uid: format!("uid-{name}").into(),
    }
}

fn delete(name: &str) -> Write {
    Write::Delete {
        uid: format!("uid-{name}").into(),
    }
}

fn intent(name: &str, request: Write) -> Entry {
    Entry::Intent {
        item: item(name),
        request,
    }
}

fn done(name: &str, request: Write, generation: Option<i64>) -> Entry {
    Entry::Done {
        item: item(name),
        request,
        generation,
    }
}

fn failed() -> ItemOutcome {
    ItemOutcome::Failed {
        reason: "no pod came up".into(),
    }
}

fn finished(name: &str, outcome: ItemOutcome) -> Entry {
    Entry::ItemFinished {
        item: item(name),
        outcome,
    }
}

/// A run that fails and is taken up again, killed in the midst of it, and taken up once more.
fn story() -> Vec<Entry> {
    vec![
        Entry::RunStarted(begin("first")),
        Entry::StageStarted { stage: 1 },
        Entry::DeletionsListed {
            item: item("db"),
            objects: vec![deletions("db-sync"), deletions("db-init")],
        },
        intent("db", delete("db-sync")),
        done("db", delete("db-sync"), None),
        intent("db", delete("db-init")),
        done("db", delete("db-init"), None),
        intent("db", Write::Apply),
        intent("web", Write::Apply),
        done("db", Write::Apply, Some(3)),
        intent("db", Write::Unsuspend),
        done("db", Write::Unsuspend, Some(4)),
        done("web", Write::Apply, Some(1)),
        finished("web", ItemOutcome::Applied),
        finished("db", failed()),
        Entry::RunEnded(RunEnd::Failed),
        Entry::RunResumed(begin("second")),
        Entry::StageStarted { stage: 1 },
        intent("db", Write::Retry { token: "t1".into() }),
        done("db", Write::Retry { token: "t1".into() }, None),
        Entry::RunResumed(begin("third")),
        finished("db", ItemOutcome::Applied),
        Entry::StageFinished { stage: 1 },
        Entry::RunEnded(RunEnd::Complete),
    ]
}

fn text(run: &str, entries: impl IntoIterator<Item = Entry>) -> String {
    text_after(&mut Chain::default(), run, entries)
}

fn text_after(chain: &mut Chain, run: &str, entries: impl IntoIterator<Item = Entry>) -> String {
    let lines = entries.into_iter().enumerate().map(|(at, entry)| {
        let line = Line {
            version: FORMAT,
            at: format!("2026-11-28T12:00:{:02}.000Z", at % 60).into(),
            run: run.into(),
            entry,
        };
        String::from_utf8(chain.seal(&line).unwrap()).unwrap()
    });
    lines.collect()
}

/// A complete run, and the first lines of another.
fn two_runs(lines: usize) -> String {
    let mut chain = Chain::default();
    let first = text_after(&mut chain, "r1", story());
    first + &text_after(&mut chain, "r2", story().into_iter().take(lines))
}

/// Lines with new digests, as a program that knows the chain writes them.
fn sealed(lines: &[&str]) -> String {
    let mut chain = Chain::default();
    let sealed = lines.iter().map(|line| {
        let body = line.rsplit_once(",\"digest\":").map_or_else(
            || line.trim_end().to_owned(),
            |(body, _)| format!("{body}}}"),
        );
        String::from_utf8(chain.seal_text(body.into_bytes())).unwrap()
    });
    sealed.collect()
}

/// The state after the first `lines` of the story.
fn after(lines: usize) -> RunRecord {
    let text = text("r1", story().into_iter().take(lines));
    let journal = Journal::read(text.as_bytes()).unwrap();
    assert_eq!((journal.whole, journal.torn), (text.len(), false));
    journal.last.unwrap()
}

#[test]
fn a_story_is_followed() {
    let state = after(9);
    let db = &state.items[&item("db")];
    assert_eq!(db.intent, Some(Write::Apply));
    assert!(
        db.deletions
            .iter()
            .flatten()
            .all(|deletion| deletion.deleted)
    );
    assert_eq!(db.deletions.as_ref().map(Vec::len), Some(2));
    assert_eq!(
        (state.stage, state.processes, &state.end),
        (Some(1), 1, &None)
    );

    let half = after(6);
    let deleted: Vec<bool> = half.items[&item("db")]
        .deletions
        .iter()
        .flatten()
        .map(|d| d.deleted)
        .collect();
    assert_eq!(deleted, [true, false]);
    assert_eq!(half.items[&item("db")].intent, Some(delete("db-init")));

    let state = after(16);
    assert_eq!(state.end, Some(RunEnd::Failed));
    assert_eq!(state.items[&item("db")].generation, Some(4));
    assert_eq!(state.items[&item("db")].outcome, Some(failed()));
    assert!(!state.is_finished(&item("db")) && state.is_finished(&item("web")));

    let state = after(19);
    let db = &state.items[&item("db")];
    assert_eq!((db.retried.as_deref(), &db.outcome), (Some("t1"), &None));
    assert_eq!(db.intent, Some(Write::Retry { token: "t1".into() }));
    assert_eq!(db.generation, Some(4));
    assert_eq!((state.processes, &*state.info.holder), (2, "second"));

    let state = after(24);
    assert!(state.is_complete() && state.finished.contains(&1) && state.is_finished(&item("db")));
    assert_eq!((state.processes, &*state.info.holder), (3, "third"));
    assert_eq!(&*state.started, "2026-11-28T12:00:00.000Z");
    assert_eq!(&*state.updated, "2026-11-28T12:00:23.000Z");
}

#[test]
fn cut_at_any_byte_it_reads_to_what_stands_before() {
    let whole = two_runs(9);
    let ends: Vec<usize> = whole.match_indices('\n').map(|(at, _)| at + 1).collect();
    for cut in 0..=whole.len() {
        let journal = Journal::read(&whole.as_bytes()[..cut]).unwrap();
        let lines = ends.iter().filter(|end| **end <= cut).count();
        let end = lines.checked_sub(1).map_or(0, |last| ends[last]);
        assert_eq!(
            (journal.whole, journal.torn),
            (end, end != cut),
            "cut at {cut}"
        );
        let before = Journal::read(&whole.as_bytes()[..end]).unwrap();
        assert_eq!(journal.last, before.last, "cut at {cut}");
        assert_eq!(journal.last.is_some(), lines > 0);
        let run = journal.last.map(|state| state.run);
        let expected = if lines > story().len() { "r2" } else { "r1" };
        assert!(run.is_none_or(|run| run == expected));
    }
}

#[test]
fn a_last_line_with_its_end_is_not_torn() {
    let whole = text("r1", story().into_iter().take(3));
    for tail in [
        "\0\0\0\n",
        "{\"version\":2,\"at\":\"20\n",
        "\u{fffd}\n",
        "\n",
    ] {
        let read = error(&format!("{whole}{tail}"));
        assert_eq!(read, JournalError::Malformed { line: 4 }, "{tail:?}");
    }
    // The end of the line before it is another byte.
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    for byte in ["\0", " ", "}", ","] {
        let merged = [lines[0], lines[1].trim_end(), byte, lines[2]].concat();
        assert_eq!(
            error(&merged),
            JournalError::Malformed { line: 2 },
            "{byte:?}"
        );
    }
}

fn error(text: &str) -> JournalError {
    let error = Journal::read(text.as_bytes()).unwrap_err();
    assert!(!error.to_string().contains("web") && !error.hint().is_empty());
    error
}

#[test]
fn what_cannot_be_is_refused_by_its_line() {
    let whole = text("r1", story());
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let start = lines[..3].concat();

    let newer = lines[3].replace("\"version\":2", "\"version\":3");
    let version = JournalError::Version {
        line: 4,
        version: 3,
    };
    assert_eq!(error(&format!("{start}{newer}{}", lines[4])), version);
    // A line of a newer version may say what this one does not know.
    assert_eq!(
        error(&format!("{start}{{\"version\":3,\"what\":\"else\"}}\n")),
        version
    );
    let older = lines[0].replace("\"version\":2", "\"version\":1");
    let version = JournalError::Version {
        line: 1,
        version: 1,
    };
    assert_eq!(error(&older), version);

    let broken = JournalError::Malformed { line: 2 };
    assert_eq!(
        error(&format!("{}{}\n{}", lines[0], &lines[1][..20], lines[2])),
        broken
    );
    assert_eq!(error(&format!("{}\n{}", lines[0], lines[1])), broken);
    let unknown = lines[1].replace("\"stage-started\"", "\"stage-web\"");
    let changed = JournalError::Changed { line: 2 };
    assert_eq!(error(&format!("{}{unknown}", lines[0])), changed);
    assert_eq!(error(&sealed(&[lines[0], &unknown])), broken);
    let more = lines[1].replace("\"stage\":1", "\"stage\":1,\"more\":1");
    assert_eq!(error(&sealed(&[lines[0], &more])), broken);

    let other = lines[3].replace("\"r1\"", "\"r2\"");
    let mixed = |lines: &[&str]| {
        let line = lines.len();
        assert_eq!(error(&sealed(lines)), JournalError::Mixed { line });
    };
    mixed(&[&lines[..3], &[&*other]].concat());
    let again = lines[0].replace("\"r1\"", "\"r2\"");
    mixed(&[&lines[..3], &[&*again]].concat());
    // The same name would make two runs one.
    mixed(&[&lines[..], &[lines[0]]].concat());
    for change in [
        ("sha256:1", "sha256:2"),
        ("11111111", "9"),
        ("\"worked\"", "\"other\""),
    ] {
        let foreign = lines[16].replace(change.0, change.1);
        mixed(&[&lines[..16], &[&*foreign]].concat());
    }

    let out_of_order = |lines: &[&str]| {
        let line = lines.len();
        assert_eq!(error(&sealed(lines)), JournalError::OutOfOrder { line });
    };
    out_of_order(&[lines[1]]);
    out_of_order(&[&lines[..16], &[lines[18]]].concat());
    out_of_order(&[&lines[..], &[lines[16]]].concat());
}

#[test]
fn what_other_programs_write_is_foreign() {
    for text in [
        "a token without an end of line",
        "one line\n",
        "two\nlines\n",
        "\n",
        "\0\0\0\0",
        "{}",
        "{\"version\":4,\"terraform_version\":\"1.9\",\"serial\":3}",
        "{\"version\":2,\"at\":\"2026-11-28T12:00:00.000Z\",\"runs\":",
        "{\"version\":1}\n",
        "{\"apiVersion\":\"v1\",\"kind\":\"Config\"}\n{\"a\":1}\n",
    ] {
        assert_eq!(error(text), JournalError::Foreign, "{text}");
    }
}

#[test]
fn a_complete_run_is_followed_by_another() {
    let whole = two_runs(2);
    let state = Journal::read(whole.as_bytes()).unwrap().last.unwrap();
    assert_eq!(
        (&*state.run, state.items.len(), state.processes),
        ("r2", 0, 1)
    );
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Journal::read(&bytes);
    }

    /// Lines in any order and number, some of them damaged, with or without digests that fit.
    #[test]
    fn no_lines_make_it_panic(
        picks in proptest::collection::vec((0_usize..24, 0_usize..400, any::<u8>()), 0..40),
        fits in any::<bool>(),
    ) {
        let whole = text("r1", story());
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        let mut bytes = Vec::new();
        let mut chain = Chain::default();
        for (line, at, byte) in picks {
            let mut line = lines[line].as_bytes().to_vec();
            if let Some(damaged) = line.get_mut(at) {
                *damaged = byte;
            }
            if fits {
                line = chain.seal_text(line);
            }
            bytes.extend(line);
        }
        if let Ok(journal) = Journal::read(&bytes) {
            prop_assert!(journal.whole <= bytes.len());
            prop_assert_eq!(journal.torn, journal.whole < bytes.len());
            let again = Journal::read(&bytes[..journal.whole]);
            prop_assert_eq!(again.map(|again| again.last), Ok(journal.last));
        }
    }

    /// One byte is another one.
    #[test]
    fn a_changed_byte_is_seen(at in 0_usize..100_000, byte in any::<u8>()) {
        let whole = two_runs(9).into_bytes();
        let mut changed = whole.clone();
        let at = at % whole.len();
        prop_assume!(whole[at] != byte);
        changed[at] = byte;
        seen(&whole, &changed);
    }

    /// A line is removed, repeated, or changes places with another.
    #[test]
    fn a_moved_line_is_seen(act in 0_usize..4, one in 0_usize..33, two in 0_usize..33) {
        let whole = two_runs(9);
        let mut lines: Vec<&str> = whole.split_inclusive('\n').collect();
        match act {
            0 => drop(lines.remove(one)),
            1 => lines.insert(one, lines[one]),
            2 => lines.insert(two, lines[one]),
            _ => lines.swap(one, two),
        }
        seen(whole.as_bytes(), lines.concat().as_bytes());
    }
}

/// Fails unless a change is refused, or what is left out is the last line alone.
fn seen(whole: &[u8], changed: &[u8]) {
    let Ok(journal) = Journal::read(changed) else {
        return;
    };
    let kept = &changed[..journal.whole];
    let left_out = whole.strip_prefix(kept).unwrap();
    let lines = left_out.iter().filter(|byte| **byte == b'\n').count();
    assert!(lines <= 1, "{lines} lines are gone without a trace");
    assert!(journal.torn || kept == changed);
}
