//! The identity and the names of source objects.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::flux::{GitReference, GitSource, HelmSource, OciSource, Verify};
use crate::names::{short_digest, slug};
use crate::value::Text;

use super::address;

/// Longest name of a source object, without the site in front of it.
pub(super) const MAX_NAME: usize = 53;
/// Longest form of a site's name in the names of its objects.
const MAX_SITE: usize = 20;
/// Digits of a commit in an object's name.
const COMMIT_DIGITS: usize = 12;
/// Characters of a digest and its hyphen.
const DIGEST: usize = 9;

/// The identity of a source object: equal keys share one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Git(GitSource, Form),
    Helm(HelmSource),
    Oci(OciSource),
    Secret(SecretKey),
}

/// What the artifact of a Git repository holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    /// All of it.
    Plain,
    /// Charts without their `charts` folders, since Armada replaces those. One chart alone where another's
    /// folder would take it away.
    Emptied(Option<Text>),
    /// Charts of the emptied form, with these put into their `charts` folders.
    Composed(Vec<Part>),
}

/// A chart that is put into another one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part {
    pub(super) repository: GitSource,
    /// Whether its own `charts` folder is replaced.
    pub(super) emptied: bool,
    /// Its folder in the repository.
    pub(super) from: Text,
    /// Its folder below the outer chart.
    pub(super) to: Text,
}

impl Part {
    /// Returns the object that holds it.
    pub(super) fn key(&self, nested: &Nested) -> Key {
        if self.emptied {
            nested.emptied(&self.repository, &self.from)
        } else {
            Key::Git(self.repository.clone(), Form::Plain)
        }
    }
}

/// Emptied charts that lie in the `charts` folder of another emptied chart of their repository.
#[derive(Debug, Default)]
pub(super) struct Nested(BTreeSet<(GitSource, Text)>);

impl Nested {
    /// Finds them among the folders of all emptied charts.
    pub(super) fn among(emptied: &BTreeMap<GitSource, BTreeSet<Text>>) -> Self {
        let mut nested = BTreeSet::new();
        for (git, folders) in emptied {
            for folder in folders {
                // Every `charts` in the path may belong to another chart.
                let parts: Vec<&str> = folder.split('/').collect();
                let is_nested = (0..parts.len())
                    .filter(|at| parts[*at] == "charts")
                    .any(|at| folders.contains(&Text::from(parts[..at].join("/"))));
                if is_nested {
                    nested.insert((git.clone(), folder.clone()));
                }
            }
        }
        Self(nested)
    }

    /// Returns the object that holds a chart without its `charts` folder.
    pub(super) fn emptied(&self, git: &GitSource, folder: &Text) -> Key {
        let alone = self.0.contains(&(git.clone(), folder.clone()));
        let form = Form::Emptied(alone.then(|| folder.clone()));
        Key::Git(git.clone(), form)
    }
}

/// A Secret without content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SecretKey {
    pub(super) name: Text,
    pub(super) keys: Vec<Text>,
}

/// The part of a name that says which site an object belongs to.
///
/// Two sites may use one repository. Each has an object of its own, so that both trees can be applied, and built by one
/// kustomization. A dot ends the part, since nothing else in these names has one: `prod` with `eu-charts` and `prod-eu`
/// with `charts` stay apart.
#[derive(Clone, Debug)]
pub(super) struct OfSite(Text);

impl OfSite {
    pub(super) fn new(site: &str) -> Self {
        let short = slug(site, MAX_SITE);
        // A name that was cut ends with a digest already.
        let changed = short != site && site.len() <= MAX_SITE;
        Self(if changed {
            let digest = short_digest(site);
            Text::from(format!("{}-{digest}", slug(site, MAX_SITE - DIGEST)))
        } else {
            short
        })
    }

    /// Returns the name of an object of the site.
    pub(super) fn name(&self, own: &str) -> Text {
        Text::from(format!("{}.{own}", self.0))
    }
}

/// The names of the source objects of a site.
#[derive(Debug)]
pub(super) struct Names {
    by_key: BTreeMap<Key, Text>,
    /// Secrets of the tree by the name that sources know them under; all others exist already.
    secrets: BTreeMap<Text, Text>,
}

impl Names {
    /// Gives each source a name; where two would share one, all of them get a digest of what they are.
    pub(super) fn new(keys: BTreeSet<Key>, of_site: &OfSite) -> Self {
        let mut taken: BTreeMap<Text, Vec<Key>> = BTreeMap::new();
        let mut names = Self {
            by_key: BTreeMap::new(),
            secrets: BTreeMap::new(),
        };
        for key in keys {
            match &key {
                Key::Secret(SecretKey { name, keys: _ }) => {
                    let own = of_site.name(name);
                    names.secrets.insert(name.clone(), own.clone());
                    names.by_key.insert(key, own);
                }
                Key::Git(..) | Key::Helm(_) | Key::Oci(_) => {
                    taken.entry(base_name(&key)).or_default().push(key);
                }
            }
        }
        for (name, keys) in taken {
            let shared = keys.len() > 1;
            for key in keys {
                let name = if shared {
                    let digest = short_digest(&identity(&key));
                    Text::from(format!("{}-{digest}", slug(&name, MAX_NAME - DIGEST)))
                } else {
                    name.clone()
                };
                names.by_key.insert(key, of_site.name(&name));
            }
        }
        names
    }

    /// Returns the name of an object.
    pub(super) fn get(&self, key: &Key) -> Option<&Text> {
        self.by_key.get(key)
    }

    /// Returns the name of a Secret that a source names: one of the tree has the site in its name.
    pub(super) fn secret(&self, name: Option<&Text>) -> Option<Text> {
        name.map(|name| self.secrets.get(name).unwrap_or(name).clone())
    }
}

fn base_name(key: &Key) -> Text {
    match key {
        Key::Git(git, form) => {
            let suffix = match form {
                Form::Plain => String::new(),
                Form::Emptied(None) => "-emptied".to_owned(),
                Form::Emptied(Some(folder)) => format!("-emptied-{}", short_digest(folder)),
                Form::Composed(parts) if parts.is_empty() => "-alone".to_owned(),
                // The commits of what is put in are part of it: a new one must reach the releases.
                Form::Composed(_) => format!("-{}", short_digest(&identity(key))),
            };
            let url = &git.url;
            let last = url.trim_end_matches('/').rsplit('/').next().unwrap_or(url);
            let last = last.rsplit('@').next().unwrap_or(last);
            let room = MAX_NAME - COMMIT_DIGITS - 1 - suffix.len();
            let repository = slug(last.trim_end_matches(".git"), room);
            let reference = match &git.reference {
                GitReference::Commit(commit) => slug(&commit[..COMMIT_DIGITS], COMMIT_DIGITS),
                GitReference::Branch(name) | GitReference::Tag(name) | GitReference::Name(name) => {
                    slug(name, 40)
                }
            };
            let name = slug(
                &format!("{repository}-{reference}"),
                MAX_NAME - suffix.len(),
            );
            Text::from(format!("{name}{suffix}"))
        }
        Key::Helm(HelmSource { url, .. }) => {
            let address = url.split_once("://").map_or(&**url, |(_, rest)| rest);
            let address = address.rsplit('@').next().unwrap_or(address);
            slug(address, MAX_NAME)
        }
        Key::Oci(OciSource { url, tag, .. }) => {
            let last = url.trim_end_matches('/').rsplit('/').next().unwrap_or(url);
            let tag = tag.as_ref().map_or("newest", |tag| tag);
            slug(&format!("{last}-{tag}"), MAX_NAME)
        }
        Key::Secret(SecretKey { name, keys: _ }) => name.clone(),
    }
}

/// Returns the identity of a source, as a text.
pub(super) fn identity(key: &Key) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let mut add = |word: &str, what: Option<&Text>| {
        if let Some(what) = what {
            let _ = write!(text, "{word} {} {what} ", what.len());
        }
    };
    match key {
        Key::Git(git, form) => {
            describe_git(git, &mut add);
            match form {
                Form::Plain => {}
                Form::Emptied(folder) => {
                    add("emptied", Some(&Text::new()));
                    add("folder", folder.as_ref());
                }
                Form::Composed(parts) => {
                    add("composed", Some(&Text::new()));
                    for part in parts {
                        let Part {
                            repository,
                            emptied,
                            from,
                            to,
                        } = part;
                        describe_git(repository, &mut add);
                        add("emptied", emptied.then(Text::new).as_ref());
                        add("from", Some(from));
                        add("to", Some(to));
                    }
                }
            }
        }
        Key::Helm(HelmSource {
            url,
            provider,
            insecure,
            secret,
            cert_secret,
        }) => {
            add("url", Some(url));
            add("provider", provider.as_ref());
            add("insecure", insecure.then(Text::new).as_ref());
            add("secret", secret.as_ref());
            add("certificates", cert_secret.as_ref());
        }
        Key::Oci(OciSource {
            url,
            tag,
            provider,
            insecure,
            secret,
            cert_secret,
            proxy_secret,
            verify,
        }) => {
            add("url", Some(url));
            add("tag", tag.as_ref());
            add("provider", provider.as_ref());
            add("insecure", insecure.then(Text::new).as_ref());
            add("secret", secret.as_ref());
            add("certificates", cert_secret.as_ref());
            add("proxy", proxy_secret.as_ref());
            if let Some(Verify {
                provider,
                secret,
                identities,
            }) = verify
            {
                add("verify", Some(provider));
                add("keys", secret.as_ref());
                for (issuer, subject) in identities {
                    add("issuer", Some(issuer));
                    add("subject", Some(subject));
                }
            }
        }
        Key::Secret(SecretKey { name, keys: _ }) => add("secret", Some(name)),
    }
    text
}

fn describe_git(git: &GitSource, add: &mut impl FnMut(&str, Option<&Text>)) {
    let GitSource {
        url,
        reference,
        provider,
        secret,
        proxy_secret,
    } = git;
    add("url", Some(url));
    match reference {
        GitReference::Commit(text) => add("commit", Some(text)),
        GitReference::Branch(text) => add("branch", Some(text)),
        GitReference::Tag(text) => add("tag", Some(text)),
        GitReference::Name(text) => add("name", Some(text)),
    }
    add("provider", provider.as_ref());
    add("secret", secret.as_ref());
    add("proxy", proxy_secret.as_ref());
}

/// Returns the name of the Secret that SSH to a host needs.
pub(super) fn ssh_secret(url: &str) -> SecretKey {
    SecretKey {
        name: slug(&format!("ssh-{}", address::host(url)), MAX_NAME),
        keys: ["identity", "known_hosts"].map(Text::from).to_vec(),
    }
}

/// Returns the name of the Secret with the login for an address. Two users of one host have two Secrets; a user
/// without a password may be a token, which is in no name.
pub(super) fn login_secret(url: &str, user: Option<&str>) -> SecretKey {
    let host = address::host(url);
    let name = match user {
        Some(user) => format!("login-{user}-{host}"),
        None => format!("login-{host}"),
    };
    SecretKey {
        name: slug(&name, MAX_NAME),
        keys: ["username", "password"].map(Text::from).to_vec(),
    }
}

/// Returns the name of the Secret that a proxy needs.
pub(super) fn proxy_secret(proxy: &str) -> SecretKey {
    let address = proxy.split_once("://").map_or(proxy, |(_, rest)| rest);
    let address = address.rsplit('@').next().unwrap_or(address);
    let mut keys = vec![Text::from("address")];
    if proxy.contains('@') {
        keys.extend(["username", "password"].map(Text::from));
    }
    SecretKey {
        name: slug(&format!("proxy-{address}"), MAX_NAME),
        keys,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sites whose names are alike, cut, or no names of objects.
    const SITES: [&str; 12] = [
        "prod",
        "prod-eu",
        "Prod",
        "prod.eu",
        "prod_eu",
        "prod-eu-charts",
        "a",
        "A",
        "an-exceptionally-long-name-of-a-site",
        "an-exceptionally-long-name-of-b-site",
        "an-exceptionally-LONG-name-of-a-site",
        "twenty-characters-xx",
    ];

    fn keys() -> BTreeSet<Key> {
        let git = GitSource {
            url: "ssh://git@git.example.org/charts.git".into(),
            reference: GitReference::Commit("a".repeat(40).into()),
            provider: None,
            secret: Some(ssh_secret("ssh://git@git.example.org/charts.git").name),
            proxy_secret: Some("own-proxy".into()),
        };
        let helm = |host: &str| {
            Key::Helm(HelmSource {
                url: format!("https://{host}.example.org/{}", "x".repeat(60)).into(),
                provider: None,
                insecure: false,
                secret: None,
                cert_secret: None,
            })
        };
        BTreeSet::from([
            Key::Secret(ssh_secret(&git.url)),
            Key::Git(git, Form::Plain),
            helm("charts"),
            helm("eu-charts"),
        ])
    }

    #[test]
    fn no_two_sites_share_a_name() {
        let mut seen = BTreeMap::new();
        for site in SITES {
            let names = Names::new(keys(), &OfSite::new(site));
            for (key, name) in &names.by_key {
                let other = seen.insert(name.clone(), site);
                assert_eq!(other, None, "{name} of {site}: {key:?}");
                let parts: Vec<&str> = name.split('.').collect();
                assert!(parts.len() == 2 && parts.iter().all(|part| slug(part, 63) == *part));
            }
        }
        assert_eq!(seen.len(), SITES.len() * keys().len());
        assert_eq!(OfSite::new("prod").name("x"), "prod.x");
    }

    #[test]
    fn sources_name_the_secrets_of_their_own_site() {
        let names = Names::new(keys(), &OfSite::new("prod"));
        let secret = |name: &str| names.secret(Some(&name.into()));
        assert_eq!(
            secret("ssh-git-example-org").as_deref(),
            Some("prod.ssh-git-example-org")
        );
        // One that a rule names is not of the tree.
        assert_eq!(secret("own-proxy").as_deref(), Some("own-proxy"));
        assert_eq!(names.secret(None), None);
    }
}
