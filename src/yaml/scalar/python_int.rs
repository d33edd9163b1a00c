//! Reads integers as PyYAML does, of any size up to Python's own limit.

use std::borrow::Cow;

use num_bigint::BigInt;

use super::{INTEGER_DIGIT_LIMIT, Typed};

/// The number of bits of a number of [`INTEGER_DIGIT_LIMIT`] decimal digits.
const BIT_LIMIT: u64 = 14_285;

/// The longest text of digits whose value fits 64 bits in every radix up to 16.
const SHORT: usize = 15;

/// Converts an integer as `construct_yaml_int` does. The text may match no pattern of the resolver, since a
/// tag may ask for an integer. Returns `None` where Python raises an error, when it reads or when it writes
/// the number.
pub(super) fn construct(text: &str) -> Option<Typed<'static>> {
    let plain: Cow<'_, str> = if text.contains('_') {
        text.replace('_', "").into()
    } else {
        text.into()
    };
    let (negative, unsigned) = match plain.as_bytes().first()? {
        b'-' => (true, &plain[1..]),
        b'+' => (false, &plain[1..]),
        _ => (false, &*plain),
    };
    let size = match unsigned.as_bytes() {
        b"0" => Typed::Int(0),
        [b'0', b'b', ..] => parse(&unsigned[2..], 2)?,
        [b'0', b'x', ..] => parse(&unsigned[2..], 16)?,
        [b'0', ..] => parse(unsigned, 8)?,
        [] => return None,
        digits if digits.contains(&b':') => sexagesimal(unsigned)?,
        _ => parse(unsigned, 10)?,
    };
    match size {
        // The number was read without its sign, so it is never i64::MIN.
        Typed::Int(int) if negative => Some(
            int.checked_neg()
                .map_or_else(|| Typed::Big(-BigInt::from(int)), Typed::Int),
        ),
        Typed::Big(big) if negative => writable(-big),
        Typed::Big(big) => writable(big),
        typed => Some(typed),
    }
}

/// Converts a text as `int(text, radix)` does, which allows blanks around it, a sign and the prefix of the
/// radix.
fn parse(text: &str, radix: u32) -> Option<Typed<'static>> {
    let text = text.trim();
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = match (radix, unsigned.as_bytes()) {
        (2, [b'0', b'b' | b'B', ..])
        | (8, [b'0', b'o' | b'O', ..])
        | (16, [b'0', b'x' | b'X', ..]) => &unsigned[2..],
        _ => unsigned,
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    if digits.len() <= SHORT {
        let int = i64::from_str_radix(digits, radix).ok()?;
        return Some(Typed::Int(if negative { -int } else { int }));
    }
    // Python measures decimal text with its zeros, and other text by its value.
    if radix == 10 && digits.len() > INTEGER_DIGIT_LIMIT {
        return None;
    }
    let digits = digits.trim_start_matches('0');
    if digits.len() as u64 > BIT_LIMIT {
        return None;
    }
    let big = match digits {
        "" => return Some(Typed::Int(0)),
        _ => BigInt::parse_bytes(digits.as_bytes(), radix)?,
    };
    Some(narrow(if negative { -big } else { big }))
}

fn narrow(big: BigInt) -> Typed<'static> {
    i64::try_from(&big).map_or(Typed::Big(big), Typed::Int)
}

/// Returns a number that Python can write, in the smallest type that fits.
fn writable(big: BigInt) -> Option<Typed<'static>> {
    let bits = big.bits();
    let digits = || big.magnitude().to_string().len();
    let fits = bits < BIT_LIMIT || bits == BIT_LIMIT && digits() <= INTEGER_DIGIT_LIMIT;
    fits.then(|| narrow(big))
}

/// Parts of base 60, the highest first.
fn sexagesimal(text: &str) -> Option<Typed<'static>> {
    let mut sum = Typed::Int(0);
    for part in text.split(':') {
        let part = parse(part, 10)?;
        let short = match (&sum, &part) {
            (Typed::Int(sum), Typed::Int(part)) => {
                sum.checked_mul(60).and_then(|sum| sum.checked_add(*part))
            }
            _ => None,
        };
        sum = match short {
            Some(int) => Typed::Int(int),
            None => Typed::Big(big(sum)? * 60 + big(part)?),
        };
        if let Typed::Big(big) = &sum
            && big.bits() > BIT_LIMIT
        {
            return None;
        }
    }
    match sum {
        Typed::Big(big) => Some(narrow(big)),
        typed => Some(typed),
    }
}

fn big(int: Typed<'_>) -> Option<BigInt> {
    match int {
        Typed::Int(int) => Some(int.into()),
        Typed::Big(big) => Some(big),
        Typed::Null
        | Typed::Bool(_)
        | Typed::Float(_)
        | Typed::String(_)
        | Typed::Binary(_)
        | Typed::Timestamp(_) => None,
    }
}
