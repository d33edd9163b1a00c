//! The door, for reports: whatever stands in a report, no format of it acts on a terminal, a log or a CI system.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::finding::{Finding, FindingPlace, Place};
use super::*;
use crate::armada::disposition::Fate;
use crate::diagnostic::human::{Amount, Drawing};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::printable::json;
use crate::printable::style::Style;
use crate::printable::tests::{fault, hostile};
use crate::source::{Position, Sources, Span};

/// A source of hostile texts: each position of a report gets another one.
struct Texts {
    list: Vec<String>,
    next: usize,
}

impl Texts {
    fn text(&mut self) -> String {
        self.next += 1;
        self.list[self.next % self.list.len()].clone()
    }

    fn some(&mut self) -> Option<String> {
        Some(self.text())
    }
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(hostile(), 1..6)
}

/// Returns what is wrong with a text in colours of ours.
fn fault_of_text(report: &impl Rendered, style: Style) -> Option<String> {
    let text = report.text(style);
    let mut plain = text.to_string();
    for colour in ["0", "1", "2", "31", "32", "33", "36"] {
        plain = plain.replace(&format!("\u{1b}[{colour}m"), "");
    }
    fault(&plain)
}

/// Returns what is wrong with any format of a report.
fn fault_of(report: &impl Rendered) -> Option<String> {
    for colour in [false, true] {
        for all in [false, true] {
            for width in [None, Some(60)] {
                let found = fault_of_text(report, Style { colour, all, width });
                if found.is_some() {
                    return found;
                }
            }
        }
    }
    for limit in [markdown::MIN_LIMIT, markdown::DEFAULT_LIMIT] {
        let page = markdown::print(&report.page(), limit);
        if let Some(found) = fault(page.as_str()) {
            return Some(found);
        }
    }
    let json = json::pretty(report).unwrap();
    fault(json.as_str())
}

fn applied(texts: &mut Texts) -> apply::Report {
    let outcomes = [
        apply::ObjectOutcome::Failed,
        apply::ObjectOutcome::Unfinished,
        apply::ObjectOutcome::Skipped,
        apply::ObjectOutcome::Applied,
    ];
    let objects = outcomes.map(|outcome| apply::Object {
        step: 1,
        kind: texts.text(),
        namespace: texts.some(),
        name: texts.text(),
        outcome,
        seconds: Some(1.0),
        deleted: 1,
        gates: Vec::new(),
        reason: texts.some(),
        hint: texts.some(),
    });
    let stages = vec![apply::Stage {
        number: 1,
        name: texts.text(),
        outcome: apply::StageOutcome::Failed,
        seconds: Some(1.0),
        objects: objects.into(),
    }];
    apply::Report {
        version: apply::VERSION,
        program: texts.text(),
        site: texts.text(),
        run: texts.text(),
        server: texts.text(),
        cluster: texts.text(),
        resumed: true,
        started: texts.text(),
        finished: texts.text(),
        seconds: 1.0,
        outcome: words::RunEnd::Failed,
        summary: apply::Summary::of(&stages),
        stages,
        resume: texts.some(),
    }
}

fn compared(texts: &mut Texts) -> diff::Report {
    use diff::{Alike, Change, Danger, Edit, Held, Line, LineEdit, Object, Outcome, Shared};
    let shared = |texts: &mut Texts| Shared {
        field: texts.text(),
        managers: vec![texts.text(), texts.text()],
    };
    let quoted = |text: String| Some(serde_json::Value::from(text).to_string());
    let changes = |texts: &mut Texts| {
        let edits = [
            Edit::Added,
            Edit::Removed,
            Edit::Changed,
            Edit::Reordered,
            Edit::Moved,
        ];
        let long = "word ".repeat(30);
        let changes = edits.into_iter().flat_map(|what| {
            [
                (texts.text(), texts.text()),
                (
                    format!("{long}{}\n{}", texts.text(), texts.text()),
                    format!("{long}{}\n{}", texts.text(), texts.text()),
                ),
                (
                    format!("{long}{}", texts.text().replace('\n', " ")),
                    format!("{long}{}", texts.text().replace('\n', " ")),
                ),
            ]
            .map(|(before, after)| Change {
                path: texts.text(),
                title: texts.some(),
                what,
                before: quoted(before),
                after: quoted(after),
                lines: match what {
                    Edit::Changed => [LineEdit::Kept, LineEdit::Removed, LineEdit::Added]
                        .map(|what| Line {
                            what,
                            text: texts.text(),
                        })
                        .into(),
                    _ => Vec::new(),
                },
                secret: false,
                danger: Some(Danger {
                    name: texts.text(),
                    effect: texts.text(),
                }),
                noise: texts.some(),
                lockstep: false,
                alike: None,
            })
        });
        changes.collect::<Vec<_>>()
    };
    let outcomes = [
        Outcome::Created,
        Outcome::Changed,
        Outcome::Conflicting,
        Outcome::Refused,
        Outcome::LeftOver,
        Outcome::Unchanged,
    ];
    let objects = outcomes.into_iter().map(|outcome| Object {
        api_version: texts.text(),
        kind: texts.text(),
        namespace: texts.some(),
        name: texts.text(),
        outcome,
        takeover: true,
        message: texts.some(),
        conflicts: vec![Held {
            field: texts.text(),
            manager: texts.text(),
        }],
        staying: vec![shared(texts)],
        shared: vec![shared(texts)],
        notes: vec![texts.text()],
        dangers: vec![Danger {
            name: texts.text(),
            effect: texts.text(),
        }],
        changes: changes(texts),
    });
    let objects = objects.collect();
    let alike = vec![Alike {
        objects: vec![texts.text()],
        changes: changes(texts),
    }];
    diff::Report {
        version: diff::VERSION,
        program: texts.text(),
        against: diff::Against::Cluster,
        summary: diff::Summary::default(),
        takeovers_unseen: vec![texts.text()],
        validators_not_asked: vec![texts.text()],
        objects,
        alike,
    }
}

fn planned(texts: &mut Texts) -> plan::Report {
    use crate::rollout::Action;
    use plan::{Object, Refusal, Stage, Step, Summary};
    let objects = [Action::Refuse, Action::Upgrade, Action::Create].map(|what| Object {
        api_version: texts.text(),
        kind: texts.text(),
        namespace: texts.some(),
        name: texts.text(),
        what,
        refusals: vec![Refusal {
            why: texts.text(),
            hint: texts.text(),
        }],
        notes: vec![texts.text()],
        deletions: vec![texts.text()],
        gates: vec![texts.text()],
        tests: true,
        timeout: 1,
    });
    plan::Report {
        version: plan::VERSION,
        program: texts.text(),
        site: texts.text(),
        server: texts.text(),
        summary: Summary::default(),
        stages: vec![Stage {
            number: 1,
            name: texts.text(),
            steps: vec![Step {
                number: 1,
                objects: objects.into(),
            }],
        }],
        left_over: vec![texts.text()],
    }
}

fn status(texts: &mut Texts) -> status::Report {
    use super::status::*;
    let objects = Counts {
        all: 2,
        done: 1,
        skipped: 0,
        failed: 1,
        started: 0,
    };
    let states = [ReleaseState::Ready, ReleaseState::Failed];
    let releases = states.map(|state| Release {
        step: Some(1),
        namespace: texts.text(),
        name: texts.text(),
        state,
        why: texts.some(),
        revision: Some(1),
        chart: texts.some(),
    });
    let stages = vec![Stage {
        number: Some(1),
        name: texts.some(),
        releases: releases.into(),
    }];
    let run = Run {
        run: texts.text(),
        program: texts.text(),
        rollout: texts.text(),
        holder: texts.text(),
        started: texts.text(),
        updated: texts.text(),
        outcome: Some(words::RunEnd::Failed),
        objects,
        stages: vec![RunStage {
            number: 1,
            name: texts.text(),
            state: RunStatus::Failed,
            objects,
            steps: Vec::new(),
        }],
        left_out: 1,
    };
    let journal = |texts: &mut Texts, unreadable: Option<String>| Journal {
        file: texts.text(),
        run: texts.some(),
        updated: texts.some(),
        outcome: None,
        stage: Some(1),
        torn: true,
        failures: vec![Failure {
            stage: 1,
            step: 1,
            object: texts.text(),
            reason: texts.text(),
        }],
        unreadable,
    };
    let lock = Lock {
        holder: texts.text(),
        since: texts.some(),
        renewed: texts.some(),
        expired: true,
    };
    let readable = Site {
        name: texts.text(),
        summary: Summary::of(&stages),
        run: Some(run),
        run_unreadable: None,
        lock: Some(lock),
        journal: Some(journal(texts, None)),
        stages,
    };
    let why = texts.some();
    let unreadable = Site {
        name: texts.text(),
        summary: Summary::default(),
        run: None,
        run_unreadable: texts.some(),
        lock: None,
        journal: Some(journal(texts, why)),
        stages: Vec::new(),
    };
    Report {
        version: VERSION,
        program: texts.text(),
        server: texts.text(),
        sites: vec![readable, unreadable],
    }
}

fn place(texts: &mut Texts) -> Place {
    Place {
        file: texts.text(),
        line: 1,
        column: 1,
    }
}

fn findings(texts: &mut Texts) -> Vec<Finding> {
    let severities = [Severity::Error, Severity::Warning, Severity::Note];
    let findings = severities.map(|severity| Finding {
        code: Code::FieldType,
        severity,
        message: texts.text(),
        help: texts.some(),
        places: vec![FindingPlace {
            place: place(texts),
            label: texts.text(),
            end: Position { line: 1, column: 2 },
        }],
        release: texts.some(),
    });
    findings.into()
}

fn converted(texts: &mut Texts) -> convert::Report {
    use convert::{Disposition, PreDelete, Release, Report, Summary, Wait, Written};
    let release = Release {
        name: texts.text(),
        namespace: texts.text(),
        chart: texts.text(),
        origin: place(texts),
        group: texts.text(),
        stage: 1,
        step: 1,
        timeout: 1,
        helm_wait: true,
        test_timeout: None,
        delete_timeout: 1,
        upgrade_no_hooks: false,
        upgrade_force: false,
        waits: vec![Wait {
            kind: texts.text(),
            selector: texts.text(),
            required: true,
            min_ready: texts.some(),
            allow_async_updates: None,
        }],
        pre_deletes: vec![PreDelete {
            asked: texts.text(),
            selector: texts.text(),
        }],
        protected: None,
        dependencies: Some(vec![texts.text()]),
        written: Some(Written {
            source_kind: texts.text(),
            source: texts.text(),
            source_rule: None,
            commit: texts.some(),
            unresolved_source: None,
            suspended: true,
            clear_text_secrets: 1,
            nulls: 1,
            bytes: 1,
            values_from: vec![texts.text()],
        }),
        codes: BTreeMap::new(),
    };
    Report {
        version: convert::VERSION,
        program: texts.text(),
        ok: true,
        site: texts.text(),
        summary: Summary::default(),
        order: order::Order::default(),
        releases: vec![release],
        diagnostics: findings(texts),
        dispositions: vec![Disposition {
            document: texts.text(),
            path: texts.text(),
            fate: Fate::Mapped,
            target: texts.text(),
            reason: texts.text(),
            since: texts.some(),
            nodes: 1,
        }],
        skipped_documents: BTreeMap::from([(texts.text(), 1)]),
    }
}

/// Draws a diagnostic about a hostile file.
fn drawn(texts: &mut Texts, colour: bool) -> String {
    let mut sources = Sources::default();
    let line = texts.text();
    let file = sources.add(texts.text(), line.clone()).unwrap();
    let end = line.chars().next().map_or(0, char::len_utf8);
    let diagnostic = Diagnostic::new(Code::FieldType, texts.text())
        .at(Span::new(file, 0, end as u32), texts.text())
        .at(Span::new(file, 0, line.len() as u32), texts.text())
        .help(texts.text());
    let shown = |span: Span| line[span.range()].to_owned();
    let drawing = Drawing {
        sources: &sources,
        line: &shown,
        colour,
        amount: Amount::All,
    };
    drawing.draw(&[diagnostic]).to_string()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn no_report_acts_on_its_reader(list in texts()) {
        let mut texts = Texts { list, next: 0 };
        prop_assert_eq!(fault_of(&applied(&mut texts)), None);
        prop_assert_eq!(fault_of(&compared(&mut texts)), None);
        prop_assert_eq!(fault_of(&planned(&mut texts)), None);
        prop_assert_eq!(fault_of(&converted(&mut texts)), None);
        let status = status(&mut texts);
        for colour in [false, true] {
            let style = Style { colour, ..Style::default() };
            let text = super::status::text::text(&status, style).to_string();
            let plain = ["0", "1", "2", "31", "32", "33"]
                .iter()
                .fold(text, |text, colour| text.replace(&format!("\u{1b}[{colour}m"), ""));
            prop_assert_eq!(fault(&plain), None);
        }
        prop_assert_eq!(fault(json::pretty(&status).unwrap().as_str()), None);
    }

    #[test]
    fn no_finding_acts_on_its_reader(list in texts()) {
        let mut texts = Texts { list, next: 0 };
        let findings = findings(&mut texts);
        let file = texts.text();
        let xml = junit::suite(&findings, &[&file]);
        prop_assert_eq!(fault(xml.as_str()), None);
        let sarif = json::pretty(&sarif::log(&findings)).unwrap();
        prop_assert_eq!(fault(sarif.as_str()), None);
        prop_assert_eq!(fault(json::pretty(&findings).unwrap().as_str()), None);
        let commands = github::annotations(&findings);
        prop_assert_eq!(commands.as_str().lines().count(), findings.len());
        for line in commands.as_str().lines() {
            let rest = line.strip_prefix("::").unwrap();
            prop_assert_eq!(fault(rest), None);
        }
        prop_assert_eq!(fault(&drawn(&mut texts, false)), None);
        let coloured = drawn(&mut texts, true);
        prop_assert!(!coloured.lines().any(|line| line.trim_start().starts_with("::")));
    }
}
