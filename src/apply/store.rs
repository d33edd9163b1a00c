//! The objects that a watch has reported.

use std::collections::BTreeMap;

use crate::cluster::Event;
use crate::flux::Object;
use crate::gate::{Gate, Verdict, Watched};
use crate::value::Text;

/// The namespace and name of an object of one kind.
pub type Key = (Option<Text>, Text);

/// The objects of a watch, updated event by event.
#[derive(Clone, Debug, Default)]
pub struct Store {
    listed: bool,
    began_empty: bool,
    objects: BTreeMap<Key, Object>,
    gone: BTreeMap<Key, Object>,
}

impl Store {
    /// Updates the store with an event.
    pub fn take(&mut self, event: Event) {
        let key = |object: &Object| (object.namespace.clone(), object.name.clone());
        match event {
            Event::Listed(objects) => {
                let objects = objects.into_iter().map(|object| (key(&object), object));
                self.objects = objects.collect();
                self.began_empty |= !self.listed && self.objects.is_empty();
                self.listed = true;
            }
            Event::Changed(object) => {
                self.objects.insert(key(&object), object);
            }
            Event::Gone(object) => {
                self.objects.remove(&key(&object));
                self.gone.insert(key(&object), object);
            }
        }
    }

    /// Returns whether the first list has arrived.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.listed
    }

    /// Returns the current objects.
    #[must_use]
    pub fn objects(&self) -> &BTreeMap<Key, Object> {
        &self.objects
    }

    /// Evaluates a gate over the objects.
    #[must_use]
    pub fn verdict(&self, gate: &Gate) -> Verdict {
        gate.evaluate_watched(Watched {
            objects: self.objects.values().map(|object| &object.value),
            gone: self.gone.values().map(|object| &object.value),
            began_empty: self.began_empty,
        })
    }
}
