use super::*;
use crate::printable::style::Style;
use crate::report::markdown;

fn object(name: &str, outcome: ObjectOutcome) -> Object {
    let failed = outcome == ObjectOutcome::Failed;
    Object {
        step: 1,
        kind: "HelmRelease".to_owned(),
        namespace: Some("town".to_owned()),
        name: name.to_owned(),
        outcome,
        seconds: (outcome != ObjectOutcome::NotStarted).then_some(61.5),
        deleted: usize::from(failed) * 2,
        gates: vec![Gate {
            gate: 1,
            of: 2,
            seconds: 3.25,
            open: !failed,
        }],
        reason: failed.then(|| "Helm install failed: pod <web> | @all".to_owned()),
        hint: failed.then(|| "run `kubectl describe helmrelease web -n town`".to_owned()),
    }
}

fn report(stages: Vec<Stage>) -> Report {
    Report {
        version: VERSION,
        program: "0.1.0".to_owned(),
        site: "worked".to_owned(),
        run: "r1".to_owned(),
        server: "https://127.0.0.1:6443".to_owned(),
        cluster: "1111".to_owned(),
        resumed: false,
        started: "2026-11-28T12:00:00.000Z".to_owned(),
        finished: "2026-11-28T12:02:00.000Z".to_owned(),
        seconds: 120.0,
        outcome: RunEnd::Failed,
        summary: Summary::of(&stages),
        stages,
        resume: Some("armada2flux apply --resume --journal a.journal".to_owned()),
    }
}

fn stage(number: usize, outcome: StageOutcome, objects: Vec<Object>) -> Stage {
    Stage {
        number,
        name: format!("g{number}"),
        outcome,
        seconds: (outcome != StageOutcome::NotStarted).then_some(9.04),
        objects,
    }
}

fn failed() -> Report {
    report(vec![
        stage(
            1,
            StageOutcome::Done,
            vec![
                object("db", ObjectOutcome::Applied),
                object("mq", ObjectOutcome::Unchanged),
            ],
        ),
        stage(
            2,
            StageOutcome::Failed,
            vec![object("web", ObjectOutcome::Failed)],
        ),
        stage(
            3,
            StageOutcome::NotStarted,
            vec![object("late", ObjectOutcome::NotStarted)],
        ),
    ])
}

#[test]
fn the_text_names_what_failed_and_how_to_go_on() {
    let told = text::text(&failed(), Style::default()).to_string();
    assert_eq!(
        told,
        "stage 1 g1: done after 9.0s, 2 objects\n\
         stage 2 g2: failed after 9.0s, 1 object\n\
         \x20 2.1 HelmRelease town/web: failed after 1m2s\n\
         \x20     Helm install failed: pod <web> | @all\n\
         \x20     help: run `kubectl describe helmrelease web -n town`\n\
         \x20     deleted before: 2 objects\n\
         \x20     gate 1 of 2: closed after 3.2s\n\
         stage 3 g3: not started, 1 object\n\
         \n\
         site worked at https://127.0.0.1:6443: failed in stage 2 (g2) after 2m\n\
         run r1: 4 objects (1 failed, 1 applied, 1 unchanged, 1 not started)\n\
         deleted before upgrades: 2 objects\n\
         to continue: armada2flux apply --resume --journal a.journal\n"
    );
    let all = Style {
        all: true,
        ..Style::default()
    };
    let told = text::text(&failed(), all).to_string();
    assert!(told.contains(
        "1.1 HelmRelease town/db: applied after 1m2s\n      gate 1 of 2: open after 3.2s"
    ));
    assert!(!told.contains("town/late"), "{told}");
    let colour = Style {
        colour: true,
        ..Style::default()
    };
    assert!(
        text::text(&failed(), colour)
            .to_string()
            .contains("\u{1b}[")
    );
    assert!(!told.contains('\u{1b}'));
}

#[test]
fn each_end_has_its_words() {
    let headline = |outcome: RunEnd| {
        let mut report = failed();
        report.outcome = outcome;
        if outcome != RunEnd::Failed {
            report.stages.remove(1);
        }
        super::headline(&report)
    };
    assert_eq!(headline(RunEnd::Complete), "complete after 2m");
    assert_eq!(
        headline(RunEnd::Paused),
        "paused after stage 1 (g1), after 2m"
    );
    assert_eq!(headline(RunEnd::Failed), "failed in stage 2 (g2) after 2m");
    assert_eq!(headline(RunEnd::Interrupted), "interrupted after 2m");
}

#[test]
fn markdown_has_no_foreign_markup_and_stays_below_its_limit() {
    let page = markdown::print(&page::page(&failed()), 60_000).to_string();
    assert!(
        page.contains("**failed in stage 2 (g2) after 2m**"),
        "{page}"
    );
    assert!(page.contains("pod &lt;web&gt; \\| &#64;all"), "{page}");
    assert!(
        page.contains("`armada2flux apply --resume --journal a.journal`"),
        "{page}"
    );
    assert_eq!(page.matches("<details>").count(), 3);

    let many = (0..2000).map(|number| object(&format!("r{number}"), ObjectOutcome::Failed));
    let page = markdown::print(
        &page::page(&report(vec![stage(
            1,
            StageOutcome::Failed,
            many.collect(),
        )])),
        20_000,
    )
    .to_string();
    assert!(page.len() <= 20_000, "{}", page.len());
    assert!(
        page.contains("Left out to stay below 20000 bytes"),
        "{page}"
    );
}
