//! Messages and diagnostics on stderr.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::fd::AsFd;

use anstream::stream::RawStream;
use anstream::{AutoStream, ColorChoice};

use crate::diagnostic::human::{Amount, Drawing};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::report::style::{Paint, Style};
use crate::source::{FileId, Sources, Span};
use crate::yaml::{Tree, sensitive};

pub(super) use crate::report::{count, count_of};

use super::{Colour, Output};

/// Writes a line to stderr; errors are ignored.
pub(super) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
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

/// Returns a word in a colour, if stderr takes colours.
pub(super) fn paint(output: &Output, word: &str, paint: Paint) -> String {
    paint.paint(word, colour(output))
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
    let _ = std::io::stderr().write_all(drawing.draw(list).as_bytes());
}
