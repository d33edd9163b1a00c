//! The report of `plan` for a terminal: a table a stage, the summary last.

use super::{Object, Report, Stage};
use crate::flux::duration;
use crate::printable::Printable;
use crate::printable::paragraph::{Paragraph, padded, text_columns};
use crate::printable::style::Paint;
use crate::report::digest::count;
use crate::rollout::Action;

pub use crate::printable::style::Style;

/// Longest title that the columns are set by, in characters.
const MAX_TITLE: usize = 54;

/// The colour of what is done to an object.
fn colour(what: Action) -> Paint {
    match what {
        Action::Create => Paint::Green,
        Action::Upgrade | Action::Change => Paint::Yellow,
        Action::Reconcile | Action::Unchanged => Paint::Dim,
        Action::Refuse => Paint::Danger,
    }
}

/// The text, ending with a line break.
#[must_use]
pub fn text(report: &Report, style: Style) -> Printable {
    let Report {
        version: _,
        program: _,
        site,
        server,
        summary,
        stages,
        left_over,
    } = report;
    let mut out = Printable::default();
    out.line(&format!("site {site}, cluster at {server}"));
    for stage in stages {
        self::stage(&mut out, stage, style);
    }
    if !left_over.is_empty() {
        out.blank();
        out.line(&format!(
            "left over: {}, not in the input; nothing deletes them",
            count(left_over.len(), "object")
        ));
        if style.all {
            for title in left_over {
                out.line(&format!("  {title}"));
            }
        }
    }
    let outcomes = summary.outcomes().into_iter();
    let outcomes = outcomes.filter(|(number, _)| *number > 0);
    let (objects, stages) = (
        count(summary.objects, "object"),
        count(stages.len(), "stage"),
    );
    let mut line = Paragraph::default().plain(&format!("{objects} in {stages}: "));
    for (at, (number, what)) in outcomes.enumerate() {
        line = line.plain(if at == 0 { "" } else { ", " });
        line = line.painted(&format!("{number} {}", summed(what)), colour(what));
    }
    out.blank();
    line.write(&mut out, style);
    if summary.refused > 0 {
        let line = "a run would be refused before it writes anything";
        let line = Paragraph::default().painted(line, colour(Action::Refuse));
        line.write(&mut out, style);
    }
    out
}

/// What became of several.
pub(super) fn summed(what: Action) -> &'static str {
    match what {
        Action::Create => "to create",
        Action::Upgrade => "to upgrade",
        Action::Change => "to change",
        Action::Reconcile => "reconciled again in turn",
        Action::Unchanged => "unchanged",
        Action::Refuse => "refused",
    }
}

fn stage(out: &mut Printable, stage: &Stage, style: Style) {
    let Stage {
        number,
        name,
        steps,
    } = stage;
    out.blank();
    out.line(&format!("stage {number}: {name}"));
    let shown = |object: &&Object| style.all || object.is_noteworthy();
    let titles = steps.iter().flat_map(|step| &step.objects).filter(shown);
    let widths = titles.map(|object| text_columns(&object.title()));
    let width = widths
        .filter(|width| *width <= MAX_TITLE)
        .max()
        .unwrap_or(0);
    for step in steps {
        let place = format!("{number}.{}", step.number);
        for object in step.objects.iter().filter(shown) {
            row(out, &place, width, object, style);
        }
        let rest = step.objects.iter().filter(|object| !shown(object)).count();
        if rest > 0 {
            let line = format!("  {place:<5} {} unchanged", count(rest, "object"));
            let line = Paragraph::default().painted(&line, colour(Action::Unchanged));
            line.write(out, style);
        }
    }
}

fn row(out: &mut Printable, place: &str, width: usize, object: &Object, style: Style) {
    let Object {
        api_version: _,
        kind: _,
        namespace: _,
        name: _,
        what,
        refusals,
        notes,
        deletions,
        gates,
        tests,
        timeout,
    } = object;
    let title = padded(&object.title(), width);
    Paragraph::default()
        .plain(&format!("  {place:<5} {title}  "))
        .painted(&format!("{:<9}", what.word()), colour(*what))
        .plain(&format!("  within {}", duration::show(*timeout)))
        .fit(out, 8, style);
    let begin = Paragraph::default().plain("        ");
    for refusal in refusals {
        begin
            .clone()
            .painted("x", colour(Action::Refuse))
            .plain(&format!(" {}", refusal.why))
            .fit(out, 10, style);
        let hint = Paragraph::default().plain("          ");
        hint.plain(&refusal.hint).fit(out, 10, style);
    }
    let line = |text: &str| begin.clone().plain(text);
    // What is deleted only before an upgrade is of no interest where there is none.
    if *what == Action::Upgrade || style.all {
        for deletion in deletions {
            line(&format!("deletes {deletion}")).fit(out, 10, style);
        }
    }
    for gate in gates {
        line(&format!("gate {gate}")).fit(out, 10, style);
    }
    if *tests {
        line("tests").fit(out, 10, style);
    }
    for note in notes {
        line(note).fit(out, 10, style);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Refusal, Report, Step, Summary};
    use super::*;

    fn object(kind: &str, name: &str, what: Action) -> Object {
        Object {
            api_version: "v1".to_owned(),
            kind: kind.to_owned(),
            namespace: Some("town".to_owned()),
            name: name.to_owned(),
            what,
            refusals: Vec::new(),
            notes: Vec::new(),
            deletions: vec!["job app=web".to_owned()],
            gates: vec!["pod app=web".to_owned()],
            tests: true,
            timeout: 1020,
        }
    }

    #[test]
    fn a_table_shows_what_moves() {
        let refused = Object {
            refusals: vec![Refusal {
                why: "HelmRelease town/c is being deleted".to_owned(),
                hint: "wait until it is gone".to_owned(),
            }],
            ..object("HelmRelease", "c", Action::Refuse)
        };
        let report = Report {
            version: 1,
            program: String::new(),
            site: "harbour".to_owned(),
            server: "https://api:6443".to_owned(),
            summary: Summary {
                objects: 4,
                upgraded: 1,
                unchanged: 2,
                refused: 1,
                ..Summary::default()
            },
            stages: vec![Stage {
                number: 1,
                name: "all".to_owned(),
                steps: vec![Step {
                    number: 1,
                    objects: vec![
                        object("HelmRelease", "web", Action::Upgrade),
                        object("HelmRelease", "a", Action::Unchanged),
                        object("HelmRelease", "b", Action::Unchanged),
                        refused,
                    ],
                }],
            }],
            left_over: vec!["ConfigMap town/old".to_owned()],
        };
        let shown = text(&report, Style::default());
        assert_eq!(
            shown.as_str(),
            "site harbour, cluster at https://api:6443\n\n\
             stage 1: all\n\
             \x20 1.1   HelmRelease town/web  upgrade    within 17m\n\
             \x20       deletes job app=web\n\
             \x20       gate pod app=web\n\
             \x20       tests\n\
             \x20 1.1   HelmRelease town/c    refused    within 17m\n\
             \x20       x HelmRelease town/c is being deleted\n\
             \x20         wait until it is gone\n\
             \x20       gate pod app=web\n\
             \x20       tests\n\
             \x20 1.1   2 objects unchanged\n\n\
             left over: 1 object, not in the input; nothing deletes them\n\n\
             4 objects in 1 stage: 1 refused, 1 to upgrade, 2 unchanged\n\
             a run would be refused before it writes anything\n"
        );
        let all = text(
            &report,
            Style {
                colour: true,
                all: true,
                width: None,
            },
        );
        let all = all.as_str();
        assert!(all.contains("HelmRelease town/b") && all.contains("ConfigMap town/old"));
        assert!(all.contains("\u{1b}[33mupgrade  \u{1b}[0m"));
    }
}
