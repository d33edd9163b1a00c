//! Reads scalars as each of the programs that a manifest passes through.
//!
//! The readers here read text, not structure: [`super::mapping`] and [`super::deliver`] handle keys, merges
//! and collections. Strings are not copied, and the first byte decides about nearly all plain scalars.

mod go_number;
mod go_time;
pub(super) mod go_yaml_v2;
mod go_yaml_v3;
mod python_int;
mod python_time;
pub(super) mod pyyaml;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use num_bigint::BigInt;

use super::tree::Scalar;

/// A program that reads scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// PyYAML 6 `safe_load`: what Armada holds in memory.
    PyYaml,
    /// go-yaml v2 (`sigs.k8s.io/yaml`): Helm, kubectl, armada-go.
    GoYamlV2,
    /// go-yaml v3: kustomize.
    GoYamlV3,
}

/// A scalar with its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Typed<'t> {
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// A larger integer.
    Big(BigInt),
    /// A float; may be infinite or not a number.
    Float(f64),
    /// A string.
    String(Cow<'t, str>),
    /// Decoded `!!binary`.
    Binary(Vec<u8>),
    /// A date or a time, as the dialect's program writes it out again.
    Timestamp(String),
}

impl Typed<'_> {
    /// Copies a string, so that the value does not borrow from the text.
    pub(crate) fn into_owned(self) -> Typed<'static> {
        match self {
            Typed::Null => Typed::Null,
            Typed::Bool(value) => Typed::Bool(value),
            Typed::Int(value) => Typed::Int(value),
            Typed::Big(value) => Typed::Big(value),
            Typed::Float(value) => Typed::Float(value),
            Typed::String(text) => Typed::String(text.into_owned().into()),
            Typed::Binary(bytes) => Typed::Binary(bytes),
            Typed::Timestamp(text) => Typed::Timestamp(text),
        }
    }
}

/// Why the program of a dialect refuses a scalar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// An unknown tag.
    #[error("no constructor for tag `{0}`")]
    UnknownTag(String),
    /// Text that does not fit its tag, or a word that is refused as a value.
    #[error("{0}")]
    Text(&'static str),
}

/// The largest number of decimal digits of an integer. Python refuses to convert longer ones
/// (`int_max_str_digits`), so Armada ends with an error. The limit also bounds the time of a conversion.
pub(crate) const INTEGER_DIGIT_LIMIT: usize = 4300;

/// The prefix of the tags that both libraries know.
pub(super) const TAG_PREFIX: &str = "tag:yaml.org,2002:";

/// Returns the meaning of a scalar in a dialect.
///
/// # Errors
/// When the program of the dialect refuses the document because of the scalar.
pub fn resolve<'t>(scalar: Scalar<'t>, dialect: Dialect) -> Result<Typed<'t>, Rejected> {
    match dialect {
        Dialect::PyYaml => pyyaml::resolve(scalar),
        Dialect::GoYamlV2 => go_yaml_v2::resolve(scalar),
        Dialect::GoYamlV3 => go_yaml_v3::resolve(scalar),
    }
}

/// Returns the meaning of a scalar that is the key of a mapping. PyYAML reads a plain `=` there as a string.
///
/// # Errors
/// When the program of the dialect refuses the document because of the key.
pub fn resolve_key<'t>(scalar: Scalar<'t>, dialect: Dialect) -> Result<Typed<'t>, Rejected> {
    match dialect {
        Dialect::PyYaml if pyyaml::is_value_key(scalar) => Ok(string(scalar.text)),
        Dialect::PyYaml | Dialect::GoYamlV2 | Dialect::GoYamlV3 => resolve(scalar, dialect),
    }
}

fn string(text: &str) -> Typed<'_> {
    Typed::String(Cow::Borrowed(text))
}
