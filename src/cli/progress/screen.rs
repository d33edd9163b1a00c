//! What of a run is on the screen: pure, so that it is tried without a terminal.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::apply::{Event, ItemState};
use crate::flux::duration;
use crate::printable::paragraph::Paragraph;
use crate::printable::style::Paint;
use crate::rollout::ItemId;
use crate::rollout::journal::ItemOutcome;

/// The stage that is worked on, and what moves in it.
#[derive(Debug, Default)]
pub(super) struct Screen {
    stage: Option<Stage>,
    moving: BTreeMap<ItemId, Moving>,
}

#[derive(Debug)]
struct Stage {
    number: usize,
    name: String,
    objects: usize,
    finished: usize,
    started: Duration,
}

#[derive(Debug)]
struct Moving {
    since: Duration,
    words: String,
}

impl Screen {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Takes an event in; gives the lines that stay above the table.
    pub(super) fn event(&mut self, at: Duration, event: &Event) -> Vec<Paragraph> {
        match event {
            Event::StageStarted {
                stage,
                name,
                objects,
            } => {
                self.stage = Some(Stage {
                    number: *stage,
                    name: name.to_string(),
                    objects: *objects,
                    finished: 0,
                    started: at,
                });
                Vec::new()
            }
            Event::StageFinished { stage: number } => {
                let stage = self.stage.take_if(|stage| stage.number == *number);
                stage.map_or_else(Vec::new, |stage| {
                    let took = time(at.saturating_sub(stage.started));
                    let line = text(&format!("stage {} {}: ", stage.number, stage.name));
                    let line = line.painted("done", Paint::Green);
                    vec![line.plain(&format!(" after {took}"))]
                })
            }
            Event::Item {
                item,
                state: ItemState::Finished(outcome),
            } => {
                let since = self.moving.remove(item).map_or(at, |moving| moving.since);
                if let Some(stage) = self
                    .stage
                    .as_mut()
                    .filter(|stage| stage.number == item.stage)
                {
                    stage.finished += 1;
                }
                let took = time(at.saturating_sub(since));
                let line = text(&format!("{}: ", place(item)));
                vec![line.and(finished(outcome)).plain(&format!(", {took}"))]
            }
            Event::Item { item, state } => {
                let words = words(state);
                let moving = self.moving.entry(item.clone());
                let moving = moving.or_insert_with(|| Moving {
                    since: at,
                    words: String::new(),
                });
                moving.words = words;
                Vec::new()
            }
            Event::Warning { message } => {
                let line = Paragraph::default().painted("warning", Paint::Warning);
                vec![line.plain(&format!(": {message}"))]
            }
        }
    }

    /// The event as a line of a log.
    pub(super) fn change(&self, event: &Event) -> Paragraph {
        match event {
            Event::StageStarted {
                stage,
                name,
                objects,
            } => text(&format!(
                "stage {stage} {name}: started, objects: {objects}"
            )),
            Event::StageFinished { stage } => text(&format!("stage {stage}: done")),
            Event::Item {
                item,
                state: ItemState::Finished(outcome),
            } => text(&format!("{}: ", place(item))).and(finished(outcome)),
            Event::Item { item, state } => text(&format!("{}: {}", place(item), words(state))),
            Event::Warning { message } => text(&format!("warning: {message}")),
        }
    }

    /// The table: the stage, and a row for each item that moves, longest first, as many as there is room for.
    pub(super) fn rows(&self, now: Duration, width: usize, height: usize) -> Vec<Paragraph> {
        // A line that fills the width to its end makes some terminals begin another.
        let width = width.saturating_sub(1);
        let mut rows = Vec::new();
        if let Some(stage) = &self.stage {
            let head = format!(
                "stage {} {}: {} of {}, {}",
                stage.number,
                stage.name,
                stage.finished,
                stage.objects,
                time(now.saturating_sub(stage.started))
            );
            rows.push(Paragraph::default().painted(&head, Paint::Bold).cut(width));
        }
        let mut moving: Vec<(&ItemId, &Moving)> = self.moving.iter().collect();
        moving.sort_by_key(|(_, moving)| moving.since);
        let room = height.saturating_sub(rows.len() + 1);
        let shown = if moving.len() > room {
            room.saturating_sub(1)
        } else {
            moving.len()
        };
        for (item, moving) in &moving[..shown] {
            let took = time(now.saturating_sub(moving.since));
            let row = format!("  {took:>6}  {}: {}", place(item), moving.words);
            rows.push(text(&row).cut(width));
        }
        if shown < moving.len() {
            let more = format!("          and {} more", moving.len() - shown);
            rows.push(text(&more).cut(width));
        }
        rows.truncate(height.saturating_sub(1));
        rows
    }
}

fn finished(outcome: &ItemOutcome) -> Paragraph {
    let line = Paragraph::default();
    match outcome {
        ItemOutcome::Unchanged => line.plain("unchanged"),
        ItemOutcome::Applied => line.painted("applied", Paint::Green),
        ItemOutcome::Skipped => line.painted("skipped, it had failed before", Paint::Yellow),
        ItemOutcome::Failed { reason } => {
            let line = line.painted("failed", Paint::Danger);
            line.plain(&format!(": {reason}"))
        }
    }
}

fn text(text: &str) -> Paragraph {
    Paragraph::default().plain(text)
}

fn place(item: &ItemId) -> String {
    format!("{}.{} {}", item.stage, item.step, item.title())
}

fn words(state: &ItemState) -> String {
    match state {
        ItemState::DryRun => "dry run".to_owned(),
        ItemState::Deleting { objects } => {
            super::show::count(*objects, "object") + " to be deleted before"
        }
        ItemState::Writing => "writing".to_owned(),
        ItemState::Reconciling { why } => why.to_string(),
        ItemState::Gate { gate, of, why } => format!("gate {gate} of {of}: {why}"),
        ItemState::Finished(_) => String::new(),
    }
}

fn time(time: Duration) -> String {
    duration::show(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::printable::Printable;
    use crate::printable::style::Style;

    fn id(name: &str) -> ItemId {
        ItemId {
            stage: 2,
            step: 1,
            kind: "HelmRelease".into(),
            namespace: Some("town".into()),
            name: name.into(),
        }
    }

    fn item(name: &str, state: ItemState) -> Event {
        Event::Item {
            item: id(name),
            state,
        }
    }

    fn shown(lines: &[Paragraph], colour: bool) -> Vec<String> {
        let mut out = Printable::default();
        let style = Style {
            colour,
            ..Style::default()
        };
        lines.iter().for_each(|line| line.write(&mut out, style));
        out.as_str().lines().map(str::to_owned).collect()
    }

    fn plain(lines: &[Paragraph]) -> Vec<String> {
        shown(lines, false)
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn begun() -> Screen {
        let mut screen = Screen::new();
        let begins = Event::StageStarted {
            stage: 2,
            name: "ceph".into(),
            objects: 3,
        };
        assert_eq!(plain(&screen.event(at(0), &begins)), [""; 0]);
        screen.event(at(1), &item("mon", ItemState::Writing));
        screen.event(at(3), &item("osd", ItemState::Deleting { objects: 2 }));
        let why = "pod mon-0 is\nnot \u{1b}[2Jready".into();
        screen.event(at(4), &item("mon", ItemState::Reconciling { why }));
        screen
    }

    #[test]
    fn what_moves_has_a_row_and_what_is_done_a_line() {
        let mut screen = begun();
        assert_eq!(
            plain(&screen.rows(at(65), 80, 24)),
            [
                "stage 2 ceph: 0 of 3, 1m5s",
                "    1m4s  2.1 HelmRelease town/mon: pod mon-0 is not \\u{1b}[2Jready",
                "    1m2s  2.1 HelmRelease town/osd: 2 objects to be deleted before",
            ]
        );
        let lasting = screen.event(
            at(70),
            &item("mon", ItemState::Finished(ItemOutcome::Applied)),
        );
        assert_eq!(plain(&lasting), ["2.1 HelmRelease town/mon: applied, 1m9s"]);
        let reason = "no such chart".into();
        let failed = item("osd", ItemState::Finished(ItemOutcome::Failed { reason }));
        assert_eq!(
            plain(&screen.event(at(71), &failed)),
            ["2.1 HelmRelease town/osd: failed: no such chart, 1m8s"]
        );
        assert_eq!(
            plain(&screen.rows(at(72), 80, 24)),
            ["stage 2 ceph: 2 of 3, 1m12s"]
        );
        let ends = Event::StageFinished { stage: 2 };
        assert_eq!(
            plain(&screen.event(at(73), &ends)),
            ["stage 2 ceph: done after 1m13s"]
        );
        assert_eq!(plain(&screen.rows(at(74), 80, 24)), [""; 0]);
    }

    #[test]
    fn the_table_fits_the_terminal() {
        let mut screen = begun();
        for number in 0..40 {
            let name = format!("r{number:02}");
            screen.event(at(5), &item(&name, ItemState::DryRun));
        }
        for (width, height) in [(80, 24), (20, 5), (1, 1), (0, 0), (3, 2)] {
            let rows = plain(&screen.rows(at(9), width, height));
            assert!(rows.len() < height.max(1), "{rows:?}");
            assert!(
                rows.iter().all(|row| row.chars().count() < width.max(1)),
                "{rows:?}"
            );
        }
        let rows = plain(&screen.rows(at(9), 30, 5));
        assert_eq!(rows[1], "      8s  2.1 HelmRelease to…");
        assert_eq!(rows[3], "          and 40 more");
    }

    #[test]
    fn a_log_has_a_line_for_each_change() {
        let screen = Screen::new();
        let gate = ItemState::Gate {
            gate: 1,
            of: 2,
            why: "2 of 3 pods".into(),
        };
        for (event, line) in [
            (
                item("mon", gate),
                "2.1 HelmRelease town/mon: gate 1 of 2: 2 of 3 pods",
            ),
            (
                item("mon", ItemState::Finished(ItemOutcome::Unchanged)),
                "2.1 HelmRelease town/mon: unchanged",
            ),
            (
                item("mon", ItemState::Finished(ItemOutcome::Skipped)),
                "2.1 HelmRelease town/mon: skipped, it had failed before",
            ),
            (Event::StageFinished { stage: 2 }, "stage 2: done"),
            (
                Event::Warning {
                    message: "busy\r".into(),
                },
                "warning: busy\\u{d}",
            ),
        ] {
            assert_eq!(plain(&[screen.change(&event)]), [line]);
        }
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        let mut screen = Screen::new();
        let lasting = screen.event(
            at(1),
            &item("mon", ItemState::Finished(ItemOutcome::Applied)),
        );
        assert_eq!(
            shown(&lasting, true),
            ["2.1 HelmRelease town/mon: \u{1b}[32mapplied\u{1b}[0m, 0s"]
        );
    }
}
