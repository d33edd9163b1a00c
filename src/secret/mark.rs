//! Sets the sensitivity of the leaves of live objects, which are not read from documents.

use super::context::Below;
use crate::value::{Data, Mapping, Sensitivity, Value};

/// Annotation of client-side `kubectl apply`: the whole object once more, as text.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Sets the sensitivity of every leaf by the rules that apply to documents. That everything in a Secret is
/// sensitive is decided by the caller.
pub fn mark(value: &mut Value) {
    mark_below(value, Below::Open);
}

fn mark_below(value: &mut Value, below: Below) {
    match &mut value.data {
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => {
            value.sensitive = value.sensitive.max(below.leaf(&value.data));
        }
        Data::Sequence(items) => {
            let mut walk = below.items();
            let each: Vec<Below> = items.iter().map(|item| walk.next(item.as_str())).collect();
            for (item, below) in items.iter_mut().zip(each) {
                mark_below(item, below);
            }
        }
        Data::Mapping(mapping) => {
            let below = below.mapping(|key| mapping.get(key).is_some());
            let each: Vec<Below> = mapping
                .entries()
                .iter()
                .map(|entry| of_entry(mapping, below, &entry.key))
                .collect();
            for (entry, below) in mapping.entries_mut().make_mut().iter_mut().zip(each) {
                mark_below(&mut entry.value, below);
                if entry.key == LAST_APPLIED {
                    entry.value.sensitive = Sensitivity::Whole;
                }
            }
        }
    }
}

fn of_entry(mapping: &Mapping, below: Below, key: &str) -> Below {
    below.entry(key, |name| mapping.get(name).and_then(Value::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::{View, to_json};

    #[test]
    fn live_objects_are_marked_as_documents_are() {
        let text = br#"{"kind":"HelmRelease","metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}"}},
            "spec":{"secretRef":{"name":"pull"},"values":{"db":{"password":"x","port":1,"token":[7,true,null]},
            "url":"http://u:p@h"}}}"#;
        let mut value = Value::from_json(text).expect("JSON");
        mark(&mut value);
        assert_eq!(
            to_json(&value, View::Redacted),
            r#"{"kind":"HelmRelease","metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"***"}},"spec":{"secretRef":{"name":"pull"},"values":{"db":{"password":"***","port":1,"token":["***",true,null]},"url":"http://u:***@h"}}}"#
        );
    }
}
