//! Messages and diagnostics on stderr, the only way to it: each line passes the door of `printable`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::os::fd::AsFd;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};

use crate::diagnostic::human::{Amount, Drawing};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::printable::Printable;
use crate::printable::style::Style;
use crate::source::{FileId, Sources, Span};
use crate::yaml::{Tree, sensitive};

pub(super) use crate::report::{count, count_of};

use super::{Colour, Output};

/// Writes a line to stderr; errors are ignored.
pub(super) fn say(text: &str) {
    let mut line = Printable::default();
    line.line(text);
    print(&line);
}

/// Writes lines to stderr; errors are ignored.
pub(super) fn print(lines: &Printable) {
    redraw(0, lines);
}

/// Writes lines to stderr in place of the last lines there; errors are ignored, since a terminal that is gone stops no run.
pub(super) fn redraw(before: usize, lines: &Printable) {
    let mut stderr = std::io::stderr();
    let _ = stderr
        .write_all(frame(before, lines).as_bytes())
        .and_then(|()| stderr.flush());
}

fn frame(before: usize, lines: &Printable) -> String {
    if before == 0 {
        return lines.to_string();
    }
    // To the first of these lines, and everything from there on away.
    format!("\r\u{1b}[{before}A\u{1b}[J{lines}")
}

/// Writes a question to stderr; the answer is typed behind it.
pub(super) fn ask(question: &str) {
    let mut line = Printable::default();
    line.line(question);
    let _ = write!(std::io::stderr(), "{} ", line.as_str().trim_end());
}

/// Returns whether stderr is a terminal.
pub(super) fn is_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// Returns the columns and lines of the terminal at stderr.
pub(super) fn terminal_size() -> Option<(usize, usize)> {
    let (width, height) = terminal_size::terminal_size_of(std::io::stderr())?;
    Some((width.0.into(), height.0.into()))
}

/// Returns whether to use colours on stderr.
pub(super) fn colour(output: &Output) -> bool {
    colour_on(output, &std::io::stderr())
}

/// Returns whether to use colours on a stream. Without `--color`, NO_COLOR, CLICOLOR, CLICOLOR_FORCE, TERM and the
/// stream itself decide.
pub(super) fn colour_on(output: &Output, stream: &impl RawStream) -> bool {
    match output.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => AutoStream::choice(stream) != ColorChoice::Never,
    }
}

/// Returns the style of text on a stream: colours, width and amount.
pub(super) fn style_on(output: &Output, stream: &(impl RawStream + AsFd)) -> Style {
    let size = stream
        .is_terminal()
        .then(|| terminal_size::terminal_size_of(stream));
    Style {
        colour: colour_on(output, stream),
        all: output.verbose > 0,
        width: size.flatten().map(|(width, _)| width.0.into()),
    }
}

/// Returns the style of messages on stderr: lines are not fitted.
pub(super) fn message_style(output: &Output) -> Style {
    Style {
        colour: colour(output),
        ..Style::default()
    }
}

/// Returns the style of text on stderr.
pub(super) fn style(output: &Output) -> Style {
    style_on(output, &std::io::stderr())
}

/// Counts diagnostics by code, a line for each severity.
pub(super) fn totals(diagnostics: &Diagnostics) -> Vec<String> {
    let mut counts: BTreeMap<(Severity, Code), usize> = BTreeMap::new();
    for diagnostic in diagnostics.list() {
        *counts
            .entry((diagnostic.severity, diagnostic.code))
            .or_default() += 1;
    }
    let mut lines = Vec::new();
    for (title, severity) in [
        ("errors", Severity::Error),
        ("warnings", Severity::Warning),
        ("notes", Severity::Note),
    ] {
        let of = counts.iter().filter(|((s, _), _)| *s == severity);
        let of: Vec<String> = of.map(|((_, code), n)| format!("{n} {code}")).collect();
        if !of.is_empty() {
            lines.push(format!("{title}: {}", of.join(", ")));
        }
    }
    lines
}

/// Prints diagnostics to stderr.
pub(super) fn diagnostics(
    list: &[Diagnostic],
    sources: &Sources,
    trees: &[&Tree],
    output: &Output,
) {
    let amount = match (output.quiet, output.verbose) {
        (true, _) => Amount::Errors,
        (false, 0) => Amount::Digest,
        (false, _) => Amount::All,
    };
    let masks: RefCell<BTreeMap<FileId, Vec<Span>>> = RefCell::default();
    let line = |line: Span| {
        let mut masks = masks.borrow_mut();
        let of_file = masks.entry(line.file()).or_insert_with(|| {
            // Grafted nodes are in other files than their tree.
            let of = |tree: &&&Tree| tree.file() == line.file() || tree.has_grafts();
            let masks = trees
                .iter()
                .filter(of)
                .flat_map(|tree| sensitive::masks(tree));
            masks.filter(|mask| mask.file() == line.file()).collect()
        });
        sensitive::show_line(sources.file(line.file()).text(), line, of_file)
    };
    let drawing = Drawing {
        sources,
        line: &line,
        colour: colour(output),
        amount,
    };
    print(&drawing.draw(list));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_takes_the_older_one_away() {
        let lines = Printable::lines_of("a\nb");
        assert_eq!(frame(0, &lines), "a\nb\n");
        assert_eq!(frame(2, &lines), "\r\u{1b}[2A\u{1b}[Ja\nb\n");
        assert_eq!(frame(1, &Printable::default()), "\r\u{1b}[1A\u{1b}[J");
    }
}
