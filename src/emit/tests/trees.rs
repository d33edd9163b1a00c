//! Trees to write: each hostile string in every place, and random ones.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::SBoxedStrategy;

use super::hostile::{FRAGMENTS, strings};
use crate::value::{Data, Mapping, Notes, Number, Text, Value};

fn map<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    let mapping: Mapping = pairs.into_iter().collect();
    mapping.into()
}

/// Returns the string as root, value, key, item, and nested in all of them.
pub(super) fn around(text: &str) -> Vec<Value> {
    let leaf = || Value::from(text);
    let list = |items: Vec<Value>| Value::from(items);
    let all = map([
        ("value", leaf()),
        (
            "list",
            list(vec![leaf(), list(vec![leaf(), leaf()]), leaf()]),
        ),
        (
            "keys",
            map([(text, leaf()), ("after", map([(text, list(vec![leaf()]))]))]),
        ),
        (
            "items",
            list(vec![
                map([(text, leaf()), ("beside", leaf())]),
                map([("first", leaf()), (text, map([(text, leaf())]))]),
                list(vec![map([(text, list(vec![leaf()]))])]),
            ]),
        ),
        ("last", leaf()),
    ]);
    vec![leaf(), all]
}

/// Every hostile string in every place.
pub(super) fn hostile() -> Vec<Value> {
    strings().iter().flat_map(|text| around(text)).collect()
}

/// Texts that match; a pattern used as a strategy is parsed again for every text.
fn matching(pattern: &str) -> impl Strategy<Value = String> + use<> {
    prop::string::string_regex(pattern).unwrap()
}

/// Built once: the parts of recursive strategies are built again for every tree.
fn text() -> SBoxedStrategy<String> {
    static TEXT: LazyLock<SBoxedStrategy<String>> = LazyLock::new(|| {
        prop_oneof![
            2 => matching("[a-zA-Z/][a-zA-Z0-9_./:=-]{0,8}"),
            2 => select(strings()).prop_filter("short", |text| text.len() < 200),
            4 => prop::collection::vec(select(FRAGMENTS), 0..7).prop_map(|parts| parts.concat()),
            1 => matching("[0-9+.eExob_:T-]{1,8}"),
            1 => prop::collection::vec(any::<char>(), 0..6)
                .prop_map(|chars| chars.into_iter().collect::<String>()),
        ]
        .sboxed()
    });
    TEXT.clone()
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        any::<i64>().prop_map(Number::Int),
        (-1000_i64..1000).prop_map(Number::Int),
        matching("-?[1-9][0-9]{19,40}").prop_map(|digits| Number::Big(digits.into())),
        any::<f64>()
            .prop_filter("finite", |float| float.is_finite())
            .prop_map(Number::Float),
        any::<u64>()
            .prop_map(f64::from_bits)
            .prop_filter("finite", |float| float.is_finite())
            .prop_map(Number::Float),
        (-100_000_i32..100_000, -30_i32..30).prop_map(|(digits, exponent)| Number::Float(
            f64::from(digits) * 10_f64.powi(exponent)
        )),
    ]
}

fn comments() -> impl Strategy<Value = Vec<Text>> {
    let comment = prop_oneof![
        1 => Just(String::new()),
        2 => Just("# a comment: with - signs".to_owned()),
        3 => text().prop_map(|text| format!("#{text}")),
        1 => text(),
    ];
    prop::collection::vec(comment.prop_map(Text::from), 0..3)
}

fn notes() -> impl Strategy<Value = Option<Box<Notes>>> {
    let some = (comments(), comments(), comments()).prop_map(|(above, mut trailing, below)| {
        let trailing = trailing.pop();
        Some(Box::new(Notes {
            above,
            trailing,
            below,
        }))
    });
    prop_oneof![6 => Just(None), 1 => some]
}

fn noted(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    (value, notes()).prop_map(|(value, notes)| Value { notes, ..value })
}

/// Random trees with comments.
pub(super) fn random() -> impl Strategy<Value = Value> {
    let leaf = noted(prop_oneof![
        1 => Just(()).prop_map(|()| Value::null()),
        1 => any::<bool>().prop_map(Value::from),
        2 => number().prop_map(|number| Data::Number(number).into()),
        6 => text().prop_map(Value::from),
    ]);
    leaf.prop_recursive(6, 48, 5, |inner| {
        let items = prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from);
        let entries = prop::collection::vec((text(), inner), 0..5)
            .prop_map(|pairs| Value::from(pairs.into_iter().collect::<Mapping>()));
        noted(prop_oneof![1 => items, 2 => entries])
    })
}
