//! `GitRepository` (source-controller)

use crate::secret;
use crate::value::{Mapping, Text, Value};

use super::{Fields, Metadata, Object, SOURCE_API, Seconds, reference};

/// A Git repository at one revision.
#[derive(Clone, Debug)]
pub struct GitRepository {
    /// Name, namespace and marks.
    pub metadata: Metadata,
    /// Address and access.
    pub source: GitSource,
    /// Interval of reconciliation, in seconds.
    pub interval: Seconds,
    /// Patterns of `.gitignore` for what the artifact leaves out.
    pub ignore: Vec<Text>,
    /// Folders of other repositories, copied in order.
    pub include: Vec<Include>,
}

/// Address, revision and access of a Git repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitSource {
    /// `http`, `https` or `ssh` address.
    pub url: Text,
    /// Which commit.
    pub reference: GitReference,
    /// Which cloud logs in.
    pub provider: Option<Text>,
    /// Secret that holds a login.
    pub secret: Option<Text>,
    /// Secret that holds a proxy's address and login.
    pub proxy_secret: Option<Text>,
}

/// A folder of another GitRepository in the same namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// Name of the other GitRepository.
    pub repository: Text,
    /// Folder in its artifact; all of it when empty.
    pub from: Text,
    /// Folder in this one; it must not exist yet.
    pub to: Text,
}

/// Which commit of a repository; `T` is another type than text only in a source map's rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GitReference<T = Text> {
    /// 40 hexadecimal digits.
    Commit(T),
    /// The tip of a branch.
    Branch(T),
    /// Name of a tag.
    Tag(T),
    /// A full ref, such as Gerrit's `refs/changes/…`.
    Name(T),
}

impl<T> GitReference<T> {
    /// Returns the same kind of reference with another text.
    #[must_use]
    pub fn map<U>(&self, text: impl Fn(&T) -> U) -> GitReference<U> {
        match self {
            GitReference::Commit(commit) => GitReference::Commit(text(commit)),
            GitReference::Branch(name) => GitReference::Branch(text(name)),
            GitReference::Tag(name) => GitReference::Tag(text(name)),
            GitReference::Name(name) => GitReference::Name(text(name)),
        }
    }
}

impl From<GitRepository> for Object {
    fn from(repository: GitRepository) -> Self {
        let GitRepository {
            metadata,
            source,
            interval,
            ignore,
            include,
        } = repository;
        let GitSource {
            url,
            reference: commit,
            provider,
            secret,
            proxy_secret,
        } = source;
        let (key, text) = match commit {
            GitReference::Commit(text) => ("commit", text),
            GitReference::Branch(text) => ("branch", text),
            GitReference::Tag(text) => ("tag", text),
            GitReference::Name(text) => ("name", text),
        };
        let ignore: String = ignore.iter().flat_map(|line| [&**line, "\n"]).collect();
        let include: Vec<Value> = include.into_iter().map(Value::from).collect();
        let spec = Fields::default()
            .set("interval", interval)
            .set("url", address(url))
            .set("ref", [(key, text)].into_iter().collect::<Mapping>())
            .set_some("provider", provider)
            .set_some("secretRef", secret.map(reference))
            .set_some("proxySecretRef", proxy_secret.map(reference))
            .set_some("ignore", Some(ignore).filter(|ignore| !ignore.is_empty()))
            .set_some(
                "include",
                Some(include).filter(|include| !include.is_empty()),
            )
            .mapping();
        let rest = Fields::default().set("spec", spec).mapping();
        Object::new(SOURCE_API, "GitRepository", metadata, rest)
    }
}

impl From<Include> for Value {
    fn from(include: Include) -> Self {
        let Include {
            repository,
            from,
            to,
        } = include;
        Fields::default()
            .set("repository", reference(repository))
            .set_some("fromPath", Some(from).filter(|from| !from.is_empty()))
            .set("toPath", to)
            .mapping()
            .into()
    }
}

/// Returns an address; a password in it is sensitive.
pub(super) fn address(url: Text) -> Value {
    secret::marked(url)
}
