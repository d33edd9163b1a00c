//! Faults that pass Armada's validation and fail its deployment.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::Span;

/// Something in a Chart document that makes Armada fail when it deploys the chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Its span in the input.
    pub span: Span,
    /// What is wrong: lower case, no full stop.
    pub message: String,
}

impl Fault {
    /// Returns the diagnostic for chart `chart`: an error if a Manifest deploys the chart, else a warning.
    #[must_use]
    pub fn diagnostic(&self, chart: &str, deployed: bool) -> Diagnostic {
        let Self { span, message } = self;
        let message = format!("chart `{chart}`: {message}");
        let mut diagnostic = Diagnostic::new(Code::DeployFault, message);
        if deployed {
            diagnostic.at(*span, "fails at deploy time").help(
                "Armada accepts the document and fails when it deploys the chart; correct the field",
            )
        } else {
            diagnostic.severity = Severity::Warning;
            diagnostic
                .at(*span, "would fail at deploy time")
                .help("no chosen Manifest deploys the chart; correct the field before one does")
        }
    }
}
