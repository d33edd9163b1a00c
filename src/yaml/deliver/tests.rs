//! What Helm got, from the real programs where they are at hand.

mod comments;
mod differential;
mod keys;
mod oracle;
mod sensitivity;

use std::sync::Arc;

use super::*;
use crate::source::{Sources, Span};
use crate::value::{Number, Text};
use crate::yaml::read;

/// Everything one delivery gives.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) value: Option<Value>,
    pub(super) diagnostics: Diagnostics,
    pub(super) text: Arc<str>,
}

impl Outcome {
    pub(super) fn codes(&self) -> Vec<Code> {
        self.diagnostics.list().iter().map(|d| d.code).collect()
    }

    pub(super) fn messages(&self) -> String {
        let lines: Vec<_> = self
            .diagnostics
            .list()
            .iter()
            .map(|d| d.message.clone())
            .collect();
        lines.join("\n")
    }

    #[track_caller]
    pub(super) fn at(&self, path: &[&str]) -> &Value {
        let value = self
            .value
            .as_ref()
            .unwrap_or_else(|| panic!("{}", self.messages()));
        value
            .at(path)
            .unwrap_or_else(|| panic!("nothing at {path:?} in {value:?}"))
    }

    pub(super) fn main(&self, at: usize) -> &str {
        let span: Span = self.diagnostics.list()[at].labels[0].span;
        &self.text[span.range()]
    }
}

/// Delivers the first document of a text.
pub(super) fn delivered(text: &str, how: Delivery) -> Outcome {
    delivered_below(text, &[], how)
}

/// Delivers the value under a path of keys.
pub(super) fn delivered_below(text: &str, path: &[&str], how: Delivery) -> Outcome {
    let mut sources = Sources::default();
    let file = sources.add("test.yaml", text).unwrap();
    let mut diagnostics = Diagnostics::default();
    let tree = read(file, sources.file(file).text(), &mut diagnostics);
    let mut node = tree.roots().next();
    for key in path {
        let below = node.unwrap().entries();
        node = below
            .into_iter()
            .find(|(k, _)| k.scalar().unwrap().text == *key)
            .map(|(_, v)| v);
    }
    let value = node.and_then(|node| deliver(node, how, &mut diagnostics));
    Outcome {
        value,
        diagnostics,
        text: Arc::clone(sources.file(file).text()),
    }
}

fn number(outcome: &Outcome, key: &str) -> Number {
    match &outcome.at(&[key]).data {
        Data::Number(number) => number.clone(),
        other => panic!("{:?}", Value::from(other.clone())),
    }
}

#[test]
fn quoted_text_that_helm_took_for_something_else() {
    let text = "a: \"08\"\nb: 'y'\nc: \"on\"\nd: 017\n";
    let python = delivered(text, Delivery::Python);
    assert_eq!(number(&python, "a"), Number::Int(8));
    assert_eq!(python.at(&["b"]), &true.into());
    assert_eq!(python.at(&["c"]), &"on".into());
    assert_eq!(number(&python, "d"), Number::Int(15));
    assert_eq!(python.codes(), [Code::ValueRetyped; 2]);
    assert_eq!(python.main(0), "\"08\"");
    assert_eq!(
        python.diagnostics.list()[0].message,
        "the string \"08\" reached Helm as the number 8"
    );

    let written = delivered(text, Delivery::Written);
    assert_eq!(written.at(&["a"]), &"08".into());
    assert_eq!(written.at(&["b"]), &"y".into());
    assert_eq!(written.codes(), [Code::ValueRetyped; 2]);

    let go = delivered(text, Delivery::Go);
    assert_eq!(go.at(&["a"]), &"08".into());
    assert_eq!(go.codes(), []);
}

#[test]
fn armada_go_reads_plain_words_itself() {
    let go = delivered(
        "a: 12:30\nb: 2024-01-01T00:00:00Z\nc: !x y\nd: on\n",
        Delivery::Go,
    );
    assert_eq!(go.at(&["a"]), &"12:30".into());
    assert_eq!(go.at(&["b"]), &"2024-01-01T00:00:00Z".into());
    assert_eq!(go.at(&["c"]), &"y".into());
    assert_eq!(go.at(&["d"]), &true.into());
    assert_eq!(go.codes(), [Code::ValueRetyped; 3]);
}

#[test]
fn numbers_become_doubles() {
    let text = "a: 9007199254740993\nb: 9007199254740992\nc: 18446744073709551615\n\
                d: 100000000000000000000\ne: 1.0\nf: -0.0\ng: 1e+400\n";
    let outcome = delivered(text, Delivery::Python);
    assert_eq!(number(&outcome, "a"), Number::Int(9_007_199_254_740_993));
    assert_eq!(number(&outcome, "d"), Number::Float(1e20));
    assert!(matches!(number(&outcome, "e"), Number::Int(1)));
    assert!(matches!(number(&outcome, "f"), Number::Float(zero) if zero.is_sign_negative()));
    assert_eq!(outcome.at(&["g"]), &"1e+400".into());
    assert_eq!(
        outcome.codes(),
        [Code::ValueRetyped, Code::ValueRetyped, Code::TextUnsafe]
    );
    assert!(outcome.messages().starts_with(
        "the number 9007199254740993 reached Helm as 9007199254740992, rounded to a double"
    ));
    let huge = format!("a: {}", "7".repeat(400));
    let outcome = delivered(&huge, Delivery::Python);
    assert_eq!(outcome.at(&["a"]).as_str().map(str::len), Some(400));
    assert_eq!(outcome.codes(), [Code::ValueRetyped]);
}

#[test]
fn what_helm_or_armada_refuses_is_an_error() {
    for (text, code) in [
        ("a: .inf", Code::ValueNotFinite),
        ("a: [1.0e+999]", Code::ValueNotFinite),
        ("a: =", Code::ValueRejected),
        ("a: <<", Code::ValueRejected),
        ("a: 2024-13-01", Code::ValueRejected),
        ("a: !!int x", Code::ValueRejected),
        ("a: !!omap {a: 1}", Code::ValueRejected),
        ("a: !!omap [a]", Code::ValueRejected),
        ("a: !!str [a]", Code::ValueRejected),
        ("a: !foo [a]", Code::TagUnknown),
        ("a: !foo b", Code::TagUnknown),
        ("~: 1", Code::KeyType),
        ("[a]: 1", Code::KeyType),
        ("{{ .Values.x }}: 1", Code::KeyType),
        ("9223372036854775808: 1", Code::KeyType),
    ] {
        let outcome = delivered(text, Delivery::Python);
        assert!(outcome.value.is_none(), "{text}");
        assert_eq!(outcome.codes(), [code], "{text}");
    }
}

#[test]
fn all_errors_are_reported_at_once() {
    let outcome = delivered("a: .inf\nb: {c: =, d: [!x y]}\n", Delivery::Python);
    assert_eq!(
        outcome.codes(),
        [Code::ValueNotFinite, Code::ValueRejected, Code::TagUnknown]
    );
}

#[test]
fn aliases_are_written_out_and_spoken_of_once() {
    let text = "base: &b {k: \"08\"}\nx: *b\nw: {<<: *b, z: 1}\n";
    let outcome = delivered(text, Delivery::Python);
    assert_eq!(outcome.at(&["x", "k"]), &8.into());
    assert_eq!(outcome.at(&["w", "k"]), &8.into());
    assert_eq!(outcome.codes(), [Code::ValueRetyped]);
    // Defined outside the values, it has to be spoken of where it is used, and once.
    let text = "base: &b {k: \"08\"}\nvalues: {x: *b, w: *b, z: {<<: *b}}\n";
    let outcome = delivered_below(text, &["values"], Delivery::Python);
    assert_eq!(outcome.at(&["z", "k"]), &8.into());
    assert_eq!(outcome.codes(), [Code::ValueRetyped]);
}

#[test]
fn nesting_through_aliases_has_a_limit() {
    let deep = |anchor: usize, inside: &str| {
        format!(
            "a{anchor}: &a{anchor} {}{inside}{}\n",
            "[".repeat(150),
            "]".repeat(150)
        )
    };
    let two = deep(0, "1") + &deep(1, "*a0");
    let outcome = delivered(&two, Delivery::Python);
    assert_eq!(outcome.codes(), [Code::DepthLimit]);
    assert!(
        outcome
            .messages()
            .contains(&EXPANDED_DEPTH_LIMIT.to_string())
    );
    assert_eq!(delivered(&deep(0, "1"), Delivery::Python).codes(), []);
}

#[test]
fn characters_that_do_not_survive_are_named() {
    let outcome = delivered(
        "a: \"x\\N\"\nb: \"\\x7f\"\nc: \"\\uffff\"\n\"<<\": 1\nd: é\n",
        Delivery::Python,
    );
    assert_eq!(outcome.codes(), [Code::TextUnsafe; 4]);
    assert!(outcome.messages().contains("U+0085"));
    // What is refused is worse than what is changed.
    let outcome = delivered("a: \"\\N\\x80\\N\"\n", Delivery::Python);
    assert!(outcome.messages().contains("U+0080"));
    let outcome = delivered("a: -0.0\nb: -0\nc: 0.0\n", Delivery::Python);
    assert_eq!(outcome.codes(), [Code::TextUnsafe]);
    assert!(outcome.messages().contains("minus zero"));
}

#[test]
fn keys_that_no_apply_reads_are_named() {
    // With quotes, and each of these characters as six.
    for (key, long) in [
        ("k".repeat(1022), false),
        ("k".repeat(1023), true),
        ("é".repeat(1022), false),
        ("<".repeat(170), false),
        ("<".repeat(171), true),
    ] {
        let outcome = delivered(&format!("? '{key}'\n: 1\n"), Delivery::Python);
        let codes: &[Code] = if long { &[Code::TextUnsafe] } else { &[] };
        assert_eq!(outcome.codes(), codes, "{}", key.len());
    }
}

#[test]
fn times_are_text_to_helm() {
    let outcome = delivered("a: 2024-01-01\nb: 2024-01-01T00:00:00Z\n", Delivery::Python);
    assert_eq!(outcome.at(&["b"]), &"2024-01-01 00:00:00+00:00".into());
    assert_eq!(outcome.codes(), [Code::ValueRetyped]);
    assert_eq!(
        outcome.messages(),
        "the time \"2024-01-01T00:00:00Z\" reached Helm as the string \"2024-01-01 00:00:00+00:00\""
    );
}

#[test]
fn python_types_without_counterpart() {
    let text = "b: !!binary gIGC\ns: !!set {x, z: 1}\no: !!omap [a: 1, b: \"08\"]\n";
    let outcome = delivered(text, Delivery::Python);
    assert_eq!(outcome.at(&["b"]), &"\u{fffd}\u{fffd}\u{fffd}".into());
    assert_eq!(outcome.at(&["s", "z"]), &Value::null());
    let pairs = outcome.at(&["o"]).as_sequence().unwrap();
    assert_eq!(pairs[1], Value::from(vec!["b".into(), 8.into()]));
    assert_eq!(outcome.codes(), [Code::ValueRetyped; 3]);
    let go = delivered(text, Delivery::Go);
    assert_eq!(go.at(&["s", "z"]), &1.into());
}

#[test]
fn text_of_bytes_replaces_each_byte() {
    assert_eq!(
        leaf::text_of_bytes(b"a\xe2\x82z"),
        Text::from("a\u{fffd}\u{fffd}z")
    );
}
