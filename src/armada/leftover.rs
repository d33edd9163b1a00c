//! Documents that are not decoded: other schemas, and documents that Deckhand has not rendered.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};

use super::document::{Documents, Lack, NotRendered};
use super::head::ArmadaKind;

/// Reports documents that are not decoded, and returns whether there are others.
pub fn report(documents: &Documents<'_>, diagnostics: &mut Diagnostics) {
    if !documents.not_rendered.is_empty() {
        for redacted in [false, true] {
            let of: Vec<&NotRendered> = documents
                .not_rendered
                .iter()
                .filter(|document| (document.lack == Lack::Content) == redacted)
                .collect();
            if !of.is_empty() {
                diagnostics.push(not_rendered(&of, redacted));
            }
        }
        return;
    }
    if documents.is_empty() && diagnostics.errors() == 0 {
        let others: usize = documents.skipped.values().sum();
        let message = format!("the input holds no Armada document ({others} of other schemas)");
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

/// Returns the error that documents lack what only Deckhand can give.
fn not_rendered(documents: &[&NotRendered], redacted: bool) -> Diagnostic {
    const SHOWN: usize = 3;
    let mut counts: BTreeMap<ArmadaKind, usize> = BTreeMap::new();
    for document in documents {
        *counts.entry(document.kind).or_default() += 1;
    }
    // Charts, which are most, first.
    let counted: Vec<String> = counts
        .iter()
        .rev()
        .map(|(kind, number)| match number {
            1 => format!("1 {kind}"),
            number => format!("{number} {kind}s"),
        })
        .collect();
    let (are, them) = match documents.len() {
        1 => ("is", "it"),
        _ => ("are", "them"),
    };
    let counted = counted.join(" and ");
    let message = if redacted {
        format!("{counted} {are} redacted: Deckhand has left the content out")
    } else {
        format!("{counted} {are} not rendered: Deckhand must fill {them} in first")
    };
    let mut diagnostic = Diagnostic::new(Code::ChartNotRendered, message);
    for document in documents.iter().take(SHOWN) {
        let (kind, name) = (document.kind, &document.name);
        let text = match &document.lack {
            Lack::Fields(missing) => {
                let missing = missing.join("`, `");
                format!("{kind} `{}` has no `{missing}` of its own", name.value)
            }
            Lack::Content => format!("the `data` of {kind} `{}` is a digest", name.value),
        };
        diagnostic = diagnostic.at(name.span, text);
    }
    diagnostic.help(if redacted {
        "export the documents again with the secrets in them: `shipyard get renderedconfigdocs \
         --cleartext-secrets`, and keep the file where only you can read it"
    } else {
        "layers and substitutions decide what Armada receives, so render the site first: \
         `pegleg site -r REPOSITORY render SITE`, or `shipyard get renderedconfigdocs \
         --cleartext-secrets` for what runs; then convert the output"
    })
}
