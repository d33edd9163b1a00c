//! Reads scalars as go-yaml v3, which kustomize uses. Source: its `resolve.go` and `decode.go`.

use super::go_yaml_v2::{not_finite, tagged};
use super::{Rejected, Typed, go_number, go_time, string};
use crate::yaml::tree::{Scalar, Style};

pub(super) fn resolve(scalar: Scalar<'_>) -> Result<Typed<'_>, Rejected> {
    let Scalar { text, style, tag } = scalar;
    match tag {
        None | Some("!") if style == Style::Plain => Ok(plain(text)),
        None | Some("!") => Ok(string(text)),
        Some(tag) => tagged(text, tag, plain_but_time),
    }
}

fn plain(text: &str) -> Typed<'_> {
    if let [b'0'..=b'9', _, _, _, b'-', ..] = text.as_bytes()
        && let Some(time) = go_time::parse(text)
    {
        return Typed::Timestamp(time);
    }
    plain_but_time(text)
}

fn plain_but_time(text: &str) -> Typed<'_> {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else {
        return Typed::Null;
    };
    let typed = match first {
        b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'~' if bytes.len() <= 5 => match text {
            "true" | "True" | "TRUE" => Some(Typed::Bool(true)),
            "false" | "False" | "FALSE" => Some(Typed::Bool(false)),
            "~" | "null" | "Null" | "NULL" => Some(Typed::Null),
            _ => None,
        },
        b'+' | b'-' | b'0'..=b'9' => not_finite(text)
            .or_else(|| go_number::number(text))
            .or_else(|| octal(text)),
        b'.' => not_finite(text).or_else(|| go_number::fraction(text)),
        _ => None,
    };
    typed.unwrap_or_else(|| string(text))
}

/// Reads `0o` with a sign after it, which only this version accepts.
fn octal(text: &str) -> Option<Typed<'static>> {
    let negative = text.starts_with('-');
    let digits = text
        .strip_prefix('-')
        .unwrap_or(text)
        .strip_prefix("0o")?
        .replace('_', "");
    match negative {
        true => go_number::parse_int(&format!("-{digits}"), Some(8)),
        false => go_number::parse_int(&digits, Some(8)),
    }
}
