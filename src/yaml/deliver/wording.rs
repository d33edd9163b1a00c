//! Messages about values. None may show a sensitive value: they name its type instead.

use super::Delivery;
use crate::diagnostic::{Code, Diagnostic};
use crate::value::{Data, Number};
use crate::yaml::scalar::Rejected;

/// The longest text that a message shows, in characters.
const SHOWN_CHARS: usize = 60;

/// The help for text that does not survive.
pub(super) const TEXT_HELP: &str = "kubectl and kustomize-controller refuse or change it, and in an object created in another way it makes the release \
     lose all its values; remove it, or write the values with `--values-in secret`";

/// The help for U+0085 in a value.
pub(super) const NEXT_LINE_HELP: &str =
    "Flux passes a space in its place; remove it, or write the values with `--values-in secret`";

/// The help for a key `<<`.
pub(super) const MERGE_HELP: &str = "kubectl keeps it, kustomize-controller silently drops the entry; rename it, or write the values with `--values-in secret`";

/// The help for a key that is too long.
pub(super) const KEY_HELP: &str = "kubectl and kustomize-controller cannot apply it, so it does not reach Flux; shorten it, or write the values with `--values-in secret`";

/// The help for minus zero.
pub(super) const ZERO_HELP: &str =
    "a template prints it as `-0` under Armada and as `0` under Flux; write 0 if that is meant";

/// Describes a value by its type and content, or by its type alone.
pub(super) fn describe(data: &Data, hidden: bool) -> String {
    match data {
        Data::Null => "null".to_owned(),
        Data::Bool(value) => value.to_string(),
        Data::Number(_) if hidden => "a number".to_owned(),
        Data::Number(number) => format!("the number {}", digits(number)),
        Data::String(_) if hidden => "a string".to_owned(),
        Data::String(text) => format!("the string {}", quoted(text)),
        Data::Sequence(_) => "a list".to_owned(),
        Data::Mapping(_) => "a mapping".to_owned(),
    }
}

fn digits(number: &Number) -> String {
    match number {
        Number::Int(int) => int.to_string(),
        Number::Big(digits) => shortened(digits),
        Number::Float(float) => float_digits(*float),
    }
}

/// Prints a float as people write it: with an exponent where digits alone would be a row of zeros.
fn float_digits(float: f64) -> String {
    let plain = float == 0.0 || (1e-6..1e21).contains(&float.abs()) || !float.is_finite();
    if plain {
        float.to_string()
    } else {
        format!("{float:e}")
    }
}

fn quoted(text: &str) -> String {
    format!("{:?}", shortened(text))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

pub(super) fn differ(written: &Data, delivered: &Data, hidden: bool, how: Delivery) -> String {
    let (written, delivered) = (describe(written, hidden), describe(delivered, hidden));
    match how {
        Delivery::Python | Delivery::Written => {
            format!("{written} reached Helm as {delivered}")
        }
        Delivery::Go => format!(
            "armada-go gave Helm {delivered} where Armada in Python would have given {written}"
        ),
    }
}

pub(super) fn go_only(delivered: &str) -> String {
    format!("armada-go gave Helm {delivered} where Armada in Python refuses the value")
}

pub(super) fn inexact(number: &Number, float: f64, hidden: bool) -> String {
    if hidden {
        return "an integer reached Helm as another number, rounded to a double".to_owned();
    }
    format!(
        "the number {} reached Helm as {}, rounded to a double",
        digits(number),
        shortened(&format!("{float:.0}"))
    )
}

/// Describes a text that was changed; `kind` is the type that PyYAML read.
pub(super) fn text_changed(kind: &str, source: &str, delivered: &Data, hidden: bool) -> String {
    if hidden {
        return format!("a {kind} reached Helm as another text");
    }
    format!(
        "the {kind} {} reached Helm as {}",
        quoted(source),
        describe(delivered, false)
    )
}

pub(super) fn key_retyped(source: &str, delivered: &str, how: Delivery) -> String {
    let (source, key) = (shortened(source), shortened(delivered));
    match how {
        Delivery::Python | Delivery::Go => format!("the key `{source}` reached Helm as `{key}`"),
        Delivery::Written => format!("the key `{source}` means `{key}`"),
    }
}

pub(super) fn text_unsafe(c: char, what: &str) -> String {
    format!("{what} holds the character U+{:04X}", u32::from(c))
}

/// Returns the help for a value that was retyped.
pub(super) fn help(how: Delivery) -> &'static str {
    match how {
        Delivery::Python => {
            "what Helm received is written, so the release does not change; `--values-as written` keeps the author's value"
        }
        Delivery::Go => "what Helm received is written, so the release does not change",
        Delivery::Written => "the author's value is written, as asked, so the release may change",
    }
}

/// Describes why a value was refused. A tag can be the secret itself: `password: !abc` is a tag without text.
pub(in crate::yaml) fn rejected(reason: &Rejected, hidden: bool, how: Delivery) -> Diagnostic {
    let reader = match how {
        Delivery::Python | Delivery::Written => "Armada",
        Delivery::Go => "armada-go",
    };
    match reason {
        Rejected::UnknownTag(_) if hidden => {
            let message = format!("{reader} refuses the tag of this value");
            Diagnostic::new(Code::TagUnknown, message).help("quote the text or remove the tag")
        }
        Rejected::UnknownTag(tag) => {
            let tag = shortened(tag);
            let message = format!("{reader} refuses values with the tag `{tag}`");
            Diagnostic::new(Code::TagUnknown, message).help("quote the text or remove the tag")
        }
        Rejected::Text(reason) => {
            let message = format!("{reader} refuses this value: {reason}");
            Diagnostic::new(Code::ValueRejected, message).help("quote it to make it text")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_printed_short() {
        for (float, text) in [
            (0.0, "0"),
            (0.1, "0.1"),
            (-12.5, "-12.5"),
            (0.000001, "0.000001"),
            (1e20, "100000000000000000000"),
            (5e-324, "5e-324"),
            (-2.5e-7, "-2.5e-7"),
            (1e21, "1e21"),
            (1.797_693_134_862_315_7e308, "1.7976931348623157e308"),
        ] {
            assert_eq!(float_digits(float), text);
        }
        let number = Number::Big("9".repeat(300).into());
        let message = inexact(&number, 1e300, false);
        assert!(message.chars().count() < 200, "{message}");
    }
}
