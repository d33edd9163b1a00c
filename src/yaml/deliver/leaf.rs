//! Converts scalars as they reach Helm.

use num_bigint::BigInt;

use super::{Delivery, Walk, wording};
use crate::diagnostic::Code;
use crate::secret::{self, Below};
use crate::value::{Data, NEXT_LINE, Number, Sensitivity, Text, Value, unsafe_char};
use crate::yaml::scalar::{self, Dialect, Rejected, Typed, go_yaml_v2, pyyaml};
use crate::yaml::tree::{Node, Scalar};

/// Integers up to this are exact as floats.
const EXACT: u64 = 1 << 53;

/// Reads a scalar as PyYAML does.
pub(super) fn python(scalar: Scalar<'_>) -> Result<Typed<'_>, Rejected> {
    scalar::resolve(scalar, Dialect::PyYaml)
}

/// Returns what go-yaml v2 reads when PyYAML writes this string, if that is not the same string: PyYAML
/// writes no quotes where it would read a string itself.
pub(super) fn rewritten(text: &str) -> Option<Typed<'static>> {
    match go_yaml_v2::plain(text) {
        Typed::String(_) => None,
        typed => pyyaml::is_plain_string(text).then(|| typed.into_owned()),
    }
}

/// Returns what go-yaml v2 reads when PyYAML writes this integer.
pub(super) fn dumped_int(big: BigInt) -> Typed<'static> {
    if u64::try_from(&big).is_ok() {
        return Typed::Big(big);
    }
    let digits = big.to_string();
    match digits.parse::<f64>() {
        Ok(float) if float.is_finite() => Typed::Float(float),
        Ok(_) | Err(_) => Typed::String(digits.into()),
    }
}

/// Converts bytes to text as Go's JSON encoder does: U+FFFD for each byte that is not UTF-8.
pub(super) fn text_of_bytes(bytes: &[u8]) -> Text {
    let mut text = Text::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|_| text.push('\u{fffd}'));
    }
    text
}

/// Converts a float as JSON does: a whole float of moderate size becomes an integer.
fn json_float(float: f64) -> Number {
    if float.fract() == 0.0
        && float.abs() < EXACT as f64
        && !(float == 0.0 && float.is_sign_negative())
    {
        return Number::Int(float as i64);
    }
    Number::Float(float)
}

/// Converts a typed scalar as it is; `None` for a float that JSON does not have.
fn data(typed: Typed<'_>) -> Option<Data> {
    Some(match typed {
        Typed::Null => Data::Null,
        Typed::Bool(bool) => Data::Bool(bool),
        Typed::Int(int) => Data::Number(Number::Int(int)),
        Typed::Big(big) => Data::Number(Number::Big(big.to_string().into())),
        Typed::Float(float) if float.is_finite() => Data::Number(Number::Float(float)),
        Typed::Float(_) => return None,
        Typed::String(text) => Data::String((&*text).into()),
        Typed::Binary(bytes) => Data::String(text_of_bytes(&bytes)),
        Typed::Timestamp(time) => Data::String(time.into()),
    })
}

/// Converts a typed scalar as [`data`] does, then as JSON does.
fn json(typed: Typed<'_>) -> Option<Data> {
    match typed {
        Typed::Float(float) if float.is_finite() => Some(Data::Number(json_float(float))),
        typed => data(typed),
    }
}

/// Returns the float that an integer became, if that is another number.
fn inexact(number: &Number) -> Option<f64> {
    match number {
        Number::Int(int) if int.unsigned_abs() <= EXACT => None,
        Number::Int(int) => {
            let float = *int as f64;
            (float as i128 != i128::from(*int)).then_some(float)
        }
        Number::Big(digits) => {
            let float = number.as_f64();
            (format!("{float:.0}") != *digits).then_some(float)
        }
        Number::Float(_) => None,
    }
}

impl<'t> Walk<'_, 't> {
    pub(super) fn leaf(&mut self, node: Node<'t>, scalar: Scalar<'t>, below: Below) -> Value {
        let data = match self.how {
            Delivery::Python => self.through_armada(node, scalar, below),
            Delivery::Written => self.as_written(node, scalar, below),
            Delivery::Go => self.through_go(node, scalar, below),
        };
        let data = data.unwrap_or(Data::Null);
        let sensitive = below.leaf(&data);
        if let Data::String(text) = &data
            && let Some(unsafe_char) = unsafe_char(text)
        {
            let message = wording::text_unsafe(unsafe_char, "a string");
            let help = match unsafe_char {
                NEXT_LINE => wording::NEXT_LINE_HELP,
                _ => wording::TEXT_HELP,
            };
            self.warn(node, Code::TextUnsafe, message, help);
        }
        if is_minus_zero(&data) {
            let message = "a number is minus zero, which the API server stores as 0".to_owned();
            self.warn(node, Code::TextUnsafe, message, wording::ZERO_HELP);
        }
        Value {
            data,
            span: Some(node.span()),
            sensitive,
            notes: None,
        }
    }

    /// Reads a scalar as PyYAML does; `None` after an error.
    fn python(&mut self, node: Node<'t>, scalar: Scalar<'t>, below: Below) -> Option<Typed<'t>> {
        match python(scalar) {
            Ok(Typed::Float(float)) if !float.is_finite() => {
                self.not_finite(node);
                None
            }
            Ok(typed) => Some(typed),
            Err(reason) => {
                self.rejected(node, &reason, below.names_secret());
                None
            }
        }
    }

    fn through_armada(&mut self, node: Node<'t>, scalar: Scalar<'t>, below: Below) -> Option<Data> {
        let typed = self.python(node, scalar, below)?;
        if let Typed::String(text) = typed {
            let Some(typed) = rewritten(&text) else {
                return Some(Data::String((&*text).into()));
            };
            let delivered = json(typed)?;
            self.compare(
                node,
                scalar,
                &Data::String((&*text).into()),
                &delivered,
                below,
            );
            return Some(delivered);
        }
        let time = matches!(typed, Typed::Timestamp(_));
        let (written, delivered) = match typed {
            Typed::Big(big) => (data(Typed::Big(big.clone()))?, json(dumped_int(big))?),
            typed => {
                let delivered = json(typed)?;
                (delivered.clone(), delivered)
            }
        };
        self.compare_typed(node, scalar, &written, &delivered, time, below);
        Some(delivered)
    }

    fn as_written(&mut self, node: Node<'t>, scalar: Scalar<'t>, below: Below) -> Option<Data> {
        // The warnings are the same, so that the user knows what the running release received.
        self.through_armada(node, scalar, below)?;
        data(python(scalar).ok()?)
    }

    fn through_go(&mut self, node: Node<'t>, scalar: Scalar<'t>, below: Below) -> Option<Data> {
        let delivered = match scalar::resolve(scalar, Dialect::GoYamlV2) {
            Ok(typed) => {
                let Some(delivered) = json(typed) else {
                    self.not_finite(node);
                    return None;
                };
                delivered
            }
            Err(reason) => {
                self.rejected(node, &reason, below.names_secret());
                return None;
            }
        };
        let written = match python(scalar) {
            Ok(Typed::String(text)) if scalar.tag.is_none() && delivered_is(&delivered, &text) => {
                return Some(delivered);
            }
            Ok(typed) => data(typed),
            Err(_) => None,
        };
        match written {
            Some(written) => self.compare(node, scalar, &written, &delivered, below),
            None => {
                let hidden = below.leaf(&delivered) != Sensitivity::Public;
                let message = wording::go_only(&wording::describe(&delivered, hidden));
                self.retyped(node, message);
            }
        }
        Some(delivered)
    }

    fn not_finite(&mut self, node: Node<'_>) {
        self.refuse(
            node,
            Code::ValueNotFinite,
            "Helm refuses values with a number that is infinite or undefined",
            "give a number or quote the text",
        );
    }

    /// Warns if a scalar that is not a string in PyYAML was changed.
    fn compare_typed(
        &mut self,
        node: Node<'t>,
        scalar: Scalar<'t>,
        written: &Data,
        delivered: &Data,
        time: bool,
        below: Below,
    ) {
        let changed_text = match delivered {
            Data::String(text) if time => *text != scalar.text,
            Data::String(text) => text.contains('\u{fffd}'),
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::Sequence(_) | Data::Mapping(_) => {
                false
            }
        };
        if !changed_text {
            return self.compare(node, scalar, written, delivered, below);
        }
        let hidden = below.names_secret() || secret::text_looks_secret(scalar.text);
        let kind = if time { "time" } else { "binary value" };
        self.retyped(
            node,
            wording::text_changed(kind, scalar.text, delivered, hidden),
        );
    }

    /// Warns if the two differ.
    fn compare(
        &mut self,
        node: Node<'t>,
        scalar: Scalar<'t>,
        written: &Data,
        delivered: &Data,
        below: Below,
    ) {
        let hides = |data| below.leaf(data) != Sensitivity::Public;
        let hidden =
            hides(written) || hides(delivered) || below.text(scalar.text) != Sensitivity::Public;
        match (written, delivered) {
            (Data::Number(number), Data::Number(other)) => {
                if let Some(float) = inexact(number) {
                    self.retyped(node, wording::inexact(number, float, hidden));
                } else if number.as_f64() != other.as_f64() {
                    self.retyped(node, wording::differ(written, delivered, hidden, self.how));
                }
            }
            (written, delivered) if written == delivered => {}
            (written, delivered) => {
                self.retyped(node, wording::differ(written, delivered, hidden, self.how));
            }
        }
    }
}

fn delivered_is(delivered: &Data, text: &str) -> bool {
    matches!(delivered, Data::String(delivered) if delivered == text)
}

fn is_minus_zero(data: &Data) -> bool {
    matches!(data, Data::Number(Number::Float(float)) if *float == 0.0 && float.is_sign_negative())
}
