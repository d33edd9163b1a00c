//! Diagnostics about the user's documents: each has a code; they are collected, and drawn once at the end.

pub mod code;
pub mod example;
pub mod human;
pub mod page;

pub use code::{Code, Severity};

use std::collections::HashSet;

use crate::source::Span;

/// A fact about the input that the user should know.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Code, documented in `docs/diagnostics.md`.
    pub code: Code,
    /// The severity, after `--deny` and `--allow`.
    pub severity: Severity,
    /// What happened to which object: lower case, no full stop, no secret.
    pub message: String,
    /// The labelled spans; the first is the main one.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
}

/// A span in a document with a text about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Span of the labelled text.
    pub span: Span,
    /// The text; may be empty for the main place.
    pub text: String,
}

impl Diagnostic {
    /// Makes a diagnostic of the code's own severity, without a place.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            labels: Vec::new(),
            help: None,
        }
    }

    /// Adds a place; the first one added is the main one.
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.labels.push(Label {
            span,
            text: text.into(),
        });
        self
    }

    /// Sets what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Collects diagnostics and applies `--deny` and `--allow` to them.
#[derive(Debug, Default)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    deny: Vec<Code>,
    allow: Vec<Code>,
    /// What was reported already: code, places, message.
    seen: HashSet<(Code, Vec<Span>, String)>,
}

impl Diagnostics {
    /// Makes a sink in which warnings of `deny` become errors and those of `allow` are left out; when
    /// `strict`, the lossy ones that `allow` does not name become errors, too.
    #[must_use]
    pub(crate) fn with_levels(mut deny: Vec<Code>, allow: Vec<Code>, strict: bool) -> Self {
        if strict {
            deny.extend(
                Code::ALL
                    .iter()
                    .copied()
                    .filter(|code| code.is_lossy())
                    .filter(|code| !allow.contains(code)),
            );
        }
        Self {
            list: Vec::new(),
            deny,
            allow,
            seen: HashSet::new(),
        }
    }

    /// Makes an empty sink with the same levels.
    #[must_use]
    pub(crate) fn of_same_levels(&self) -> Self {
        let Self {
            list: _,
            deny,
            allow,
            seen: _,
        } = self;
        Self {
            list: Vec::new(),
            deny: deny.clone(),
            allow: allow.clone(),
            seen: HashSet::new(),
        }
    }

    /// Adds a diagnostic unless the same was added before: a document may be read several times. `--allow`
    /// does not apply to errors.
    pub fn push(&mut self, mut diagnostic: Diagnostic) {
        let Diagnostic { code, severity, .. } = &mut diagnostic;
        if *severity != Severity::Error {
            if self.deny.contains(code) {
                *severity = Severity::Error;
            } else if self.allow.contains(code) {
                return;
            }
        }
        let places = diagnostic.labels.iter().map(|label| label.span).collect();
        let content = (diagnostic.code, places, diagnostic.message.clone());
        if self.seen.insert(content) {
            self.list.push(diagnostic);
        }
    }

    /// Adds the diagnostics of another sink, in order.
    pub fn append(&mut self, other: Diagnostics) {
        other.list.into_iter().for_each(|one| self.push(one));
    }

    /// Removes the diagnostics for which `wanted` is false.
    pub fn retain(&mut self, wanted: impl FnMut(&Diagnostic) -> bool) {
        self.list.retain(wanted);
    }

    /// Adds to the help of the first diagnostic about a place.
    pub(crate) fn add_help(&mut self, place: Span, help: &str) {
        let within = |label: &Label| {
            label.span.file() == place.file()
                && label.span.start() >= place.start()
                && label.span.end() <= place.end()
        };
        let mut list = self.list.iter_mut();
        let Some(found) = list.find(|d| d.labels.first().is_some_and(within)) else {
            return;
        };
        match &mut found.help {
            Some(known) if known.ends_with(help) => {}
            Some(known) if known.ends_with('?') => *known = format!("{known} {help}"),
            Some(known) => *known = format!("{known}; {help}"),
            None => found.help = Some(help.to_owned()),
        }
    }

    /// Returns the diagnostics in order.
    #[must_use]
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// Returns the first error.
    #[must_use]
    pub fn first_error(&self) -> Option<&Diagnostic> {
        self.list.iter().find(|d| d.severity == Severity::Error)
    }

    /// Returns the number of errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.count(Severity::Error)
    }

    /// Returns the number of warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|d| d.severity == severity).count()
    }
}
