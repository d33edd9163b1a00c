//! Decides what is sensitive. The answer is kept as the sensitivity of each leaf ([`crate::value::Value::sensitive`])
//! and as byte ranges for source excerpts ([`Mask`]).
//!
//! There is one table of shapes: names of keys (`key`), forms of texts (`form`), shapes inside of a text (`text`),
//! and what stands beside a value (`context`). Marking, `--split-secrets`, views, excerpts and messages draw from
//! it. When in doubt, a value is hidden: this concerns messages, logs and where values are written, never what is
//! sent to Helm.

mod context;
mod form;
mod key;
mod mark;
mod scrub;
mod text;

pub(crate) use context::Below;
pub(crate) use key::key_names_secret;
pub use mark::{LAST_APPLIED, mark};
pub use scrub::Scrubber;
pub(crate) use text::{
    after_secret_key, announces_secret, comment_looks_secret, mask_line, may_be_pair_value, redact,
    text_looks_secret,
};

use std::borrow::Cow;

use crate::source::Span;
use crate::value::{REDACTED, Sensitivity, Value};

/// A byte range that must not be shown.
pub(crate) type Mask = Span;

/// Returns what may be shown of a leaf in place of its content; `None` if all of it may be shown.
#[must_use]
pub(crate) fn shown(leaf: &Value) -> Option<Cow<'_, str>> {
    match (leaf.sensitive, leaf.as_str()) {
        (Sensitivity::Public, _) => None,
        (Sensitivity::Parts, Some(text)) => Some(redact(text)),
        (Sensitivity::Parts, None) | (Sensitivity::Whole, _) => Some(Cow::Borrowed(REDACTED)),
    }
}

/// Returns the secrets of a text leaf.
#[must_use]
pub(crate) fn hidden(leaf: &Value) -> Vec<&str> {
    match (leaf.sensitive, leaf.as_str()) {
        (Sensitivity::Public, _) | (_, None) => Vec::new(),
        (Sensitivity::Parts, Some(text)) => text::parts(text)
            .into_iter()
            .map(|part| &text[part])
            .collect(),
        (Sensitivity::Whole, Some(text)) => vec![text],
    }
}

/// Returns a text as a value with its sensitivity.
#[must_use]
pub(crate) fn marked(text: crate::value::Text) -> Value {
    let sensitive = Below::Open.text(&text);
    let mut value = Value::from(text);
    value.sensitive = sensitive;
    value
}

#[cfg(test)]
mod tests;
