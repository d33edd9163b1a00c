//! Reads, patches, deletes, creates and replaces an object by its name.

use std::fmt;

use super::answer::{Answer, INVALID};
use super::call::Call;
use super::kind::{KindRef, is_path_segment};
use super::{Cause, Cluster, Error, FIELD_MANAGER, received};
use crate::emit::{View, to_json};
use crate::flux::Object;
use crate::flux::object::title;
use crate::secret::Scrubber;
use crate::value::{Mapping, Text, Value};

/// The server's reason for an object that exists already.
const ALREADY_EXISTS: &str = "AlreadyExists";

/// Parts of the server's message when an object has another UID than the request (Kubernetes:
/// `rest.BeforeDelete`, `storage.Preconditions`).
const ANOTHER_UID: [&str; 2] = ["UID in the precondition", "UID in precondition"];

/// A reference to an object in a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// `group/version`, or `v1`.
    pub api_version: Text,
    /// The kind.
    pub kind: Text,
    /// The namespace; `None` for cluster-scoped kinds.
    pub namespace: Option<Text>,
    /// The name.
    pub name: Text,
}

impl From<&Object> for ObjectRef {
    fn from(object: &Object) -> Self {
        Self {
            api_version: object.api_version.clone(),
            kind: object.kind.clone(),
            namespace: object.namespace.clone(),
            name: object.name.clone(),
        }
    }
}

/// Formats a reference as `Kind namespace/name`, or `Kind name`.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&title(&self.kind, self.namespace.as_deref(), &self.name))
    }
}

/// The result of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deleted {
    /// The deletion is accepted. The object is gone when its finalizers are done.
    Done,
    /// The object does not exist.
    NotThere,
    /// An object of this name exists, but with another UID.
    AnotherUid,
}

/// The result of creating an object.
#[derive(Clone, Debug)]
pub enum Created {
    /// The object is created; as it is stored.
    Done(Box<Object>),
    /// An object of this name exists. If the connection broke in between, this request may have created it.
    Exists,
}

/// The result of replacing an object, or of changing one version of it.
#[derive(Clone, Debug)]
pub enum Replaced {
    /// The object is replaced; as it is stored.
    Done(Box<Object>),
    /// The object has another version than the request, or is gone. If the connection broke in between, this
    /// request may have replaced it.
    Conflict,
    /// The object does not exist.
    NotThere,
}

/// The part of an object that a patch changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Whole,
    Status,
}

impl Cluster {
    /// Reads an object; `None` when it does not exist.
    ///
    /// # Errors
    ///
    /// When the kind is not served, may not be read, or the server does not answer.
    pub async fn read(&self, target: &ObjectRef) -> Result<Option<Object>, Error> {
        let act = format!("read {target}");
        let kind = self.kind_of(&act, target).await?;
        let path = kind.path_of(target.namespace.as_deref(), &target.name);
        let answer = self.send(&act, &Call::get(path)).await?;
        self.object(&Scrubber::default(), &act, target, answer)
    }

    /// Changes an object by a JSON merge patch (RFC 7386). Returns the changed object; `None` when it does
    /// not exist. A patch with `metadata.resourceVersion` applies to that version only; for other versions
    /// the server answers 409.
    ///
    /// # Errors
    ///
    /// When the patch is refused, the kind is not served, or the server does not answer; whether it was
    /// written is not known then.
    pub async fn patch(&self, target: &ObjectRef, patch: &Value) -> Result<Option<Object>, Error> {
        self.patch_part(Part::Whole, target, patch).await
    }

    /// Changes the status of an object; see [`Cluster::patch`].
    ///
    /// # Errors
    ///
    /// As [`Cluster::patch`].
    pub async fn patch_status(
        &self,
        target: &ObjectRef,
        patch: &Value,
    ) -> Result<Option<Object>, Error> {
        self.patch_part(Part::Status, target, patch).await
    }

    /// Changes an object as [`Cluster::patch`] does, but only the version that `live` is.
    ///
    /// # Errors
    ///
    /// As [`Cluster::patch`].
    pub(crate) async fn patch_version(
        &self,
        live: &Object,
        mut patch: Mapping,
    ) -> Result<Replaced, Error> {
        let target = ObjectRef::from(live);
        let act = format!("patch {target}");
        if let Some(version) = version(live) {
            let bound: Mapping = [("resourceVersion", Value::from(version))]
                .into_iter()
                .collect();
            patch.insert("metadata", bound);
        }
        let patch = Value::from(patch);
        let answer = self.send_patch(&act, Part::Whole, &target, &patch).await?;
        self.bound(&Scrubber::from_trees([&patch]), &act, &target, answer)
    }

    async fn patch_part(
        &self,
        part: Part,
        target: &ObjectRef,
        patch: &Value,
    ) -> Result<Option<Object>, Error> {
        let act = match part {
            Part::Whole => format!("patch {target}"),
            Part::Status => format!("patch the status of {target}"),
        };
        let answer = self.send_patch(&act, part, target, patch).await?;
        self.object(&Scrubber::from_trees([patch]), &act, target, answer)
    }

    async fn send_patch(
        &self,
        act: &str,
        part: Part,
        target: &ObjectRef,
        patch: &Value,
    ) -> Result<Answer, Error> {
        let part = match part {
            Part::Whole => "",
            Part::Status => "/status",
        };
        let kind = self.kind_of(act, target).await?;
        let path = format!(
            "{}{part}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict",
            kind.path_of(target.namespace.as_deref(), &target.name)
        );
        let body = to_json(patch, View::Clear);
        self.send(act, &Call::merge_patch(path, body)).await
    }

    /// Deletes an object if its UID is `uid`. Kubernetes deletes its dependents in the background.
    ///
    /// # Errors
    ///
    /// When it may not be deleted, the kind is not served, or the server does not answer; whether it was
    /// deleted is not known then.
    pub async fn delete(&self, target: &ObjectRef, uid: &str) -> Result<Deleted, Error> {
        let act = format!("delete {target}");
        let kind = self.kind_of(&act, target).await?;
        let path = kind.path_of(target.namespace.as_deref(), &target.name);
        let preconditions: Mapping = [("uid", Value::from(uid))].into_iter().collect();
        let options: Mapping = [
            ("apiVersion", Value::from("v1")),
            ("kind", "DeleteOptions".into()),
            ("propagationPolicy", "Background".into()),
            ("preconditions", preconditions.into()),
        ]
        .into_iter()
        .collect();
        let body = to_json(&options.into(), View::Clear);
        let answer = self.send(&act, &Call::delete(path, body)).await?;
        match answer.status {
            200..300 => Ok(Deleted::Done),
            404 if !answer.is_unknown_path() => Ok(Deleted::NotThere),
            409 if names_another_uid(answer.raw_message()) => Ok(Deleted::AnotherUid),
            _ => Err(self.refused(&act, &answer)),
        }
    }

    /// Creates an object.
    ///
    /// # Errors
    ///
    /// When it is refused, its namespace does not exist, the kind is not served, or the server does not
    /// answer; whether it was created is not known then.
    pub async fn create(&self, object: &Object) -> Result<Created, Error> {
        let target = ObjectRef::from(object);
        let act = format!("create {target}");
        let kind = self.kind_of(&act, &target).await?;
        let path = format!(
            "{}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict",
            kind.path(target.namespace.as_deref())
        );
        let body = to_json(&object.value, View::Clear);
        let answer = self.send(&act, &Call::post(path, body)).await?;
        if answer.status == 409 && answer.reason() == ALREADY_EXISTS {
            return Ok(Created::Exists);
        }
        let secrets = Scrubber::from_trees([&object.value]);
        if !answer.is_success() {
            return Err(self.refused_without(&secrets, &act, &answer));
        }
        match received::read(&target.api_version, &target.kind, answer.value) {
            Some(object) => Ok(Created::Done(Box::new(object))),
            None => Err(self.no_object(&act)),
        }
    }

    /// Replaces an object if it has the version that `metadata.resourceVersion` names.
    ///
    /// # Errors
    ///
    /// When it names no version, is refused, the kind is not served, or the server does not answer; whether
    /// it was written is not known then.
    pub async fn replace(&self, object: &Object) -> Result<Replaced, Error> {
        let target = ObjectRef::from(object);
        let act = format!("replace {target}");
        let kind = self.kind_of(&act, &target).await?;
        if version(object).is_none() {
            let cause = Cause::Refused {
                code: INVALID,
                message: "it has no resourceVersion".to_owned(),
            };
            return Err(self.failed(&act, cause));
        }
        let path = format!(
            "{}?fieldManager={FIELD_MANAGER}&fieldValidation=Strict",
            kind.path_of(target.namespace.as_deref(), &target.name)
        );
        let body = to_json(&object.value, View::Clear);
        let answer = self.send(&act, &Call::put(path, body)).await?;
        let secrets = Scrubber::from_trees([&object.value]);
        self.bound(&secrets, &act, &target, answer)
    }

    /// Returns the result of a write that was bound to a version.
    fn bound(
        &self,
        secrets: &Scrubber,
        act: &str,
        target: &ObjectRef,
        answer: Answer,
    ) -> Result<Replaced, Error> {
        if answer.status == 409 {
            return Ok(Replaced::Conflict);
        }
        let object = self.object(secrets, act, target, answer)?;
        Ok(object.map_or(Replaced::NotThere, |object| {
            Replaced::Done(Box::new(object))
        }))
    }

    /// Returns the kind of an object; fails if its names are not valid in a path.
    async fn kind_of(&self, act: &str, target: &ObjectRef) -> Result<KindRef, Error> {
        let names = [Some(&target.name), target.namespace.as_ref()];
        if let Some(name) = names
            .into_iter()
            .flatten()
            .find(|name| !is_path_segment(name))
        {
            let cause = Cause::Refused {
                code: INVALID,
                message: format!("`{name}` is not a valid name"),
            };
            return Err(self.failed(act, cause));
        }
        let kind = self.kind(&target.api_version, &target.kind).await?;
        kind.ok_or_else(|| self.failed(act, Cause::NotServed))
    }

    /// Returns the object of an answer, `None` when it does not exist.
    fn object(
        &self,
        secrets: &Scrubber,
        act: &str,
        target: &ObjectRef,
        answer: Answer,
    ) -> Result<Option<Object>, Error> {
        if answer.status == 404 && !answer.is_unknown_path() {
            return Ok(None);
        }
        if !answer.is_success() {
            return Err(self.refused_without(secrets, act, &answer));
        }
        match received::read(&target.api_version, &target.kind, answer.value) {
            Some(object) => Ok(Some(object)),
            None => Err(self.no_object(act)),
        }
    }
}

/// Whether the server refuses a request since it names another UID than that of the object.
pub(super) fn names_another_uid(message: &str) -> bool {
    ANOTHER_UID.iter().any(|part| message.contains(part))
}

/// Returns the resource version of an object.
pub(super) fn version(object: &Object) -> Option<&str> {
    let version = object.meta().resource_version();
    version.filter(|version| !version.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_called_as_their_objects_are() {
        let text =
            br#"{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"a","namespace":"n"}}"#;
        let object = Object::from_value(Value::from_json(text).expect("JSON")).expect("an object");
        let target = ObjectRef::from(&object);
        assert_eq!(target.to_string(), object.title());
        let node = ObjectRef {
            namespace: None,
            ..target
        };
        assert_eq!(node.to_string(), "Job a");
    }
}
