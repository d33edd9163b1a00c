//! Tests of the writers.

mod hostile;
mod python;
mod reader;
mod trees;
mod vectors;

use proptest::prelude::*;

use super::scalar::must_escape;
use super::{View, to_json, to_yaml, write_canonical_json, write_yaml};
use crate::printable::escape::may_be_command;
use crate::value::{Data, Mapping, Notes, Number, Sensitivity, Value};
use reader::{read, same};

fn yaml(value: &Value) -> String {
    to_yaml(value, View::Clear)
}

fn number(number: Number) -> Value {
    Data::Number(number).into()
}

fn map<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    let mapping: Mapping = pairs.into_iter().collect();
    mapping.into()
}

fn secret(text: &str) -> Value {
    Value {
        sensitive: Sensitivity::Whole,
        ..text.into()
    }
}

fn noted(value: impl Into<Value>, above: &[&str], trailing: &str, below: &[&str]) -> Value {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.into()).collect();
    Value {
        notes: Some(Box::new(Notes {
            above: texts(above),
            trailing: Some(trailing.into()).filter(|_| !trailing.is_empty()),
            below: texts(below),
        })),
        ..value.into()
    }
}

#[track_caller]
fn reads_back(value: &Value) {
    let text = yaml(value);
    match read(&text) {
        Ok(back) => assert!(
            same(&back, value),
            "{value:?}\nreads {back:?}\nfrom\n{text}"
        ),
        Err(error) => panic!("{error}\nin\n{text}"),
    }
    assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{text:?}");
}

#[test]
fn there_are_enough_hostile_strings() {
    let mut strings = hostile::strings();
    strings.sort();
    strings.dedup();
    assert!(strings.len() >= 400, "{}", strings.len());
}

#[test]
fn hostile_strings_read_back() {
    trees::hostile().iter().for_each(reads_back);
}

/// No reader of a log acts on YAML or JSON: no control characters, no marks of another direction, no command of a CI system.
fn acts_on_nothing(value: &Value) {
    let yaml = to_yaml(value, View::Clear);
    for text in [&yaml, &to_json(value, View::Clear)] {
        let acts = text
            .chars()
            .find(|c| !"\n\t".contains(*c) && must_escape(*c));
        assert_eq!(acts, None, "{text:?}");
    }
    let command = yaml.lines().find(|line| may_be_command(line));
    assert_eq!(command, None, "{yaml}");
}

#[test]
fn hostile_strings_act_on_nothing() {
    trees::hostile().iter().for_each(acts_on_nothing);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    #[test]
    fn random_trees_read_back(value in trees::random()) {
        reads_back(&value);
    }

    #[test]
    fn random_trees_act_on_nothing(value in trees::random()) {
        acts_on_nothing(&value);
    }

    #[test]
    fn random_trees_are_json(value in trees::random()) {
        let json: serde_json::Value = serde_json::from_str(&to_json(&value, View::Clear)).unwrap();
        let mut canonical = String::new();
        write_canonical_json(&value, View::Clear, &mut canonical);
        let canonical: serde_json::Value = serde_json::from_str(&canonical).unwrap();
        let zeros = |json: &serde_json::Value| json.to_string().replace("-0.0", "0");
        prop_assert_eq!(zeros(&json), zeros(&canonical));
    }

    #[test]
    fn nothing_sensitive_is_shown_redacted(mut value in trees::random()) {
        mark(&mut value);
        let shown = to_yaml(&value, View::Redacted) + &to_json(&value, View::Redacted);
        prop_assert!(!shown.contains("hunter2"), "{}", shown);
    }
}

/// Puts a secret into every string, above and beside it.
fn mark(value: &mut Value) {
    if let Some(notes) = &mut value.notes {
        notes.above.push("# hunter2".into());
        notes.trailing = Some("# hunter2".into());
        notes.below.push("# hunter2".into());
    }
    match &mut value.data {
        Data::String(text) => {
            text.push_str("hunter2");
            value.sensitive = Sensitivity::Whole;
        }
        Data::Sequence(items) => items.iter_mut().for_each(mark),
        Data::Mapping(mapping) => mapping
            .entries_mut()
            .make_mut()
            .iter_mut()
            .for_each(|entry| mark(&mut entry.value)),
        Data::Null | Data::Bool(_) | Data::Number(_) => {}
    }
}

#[test]
fn blocks_are_indented_by_two() {
    let value = map([
        ("map", map([("a", 1.into()), ("b", Value::null())])),
        (
            "list",
            vec!["x".into(), map([("k", "v".into()), ("l", true.into())])].into(),
        ),
        (
            "nested",
            vec![vec![1.into(), 2.into()].into(), Value::from(vec![3.into()])].into(),
        ),
        (
            "none",
            map([("map", Mapping::new().into()), ("list", Vec::new().into())]),
        ),
        (
            "deep",
            vec![map([("a", vec![map([("b", "c".into())])].into())])].into(),
        ),
    ]);
    let text = "\
map:
  a: 1
  b: null
list:
  - x
  - k: v
    l: true
nested:
  - - 1
    - 2
  - - 3
none:
  map: {}
  list: []
deep:
  - a:
      - b: c
";
    assert_eq!(yaml(&value), text);
}

#[test]
fn strings_are_quoted_where_a_reader_could_differ() {
    for (text, written) in [
        ("plain", "plain"),
        ("/etc/ceph", "/etc/ceph"),
        ("two words", "two words"),
        ("quay.io/a/b:v1", "quay.io/a/b:v1"),
        ("yes", "\"yes\""),
        ("08", "\"08\""),
        ("", "\"\""),
        ("a: b", "\"a: b\""),
        ("it's", "\"it's\""),
        ("say \"it's\"", "'say \"it''s\"'"),
        ("a\\b", "'a\\b'"),
        ("a\tb\"", "\"a\\tb\\\"\""),
        ("\0\u{7f}\u{85}\u{2028}", "\"\\0\\x7f\\x85\\u2028\""),
        ("é😀", "\"é😀\""),
        ("a\r\nb", "\"a\\r\\nb\""),
    ] {
        assert_eq!(yaml(&text.into()), format!("{written}\n"));
    }
}

#[test]
fn lines_become_literals_where_readers_agree() {
    let value = map([
        ("one", "a\n\n  b\n".into()),
        ("none", "a\nb".into()),
        (
            "list",
            vec!["x\ny\n".into(), map([("k", "x\ny".into())])].into(),
        ),
        ("two", "a\n\n".into()),
        ("blank", "a \nb".into()),
    ]);
    let text = "\
one: |
  a

    b
none: |-
  a
  b
list:
  - |
    x
    y
  - k: |-
      x
      y
two: \"a\\n\\n\"
blank: \"a \\nb\"
";
    assert_eq!(yaml(&value), text);
}

#[test]
fn long_keys_are_marked() {
    let (short, long) = ("k".repeat(128), "k".repeat(129));
    let pairs = [
        (short.as_str(), 1.into()),
        (long.as_str(), map([(&long, 2.into())])),
    ];
    let text = format!("- {short}: 1\n  ? {long}\n  :\n    ? {long}\n    : 2\n");
    assert_eq!(yaml(&vec![map(pairs)].into()), text);
}

#[test]
fn floats_are_floats_for_every_reader() {
    for (float, yaml_text, json_text) in [
        (0.0, "0.0", "0"),
        (-0.0, "-0.0", "-0"),
        (1.0, "1.0", "1"),
        (0.1, "0.1", "0.1"),
        (3.25, "3.25", "3.25"),
        (-1234.5, "-1234.5", "-1234.5"),
        (1e-6, "0.000001", "0.000001"),
        (1.5e-7, "1.5e-7", "1.5e-7"),
        (1e-7, "1.0e-7", "1e-7"),
        (1e20, "100000000000000000000.0", "100000000000000000000"),
        (1e21, "1.0e+21", "1e+21"),
        (
            f64::MAX,
            "1.7976931348623157e+308",
            "1.7976931348623157e+308",
        ),
        (5e-324, "5.0e-324", "5e-324"),
    ] {
        let value = number(Number::Float(float));
        assert_eq!(yaml(&value), format!("{yaml_text}\n"));
        assert_eq!(to_json(&value, View::Clear), json_text);
    }
}

#[test]
fn integers_keep_their_digits() {
    for (digits, written) in [
        ("18446744073709551616", "18446744073709551616"),
        ("-00018446744073709551616", "-18446744073709551616"),
        ("-000", "0"),
    ] {
        let value = number(Number::Big(digits.into()));
        assert_eq!(yaml(&value), format!("{written}\n"));
        assert_eq!(to_json(&value, View::Clear), written);
    }
    assert_eq!(yaml(&i64::MIN.into()), "-9223372036854775808\n");
    let beyond_floats = "1".repeat(400);
    let value = number(Number::Big(beyond_floats.as_str().into()));
    assert_eq!(yaml(&value), format!("\"{beyond_floats}\"\n"));
}

#[test]
fn comments_stand_where_they_stood() {
    let item = map([
        ("a", noted(1, &["# above a"], "# at a", &[])),
        ("b", "c".into()),
    ]);
    let value = noted(
        map([
            (
                "k",
                noted("v", &["# above k", "", "# nearer"], "# at k", &[]),
            ),
            ("text", noted("a\nb\n", &[], "# at text", &[])),
            (
                "list",
                noted(
                    vec![
                        noted(item.clone(), &["# above item"], "", &[]),
                        noted(item, &[], "# at item", &["# end of list"]),
                    ],
                    &[],
                    "# at list",
                    &["# end of all"],
                ),
            ),
        ]),
        &["# head"],
        "",
        &["# foot", ""],
    );
    let text = "\
# head
# above k

# nearer
k: v # at k
text: | # at text
  a
  b
list: # at list
  # above item
  # above a
  - a: 1 # at a
    b: c
  - # at item
    # above a
    a: 1 # at a
    b: c
  # end of list
# end of all
# foot
";
    assert_eq!(yaml(&value), text);
}

#[test]
fn comments_end_with_their_line() {
    let value = map([(
        "k",
        noted(1, &["a: 1\nb: 2"], "#\u{85}x: 1\u{2028}y\u{1}z", &[" \t"]),
    )]);
    assert_eq!(yaml(&value), "# a: 1 b: 2\nk: 1 # x: 1 y z\n");
}

#[test]
fn redacted_views_hide_leaves_and_comments() {
    let value = map([
        (
            "user",
            noted("admin", &["# password is hunter2"], "# hunter2", &[]),
        ),
        ("password", secret("hunter2")),
        ("key", secret("-----BEGIN\nhunter2\n")),
        (
            "list",
            Value {
                sensitive: Sensitivity::Whole,
                ..vec!["hunter2".into()].into()
            },
        ),
    ]);
    let shown = "user: admin\npassword: \"***\"\nkey: \"***\"\nlist: \"***\"\n";
    assert_eq!(to_yaml(&value, View::Redacted), shown);
    let shown = r#"{"user":"admin","password":"***","key":"***","list":"***"}"#;
    assert_eq!(to_json(&value, View::Redacted), shown);
    assert!(to_json(&value, View::Clear).contains("hunter2"));
}

#[test]
fn text_is_appended() {
    let mut out = "---\n# made by hand\n\n".to_owned();
    write_yaml(
        &map([("a", noted(1, &[], "", &["", ""]))]),
        View::Clear,
        &mut out,
    );
    assert_eq!(out, "---\n# made by hand\n\na: 1\n");
}

#[test]
fn json_escapes_what_readers_refuse() {
    let text = "\"\\/\n\t\r\0\u{1b}\u{7f}\u{85}\u{2028}\u{2029}\u{fffe}\u{ffff}é😀";
    let json = r#""\"\\/\n\t\r\u0000\u001b\u007f\u0085\u2028\u2029\ufffe\uffffé😀""#;
    assert_eq!(to_json(&text.into(), View::Clear), json);
}

#[test]
fn canonical_json_depends_on_content_alone() {
    let a = map([
        ("b", 1.into()),
        ("a", vec![number(Number::Float(-0.0))].into()),
        ("B", "x".into()),
    ]);
    let b = map([
        ("B", "x".into()),
        ("a", vec![number(Number::Int(0))].into()),
        ("b", 1.into()),
    ]);
    for value in [a, b] {
        let mut out = String::new();
        write_canonical_json(&value, View::Clear, &mut out);
        assert_eq!(out, r#"{"B":"x","a":[0],"b":1}"#);
    }
}
