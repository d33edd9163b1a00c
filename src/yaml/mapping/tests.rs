use std::sync::Arc;

use super::entries;
use crate::diagnostic::{Code, Diagnostics, Severity};
use crate::source::Sources;
use crate::yaml::{Dialect, read};

/// Returns the entries of the mapping under the last key of the root, as `key=value` words (`+` marks merged
/// ones), and the diagnostics of it.
fn last(text: &str, dialect: Dialect) -> (String, Diagnostics) {
    let mut sources = Sources::default();
    let file = sources.add("a.yaml", text).expect("room");
    let mut diagnostics = Diagnostics::default();
    let tree = read(
        file,
        &Arc::clone(sources.file(file).text()),
        &mut diagnostics,
    );
    assert_eq!(diagnostics.errors(), 0, "{:?}", diagnostics.list());
    let root = tree.roots().next().expect("a document");
    let (_, mapping) = root.entries().last().expect("an entry");
    let shown: Vec<String> = entries(mapping, dialect, &mut diagnostics)
        .iter()
        .map(|entry| {
            let text =
                |node: super::Node<'_>| node.scalar().map_or("?", |scalar| scalar.text).to_owned();
            let mark = if entry.merged { "+" } else { "" };
            format!("{mark}{}={}", text(entry.key), text(entry.value))
        })
        .collect();
    // A second call reports nothing new.
    let reported = diagnostics.list().len();
    entries(mapping, dialect, &mut diagnostics);
    assert_eq!(diagnostics.list().len(), reported);
    (shown.join(" "), diagnostics)
}

/// In the order PyYAML, go-yaml v2, v3.
#[track_caller]
fn all(text: &str, expected: [&str; 3]) {
    let dialects = [Dialect::PyYaml, Dialect::GoYamlV2, Dialect::GoYamlV3];
    let actual = dialects.map(|dialect| last(text, dialect).0);
    assert_eq!(actual, expected);
}

const ANCHORS: &str = "a: &a {x: 1, y: 2}\nb: &b {x: 3, z: 4}\n";

#[test]
fn keys_of_the_mapping_itself_win_except_before_a_merge_in_go() {
    all(
        &format!("{ANCHORS}m: {{x: 0, <<: *a, y: 9}}"),
        ["x=0 y=9", "+x=1 y=9", "x=0 y=9"],
    );
}

#[test]
fn the_earlier_of_a_list_wins() {
    all(
        &format!("{ANCHORS}m: {{<<: [*a, *b], w: 0}}"),
        ["+x=1 +z=4 +y=2 w=0"; 3],
    );
}

#[test]
fn the_later_of_two_merge_keys_wins() {
    let text = format!("{ANCHORS}m: {{<<: *a, <<: *b}}");
    let expected = "+x=3 +y=2 +z=4";
    assert_eq!(last(&text, Dialect::PyYaml).0, expected);
    assert_eq!(last(&text, Dialect::GoYamlV2).0, expected);
}

#[test]
fn merges_of_merged_mappings_are_followed() {
    let text = "a: &a {x: 1}\nb: &b {<<: *a, y: 2}\nm: {<<: *b, z: 3}";
    all(text, ["+x=1 +y=2 z=3"; 3]);
}

#[test]
fn only_a_plain_or_tagged_merge_key_merges() {
    all(r#"m: {"<<": 1, '<<': 2}"#, ["<<=2"; 3]);
    all("m: {!!str <<: {a: 1}}", ["<<=?"; 3]);
    all("m: {!!merge <<: {a: 1}}", ["+a=1"; 3]);
}

#[test]
fn merging_something_else_is_an_error() {
    for text in ["m: {<<: 1}", "m: {<<: [{a: 1}, 2]}", "m: {<<: }"] {
        for dialect in [Dialect::PyYaml, Dialect::GoYamlV2, Dialect::GoYamlV3] {
            let (_, diagnostics) = last(text, dialect);
            let codes: Vec<Code> = diagnostics.list().iter().map(|d| d.code).collect();
            assert_eq!(codes, [Code::ValueRejected], "{text}");
        }
    }
}

#[test]
fn a_duplicate_key_keeps_its_first_place_and_its_last_value() {
    let (entries, diagnostics) = last("m: {a: 1, b: 2, a: 3}", Dialect::PyYaml);
    assert_eq!(entries, "a=3 b=2");
    let [warning] = diagnostics.list() else {
        panic!("{:?}", diagnostics.list());
    };
    assert_eq!(
        (warning.code, warning.severity),
        (Code::KeyDuplicate, Severity::Warning)
    );
    let places: Vec<u32> = warning
        .labels
        .iter()
        .map(|label| label.span.start())
        .collect();
    assert_eq!(
        places,
        [16, 4],
        "the one that counts, then the one that is lost"
    );
    assert_eq!(warning.message, "the key `a` appears twice in a mapping");
}

#[test]
fn a_key_that_overrides_a_merged_one_is_no_duplicate() {
    let (_, diagnostics) = last("a: &a {x: 1}\nm: {<<: *a, x: 2}", Dialect::PyYaml);
    assert!(diagnostics.list().is_empty());
}

#[test]
fn duplicates_are_errors_for_go_yaml_v3() {
    let (_, diagnostics) = last("m: {a: 1, a: 3}", Dialect::GoYamlV3);
    assert_eq!(diagnostics.errors(), 1);
}

#[test]
fn long_chains_of_merges_end_without_recursion() {
    let mut text = String::from("m0: &m0 {k0: 0}\n");
    for at in 1..300 {
        text += &format!("m{at}: &m{at} {{<<: *m{}, k{at}: 0}}\n", at - 1);
    }
    let (entries, _) = last(&text, Dialect::PyYaml);
    assert_eq!(entries.split(' ').count(), 300);
}
