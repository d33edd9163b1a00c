//! Texts that kustomize-controller would rewrite.

use crate::flux::{Object, SUBSTITUTE_ANNOTATION};
use crate::value::{Data, Value};

/// The start of a variable of `postBuild` substitutions of a Kustomization.
const VARIABLE: &str = "${";

/// Keeps the texts of an object as they are: without this, a Kustomization with substitutions would put
/// its own text, or nothing, in place of every `${…}` in values.
pub(super) fn keep(object: &mut Object) {
    object.set_annotation(SUBSTITUTE_ANNOTATION, "disabled");
}

/// Returns whether there is a `${` in a key or a text.
pub(super) fn has_variable(value: &Value) -> bool {
    match &value.data {
        Data::String(text) => is_variable(text),
        Data::Sequence(items) => items.iter().any(has_variable),
        Data::Mapping(mapping) => mapping
            .entries()
            .iter()
            .any(|entry| is_variable(&entry.key) || has_variable(&entry.value)),
        Data::Null | Data::Bool(_) | Data::Number(_) => false,
    }
}

fn is_variable(text: &str) -> bool {
    // Few texts hold a `$`, and a search for a byte is faster than for a text.
    text.as_bytes().contains(&b'$') && text.contains(VARIABLE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Mapping;

    #[test]
    fn variables_are_found_in_keys_and_values() {
        let with = |key: &'static str, value: &str| -> Value {
            let inner: Mapping = [(key, Value::from(vec![Value::from(value)]))]
                .into_iter()
                .collect();
            inner.into()
        };
        assert!(has_variable(&with("a", "x ${HOME} y")));
        assert!(has_variable(&with("${a}", "x")));
        assert!(!has_variable(&with("a", "$HOME {{ x }} $(y)")));
    }
}
