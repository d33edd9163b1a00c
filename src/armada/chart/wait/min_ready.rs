//! `min_ready`: how many objects of a controller must be ready.

use crate::armada::decode::{Context, Field, type_of};
use crate::gate::MinReady;
use crate::yaml::scalar::Typed;

use super::shape::Shape;

/// Decodes the field. `None` when it is wrong in a way that was reported.
pub(super) fn decode(field: Field<'_>, shape: Shape, cx: &mut Context<'_>) -> Option<MinReady> {
    let typed = field.typed(cx);
    match (&typed, shape) {
        (Some(Typed::Int(count)), _) => return Some(MinReady::Count(*count)),
        (Some(Typed::Big(count)), _) => {
            let negative = count.sign() == num_bigint::Sign::Minus;
            return Some(MinReady::Count(if negative { i64::MIN } else { i64::MAX }));
        }
        (Some(Typed::String(text)), _) => {
            let percent = parse_percent(text);
            if percent.is_none() {
                cx.fault(
                    field.value.span(),
                    "`min_ready` as text must be a whole percentage such as `80%`",
                );
            }
            return percent.map(MinReady::Percent);
        }
        // Python counts with both; a number of ready pods is never between two whole ones.
        (Some(Typed::Bool(value)), Shape::Unchecked) => {
            let count = i64::from(*value);
            cx.misread(&field, &count.to_string());
            return Some(MinReady::Count(count));
        }
        (Some(Typed::Float(value)), Shape::Unchecked) if value.is_finite() => {
            let count = value.ceil() as i64;
            cx.misread(&field, &count.to_string());
            return Some(MinReady::Count(count));
        }
        (_, Shape::Checked) => cx.wrong_type(&field, "an integer or a string"),
        (_, Shape::Unchecked) => {
            let found = type_of(field.value, cx.dialect);
            let message = format!("`min_ready` must be a number or a percentage, found {found}");
            cx.fault(field.value.span(), message);
        }
    }
    None
}

/// Returns the number before the `%`, by the rules of Python's `re.match('(.*)%$')` and `int()`; digits of
/// other scripts, which Python takes as well, are not.
fn parse_percent(text: &str) -> Option<i64> {
    let text = text.strip_suffix('\n').unwrap_or(text).strip_suffix('%')?;
    if text.contains('\n') {
        return None;
    }
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    let well_formed = digits
        .split('_')
        .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if !well_formed {
        return None;
    }
    let digits = digits.bytes().filter(|&byte| byte != b'_');
    let number = digits.fold(0_i64, |number, digit| {
        let digit = i64::from(digit - b'0');
        number.saturating_mul(10).saturating_add(digit)
    });
    Some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_read_as_python_reads_them() {
        let cases: &[(&str, Option<i64>)] = &[
            ("80%", Some(80)),
            (" 50%", Some(50)),
            ("50 %", Some(50)),
            ("+50%", Some(50)),
            ("-10%", Some(-10)),
            ("150%", Some(150)),
            ("1_0%", Some(10)),
            ("50%\n", Some(50)),
            ("99999999999999999999%", Some(i64::MAX)),
            ("50% ", None),
            ("50%\n\n", None),
            ("5\n0%", None),
            ("50.5%", None),
            ("%", None),
            ("1__0%", None),
            ("_1%", None),
            ("+ 5%", None),
            ("all%", None),
            ("80", None),
            ("", None),
        ];
        for (text, wanted) in cases {
            assert_eq!(parse_percent(text), *wanted, "{text:?}");
        }
    }
}
