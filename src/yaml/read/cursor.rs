//! A position in the text, and the character at it, in libyaml's terms.

/// A position with its line and column.
///
/// Columns and the length of simple keys count characters, as libyaml does; everything else counts bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// The offset in bytes.
    pub(super) at: usize,
    /// Characters before it.
    pub(super) index: usize,
    /// Line breaks before it.
    pub(super) line: usize,
    /// Characters before it on its line.
    pub(super) column: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// The number of bytes before `at` that continue a character.
    continued: usize,
    line: usize,
    line_at: usize,
    line_continued: usize,
}

impl<'a> Cursor<'a> {
    /// Makes a cursor at an offset, which counts as the start of a line.
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Self {
            bytes: text.as_bytes(),
            at,
            continued: 0,
            line: 0,
            line_at: at,
            line_continued: 0,
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            at: self.at,
            index: self.at - self.continued,
            line: self.line,
            column: self.column(),
        }
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Returns the offset as nodes hold it; the reader refuses longer texts.
    pub(super) fn offset(&self) -> u32 {
        self.at as u32
    }

    pub(super) fn column(&self) -> i64 {
        let continued = self.continued - self.line_continued;
        (self.at - self.line_at - continued) as i64
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Returns the byte `ahead` of the current one.
    pub(super) fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    pub(super) fn is(&self, byte: u8) -> bool {
        self.peek(0) == Some(byte)
    }

    pub(super) fn is_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    pub(super) fn is_blank(&self) -> bool {
        matches!(self.peek(0), Some(b' ' | b'\t'))
    }

    pub(super) fn is_break(&self) -> bool {
        break_length(self.rest()) > 0
    }

    /// Returns whether white space or the end of the text is `ahead` bytes from here.
    pub(super) fn is_blank_or_end(&self, ahead: usize) -> bool {
        is_blank_or_end(self.bytes.get(self.at + ahead..).unwrap_or_default())
    }

    /// Returns whether there is a `---` or `...` here, at the start of a line.
    pub(super) fn is_document_indicator(&self) -> bool {
        self.column() == 0
            && matches!(self.rest(), [b'-', b'-', b'-', ..] | [b'.', b'.', b'.', ..])
            && self.is_blank_or_end(3)
    }

    /// Advances by `length` bytes that hold no line break.
    pub(super) fn advance(&mut self, length: usize) {
        let passed = self.rest();
        let passed = passed.get(..length).unwrap_or(passed);
        self.continued += passed.iter().filter(|&&byte| byte & 0xc0 == 0x80).count();
        self.at += passed.len();
    }

    /// Advances by one character that is not a line break.
    pub(super) fn skip(&mut self) {
        let continues = |byte: &&u8| **byte & 0xc0 == 0x80;
        let more = self.rest().iter().skip(1).take_while(continues).count();
        self.advance(1 + more);
    }

    /// Advances past a line break, if there is one here.
    pub(super) fn skip_break(&mut self) {
        let length = break_length(self.rest());
        if length > 0 {
            self.advance(length);
            self.start_line();
        }
    }

    /// Advances past a line break and writes the normalised one.
    pub(super) fn read_break(&mut self, out: &mut String) {
        match self.rest() {
            // U+2028 and U+2029 are kept.
            [0xe2, 0x80, last @ (0xa8 | 0xa9), ..] => {
                out.push(if *last == 0xa8 {
                    '\u{2028}'
                } else {
                    '\u{2029}'
                });
            }
            rest if break_length(rest) > 0 => out.push('\n'),
            _ => {}
        }
        self.skip_break();
    }

    /// Starts a new line here.
    pub(super) fn start_line(&mut self) {
        self.line += 1;
        self.line_at = self.at;
        self.line_continued = self.continued;
    }

    pub(super) fn skip_blanks(&mut self) {
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
        let blanks = self.rest().iter().take_while(blank).count();
        self.at += blanks;
    }

    /// Advances to the line break or the end of the text.
    pub(super) fn skip_line(&mut self) {
        self.advance(line_length(self.rest()));
    }
}

/// Returns the number of bytes before the first line break.
pub(super) fn line_length(bytes: &[u8]) -> usize {
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let may_break = matches!(byte, b'\n' | b'\r' | 0xc2 | 0xe2);
        if may_break && bytes.get(at..).is_some_and(|rest| break_length(rest) > 0) {
            break;
        }
        at += 1;
    }
    at
}

/// Returns the length of the line break at the start of `bytes`; 0 when there is none.
///
/// libyaml breaks lines at LF, CR, CR LF, U+0085, U+2028 and U+2029.
pub(super) fn break_length(bytes: &[u8]) -> usize {
    match bytes {
        [b'\r', b'\n', ..] => 2,
        [b'\n' | b'\r', ..] => 1,
        [0xc2, 0x85, ..] => 2,
        [0xe2, 0x80, 0xa8 | 0xa9, ..] => 3,
        _ => 0,
    }
}

/// Returns whether `bytes` are empty or start with a blank or a line break.
pub(super) fn is_blank_or_end(bytes: &[u8]) -> bool {
    matches!(bytes, [] | [b' ' | b'\t', ..]) || break_length(bytes) > 0
}

/// Returns whether libyaml accepts the character in names of anchors, directives and tag handles.
pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}
