//! The report of `validate`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::armada::Documents;
use crate::diagnostic::Diagnostics;
use crate::source::Sources;

use super::finding::Finding;

/// Version of the report's shape: a number that grows with every change a reader must know of.
pub const VERSION: u32 = 1;

/// The report of `armada2flux validate`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "armada2flux validate report")]
pub struct Report {
    /// Version of this shape.
    pub version: u32,
    /// Version of the program.
    pub program: String,
    /// Whether the documents are valid.
    pub ok: bool,
    /// Number of documents by kind.
    pub documents: BTreeMap<String, usize>,
    /// Documents that are not Armada's, by schema.
    pub skipped_documents: BTreeMap<String, usize>,
    /// Diagnostics by code.
    pub codes: BTreeMap<String, usize>,
    /// Everything that was said.
    pub diagnostics: Vec<Finding>,
}

/// Puts the report together.
#[must_use]
pub fn report(sources: &Sources, documents: &Documents<'_>, diagnostics: &Diagnostics) -> Report {
    let mut codes = BTreeMap::new();
    for diagnostic in diagnostics.list() {
        *codes.entry(diagnostic.code.name().to_owned()).or_default() += 1;
    }
    let skipped = documents.skipped.iter();
    let found = diagnostics.list().iter();
    Report {
        version: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        ok: diagnostics.errors() == 0,
        documents: BTreeMap::from([
            ("Chart".to_owned(), documents.charts.len()),
            ("ChartGroup".to_owned(), documents.chart_groups.len()),
            ("Manifest".to_owned(), documents.manifests.len()),
        ]),
        skipped_documents: skipped
            .map(|(schema, n)| (schema.to_string(), *n))
            .collect(),
        codes,
        diagnostics: found.map(|d| Finding::new(d, sources)).collect(),
    }
}
