//! Writes single scalars so that PyYAML, go-yaml v2 and v3, YAML 1.2 and JSON readers agree.
//!
//! The readers differ in which bare words are strings, so the rule is one-sided: a string is plain only if no
//! reader could take it for anything else. Quotes do no harm.

use std::fmt::Write as _;

use crate::printable::escape::{inner_markers, may_be_command};

/// The byte may begin a plain string.
const FIRST: u8 = 1;
/// The byte may follow the first character of a plain string.
const INNER: u8 = 2;
/// The byte is printable ASCII, blank included.
const PRINTABLE: u8 = 4;

/// The classes of each byte. Bytes above ASCII have none.
static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0x20;
    while byte < 0x7f {
        table[byte] = PRINTABLE;
        byte += 1;
    }
    byte = 0;
    while byte < 0x7f {
        let b = byte as u8;
        if b.is_ascii_alphabetic() || b == b'/' {
            table[byte] |= FIRST;
        }
        if b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'_' | b'-' | b'.' | b'/' | b':' | b'+' | b'=' | b'@' | b',' | b';' | b'(' | b')'
            )
        {
            table[byte] |= INNER;
        }
        byte += 1;
    }
    table
};

/// Words of letters that some reader does not read as a string, in any case.
const WORDS: &[&str] = &[
    "y", "n", "no", "on", "yes", "off", "nan", "inf", "true", "null", "false", "infinity",
];

/// Length in bytes of the longest of [`WORDS`].
const LONGEST_WORD: usize = 8;

fn class(byte: u8) -> u8 {
    CLASS[usize::from(byte)]
}

/// Returns whether every reader takes the text without quotes for this string.
fn is_plain(text: &str) -> bool {
    let Some((&first, rest)) = text.as_bytes().split_first() else {
        return false;
    };
    if class(first) & FIRST == 0 {
        return false;
    }
    let mut last = first;
    for &byte in rest {
        let single_blank = byte == b' ' && last != b' ' && last != b':';
        if class(byte) & INNER == 0 && !single_blank {
            return false;
        }
        last = byte;
    }
    !matches!(last, b' ' | b':') && !is_word(text)
}

fn is_word(text: &str) -> bool {
    text.len() <= LONGEST_WORD && WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Returns whether the character must be escaped.
///
/// Readers refuse control characters and U+FFFE/F, take U+0085, U+2028 and U+2029 for line breaks and drop
/// U+FEFF. Marks that change the direction of text are escaped, since they can hide what a file says from its
/// reviewer.
pub(super) fn must_escape(c: char) -> bool {
    matches!(
        c,
        '\0'..='\x1f'
            | '\x7f'..='\u{9f}'
            | '\u{61c}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}'
            | '\u{fffe}'
            | '\u{ffff}'
    )
}

/// Writes a string on one line: plain, in single or in double quotes.
pub(super) fn write_string(text: &str, out: &mut String) {
    if is_plain(text) {
        out.push_str(text);
    } else if reads_better_in_single_quotes(text) {
        write_single_quoted(text, out);
    } else {
        write_double_quoted(text, out);
    }
}

fn reads_better_in_single_quotes(text: &str) -> bool {
    if !inner_markers(text).is_empty() {
        return false;
    }
    let mut found = false;
    for byte in text.bytes() {
        if class(byte) & PRINTABLE == 0 {
            return false;
        }
        found |= matches!(byte, b'"' | b'\\');
    }
    found
}

fn write_single_quoted(text: &str, out: &mut String) {
    out.push('\'');
    let mut parts = text.split('\'');
    out.push_str(parts.next().unwrap_or(""));
    for part in parts {
        out.push_str("''");
        out.push_str(part);
    }
    out.push('\'');
}

/// Writes only escapes that every reader knows: not `\/`, `\'` or surrogate pairs.
fn write_double_quoted(text: &str, out: &mut String) {
    write_escaped(text, &inner_markers(text), out, |c, out| {
        let code = u32::from(c);
        match code {
            0 => out.push_str("\\0"),
            1..=0xff => write_hex('x', 2, code, out),
            0x100..=0xffff => write_hex('u', 4, code, out),
            _ => write_hex('U', 8, code, out),
        }
    });
}

/// Writes a text in double quotes, with the escapes that YAML and JSON share; `escape` writes all others, and those of the
/// characters at `also`.
pub(super) fn write_escaped(
    text: &str,
    also: &[usize],
    out: &mut String,
    escape: impl Fn(char, &mut String),
) {
    out.push('"');
    let mut written = 0;
    for (at, c) in text.char_indices() {
        if !matches!(c, '"' | '\\') && !must_escape(c) && !also.contains(&at) {
            continue;
        }
        out.push_str(&text[written..at]);
        written = at + c.len_utf8();
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c => escape(c, out),
        }
    }
    out.push_str(&text[written..]);
    out.push('"');
}

/// Writes an escape of a backslash, `letter` and `width` lower-case hexadecimal digits.
pub(super) fn write_hex(letter: char, width: usize, code: u32, out: &mut String) {
    // Writing to a String cannot fail, here and below.
    let _ = write!(out, "\\{letter}{code:0width$x}");
}

/// Returns the header of a block literal that every reader reads as `text`, if there is one.
///
/// Where readers disagree, the caller uses double quotes: tabs where indentation ends, blanks at the end of a
/// line, lines of blanks only, a first line that hides the indentation, several final line breaks, and
/// characters that have to be escaped. Also where a CI system would take a line of it for a command.
pub(super) fn literal_header(text: &str) -> Option<&'static str> {
    if !text.as_bytes().contains(&b'\n') || text.starts_with([' ', '\t', '\n']) {
        return None;
    }
    let (body, header) = match text.strip_suffix('\n') {
        Some(body) => (body, "|"),
        None => (text, "|-"),
    };
    let fits = |line: &str| {
        !line.starts_with('\t')
            && !line.ends_with([' ', '\t'])
            && !may_be_command(line)
            && (line.bytes().all(|byte| class(byte) & PRINTABLE != 0)
                || !line.chars().any(|c| c != '\t' && must_escape(c)))
    };
    (!body.ends_with('\n') && body.split('\n').all(fits)).then_some(header)
}

/// Writes an integer.
pub(super) fn write_int(int: i64, out: &mut String) {
    let _ = write!(out, "{int}");
}

/// Writes an integer of any size without `+` and leading zeros, which would mean octal.
///
/// Returns `None` if the text is not a decimal integer; no reader of documents makes such a number.
pub(super) fn write_big(text: &str, out: &mut String) -> Option<()> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match digits.trim_start_matches('0') {
        "" => out.push('0'),
        digits => {
            out.push_str(sign);
            out.push_str(digits);
        }
    }
    Some(())
}

/// Absolute values of at least this are written with an exponent, as Go and JavaScript do.
const EXPONENT_FROM: f64 = 1e21;

/// Absolute values below this are written with an exponent, as Go and JavaScript do.
const EXPONENT_BELOW: f64 = 1e-6;

/// Writes a finite float with the fewest digits that read back as the same float.
///
/// With `point` the text always has a `.`, without which YAML 1.1 sees an integer or, before an
/// exponent, a string. The exponent always has its sign for the same reason.
pub(super) fn write_float(float: f64, point: bool, out: &mut String) {
    let start = out.len();
    let size = float.abs();
    if size == 0.0 || (EXPONENT_BELOW..EXPONENT_FROM).contains(&size) {
        let _ = write!(out, "{float}");
        if point && !out[start..].contains('.') {
            out.push_str(".0");
        }
        return;
    }
    let _ = write!(out, "{float:e}");
    let Some(at) = out[start..].find('e').map(|at| start + at) else {
        return;
    };
    if !out[at..].starts_with("e-") {
        out.insert(at + 1, '+');
    }
    if point && !out[start..at].contains('.') {
        out.insert_str(at, ".0");
    }
}
