//! Sets the sensitivity bit in live objects, which are not read from documents.

use super::{key_names_secret, text_looks_secret};
use crate::value::{Data, Value};

/// Annotation of client-side `kubectl apply`: the whole object once more, as text.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Sets the bit of every leaf below a key that names a secret, and of texts that look like one: the rules
/// that apply to documents. That everything in a Secret is sensitive is decided by the caller.
///
/// References are names, not secrets, so nothing below a key such as `secretRef` counts for its key.
pub fn mark(value: &mut Value) {
    mark_below(value, false);
}

fn mark_below(value: &mut Value, secret: bool) {
    match &mut value.data {
        Data::Null | Data::Bool(_) => {}
        Data::Number(_) => value.sensitive |= secret,
        Data::String(text) => value.sensitive |= secret || text_looks_secret(text),
        Data::Sequence(items) => items.iter_mut().for_each(|item| mark_below(item, secret)),
        Data::Mapping(mapping) => {
            for entry in mapping.entries_mut().make_mut() {
                let named = !refers(&entry.key, &entry.value) && key_names_secret(&entry.key)
                    || entry.key == LAST_APPLIED;
                mark_below(&mut entry.value, secret || named);
            }
        }
    }
}

/// Returns whether an entry is a reference such as `secretRef: {name: …}`.
fn refers(key: &str, value: &Value) -> bool {
    let parts = ["apiVersion", "kind", "name", "namespace", "key", "optional"];
    key.ends_with("Ref")
        && value.as_mapping().is_some_and(|mapping| {
            let mut entries = mapping.entries().iter();
            entries.all(|entry| parts.contains(&entry.key.as_str()))
        })
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
            r#"{"kind":"HelmRelease","metadata":{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"***"}},"spec":{"secretRef":{"name":"pull"},"values":{"db":{"password":"***","port":1,"token":["***",true,null]},"url":"***"}}}"#
        );
    }
}
