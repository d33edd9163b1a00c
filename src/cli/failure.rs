//! The failure of a command: what happened to which object, why, and what to do.

use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::compile::NoSuchRelease;
use crate::printable::Printable;
use crate::printable::escape;
use crate::printable::paragraph::Paragraph;
use crate::printable::style::Paint;

use super::{Output, show};

/// Why a command failed, and its exit code.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    details: Vec<Detail>,
    hint: Option<String>,
    code: ExitCode,
}

/// A line below the message, with what to do about it.
#[derive(Debug)]
struct Detail {
    what: String,
    hint: Option<String>,
}

/// Exit code of a command that was refused before it wrote anything.
const REFUSED: u8 = 4;

#[derive(Debug)]
enum Kind {
    /// The documents have errors, which have been printed.
    Documents,
    /// The reader of our output has closed it.
    ClosedPipe,
    /// A message, with the error of the system if there is one.
    Message {
        text: String,
        cause: Option<io::Error>,
    },
}

impl Failure {
    /// The documents have errors, which have been printed.
    pub(super) fn documents() -> Self {
        Self {
            kind: Kind::Documents,
            details: Vec::new(),
            hint: None,
            code: ExitCode::FAILURE,
        }
    }

    /// A failure with this message: lower case, without a full stop.
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self {
            kind: Kind::Message {
                text: text.into(),
                cause: None,
            },
            details: Vec::new(),
            hint: None,
            code: ExitCode::FAILURE,
        }
    }

    /// A file could not be read, written …; `verb` says which.
    pub(super) fn io(verb: &str, path: &Path, cause: io::Error) -> Self {
        Self {
            kind: Kind::Message {
                text: format!("cannot {verb} `{}`", escape::name(&path.to_string_lossy())),
                cause: Some(cause),
            },
            details: Vec::new(),
            hint: None,
            code: ExitCode::FAILURE,
        }
    }

    /// Standard output could not be written.
    pub(super) fn stdout(cause: io::Error) -> Self {
        let kind = if cause.kind() == io::ErrorKind::BrokenPipe {
            Kind::ClosedPipe
        } else {
            Kind::Message {
                text: "cannot write to standard output".to_owned(),
                cause: Some(cause),
            }
        };
        Self {
            kind,
            details: Vec::new(),
            hint: None,
            code: ExitCode::FAILURE,
        }
    }

    /// Adds what to do.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a line below the message, with what to do about it.
    pub(super) fn detail(mut self, what: impl Into<String>, hint: Option<String>) -> Self {
        let what = what.into();
        self.details.push(Detail { what, hint });
        self
    }

    /// Returns what happened, with its cause, and what to do; `None` when nothing is left to print.
    pub(super) fn message(&self) -> Option<(String, Option<&str>)> {
        let Self {
            kind,
            details: _,
            hint,
            code: _,
        } = self;
        match kind {
            Kind::ClosedPipe | Kind::Documents => None,
            Kind::Message { text, cause } => {
                let cause = cause.as_ref().map(|cause| lower_first(&cause.to_string()));
                let message = match cause {
                    Some(cause) => format!("{text}: {cause}"),
                    None => text.clone(),
                };
                Some((message, hint.as_deref()))
            }
        }
    }

    /// Returns the exit code.
    #[cfg(test)]
    pub(super) fn exit_code(&self) -> ExitCode {
        self.code
    }

    /// Adds what to do after the other hint is followed.
    pub(super) fn then(mut self, hint: &str) -> Self {
        self.hint = Some(match self.hint {
            Some(first) => format!("{first}; then {hint}"),
            None => hint.to_owned(),
        });
        self
    }

    /// Sets the exit code of a refusal: nothing was written.
    pub(super) fn refused(self) -> Self {
        self.code(REFUSED)
    }

    /// Sets the exit code.
    pub(super) fn code(mut self, code: u8) -> Self {
        self.code = ExitCode::from(code);
        self
    }

    /// Prints the failure and returns its exit code.
    pub(super) fn report(self, output: &Output) -> ExitCode {
        if let Some((message, hint)) = self.message() {
            let style = show::message_style(output);
            let mut lines = Printable::default();
            Paragraph::default()
                .painted("error", Paint::Danger)
                .plain(&format!(": {message}"))
                .plain(if self.details.is_empty() { "" } else { ":" })
                .write(&mut lines, style);
            for Detail { what, hint } in &self.details {
                lines.line(&format!("  {what}"));
                if let Some(hint) = hint {
                    lines.line(&format!("    {hint}"));
                }
            }
            if let Some(hint) = hint {
                Paragraph::default()
                    .plain("  ")
                    .painted("help", Paint::Help)
                    .plain(&format!(": {hint}"))
                    .write(&mut lines, style);
            }
            show::print(&lines);
        }
        match self.kind {
            Kind::ClosedPipe => ExitCode::SUCCESS,
            Kind::Documents | Kind::Message { .. } => self.code,
        }
    }
}

impl From<NoSuchRelease> for Failure {
    fn from(unknown: NoSuchRelease) -> Self {
        Self::new(format!("`--cel-before-hooks`: {unknown}"))
            .hint("give the name with the release prefix, as the report lists it")
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}
