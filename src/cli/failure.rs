//! What a person sees when a command fails: what happened to what, why, and what to do.

use std::fmt::Write as _;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use crate::compile::{NoSuchRelease, Refused};
use crate::render::read::Fault;

use crate::report::style::Paint;

use super::Output;

/// The end of a command that failed.
#[derive(Debug)]
pub struct Failure {
    kind: Kind,
    hint: Option<String>,
    code: ExitCode,
}

/// Exit code of a command that a guard refused before anything was touched.
const REFUSED: u8 = 4;

#[derive(Debug)]
enum Kind {
    /// The documents are at fault; everything has been said already.
    Documents,
    /// Whoever read our output has gone.
    ClosedPipe,
    /// Something outside went wrong.
    Outside {
        act: String,
        cause: Option<io::Error>,
    },
}

impl Failure {
    /// The documents are at fault; their diagnostics have been shown.
    pub(super) fn documents() -> Self {
        Self {
            kind: Kind::Documents,
            hint: None,
            code: ExitCode::FAILURE,
        }
    }

    /// Something could not be done; `act` says what, in the past tense.
    pub(super) fn new(act: impl Into<String>) -> Self {
        Self {
            kind: Kind::Outside {
                act: act.into(),
                cause: None,
            },
            hint: None,
            code: ExitCode::FAILURE,
        }
    }

    /// A file could not be read or written.
    pub(super) fn io(act: &str, path: &Path, cause: io::Error) -> Self {
        Self {
            kind: Kind::Outside {
                act: format!("cannot {act} `{}`", path.display()),
                cause: Some(cause),
            },
            hint: None,
            code: ExitCode::FAILURE,
        }
    }

    /// Standard output could not be written.
    pub(super) fn stdout(cause: io::Error) -> Self {
        let kind = if cause.kind() == io::ErrorKind::BrokenPipe {
            Kind::ClosedPipe
        } else {
            Kind::Outside {
                act: "cannot write standard output".to_owned(),
                cause: Some(cause),
            }
        };
        Self {
            kind,
            hint: None,
            code: ExitCode::FAILURE,
        }
    }

    /// Says what to do.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// What happened, with its cause, and what to do; `None` when everything has been said already.
    pub(super) fn message(&self) -> Option<(String, Option<&str>)> {
        let Self {
            kind,
            hint,
            code: _,
        } = self;
        match kind {
            Kind::ClosedPipe | Kind::Documents => None,
            Kind::Outside { act, cause } => {
                let cause = cause.as_ref().map(|cause| lower_first(&cause.to_string()));
                let text = [Some(act.clone()), cause];
                let text: Vec<String> = text.into_iter().flatten().collect();
                Some((text.join(": "), hint.as_deref()))
            }
        }
    }

    /// The exit code that it ends with.
    #[cfg(test)]
    pub(super) fn exit_code(&self) -> ExitCode {
        self.code
    }

    /// Adds what to do after the rest is done.
    pub(super) fn then(mut self, hint: &str) -> Self {
        self.hint = Some(match self.hint {
            Some(first) => format!("{first}; then {hint}"),
            None => hint.to_owned(),
        });
        self
    }

    /// Makes it the refusal of a guard: nothing was touched.
    pub(super) fn refused(self) -> Self {
        self.code(REFUSED)
    }

    /// Ends the command with this exit code.
    pub(super) fn code(mut self, code: u8) -> Self {
        self.code = ExitCode::from(code);
        self
    }

    /// Prints the failure and gives its exit code.
    pub(super) fn report(self, output: &Output) -> ExitCode {
        if let Some((act, hint)) = self.message() {
            let mut text = super::show::paint(output, "error", Paint::Danger);
            // Writing to a String cannot fail.
            let _ = write!(text, ": {act}");
            if let Some(hint) = hint {
                let help = super::show::paint(output, "help", Paint::Help);
                let _ = write!(text, "\n  {help}: {hint}");
            }
            super::show::say(&text);
        }
        match self.kind {
            Kind::ClosedPipe => ExitCode::SUCCESS,
            Kind::Documents | Kind::Outside { .. } => self.code,
        }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Tree(fault) => fault.into(),
            Refused::Release(unknown) => unknown.into(),
            Refused::Both { .. } => Self::new(refused.to_string()).hint("give one of the two"),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::new(fault.to_string()).hint(fault.hint())
    }
}

impl From<NoSuchRelease> for Failure {
    fn from(unknown: NoSuchRelease) -> Self {
        Self::new(format!("--cel-before-hooks: {unknown}"))
            .hint("give the name with its prefix, as the report lists it")
    }
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}
