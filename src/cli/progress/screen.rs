//! What of a run is on the screen: pure, so that it is tried without a terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::apply::{Event, Moment};
use crate::flux::duration;
use crate::report::cut;
use crate::report::style::Paint;
use crate::rollout::PartId;
use crate::rollout::journal::Finish;

/// The stage that is worked on, and what moves in it.
#[derive(Debug)]
pub(super) struct Screen {
    colour: bool,
    stage: Option<Stage>,
    moving: BTreeMap<PartId, Moving>,
}

#[derive(Debug)]
struct Stage {
    number: usize,
    name: String,
    parts: usize,
    finished: usize,
    began: Duration,
}

#[derive(Debug)]
struct Moving {
    since: Duration,
    words: String,
}

impl Screen {
    pub(super) fn new(colour: bool) -> Self {
        Self {
            colour,
            stage: None,
            moving: BTreeMap::new(),
        }
    }

    /// Takes an event in; gives the lines that stay above the table.
    pub(super) fn event(&mut self, at: Duration, event: &Event) -> Vec<String> {
        match event {
            Event::StageBegins { stage, name, parts } => {
                self.stage = Some(Stage {
                    number: *stage,
                    name: plain(name),
                    parts: *parts,
                    finished: 0,
                    began: at,
                });
                Vec::new()
            }
            Event::StageEnds { stage: number } => {
                let stage = self.stage.take_if(|stage| stage.number == *number);
                stage.map_or_else(Vec::new, |stage| {
                    let took = time(at.saturating_sub(stage.began));
                    let done = self.paint("done", Paint::Green);
                    vec![format!(
                        "stage {} {}: {done} after {took}",
                        stage.number, stage.name
                    )]
                })
            }
            Event::Part {
                part,
                moment: Moment::Finished(finish),
            } => {
                let since = self.moving.remove(part).map_or(at, |moving| moving.since);
                if let Some(stage) = self
                    .stage
                    .as_mut()
                    .filter(|stage| stage.number == part.stage)
                {
                    stage.finished += 1;
                }
                let took = time(at.saturating_sub(since));
                vec![format!(
                    "{}: {}, {took}",
                    place(part),
                    self.finished(finish)
                )]
            }
            Event::Part { part, moment } => {
                let words = words(moment);
                let moving = self.moving.entry(part.clone());
                let moving = moving.or_insert_with(|| Moving {
                    since: at,
                    words: String::new(),
                });
                moving.words = words;
                Vec::new()
            }
            Event::Trouble { message } => {
                let warning = self.paint("warning", Paint::Warning);
                vec![format!("{warning}: {}", plain(message))]
            }
        }
    }

    /// The event as a line of a log.
    pub(super) fn change(&self, event: &Event) -> String {
        match event {
            Event::StageBegins { stage, name, parts } => {
                format!("stage {stage} {}: begins, parts: {parts}", plain(name))
            }
            Event::StageEnds { stage } => format!("stage {stage}: done"),
            Event::Part {
                part,
                moment: Moment::Finished(finish),
            } => format!("{}: {}", place(part), self.finished(finish)),
            Event::Part { part, moment } => format!("{}: {}", place(part), words(moment)),
            Event::Trouble { message } => format!("warning: {}", plain(message)),
        }
    }

    /// The table: the stage, and a row for each part that moves, longest first, as many as there is room for.
    pub(super) fn rows(&self, now: Duration, width: usize, height: usize) -> Vec<String> {
        // A line that fills the width to its end makes some terminals begin another.
        let width = width.saturating_sub(1);
        let mut rows = Vec::new();
        if let Some(stage) = &self.stage {
            let head = format!(
                "stage {} {}: {} of {}, {}",
                stage.number,
                stage.name,
                stage.finished,
                stage.parts,
                time(now.saturating_sub(stage.began))
            );
            rows.push(self.paint(&cut(&head, width), Paint::Bold));
        }
        let mut moving: Vec<(&PartId, &Moving)> = self.moving.iter().collect();
        moving.sort_by_key(|(_, moving)| moving.since);
        let room = height.saturating_sub(rows.len() + 1);
        let shown = if moving.len() > room {
            room.saturating_sub(1)
        } else {
            moving.len()
        };
        for (part, moving) in &moving[..shown] {
            let took = time(now.saturating_sub(moving.since));
            let row = format!("  {took:>6}  {}: {}", place(part), moving.words);
            rows.push(cut(&row, width));
        }
        if shown < moving.len() {
            rows.push(cut(
                &format!("          and {} more", moving.len() - shown),
                width,
            ));
        }
        rows.truncate(height.saturating_sub(1));
        rows
    }

    fn finished(&self, finish: &Finish) -> String {
        match finish {
            Finish::Unchanged => "unchanged".to_owned(),
            Finish::Applied => self.paint("applied", Paint::Green),
            Finish::PassedOver => self.paint("passed over, it had failed before", Paint::Yellow),
            Finish::Failed { reason } => {
                format!("{}: {}", self.paint("failed", Paint::Danger), plain(reason))
            }
        }
    }

    fn paint(&self, text: &str, paint: Paint) -> String {
        paint.paint(text, self.colour)
    }
}

/// What is sent to a terminal on which `before` lines of an older table stand above the cursor.
pub(super) fn frame(before: usize, lasting: &[String], rows: &[String]) -> String {
    let mut frame = String::new();
    if before > 0 {
        // Up to the table's first line, and everything from there on away. Writing to a String cannot fail.
        let _ = write!(frame, "\r\u{1b}[{before}A\u{1b}[J");
    }
    for line in lasting.iter().chain(rows) {
        frame.push_str(line);
        frame.push('\n');
    }
    frame
}

fn place(part: &PartId) -> String {
    format!("{}.{} {}", part.stage, part.step, plain(&part.title()))
}

fn words(moment: &Moment) -> String {
    match moment {
        Moment::Asking => "asking what would change".to_owned(),
        Moment::Deleting { objects } => {
            super::show::count(*objects, "object") + " to be deleted before"
        }
        Moment::Writing => "writing".to_owned(),
        Moment::Reconciling { why } => plain(why),
        Moment::Gate { gate, of, why } => format!("gate {gate} of {of}: {}", plain(why)),
        Moment::Finished(_) => String::new(),
    }
}

/// Foreign text in one line and without control characters, which could move the cursor.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

fn time(time: Duration) -> String {
    duration::show(i64::try_from(time.as_secs()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> PartId {
        PartId {
            stage: 2,
            step: 1,
            kind: "HelmRelease".into(),
            namespace: Some("town".into()),
            name: name.into(),
        }
    }

    fn part(name: &str, moment: Moment) -> Event {
        Event::Part {
            part: id(name),
            moment,
        }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn begun() -> Screen {
        let mut screen = Screen::new(false);
        let begins = Event::StageBegins {
            stage: 2,
            name: "ceph".into(),
            parts: 3,
        };
        assert_eq!(screen.event(at(0), &begins), [""; 0]);
        screen.event(at(1), &part("mon", Moment::Writing));
        screen.event(at(3), &part("osd", Moment::Deleting { objects: 2 }));
        let why = "pod mon-0 is\nnot \u{1b}[2Jready".into();
        screen.event(at(4), &part("mon", Moment::Reconciling { why }));
        screen
    }

    #[test]
    fn what_moves_has_a_row_and_what_is_done_a_line() {
        let mut screen = begun();
        assert_eq!(
            screen.rows(at(65), 80, 24),
            [
                "stage 2 ceph: 0 of 3, 1m5s",
                "    1m4s  2.1 HelmRelease town/mon: pod mon-0 is not  [2Jready",
                "    1m2s  2.1 HelmRelease town/osd: 2 objects to be deleted before",
            ]
        );
        let lasting = screen.event(at(70), &part("mon", Moment::Finished(Finish::Applied)));
        assert_eq!(lasting, ["2.1 HelmRelease town/mon: applied, 1m9s"]);
        let reason = "no such chart".into();
        let failed = part("osd", Moment::Finished(Finish::Failed { reason }));
        assert_eq!(
            screen.event(at(71), &failed),
            ["2.1 HelmRelease town/osd: failed: no such chart, 1m8s"]
        );
        assert_eq!(screen.rows(at(72), 80, 24), ["stage 2 ceph: 2 of 3, 1m12s"]);
        let ends = Event::StageEnds { stage: 2 };
        assert_eq!(
            screen.event(at(73), &ends),
            ["stage 2 ceph: done after 1m13s"]
        );
        assert_eq!(screen.rows(at(74), 80, 24), [""; 0]);
    }

    #[test]
    fn the_table_fits_the_terminal() {
        let mut screen = begun();
        for number in 0..40 {
            let name = format!("r{number:02}");
            screen.event(at(5), &part(&name, Moment::Asking));
        }
        for (width, height) in [(80, 24), (20, 5), (1, 1), (0, 0), (3, 2)] {
            let rows = screen.rows(at(9), width, height);
            assert!(rows.len() < height.max(1), "{rows:?}");
            assert!(
                rows.iter().all(|row| row.chars().count() < width.max(1)),
                "{rows:?}"
            );
        }
        let rows = screen.rows(at(9), 30, 5);
        assert_eq!(rows[1], "      8s  2.1 HelmRelease to…");
        assert_eq!(rows[3], "          and 40 more");
    }

    #[test]
    fn a_frame_takes_the_older_one_away() {
        assert_eq!(frame(0, &["a".into()], &["b".into()]), "a\nb\n");
        assert_eq!(frame(2, &[], &["b".into()]), "\r\u{1b}[2A\u{1b}[Jb\n");
        assert_eq!(frame(1, &[], &[]), "\r\u{1b}[1A\u{1b}[J");
    }

    #[test]
    fn a_log_has_a_line_for_each_change() {
        let screen = Screen::new(false);
        let gate = Moment::Gate {
            gate: 1,
            of: 2,
            why: "2 of 3 pods".into(),
        };
        for (event, line) in [
            (
                part("mon", gate),
                "2.1 HelmRelease town/mon: gate 1 of 2: 2 of 3 pods",
            ),
            (
                part("mon", Moment::Finished(Finish::Unchanged)),
                "2.1 HelmRelease town/mon: unchanged",
            ),
            (
                part("mon", Moment::Finished(Finish::PassedOver)),
                "2.1 HelmRelease town/mon: passed over, it had failed before",
            ),
            (Event::StageEnds { stage: 2 }, "stage 2: done"),
            (
                Event::Trouble {
                    message: "busy\r".into(),
                },
                "warning: busy ",
            ),
        ] {
            assert_eq!(screen.change(&event), line);
        }
    }

    #[test]
    fn colours_only_where_they_are_wanted() {
        let mut screen = Screen::new(true);
        let lasting = screen.event(at(1), &part("mon", Moment::Finished(Finish::Applied)));
        assert_eq!(
            lasting,
            ["2.1 HelmRelease town/mon: \u{1b}[32mapplied\u{1b}[0m, 0s"]
        );
    }
}
