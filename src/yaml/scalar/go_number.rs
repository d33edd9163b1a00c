//! Numbers as go-yaml v2 and v3 read them. Source: their `resolve.go` and Go's `strconv`.

use std::borrow::Cow;

use num_bigint::BigInt;

use super::Typed;

/// Reads a plain scalar that begins with a sign or a digit; `None` if it is text.
pub(super) fn number(text: &str) -> Option<Typed<'static>> {
    // Nothing else can be part of a number; this ends early for addresses, versions and times.
    let possible = |byte: &u8| {
        byte.is_ascii_hexdigit()
            || matches!(byte, b'+' | b'-' | b'.' | b'_' | b'x' | b'X' | b'o' | b'O')
    };
    if !text.as_bytes().iter().all(possible) {
        return None;
    }
    let plain: Cow<'_, str> = if text.contains('_') {
        text.replace('_', "").into()
    } else {
        text.into()
    };
    if let Some(int) = parse_int(&plain, None) {
        return Some(int);
    }
    if is_decimal_float(&plain) {
        return finite(&plain);
    }
    // `parse_int` knows this prefix, except with a sign after it.
    if let Some(digits) = plain.strip_prefix("0b") {
        return parse_int(digits, Some(2));
    }
    let digits = plain.strip_prefix("-0b")?;
    parse_int(&format!("-{digits}"), Some(2))
}

/// Reads a plain scalar that begins with a dot; `None` if it is text.
pub(super) fn fraction(text: &str) -> Option<Typed<'static>> {
    let possible =
        |byte: u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'e' | b'E' | b'+' | b'-');
    if !text.bytes().all(possible) {
        return None;
    }
    if !text.contains('_') {
        return is_decimal_float(text).then(|| finite(text)).flatten();
    }
    // Underscores must be between digits.
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let separates = |at: usize| at > 0 && digit(at - 1) && digit(at + 1);
    let plain = text.replace('_', "");
    let sound = bytes
        .iter()
        .enumerate()
        .all(|(at, &byte)| byte != b'_' || separates(at));
    (sound && is_decimal_float(&plain))
        .then(|| finite(&plain))
        .flatten()
}

/// Reads an integer as `strconv.ParseInt`, then `ParseUint`, of 64 bits. Without a base the prefix decides.
pub(super) fn parse_int(text: &str, base: Option<u32>) -> Option<Typed<'static>> {
    let (sign, unsigned) = match text.as_bytes().first()? {
        b'+' => (Some(false), &text[1..]),
        b'-' => (Some(true), &text[1..]),
        _ => (None, text),
    };
    let (radix, digits) = match base {
        Some(radix) => (radix, unsigned),
        None => match unsigned.as_bytes() {
            [b'0', b'x' | b'X', _, ..] => (16, &unsigned[2..]),
            [b'0', b'b' | b'B', _, ..] => (2, &unsigned[2..]),
            [b'0', b'o' | b'O', _, ..] => (8, &unsigned[2..]),
            [b'0', _, ..] => (8, &unsigned[1..]),
            _ => (10, unsigned),
        },
    };
    // Rust's parser takes a sign, Go's has consumed it already.
    if !digits.as_bytes().first()?.is_ascii_alphanumeric() {
        return None;
    }
    let value = u64::from_str_radix(digits, radix).ok()?;
    match (i64::try_from(value), sign) {
        (Ok(int), Some(true)) => Some(Typed::Int(-int)),
        (Ok(int), _) => Some(Typed::Int(int)),
        (Err(_), Some(true)) => (value == i64::MIN.unsigned_abs()).then_some(Typed::Int(i64::MIN)),
        (Err(_), Some(false)) => None,
        (Err(_), None) => Some(Typed::Big(BigInt::from(value))),
    }
}

/// Returns whether the text matches `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`.
fn is_decimal_float(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let mut at = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(at);
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        if whole == 0 && fraction == 0 {
            return false;
        }
        at += 1 + fraction;
    } else if whole == 0 {
        return false;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
        let exponent = digits(at);
        if exponent == 0 {
            return false;
        }
        at += exponent;
    }
    at == bytes.len()
}

/// Reads a float; `None` if it is beyond the range.
fn finite(text: &str) -> Option<Typed<'static>> {
    let float: f64 = text.parse().ok()?;
    float.is_finite().then_some(Typed::Float(float))
}
