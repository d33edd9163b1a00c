//! Faults that Armada's validation lets pass and its deployment stumbles over.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::Span;

/// Something in a Chart document that makes Armada fail when it deploys the chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands.
    pub span: Span,
    /// What is wrong: lower case, no full stop.
    pub message: String,
}

impl Fault {
    /// The diagnostic for chart `chart`; only a chart that some Manifest deploys makes it an error.
    #[must_use]
    pub fn diagnostic(&self, chart: &str, deployed: bool) -> Diagnostic {
        let Self { span, message } = self;
        let message = format!("chart `{chart}`: {message}");
        let mut diagnostic = Diagnostic::new(Code::DeployFault, message);
        if deployed {
            diagnostic.at(*span, "fails at deploy time").help(
                "armada takes the document and fails when it deploys the chart; correct the field",
            )
        } else {
            diagnostic.severity = Severity::Warning;
            diagnostic.at(*span, "would fail at deploy time").help(
                "no manifest in question deploys the chart; correct the field before one does",
            )
        }
    }
}
