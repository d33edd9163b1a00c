//! Chart archives at a URL: what their names tell.

use crate::flux::GitReference;
use crate::value::Text;

use super::address;

/// What the address of an archive tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Archive {
    /// A chart in a folder of charts, which has an index beside it.
    Chart {
        repository: Text,
        name: Text,
        version: Text,
    },
    /// An archive that a forge packs from a repository.
    Forge(Forge),
}

/// A repository that a forge packs on request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forge {
    pub(super) url: Text,
    pub(super) reference: GitReference,
    /// Name of the repository; the top folder of the archive starts with it.
    name: Text,
    /// Whether the archive has such a folder.
    wrapped: bool,
}

/// Why the address of an archive tells no source that Flux can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// Flux has no client for it.
    #[error("Flux reads archives of charts only over HTTP and HTTPS")]
    Scheme,
    /// Only the index of a repository of charts leads Flux to an archive.
    #[error("the files of a release on a forge have no index of charts beside them")]
    NoIndex,
    /// It does not end with `NAME-VERSION.tgz`.
    #[error("chart name and version are not in the archive's name")]
    Name,
}

/// Reads the address of an archive.
pub(super) fn read(location: &str) -> Result<Archive, Unreadable> {
    let (scheme, rest) = location.split_once("://").ok_or(Unreadable::Scheme)?;
    if scheme != "http" && scheme != "https" {
        return Err(Unreadable::Scheme);
    }
    if let Some(forge) = forge(scheme, rest) {
        return Ok(Archive::Forge(forge));
    }
    if is_release_file(rest) {
        return Err(Unreadable::NoIndex);
    }
    chart(location).ok_or(Unreadable::Name)
}

/// `https://host/folder/NAME-VERSION.tgz`
fn chart(location: &str) -> Option<Archive> {
    let (folder, file) = location.rsplit_once('/')?;
    let (name, version) = split_version(stem(file)?)?;
    folder.contains("://").then(|| Archive::Chart {
        repository: folder.into(),
        name: name.into(),
        version: version.into(),
    })
}

/// Returns whether the path is that of a file attached to a release, on GitHub and Gitea or on GitLab.
fn is_release_file(path: &str) -> bool {
    path.contains("/releases/download/")
        || path.contains("/-/releases/") && path.contains("/downloads/")
}

/// Returns the name of an archive without its ending.
pub(super) fn stem(file: &str) -> Option<&str> {
    file.strip_suffix(".tgz")
        .or_else(|| file.strip_suffix(".tar.gz"))
}

/// Splits `NAME-VERSION` at the first hyphen that a version follows; versions have two or three numbers,
/// an optional leading `v` and an optional suffix.
pub(super) fn split_version(stem: &str) -> Option<(&str, &str)> {
    stem.match_indices('-')
        .map(|(at, _)| at)
        .map(|at| (&stem[..at], &stem[at + 1..]))
        .find(|(name, version)| !name.is_empty() && is_version(version))
}

fn is_version(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text.find(['-', '+']).unwrap_or(text.len());
    let (numbers, suffix) = text.split_at(end);
    let numbers: Vec<&str> = numbers.split('.').collect();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.');
    (2..=3).contains(&numbers.len())
        && numbers
            .iter()
            .all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        && suffix.len() != 1
        && suffix.chars().all(plain)
}

/// Addresses under which GitHub, Gitea, GitLab, Bitbucket and Gitiles pack a repository:
///
/// ```text
/// HOST/OWNER/NAME/archive/REF.tar.gz    HOST/GROUP/…/NAME/-/archive/REF/NAME-REF.tar.gz
/// HOST/OWNER/NAME/tarball/REF           codeload.HOST/OWNER/NAME/tar.gz/REF
/// HOST/OWNER/NAME/get/REF.tar.gz        HOST/…/NAME/+archive/REF.tar.gz
/// ```
fn forge(scheme: &str, rest: &str) -> Option<Forge> {
    let (host, path) = rest.split_once('/')?;
    let made = |host: &str, repository: &str, reference: &str, wrapped: bool| {
        let name = repository
            .rsplit('/')
            .next()
            .filter(|name| !name.is_empty())?;
        let git = if wrapped { ".git" } else { "" };
        Some(Forge {
            url: Text::from(format!("{scheme}://{host}/{repository}{git}")),
            reference: guess(reference)?,
            name: name.into(),
            wrapped,
        })
    };
    if let Some((repository, rest)) = path.split_once("/-/archive/") {
        return made(host, repository, rest.rsplit_once('/')?.0, true);
    }
    if let Some((repository, file)) = path.split_once("/+archive/") {
        return made(host, repository, stem(file)?, false);
    }
    let (owner, rest) = path.split_once('/')?;
    let (name, rest) = rest.split_once('/')?;
    let repository = format!("{owner}/{name}");
    let (verb, rest) = rest.split_once('/')?;
    match verb {
        "archive" => made(host, &repository, stem(rest)?, true),
        "get" if host == "bitbucket.org" => made(host, &repository, stem(rest)?, true),
        "tarball" => made(host, &repository, rest, true),
        "tar.gz" => made(host.strip_prefix("codeload.")?, &repository, rest, true),
        _ => None,
    }
}

/// Returns the revision of an archive: a commit, a full ref, a tag where it looks like a version, else a
/// branch.
fn guess(reference: &str) -> Option<GitReference> {
    if reference.is_empty() {
        return None;
    }
    Some(match address::reference(reference) {
        GitReference::Branch(word) if is_version(&word) => GitReference::Tag(word),
        other => other,
    })
}

impl Forge {
    /// Returns the chart's folder in the repository: archives hold everything in one folder named after it.
    pub(super) fn folder(&self, subpath: &str) -> Option<Text> {
        let path = address::folder(subpath)?;
        let (first, rest) = path.split_once('/').unwrap_or((&path, ""));
        let hyphen = first.strip_prefix(&*self.name);
        let is_wrapping = hyphen.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
        if self.wrapped && is_wrapping {
            return Some(rest.into());
        }
        Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_split_before_the_version() {
        let split = |stem| split_version(stem);
        assert_eq!(
            split("ingress-nginx-4.11.2"),
            Some(("ingress-nginx", "4.11.2"))
        );
        assert_eq!(
            split("cert-manager-v0.1.0"),
            Some(("cert-manager", "v0.1.0"))
        );
        assert_eq!(split("a-2-b-1.0-rc1"), Some(("a-2-b", "1.0-rc1")));
        assert_eq!(split("helm-toolkit"), None);
        assert_eq!(split("-1.0.0"), None);
    }

    #[test]
    fn an_address_tells_why_flux_cannot_read_it() {
        for (location, why) in [
            ("ftp://files.example.org/z-1.2.3.tgz", Unreadable::Scheme),
            ("file:///charts/z-1.2.3.tgz", Unreadable::Scheme),
            ("/charts/z-1.2.3.tgz", Unreadable::Scheme),
            (
                "https://github.com/o/r/releases/download/v1/z-1.2.3.tgz",
                Unreadable::NoIndex,
            ),
            (
                "https://git.example.org/o/r/releases/download/z-1.2.3/z-1.2.3.tgz",
                Unreadable::NoIndex,
            ),
            (
                "https://gitlab.example.org/a/b/-/releases/v1/downloads/z-1.2.3.tgz",
                Unreadable::NoIndex,
            ),
            ("https://charts.example.org/z.tgz", Unreadable::Name),
            (
                "https://charts.example.org/z-20230101.tgz",
                Unreadable::Name,
            ),
            (
                "https://charts.example.org/z-1.2.3.tgz?raw=true",
                Unreadable::Name,
            ),
            ("https://charts.example.org/z-1.2.3.zip", Unreadable::Name),
        ] {
            assert_eq!(read(location), Err(why), "{location}");
        }
        for location in [
            "https://charts.example.org/releases/z-1.2.3.tgz",
            "https://charts.example.org/download/z-1.2.3.tgz",
            "http://charts.example.org/z-1.2.3.tar.gz",
        ] {
            assert!(
                matches!(read(location), Ok(Archive::Chart { .. })),
                "{location}"
            );
        }
    }

    #[test]
    fn forges_are_git_repositories() {
        let found = |location: &str, subpath: &str| match read(location).ok()? {
            Archive::Forge(forge) => Some((
                forge.url.to_string(),
                forge.reference.clone(),
                forge.folder(subpath)?.to_string(),
            )),
            Archive::Chart { .. } => None,
        };
        let commit = "5b0f2f6c8c1d4e07a3b9e1d2c4f6a8b0c2d4e6f8";
        let pinned = GitReference::Commit(commit.into());
        let github = "https://github.com/o/charts.git".to_owned();
        let wrapped = format!("charts-{commit}/web");
        assert_eq!(
            found(
                &format!("https://github.com/o/charts/archive/{commit}.tar.gz"),
                &wrapped
            ),
            Some((github.clone(), pinned.clone(), "web".to_owned()))
        );
        assert_eq!(
            found(
                &format!("https://codeload.github.com/o/charts/tar.gz/{commit}"),
                "web"
            ),
            Some((github.clone(), pinned.clone(), "web".to_owned()))
        );
        assert_eq!(
            found(
                "https://github.com/o/charts/archive/refs/heads/main.tar.gz",
                "."
            ),
            Some((
                github,
                GitReference::Name("refs/heads/main".into()),
                String::new()
            ))
        );
        assert_eq!(
            found(
                "https://gitlab.example.org/a/b/charts/-/archive/v1.2.0/charts-v1.2.0.tar.gz",
                "charts-v1.2.0/x"
            ),
            Some((
                "https://gitlab.example.org/a/b/charts.git".to_owned(),
                GitReference::Tag("v1.2.0".into()),
                "x".to_owned()
            ))
        );
        assert_eq!(
            found(
                &format!("https://git.example.org/o/charts/+archive/{commit}.tar.gz"),
                "charts/x"
            ),
            Some((
                "https://git.example.org/o/charts".to_owned(),
                pinned,
                "charts/x".to_owned()
            ))
        );
        assert_eq!(
            found("https://charts.example.org/archive/web-1.0.0.tgz", "web"),
            None
        );
    }
}
