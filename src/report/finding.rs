//! Diagnostics about the input, as reports hold them.

use schemars::JsonSchema;
use serde::Serialize;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{Position, Sources, Span};

/// A place in the input.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Place {
    /// File, as it was given on the command line.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A diagnostic.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// Code, which stays the same between versions.
    pub code: Code,
    /// Severity in this run.
    pub severity: Severity,
    /// What happened to which object.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Places in the input; the first is the main one.
    pub places: Vec<FindingPlace>,
    /// The release in whose document the main place is, as `NAMESPACE/NAME`; null outside of such documents.
    pub release: Option<String>,
}

/// A place of a diagnostic.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FindingPlace {
    /// File, line and column.
    #[serde(flatten)]
    pub place: Place,
    /// Text about this place; may be empty.
    pub label: String,
    /// Position after the last character; not in reports of this version.
    #[serde(skip)]
    pub(super) end: Position,
}

impl Place {
    /// Returns the start of a span.
    #[must_use]
    pub fn new(span: Span, sources: &Sources) -> Self {
        let location = sources.locate(span);
        Self {
            file: location.file.to_owned(),
            line: location.position.line,
            column: location.position.column,
        }
    }
}

impl Finding {
    /// Converts a diagnostic.
    #[must_use]
    pub fn new(diagnostic: &Diagnostic, sources: &Sources) -> Self {
        let Diagnostic {
            code,
            severity,
            message,
            labels,
            help,
        } = diagnostic;
        let places = labels.iter().map(|label| FindingPlace {
            place: Place::new(label.span, sources),
            label: label.text.clone(),
            end: sources.file(label.span.file()).position(label.span.end()),
        });
        Self {
            code: *code,
            severity: *severity,
            message: message.clone(),
            help: help.clone(),
            places: places.collect(),
            release: None,
        }
    }

    /// Returns the main place.
    #[must_use]
    pub fn main_place(&self) -> Option<&Place> {
        self.places.first().map(|place| &place.place)
    }
}
