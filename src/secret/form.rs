//! Forms of texts that say by themselves whether they are secrets.

/// The shortest text that counts as a random secret.
pub(super) const RANDOM_MIN: usize = 24;

/// The longest text that counts as a random secret, in bytes.
pub(super) const RANDOM_MAX: usize = 4096;

/// The fewest characters after a known beginning of a token.
const TAIL: usize = 8;

/// The shortest token with a known beginning.
pub(super) const SHORTEST_TOKEN: usize = 11;

/// Beginnings of tokens that their issuers have fixed.
pub(super) const PREFIXES: &[&str] = &[
    "AGE-SECRET-KEY-",
    "AIza",
    "AKIA",
    "ASIA",
    "ATATT3x",
    "SG.",
    "dckr_pat_",
    "dop_v1_",
    "eyJ",
    "gAAAAA",
    "gho_",
    "ghp_",
    "ghr_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "glrt-",
    "glsa_",
    "hvb.",
    "hvs.",
    "npm_",
    "pypi-",
    "rk_live_",
    "shpat_",
    "sk-ant-",
    "sk_live_",
    "sk_test_",
    "xapp-",
    "xoxa-",
    "xoxb-",
    "xoxp-",
    "xoxr-",
    "xoxs-",
    "ya29.",
];

/// First bytes of [`PREFIXES`] and of public keys.
const FIRST: u128 = first_bytes();

const fn first_bytes() -> u128 {
    let mut bits = 1 << b'A';
    let mut at = 0;
    while at < PREFIXES.len() {
        bits |= 1 << PREFIXES[at].as_bytes()[0];
        at += 1;
    }
    bits
}

/// Words for yes and no, and for neither.
pub(super) const BOOLEANS: &[&str] = &[
    "always", "auto", "both", "disable", "disabled", "enable", "enabled", "false", "never", "no",
    "none", "null", "off", "on", "optional", "prefer", "required", "true", "yes",
];

/// Returns whether a word begins as tokens of a known issuer do.
#[must_use]
pub(super) fn is_known_token(word: &str) -> bool {
    let Some(&first) = word.as_bytes().first() else {
        return false;
    };
    if first >= 128 || FIRST >> first & 1 == 0 {
        return false;
    }
    let mut known = PREFIXES
        .iter()
        .filter_map(|prefix| word.strip_prefix(prefix));
    known.any(|tail| {
        tail.len() >= TAIL
            && tail
                .bytes()
                .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    }) || word.starts_with("AAAA") && word.len() >= RANDOM_MIN
}

/// Returns whether the text is one long word of mixed characters, as generated secrets are.
///
/// Commit ids and image digests are hexadecimal of one case and public; they do not count.
#[must_use]
pub(super) fn looks_random(text: &str) -> bool {
    let text = text.trim_end();
    if text.len() < RANDOM_MIN || text.len() > RANDOM_MAX {
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

/// Returns whether the value of a key such as `auth` is a login: `user:password`, base64 or a scheme and a token.
#[must_use]
pub(super) fn is_login(text: &str) -> bool {
    if let Some((scheme, rest)) = text.split_once(' ') {
        return is_scheme(scheme) && !rest.trim().is_empty();
    }
    if cannot_be_secret(text) || text.contains("://") {
        return false;
    }
    if let Some((user, password)) = text.split_once(':') {
        return !user.is_empty() && !password.is_empty() && password.parse::<u16>().is_err();
    }
    let has = |class: fn(&u8) -> bool| text.as_bytes().iter().any(class);
    let base64 = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=' | b'_' | b'-'));
    let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    let digit = has(u8::is_ascii_digit);
    base64
        && text.len() >= 8
        && (mixed && digit || text.ends_with('=') || digit && text.len() >= 12)
}

/// Schemes of the header `Authorization`.
pub(super) const SCHEMES: &[&str] = &["apikey", "basic", "bearer", "digest", "negotiate", "token"];

/// Returns whether a word is a scheme of the header `Authorization`.
#[must_use]
pub(super) fn is_scheme(word: &str) -> bool {
    SCHEMES
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme))
}

/// Returns whether a text has a form that no secret has: a word for yes or no, a path, a version, an address of
/// a host, an image, a variable.
#[must_use]
pub(super) fn cannot_be_secret(text: &str) -> bool {
    let text = text.trim();
    match text.as_bytes() {
        [] => true,
        [b'/' | b'.' | b'~', ..] => is_path(text),
        [b'0'..=b'9', ..] => is_version(text) || is_image(text),
        [b'$', ..] => is_variable(text),
        [b'v', rest @ ..] if rest.first().is_some_and(u8::is_ascii_digit) => {
            is_version(text) || is_image(text)
        }
        [b'a'..=b'z', ..] => is_boolean(text) || is_image(text),
        [b'A'..=b'Z', ..] => is_boolean(text),
        _ => false,
    }
}

fn is_boolean(text: &str) -> bool {
    text.len() <= 8 && BOOLEANS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// Returns whether a text is a path of two names at least.
fn is_path(text: &str) -> bool {
    let absolute = ["/", "./", "../", "~/"]
        .iter()
        .any(|start| text.starts_with(start));
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'_' | b'-' | b'~');
    absolute
        && text.bytes().all(plain)
        && text
            .trim_end_matches('/')
            .bytes()
            .filter(|byte| *byte == b'/')
            .count()
            >= 2
        && !text.split('/').any(looks_random)
        && !looks_random(text.trim_start_matches(['/', '.', '~']))
}

/// Returns whether a text is a version or an address of IPv4: `v3`, `1.2.3-rc1`, `10.0.0.0/8`.
fn is_version(text: &str) -> bool {
    let (marked, rest) = match text.strip_prefix('v') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let numbers = rest.split(['-', '+', '/', ':']).next().unwrap_or("");
    let parts = numbers.split('.');
    let count = parts.clone().count();
    let digits = |part: &str| {
        !part.is_empty() && part.len() <= 5 && part.bytes().all(|b| b.is_ascii_digit())
    };
    let tail = &rest[numbers.len()..];
    let short = tail.len() <= 16 && !tail.contains(char::is_whitespace);
    (marked || count >= 3) && short && parts.into_iter().all(digits)
}

/// Returns whether a text names an image: `registry.example.org/maas:2.0`, `openstackhelm/heat:newton`.
fn is_image(text: &str) -> bool {
    let Some((path, name)) = text.rsplit_once('/') else {
        return false;
    };
    let (name, tag) = match (name.split_once("@sha256:"), name.split_once(':')) {
        (Some((name, digest)), _) => (name, Some(digest)),
        (None, Some((name, tag))) => (name, Some(tag)),
        (None, None) => (name, None),
    };
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-')
    };
    let host = path.split('/').next().unwrap_or("");
    let (host, port) = host.split_once(':').unwrap_or((host, ""));
    let rest = path.split('/').skip(1);
    let tagged = |tag: &str| {
        !tag.is_empty()
            && tag
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':' | b'@'))
    };
    let word = |part: &str| !part.is_empty() && part.bytes().all(plain);
    word(host)
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && rest.into_iter().all(word)
        && word(name)
        && match tag {
            Some(tag) => tagged(tag),
            None => host.contains('.'),
        }
}

/// Returns whether a text is a variable or a template and nothing else.
fn is_variable(text: &str) -> bool {
    let inner = ["${", "$("]
        .iter()
        .find_map(|start| text.strip_prefix(start));
    match inner {
        Some(inner) => inner.strip_suffix(['}', ')']).is_some_and(is_name),
        None => text.strip_prefix('$').is_some_and(|name| {
            is_name(name)
                && (name.len() == 1 || !name.bytes().any(|byte| byte.is_ascii_lowercase()))
        }),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.')
}

/// Returns whether a text is an address without a login.
#[must_use]
pub(super) fn is_address(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, rest)| {
        !rest.contains(['@', '?', '#', ' '])
            && scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'+')
    })
}

/// Returns whether what follows a key in a text is no value of its own: a template, a variable, a bracket.
#[must_use]
pub(super) fn is_template(value: &str) -> bool {
    let rest = value.as_bytes();
    match rest {
        [] => true,
        [b'$', b'{' | b'(', ..] | [b'{', b'{' | b'%', ..] | [b'#', b'{', ..] | [b'<', b'%', ..] => {
            true
        }
        [b'$', ..] => is_variable(
            value
                .split(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '$' | '_')))
                .next()
                .unwrap_or(""),
        ),
        [b'%', b'(', ..] => true,
        [b'<', ..] => value.ends_with('>'),
        // `{SHA}…` is a hash, `{a: b}` a mapping.
        [b'{', b'A'..=b'Z', ..] => !value.contains('}'),
        [b'{' | b'[' | b'(' | b'=', ..] => true,
        _ => false,
    }
}

/// Returns whether a text is a word of a sentence.
#[must_use]
pub(super) fn is_prose(word: &str) -> bool {
    word.bytes()
        .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'.' | b',' | b'\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_secret_is_known() {
        for text in [
            "registry.example.org/maas:2.0",
            "openstackhelm/heat:newton",
            "localhost:5000/x/y@sha256:00ff",
            "quay.io/airshipit/x",
            "both",
            "Yes",
            "v3",
            "v1.2.3",
            "1.2.3",
            "10.0.0.1",
            "10.0.0.0/8",
            "/etc/ceph/x.keyring",
            "./a/b",
            "${PASSWORD}",
            "$(PASSWORD)",
            "$PASSWORD",
            "$1",
            "",
        ] {
            assert!(cannot_be_secret(text), "{text}");
        }
        for text in [
            "hunter2",
            "hunter-two",
            "1234",
            "12.5",
            "/wJ4lrXUtnF3MIK7MDh9bPxRfi7Y1qT5vZ8/x",
            "/x",
            "a/b",
            "A/b:c",
            "$ecret",
            "$6$abc$def",
            "v",
            "vault",
            "onward",
            "user:pass",
        ] {
            assert!(!cannot_be_secret(text), "{text}");
        }
    }

    #[test]
    fn logins_are_known() {
        for text in [
            "cGxhaWNlLTM0",
            "admin:plaice",
            "Basic x",
            "dTpw=",
            "Token 77",
        ] {
            assert!(is_login(text) || text.len() < 8, "{text}");
        }
        for text in [
            "none",
            "keystone",
            "http://x:1/",
            "host:80",
            "v3",
            "RBAC",
            "AlwaysAllow",
            "user and group",
        ] {
            assert!(!is_login(text), "{text}");
        }
    }
}
