//! What is told of a run while it goes on: to a person on stderr, to programs in a file of events; and what it came to.

mod screen;

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::apply::Event;
use crate::printable::paragraph::Paragraph;
use crate::printable::style::Style;
use crate::printable::{self, Printable, escape};
use crate::report::apply::{Closing, Report, Tally};
use crate::report::events;
use crate::rollout::journal::{RunEnd, RunInfo};
use crate::rollout::{ItemId, Rollout};
use crate::value::Text;

use super::{Failure, Output, clock, private_file, show};

use screen::Screen;

/// Shortest time between two drawings of the table.
const FRAME: Duration = Duration::from_millis(100);

/// Follows a run.
#[derive(Debug)]
pub(super) struct Progress {
    run: Text,
    started: Text,
    start: Instant,
    tally: Tally,
    screen: Screen,
    style: Style,
    view: View,
    events: Option<EventsFile>,
}

/// How a person sees it.
#[derive(Debug)]
enum View {
    /// Not at all (`--quiet`).
    None,
    /// A line for each change.
    Lines,
    /// Lines that stay, and below them a table of what moves.
    Table {
        drawn: Option<Instant>,
        /// Lines of the table that stand on the terminal.
        lines: usize,
    },
}

/// A file of events, a JSON object a line.
#[derive(Debug)]
pub(super) struct EventsFile {
    path: PathBuf,
    file: File,
}

impl Progress {
    /// Begins to follow; `earlier` says which items an earlier process finished. Events are added to the file.
    pub(super) fn new(
        rollout: &Rollout,
        earlier: impl Fn(&ItemId) -> bool,
        run: &Text,
        output: &Output,
        events: Option<EventsFile>,
    ) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let view = if output.quiet {
            View::None
        } else if show::is_terminal() && !dumb {
            View::Table {
                drawn: None,
                lines: 0,
            }
        } else {
            View::Lines
        };
        Self {
            run: run.clone(),
            started: clock::now(),
            start: Instant::now(),
            tally: Tally::new(rollout, earlier),
            screen: Screen::new(),
            style: show::message_style(output),
            view,
            events,
        }
    }

    /// Takes an event in and tells it.
    pub(super) fn event(&mut self, event: &Event) {
        let at = self.start.elapsed();
        self.tally.event(at, event);
        self.write(event.into());
        let lasting = self.screen.event(at, event);
        match self.view {
            View::None => {}
            View::Lines => {
                let mut line = Printable::default();
                Paragraph::default()
                    .plain(&format!("{} ", clock::time_of_day()))
                    .and(self.screen.change(event))
                    .write(&mut line, self.style);
                show::print(&line);
            }
            View::Table { drawn, .. } => {
                let soon = drawn.is_some_and(|drawn| drawn.elapsed() < FRAME);
                if !lasting.is_empty() || !soon {
                    self.draw(&lasting, true);
                }
            }
        }
    }

    /// Draws the table anew, if that was not done just now: times in it go on without events.
    pub(super) fn tick(&mut self) {
        if let View::Table { drawn, .. } = self.view
            && drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME)
        {
            self.draw(&[], true);
        }
    }

    /// Ends it: nothing more is drawn, and the report says what the process came to. `resume` is the command that takes
    /// the run up again.
    pub(super) fn end(
        mut self,
        info: &RunInfo,
        resumed: bool,
        end: RunEnd,
        resume: Option<String>,
    ) -> Report {
        if let View::Table { .. } = self.view {
            self.draw(&[], false);
        }
        let took = self.start.elapsed();
        let closing = Closing {
            info,
            run: self.run.clone(),
            resumed,
            started: self.started.clone(),
            finished: clock::now(),
            took,
            end,
            resume,
        };
        let report = self.tally.report(closing);
        self.write(events::Event::RunEnded {
            outcome: report.outcome,
        });
        report
    }

    /// Takes the table away, writes lines that stay, and draws the table again if there is to be one.
    fn draw(&mut self, lasting: &[Paragraph], table: bool) {
        let View::Table { drawn, lines } = &mut self.view else {
            return;
        };
        let (width, height) = show::terminal_size().unwrap_or((80, 24));
        let rows = match table {
            true => self.screen.rows(self.start.elapsed(), width, height),
            false => Vec::new(),
        };
        let mut shown = Printable::default();
        for line in lasting.iter().chain(&rows) {
            line.write(&mut shown, self.style);
        }
        show::redraw(*lines, &shown);
        *lines = rows.len();
        *drawn = Some(Instant::now());
    }

    fn write(&mut self, event: events::Event) {
        let Some(EventsFile { path, file }) = &mut self.events else {
            return;
        };
        let line = events::Line {
            version: events::VERSION,
            at: clock::now().into(),
            run: self.run.to_string(),
            event,
        };
        let text = printable::json::line(&line).map_err(std::io::Error::from);
        // In one piece, so that who reads along never sees half a line.
        let written = text.and_then(|text| file.write_all(text.as_str().as_bytes()));
        if let Err(cause) = written {
            // The run is worth more than what is told of it.
            let lost = format!(
                "warning: events are no longer written to `{}`: {cause}",
                escape::name(&path.to_string_lossy())
            );
            self.events = None;
            match self.view {
                View::Table { .. } => self.draw(&[Paragraph::default().plain(&lost)], true),
                View::Lines | View::None => show::say(&lost),
            }
        }
    }
}

impl EventsFile {
    /// Opens or creates the file.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        Ok(Self {
            path: path.to_owned(),
            file: private_file::append(path)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::apply::ItemState;
    use crate::report::words;
    use crate::rollout::journal::ItemOutcome;

    fn rollout() -> Rollout {
        Rollout {
            site: "worked".into(),
            stages: Vec::new(),
        }
    }

    fn output(quiet: bool) -> Output {
        Output {
            quiet,
            ..Output::default()
        }
    }

    fn follow(events: EventsFile) -> Report {
        let run = Text::from("r1");
        let mut progress = Progress::new(&rollout(), |_| false, &run, &output(true), Some(events));
        let item = ItemId {
            stage: 1,
            step: 2,
            kind: "Namespace".into(),
            namespace: None,
            name: "town".into(),
        };
        let reason = Text::from("no");
        let failed = ItemState::Finished(ItemOutcome::Failed { reason });
        let gate = ItemState::Gate {
            gate: 1,
            of: 2,
            why: "w".into(),
        };
        let begins = Event::StageStarted {
            stage: 1,
            name: "g".into(),
            objects: 1,
        };
        let of_part = |state| Event::Item {
            item: item.clone(),
            state,
        };
        for event in [begins, of_part(gate), of_part(failed)] {
            progress.event(&event);
            progress.tick();
        }
        let info = RunInfo {
            site: "worked".into(),
            rollout: "sha256:0".into(),
            cluster: "1111".into(),
            server: "https://127.0.0.1:6443".into(),
            holder: "somebody@here/1".into(),
            program: "0.0.0".into(),
            failed_before: Vec::new(),
        };
        progress.end(&info, false, RunEnd::Failed, None)
    }

    #[test]
    fn events_are_added_to_a_file_line_by_line() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("events");
        for times in 1..=2 {
            let events = EventsFile::open(&path).unwrap();
            assert_eq!(follow(events).outcome, words::RunEnd::Failed);
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(text.lines().count(), 4 * times);
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = text.lines().take(4).map(|line| {
            let (_, rest) = line.split_once("Z\",").unwrap();
            let (start, _) = line.split_once("20").unwrap();
            format!("{start}..{rest}")
        });
        let lines: Vec<String> = lines.collect();
        let start = r#"{"version":1,"at":".."run":"r1","event":"#;
        let item = r#""stage":1,"step":2,"kind":"Namespace","name":"town","#;
        assert_eq!(
            lines,
            [
                format!(r#"{start}"stage-started","stage":1,"name":"g","objects":1}}"#),
                format!(r#"{start}"object",{item}"state":"gate","gate":1,"of":2,"why":"w"}}"#),
                format!(
                    r#"{start}"object",{item}"state":"finished","outcome":"failed","reason":"no"}}"#
                ),
                format!(r#"{start}"run-ended","outcome":"failed"}}"#),
            ]
        );
    }

    #[test]
    fn a_full_disk_behind_the_events_stops_no_run() {
        let path = PathBuf::from("/dev/full");
        let full = File::options().write(true).open(&path).unwrap();
        let events = EventsFile { path, file: full };
        assert_eq!(follow(events).outcome, words::RunEnd::Failed);
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("no/such/folder");
        let (message, _) = EventsFile::open(&path)
            .err()
            .unwrap()
            .message()
            .map(|(m, _)| (m, ()))
            .unwrap();
        assert!(message.starts_with("cannot write `"), "{message}");
    }
}
