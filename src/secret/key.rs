//! What the name of a key says about the value below it.
//!
//! A key is split into words at everything but letters and digits and where its case changes, so that
//! `db_password`, `db-password` and `dbPassword` are the same. The last word is what the key is about:
//! `token` is a secret, `token_ttl` is a time.

use std::ops::Range;

/// What a key says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The value is a secret.
    Secret,
    /// The value is a secret if it looks like a login: `auth: dXNlcjpwYXNz`.
    Login,
    /// The value names an object that holds a secret.
    Reference,
    /// Anything else.
    Plain,
}

/// The longest key that is looked at. Templates and whole sentences are not names of keys.
const LONGEST: usize = 128;

/// The most words of a key that are looked at.
const MOST_WORDS: usize = 16;

/// Words that name a secret wherever they stand in a key, and at the end of a longer word (`dbpassword`).
pub(super) const WORDS: &[&str] = &[
    "apikey",
    "cookie",
    "credential",
    "credentials",
    "fernet",
    "htpasswd",
    "keyring",
    "keytab",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "passwort",
    "pw",
    "pwd",
    "secret",
    "secrets",
    "token",
    "tokens",
];

/// Words that name a secret wherever they stand in a key, as whole words.
pub(super) const WHOLE_WORDS: &[&str] = &[
    "bindpw",
    "dockercfg",
    "dockerconfigjson",
    "jwt",
    "kubeconfig",
    "masterauth",
    "psk",
    "requirepass",
    "rootpw",
    "signature",
];

/// Words that name a secret as the last word of a key.
pub(super) const LAST_WORDS: &[&str] = &[
    "community",
    "dek",
    "kek",
    "otp",
    "pass",
    "pin",
    "puk",
    "salt",
    "sig",
];

/// Words before `key` or `keys`: `api_key`, `apiKey`, `apikey`.
pub(super) const KEYS: &[&str] = &[
    "access",
    "account",
    "activation",
    "admin",
    "aes",
    "api",
    "app",
    "application",
    "auth",
    "bootstrap",
    "ca",
    "cert",
    "certificate",
    "cipher",
    "client",
    "consumer",
    "crypto",
    "decryption",
    "deploy",
    "encryption",
    "hmac",
    "identity",
    "ingest",
    "integration",
    "join",
    "license",
    "master",
    "preshared",
    "priv",
    "private",
    "recovery",
    "registration",
    "root",
    "routing",
    "rsa",
    "seal",
    "server",
    "service",
    "session",
    "shared",
    "signing",
    "ssh",
    "storage",
    "subscription",
    "tempurl",
    "tls",
    "tmpurl",
    "tsig",
    "unlock",
    "unseal",
    "url",
    "user",
    "wrapping",
];

/// Two words in a row that name a secret.
pub(super) const PAIRS: &[(&str, &str)] = &[
    ("connection", "string"),
    ("key", "pem"),
    ("id", "rsa"),
    ("id", "ed25519"),
    ("pass", "code"),
    ("pass", "key"),
    ("pass", "phrase"),
    ("pass", "word"),
    ("secret", "id"),
    ("string", "data"),
    ("webhook", "url"),
];

/// Last words of keys that are *about* a secret, or that stand beside one.
pub(super) const ABOUT: &[&str] = &[
    "address",
    "age",
    "alg",
    "algorithm",
    "annotations",
    "audience",
    "backend",
    "bootstrap",
    "class",
    "cleanup",
    "count",
    "database",
    "days",
    "dir",
    "directory",
    "disabled",
    "domain",
    "driver",
    "duration",
    "edition",
    "email",
    "enabled",
    "endpoint",
    "env",
    "expiration",
    "expires",
    "expiry",
    "file",
    "filename",
    "folder",
    "format",
    "generator",
    "group",
    "header",
    "host",
    "hostname",
    "hosts",
    "id",
    "image",
    "init",
    "interface",
    "interval",
    "issuer",
    "job",
    "kind",
    "labels",
    "length",
    "level",
    "limit",
    "login",
    "manage",
    "manager",
    "max",
    "method",
    "methods",
    "min",
    "mode",
    "mount",
    "name",
    "names",
    "namespace",
    "path",
    "paths",
    "placement",
    "plugin",
    "policy",
    "port",
    "prefix",
    "protocol",
    "provider",
    "realm",
    "region",
    "registry",
    "replicas",
    "repository",
    "required",
    "role",
    "roles",
    "rotate",
    "rotation",
    "rounds",
    "schedule",
    "scheme",
    "scope",
    "scopes",
    "seconds",
    "selector",
    "server",
    "servers",
    "setup",
    "size",
    "strategy",
    "suffix",
    "sync",
    "tag",
    "template",
    "timeout",
    "ttl",
    "type",
    "uri",
    "url",
    "user",
    "username",
    "uuid",
    "version",
];

/// Ends of words that are about a secret without a word break: `secretname`.
const ABOUT_ENDS: &[&str] = &[
    "dir",
    "enabled",
    "file",
    "image",
    "mountpath",
    "name",
    "namespace",
    "path",
    "repository",
    "ttl",
    "type",
];

/// Words that end in `pass` and are no secret.
const NO_PASS: &[&str] = &[
    "bypass",
    "compass",
    "encompass",
    "overpass",
    "surpass",
    "trespass",
    "underpass",
];

/// Pairs of letters of which each name of a secret has one: most keys have none and are done with.
const TRACES: [u64; 16] = traces(&[
    b"ss", b"pw", b"cr", b"ok", b"ey", b"au", b"mm", b"ig", b"jw", b"ps", b"rn", b"ek", b"sa",
    b"pi", b"ot", b"uk", b"ku", b"ck", b"nn", b"bh", b"rs", b"ed", b"ng",
]);

const fn traces<const N: usize>(pairs: &[&[u8; 2]; N]) -> [u64; 16] {
    let mut table = [0; 16];
    let mut at = 0;
    while at < N {
        let place = trace(pairs[at][0], pairs[at][1]);
        table[place / 64] |= 1 << (place % 64);
        at += 1;
    }
    table
}

const fn trace(first: u8, second: u8) -> usize {
    ((first & 31) as usize) << 5 | (second & 31) as usize
}

fn may_name_secret(key: &str) -> bool {
    key.as_bytes().windows(2).any(|pair| {
        let place = trace(pair[0], pair[1]);
        TRACES[place / 64] >> (place % 64) & 1 == 1
    })
}

/// The words of a key in lower case, without digits at their ends.
struct Words {
    letters: [u8; LONGEST],
    words: [(u8, u8); MOST_WORDS],
    count: usize,
}

impl Words {
    /// Returns `None` for a key that is too long to be one.
    fn of(key: &str) -> Option<Self> {
        let bytes = key.as_bytes();
        if bytes.len() > LONGEST {
            return None;
        }
        let mut words = Self {
            letters: [0; LONGEST],
            words: [(0, 0); MOST_WORDS],
            count: 0,
        };
        let mut start = 0;
        for (at, &byte) in bytes.iter().enumerate() {
            words.letters[at] = byte.to_ascii_lowercase();
            if !is_word(byte) {
                words.push(start..at);
                start = at + 1;
            } else if byte.is_ascii_uppercase() && at > start {
                let after_lower = !bytes[at - 1].is_ascii_uppercase();
                let before_lower = bytes.get(at + 1).is_some_and(u8::is_ascii_lowercase);
                // The plural of an abbreviation: `APIKEYs`.
                let plural = bytes.get(at + 1) == Some(&b's')
                    && bytes.get(at + 2).is_none_or(|b| !is_word(*b));
                if after_lower || before_lower && !plural {
                    words.push(start..at);
                    start = at;
                }
            }
        }
        words.push(start..bytes.len());
        Some(words)
    }

    fn push(&mut self, word: Range<usize>) {
        let letters = &self.letters[word.clone()];
        let digits = letters
            .iter()
            .rev()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        let end = match digits {
            // `id_ed25519`
            _ if letters == b"ed25519" => word.end,
            digits => word.end - digits,
        };
        if end == word.start {
            return;
        }
        if self.count == MOST_WORDS {
            // The last word decides most.
            self.words.copy_within(1.., 0);
            self.count -= 1;
        }
        // At most LONGEST, which fits.
        self.words[self.count] = (word.start as u8, end as u8);
        self.count += 1;
    }

    fn get(&self, at: usize) -> &str {
        let (start, end) = self.words[at];
        std::str::from_utf8(&self.letters[usize::from(start)..usize::from(end)]).unwrap_or("")
    }

    fn last(&self) -> &str {
        match self.count {
            0 => "",
            count => self.get(count - 1),
        }
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// Returns what a key says about its value.
#[must_use]
pub(crate) fn meaning(key: &str) -> Meaning {
    if !may_name_secret(key) {
        return Meaning::Plain;
    }
    let Some(words) = Words::of(key) else {
        return Meaning::Plain;
    };
    if words.count == 0 {
        return Meaning::Plain;
    }
    let last = words.last();
    if matches!(last, "ref" | "refs" | "reference") || words.get(0) == "existing" {
        return Meaning::Reference;
    }
    let mut named = false;
    for at in 0..words.count {
        let word = words.get(at);
        let before = if at > 0 { words.get(at - 1) } else { "" };
        if matches!(word, "secret" | "secrets") && matches!(before, "pull" | "from") {
            return Meaning::Reference;
        }
        if PAIRS.contains(&(before, word)) {
            return Meaning::Secret;
        }
        named |= names_secret(word)
            || matches!(word, "key" | "keys") && KEYS.contains(&before)
            || at + 1 == words.count && ends_secret(word);
    }
    if !named && matches!(last, "auth" | "authorization") {
        return Meaning::Login;
    }
    let limits = matches!(words.get(0), "max" | "min" | "num") && words.count > 1;
    if named && !limits && !is_about_word(last) {
        return Meaning::Secret;
    }
    Meaning::Plain
}

fn names_secret(word: &str) -> bool {
    WHOLE_WORDS.contains(&word)
        || WORDS.iter().any(|secret| word.ends_with(secret))
        || glued_key(word)
}

fn glued_key(word: &str) -> bool {
    let stem = word
        .strip_suffix("key")
        .or_else(|| word.strip_suffix("keys"));
    // `memcachesecretkey`, `dbapikey`
    stem.is_some_and(|stem| KEYS.contains(&stem) || stem.ends_with("secret"))
}

fn ends_secret(word: &str) -> bool {
    LAST_WORDS.contains(&word)
        || word.ends_with("pass") && !NO_PASS.contains(&word)
        || word.ends_with("community")
}

fn is_about_word(word: &str) -> bool {
    ABOUT.binary_search(&word).is_ok() || ABOUT_ENDS.iter().any(|end| word.ends_with(end))
}

/// Returns whether a key is about a secret, or names what stands beside one, such as a user.
#[must_use]
pub(super) fn is_about(key: &str) -> bool {
    Words::of(key).is_some_and(|words| {
        is_about_word(words.last())
            || words.count > 1 && matches!(words.get(0), "max" | "min" | "num")
    })
}

/// Returns whether a key has several words, so that it is no word of a sentence.
#[must_use]
pub(super) fn is_compound(key: &str) -> bool {
    Words::of(key).is_some_and(|words| words.count > 1 || WHOLE_WORDS.contains(&words.last()))
}

/// Returns whether a mapping key names a secret.
#[must_use]
pub(crate) fn key_names_secret(key: &str) -> bool {
    meaning(key) == Meaning::Secret
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(ABOUT.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn every_word_leaves_a_trace() {
        let pairs = PAIRS.iter().map(|(a, b)| format!("{a}_{b}"));
        let keys = KEYS.iter().map(|word| format!("{word}_key"));
        let words = [WORDS, WHOLE_WORDS, LAST_WORDS].concat();
        let words = words.into_iter().map(str::to_owned);
        for word in pairs.chain(keys).chain(words) {
            assert_eq!(meaning(&word), Meaning::Secret, "{word}");
            assert_eq!(meaning(&word.to_uppercase()), Meaning::Secret, "{word}");
        }
    }

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
            "adminKey",
            "rootPw",
            "unseal_key",
            "certificate_key",
            "X-Api-Key",
            "PassWord",
            "password2",
            "APIKey",
            "sshKeys",
            "dbpassword",
            "pgpass",
            "id_rsa",
            "temp_url_sig",
            "vault.secret_id",
            "smtp.password",
            "rocommunity",
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
            "tokenizer",
            "session_cookie_domain",
            "community_edition",
            "rbd_secret_uuid",
            "salt_master",
            "auth_version",
            "existingSecret",
            "imagePullSecrets",
            "secretKeyRef",
            "max_tokens",
            "monkey",
            "pass_through",
            "pinning",
            "",
        ] {
            assert!(!key_names_secret(key), "{key}");
        }
    }
}
