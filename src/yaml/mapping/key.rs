//! Decides when two keys are equal.

use std::borrow::Cow;

use num_bigint::BigInt;

use crate::yaml::scalar::{self, Dialect, Typed};
use crate::yaml::tree::{Kind, Node, NodeId};

/// A key by its meaning: two keys are equal when the program of the dialect takes them as equal.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) enum Key<'t> {
    Null,
    Bool(bool),
    Int(i64),
    Big(BigInt),
    /// The bits of a float.
    Float(u64),
    String(Cow<'t, str>),
    Binary(Vec<u8>),
    Timestamp(String),
    /// A key that equals no other: a list, a mapping, not-a-number, or a scalar that the dialect refuses.
    Other(NodeId),
}

impl<'t> Key<'t> {
    pub(super) fn new(node: Node<'t>, dialect: Dialect) -> Self {
        let Kind::Scalar(scalar) = node.resolved().kind() else {
            return Key::Other(node.id());
        };
        let python = dialect == Dialect::PyYaml;
        if dialect == Dialect::GoYamlV3 {
            // decode.go compares the texts.
            return Key::String(Cow::Borrowed(scalar.text));
        }
        match scalar::resolve_key(scalar, dialect) {
            Ok(Typed::Null) => Key::Null,
            // `True == 1 == 1.0` in Python, hashes too.
            Ok(Typed::Bool(value)) if python => Key::Int(i64::from(value)),
            Ok(Typed::Bool(value)) => Key::Bool(value),
            Ok(Typed::Int(value)) => Key::Int(value),
            Ok(Typed::Big(value)) => Key::Big(value),
            Ok(Typed::Float(value)) if value.is_nan() => Key::Other(node.id()),
            Ok(Typed::Float(value)) if python && value.fract() == 0.0 => whole(value),
            Ok(Typed::Float(value)) => Key::Float(if value == 0.0 { 0 } else { value.to_bits() }),
            Ok(Typed::String(text)) => Key::String(text),
            Ok(Typed::Binary(bytes)) => Key::Binary(bytes),
            Ok(Typed::Timestamp(text)) => Key::Timestamp(text),
            Err(_) => Key::Other(node.id()),
        }
    }
}

/// Converts a float without fraction to the integer that it equals.
fn whole<'t>(value: f64) -> Key<'t> {
    let digits = format!("{value:.0}");
    match digits.parse() {
        Ok(int) => Key::Int(int),
        Err(_) => digits.parse().map_or(Key::Float(value.to_bits()), Key::Big),
    }
}
