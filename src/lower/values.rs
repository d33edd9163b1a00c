//! Where values are written: in the HelmRelease, or in objects that it names.

use crate::emit::{self, View};
use crate::flux::values::{Values, ValuesKind};
use crate::flux::{Metadata, Object, PRUNE_ANNOTATION, SITE_LABEL};
use crate::plan::Release;
use crate::secret;
use crate::value::{Data, Entry, Mapping, Text, Value};

use super::{fingerprint, substitution};

/// Digits of the digest in a name: enough that other values never meet an object that cannot change.
const NAME_DIGITS: usize = 16;

/// Where values are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ValuesIn {
    /// In the HelmRelease.
    #[default]
    Inline,
    /// In the HelmRelease; what is secret in a Secret. Lists are not merged by Helm, so a list with a secret
    /// in it goes there whole.
    SplitSecrets,
    /// In a Secret.
    Secret,
    /// In a ConfigMap.
    ConfigMap,
    /// In a ConfigMap; what is secret in a Secret, as [`ValuesIn::SplitSecrets`] does.
    ConfigMapAndSecret,
}

impl ValuesIn {
    /// Returns whether secret values are in a Secret, so that the rest may be public.
    #[must_use]
    pub fn keeps_secrets_apart(self) -> bool {
        match self {
            ValuesIn::Inline | ValuesIn::ConfigMap => false,
            ValuesIn::SplitSecrets | ValuesIn::Secret | ValuesIn::ConfigMapAndSecret => true,
        }
    }
}

/// Values, placed.
#[derive(Debug, Default)]
pub(super) struct Placed {
    /// The values in the HelmRelease.
    pub(super) inline: Option<Value>,
    /// Objects that hold the rest, in the order in which Flux merges them.
    pub(super) objects: Vec<Object>,
}

/// Places the values of a release.
pub(super) fn place(
    values: Option<Value>,
    place: ValuesIn,
    release: &Release<'_, '_>,
    site: &Text,
) -> Placed {
    let Some(mut values) = values else {
        return Placed::default();
    };
    let object = |kind, values: &Value| self::object(kind, values, release, site);
    let mut objects = Vec::new();
    let Some(mapping) = values.as_mapping_mut().filter(|values| !values.is_empty()) else {
        return Placed {
            inline: Some(values),
            objects,
        };
    };
    let split = matches!(place, ValuesIn::SplitSecrets | ValuesIn::ConfigMapAndSecret);
    let secrets = if split {
        take_secrets(mapping)
    } else {
        Mapping::new()
    };
    if split {
        hide_comments(&mut values);
    }
    let inline = match place {
        ValuesIn::Inline | ValuesIn::SplitSecrets => Some(values),
        ValuesIn::Secret => {
            objects.push(object(ValuesKind::Secret, &values));
            None
        }
        ValuesIn::ConfigMap | ValuesIn::ConfigMapAndSecret => {
            objects.push(object(ValuesKind::ConfigMap, &values));
            None
        }
    };
    if !secrets.is_empty() {
        objects.push(object(ValuesKind::Secret, &secrets.into()));
    }
    Placed { inline, objects }
}

fn object(kind: ValuesKind, values: &Value, release: &Release<'_, '_>, site: &Text) -> Object {
    let digest = fingerprint::of_value(values);
    let digits = digest.get(..NAME_DIGITS).unwrap_or(&digest);
    let mut object = Object::from(Values {
        metadata: Metadata {
            name: Text::from(format!("{}-values-{digits}", release.name)),
            namespace: Some(release.namespace.clone()),
            labels: vec![(SITE_LABEL.into(), site.clone())],
            // Flux cannot reconcile a release whose values are gone.
            annotations: vec![(PRUNE_ANNOTATION.into(), "disabled".into())],
        },
        kind,
        text: emit::to_yaml(values, View::Clear).into(),
        sensitive: kind == ValuesKind::Secret || values.sensitive_leaves() > 0,
    });
    if substitution::has_variable(&object.value) {
        substitution::keep(&mut object);
    }
    object.with_origin(release.chart.head.name.span)
}

/// Moves secret values out of a mapping, with the keys that lead to them.
fn take_secrets(values: &mut Mapping) -> Mapping {
    let mut secrets = Mapping::new();
    let all = std::mem::take(values.entries_mut());
    for mut entry in all {
        if let Some(inner) = entry.value.as_mapping_mut() {
            let taken = take_secrets(inner);
            if !taken.is_empty() {
                secrets.push(Entry {
                    key: entry.key.clone(),
                    key_span: entry.key_span,
                    value: taken.into(),
                });
            }
            values.push(entry);
        } else if entry.value.sensitive_leaves() > 0 {
            secrets.push(entry);
        } else {
            values.push(entry);
        }
    }
    secrets
}

/// Removes comments that may hold a secret: an old password is one, too.
fn hide_comments(value: &mut Value) {
    if let Some(notes) = &mut value.notes {
        notes
            .above
            .retain(|comment| !secret::comment_looks_secret(comment));
        notes
            .below
            .retain(|comment| !secret::comment_looks_secret(comment));
        notes
            .trailing
            .take_if(|comment| secret::comment_looks_secret(comment));
    }
    match &mut value.data {
        Data::Sequence(items) => items.iter_mut().for_each(hide_comments),
        Data::Mapping(mapping) => {
            let entries = mapping.entries_mut().make_mut().iter_mut();
            entries.for_each(|entry| hide_comments(&mut entry.value));
        }
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Sensitivity;

    fn map(entries: Vec<(&'static str, Value)>) -> Value {
        entries.into_iter().collect::<Mapping>().into()
    }

    fn secret(text: &str) -> Value {
        let mut value = Value::from(text);
        value.sensitive = Sensitivity::Whole;
        value
    }

    /// As helm-controller merges: mappings key by key, anything else whole.
    fn merge(under: &mut Mapping, over: Mapping) {
        let mut over = over;
        for Entry { key, value, .. } in std::mem::take(over.entries_mut()) {
            let below = under.get_mut(&key).and_then(Value::as_mapping_mut);
            match (below, value.data) {
                (Some(below), Data::Mapping(inner)) => merge(below, inner),
                (_, data) => under.insert(key, Value::from(data)),
            }
        }
    }

    #[test]
    fn a_split_merges_to_what_it_was() {
        let all = map(vec![
            ("plain", "x".into()),
            ("password", secret("one")),
            ("empty", map(vec![])),
            ("only", map(vec![("token", secret("two"))])),
            (
                "deep",
                map(vec![
                    (
                        "a",
                        map(vec![("key", secret("three")), ("b", Value::null())]),
                    ),
                    (
                        "list",
                        vec![map(vec![("pw", secret("four")), ("n", true.into())])].into(),
                    ),
                    ("lists", vec![Value::from("x")].into()),
                ]),
            ),
            ("unset", secret("")),
        ]);
        let mut rest = all.clone();
        let secrets = take_secrets(rest.as_mapping_mut().expect("a mapping"));
        assert_eq!(rest.sensitive_leaves(), 0);
        let mut merged = secrets.clone();
        let Data::Mapping(rest) = rest.data else {
            panic!("a mapping")
        };
        merge(&mut merged, rest);
        let sorted = |value: &Value| {
            let mut text = String::new();
            emit::write_canonical_json(value, View::Clear, &mut text);
            text
        };
        let parsed = |text: &str| serde_json::from_str::<serde_json::Value>(text).expect("JSON");
        assert_eq!(parsed(&sorted(&merged.into())), parsed(&sorted(&all)));
        let secrets = Value::from(secrets);
        assert_eq!(secrets.sensitive_leaves(), 4);
        assert!(secrets.at(&["deep", "lists"]).is_none());
    }
}
