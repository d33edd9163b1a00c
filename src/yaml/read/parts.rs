//! Reads one file on several cores.
//!
//! A `---` at the start of a line begins a document nearly everywhere, but not in a broken document or after
//! a directive. So each part is read as if it started a document, and the parts count only if the reader of
//! each ended in the state in which the reader of the next one began: a document starts there, nothing is
//! open, and nothing is left to report. Otherwise the file is read again in one go.

use std::sync::Arc;

use super::aliases::FREE_FILE_EXPANSION;
use super::cursor::Cursor;
use super::parser::Parser;
use super::{BOM, MAX_DEPTH, MAX_LENGTH, Reader, read};
use crate::diagnostic::Diagnostics;
use crate::parallel::{self, Workers};
use crate::source::FileId;
use crate::yaml::Tree;

/// The fewest bytes that are worth a thread.
const MIN_PART: usize = 256 * 1024;

/// Reads a file as [`read()`] does, on several cores; the result is the same.
pub fn read_in_parts(
    file: FileId,
    text: &Arc<str>,
    workers: Workers,
    diagnostics: &mut Diagnostics,
) -> Tree {
    let parts = (text.len() / MIN_PART).min(workers.number());
    if parts < 2 || text.len() > MAX_LENGTH {
        return read(file, text, diagnostics);
    }
    let places = (1..parts).map(|part| text.len() / parts * part);
    let mut starts: Vec<usize> = places.filter_map(|at| next_start(text, at)).collect();
    starts.dedup();
    match read_parts(file, text, &starts, workers) {
        Some((tree, found)) => {
            diagnostics.append(found);
            tree
        }
        None => read(file, text, diagnostics),
    }
}

/// Returns the offset of a line with `---` at or after `at` that no directive precedes.
pub(super) fn next_start(text: &str, mut at: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    loop {
        let rest = bytes.get(at..)?;
        let found = rest.windows(4).position(|window| window == b"\n---")?;
        let start = at + found + 1;
        let before = bytes.get(..start - 1).unwrap_or_default();
        let line = before.iter().rposition(|&byte| byte == b'\n');
        let line = before.get(line.map_or(0, |at| at + 1)..);
        let directive = line.is_some_and(|line| line.starts_with(b"%"));
        if !directive && Cursor::new(text, start).is_document_indicator() {
            return Some(start);
        }
        at = start;
    }
}

/// Reads the parts that begin at the start of the text and at `starts`. `None` if they do not fit together.
pub(super) fn read_parts(
    file: FileId,
    text: &Arc<str>,
    starts: &[usize],
    workers: Workers,
) -> Option<(Tree, Diagnostics)> {
    let first = if text.starts_with(BOM) { BOM.len() } else { 0 };
    let begins = std::iter::once(first).chain(starts.iter().copied());
    let ends = starts.iter().copied().map(Some).chain([None]);
    let ranges: Vec<_> = begins.zip(ends).collect();
    let parts = parallel::map(ranges, workers, |(start, end)| {
        let mut found = Diagnostics::default();
        let place = end.unwrap_or(text.len());
        let mut reader = Reader::new(file, text, start..place, &mut found);
        let mut parser = Parser::new(text, start, MAX_DEPTH);
        let fits = reader.run(&mut parser, end.map(|end| end as u32));
        let (tree, excess) = reader.finish(parser, place);
        fits.then_some((tree, excess, found))
    });
    let mut parts = parts.into_iter();
    let (mut tree, mut excess, mut found) = parts.next()??;
    for part in parts {
        let (later, more, later_found) = part?;
        tree.append(later);
        excess = excess.saturating_add(more);
        found.append(later_found);
    }
    tree.shrink();
    // Each part counted its own aliases only. A sum this small is within the limit at every place.
    (excess <= FREE_FILE_EXPANSION / 10 * 9).then_some((tree, found))
}
