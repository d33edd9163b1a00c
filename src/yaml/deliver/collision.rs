//! Settles keys that differ in the manifest and are the same key in Helm.

use super::Walk;
use super::key::{Key, KeyType};
use crate::diagnostic::{Code, Diagnostic};
use crate::value::Mapping;

/// Adds the key to the list, once the mapping has a key that may be equal to another.
///
/// `mapping` holds the entries before it. Most mappings never need the list.
pub(super) fn remember(keys: &mut Vec<Key>, mapping: &Mapping, key: &Key) {
    if keys.is_empty() {
        if !key.changed {
            return;
        }
        for entry in mapping.entries() {
            keys.push(Key {
                text: entry.key.clone(),
                kind: KeyType::String,
                sorted_as: Some(entry.key.clone()),
                span: entry.key_span.unwrap_or(key.span),
                changed: false,
            });
        }
    }
    keys.push(key.clone());
}

impl Walk<'_, '_> {
    /// Keeps one entry for each text, with a warning about the others. `keys` are the keys of all entries.
    pub(super) fn settle_collisions(&mut self, mut mapping: Mapping, keys: &[Key]) -> Mapping {
        // `safe_dump` sorts entries if Python can compare all the keys, and go-yaml keeps the last.
        let sorted = keys.iter().all(|key| key.sorted_as.is_some());
        let mut order: Vec<usize> = (0..keys.len()).collect();
        order.sort_by_key(|&at| (&keys[at].text, sorted.then_some(&keys[at].sorted_as), at));
        let mut lost = vec![false; keys.len()];
        for group in order.chunk_by(|&a, &b| keys[a].text == keys[b].text) {
            let Some((&winner, losers)) = group.split_last() else {
                continue;
            };
            for &loser in losers {
                lost[loser] = true;
                self.collision(&keys[winner], &keys[loser]);
            }
        }
        let mut lost = lost.into_iter();
        mapping
            .entries_mut()
            .retain(|_| !lost.next().unwrap_or(false));
        mapping
    }

    fn collision(&mut self, winner: &Key, loser: &Key) {
        // In Go the two are different keys before they are converted to text, and Go iterates over maps in
        // random order.
        let random = winner.kind != loser.kind || winner.kind != KeyType::Bool;
        let (message, kept, help) = if random {
            (
                format!(
                    "two keys become `{}`, of which Helm keeps one at random",
                    winner.text
                ),
                "this one is written",
                "check the values of the release, then remove one of the entries",
            )
        } else {
            (
                format!(
                    "two keys become `{}`, of which Helm keeps the one written last",
                    winner.text
                ),
                "Armada wrote this one last",
                "remove the other entry",
            )
        };
        if self.already_reported {
            return;
        }
        let diagnostic = Diagnostic::new(Code::KeyCollision, message);
        self.diagnostics.push(
            diagnostic
                .at(winner.span, kept)
                .at(loser.span, "the other one")
                .help(help),
        );
    }
}
