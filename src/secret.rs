//! Decides what is sensitive. The answer is kept as the bit of each leaf ([`crate::value::Value::sensitive`])
//! and as byte ranges for source excerpts ([`Mask`]).
//!
//! A leaf is sensitive when its key, or a key above it, names a secret ([`key_names_secret`]), or when its
//! text looks like one ([`text_looks_secret`]). When in doubt, a value is hidden: this concerns messages and
//! logs only, never what is written to the tree or sent to Helm.

mod mark;
mod scrub;

pub use mark::{LAST_APPLIED, mark};
pub use scrub::Scrubber;

use crate::source::Span;
use crate::value::REDACTED;

/// Returns the words that make a key name a secret, of those with this first letter; they are compared with
/// the letters and digits of the key in lower case. The first letter selects, since every key of every
/// document is compared.
fn secret_words(first: u8) -> &'static [&'static str] {
    match first {
        b'a' => &["accesskey", "accountkey", "apikey", "authkey"],
        b'b' => &["bindpw"],
        b'c' => &[
            "cakey",
            "clientkey",
            "community",
            "connectionstring",
            "cookie",
            "credential",
        ],
        b'd' => &["dockerconfigjson"],
        b'e' => &["encryptionkey"],
        b'f' => &["fernet"],
        b'h' => &["hmackey", "htpasswd"],
        b'i' => &["identitykey"],
        b'j' => &["jwt"],
        b'k' => &["keyring", "keytab", "kubeconfig"],
        b'l' => &["licensekey"],
        b'm' => &["masterkey"],
        b'p' => &[
            "passphrase",
            "passwd",
            "password",
            "passwort",
            "presharedkey",
            "privatekey",
            "privkey",
            "psk",
            "pwd",
        ],
        b's' => &[
            "secret",
            "serverkey",
            "sessionkey",
            "sharedkey",
            "signature",
            "signingkey",
            "sshkey",
            "storagekey",
        ],
        b't' => &["tempurlkey", "tlskey", "tmpurlkey", "token"],
        b'w' => &["webhookurl"],
        _ => &[],
    }
}

/// Whole keys that name a secret without containing one of [`secret_words`].
const SECRET_KEYS: &[&str] = &["key.pem", "tls.key", "id_rsa", "kek", "salt"];

/// Parts of a key, separated by anything but letters and digits, that name a secret.
const SECRET_PARTS: &[&str] = &["pass", "pw"];

/// Endings of keys that are *about* a secret: its name, its file, its lifetime, the job that creates it.
const HARMLESS_ENDINGS: &[&str] = &[
    "bootstrap",
    "cleanup",
    "image",
    "init",
    "job",
    "manage",
    "placement",
    "rotate",
    "setup",
    "sync",
    "name",
    "names",
    "namespace",
    "path",
    "file",
    "dir",
    "enabled",
    "ttl",
    "expiration",
    "expiry",
    "timeout",
    "interval",
    "count",
    "length",
    "size",
    "rotation",
    "rotationage",
    "type",
    "kind",
    "class",
    "provider",
    "driver",
    "mode",
    "port",
    "mountpath",
    "keyref",
    "keyrepository",
    "maxactivekeys",
];

/// The shortest text that counts as a random secret.
const RANDOM_MIN_CHARS: usize = 24;

/// The longest text that counts as a random secret, in bytes.
const RANDOM_MAX_BYTES: usize = 4096;

/// Returns whether a mapping key names a secret, so that its value is sensitive.
#[must_use]
pub(crate) fn key_names_secret(key: &str) -> bool {
    // Templates such as `{{ password }}` and whole sentences are not key names.
    if key.len() > 128 {
        return false;
    }
    if SECRET_KEYS
        .iter()
        .any(|word| key.eq_ignore_ascii_case(word))
    {
        return true;
    }
    if has_secret_part(key) {
        return true;
    }
    let mut plain = [0_u8; 128];
    let mut len = 0;
    for byte in key.bytes().filter(u8::is_ascii_alphanumeric) {
        plain[len] = byte.to_ascii_lowercase();
        len += 1;
    }
    let plain = &plain[..len];
    let named = plain.iter().enumerate().any(|(at, &first)| {
        let rest = &plain[at..];
        secret_words(first)
            .iter()
            .any(|word| rest.starts_with(word.as_bytes()))
    });
    named
        && !HARMLESS_ENDINGS
            .iter()
            .any(|end| plain.ends_with(end.as_bytes()))
}

/// Returns true for `db_pass`, `dbPass` and `admin-pw`, false for `compass`.
fn has_secret_part(key: &str) -> bool {
    let secret = |part: &str| {
        SECRET_PARTS
            .iter()
            .any(|word| part.eq_ignore_ascii_case(word))
    };
    key.ends_with("Pass") || key.split(|c: char| !c.is_ascii_alphanumeric()).any(secret)
}

/// Returns whether a text looks like a secret: PEM, credentials inside a URL, keys of SSH (public ones too),
/// long random text, a configuration file or script that sets a password.
#[must_use]
pub(crate) fn text_looks_secret(text: &str) -> bool {
    if text.len() < 8 {
        return false;
    }
    text.as_bytes().contains(&b' ') && text.contains("-----BEGIN ")
        || url_has_password(text)
        || ["ssh-", "ecdsa-sha2-", "sk-ssh-"]
            .iter()
            .any(|kind| text.starts_with(kind))
            && text.contains("AAAA")
        || looks_random(text)
        || sets_secret(text)
}

/// Returns whether a word of a comment names a secret or looks like one.
#[must_use]
pub(crate) fn comment_looks_secret(comment: &str) -> bool {
    text_looks_secret(comment)
        || comment
            .split_whitespace()
            .any(|word| key_names_secret(word) || text_looks_secret(word))
}

/// Parts that the words for secrets have in common, in both cases.
const ASSIGNED: &[&str] = &["assw", "ASSW", "ecret", "ECRET", "oken", "OKEN"];

/// Returns whether a line of the text sets a key that names a secret to a value, and not to a template or a
/// variable.
fn sets_secret(text: &str) -> bool {
    let bytes = text.as_bytes();
    if !bytes.contains(&b'=') && !bytes.contains(&b':') {
        return false;
    }
    ASSIGNED
        .iter()
        .flat_map(|word| text.match_indices(word))
        .any(|(at, _)| {
            let start = text[..at].rfind('\n').map_or(0, |at| at + 1);
            let end = text[at..]
                .find('\n')
                .map_or(text.len(), |length| at + length);
            let line = &text[start..end];
            value_of_secret_key(line).is_some_and(|at| is_own_value(&line[at..]))
        })
}

/// Returns whether a value is literal, and not a template or a variable.
fn is_own_value(value: &str) -> bool {
    let value = value.trim_matches(['"', '\'', ' ', ',', ';']);
    !value.is_empty() && !value.starts_with(['$', '{', '<', '[', '(', '|', '>', '=', '/'])
}

/// Returns whether the text holds `scheme://user:password@host`.
fn url_has_password(text: &str) -> bool {
    if !text.as_bytes().contains(&b'@') {
        return false;
    }
    text.match_indices("://").any(|(at, _)| {
        let rest = &text[at + 3..];
        let authority = rest
            .split(['/', '?', '#', ' ', '\n', '\t', '"', '\''])
            .next()
            .unwrap_or("");
        authority
            .rsplit_once('@')
            .and_then(|(user, _)| user.split_once(':'))
            .is_some_and(|(_, password)| !password.is_empty())
    })
}

/// Returns whether the text is one long word of mixed characters, as generated secrets are.
///
/// Commit ids and image digests are hexadecimal of one case and public; they do not count.
fn looks_random(text: &str) -> bool {
    let text = text.trim_end();
    if text.len() < RANDOM_MIN_CHARS || text.len() > RANDOM_MAX_BYTES {
        return false;
    }
    let (mut upper, mut lower, mut digit, mut other) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut switches = 0_usize;
    let mut last = 0_u8;
    for byte in text.bytes() {
        let class = match byte {
            b'A'..=b'Z' => {
                upper += 1;
                1
            }
            b'a'..=b'z' => {
                lower += 1;
                2
            }
            b'0'..=b'9' => {
                digit += 1;
                3
            }
            b'+' | b'/' | b'=' | b'_' | b'-' => {
                other += 1;
                4
            }
            _ => return false,
        };
        switches += usize::from(class != last && last != 0);
        last = class;
    }
    // Host names, paths and image names are words joined by a few separators.
    let words = other * 6 > text.len();
    upper > 1 && lower > 1 && digit > 1 && !words && switches * 4 > text.len()
}

/// A byte range that must not be shown.
pub(crate) type Mask = Span;

/// Hides what follows a key that names a secret, and words that look random, in one line of text.
///
/// This is for text that could not be parsed, where there are no leaves with a bit.
#[must_use]
pub(crate) fn mask_line(line: &str) -> String {
    if let Some(at) = value_of_secret_key(line) {
        return format!("{}{REDACTED}", &line[..at]);
    }
    if url_has_password(line) {
        return REDACTED.to_owned();
    }
    let hidden = |word: &str| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        looks_random(bare) || (bare.len() >= 60 && !bare.contains(['.', ':', '{']))
    };
    if line.split_whitespace().any(hidden) {
        return REDACTED.to_owned();
    }
    line.to_owned()
}

/// Returns the offset of what follows the first `key:` or `key=` of a line whose key names a secret.
#[must_use]
pub(crate) fn after_secret_key(line: &str) -> Option<usize> {
    line.match_indices([':', '='])
        .find(|&(at, _)| {
            let before = line[..at].trim_end_matches(['"', '\'', ' ']);
            let start = before
                .rfind(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')))
                .map_or(0, |p| {
                    p + before[p..].chars().next().map_or(1, char::len_utf8)
                });
            key_names_secret(&before[start..])
        })
        .map(|(at, _)| at + 1)
}

/// Returns the offset of the value behind such a key, if there is one.
fn value_of_secret_key(line: &str) -> Option<usize> {
    let at = after_secret_key(line)?;
    let rest = line[at..].trim_start();
    (!rest.trim_end().is_empty()).then(|| line.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_name_secrets() {
        for key in [
            "password",
            "admin_password",
            "adminPassword",
            "OS_PASSWORD",
            "secret_key",
            "tls.key",
            "api-key",
            "private_key",
            "token",
            "tmpurlkey",
            "erlang_cookie",
            "AWS_SECRET_ACCESS_KEY",
            "memcache_secret_key",
            "dbPass",
            "admin_pass",
            "ceph-keyring",
        ] {
            assert!(key_names_secret(key), "{key}");
        }
        for key in [
            "keystone",
            "secretName",
            "secret_name",
            "token_ttl",
            "key",
            "keys",
            "passenger",
            "compass",
            "public_key",
            "tokenFile",
            "compass_url",
            "keystone_fernet_rotate",
            "credential_setup",
            "node_selector_key",
            "consoleauth",
            "authenticated",
        ] {
            assert!(!key_names_secret(key), "{key}");
        }
    }

    #[test]
    fn texts_look_secret() {
        for text in [
            "-----BEGIN RSA PRIVATE KEY-----\nAAA",
            "https://user:hunter2@example.org/x.git",
            "AQBhlfZnTnF4OxAAbx6qLwZ2k7g0sK9vQw3dBg==",
            "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY9",
            "mysql+pymysql://nova:pw@mariadb.openstack.svc/nova",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIE somebody@example",
            "[DEFAULT]\nuser = nova\nadmin_password = hunter2\n",
            "mysql --password=hunter2",
        ] {
            assert!(text_looks_secret(text), "{text}");
        }
        for text in [
            "https://opendev.org/openstack/openstack-helm-infra",
            "03580ec90afa162c166661acf27f351b83565375",
            "sha256:4b1d9f4cf1b6b8a4f5e7f1f9fd0d6f4d6a1c9f8f9b7b9a5b8a6b7c8d9e0f1a2b",
            "quay.io/airshipit/kubernetes-entrypoint:v1.0.0",
            "airship-ucp-prometheus-openstack-exporter",
            "a sentence with Several Words and 123 numbers in it",
            "export OS_PASSWORD=${PASSWORD}",
            "bind_password = {{ .Values.password }}\n",
            "Authorization: see the token\n",
        ] {
            assert!(!text_looks_secret(text), "{text}");
        }
    }

    #[test]
    fn unparsed_lines_are_masked_after_the_key() {
        assert_eq!(mask_line("  password: hunter2"), "  password: ***");
        assert_eq!(mask_line("a: 1, \"token\": x}"), "a: 1, \"token\": ***");
        assert_eq!(mask_line("  password:"), "  password:");
        assert_eq!(mask_line("name: keystone"), "name: keystone");
    }
}
