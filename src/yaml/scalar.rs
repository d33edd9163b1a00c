//! What a scalar means to each of the programs a manifest passes through.
//!
//! The readers here take text, never structure: keys, merges and collections are [`super::mapping`]'s
//! and [`super::deliver`]'s matter. Nothing is allocated for a string, and the first byte of a plain
//! scalar settles nearly all of them.

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

/// The programs whose reading of a scalar matters.
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
    /// A truth value.
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

/// Why a dialect's program refuses a scalar.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// An unknown tag.
    #[error("no constructor for tag `{0}`")]
    UnknownTag(String),
    /// Text that does not fit its tag, or a word that is refused as a value.
    #[error("{0}")]
    Text(&'static str),
}

/// Most decimal digits of an integer. Python converts no longer ones to or from text (its
/// `int_max_str_digits`), so Armada ends with an error; it also keeps conversion from being slow.
pub(crate) const INTEGER_DIGIT_LIMIT: usize = 4300;

/// What the tags that both libraries know begin with.
pub(super) const TAG_PREFIX: &str = "tag:yaml.org,2002:";

/// Returns the meaning of a scalar in a dialect.
///
/// # Errors
/// When the dialect's program refuses the document because of it.
pub fn resolve<'t>(scalar: Scalar<'t>, dialect: Dialect) -> Result<Typed<'t>, Rejected> {
    match dialect {
        Dialect::PyYaml => pyyaml::resolve(scalar),
        Dialect::GoYamlV2 => go_yaml_v2::resolve(scalar),
        Dialect::GoYamlV3 => go_yaml_v3::resolve(scalar),
    }
}

fn string(text: &str) -> Typed<'_> {
    Typed::String(Cow::Borrowed(text))
}
