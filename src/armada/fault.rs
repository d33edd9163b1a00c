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
    /// The act of Armada that fails.
    pub act: Act,
}

/// An act of a deployment that can fail because of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Downloading and building the chart: also for charts that are dependencies of deployed ones.
    Build,
    /// Installing, upgrading, waiting: for deployed charts alone.
    Deploy,
    /// Uninstalling a failed release: for deployed charts whose last deployment failed.
    Purge,
}

impl Fault {
    /// Returns the diagnostic for chart `chart`: an error if Armada comes to the act whenever it deploys a
    /// Manifest, else a warning.
    #[must_use]
    pub fn diagnostic(&self, chart: &str, reached: bool) -> Diagnostic {
        let Self { span, message, act } = self;
        let message = format!("chart `{chart}`: {message}");
        let mut diagnostic = Diagnostic::new(Code::DeployFault, message);
        if reached && *act != Act::Purge {
            diagnostic.at(*span, "fails at deploy time").help(
                "Armada accepts the document and fails when it deploys the chart; correct the field",
            )
        } else {
            diagnostic.severity = Severity::Warning;
            let help = match (act, reached) {
                (Act::Purge, true) => {
                    "Armada comes to it only when the last deployment of the release failed; correct the field"
                }
                (Act::Build | Act::Deploy | Act::Purge, _) => {
                    "no chosen Manifest deploys the chart; correct the field before one does"
                }
            };
            diagnostic.at(*span, "would fail at deploy time").help(help)
        }
    }
}
