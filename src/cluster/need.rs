//! The requirements of a command, and those that a cluster does not meet.

use std::collections::BTreeSet;
use std::fmt;

use crate::flux::object::group;
use crate::value::Text;

/// The requirements of a command.
#[derive(Clone, Debug, Default)]
pub struct Requirements {
    /// The kinds, as (apiVersion, kind).
    pub kinds: BTreeSet<(Text, Text)>,
    /// The permissions; those on kinds that are not served are not asked for.
    pub permissions: BTreeSet<Permission>,
    /// The names of controllers, as `helm-controller`. If empty, controllers are not searched.
    pub controllers: Vec<Text>,
}

/// A verb of RBAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Read one.
    Get,
    /// List many.
    List,
    /// Watch for changes.
    Watch,
    /// Create one; server-side apply of a new object needs it, too.
    Create,
    /// Replace one.
    Update,
    /// Change one; server-side apply needs it, dry run or not.
    Patch,
    /// Delete one.
    Delete,
}

impl Verb {
    /// Returns the verb as RBAC rules write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
        }
    }
}

/// A permission.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// The verb.
    pub verb: Verb,
    /// `group/version` of the kind.
    pub api_version: Text,
    /// The kind.
    pub kind: Text,
    /// The subresource, which has permissions of its own: `log`, `status`.
    pub subresource: Option<Text>,
    /// The namespace; `None` for cluster-scoped kinds, and for all namespaces.
    pub namespace: Option<Text>,
}

/// A requirement that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A kind is not served.
    Kind {
        /// `group/version`.
        api_version: Text,
        /// The kind.
        kind: Text,
        /// The versions of the group that are served.
        versions: Vec<Text>,
    },
    /// A permission.
    Permission(Permission),
    /// A controller.
    Controller(Text),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::Kind {
                api_version,
                kind,
                versions,
            } => {
                write!(f, "kind {kind} of {api_version} is not served")?;
                if versions.is_empty() {
                    write!(f, " (no version of {} is)", group(api_version))
                } else {
                    write!(f, " (of {}: {})", group(api_version), versions.join(", "))
                }
            }
            Missing::Permission(Permission {
                verb,
                api_version,
                kind,
                subresource,
                namespace,
            }) => {
                let verb = verb.as_str();
                write!(f, "no permission to {verb} {kind}")?;
                if let Some(part) = subresource {
                    write!(f, "/{part}")?;
                }
                if !group(api_version).is_empty() {
                    write!(f, " of {}", group(api_version))?;
                }
                match namespace {
                    Some(namespace) => write!(f, " in namespace {namespace}"),
                    None => f.write_str(" in the whole cluster"),
                }
            }
            Missing::Controller(name) => {
                write!(f, "controller {name} is not running in the cluster")
            }
        }
    }
}
