//! Input bytes, held once, and spans in them.
//!
//! Everything downstream refers to input by [`Span`] (a file and two byte offsets); line and column are
//! computed only when they are shown.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// Identifies a file of a [`Sources`] set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(u16);

impl FileId {
    /// Returns the position of the file in its [`Sources`].
    #[must_use]
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A range of bytes in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    file: FileId,
    start: u32,
    end: u32,
}

impl Span {
    /// Makes the span of `start..end` (byte offsets) in `file`.
    #[must_use]
    pub fn new(file: FileId, start: u32, end: u32) -> Self {
        Self {
            file,
            start,
            end: end.max(start),
        }
    }

    /// Returns the file the bytes lie in.
    #[must_use]
    pub fn file(self) -> FileId {
        self.file
    }

    /// Returns the offset of the first byte.
    #[must_use]
    pub fn start(self) -> u32 {
        self.start
    }

    /// Returns the offset after the last byte.
    #[must_use]
    pub fn end(self) -> u32 {
        self.end
    }

    /// Returns the byte offsets as a range.
    #[must_use]
    pub fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Returns the span from the start of `self` to the end of `other` (same file).
    #[must_use]
    pub fn to(self, other: Span) -> Span {
        Span::new(self.file, self.start, other.end)
    }
}

/// A value and its span in the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// The span of the value.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// Joins a value and its span.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }
}

/// A line and a column, both from 1; the column counts characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// One input file: its display name and its text.
pub struct SourceFile {
    name: String,
    text: Arc<str>,
    line_starts: OnceLock<Box<[u32]>>,
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text may hold passwords.
        write!(f, "SourceFile({:?}, {} bytes)", self.name, self.text.len())
    }
}

impl SourceFile {
    /// Returns the name for messages: the path as given, or `<stdin>`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the whole text.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let newlines = self.text.bytes().enumerate().filter(|&(_, b)| b == b'\n');
            std::iter::once(0)
                .chain(newlines.map(|(at, _)| at as u32 + 1))
                .collect()
        })
    }

    /// Returns the line and column of a byte offset.
    #[must_use]
    pub fn position(&self, offset: u32) -> Position {
        let starts = self.line_starts();
        let line = starts.partition_point(|&start| start <= offset).max(1);
        let start = starts[line - 1] as usize;
        let end = floor_char_boundary(&self.text, offset as usize);
        let column = self.text.get(start..end).map_or(0, |s| s.chars().count());
        Position {
            line: line as u32,
            column: column as u32 + 1,
        }
    }

    /// Returns the byte range of a line (from 1), without its line break.
    #[must_use]
    pub(crate) fn line_range(&self, line: u32) -> Range<usize> {
        let starts = self.line_starts();
        let index = (line as usize).clamp(1, starts.len()) - 1;
        let start = starts[index] as usize;
        let end = starts
            .get(index + 1)
            .map_or(self.text.len(), |&next| next as usize - 1);
        let end = end.max(start);
        let line = self.text[start..end].trim_end_matches('\r');
        start..start + line.len()
    }
}

/// Returns the last character boundary that is not after `at`.
pub(crate) fn floor_char_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// All input files of a run.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    /// The largest number of files in a set; a [`FileId`] cannot count further.
    pub(crate) const MAX_FILES: usize = u16::MAX as usize;

    /// Adds a file and returns its id, or `None` when the set already holds [`Self::MAX_FILES`].
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> Option<FileId> {
        if self.files.len() >= Self::MAX_FILES {
            return None;
        }
        let id = FileId(u16::try_from(self.files.len()).ok()?);
        self.files.push(SourceFile {
            name: name.into(),
            text: text.into(),
            line_starts: OnceLock::new(),
        });
        Some(id)
    }

    /// Returns the file of an id made by this set.
    #[must_use]
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.index()]
    }

    /// Returns all files, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files
            .iter()
            .enumerate()
            .map(|(at, file)| (FileId(at as u16), file))
    }

    /// Returns the location of a span's start.
    #[must_use]
    pub fn locate(&self, span: Span) -> Location<'_> {
        let file = self.file(span.file());
        Location {
            file: file.name(),
            position: file.position(span.start()),
        }
    }

    /// Returns the text under a span; never show it without asking `secret` first.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        self.file(span.file()).text.get(span.range()).unwrap_or("")
    }
}

/// A place in a file; displays as `file:line:column`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location<'a> {
    /// The display name of the file.
    pub file: &'a str,
    /// The line and the column.
    pub position: Position,
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "{}:{line}:{column}", self.file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let mut sources = Sources::default();
        let id = sources.add("a.yaml", "ab: ü\r\nx: y\n").expect("room");
        let file = sources.file(id);
        let at = |offset| {
            let Position { line, column } = file.position(offset);
            (line, column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(6), (1, 6));
        assert_eq!(at(8), (2, 1));
        assert_eq!(at(13), (3, 1));
        assert_eq!(at(99), (3, 1));
        assert_eq!(&file.text()[file.line_range(1)], "ab: ü");
        assert_eq!(&file.text()[file.line_range(3)], "");
    }
}
