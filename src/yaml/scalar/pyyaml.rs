//! Reads scalars as PyYAML's safe loader with libyaml, which Armada uses. Source: its `resolver.py`,
//! `constructor.py`.

use super::{Rejected, TAG_PREFIX, Typed, python_int, python_time, string};
use crate::yaml::tree::{Scalar, Style};

const VALUE: Rejected = Rejected::Text("a plain `=` is not a value in YAML 1.1");
const MERGE: Rejected = Rejected::Text("a plain `<<` is not a value in YAML 1.1");
const INDICATOR: Rejected = Rejected::Text("this indicator is not a value in YAML 1.1");
const NO_INT: Rejected = Rejected::Text("the text is not an integer");
const NO_FLOAT: Rejected = Rejected::Text("the text is not a float");
const NO_BOOL: Rejected = Rejected::Text("the text is not a boolean");
const NO_TIME: Rejected = Rejected::Text("the date or time does not exist");
const NO_SCALAR: Rejected = Rejected::Text("a scalar cannot have the tag of a collection");

pub(super) fn resolve(scalar: Scalar<'_>) -> Result<Typed<'_>, Rejected> {
    let Scalar { text, style, tag } = scalar;
    match tag {
        None if style == Style::Plain => plain(text),
        None => Ok(string(text)),
        Some("!") => untagged(text),
        Some(tag) => tagged(text, tag),
    }
}

/// Reads a scalar with the tag `!`, which is resolved like a plain one in any style. The patterns accept a
/// final line break.
fn untagged(text: &str) -> Result<Typed<'_>, Rejected> {
    let Some(line) = text.strip_suffix('\n').filter(|line| !line.is_empty()) else {
        return plain(text);
    };
    match plain(line)? {
        Typed::Bool(_) => Err(NO_BOOL),
        Typed::String(_) => Ok(string(text)),
        typed => Ok(typed),
    }
}

fn tagged<'t>(text: &'t str, tag: &str) -> Result<Typed<'t>, Rejected> {
    let unknown = || Rejected::UnknownTag(tag.to_owned());
    match tag.strip_prefix(TAG_PREFIX).ok_or_else(unknown)? {
        "str" => Ok(string(text)),
        "null" => Ok(Typed::Null),
        "bool" if text.len() <= 5 => match text.to_lowercase().as_str() {
            "yes" | "true" | "on" => Ok(Typed::Bool(true)),
            "no" | "false" | "off" => Ok(Typed::Bool(false)),
            _ => Err(NO_BOOL),
        },
        "bool" => Err(NO_BOOL),
        "int" => int(text),
        "float" => float(text),
        "binary" => binary(text),
        "timestamp" => python_time::parse(text)
            .map(Typed::Timestamp)
            .ok_or(NO_TIME),
        "seq" | "map" | "omap" | "pairs" | "set" => Err(NO_SCALAR),
        _ => Err(unknown()),
    }
}

/// Returns whether a key is a string although PyYAML refuses such a scalar as a value: a plain `=`, or anything
/// with the tag `!!value` (`flatten_mapping`).
pub(in crate::yaml) fn is_value_key(scalar: Scalar<'_>) -> bool {
    let Scalar { text, style, tag } = scalar;
    match tag {
        None => style == Style::Plain && text == "=",
        // In libyaml, `!` makes every scalar a plain one.
        Some("!") => text == "=",
        Some(tag) => tag.strip_prefix(TAG_PREFIX) == Some("value"),
    }
}

/// Returns whether PyYAML can refuse a scalar without a tag, by its first byte: numbers, times and indicators.
pub(in crate::yaml) fn may_be_refused(scalar: Scalar<'_>) -> bool {
    scalar.style == Style::Plain
        && matches!(
            scalar.text.as_bytes(),
            [
                b'-' | b'+' | b'0'..=b'9' | b'.' | b'=' | b'<' | b'!' | b'&' | b'*',
                ..
            ]
        )
}

/// Returns whether PyYAML reads the text without quotes as a string. Then it also writes it without quotes,
/// if the characters allow that.
pub(in crate::yaml) fn is_plain_string(text: &str) -> bool {
    matches!(plain(text), Ok(Typed::String(_)))
}

/// Reads a scalar without quotes and tag.
fn plain(text: &str) -> Result<Typed<'_>, Rejected> {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else {
        return Ok(Typed::Null);
    };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~'
            if bytes.len() <= 5 =>
        {
            Ok(word(text).unwrap_or_else(|| string(text)))
        }
        b'-' | b'+' | b'0'..=b'9' | b'.' => number(text),
        b'=' if bytes.len() == 1 => Err(VALUE),
        b'<' if text == "<<" => Err(MERGE),
        b'!' | b'&' | b'*' if bytes.len() == 1 => Err(INDICATOR),
        _ => Ok(string(text)),
    }
}

fn word(text: &str) -> Option<Typed<'static>> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(Typed::Bool(true))
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(Typed::Bool(false))
        }
        "~" | "null" | "Null" | "NULL" => Some(Typed::Null),
        _ => None,
    }
}

/// The form of a plain number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Int,
    Float,
    Time,
    Text,
}

/// Reads a plain scalar that begins with a sign, a digit or a dot.
fn number(text: &str) -> Result<Typed<'_>, Rejected> {
    match form(text.as_bytes()) {
        Form::Int => int(text),
        Form::Float => float(text),
        Form::Time => python_time::parse(text)
            .map(Typed::Timestamp)
            .ok_or(NO_TIME),
        Form::Text => Ok(string(text)),
    }
}

/// Returns the form by the pattern of the resolver that the text matches.
fn form(text: &[u8]) -> Form {
    let signed = matches!(text, [b'+' | b'-', ..]);
    let unsigned = &text[usize::from(signed)..];
    match unsigned {
        [b'.', rest @ ..] => match rest {
            b"inf" | b"Inf" | b"INF" => Form::Float,
            b"nan" | b"NaN" | b"NAN" if !signed => Form::Float,
            [b'0'..=b'9', ..] if !signed && is_fraction(rest) => Form::Float,
            _ => Form::Text,
        },
        [b'0'..=b'9', ..] => digits_form(unsigned, signed),
        _ => Form::Text,
    }
}

/// Returns the form of a text that begins with a digit, without its sign.
fn digits_form(text: &[u8], signed: bool) -> Form {
    let all = |bytes: &[u8], allowed: fn(u8) -> bool| {
        !bytes.is_empty() && bytes.iter().all(|&byte| byte == b'_' || allowed(byte))
    };
    let run = text
        .iter()
        .position(|byte| !byte.is_ascii_digit() && *byte != b'_')
        .unwrap_or(text.len());
    let (head, rest) = text.split_at(run);
    let decimal = head.first() != Some(&b'0');
    let octal = || all(&head[1..], |byte| matches!(byte, b'0'..=b'7'));
    match rest {
        [] if decimal || head.len() == 1 || octal() => Form::Int,
        [b'b', digits @ ..] if head == b"0" && all(digits, |byte| matches!(byte, b'0' | b'1')) => {
            Form::Int
        }
        [b'x', digits @ ..] if head == b"0" && all(digits, |byte| byte.is_ascii_hexdigit()) => {
            Form::Int
        }
        [b'.', fraction @ ..] if is_fraction(fraction) => Form::Float,
        [b':', ..] => match (sexagesimal(rest), decimal) {
            (Some([]), true) => Form::Int,
            (Some([b'.', fraction @ ..]), _) if all_digits(fraction) => Form::Float,
            (Some(_) | None, _) => Form::Text,
        },
        [b'-', ..] if !signed && python_time::looks_like_time(text) => Form::Time,
        _ => Form::Text,
    }
}

fn all_digits(text: &[u8]) -> bool {
    text.iter()
        .all(|byte| byte.is_ascii_digit() || *byte == b'_')
}

/// Returns whether the text matches `[0-9_]*([eE][-+][0-9]+)?`.
fn is_fraction(text: &[u8]) -> bool {
    let Some(at) = text.iter().position(|byte| matches!(byte, b'e' | b'E')) else {
        return all_digits(text);
    };
    let exponent = match &text[at + 1..] {
        [b'+' | b'-', digits @ ..] => digits,
        _ => return false,
    };
    all_digits(&text[..at]) && !exponent.is_empty() && exponent.iter().all(u8::is_ascii_digit)
}

/// Returns the text after `(:[0-5]?[0-9])+`; `None` if it does not begin with that.
fn sexagesimal(mut text: &[u8]) -> Option<&[u8]> {
    let mut found = false;
    loop {
        text = match text {
            [b':', b'0'..=b'5', b'0'..=b'9', rest @ ..] | [b':', b'0'..=b'9', rest @ ..] => rest,
            _ => return found.then_some(text),
        };
        found = true;
    }
}

/// Converts an integer as `construct_yaml_int` does.
fn int(text: &str) -> Result<Typed<'static>, Rejected> {
    python_int::construct(text).ok_or(NO_INT)
}

/// Converts a float as `construct_yaml_float` does.
fn float(text: &str) -> Result<Typed<'static>, Rejected> {
    let plain = text.replace('_', "");
    let (negative, unsigned) = match plain.as_bytes().first().ok_or(NO_FLOAT)? {
        b'-' => (true, &plain[1..]),
        b'+' => (false, &plain[1..]),
        _ => (false, plain.as_str()),
    };
    let size = if unsigned.eq_ignore_ascii_case(".inf") {
        f64::INFINITY
    } else if unsigned.eq_ignore_ascii_case(".nan") {
        f64::NAN
    } else if unsigned.contains(':') {
        let (mut sum, mut base) = (0.0, 1.0);
        for part in unsigned.rsplit(':') {
            sum += python_float(part)? * base;
            base *= 60.0;
        }
        sum
    } else {
        python_float(unsigned)?
    };
    Ok(Typed::Float(if negative { -size } else { size }))
}

/// Converts a text as Python's `float()` does. Rust has the same words for infinity and not-a-number.
fn python_float(text: &str) -> Result<f64, Rejected> {
    text.trim().parse().map_err(|_| NO_FLOAT)
}

/// Returns the value of a base64 digit.
pub(super) fn base64_digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

/// Decodes base64 as `base64.decodebytes`: skips what is not a digit, and ends at the padding.
fn binary(text: &str) -> Result<Typed<'static>, Rejected> {
    if !text.is_ascii() {
        return Err(Rejected::Text("the text is not valid base64"));
    }
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut digits, mut pads) = (0_u32, 0_usize, 0_usize);
    for byte in text.bytes() {
        if byte == b'=' {
            pads += 1;
            if digits % 4 >= 2 && digits % 4 + pads >= 4 {
                digits = 0;
                break;
            }
        }
        let Some(digit) = base64_digit(byte) else {
            continue;
        };
        pads = 0;
        bits = bits << 6 | u32::from(digit);
        digits += 1;
        match digits % 4 {
            1 => {}
            2 => bytes.push((bits >> 4) as u8),
            3 => bytes.push((bits >> 2) as u8),
            _ => bytes.push(bits as u8),
        }
    }
    match digits % 4 {
        0 => Ok(Typed::Binary(bytes)),
        _ => Err(Rejected::Text("base64 text is incomplete")),
    }
}
