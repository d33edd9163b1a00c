//! Converts mapping keys as they reach Helm: JSON has text keys only.

use super::{Delivery, Walk, leaf, wording};
use crate::diagnostic::Code;
use crate::source::Span;
use crate::value::{LONGEST_KEY, Text, is_too_long, unsafe_char};
use crate::yaml::mapping::unhashable;
use crate::yaml::scalar::{self, Dialect, Typed};
use crate::yaml::tree::{Node, Scalar};

/// The type of a key in Go, before it becomes text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyType {
    String,
    Bool,
    Int,
    Float,
}

/// A key as delivered.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) text: Text,
    pub(super) kind: KeyType,
    /// The text by which PyYAML sorts the key before it writes; `None` if the key is not a string there.
    pub(super) sorted_as: Option<Text>,
    pub(super) span: Span,
    /// Whether it differs from the text in the source, so that it may be equal to another key.
    pub(super) changed: bool,
}

/// Formats a float as `sigs.k8s.io/yaml` does for keys: `strconv.FormatFloat(float, 'g', -1, 32)`. The
/// library uses 32 bits.
pub(super) fn float_key(float: f64) -> Text {
    let float = float as f32;
    if float.is_nan() {
        return ".nan".into();
    }
    if float.is_infinite() {
        return if float > 0.0 { ".inf" } else { "-.inf" }.into();
    }
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{float}").into();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs()).into()
}

impl<'t> Walk<'_, 't> {
    /// Returns the key's text; `None` after an error.
    pub(super) fn key(&mut self, node: Node<'t>) -> Option<Key> {
        let Some(scalar) = node.scalar() else {
            self.failed = true;
            self.diagnostics.push(unhashable(node));
            return None;
        };
        let key = self.typed_key(node, scalar)?;
        let delivered = match (self.how, &key.sorted_as) {
            // The warning is the same as when the delivered key is written.
            (Delivery::Written, Some(own)) => leaf::rewritten(own)
                // Helm refuses these as keys; it accepts the text that is written instead.
                .filter(|typed| !matches!(typed, Typed::Null | Typed::Big(_)))
                .and_then(|typed| self.non_string_key(node, typed))
                .map(|delivered| delivered.text),
            _ => None,
        };
        if let Some(delivered) = delivered {
            let message = wording::key_retyped(scalar.text, &delivered, Delivery::Python);
            self.warn(node, Code::KeyRetyped, message, wording::help(self.how));
        } else if key.text != scalar.text {
            let message = wording::key_retyped(scalar.text, &key.text, self.how);
            self.warn(node, Code::KeyRetyped, message, wording::help(self.how));
        }
        if key.text == "<<" {
            let message = "a key is `<<`, which kustomize reads as a merge key".to_owned();
            self.warn(node, Code::TextUnsafe, message, wording::MERGE_HELP);
        }
        if is_too_long(&key.text) {
            let message = format!(
                "a key is longer than the {LONGEST_KEY} characters that the API server reads"
            );
            self.warn(node, Code::TextUnsafe, message, wording::KEY_HELP);
        }
        if let Some(unsafe_char) = unsafe_char(&key.text) {
            let message = wording::text_unsafe(unsafe_char, "a key");
            self.warn(node, Code::TextUnsafe, message, wording::TEXT_HELP);
        }
        Some(key)
    }

    fn typed_key(&mut self, node: Node<'t>, scalar: Scalar<'t>) -> Option<Key> {
        let text = scalar.text;
        let typed = match scalar::resolve_key(scalar, self.how.dialect()) {
            Ok(typed) => typed,
            Err(reason) => {
                self.rejected(node, &reason, false);
                return None;
            }
        };
        match typed {
            Typed::String(key) => match self.how {
                Delivery::Python => match leaf::rewritten(&key) {
                    None => Some(string_key(&key, text, node)),
                    Some(typed) => {
                        let sorted_as = Some(Text::from(&*key));
                        let key = self.non_string_key(node, typed)?;
                        Some(Key { sorted_as, ..key })
                    }
                },
                Delivery::Go | Delivery::Written => Some(string_key(&key, text, node)),
            },
            Typed::Big(big) if self.how.dialect() == Dialect::PyYaml => {
                self.non_string_key(node, leaf::dumped_int(big))
            }
            typed => self.non_string_key(node, typed),
        }
    }

    /// Converts a key that may not be a string in Go.
    fn non_string_key(&mut self, node: Node<'t>, typed: Typed<'_>) -> Option<Key> {
        let (text, kind) = match typed {
            Typed::Bool(true) => ("true".into(), KeyType::Bool),
            Typed::Bool(false) => ("false".into(), KeyType::Bool),
            Typed::Int(int) => (int.to_string().into(), KeyType::Int),
            Typed::Float(float) => (float_key(float), KeyType::Float),
            Typed::String(text) => ((&*text).into(), KeyType::String),
            Typed::Binary(bytes) => (leaf::text_of_bytes(&bytes), KeyType::String),
            Typed::Timestamp(time) => (time.into(), KeyType::String),
            Typed::Null => {
                self.refuse(
                    node,
                    Code::KeyType,
                    "Helm refuses values with a null key",
                    "quote the key or remove the entry",
                );
                return None;
            }
            Typed::Big(_) => {
                self.refuse(
                    node,
                    Code::KeyType,
                    "Helm refuses values with a key that is an integer beyond signed 64 bits",
                    "quote the key",
                );
                return None;
            }
        };
        Some(Key {
            text,
            kind,
            sorted_as: None,
            span: node.span(),
            changed: true,
        })
    }
}

fn string_key(key: &str, source: &str, node: Node<'_>) -> Key {
    let text = Text::from(key);
    Key {
        sorted_as: Some(text.clone()),
        text,
        kind: KeyType::String,
        span: node.span(),
        changed: key != source,
    }
}
