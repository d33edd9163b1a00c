//! `GitRepository` (source-controller)

use crate::secret;
use crate::value::{Mapping, Text, Value};

use super::{Fields, Metadata, Object, SOURCE_API, Seconds};

/// A Git repository at one place of its history.
#[derive(Clone, Debug)]
pub struct GitRepository {
    /// Name, namespace and marks.
    pub metadata: Metadata,
    /// `http`, `https` or `ssh` address.
    pub url: Text,
    /// Which commit.
    pub reference: GitReference,
    /// How often Flux looks again.
    pub interval: Seconds,
}

/// Which commit of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GitReference {
    /// 40 hexadecimal digits.
    Commit(Text),
    /// The tip of a branch.
    Branch(Text),
    /// A full ref, such as Gerrit's `refs/changes/…`.
    Name(Text),
}

impl From<GitRepository> for Object {
    fn from(repository: GitRepository) -> Self {
        let GitRepository {
            metadata,
            url,
            reference,
            interval,
        } = repository;
        let (key, text) = match reference {
            GitReference::Commit(text) => ("commit", text),
            GitReference::Branch(text) => ("branch", text),
            GitReference::Name(text) => ("name", text),
        };
        let spec = Fields::default()
            .set("interval", interval)
            .set("url", address(url))
            .set("ref", [(key, text)].into_iter().collect::<Mapping>())
            .mapping();
        let rest = Fields::default().set("spec", spec).mapping();
        Object::new(SOURCE_API, "GitRepository", metadata, rest)
    }
}

/// An address; one that holds a password carries the sensitivity bit.
pub(super) fn address(url: Text) -> Value {
    let sensitive = secret::text_looks_secret(&url);
    let mut value = Value::from(url);
    value.sensitive = sensitive;
    value
}
