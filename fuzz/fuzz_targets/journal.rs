//! Reading a journal does not panic on any bytes, and the result is that of the complete lines. Changes of a journal are
//! noticed.

#![no_main]

use armada2flux::rollout::ItemId;
use armada2flux::rollout::journal::{
    Chain, DeleteTarget, Entry, FORMAT, ItemOutcome, Journal, Line, RunEnd, RunInfo, Write,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    let Some((act, rest)) = bytes.split_first() else {
        return;
    };
    if act % 2 == 0 {
        read(&sealed(rest));
    } else {
        change(rest);
    }
});

fn read(bytes: &[u8]) {
    let Ok(journal) = Journal::read(bytes) else {
        return;
    };
    assert!(journal.whole <= bytes.len());
    assert_eq!(journal.torn, journal.whole < bytes.len());
    let whole = Journal::read(&bytes[..journal.whole]).expect("the whole lines were read before");
    assert_eq!(
        (whole.last, whole.torn, whole.chain),
        (journal.last, false, journal.chain)
    );
}

/// Lines with digests that fit; the first ones are those of a run if the input does not bring its own.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut chain = Chain::default();
    let mut text = Vec::new();
    if !bytes.starts_with(b"{\"version\":") {
        for entry in entries().into_iter().take(3) {
            text.extend(chain.seal(&line(entry)).expect("JSON"));
        }
    }
    for line in bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
    {
        text.extend(chain.seal_text(line.to_vec()));
    }
    text
}

/// Changes bytes and lines of a journal as the input says: refused, or only the last line is left out.
fn change(bytes: &[u8]) {
    let mut chain = Chain::default();
    let lines: Vec<Vec<u8>> = entries()
        .into_iter()
        .map(|entry| chain.seal(&line(entry)).expect("JSON"))
        .collect();
    let whole = lines.concat();
    let mut changed = lines.clone();
    for act in bytes.chunks_exact(4) {
        if changed.is_empty() {
            break;
        }
        let one = usize::from(act[1]) % changed.len();
        let two = usize::from(act[2]) % changed.len();
        match act[0] % 5 {
            0 => drop(changed.remove(one)),
            1 => changed.insert(two, changed[one].clone()),
            2 => changed.swap(one, two),
            3 => {
                let line = &mut changed[one];
                let at = (usize::from(act[2]) << 2 | usize::from(act[3] & 3)) % line.len().max(1);
                if let Some(byte) = line.get_mut(at) {
                    *byte = act[3];
                }
            }
            _ => {
                let length = changed[one].len();
                changed[one].truncate(usize::from(act[2]) * 4 % length.max(1));
            }
        }
    }
    let changed = changed.concat();
    read(&changed);
    let Ok(journal) = Journal::read(&changed) else {
        return;
    };
    let kept = &changed[..journal.whole];
    assert!(whole.starts_with(kept), "a change was not noticed");
    assert!(journal.torn || kept == changed);
}

fn line(entry: Entry) -> Line {
    Line {
        version: FORMAT,
        at: "2026-11-28T12:00:00.000Z".into(),
        run: "r1".into(),
        entry,
    }
}

fn entries() -> Vec<Entry> {
    let item = ItemId {
        stage: 1,
        step: 1,
        kind: "HelmRelease".into(),
        namespace: Some("town".into()),
        name: "db".into(),
    };
    let request = Write::Delete { uid: "u".into() };
    let info = RunInfo {
        site: "worked".into(),
        rollout: "sha256:1".into(),
        cluster: "1111".into(),
        server: "https://127.0.0.1:6443".into(),
        holder: "me".into(),
        program: "0.1.0".into(),
        failed_before: vec!["town/old".into()],
    };
    vec![
        Entry::RunStarted(info.clone()),
        Entry::StageStarted { stage: 1 },
        Entry::DeletionsListed {
            item: item.clone(),
            objects: vec![DeleteTarget {
                api_version: "batch/v1".into(),
                kind: "Job".into(),
                name: "a".into(),
                uid: "u".into(),
            }],
        },
        Entry::Intent {
            item: item.clone(),
            request: request.clone(),
        },
        Entry::Done {
            item: item.clone(),
            request,
            generation: None,
        },
        Entry::RunEnded(RunEnd::Failed),
        Entry::RunResumed(info),
        Entry::ItemFinished {
            item,
            outcome: ItemOutcome::Applied,
        },
        Entry::RunEnded(RunEnd::Complete),
    ]
}
