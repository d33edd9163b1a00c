use proptest::prelude::*;

use super::escape::{fold, is_hidden, may_be_command, name, without_commands};
use super::paragraph::Paragraph;
use super::style::{Paint, Style};
use super::*;

/// What hostile text is made of: each part alone and in every neighbourhood.
pub(crate) fn hostile() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("::error title=x::pwned".to_owned()),
        Just("##[error]pwned".to_owned()),
        Just("##vso[task.complete result=Succeeded;]".to_owned()),
        Just("section_start:1:x\r\u{1b}[0K".to_owned()),
        Just("\u{1b}[2J\u{1b}]0;title\u{7}".to_owned()),
        Just("\u{9b}31m".to_owned()),
        Just("\r\n".to_owned()),
        Just("\u{1b}[31m".to_owned()),
        prop::sample::select(vec![
            '\n',
            '\t',
            '\r',
            ' ',
            '\u{85}',
            '\u{a0}',
            '\u{2028}',
            '\u{202e}',
            '\u{2066}',
            '\u{200b}',
            '\u{feff}',
            '\u{e0041}',
            '#',
            ':',
            '[',
            '`',
            '|',
            '<',
            '"',
            '%',
            '\\',
            '\0',
            '\u{7f}',
        ])
        .prop_map(String::from),
        any::<char>().prop_map(String::from),
        "[a-z ]{0,8}",
    ];
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

/// Returns what is wrong with a text that is printed without colours.
pub(crate) fn fault(text: &str) -> Option<String> {
    let hidden = text.chars().find(|c| *c != '\n' && is_hidden(*c));
    if let Some(c) = hidden {
        return Some(format!("{} in {text:?}", c.escape_unicode()));
    }
    let command = |line: &&str| {
        let start = line.trim_start();
        start.starts_with("::")
            || line.contains("##[")
            || line.contains("##vso[")
            || start.starts_with("section_start:")
    };
    let line = text.lines().find(command)?;
    Some(format!("a command: {line:?}"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_is_one_harmless_line(text in hostile(), more in hostile()) {
        for colour in [false, true] {
            let style = Style { colour, ..Style::default() };
            let mut out = Printable::default();
            Paragraph::default()
                .plain(&text)
                .painted(&more, Paint::Danger)
                .write(&mut out, style);
            prop_assert_eq!(out.as_str().matches('\n').count(), 1);
            let plain = out.as_str().replace("\u{1b}[1m\u{1b}[31m", "").replace("\u{1b}[0m", "");
            prop_assert_eq!(fault(&plain), None);
        }
    }

    #[test]
    fn wrapped_and_cut_lines_are_harmless(text in hostile(), more in hostile(), width in 40_usize..60) {
        let style = Style { width: Some(width), ..Style::default() };
        let mut out = Printable::default();
        let line = Paragraph::default().plain("  ").plain(&text).plain(" ").plain(&more.repeat(4));
        line.wrap(&mut out, 6, style);
        prop_assert_eq!(fault(out.as_str()), None);
        let cut = line.cut(width);
        prop_assert!(cut.columns() <= width);
        let mut out = Printable::default();
        cut.write(&mut out, style);
        prop_assert_eq!(fault(out.as_str()), None);
    }

    #[test]
    fn lines_of_a_printer_are_harmless(text in hostile()) {
        let lines = Printable::lines_of(&text);
        prop_assert_eq!(fault(lines.as_str()), None);
        prop_assert_eq!(Printable::lines_of(lines.as_str()), lines);
        let coloured = Printable::coloured_lines_of(&text);
        // A colour inside of a marker breaks it; one before it does not.
        let commands = |line: &str| line.trim_start().starts_with("::");
        let plain = coloured_by(coloured.as_str(), "");
        prop_assert!(!plain.lines().any(commands), "{}", plain);
        prop_assert_eq!(fault(&coloured_by(coloured.as_str(), "_")), None);
    }

    #[test]
    fn json_is_exact_and_harmless(text in hostile(), key in hostile()) {
        let value = serde_json::json!({ key.as_str(): [text.as_str()] });
        for printed in [json::pretty(&value), json::line(&value)] {
            let printed = printed.unwrap();
            prop_assert_eq!(fault(printed.as_str()), None);
            let read: serde_json::Value = serde_json::from_str(printed.as_str()).unwrap();
            prop_assert_eq!(&read, &value);
        }
    }

    #[test]
    fn workflow_commands_stay_on_their_line(text in hostile(), file in hostile()) {
        let mut out = Printable::default();
        out.workflow_command("error", &[("title", "x"), ("file", &file)], &[&text, &text]);
        let line = out.as_str().strip_prefix("::error title=x,file=").unwrap();
        prop_assert_eq!(line.matches('\n').count(), 1);
        prop_assert_eq!(fault(&format!("_{line}")), None);
        let (file, _) = line.split_once("::").unwrap();
        prop_assert!(!file.contains([':', ',']), "{}", file);
    }
}

/// Returns a text with another text in place of each colour.
fn coloured_by(text: &str, colour: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        out.push_str(&rest[..at]);
        out.push_str(colour);
        rest = &rest[at + length_of_colour(&rest[at..]).unwrap()..];
    }
    out + rest
}

#[test]
fn what_a_reader_sees() {
    for (text, shown) in [
        ("", ""),
        ("港 é — plain", "港 é — plain"),
        ("one\n  two\r\nthree", "one two three"),
        ("a\tb", "a b"),
        ("a\rb\u{1b}[2J", "a\\u{d}b\\u{1b}[2J"),
        (
            "a\u{202e}b\u{200b}\u{e0041}",
            "a\\u{202e}b\\u{200b}\\u{e0041}",
        ),
    ] {
        assert_eq!(fold(text), shown);
    }
    assert_eq!(name("a\n\tb.yaml"), "a\\u{a}\\u{9}b.yaml");
    for (line, shown) in [
        ("::error::x", "\\u{3a}:error::x"),
        ("  \u{a0}::x", "  \u{a0}\\u{3a}:x"),
        ("a ::x", "a ::x"),
        (
            "###[x] ##vso[y] ## [z]",
            "#\\u{23}#[x] \\u{23}#vso[y] ## [z]",
        ),
        (" section_end:1:x", " \\u{73}ection_end:1:x"),
    ] {
        assert_eq!(without_commands(line), shown);
    }
    assert!(!may_be_command("::1 localhost"));
    assert!(may_be_command("  ::error::x"));
}

#[test]
fn nothing_without_a_glyph_is_printed() {
    let ranges = [
        '\0'..='\u{1f}',
        '\u{7f}'..='\u{9f}',
        '\u{ad}'..='\u{ad}',
        '\u{61c}'..='\u{61c}',
        '\u{200b}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2060}'..='\u{206f}',
        '\u{fe00}'..='\u{fe0f}',
        '\u{feff}'..='\u{feff}',
        '\u{fff9}'..='\u{fffb}',
        '\u{fffe}'..='\u{ffff}',
        '\u{e0000}'..='\u{e0fff}',
        '\u{10fffe}'..='\u{10ffff}',
    ];
    for c in ranges.into_iter().flatten() {
        assert!(is_hidden(c), "{}", c.escape_unicode());
    }
    // Controls, by the standard library.
    let controls = ('\0'..=char::MAX).filter(|c| c.is_control());
    assert!(controls.into_iter().all(is_hidden));
    // Letters, marks, blanks and signs stay.
    for c in "aé\u{301}ß港ا\u{64b}ก\u{e31}\u{a0}\u{3000}€—→…🚢\u{600}".chars() {
        assert!(!is_hidden(c), "{}", c.escape_unicode());
    }
}
