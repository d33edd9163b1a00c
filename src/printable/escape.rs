//! What of a text is shown as an escape: characters without a glyph, and what a CI system would take for a command.
//!
//! The one form of an escape is Rust's: `\u{202e}`.

use std::borrow::Cow;

/// Returns whether a character has no glyph of its own: it acts on the terminal, on the direction or the line of the text
/// around it, or it is not seen at all.
///
/// Unicode 16: general categories Cc, Zl and Zp; `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt), which holds
/// bidirectional controls, joiners, zero-width spaces, variation selectors and tags; the format controls of interlinear
/// annotation and of Egyptian hieroglyphs; noncharacters, which XML cannot hold.
pub(crate) fn is_hidden(c: char) -> bool {
    match u32::from(c) {
        // Most text is ASCII.
        code @ 0..0x80 => code < 0x20 || code == 0x7f,
        0x80..=0x9f
        | 0xad
        | 0x34f
        | 0x61c
        | 0x115f..=0x1160
        | 0x17b4..=0x17b5
        | 0x180b..=0x180f
        | 0x200b..=0x200f
        | 0x2028..=0x202e
        | 0x2060..=0x206f
        | 0x3164
        | 0xfdd0..=0xfdef
        | 0xfe00..=0xfe0f
        | 0xfeff
        | 0xffa0
        | 0xfff0..=0xfffb
        | 0x1_3430..=0x1_345f
        | 0x1_bca0..=0x1_bca3
        | 0x1_d173..=0x1_d17a
        | 0xe_0000..=0xe_0fff => true,
        code => code & 0xfffe == 0xfffe,
    }
}

/// Returns a text in one line: a line break and the blanks around it become one blank, a tab becomes a blank, and
/// characters without a glyph become escapes.
#[must_use]
pub fn fold(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let is_blank = |c: char| matches!(c, ' ' | '\t' | '\n');
    let text = text.replace("\r\n", "\n");
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        if is_blank(c) {
            let after = rest.trim_start_matches(is_blank);
            let blanks = &rest[..rest.len() - after.len()];
            if blanks.contains('\n') {
                out.push(' ');
            } else {
                out.extend(blanks.chars().map(|_| ' '));
            }
            rest = after;
        } else {
            push(c, &mut out);
            rest = &rest[c.len_utf8()..];
        }
    }
    Cow::Owned(out)
}

/// Returns a name, as of a file, in one line: line breaks and tabs are escapes, too, since they belong to it.
#[must_use]
pub fn name(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    text.chars().for_each(|c| push(c, &mut out));
    Cow::Owned(out)
}

fn push(c: char, out: &mut String) {
    if is_hidden(c) {
        out.extend(c.escape_unicode());
    } else {
        out.push(c);
    }
}

/// Returns a line in which no CI system finds a command: the first character of each marker is an escape.
pub(crate) fn without_commands(line: &str) -> Cow<'_, str> {
    let markers = markers(line);
    if markers.is_empty() {
        return Cow::Borrowed(line);
    }
    let mut out = String::with_capacity(line.len() + 16);
    for (at, c) in line.char_indices() {
        if markers.contains(&at) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Returns where a line has what a CI system takes for the beginning of a command.
///
/// GitHub (actions/runner, ActionCommand.cs): `::` after any white space at the start of a line, `##[` anywhere. Azure
/// (azure-pipelines-agent, Command.cs): `##vso[` anywhere; TeamCity has a word of its own there. GitLab:
/// `section_start:` and `section_end:`, here at the start of a line.
pub(super) fn markers(line: &str) -> Vec<usize> {
    const AT_START: [&str; 3] = ["::", "section_start:", "section_end:"];
    let start = line.trim_start();
    let first = AT_START.iter().any(|marker| start.starts_with(marker));
    let first = first.then_some(line.len() - start.len());
    first.into_iter().chain(inner_markers(line)).collect()
}

/// Returns where a text has a marker that counts in every place of a line: `##[` and `##word[`.
pub(crate) fn inner_markers(text: &str) -> Vec<usize> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find("##") {
        let at = from + at;
        let rest = text[at + 2..].trim_start_matches(|c: char| c.is_ascii_alphabetic());
        if rest.starts_with('[') {
            found.push(at);
        }
        from = at + 1;
    }
    found
}

/// Returns whether a CI system may take a line of a file for a command. Less is suspect than in what people read, since
/// another form of the text may be harder to read: `::1` is an address.
pub(crate) fn may_be_command(line: &str) -> bool {
    let named = line.trim_start().strip_prefix("::");
    named.is_some_and(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
        || !inner_markers(line).is_empty()
}
