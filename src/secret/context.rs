//! Decides for each leaf of a tree whether it is a secret, by what surrounds it.
//!
//! Three walks ask here: the one through a document's values, the one through an object of a cluster and the one
//! that hides parts of excerpts. So each finds the same.

use super::form;
use super::key::{self, Meaning};
use super::text::{self, NAMES, VALUES};
use crate::value::{Data, Sensitivity};

/// What surrounds a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Below {
    /// Nothing that names a secret.
    #[default]
    Open,
    /// A key that names a secret, or a list under it.
    Secret,
    /// A key such as `auth`, whose value is a secret if it is a login.
    Login,
    /// A mapping under a key that names a secret: what can be one is one.
    Section,
    /// A key that is about a secret, in such a mapping.
    About,
}

impl Below {
    /// Returns what surrounds the value of an entry. `sibling` returns the text of another entry of its mapping.
    pub(crate) fn entry<'k>(self, key: &str, sibling: impl Fn(&str) -> Option<&'k str>) -> Self {
        match key::meaning(key) {
            Meaning::Secret => return Below::Secret,
            Meaning::Login => return Below::Login,
            Meaning::Reference => return Below::Open,
            Meaning::Plain => {}
        }
        if (3..=10).contains(&key.len()) {
            let named = VALUES.contains(&key) && is_named_secret(&sibling);
            let of_secret =
                matches!(key, "data" | "stringData") && sibling("kind") == Some("Secret");
            if named || of_secret {
                return Below::Secret;
            }
        }
        match self {
            Below::Open | Below::Login => Below::Open,
            Below::Secret | Below::Section | Below::About if key::is_about(key) => Below::About,
            Below::Secret | Below::Section | Below::About => Below::Section,
        }
    }

    /// Returns whether a key around it names a secret.
    pub(crate) fn names_secret(self) -> bool {
        self != Below::Open
    }

    /// Returns what surrounds the entries of a mapping. `has` says whether it has a key.
    pub(crate) fn mapping(self, has: impl Fn(&str) -> bool) -> Self {
        match self {
            // A volume of a pod; what clients of Keystone read, where each key tells.
            Below::Secret if has("secretName") || has("auth_type") => Below::Open,
            Below::Login => Below::Open,
            Below::Secret | Below::About => Below::Section,
            Below::Open | Below::Section => self,
        }
    }

    /// Returns the walk through the items of a list.
    pub(crate) fn items<'k>(self) -> Items<'k> {
        Items {
            below: self,
            previous: "",
            harmless: false,
        }
    }

    /// Decides about a text.
    pub(crate) fn text(self, text: &str) -> Sensitivity {
        let whole = match self {
            Below::Open | Below::About => false,
            Below::Secret => !form::cannot_be_secret(text),
            Below::Section => !form::cannot_be_secret(text) && !form::is_address(text),
            Below::Login => form::is_login(text),
        };
        if whole {
            return Sensitivity::Whole;
        }
        match text::text_looks_secret(text) {
            true => Sensitivity::Parts,
            false => Sensitivity::Public,
        }
    }

    /// Decides about a leaf. Booleans and null never are secrets.
    pub(crate) fn leaf(self, data: &Data) -> Sensitivity {
        match data {
            Data::String(text) => self.text(text),
            Data::Number(_) if self == Below::Secret => Sensitivity::Whole,
            Data::Number(_) | Data::Null | Data::Bool(_) | Data::Sequence(_) | Data::Mapping(_) => {
                Sensitivity::Public
            }
        }
    }
}

/// Returns whether a mapping says by a text that its value is a secret: `{name: DB_PASSWORD, value: …}`.
fn is_named_secret<'k>(sibling: &impl Fn(&str) -> Option<&'k str>) -> bool {
    let mut names = NAMES.iter().filter_map(|name| sibling(name));
    names.any(key::key_names_secret)
}

/// Commands whose `-p` is no password.
const HARMLESS_COMMANDS: &[&str] = &[
    "cp",
    "docker",
    "find",
    "install",
    "ip6tables",
    "iptables",
    "kill",
    "mkdir",
    "nc",
    "netstat",
    "nmap",
    "patch",
    "podman",
    "ps",
    "rsync",
    "scp",
    "sftp",
    "ss",
    "ssh",
    "tar",
    "unzip",
    "xargs",
];

/// A walk through the items of a list, which are secrets by what is before them: `--password`, `x`.
#[derive(Clone, Copy)]
pub(crate) struct Items<'k> {
    below: Below,
    previous: &'k str,
    harmless: bool,
}

impl<'k> Items<'k> {
    /// Returns what surrounds the next item; `text` is the item's, if it is one.
    pub(crate) fn next(&mut self, text: Option<&'k str>) -> Below {
        let item = text.unwrap_or("");
        let previous = std::mem::replace(&mut self.previous, item);
        let command = item.rsplit('/').next().unwrap_or(item);
        self.harmless |= HARMLESS_COMMANDS.contains(&command);
        if previous.is_empty() || text.is_some_and(|text| text.starts_with("--")) {
            return self.below;
        }
        let secret = match previous.as_bytes() {
            [b'-', b'p' | b'P'] => {
                let transport = ["tcp", "udp", "icmp", "sctp", "all"].contains(&item);
                let number = item.parse::<u64>().is_ok() || item.contains(':');
                !self.harmless && !transport && !number
            }
            [b'-', b'u' | b'U'] => is_user_and_password(item),
            [b'-', ..] if matches!(previous, "--user" | "--proxy-user") => {
                is_user_and_password(item)
            }
            [b'-', ..] => {
                previous.len() > 2 && key::key_names_secret(previous.trim_start_matches('-'))
            }
            _ => matches!(previous, "requirepass" | "masterauth"),
        };
        match secret {
            true => Below::Secret,
            false => self.below,
        }
    }
}

fn is_user_and_password(text: &str) -> bool {
    text.split_once([':', '%']).is_some_and(|(user, password)| {
        !user.is_empty()
            && !password.is_empty()
            && password.parse::<u32>().is_err()
            && !password.starts_with("//")
    })
}
