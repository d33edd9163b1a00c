//! Names that options take, checked as the same words in documents are.

use crate::names;

/// Reads the name of a namespace or of another object that is a DNS label.
pub(super) fn dns_label<T: for<'a> From<&'a str>>(text: &str) -> Result<T, String> {
    if names::is_namespace(text) {
        Ok(text.into())
    } else {
        Err("not a valid name; use at most 63 lower-case letters, digits and inner `-`".to_owned())
    }
}

/// Reads the name of a site, which is the value of a label.
pub(super) fn site<T: for<'a> From<&'a str>>(text: &str) -> Result<T, String> {
    if names::is_label_value(text) {
        Ok(text.into())
    } else {
        Err(
            "not a valid label value; use at most 63 letters, digits and inner `-`, `_` and `.`"
                .to_owned(),
        )
    }
}
