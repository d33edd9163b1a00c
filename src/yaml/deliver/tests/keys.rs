//! Mapping keys.

use super::{Code, Delivery, delivered};
use crate::yaml::deliver::key::float_key;

#[test]
fn keys_are_text_as_json_has_them() {
    let text = "y: 1\n017: 2\n1.0: 3\n2024-01-01: 4\n\"08\": 5\n12:30: 6\n'n': 7\n=: 8\n1e3: 9\n";
    let outcome = delivered(text, Delivery::Python);
    let keys: Vec<_> = outcome
        .at(&[])
        .as_mapping()
        .unwrap()
        .entries()
        .iter()
        .map(|e| e.key.as_str())
        .collect();
    assert_eq!(
        keys,
        [
            "true",
            "15",
            "1",
            "2024-01-01",
            "8",
            "750",
            "false",
            "=",
            "1000"
        ]
    );
    assert_eq!(outcome.codes(), [Code::KeyRetyped; 7]);
    let written = delivered("\"y\": 1\n\"08\": 5\nz: 6\n", Delivery::Written);
    assert!(written.at(&[]).as_mapping().unwrap().get("08").is_some());
    // The value of the running release is reported all the same.
    assert_eq!(written.codes(), [Code::KeyRetyped; 2]);
    assert!(written.messages().contains("`08` reached Helm as `8`"));
}

#[test]
fn keys_that_meet() {
    let outcome = delivered("1: a\n\"1\": b\nc: d\n", Delivery::Python);
    assert_eq!(outcome.codes(), [Code::KeyCollision]);
    assert_eq!(outcome.at(&["1"]), &"b".into());
    assert_eq!(outcome.at(&[]).as_mapping().unwrap().len(), 2);
    assert!(outcome.messages().contains("random"));
    // Text keys only: sorted before they are written, `y` comes after `Y`.
    let outcome = delivered("\"y\": a\n\"Y\": b\n", Delivery::Python);
    assert_eq!(
        outcome.codes(),
        [Code::KeyRetyped, Code::KeyRetyped, Code::KeyCollision]
    );
    assert_eq!(outcome.at(&["true"]), &"a".into());
    // Python cannot sort these.
    let outcome = delivered("\"y\": a\ntrue: b\n", Delivery::Python);
    assert_eq!(outcome.at(&["true"]), &"b".into());
    assert!(!outcome.messages().contains("random"));
}

#[test]
fn float_keys_have_32_bits() {
    for (float, key) in [
        (0.5, "0.5"),
        (-0.0, "-0"),
        (100_000.0, "100000"),
        (1e6, "1e+06"),
        (123_456_789.0, "1.2345679e+08"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1e300, ".inf"),
        (f64::NEG_INFINITY, "-.inf"),
        (f64::NAN, ".nan"),
    ] {
        assert_eq!(float_key(float), key);
    }
}

#[test]
fn a_lone_exclamation_mark_undoes_quotes() {
    let text = "a: ! \"12\"\nb: ! 'yes'\nc: ! x\n! \"08\": d\n";
    let outcome = delivered(text, Delivery::Python);
    assert_eq!(outcome.at(&["a"]), &12_i64.into());
    assert_eq!(outcome.at(&["b"]), &true.into());
    assert_eq!(outcome.at(&["c"]), &"x".into());
    assert_eq!(outcome.at(&["8"]), &"d".into());
    let outcome = delivered(text, Delivery::Go);
    assert_eq!(outcome.at(&["a"]), &"12".into());
}
