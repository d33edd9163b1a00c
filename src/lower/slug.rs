//! Names made from other names: labels, object names, folders.

use sha2::{Digest, Sha256};

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::flux::MAX_LABEL_VALUE;
use crate::source::Span;
use crate::value::Text;

/// Hexadecimal digits of a digest that tell two cut or changed names apart.
const SUFFIX_DIGITS: usize = 8;

/// A text as a DNS label of at most `max` characters: other characters become hyphens; what is cut
/// is replaced by a digest of the whole.
#[must_use]
pub fn slug(text: &str, max: usize) -> Text {
    let mut name = String::with_capacity(text.len());
    for c in text.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            name.push(c);
        } else if !name.ends_with('-') && !name.is_empty() {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() {
        return short_digest(text);
    }
    if name.len() <= max {
        return name.into();
    }
    let kept = name[..max - SUFFIX_DIGITS - 1].trim_end_matches('-');
    Text::from(format!("{kept}-{}", short_digest(text)))
}

/// A text as the value of a label: unchanged where it can be one.
pub(super) fn label_value(text: &str) -> Text {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let edge = |c: char| c.is_ascii_alphanumeric();
    let fits = !text.is_empty()
        && text.len() <= MAX_LABEL_VALUE
        && text.chars().all(inner)
        && text.starts_with(edge)
        && text.ends_with(edge);
    if fits {
        text.into()
    } else {
        slug(text, MAX_LABEL_VALUE)
    }
}

/// Reports that a name could not be kept.
pub(super) fn rewritten(from: &str, to: &str, span: Span, diagnostics: &mut Diagnostics) {
    let message = format!(
        "`{}` cannot be a label, `{to}` is used",
        from.escape_debug()
    );
    diagnostics.push(
        Diagnostic::new(Code::NameRewritten, message)
            .at(
                span,
                "kubernetes takes letters, digits, `-`, `_` and `.`, at most 63",
            )
            .help("give a name of your own with --site"),
    );
}

/// The first digits of a text's SHA-256.
pub(crate) fn short_digest(text: &str) -> Text {
    hex(&Sha256::digest(text.as_bytes()))[..SUFFIX_DIGITS].into()
}

/// Lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_dns_labels() {
        assert_eq!(slug("openstack-helm", 63), "openstack-helm");
        assert_eq!(slug("../a/B_c", 63), "a-b-c");
        assert_eq!(slug("", 63).len(), 8);
        let long = slug(&"x".repeat(80), 20);
        assert_eq!(long.len(), 20);
        assert_ne!(long, slug(&"x".repeat(81), 20));
    }
}
