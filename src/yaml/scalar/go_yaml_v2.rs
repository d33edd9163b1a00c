//! Reads scalars as go-yaml v2, which Helm, kubectl, Flux and armada-go use. Source: its `resolve.go`,
//! `decode.go`.

use super::{Rejected, TAG_PREFIX, Typed, go_number, go_time, string};
use crate::yaml::tree::{Scalar, Style};

/// The message for text that does not fit its tag.
pub(super) const MISFIT: &str = "the text does not fit its tag";

pub(super) fn resolve(scalar: Scalar<'_>) -> Result<Typed<'_>, Rejected> {
    let Scalar { text, style, tag } = scalar;
    match tag {
        None if style == Style::Plain => Ok(plain(text)),
        None => Ok(string(text)),
        // The library keeps times as text, for compatibility with old programs.
        Some(tag) => match tagged(text, tag, plain)? {
            Typed::Timestamp(_) => Ok(string(text)),
            typed => Ok(typed),
        },
    }
}

/// Reads a tagged scalar; `plain` is the reading of the text without tag.
pub(super) fn tagged<'t>(
    text: &'t str,
    tag: &str,
    plain: fn(&'t str) -> Typed<'t>,
) -> Result<Typed<'t>, Rejected> {
    let typed = match tag.strip_prefix(TAG_PREFIX) {
        Some("bool" | "int" | "float" | "null") => plain(text),
        Some("timestamp") => {
            let time = go_time::parse(text).map(Typed::Timestamp);
            return time.ok_or(Rejected::Text(MISFIT));
        }
        Some("binary") => return binary(text),
        // With a tag that the library does not know, `!` among them, every scalar is text.
        Some(_) | None => return Ok(string(text)),
    };
    match (tag.strip_prefix(TAG_PREFIX), typed) {
        (Some("bool"), typed @ Typed::Bool(_))
        | (Some("int"), typed @ (Typed::Int(_) | Typed::Big(_)))
        | (Some("float"), typed @ Typed::Float(_))
        | (Some("null"), typed @ Typed::Null) => Ok(typed),
        (Some("float"), Typed::Int(int)) => Ok(Typed::Float(int as f64)),
        (_, _) => Err(Rejected::Text(MISFIT)),
    }
}

/// Reads a scalar without quotes and tag.
pub(in crate::yaml) fn plain(text: &str) -> Typed<'_> {
    let bytes = text.as_bytes();
    let Some(first) = bytes.first() else {
        return Typed::Null;
    };
    let typed = match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~'
            if bytes.len() <= 5 =>
        {
            word(text)
        }
        b'+' | b'-' | b'0'..=b'9' => not_finite(text).or_else(|| go_number::number(text)),
        b'.' => not_finite(text).or_else(|| go_number::fraction(text)),
        _ => None,
    };
    typed.unwrap_or_else(|| string(text))
}

fn word(text: &str) -> Option<Typed<'static>> {
    match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Some(Typed::Bool(true))
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Some(Typed::Bool(false))
        }
        "~" | "null" | "Null" | "NULL" => Some(Typed::Null),
        _ => None,
    }
}

/// Reads the words for numbers that JSON does not have.
pub(super) fn not_finite(text: &str) -> Option<Typed<'static>> {
    if text.len() > 5 {
        return None;
    }
    match text {
        ".nan" | ".NaN" | ".NAN" => Some(Typed::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Some(Typed::Float(f64::INFINITY)),
        "-.inf" | "-.Inf" | "-.INF" => Some(Typed::Float(f64::NEG_INFINITY)),
        _ => None,
    }
}

/// Decodes base64 as Go's `base64.StdEncoding`: skips line breaks, and refuses everything else that is not
/// exact.
fn binary(text: &str) -> Result<Typed<'static>, Rejected> {
    const BROKEN: Rejected = Rejected::Text("the text is not valid base64");
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut digits, mut pads) = (0_u32, 0_usize, 0_usize);
    for byte in text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')) {
        match super::pyyaml::base64_digit(byte) {
            Some(digit) if pads == 0 => {
                bits = bits << 6 | u32::from(digit);
                digits += 1;
                if digits.is_multiple_of(4) {
                    bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
                    bits = 0;
                }
            }
            None if byte == b'=' => pads += 1,
            Some(_) | None => return Err(BROKEN),
        }
    }
    match (digits % 4, pads) {
        (0, 0) => {}
        (2, 2) => bytes.push((bits >> 4) as u8),
        (3, 1) => bytes.extend_from_slice(&(bits >> 2).to_be_bytes()[2..]),
        (_, _) => return Err(BROKEN),
    }
    Ok(Typed::Binary(bytes))
}
