//! Which names Helm, Kubernetes and Flux accept.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::names::{is_dns_label, is_namespace};
use crate::printable::escape;
use crate::source::Span;

/// Longest release name that Helm allows, in characters (Helm: pkg/chartutil/validate_name.go).
pub(super) const MAX_RELEASE_NAME: usize = 53;

/// Reports a release name that is not valid.
pub(super) fn check_release(name: &str, span: Span, diagnostics: &mut Diagnostics) {
    let fault = if name.chars().count() > MAX_RELEASE_NAME {
        format!(
            "is {} characters long, Helm allows {MAX_RELEASE_NAME}",
            name.chars().count()
        )
    } else if !name.split('.').all(is_dns_label) {
        "is not valid in Helm: use lower-case letters, digits, `-` and `.`, with a letter or digit at both ends"
            .to_owned()
    } else {
        return;
    };
    let message = format!("release name `{}` {fault}", shown(name));
    diagnostics.push(
        Diagnostic::new(Code::NameInvalid, message)
            .at(span, "the Manifest's prefix comes before it")
            .help("Helm rejects a release of this name; correct `release` or `release_prefix`"),
    );
}

/// Reports a namespace that is not valid.
pub(super) fn check_namespace(name: &str, span: Span, diagnostics: &mut Diagnostics) {
    if is_namespace(name) {
        return;
    }
    let message = format!("`{}` is not a valid namespace", shown(name));
    diagnostics.push(
        Diagnostic::new(Code::NameInvalid, message)
            .at(
                span,
                "use lower-case letters, digits and `-`, at most 63 characters",
            )
            .help("Kubernetes rejects this namespace; correct it"),
    );
}

/// Returns a name for a message: its start.
fn shown(name: &str) -> String {
    const MOST: usize = 80;
    let start: String = name.chars().take(MOST).collect();
    let mut text = escape::name(&start).into_owned();
    if name.chars().count() > MOST {
        text.push('…');
    }
    text
}
