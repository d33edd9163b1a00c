//! Removes known secrets from texts of other programs: API errors quote what they refuse.

use std::collections::{BTreeSet, HashSet};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::value::{Data, Number, REDACTED, Value};

/// Shorter secrets are hidden only as whole words: hiding every `1` would hide the message.
const SHORTEST_ANYWHERE: usize = 4;

/// Parts of a secret of this length, in bytes, are hidden; shorter ones are ordinary words.
const FRAGMENT: usize = 12;

/// The secrets that must not be printed, in all spellings in which API servers quote them.
#[derive(Clone, Default)]
pub struct Scrubber {
    /// Each with whether it is hidden inside of words, too.
    known: BTreeSet<(String, bool)>,
    /// Their parts of [`FRAGMENT`] bytes, collected when the first text is scrubbed.
    fragments: OnceLock<HashSet<[u8; FRAGMENT]>>,
}

impl Scrubber {
    /// Collects the sensitive leaves of these trees: as they are, escaped, and in base64 as in Secrets.
    #[must_use]
    pub fn from_trees<'v>(trees: impl IntoIterator<Item = &'v Value>) -> Self {
        let mut scrubber = Self::default();
        for tree in trees {
            tree.for_each_leaf(&mut |leaf| {
                if !leaf.is_sensitive() {
                    return;
                }
                match &leaf.data {
                    Data::String(_) => super::hidden(leaf)
                        .into_iter()
                        .for_each(|part| scrubber.learn(part)),
                    Data::Number(Number::Int(int)) => scrubber.add(&int.to_string(), false),
                    Data::Number(Number::Big(digits)) => scrubber.add(digits, false),
                    Data::Number(Number::Float(float)) => scrubber.add(&float.to_string(), false),
                    Data::Null | Data::Bool(_) | Data::Sequence(_) | Data::Mapping(_) => {}
                }
            });
        }
        scrubber
    }

    /// Adds one secret.
    pub fn learn(&mut self, text: &str) {
        self.spellings(text);
        for line in text.lines().filter(|line| line.len() >= FRAGMENT) {
            self.spellings(line.trim());
        }
        let decoded = BASE64.decode(text).ok();
        if let Some(plain) = decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
            self.spellings(&plain);
        }
        self.add(&BASE64.encode(text), true);
    }

    fn spellings(&mut self, text: &str) {
        let anywhere = text.len() >= SHORTEST_ANYWHERE;
        self.add(text, anywhere);
        // Go's %q and JSON escape these alike.
        let escaped = text
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
            .replace('\t', "\\t");
        // Go's JSON escapes these as well.
        let html = escaped
            .replace('&', "\\u0026")
            .replace('<', "\\u003c")
            .replace('>', "\\u003e");
        self.add(&html, anywhere);
        self.add(&escaped, anywhere);
    }

    fn add(&mut self, text: &str, anywhere: bool) {
        if !text.is_empty() {
            self.known.insert((text.to_owned(), anywhere));
            self.fragments.take();
        }
    }

    /// Returns the text with [`REDACTED`] for every known secret, every long part of one, and every word that
    /// looks like a secret.
    #[must_use]
    pub(crate) fn scrub(&self, text: &str) -> String {
        let mut hidden = vec![false; text.len()];
        for (known, anywhere) in &self.known {
            for (at, found) in text.match_indices(known.as_str()) {
                let end = at + found.len();
                if *anywhere || stands_alone(text, at, end) {
                    hidden[at..end].fill(true);
                }
            }
        }
        self.hide_fragments(text.as_bytes(), &mut hidden);
        for part in super::text::parts(text) {
            hidden[part].fill(true);
        }
        let mut scrubbed = String::with_capacity(text.len());
        let mut inside = false;
        for (at, c) in text.char_indices() {
            // A fragment may begin or end inside of a character.
            let hide = hidden[at..at + c.len_utf8()].contains(&true);
            match (hide, inside) {
                (false, _) => scrubbed.push(c),
                (true, false) => scrubbed.push_str(REDACTED),
                (true, true) => {}
            }
            inside = hide;
        }
        scrubbed
    }

    fn hide_fragments(&self, text: &[u8], hidden: &mut [bool]) {
        let fragments = self.fragments.get_or_init(|| {
            self.known
                .iter()
                .flat_map(|(known, _)| known.as_bytes().windows(FRAGMENT))
                .filter_map(|part| part.try_into().ok())
                .collect()
        });
        for (at, window) in text.windows(FRAGMENT).enumerate() {
            if fragments.contains(window) {
                hidden[at..at + FRAGMENT].fill(true);
            }
        }
    }
}

/// Returns whether no letter or digit comes directly before or after.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Mapping, Sensitivity};

    fn scrubber(secrets: &[&str]) -> Scrubber {
        let mut scrubber = Scrubber::default();
        secrets.iter().for_each(|secret| scrubber.learn(secret));
        scrubber
    }

    #[test]
    fn only_sensitive_leaves_are_known() {
        let mut pin = Value::from(4711_i64);
        pin.sensitive = Sensitivity::Whole;
        let tree: Mapping = [("pin", pin), ("name", "keystone".into())]
            .into_iter()
            .collect();
        let tree = Value::from(tree);
        let scrubber = Scrubber::from_trees([&tree]);
        assert_eq!(
            scrubber.scrub("keystone: Invalid value: 4711: 47110 is too much"),
            "keystone: Invalid value: ***: 47110 is too much"
        );
    }

    #[test]
    fn the_longest_secret_wins_and_short_ones_stand_alone() {
        let scrubber = scrubber(&["hunter2", "hunter2-longer", "ab"]);
        assert_eq!(scrubber.scrub("hunter2-longer hunter2s"), "*** ***s");
        assert_eq!(
            scrubber.scrub("about \"ab\" and ab-c"),
            "about \"***\" and ***-c"
        );
    }

    #[test]
    fn spellings_of_servers_are_known() {
        let scrubber = scrubber(&["pass\"w<ord"]);
        for quoted in [
            r#"pass"w<ord"#,
            r#"pass\"w<ord"#,
            r#"pass\"w\u003cord"#,
            "cGFzcyJ3PG9yZA==",
        ] {
            assert_eq!(scrubber.scrub(&format!("value {quoted}.")), "value ***.");
        }
        assert_eq!(
            super::tests::scrubber(&["aHVudGVyMg=="]).scrub("hunter2"),
            "***"
        );
    }

    #[test]
    fn parts_of_long_secrets_and_lines_of_them_are_hidden() {
        let scrubber = scrubber(&["-----BEGIN KEY-----\nline of the key 1\nlïne of the key 2\n"]);
        assert_eq!(scrubber.scrub("got line of the key 1"), "got ***");
        assert_eq!(scrubber.scrub("got ïne of the ke..."), "got ***...");
    }

    #[test]
    fn what_is_learnt_later_is_hidden_too() {
        let mut scrubber = scrubber(&["first-long-secret"]);
        assert_eq!(scrubber.scrub("got long-secret-1"), "got long-secret-1");
        scrubber.learn("second-long-secret");
        assert_eq!(scrubber.scrub("got second-long-sec"), "got ***");
    }

    #[test]
    fn unknown_secrets_are_seen_by_their_looks() {
        let scrubber = Scrubber::default();
        assert_eq!(
            scrubber.scrub("cannot fetch \"https://u:pw@host/x\": gone"),
            "cannot fetch \"https://u:***@host/x\": gone"
        );
        let plain = "Operation cannot be fulfilled on helmreleases.helm.toolkit.fluxcd.io \"a\"";
        assert_eq!(scrubber.scrub(plain), plain);
    }
}
