use super::text::text;
use super::*;
use crate::printable::style::Style;

fn release(step: Option<usize>, name: &str, state: ReleaseState) -> Release {
    Release {
        step,
        namespace: "town".to_owned(),
        name: name.to_owned(),
        state,
        why: (state == ReleaseState::Failed).then(|| format!("begins {} ends", "x".repeat(150))),
        revision: (state != ReleaseState::Waiting).then_some(3),
        chart: (state != ReleaseState::Waiting).then(|| "0.1.0".to_owned()),
    }
}

fn objects(all: usize, done: usize, failed: usize) -> Counts {
    Counts {
        all,
        done,
        skipped: 0,
        failed,
        started: 0,
    }
}

fn site() -> Site {
    let stages = vec![
        Stage {
            number: Some(1),
            name: Some("core".to_owned()),
            releases: vec![
                release(Some(1), "db", ReleaseState::Ready),
                release(Some(2), "web-long", ReleaseState::Failed),
            ],
        },
        Stage {
            number: None,
            name: None,
            releases: vec![
                release(None, "new", ReleaseState::Waiting),
                release(None, "off", ReleaseState::Suspended),
            ],
        },
    ];
    let run_stage = |number: usize, state: RunStatus, objects: Counts| RunStage {
        number,
        name: format!("g{number}"),
        state,
        objects,
        steps: Vec::new(),
    };
    Site {
        name: "worked".to_owned(),
        summary: Summary::of(&stages),
        run: Some(Run {
            run: "r1".to_owned(),
            program: "0.1.0".to_owned(),
            rollout: "sha256:1".to_owned(),
            holder: "me".to_owned(),
            started: "B".to_owned(),
            updated: "U".to_owned(),
            outcome: Some(RunEnd::Failed),
            objects: objects(5, 3, 1),
            stages: vec![
                run_stage(0, RunStatus::Done, objects(2, 2, 0)),
                run_stage(1, RunStatus::Failed, objects(3, 1, 1)),
            ],
            left_out: 7,
        }),
        run_unreadable: None,
        lock: Some(Lock {
            holder: "someone".to_owned(),
            since: Some("S".to_owned()),
            renewed: Some("R".to_owned()),
            expired: true,
        }),
        journal: Some(Journal {
            file: "a.journal".to_owned(),
            run: Some("r1".to_owned()),
            updated: Some("U".to_owned()),
            outcome: Some(RunEnd::Failed),
            stage: Some(1),
            torn: true,
            failures: vec![Failure {
                stage: 1,
                step: 2,
                object: "HelmRelease town/web-long".to_owned(),
                reason: "no pod".to_owned(),
            }],
            unreadable: None,
        }),
        stages,
    }
}

fn report(sites: Vec<Site>) -> Report {
    Report {
        version: VERSION,
        program: "0.1.0".to_owned(),
        server: "https://127.0.0.1:6443".to_owned(),
        sites,
    }
}

#[test]
fn a_site_is_a_table() {
    let told = text(&report(vec![site()]), Style::default()).to_string();
    let why = format!("begins {}…{} ends", "x".repeat(43), "x".repeat(44));
    assert_eq!(
        told,
        format!(
            "site worked at https://127.0.0.1:6443: 4 releases: 1 failed, 1 waiting, 1 ready, 1 suspended
  last run: r1, started B, updated U: failed
    1 of 2 stages done, stage 1 (g1) failed: 1 of 3 objects done
    7 steps are not in the cluster's copy
  lock: held by someone since S, renewed R, expired: --break-lock takes it
  journal: a.journal: run r1, failed in stage 1, updated U, its last line is incomplete
    1.2 HelmRelease town/web-long: no pod
    to continue: armada2flux apply --resume --journal a.journal

  stage 1 core
      1  town/db        ready        v3  0.1.0
      2  town/web-long  failed       v3  0.1.0  {why}

  stage without a number
      -  town/new       waiting       -  -
      -  town/off       suspended    v3  0.1.0
"
        )
    );
    let all = Style {
        all: true,
        ..Style::default()
    };
    assert!(
        text(&report(vec![site()]), all)
            .to_string()
            .contains(&"x".repeat(150))
    );
}

#[test]
fn what_is_not_there_is_said() {
    let told = text(&report(Vec::new()), Style::default()).to_string();
    assert!(
        told.starts_with("no site at https://127.0.0.1:6443"),
        "{told}"
    );
    let killed = |lock: Option<Lock>| {
        let mut site = site();
        site.lock = lock;
        site.run.as_mut().unwrap().outcome = None;
        site.journal.as_mut().unwrap().outcome = None;
        text(&report(vec![site]), Style::default()).to_string()
    };
    assert!(
        killed(None).contains("updated U: not running, ended without a result"),
        "{}",
        killed(None)
    );
    assert!(killed(site().lock).contains("updated U: running"));
    assert!(killed(None).contains("run r1, not finished in stage 1"));
    let empty = Site {
        summary: Summary::default(),
        run: None,
        run_unreadable: Some("it is of version 2".to_owned()),
        lock: None,
        journal: None,
        stages: Vec::new(),
        ..site()
    };
    let told = text(&report(vec![empty]), Style::default()).to_string();
    assert!(
        told.contains(": no releases\n  last run: it is of version 2\n"),
        "{told}"
    );
}
