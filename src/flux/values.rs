//! `Secret` and `ConfigMap` that hold values of a release.

use crate::value::{Mapping, Sensitivity, Text, Value};

use super::{Fields, Metadata, Object};

/// Key of the values: helm-controller's default.
pub(crate) const VALUES_KEY: &str = "values.yaml";

/// Kinds of object that values may come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValuesKind {
    /// `Secret`
    Secret,
    /// `ConfigMap`
    ConfigMap,
}

impl ValuesKind {
    /// Returns the kind's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ValuesKind::Secret => "Secret",
            ValuesKind::ConfigMap => "ConfigMap",
        }
    }
}

/// Values outside the HelmRelease. They never change: other values are another object under another name, so
/// that the spec of the HelmRelease changes with them and its order holds.
#[derive(Clone, Debug)]
pub struct Values {
    /// Name, namespace and marks.
    pub metadata: Metadata,
    /// The object that holds them.
    pub kind: ValuesKind,
    /// The values as YAML.
    pub text: Text,
    /// Whether the text must never be shown.
    pub sensitive: bool,
}

impl From<Values> for Object {
    fn from(values: Values) -> Self {
        let Values {
            metadata,
            kind,
            text,
            sensitive,
        } = values;
        let mut text = Value::from(text);
        if sensitive {
            text.sensitive = Sensitivity::Whole;
        }
        let data: Mapping = [(VALUES_KEY, text)].into_iter().collect();
        let rest = match kind {
            ValuesKind::Secret => Fields::default()
                .set("type", "Opaque")
                .set("immutable", true)
                .set("stringData", data),
            ValuesKind::ConfigMap => Fields::default().set("immutable", true).set("data", data),
        };
        Object::new("v1", kind.name(), metadata, rest.mapping())
    }
}
