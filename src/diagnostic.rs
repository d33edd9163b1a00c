//! What may be said about the user's documents: coded, collected, drawn once at the end.

pub mod code;
pub mod example;
pub mod human;
pub mod page;

pub use code::{Code, Severity};

use std::collections::HashSet;

use crate::source::Span;

/// Something worth saying about the input.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// Which of the documented kinds it is.
    pub code: Code,
    /// How bad it is, after `--deny` and `--allow`.
    pub severity: Severity,
    /// What happened to which object: lower case, no full stop, no secret.
    pub message: String,
    /// The places it is about; the first is the main one.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
}

/// A place in a document and what is to be said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What is to be said; may be empty for the main place.
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

    /// Says what to do.
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
    /// What was said already: code, places, message.
    said: HashSet<(Code, Vec<Span>, String)>,
}

impl Diagnostics {
    /// Makes a sink in which warnings of `deny` become errors and those of `allow` are left out; when
    /// `strict`, the lossy ones that `allow` does not name become errors, too.
    #[must_use]
    pub fn with_levels(mut deny: Vec<Code>, allow: Vec<Code>, strict: bool) -> Self {
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
            said: HashSet::new(),
        }
    }

    /// Takes a diagnostic, once: the same document may be looked at several times. Errors cannot be
    /// allowed away.
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
        let said = (diagnostic.code, places, diagnostic.message.clone());
        if self.said.insert(said) {
            self.list.push(diagnostic);
        }
    }

    /// Takes all that another sink collected, in order.
    pub fn append(&mut self, other: Diagnostics) {
        other.list.into_iter().for_each(|one| self.push(one));
    }

    /// Drops what was collected unless `wanted`.
    pub fn retain(&mut self, wanted: impl FnMut(&Diagnostic) -> bool) {
        self.list.retain(wanted);
    }

    /// Adds what to do, or what follows, to the first thing that was said of a place.
    pub fn add_help(&mut self, place: Span, help: &str) {
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

    /// What was collected, in order.
    #[must_use]
    pub fn list(&self) -> &[Diagnostic] {
        &self.list
    }

    /// The error that was found first.
    #[must_use]
    pub fn first_error(&self) -> Option<&Diagnostic> {
        self.list.iter().find(|d| d.severity == Severity::Error)
    }

    /// Number of errors.
    #[must_use]
    pub fn errors(&self) -> usize {
        self.count(Severity::Error)
    }

    /// Number of warnings.
    #[must_use]
    pub fn warnings(&self) -> usize {
        self.count(Severity::Warning)
    }

    fn count(&self, severity: Severity) -> usize {
        self.list.iter().filter(|d| d.severity == severity).count()
    }
}
