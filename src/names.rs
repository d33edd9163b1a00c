//! Names made from other names, and digests as text.

use sha2::{Digest, Sha256};

use crate::value::Text;

/// Longest value of a Kubernetes label, in characters.
const MAX_LABEL_VALUE: usize = 63;

/// Longest namespace that Kubernetes allows, in characters (DNS label).
pub(crate) const MAX_NAMESPACE: usize = 63;

/// Hexadecimal digits of a digest that tell two cut or changed names apart.
const SUFFIX_DIGITS: usize = 8;

/// Bytes that are gathered before they are hashed: many small pieces are slow.
const CHUNK: usize = 16 * 1024;

/// Returns a text as a DNS label of at most `max` characters: other characters become hyphens; what is cut
/// is replaced by a digest of the whole.
#[must_use]
pub(crate) fn slug(text: &str, max: usize) -> Text {
    let mut name = String::with_capacity(text.len());
    for c in text.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            name.push(c);
        } else if !name.ends_with('-') && !name.is_empty() {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    if name.is_empty() {
        return short_digest(text);
    }
    if name.len() <= max {
        return name.into();
    }
    let kept = name[..max - SUFFIX_DIGITS - 1].trim_end_matches('-');
    Text::from(format!("{kept}-{}", short_digest(text)))
}

/// Returns whether Kubernetes takes a text for a label's value that is not empty.
#[must_use]
pub(crate) fn is_label_value(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let edge = |c: char| c.is_ascii_alphanumeric();
    !text.is_empty()
        && text.len() <= MAX_LABEL_VALUE
        && text.chars().all(inner)
        && text.starts_with(edge)
        && text.ends_with(edge)
}

/// Returns whether a text is a DNS label of any length: lower-case letters, digits and inner hyphens.
#[must_use]
pub(crate) fn is_dns_label(label: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !label.is_empty()
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// Returns whether Kubernetes takes a text for the name of a namespace.
#[must_use]
pub(crate) fn is_namespace(text: &str) -> bool {
    text.len() <= MAX_NAMESPACE && is_dns_label(text)
}

/// Returns a text as a label value: unchanged if it is valid.
#[must_use]
pub(crate) fn label_value(text: &str) -> Text {
    if is_label_value(text) {
        text.into()
    } else {
        slug(text, MAX_LABEL_VALUE)
    }
}

/// Returns the first digits of a text's SHA-256.
pub(crate) fn short_digest(text: &str) -> Text {
    hex(&Sha256::digest(text.as_bytes()))[..SUFFIX_DIGITS].into()
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for digit in [byte >> 4, byte & 0xf] {
            text.extend(char::from_digit(u32::from(digit), 16));
        }
    }
    text
}

/// Feeds SHA-256 piece by piece; the caller separates the pieces.
#[derive(Default)]
pub(crate) struct Hasher {
    pending: Vec<u8>,
    sha: Sha256,
}

impl Hasher {
    /// Adds the bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= CHUNK {
            self.sha.update(&self.pending);
            self.pending.clear();
        }
    }

    /// Adds the bytes after their length, so that none runs into the next.
    pub(crate) fn sized(&mut self, bytes: &[u8]) {
        self.bytes(&(bytes.len() as u64).to_le_bytes());
        self.bytes(bytes);
    }

    /// Returns the digest: 64 digits.
    pub(crate) fn finish(mut self) -> String {
        self.sha.update(&self.pending);
        hex(&self.sha.finalize())
    }

    /// Returns the digest with its algorithm before it: `sha256:` and 64 digits.
    pub(crate) fn finish_named(self) -> Text {
        Text::from(format!("sha256:{}", self.finish()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_dns_labels() {
        assert_eq!(slug("openstack-helm", 63), "openstack-helm");
        assert_eq!(slug("../a/B_c", 63), "a-b-c");
        assert_eq!(slug("", 63).len(), 8);
        let long = slug(&"x".repeat(80), 20);
        assert_eq!(long.len(), 20);
        assert_ne!(long, slug(&"x".repeat(81), 20));
    }

    #[test]
    fn labels() {
        for good in ["a", "ucp-keystone", "0", "a1"] {
            assert!(is_dns_label(good) && is_label_value(good), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a/b", "..", "ä"] {
            assert!(!is_dns_label(bad), "{bad}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "a b",
            "a/b",
            ".a",
            "a_",
            "ä",
            &"a".repeat(64),
        ] {
            assert!(!is_label_value(bad) && !is_namespace(bad), "{bad}");
        }
        for good in ["A", "full-site_1.lab", &"a".repeat(63)] {
            assert!(is_label_value(good), "{good}");
        }
    }

    #[test]
    fn a_digest_does_not_depend_on_the_chunks() {
        let mut pieces = Hasher::default();
        for byte in "abc".bytes() {
            pieces.bytes(&[byte]);
        }
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(pieces.finish(), known);
        let mut long = Hasher::default();
        (0..CHUNK).for_each(|_| long.bytes(b"abc"));
        assert_eq!(
            long.finish(),
            hex(&Sha256::digest("abc".repeat(CHUNK).as_bytes()))
        );
    }
}
