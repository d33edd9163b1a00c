//! What was said about the input, as reports hold it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{Sources, Span};

/// A place in the input.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Place {
    /// File as it was given.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
}

/// A diagnostic.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// Its stable code.
    pub code: Code,
    /// Its severity in this run.
    pub severity: Severity,
    /// What happened to which object.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
    /// Places; the first is the main one.
    pub places: Vec<FindingPlace>,
    /// The release in whose document the main place is, as `NAMESPACE/NAME`; null outside of such documents.
    pub release: Option<String>,
}

/// A place of a diagnostic.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FindingPlace {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is to be said of it.
    pub label: String,
}

impl Place {
    /// The place of a span's start.
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
    /// The finding of a diagnostic.
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

    /// The main place, if there is one.
    #[must_use]
    pub fn main_place(&self) -> Option<&Place> {
        self.places.first().map(|place| &place.place)
    }
}
