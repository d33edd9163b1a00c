//! The real programs' answers, and properties that hold for any text.

mod oracle;

use proptest::prelude::*;

use super::*;
use crate::yaml::tree::Style;

/// Returns a scalar from a few lines of test.
pub(super) fn scalar<'t>(text: &'t str, style: Style, tag: Option<&'t str>) -> Scalar<'t> {
    Scalar { text, style, tag }
}

fn plain(text: &str, dialect: Dialect) -> Result<Typed<'_>, Rejected> {
    resolve(scalar(text, Style::Plain, None), dialect)
}

const DIALECTS: [Dialect; 3] = [Dialect::PyYaml, Dialect::GoYamlV2, Dialect::GoYamlV3];

#[test]
fn integers_have_any_size_up_to_the_limit() {
    let digits = "9".repeat(INTEGER_DIGIT_LIMIT);
    let Ok(Typed::Big(big)) = plain(&digits, Dialect::PyYaml) else {
        panic!("no integer");
    };
    assert_eq!(big.to_string(), digits);
    for text in [
        "1".repeat(INTEGER_DIGIT_LIMIT + 1),
        format!("0x{}", "f".repeat(1_000_000)),
        format!("1{}", ":59".repeat(1_000_000)),
        "1".repeat(4_000_000),
    ] {
        assert!(plain(&text, Dialect::PyYaml).is_err());
    }
    assert_eq!(
        plain(&format!("0x{}", "0".repeat(100_000)), Dialect::PyYaml),
        Ok(Typed::Int(0))
    );
}

#[test]
fn dates_that_are_none_are_refused() {
    for text in [
        "2024-13-01",
        "2023-02-29",
        "2024-02-30",
        "0000-01-01",
        "2024-01-01 24:00:00",
        "2024-01-01 00:60:00",
        "2024-01-01T00:00:00+24:00",
    ] {
        assert!(plain(text, Dialect::PyYaml).is_err(), "{text}");
        assert_eq!(plain(text, Dialect::GoYamlV2), Ok(string(text)), "{text}");
    }
    assert_eq!(
        plain("2024-02-29", Dialect::PyYaml),
        Ok(Typed::Timestamp("2024-02-29".to_owned()))
    );
}

#[test]
fn tags_are_honoured() {
    let tagged = |text, tag| {
        resolve(
            scalar(text, Style::DoubleQuoted, Some(tag)),
            Dialect::PyYaml,
        )
    };
    assert_eq!(tagged("12", "!"), Ok(Typed::Int(12)));
    assert_eq!(tagged("12\n", "!"), Ok(Typed::Int(12)));
    assert_eq!(tagged("0o17", "tag:yaml.org,2002:int"), Ok(Typed::Int(15)));
    assert_eq!(tagged("x", "tag:yaml.org,2002:null"), Ok(Typed::Null));
    assert!(tagged("x", "tag:yaml.org,2002:int").is_err());
    assert!(tagged("é", "tag:yaml.org,2002:binary").is_err());
    assert_eq!(
        tagged("x", "!vault"),
        Err(Rejected::UnknownTag("!vault".to_owned()))
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4000) })]

    /// Quotes make a string of any text; without them no reader may panic.
    #[test]
    fn quoted_is_a_string(text in "\\PC*|[0-9a-fxobeEnN:_.+~ TZ-]{0,12}") {
        for dialect in DIALECTS {
            let quoted = resolve(scalar(&text, Style::SingleQuoted, None), dialect);
            prop_assert_eq!(quoted, Ok(string(&text)));
            let _ = plain(&text, dialect);
            for tag in ["int", "float", "bool", "binary", "timestamp", "null", "str", "seq"] {
                let tag = format!("{TAG_PREFIX}{tag}");
                let _ = resolve(scalar(&text, Style::Plain, Some(&tag)), dialect);
            }
        }
    }

    /// Decimal numbers as JSON writes them are one thing to all.
    #[test]
    fn json_numbers_agree(int in any::<i64>(), float in any::<f64>()) {
        let digits = int.to_string();
        for dialect in DIALECTS {
            prop_assert_eq!(plain(&digits, dialect), Ok(Typed::Int(int)));
            if float.is_finite() {
                let text = format!("{float:?}");
                let text = match text.split_once('e') {
                    Some((head, exponent)) if !exponent.starts_with('-') => format!("{head}e+{exponent}"),
                    _ => text,
                };
                let text = if text.contains('.') { text } else { text.replace('e', ".0e") };
                prop_assert_eq!(plain(&text, dialect), Ok(Typed::Float(float)), "{}", text);
            }
        }
    }
}
