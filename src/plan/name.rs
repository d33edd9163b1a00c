//! Which names Helm, Kubernetes and Flux accept.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::Span;

/// Longest release name that Helm takes, in characters (Helm: pkg/chartutil/validate_name.go).
pub(super) const MAX_RELEASE_NAME: usize = 53;
/// Longest namespace that Kubernetes takes, in characters (DNS label).
pub(super) const MAX_NAMESPACE: usize = 63;

/// Reports a release name that cannot be one.
pub(super) fn check_release(name: &str, span: Span, diagnostics: &mut Diagnostics) {
    let fault = if name.chars().count() > MAX_RELEASE_NAME {
        format!(
            "is {} characters long, helm takes {MAX_RELEASE_NAME}",
            name.chars().count()
        )
    } else if !name.split('.').all(is_dns_label) {
        "is no name for helm: lower-case letters, digits, `-` and `.` only, ends included"
            .to_owned()
    } else {
        return;
    };
    let message = format!("release name `{}` {fault}", shown(name));
    diagnostics.push(
        Diagnostic::new(Code::NameInvalid, message)
            .at(span, "with the manifest's prefix before it")
            .help("helm cannot hold a release of this name; correct `release` or `release_prefix`"),
    );
}

/// Reports a namespace that cannot be one.
pub(super) fn check_namespace(name: &str, span: Span, diagnostics: &mut Diagnostics) {
    if name.len() <= MAX_NAMESPACE && is_dns_label(name) {
        return;
    }
    let message = format!("`{}` cannot be a namespace", shown(name));
    diagnostics.push(
        Diagnostic::new(Code::NameInvalid, message)
            .at(
                span,
                "lower-case letters, digits and `-`, at most 63 of them",
            )
            .help("kubernetes cannot hold this namespace; correct it"),
    );
}

/// Letters, digits and inner hyphens.
fn is_dns_label(label: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !label.is_empty()
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A name fit for a message: its start, without control characters.
fn shown(name: &str) -> String {
    const MOST: usize = 80;
    let mut text: String = name
        .chars()
        .take(MOST)
        .flat_map(char::escape_debug)
        .collect();
    if name.chars().count() > MOST {
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels() {
        for good in ["a", "ucp-keystone", "0", "a1"] {
            assert!(is_dns_label(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a/b", "..", "ä"] {
            assert!(!is_dns_label(bad), "{bad}");
        }
    }
}
