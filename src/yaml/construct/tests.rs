//! What PyYAML refuses, by a table and by random documents, with the real PyYAML as the judge.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::json;

use crate::armada::difference::MAPPING_AS_SCALAR;
use crate::armada::proof::{self, Proof};
use crate::diagnostic::Diagnostics;
use crate::source::Sources;
use crate::yaml::tests::python;

/// Answers whether PyYAML constructs all documents of a text, and whether it can read their structure at all.
const LOAD: &str = r#"
import json, sys, yaml

loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
for line in sys.stdin:
    text = json.loads(line)
    try:
        list(yaml.compose_all(text, loader))
    except Exception:
        print("null")
        continue
    try:
        list(yaml.load_all(text, loader))
        print("true")
    except Exception:
        print("false")
"#;

/// Documents, and whether PyYAML constructs them.
const TABLE: &[(&str, bool)] = &[
    ("a: 1", true),
    // Scalars.
    ("a: =", false),
    ("a: '='", true),
    ("[=]", false),
    ("=", false),
    ("a: <<", false),
    ("a: !foo x", false),
    ("a: !foo", false),
    ("a: !foo {b: c}", false),
    ("a: !foo [b]", false),
    ("a: !!foo x", false),
    ("a: !<tag:example.org,2000:x> y", false),
    ("a: ! x", true),
    ("a: ! =", false),
    ("a: 2020-13-45", false),
    ("a: 2020-02-30", false),
    ("a: '2020-13-45'", true),
    ("a: 2020-01-01", true),
    ("a: 2020-01-01 25:00:00", false),
    ("a: !!timestamp x", false),
    ("a: !!int abc", false),
    ("a: !!int ''", false),
    ("a: !!int '7'", true),
    ("a: !!float x", false),
    ("a: !!bool maybe", false),
    ("a: !!bool 'yes'", true),
    ("a: !!null x", true),
    ("a: !!binary é", false),
    ("a: !!binary a", false),
    ("a: !!binary aGVsbG8=", true),
    ("a: 0b_", false),
    ("a: !!value x", false),
    ("a: !!merge x", false),
    ("a: &x !foo y", false),
    // Keys.
    ("=: 1", true),
    ("! =: 1", true),
    ("{! '=': 1}", true),
    ("!!value x: 1", true),
    ("? [a]\n: 1", false),
    ("{{x}: 1}", false),
    ("{{ x }: 1}", false),
    ("a: {{ x }}", false),
    ("? !!set {a}\n: 1", false),
    ("? !!omap [a: b]\n: 1", false),
    ("? &x [a]\n: 1", false),
    ("a: &x [b]\nc: {*x : 1}", false),
    ("2020-13-45: a", false),
    ("!foo a: b", false),
    ("~: a", true),
    (".nan: a", true),
    ("2020-01-01: a", true),
    // Merge keys.
    ("<<: 1", false),
    ("<<: ~", false),
    ("<<: [1]", false),
    ("<<: [{a: b}, 1]", false),
    ("<<: [[a]]", false),
    ("<<: []", true),
    ("<<: {}", true),
    ("<<: {a: b}", true),
    ("'<<': 1", true),
    ("!!merge x: {a: b}", true),
    ("!!merge x: 1", false),
    ("<<: !foo {a: b}", true),
    ("<<: !foo [{a: b}]", true),
    ("<<: {a: !foo b}", false),
    ("<<: {=: b}", true),
    ("<<: {<<: {<<: 1}}", false),
    ("b: {<<: &x {a: 1}}\nc: {<<: *x}", true),
    ("a: &x !foo {b: c}\nd: {<<: *x}", false),
    // Collections with tags.
    ("a: !!set {b, c}", true),
    ("a: !!set [b]", false),
    ("a: !!set b", false),
    ("a: !!set {b: =}", false),
    ("a: !!set {=}", true),
    ("a: !!seq [b]", true),
    ("a: !!seq {b: c}", false),
    ("a: !!map [b]", false),
    ("a: !!map b", false),
    ("a: !!int [b]", false),
    ("a: !!omap [b: c]", true),
    ("a: !!omap [b]", false),
    ("a: !!omap {b: c}", false),
    ("a: !!omap [{b: c, d: e}]", false),
    ("a: !!omap [{}]", false),
    ("a: !!omap [{[b]: c}]", true),
    ("a: !!omap [{=: c}]", false),
    ("a: !!omap [{<<: {b: c}}]", false),
    ("a: !!omap [!foo {b: c}]", true),
    ("a: !!pairs [b: c, b: d]", true),
    ("a: !!pairs [b: =]", false),
    // A mapping that was filled before has strings for its keys `=`, and its merge keys followed.
    ("a: &x {=: b}\nc: !!omap [*x]", true),
    ("c: !!omap [&x {=: b}]\na: *x", false),
    ("a: &x {<<: {b: c}}\nd: !!omap [*x]", true),
    ("- {a: &x {=: b}}\n- !!omap [*x]", false),
    // Anywhere in any document.
    ("a: b\n---\nc: =", false),
    ("--- =\n--- a", false),
    ("a: [{b: [{c: =}]}]", false),
    ("a: &x b\nc: *x", true),
];

/// What only PyYAML reads: a mapping with the tag of a scalar and a plain key `=` is the scalar under it.
const ONLY_PYTHON: &str = MAPPING_AS_SCALAR;

fn constructs(text: &str) -> Option<bool> {
    let mut sources = Sources::default();
    let file = sources.add("a.yaml", text).unwrap();
    let mut diagnostics = Diagnostics::default();
    let tree = crate::yaml::read(file, sources.file(file).text(), &mut diagnostics);
    if diagnostics.errors() > 0 {
        return None;
    }
    super::check(&tree, &mut diagnostics);
    Some(diagnostics.errors() == 0)
}

#[test]
fn the_table_holds() {
    for (text, wanted) in TABLE {
        assert_eq!(constructs(text), Some(*wanted), "{text}");
    }
    assert_eq!(constructs(ONLY_PYTHON), Some(false));
}

#[test]
fn pyyaml_proves_what_pages_say_of_it() {
    let stated = proof::CODES.iter().flat_map(|(_, proofs)| *proofs);
    let stated: Vec<(&str, bool)> = stated
        .filter_map(|proof| match proof {
            Proof::PyYaml(text, reads) => Some((*text, *reads)),
            Proof::Handlers(_)
            | Proof::Waits(_)
            | Proof::Functions(_)
            | Proof::Scalars
            | Proof::Schemas
            | Proof::Plans => None,
        })
        .collect();
    assert!(stated.len() > 3, "{stated:?}");
    for (text, reads) in &stated {
        assert_eq!(constructs(text) == Some(true), *reads, "{text}");
    }
    let requests: Vec<_> = stated.iter().map(|(text, _)| json!(text)).collect();
    let Some(answers) = python::answers(LOAD, &requests) else {
        return;
    };
    for ((text, reads), answer) in stated.iter().zip(&answers) {
        assert_eq!(answer == &json!(true), *reads, "{text}");
    }
}

#[test]
fn pyyaml_says_the_same_as_the_table() {
    let texts = TABLE.iter().map(|(text, _)| *text).chain([ONLY_PYTHON]);
    let requests: Vec<_> = texts.map(|text| json!(text)).collect();
    let Some(answers) = python::answers(LOAD, &requests) else {
        return;
    };
    for ((text, wanted), answer) in TABLE.iter().zip(&answers) {
        assert_eq!(answer, &json!(wanted), "{text}");
    }
    assert_eq!(answers.last(), Some(&json!(true)));
}

/// Scalars with and without tags, collections, merges, anchors and aliases, in flow style.
fn document() -> impl Strategy<Value = String> {
    let scalar = prop::sample::select(vec![
        "a",
        "b",
        "=",
        "'='",
        "<<",
        "! =",
        "!x a",
        "!!str a",
        "!!int 1",
        "!!int a",
        "!!value a",
        "12",
        "~",
        "2020-01-01",
        "2020-13-45",
        "*p",
        "*q",
        "&p a",
        "&q =",
    ]);
    let key = prop::sample::select(vec![
        "a",
        "b",
        "c",
        "=",
        "<<",
        "'<<'",
        "! =",
        "!!merge m",
        "!!value v",
        "!x k",
        "2020-13-45",
        "*p ",
        "*q ",
    ]);
    let tag = prop::sample::select(vec![
        "", "", "", "", "&p ", "&q ", "!!omap ", "!!set ", "!!pairs ", "!x ",
    ]);
    let leaf = scalar.prop_map(str::to_owned);
    let tree = leaf.prop_recursive(4, 16, 3, move |inner| {
        let entry = (
            prop_oneof![8 => key.clone().prop_map(str::to_owned), 1 => inner.clone()],
            inner.clone(),
        );
        prop_oneof![
            (tag.clone(), prop::collection::vec(inner, 0..3))
                .prop_map(|(tag, items)| format!("{tag}[{}]", items.join(", "))),
            (tag.clone(), prop::collection::vec(entry, 0..3)).prop_map(|(tag, entries)| {
                let entries = entries
                    .into_iter()
                    .map(|(key, value)| format!("? {key} : {value}"));
                format!("{tag}{{{}}}", entries.collect::<Vec<_>>().join(", "))
            }),
        ]
    });
    prop::collection::vec(tree, 1..3).prop_map(|trees| {
        let documents = trees.into_iter().map(|tree| format!("--- {tree}\n"));
        documents.collect::<String>()
    })
}

#[test]
fn random_documents_are_refused_where_pyyaml_refuses_them() {
    let mut runner = TestRunner::deterministic();
    let documents: Vec<String> = (0..6_000)
        .map(|_| document().new_tree(&mut runner).unwrap().current())
        .collect();
    let requests: Vec<_> = documents.iter().map(|text| json!(text)).collect();
    let Some(answers) = python::answers(LOAD, &requests) else {
        return;
    };
    let (mut taken, mut refused) = (0, 0);
    for (text, answer) in documents.iter().zip(&answers) {
        let Some(wanted) = answer.as_bool() else {
            continue;
        };
        // The reader refuses more: an alias inside of its anchor.
        let Some(constructs) = constructs(text) else {
            continue;
        };
        assert_eq!(constructs, wanted, "{text}");
        if wanted { taken += 1 } else { refused += 1 }
    }
    assert!(
        taken > 500 && refused > 500,
        "{taken} taken, {refused} refused"
    );
}
