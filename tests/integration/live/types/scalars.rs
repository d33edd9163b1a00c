//! Scalars that people write into manifests, and unusual ones.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::bed::Outcome;
use crate::shared;

/// The number of random scalars.
pub(super) const RANDOM: usize = 2_000;

/// The number of scalars in the oracle.
const VECTORS: usize = 183;

/// Returns the scalars of the oracle; `None` without the oracle.
pub(super) fn vectors() -> Outcome<Option<Vec<String>>> {
    let Some(folder) = shared::folder() else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(folder.join("oracle/yaml-vectors.json"))?;
    let rows: Vec<Value> = serde_json::from_str(&text)?;
    let sources: Vec<_> = rows
        .iter()
        .filter_map(|row| row["source"].as_str().map(str::to_owned))
        .collect();
    if sources.len() == VECTORS {
        Ok(Some(sources))
    } else {
        Err(format!("{} scalars in the oracle", sources.len()).into())
    }
}

/// Returns the same random scalars in every run, of each class in turn. Lines after the first are indented by two.
pub(super) fn random() -> Outcome<Vec<String>> {
    let mut runner = TestRunner::deterministic();
    let classes = classes();
    let mut sources = Vec::with_capacity(RANDOM);
    while sources.len() < RANDOM {
        let class = &classes[sources.len() % classes.len()];
        let tree = class
            .new_tree(&mut runner)
            .map_err(|reason| reason.to_string())?;
        let source = tree.current();
        // Anchors and aliases affect other nodes.
        if !source.starts_with(['&', '*']) {
            sources.push(source);
        }
    }
    Ok(sources)
}

/// Words that some reader does not read as a string.
const WORDS: &[&str] = &[
    "y", "n", "Y", "N", "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON", "off", "Off",
    "OFF", "true", "True", "TRUE", "false", "False", "FALSE", "yEs", "tRUE", "null", "Null",
    "NULL", "~", "", "nULL", "nil", "None", ".inf", "-.Inf", "+.INF", ".nan", ".NaN", "nan", "inf",
    "=", "<<", "-", "+", ".", "..", "---", "...", "_", "0", "-0", "+0", "-0.0", "0.0", "08", "1e3",
];

/// Integers at the limits of types, and long ones.
const LARGE: &[&str] = &[
    "999999",
    "1000000",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "-9007199254740993",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "18446744073709551616",
    "100000000000000000000",
    "0x7fffffffffffffff",
    "0xffffffffffffffffff",
    "0777777777777777777777777",
    "190:20:30:20:30:20:30:20:30:20:30",
];

/// Characters that some program treats as line breaks or ends, drops, refuses or does not show.
const CHARACTERS: &[char] = &[
    '\0',
    '\u{1}',
    '\u{7}',
    '\u{8}',
    '\t',
    '\n',
    '\u{b}',
    '\u{c}',
    '\r',
    '\u{1b}',
    '\u{1f}',
    ' ',
    '"',
    '\'',
    '\\',
    '/',
    '#',
    ':',
    '\u{a0}',
    '\u{ad}',
    '\u{200b}',
    '\u{200e}',
    '\u{2028}',
    '\u{2029}',
    '\u{202e}',
    '\u{d7ff}',
    '\u{e000}',
    '\u{feff}',
    '\u{fffd}',
    '\u{10000}',
    '😀',
    '\u{10ffff}',
    'é',
    'ß',
    '日',
];

/// Texts that match a pattern. A pattern used as a strategy would be parsed for every text.
fn matching(pattern: &str) -> impl Strategy<Value = String> + use<> {
    prop::string::string_regex(pattern).expect("a pattern")
}

fn word() -> impl Strategy<Value = String> {
    prop::sample::select(WORDS).prop_map(str::to_owned)
}

/// Plain texts that look like a number, a time or a boolean.
fn bare() -> Vec<BoxedStrategy<String>> {
    vec![
        word().boxed(),
        matching("[-+]?[1-9][0-9]{0,6}").boxed(),
        matching("[-+]?0[0-7_]{1,6}").boxed(),
        matching("[-+]?0[oO][0-7]{1,4}").boxed(),
        matching("[-+]?0[0-9]{1,7}").boxed(),
        matching("[-+]?0[xX][0-9a-fA-F_]{1,8}").boxed(),
        matching("[-+]?0[bB][01_]{1,9}").boxed(),
        matching("[-+]?[0-9_]{1,3}(_[0-9]{0,3}){1,3}").boxed(),
        matching("[-+]?[0-9]{1,3}(:[0-9]{1,2}){1,3}").boxed(),
        matching("[-+]?[0-9]{1,3}(:[0-5][0-9]){1,2}[.][0-9_]{0,3}").boxed(),
        matching("[-+]?[0-9]{0,4}[.][0-9_]{0,6}").boxed(),
        matching("[-+]?[0-9]{1,4}([.][0-9]{0,4})?[eE][-+]?[0-9]{1,2}").boxed(),
        matching("[-+]?[0-9]{1,17}[.][0-9]{1,17}").boxed(),
        matching("[-+]?[1-9]([.][0-9]{1,16})?[eE][-+][0-9]{2,3}").boxed(),
        matching("[0-9]{7}|[0-9]{3}e[0-9]{3}|[0-9a-f]{7}").boxed(),
        matching("[-+]?[1-9][0-9]{14,40}").boxed(),
        prop::sample::select(LARGE).prop_map(str::to_owned).boxed(),
        matching("[0-9]{4}-[01]?[0-9]-[0-3]?[0-9]").boxed(),
        matching("20[0-9]{2}-[01][0-9]-[0-2][0-9]([Tt]| {1,2})[0-2]?[0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]{0,7})?( ?(Z|[-+][01]?[0-9](:[0-5][0-9])?))?").boxed(),
        matching("[a-zA-Z/.][a-zA-Z0-9_.:/-]{0,20}").boxed(),
        matching("[-+.0-9a-fxobeEnN:_~TZ]{1,8}").boxed(),
    ]
}

fn any_bare() -> impl Strategy<Value = String> {
    prop::strategy::Union::new(bare())
}

/// Lines of a block, each indented by two; the text does not start with a blank.
fn lines() -> impl Strategy<Value = String> {
    (
        matching("[!-~]"),
        prop::collection::vec(matching("[ -~\\t]{0,20}|\\PC{0,9}"), 1..5),
        0_usize..3,
    )
        .prop_map(|(first, lines, empty)| {
            let mut text = format!("  {first}");
            text.push_str(&lines.join("\n  "));
            text.push_str(&"\n".repeat(empty));
            text
        })
}

fn classes() -> Vec<BoxedStrategy<String>> {
    let tags = [
        "!!str",
        "!!int",
        "!!float",
        "!!bool",
        "!!null",
        "!!timestamp",
        "!!binary",
        "!",
    ];
    let characters = || prop::collection::vec(prop::sample::select(CHARACTERS), 1..8);
    let anything = || prop::collection::vec(any::<char>(), 1..10);
    let text = |characters: Vec<char>| double_quoted(&characters.into_iter().collect::<String>());
    let mut classes = bare();
    classes.extend([
        any_bare().prop_map(|text| format!("'{text}'")).boxed(),
        any_bare().prop_map(|text| format!("\"{text}\"")).boxed(),
        word().prop_map(|text| format!("\"{text}\"")).boxed(),
        (
            prop::sample::select(tags.to_vec()),
            any_bare(),
            any::<bool>(),
        )
            .prop_map(|(tag, text, quoted)| {
                if quoted {
                    format!("{tag} '{text}'")
                } else {
                    format!("{tag} {text}")
                }
            })
            .boxed(),
        matching("!!binary [A-Za-z0-9+/]{8}(==)?").boxed(),
        characters().prop_map(text).boxed(),
        anything().prop_map(text).boxed(),
        matching("[ -~]{1,30}")
            .prop_map(|text: String| double_quoted(&text))
            .boxed(),
        matching("[ \\t]{0,3}[a-z0-9]{0,5}[ \\t]{1,3}")
            .prop_map(|text: String| double_quoted(&text))
            .boxed(),
        matching("\\PC{1,12}").boxed(),
        matching("'([ -&(-~]|''){0,20}'").boxed(),
        (prop::sample::select(vec!["|", "|-", "|+"]), lines())
            .prop_map(|(header, lines)| format!("{header}\n{lines}"))
            .boxed(),
        (prop::sample::select(vec![">", ">-", ">+"]), lines())
            .prop_map(|(header, lines)| format!("{header}\n{lines}"))
            .boxed(),
        (
            prop::sample::select(vec!["|2", "|2-", ">2", ">2+"]),
            lines(),
        )
            .prop_map(|(header, lines)| format!("{header}\n  {}", lines.trim_start_matches('\t')))
            .boxed(),
        matching("[a-z0-9]{1,5} [a-z0-9]{1,5}\n {2,4}[a-z0-9]{1,5}").boxed(),
        matching("\"[a-z0-9 ]{1,9}\n {2,4}[a-z0-9]{0,5}\\\\\n  \\\\ [a-z]{0,4}\"").boxed(),
        matching("([a-z]{1,9} {1,2}){12,20}[a-z]").boxed(),
        matching("([a-z0-9]{60} ){2,20}[a-z]")
            .prop_map(|text: String| double_quoted(&text))
            .boxed(),
        matching("[$][{]?[A-Z_]{1,8}[}]?|[{][{] [.a-zA-Z]{1,12} [}][}]|%[a-z]%")
            .prop_map(|text: String| double_quoted(&text))
            .boxed(),
    ]);
    classes
}

/// A double-quoted text, with escapes that all readers support.
pub(super) fn double_quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match u32::from(c) {
        0x22 | 0x5c => format!("\\{c}"),
        code @ (0..=0x1f | 0x7f..=0xff) => format!("\\x{code:02x}"),
        code @ 0x100..=0xffff => format!("\\u{code:04x}"),
        code @ 0x10000.. => format!("\\U{code:08x}"),
        _ => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}
