//! What a watch has shown so far.

use std::collections::BTreeMap;

use crate::cluster::Event;
use crate::flux::Object;
use crate::gate::{Gate, Verdict, Watched};
use crate::value::Text;

/// Namespace and name of an object of one kind.
pub type Key = (Option<Text>, Text);

/// The objects of one kind, event by event.
#[derive(Clone, Debug, Default)]
pub struct Store {
    listed: bool,
    began_empty: bool,
    objects: BTreeMap<Key, Object>,
    gone: BTreeMap<Key, Object>,
}

impl Store {
    /// Takes an event in.
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

    /// Whether the first list has come: nothing is known before.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        self.listed
    }

    /// The objects as they are now.
    #[must_use]
    pub fn objects(&self) -> &BTreeMap<Key, Object> {
        &self.objects
    }

    /// What a gate says of them.
    #[must_use]
    pub fn verdict(&self, gate: &Gate) -> Verdict {
        gate.evaluate_watched(Watched {
            objects: self.objects.values().map(|object| &object.value),
            gone: self.gone.values().map(|object| &object.value),
            began_empty: self.began_empty,
        })
    }
}
