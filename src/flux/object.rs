//! Objects of any kind as trees: what is written, compared and applied.

use crate::source::Span;
use crate::value::{Data, Mapping, Sensitivity, Text, Value};

use crate::secret;

use super::{
    Fields, HELM_GROUP, HELM_RELEASE, KUSTOMIZATION_NAME_LABEL, KUSTOMIZATION_NAMESPACE_LABEL,
    Metadata, ObjectMeta, SITE_LABEL, SOURCE_GROUP, TOOLKIT_DOMAIN,
};

/// A Kubernetes object of any kind, as a tree.
#[derive(Clone, Debug)]
pub struct Object {
    /// `group/version`, or `v1`.
    pub api_version: Text,
    /// Its kind.
    pub kind: Text,
    /// Its namespace; `None` for cluster-scoped kinds.
    pub namespace: Option<Text>,
    /// Its name.
    pub name: Text,
    /// The object with all fields.
    pub value: Value,
    /// The part of the input that it comes from.
    pub origin: Option<Span>,
}

impl Object {
    /// Assembles an object; `rest` is everything but apiVersion, kind and metadata.
    pub(super) fn new(
        api_version: &str,
        kind: &str,
        metadata: Metadata,
        mut rest: Mapping,
    ) -> Self {
        let namespace = metadata.namespace.clone();
        let name = metadata.name.clone();
        let mut value = Fields::default()
            .set("apiVersion", api_version)
            .set("kind", kind)
            .set("metadata", metadata.into_mapping())
            .mapping();
        value
            .entries_mut()
            .extend(std::mem::take(rest.entries_mut()));
        Self {
            api_version: api_version.into(),
            kind: kind.into(),
            namespace,
            name,
            value: value.into(),
            origin: None,
        }
    }

    /// Returns an object from an API server. Marks secrets by the names of its keys and by its kind.
    #[must_use]
    pub fn from_live(mut value: Value) -> Option<Self> {
        secret::mark(&mut value);
        Self::from_value(value)
    }

    /// Returns a tree as an object; `None` without apiVersion, kind and name. Marks secrets by its
    /// kind: everything in a Secret. Objects from a cluster go through [`Self::from_live`].
    #[must_use]
    pub fn from_value(mut value: Value) -> Option<Self> {
        let api_version = Text::from(value.text_at(&["apiVersion"])?);
        let kind = Text::from(value.text_at(&["kind"])?);
        let meta = ObjectMeta::of(&value);
        let name = Text::from(meta.name()?);
        let namespace = meta.namespace().map(Text::from);
        if kind == "Secret" && !api_version.contains('/') {
            for data in ["data", "stringData"] {
                let data = value.as_mapping_mut().and_then(|o| o.get_mut(data));
                if let Some(data) = data {
                    hide(data);
                }
            }
        }
        Some(Self {
            api_version,
            kind,
            namespace,
            name,
            value,
            origin: None,
        })
    }

    /// Returns its name in messages: `Kind namespace/name`, or `Kind name`.
    #[must_use]
    pub fn title(&self) -> String {
        title(&self.kind, self.namespace.as_deref(), &self.name)
    }

    /// Returns its identity: the version of its API is not part of it.
    #[must_use]
    pub fn key(&self) -> ObjectKey {
        ObjectKey {
            group: group(&self.api_version).into(),
            kind: self.kind.clone(),
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }

    /// Sets its span in the input.
    #[must_use]
    pub fn with_origin(mut self, origin: Span) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Returns whether it is a HelmRelease of Flux.
    #[must_use]
    pub fn is_helm_release(&self) -> bool {
        is_helm_release(&self.api_version, &self.kind)
    }

    /// Returns whether it is a source of Flux: a GitRepository, a HelmChart …
    #[must_use]
    pub fn is_source(&self) -> bool {
        group(&self.api_version) == SOURCE_GROUP
    }

    /// Returns whether one of Flux's controllers works on it.
    #[must_use]
    pub fn is_of_flux(&self) -> bool {
        group(&self.api_version).ends_with(TOOLKIT_DOMAIN)
    }

    /// Returns whether it is suspended.
    #[must_use]
    pub fn is_suspended(&self) -> bool {
        self.value.is_true_at(SUSPEND)
    }

    /// Returns its `metadata`.
    #[must_use]
    pub fn meta(&self) -> ObjectMeta<'_> {
        ObjectMeta::of(&self.value)
    }

    /// Returns its label `key`.
    #[must_use]
    pub fn label(&self, key: &str) -> Option<&str> {
        self.meta().label(key)
    }

    /// Returns its annotation `key`.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.meta().annotation(key)
    }

    /// Returns its generation; `None` for kinds that have none.
    #[must_use]
    pub fn generation(&self) -> Option<i64> {
        self.meta().generation()
    }

    /// Returns its UID, if an API server sent it.
    #[must_use]
    pub fn uid(&self) -> Option<&str> {
        self.meta().uid()
    }

    /// Returns whether it is being deleted.
    #[must_use]
    pub fn is_terminating(&self) -> bool {
        self.meta().is_terminating()
    }

    /// Returns the site that it belongs to.
    #[must_use]
    pub fn site(&self) -> Option<&str> {
        self.label(SITE_LABEL)
    }

    /// Returns the Kustomization of Flux that applied it, as `NAMESPACE/NAME`.
    #[must_use]
    pub fn kustomization(&self) -> Option<Text> {
        let namespace = self.label(KUSTOMIZATION_NAMESPACE_LABEL)?;
        let name = self.label(KUSTOMIZATION_NAME_LABEL)?;
        Some(Text::from(format!("{namespace}/{name}")))
    }

    /// Sets an annotation.
    pub fn set_annotation(&mut self, key: &str, value: impl Into<Text>) {
        self.mark("annotations", key, value.into());
    }

    /// Sets a label.
    pub fn set_label(&mut self, key: &str, value: impl Into<Text>) {
        self.mark("labels", key, value.into());
    }

    /// Sets the namespace.
    pub fn set_namespace(&mut self, namespace: Text) {
        if let Some(metadata) = self.metadata_mut() {
            metadata.insert("namespace", namespace.clone());
        }
        self.namespace = Some(namespace);
    }

    /// Returns the object with the UID and the version of `live`: the API server accepts its write only while `live` is
    /// what it holds.
    #[must_use]
    pub(crate) fn at_version_of(&self, live: &Self) -> Self {
        let mut object = self.clone();
        let meta = live.meta();
        if let Some(metadata) = object.metadata_mut() {
            let marks = [
                ("uid", meta.uid()),
                ("resourceVersion", meta.resource_version()),
            ];
            for (key, mark) in marks {
                if let Some(mark) = mark {
                    metadata.insert(key, Text::from(mark));
                }
            }
        }
        object
    }

    fn metadata_mut(&mut self) -> Option<&mut Mapping> {
        let object = self.value.as_mapping_mut()?;
        object.get_mut("metadata")?.as_mapping_mut()
    }

    fn mark(&mut self, marks: &'static str, key: &str, value: Text) {
        let Some(metadata) = self.metadata_mut() else {
            return;
        };
        if metadata.get(marks).is_none() {
            metadata.insert(marks, Mapping::new());
        }
        if let Some(marks) = metadata.get_mut(marks).and_then(Value::as_mapping_mut) {
            marks.insert(key, value);
        }
    }
}

/// The field that suspends the reconciliation of an object.
pub(crate) const SUSPEND: &[&str] = &["spec", "suspend"];

/// Returns whether an API version and a kind are those of a HelmRelease of Flux.
#[must_use]
pub(crate) fn is_helm_release(api_version: &str, kind: &str) -> bool {
    kind == HELM_RELEASE && group(api_version) == HELM_GROUP
}

/// A field that server-side apply would not receive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The field manager that holds it.
    pub manager: Text,
    /// The field, as the API server names it.
    pub field: Text,
}

/// Identity of an object in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectKey {
    /// API group; empty for the core.
    pub group: Text,
    /// Its kind.
    pub kind: Text,
    /// Its namespace; `None` for cluster-scoped kinds.
    pub namespace: Option<Text>,
    /// Its name.
    pub name: Text,
}

/// Returns the API group of `group/version`; empty for the core's `v1`.
#[must_use]
pub(crate) fn group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// `Kind namespace/name`, or `Kind name` of what has no namespace.
#[must_use]
pub(crate) fn title(kind: &str, namespace: Option<&str>, name: &str) -> String {
    match namespace {
        Some(namespace) => format!("{kind} {namespace}/{name}"),
        None => format!("{kind} {name}"),
    }
}

/// Makes every leaf sensitive.
pub(crate) fn hide(value: &mut Value) {
    match &mut value.data {
        Data::Sequence(items) => items.iter_mut().for_each(hide),
        Data::Mapping(mapping) => {
            let entries = mapping.entries_mut().make_mut().iter_mut();
            entries.for_each(|entry| hide(&mut entry.value));
        }
        Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => {
            value.sensitive = Sensitivity::Whole
        }
    }
}

/// Objects in the order in which they are written.
#[derive(Clone, Debug, Default)]
pub struct ObjectSet {
    objects: Vec<Object>,
}

impl ObjectSet {
    /// Returns the objects, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Object> {
        self.objects.iter()
    }

    /// Returns the object of that kind, namespace and name.
    #[must_use]
    pub fn get(&self, kind: &str, namespace: Option<&str>, name: &str) -> Option<&Object> {
        self.objects.iter().find(|object| {
            object.kind == kind && object.namespace.as_deref() == namespace && object.name == name
        })
    }

    /// Number of objects.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Returns whether the list is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }
}

impl IntoIterator for ObjectSet {
    type Item = Object;
    type IntoIter = std::vec::IntoIter<Object>;

    fn into_iter(self) -> Self::IntoIter {
        self.objects.into_iter()
    }
}

impl FromIterator<Object> for ObjectSet {
    fn from_iter<I: IntoIterator<Item = Object>>(objects: I) -> Self {
        Self {
            objects: objects.into_iter().collect(),
        }
    }
}

impl Extend<Object> for ObjectSet {
    fn extend<I: IntoIterator<Item = Object>>(&mut self, objects: I) {
        self.objects.extend(objects);
    }
}
