//! Errors of the connection to an API server. They hold no secrets.

use std::path::PathBuf;
use std::time::Duration;

use super::need::Missing;
use crate::value::Text;

/// A cluster could not be used. Holds no token, password or header: errors of the layers below, which may
/// quote files and the output of credential plugins, are described in our own words and not kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A kubeconfig cannot be used.
    #[error("cannot use the kubeconfig{}: {reason}", named(.file))]
    Kubeconfig {
        /// The file, if it is known.
        file: Option<PathBuf>,
        /// The fault.
        reason: String,
    },
    /// The context that was asked for, or the current one, does not exist.
    #[error("context `{context}` does not exist in {}", all(.files))]
    UnknownContext {
        /// The name of the context.
        context: String,
        /// The contexts that exist.
        known: Vec<String>,
        /// The files that were read.
        files: Vec<PathBuf>,
    },
    /// No cluster is configured.
    #[error("no cluster is selected: no context is set{}", place(.files))]
    NoCluster {
        /// The files that were read.
        files: Vec<PathBuf>,
    },
    /// There are no credentials.
    #[error("cannot get credentials{}: {reason}", of_context(.context))]
    Credentials {
        /// The context.
        context: Option<Text>,
        /// The reason.
        reason: String,
    },
    /// No certificate can be checked.
    #[error("the clock of this machine shows a time before 1970, so no certificate can be checked")]
    Clock,
    /// A request failed.
    #[error("cannot {act} at {server}: {cause}")]
    Request {
        /// The act and its object, as in `list helmreleases in namespace a`.
        act: String,
        /// The scheme, host and port of the server.
        server: Text,
        /// The cause.
        cause: Cause,
        /// The rights that the command needs, if they are known.
        rights: Rights,
    },
    /// The cluster lacks requirements of the command.
    #[error("the cluster at {server} does not meet the requirements")]
    Lacking {
        /// The scheme, host and port of the server.
        server: Text,
        /// All that is missing.
        missing: Vec<Missing>,
        /// The rights that the command needs, if they are known.
        rights: Rights,
    },
}

/// Why a request failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// No connection.
    #[error("{0}")]
    Unreachable(String),
    /// The server's certificate was refused.
    #[error("its certificate is not accepted: {0}")]
    Certificate(String),
    /// No answer in time.
    #[error("no answer within {} s", .0.as_secs_f64())]
    Timeout(Duration),
    /// The answer began in time and did not end in time.
    #[error("its answer was not complete within {} s", .0.as_secs_f64())]
    Slow(Duration),
    /// 401
    #[error("the credentials are refused: a token or certificate is wrong or has expired (401)")]
    Unauthorized,
    /// 403; the message of the server.
    #[error("permission denied: {0}")]
    Forbidden(String),
    /// 404 for something other than a single object: the kind is not served.
    #[error("the server does not know this kind (404)")]
    NotServed,
    /// 429, 502, 503 or 504 until the last attempt.
    #[error("the server is too busy: {status} after {attempts} {}{}", plural(*.attempts), longer(*.asked))]
    Busy {
        /// The status of the last attempt.
        status: u16,
        /// The number of attempts.
        attempts: u32,
        /// The wait that the server asks for, if it is too long.
        asked: Option<Duration>,
    },
    /// Any other refusal.
    #[error("{message} ({code})")]
    Refused {
        /// The HTTP status.
        code: u16,
        /// The message of the server.
        message: String,
    },
    /// The answer is not JSON, or not an object.
    #[error("its answer cannot be read: {0}")]
    Unreadable(String),
}

/// The rights that a command needs; a published file lists them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rights {
    /// To read and to ask for dry runs.
    #[default]
    Diff,
    /// To write, watch and lock.
    Apply,
}

impl Rights {
    /// Returns the file that lists them.
    #[must_use]
    pub fn file(self) -> &'static str {
        match self {
            Rights::Diff => "docs/deploy/rbac-diff.yaml",
            Rights::Apply => "docs/deploy/rbac-apply.yaml",
        }
    }

    /// Returns the command that prints those of one site.
    fn command(self) -> &'static str {
        match self {
            Rights::Diff => "`armada2flux rbac SITE --for diff`",
            Rights::Apply => "`armada2flux rbac SITE --for apply`",
        }
    }
}

impl Error {
    /// Returns all that a cluster lacks.
    #[must_use]
    pub fn missing(&self) -> &[Missing] {
        match self {
            Error::Lacking { missing, .. } => missing,
            Error::Kubeconfig { .. }
            | Error::UnknownContext { .. }
            | Error::NoCluster { .. }
            | Error::Credentials { .. }
            | Error::Clock
            | Error::Request { .. } => &[],
        }
    }

    /// Returns a hint on what to do.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Error::Kubeconfig { .. } => "correct the file, or name another with --kubeconfig",
            Error::UnknownContext { known, .. } if known.is_empty() => {
                "name the right file with --kubeconfig or KUBECONFIG"
            }
            Error::UnknownContext { known, .. } => {
                return Some(format!(
                    "choose with --context one of: {}",
                    known.join(", ")
                ));
            }
            Error::NoCluster { .. } => {
                "name a kubeconfig with --kubeconfig or KUBECONFIG, and a context with --context"
            }
            Error::Credentials { .. } => {
                "run the credential plugin manually, or log in again and retry"
            }
            Error::Clock => "set the clock",
            Error::Lacking { rights, .. } => {
                return Some(format!(
                    "{} prints the permissions of a site, {} has those of all sites; missing kinds come with the \
                     installation of Flux",
                    rights.command(),
                    rights.file()
                ));
            }
            Error::Request {
                cause: Cause::Forbidden(_),
                rights,
                ..
            } => {
                return Some(format!(
                    "ask for the permission: {} prints all that a site needs, {} has those of all sites",
                    rights.command(),
                    rights.file()
                ));
            }
            Error::Request {
                cause: Cause::Unauthorized,
                server,
                ..
            } if server.starts_with("http://") => {
                "credentials are sent over https only, as by kubectl: name the https address of the server"
            }
            Error::Request { cause, .. } => return cause.hint().map(str::to_owned),
        };
        Some(text.to_owned())
    }
}

impl Cause {
    fn hint(&self) -> Option<&'static str> {
        match self {
            Cause::Unreachable(_) => Some(
                "check that the server runs and can be reached from here (address, VPN, proxy), and \
                 --context",
            ),
            Cause::Certificate(_) => Some(
                "check `certificate-authority` of the cluster in the kubeconfig, its address, and proxies \
                 in between",
            ),
            Cause::Timeout(_) | Cause::Slow(_) => Some(
                "try again when the server is less busy, or allow more time with --request-timeout",
            ),
            Cause::Unauthorized => Some("log in again, or choose another --context"),
            Cause::NotServed => Some("install Flux, or the operator that defines the kind, first"),
            Cause::Busy { .. } => Some("try again later"),
            // The hint depends on what the command needs.
            Cause::Forbidden(_) | Cause::Refused { .. } => None,
            Cause::Unreadable(_) => Some(
                "check that the address is that of a Kubernetes API server, and no proxy answers for it",
            ),
        }
    }
}

fn named(file: &Option<PathBuf>) -> String {
    file.as_ref()
        .map_or_else(String::new, |file| format!(" `{}`", file.display()))
}

fn all(files: &[PathBuf]) -> String {
    let names: Vec<String> = files
        .iter()
        .map(|file| format!("`{}`", file.display()))
        .collect();
    if names.is_empty() {
        "any kubeconfig".to_owned()
    } else {
        names.join(", ")
    }
}

fn place(read: &[PathBuf]) -> String {
    if read.is_empty() {
        ", no kubeconfig was found, and this is not a pod of a cluster".to_owned()
    } else {
        format!(" in {}", all(read))
    }
}

fn of_context(context: &Option<Text>) -> String {
    context
        .as_ref()
        .map_or_else(String::new, |context| format!(" of context `{context}`"))
}

fn plural(attempts: u32) -> &'static str {
    if attempts == 1 { "attempt" } else { "attempts" }
}

fn longer(asked: Option<Duration>) -> String {
    asked.map_or_else(String::new, |time| {
        format!(", and it asks to wait {} s", time.as_secs())
    })
}

/// Makes an error of the system a part of a sentence.
pub(super) fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_lowercase().chain(chars).collect(),
        None => String::new(),
    }
}
