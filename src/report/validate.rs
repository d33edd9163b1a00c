//! The report of `validate`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use crate::armada::Documents;
use crate::diagnostic::{Code, Diagnostics};
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
    pub documents: Counts,
    /// Documents that are not Armada's, by schema.
    pub skipped_documents: BTreeMap<String, usize>,
    /// Diagnostics by code.
    #[schemars(extend("propertyNames" = {"$ref": "#/$defs/Code"}))]
    pub codes: BTreeMap<Code, usize>,
    /// All diagnostics.
    pub diagnostics: Vec<Finding>,
}

/// Numbers of documents.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Counts {
    /// Chart documents.
    #[serde(rename = "Chart")]
    pub charts: usize,
    /// ChartGroup documents.
    #[serde(rename = "ChartGroup")]
    pub chart_groups: usize,
    /// Manifest documents.
    #[serde(rename = "Manifest")]
    pub manifests: usize,
}

/// Creates the report.
#[must_use]
pub fn report(sources: &Sources, documents: &Documents<'_>, diagnostics: &Diagnostics) -> Report {
    let mut codes = BTreeMap::new();
    for diagnostic in diagnostics.list() {
        *codes.entry(diagnostic.code).or_default() += 1;
    }
    let skipped = documents.skipped.iter();
    let found = diagnostics.list().iter();
    Report {
        version: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        ok: diagnostics.errors() == 0,
        documents: Counts {
            charts: documents.charts.len(),
            chart_groups: documents.chart_groups.len(),
            manifests: documents.manifests.len(),
        },
        skipped_documents: skipped
            .map(|(schema, n)| (schema.to_string(), *n))
            .collect(),
        codes,
        diagnostics: found.map(|d| Finding::new(d, sources)).collect(),
    }
}
