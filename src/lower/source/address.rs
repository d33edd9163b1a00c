//! Addresses of Git repositories, as Armada and as Flux accept them.

use crate::flux::GitReference;
use crate::value::Text;

/// Why a location is not a valid address for Flux.
const NOT_FOR_FLUX: &str = "Flux reads Git only over HTTP, HTTPS and SSH";

/// A Git address for Flux, and how it differs from the given one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) url: Text,
    /// `git://` has no counterpart; https on the same host is a guess.
    pub(super) guessed: bool,
}

/// Parses an address: HTTP, HTTPS, SSH and `HOST:PATH` mean the same to Flux, `git://` is read over HTTPS.
pub(super) fn address(location: &str) -> Result<Address, &'static str> {
    let sure = |url: Text| {
        Ok(Address {
            url,
            guessed: false,
        })
    };
    let Some((scheme, rest)) = location.split_once("://") else {
        return sure(scp(location).ok_or(NOT_FOR_FLUX)?);
    };
    if rest.is_empty() || rest.starts_with('/') {
        return Err(NOT_FOR_FLUX);
    }
    match scheme {
        "http" | "https" | "ssh" => sure(location.into()),
        "git+ssh" | "ssh+git" => sure(Text::from(format!("ssh://{rest}"))),
        "git" => Ok(Address {
            // The port of the Git protocol is not used for HTTPS.
            url: Text::from(format!("https://{}", rest.replacen(":9418/", "/", 1))),
            guessed: true,
        }),
        _ => Err(NOT_FOR_FLUX),
    }
}

/// `[USER@]HOST:PATH`, which Git reads as SSH.
fn scp(location: &str) -> Option<Text> {
    let (host, path) = location.split_once(':')?;
    let name = host.rsplit('@').next().unwrap_or(host);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '@');
    let is_host = !name.is_empty() && host.chars().all(plain);
    // After the colon comes a path, never a port.
    let path = path.trim_start_matches('/');
    (is_host && !path.is_empty()).then(|| Text::from(format!("ssh://{host}/{path}")))
}

/// Returns what a `reference` names. The documents do not tell whether a plain word is a branch or a tag.
pub(super) fn reference(reference: &str) -> GitReference {
    if is_commit(reference) {
        GitReference::Commit(reference.to_ascii_lowercase().into())
    } else if reference.starts_with("refs/") {
        GitReference::Name(reference.into())
    } else {
        GitReference::Branch(reference.into())
    }
}

/// Returns whether a text is a full commit.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Returns whether a text looks like a short commit, which Flux cannot look up.
pub(super) fn is_short_commit(text: &str) -> bool {
    (7..40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Returns a folder inside a repository, without leading `./` and trailing `/`; `None` when it is outside.
pub(super) fn folder(subpath: &str) -> Option<Text> {
    let parts: Vec<&str> = subpath
        .split('/')
        .filter(|part| !part.is_empty() && *part != ".")
        .collect();
    if subpath.starts_with('/') || parts.contains(&"..") {
        return None;
    }
    Some(parts.join("/").into())
}

/// Returns the host of an address.
pub(super) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    host.split(':').next().unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(location: &str) -> Option<(String, bool)> {
        let address = address(location).ok()?;
        Some((address.url.to_string(), address.guessed))
    }

    #[test]
    fn spellings_of_ssh_are_one() {
        let same = Some(("ssh://git@review.example.org/charts/osh".to_owned(), false));
        assert_eq!(url("git@review.example.org:charts/osh"), same);
        assert_eq!(url("git@review.example.org:/charts/osh"), same);
        assert_eq!(url("git+ssh://git@review.example.org/charts/osh"), same);
        assert_eq!(
            url("host:path"),
            Some(("ssh://host/path".to_owned(), false))
        );
    }

    #[test]
    fn the_git_protocol_is_guessed_to_be_https() {
        let guess = Some(("https://git.example.org/x".to_owned(), true));
        assert_eq!(url("git://git.example.org/x"), guess);
        assert_eq!(url("git://git.example.org:9418/x"), guess);
    }

    #[test]
    fn paths_are_no_addresses() {
        for location in [
            "/opt/charts",
            "file:///opt/charts",
            "${OSH_PATH}",
            "a/b:c",
            ":x",
            "x:",
            "https:///x",
            "",
        ] {
            assert_eq!(url(location), None, "{location}");
        }
    }

    #[test]
    fn folders_stay_inside() {
        assert_eq!(folder("./charts/x/").as_deref(), Some("charts/x"));
        assert_eq!(folder(".").as_deref(), Some(""));
        assert_eq!(folder("../x"), None);
        assert_eq!(folder("/x"), None);
    }
}
