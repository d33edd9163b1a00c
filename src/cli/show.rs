//! Writing to the terminal.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};

use crate::diagnostic::Diagnostic;
use crate::diagnostic::human::{Amount, Drawing};
use crate::source::{FileId, Sources, Span};
use crate::yaml::{Tree, sensitive};

use super::{Colour, Output};

/// Writes a line to stderr; a stderr that is gone stops nobody.
pub(super) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Whether stderr takes colours.
pub(super) fn colour(output: &Output) -> bool {
    match output.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => {
            let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            std::io::stderr().is_terminal() && !refused
        }
    }
}

/// A word in a colour (an ANSI code), if colours are wanted.
pub(super) fn paint(output: &Output, word: &str, code: &str) -> String {
    if colour(output) {
        format!("\u{1b}[{code}m{word}\u{1b}[0m")
    } else {
        word.to_owned()
    }
}

/// Shows diagnostics on stderr.
pub(super) fn diagnostics(list: &[Diagnostic], sources: &Sources, trees: &[Tree], output: &Output) {
    let amount = match (output.quiet, output.verbose) {
        (true, _) => Amount::Errors,
        (false, false) => Amount::Digest,
        (false, true) => Amount::All,
    };
    let masks: RefCell<BTreeMap<FileId, Vec<Span>>> = RefCell::default();
    let line = |line: Span| {
        let mut masks = masks.borrow_mut();
        let of_file = masks.entry(line.file()).or_insert_with(|| {
            let tree = trees.iter().find(|tree| tree.file() == line.file());
            tree.map(sensitive::masks).unwrap_or_default()
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
