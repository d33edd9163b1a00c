//! What tells a rollout from another one.

use super::{DoneWhen, Item, OnFailure, Release, Rollout, Stage, Step};
use crate::emit::{View, write_canonical_json};
use crate::gate::{annotation, deletion};
use crate::names::Hasher;
use crate::value::Text;

/// A digest over everything that is sent and everything that is awaited, in order: `sha256:` and 64 digits.
#[must_use]
pub fn digest(rollout: &Rollout) -> Text {
    let Rollout { site, stages } = rollout;
    let mut hash = Pieces::default();
    hash.text(site);
    for Stage {
        number,
        name,
        steps,
    } in stages
    {
        hash.text("stage");
        hash.number(*number);
        hash.text(name);
        for Step { number, items } in steps {
            hash.text("step");
            hash.number(*number);
            items.iter().for_each(|item| hash.item(item));
        }
    }
    hash.finish()
}

/// Hashes texts, each with its length.
#[derive(Default)]
pub(super) struct Pieces(Hasher);

impl Pieces {
    pub(super) fn text(&mut self, text: &str) {
        self.0.sized(text.as_bytes());
    }

    fn number(&mut self, number: usize) {
        self.text(&number.to_string());
    }

    /// Everything about an item: the object as it is sent, and what is awaited.
    pub(super) fn item(&mut self, item: &Item) {
        let Item {
            object,
            done_when,
            timeout,
            on_failure,
        } = item;
        let mut json = String::new();
        // Clear: secrets belong to what is sent, and a digest shows none.
        write_canonical_json(&object.value, View::Clear, &mut json);
        self.text(&json);
        self.text(&timeout.to_string());
        self.text(match on_failure {
            OnFailure::Stop => "stop",
            OnFailure::Refuse => "refuse",
            OnFailure::Skip => "skip",
        });
        match done_when {
            DoneWhen::Applied => self.text("applied"),
            DoneWhen::KeysFilled(keys) => {
                self.text("filled");
                self.number(keys.len());
                keys.iter().for_each(|key| self.text(key));
            }
            DoneWhen::ArtifactReady { commit } => {
                self.text("artifact");
                self.optional(commit.as_ref());
            }
            DoneWhen::ReleaseReady(release) => self.release(release),
        }
    }

    fn release(&mut self, release: &Release) {
        let Release {
            name,
            storage,
            namespace,
            gates,
            pre_deletes,
            tested,
            unresolved,
        } = release;
        self.text("released");
        for text in [name, storage, namespace] {
            self.text(text);
        }
        self.number(gates.len());
        for gate in gates {
            self.text(&gate.namespace);
            self.text(&annotation::write(std::slice::from_ref(gate), gate.version));
        }
        self.text(&deletion::annotation::write(pre_deletes));
        self.text(if *tested { "tested" } else { "not tested" });
        self.optional(unresolved.as_ref());
    }

    fn optional(&mut self, text: Option<&Text>) {
        match text {
            None => self.text("none"),
            Some(text) => {
                self.text("some");
                self.text(text);
            }
        }
    }

    /// `sha256:` and 64 digits.
    pub(super) fn finish(self) -> Text {
        self.0.finish_named()
    }
}
