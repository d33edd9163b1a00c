//! `metadata` of an object: read from a tree, or written.

use super::{Fields, text_mapping};
use crate::value::{Entry, Mapping, Text, Value};

/// `metadata` of an object of any kind. Every field may be absent.
#[derive(Clone, Copy, Debug)]
pub struct ObjectMeta<'v>(Option<&'v Value>);

impl<'v> ObjectMeta<'v> {
    /// Finds `metadata` in a whole object.
    #[must_use]
    pub fn of(object: &'v Value) -> Self {
        Self(object.at(&["metadata"]))
    }

    fn text(self, key: &str) -> Option<&'v str> {
        self.0?.text_at(&[key])
    }

    /// Returns the object's name.
    #[must_use]
    pub fn name(self) -> Option<&'v str> {
        self.text("name")
    }

    /// Returns the object's namespace.
    #[must_use]
    pub fn namespace(self) -> Option<&'v str> {
        self.text("namespace")
    }

    /// Returns the label `key`.
    #[must_use]
    pub fn label(self, key: &str) -> Option<&'v str> {
        self.0?.text_at(&["labels", key])
    }

    /// Returns all labels in order.
    #[must_use]
    pub fn labels(self) -> &'v [Entry] {
        let labels = self.0.and_then(|metadata| metadata.at(&["labels"]));
        labels
            .and_then(Value::as_mapping)
            .map_or(&[], |labels| labels.entries())
    }

    /// Returns the annotation `key`.
    #[must_use]
    pub fn annotation(self, key: &str) -> Option<&'v str> {
        self.0?.text_at(&["annotations", key])
    }

    /// Returns the generation; `None` for kinds that have none.
    #[must_use]
    pub fn generation(self) -> Option<i64> {
        self.0?.int_at(&["generation"])
    }

    /// Returns the UID.
    #[must_use]
    pub fn uid(self) -> Option<&'v str> {
        self.text("uid")
    }

    /// Returns the version of the object, or of the list, that the API server sent.
    #[must_use]
    pub fn resource_version(self) -> Option<&'v str> {
        self.text("resourceVersion")
    }

    /// Returns the time at which the object was created.
    #[must_use]
    pub fn creation_timestamp(self) -> Option<&'v str> {
        self.text("creationTimestamp")
    }

    /// Returns the token of a list's next page, as the API server sent it.
    #[must_use]
    pub fn continue_token(self) -> Option<&'v str> {
        self.text("continue")
    }

    /// Returns the entries of `managedFields`.
    #[must_use]
    pub fn managed_fields(self) -> &'v [Value] {
        self.0
            .map_or(&[], |metadata| metadata.items_at(&["managedFields"]))
    }

    /// Reports whether the object is being deleted.
    #[must_use]
    pub fn is_terminating(self) -> bool {
        self.0
            .is_some_and(|metadata| metadata.at(&["deletionTimestamp"]).is_some())
    }
}

/// The `metadata` of an object that is written.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// Its name.
    pub name: Text,
    /// Its namespace; `None` for cluster-scoped kinds.
    pub namespace: Option<Text>,
    /// Labels, in order.
    pub labels: Vec<(Text, Text)>,
    /// Annotations, in order.
    pub annotations: Vec<(Text, Text)>,
}

impl Metadata {
    pub(super) fn into_mapping(self) -> Mapping {
        let Self {
            name,
            namespace,
            labels,
            annotations,
        } = self;
        Fields::default()
            .set("name", name)
            .set_some("namespace", namespace)
            .set_filled("labels", text_mapping(labels))
            .set_filled("annotations", text_mapping(annotations))
            .mapping()
    }
}
