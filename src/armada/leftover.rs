//! What of an input is nothing that can be decoded: other schemas, charts that await their rendering.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};

use super::Documents;

/// Says what of the input is left over, and whether anything else is there.
pub fn report(documents: &Documents<'_>, diagnostics: &mut Diagnostics) {
    if !documents.not_rendered.is_empty() {
        diagnostics.push(not_rendered(documents));
        return;
    }
    if documents.is_empty() && diagnostics.errors() == 0 {
        let others: usize = documents.skipped.values().sum();
        let message = format!("the input holds no armada document ({others} of other schemas)");
        diagnostics.push(
            Diagnostic::new(Code::InputEmpty, message)
                .help("give the files with the schemas armada/Chart, ChartGroup and Manifest"),
        );
    }
    if !documents.skipped.is_empty() {
        let kinds = documents.skipped.iter();
        let kinds: Vec<String> = kinds
            .map(|(schema, n)| format!("{n} of `{schema}`"))
            .collect();
        diagnostics.push(Diagnostic::new(
            Code::DocumentSkipped,
            format!(
                "documents of other schemas were skipped: {}",
                kinds.join(", ")
            ),
        ));
    }
}

/// Says that a site must be rendered first, and why.
fn not_rendered(documents: &Documents<'_>) -> Diagnostic {
    const SHOWN: usize = 3;
    let number = documents.not_rendered.len();
    let message = format!(
        "{} not rendered: deckhand still has to fill them in",
        if number == 1 {
            "1 chart is".to_owned()
        } else {
            format!("{number} charts are")
        }
    );
    let mut diagnostic = Diagnostic::new(Code::ChartNotRendered, message);
    for chart in documents.not_rendered.iter().take(SHOWN) {
        let missing = chart.missing.join("`, `");
        diagnostic = diagnostic.at(
            chart.name.span,
            format!("chart `{}` has no `{missing}` of its own", chart.name.value),
        );
    }
    diagnostic.help(
        "layers and substitutions decide what armada gets, so the site must be rendered first: \
         `pegleg site -r REPOSITORY render SITE`, or `shipyard get renderedconfigdocs \
         --cleartext-secrets` for what runs; then give that output",
    )
}
