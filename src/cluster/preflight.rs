//! Looking before the first step: kinds, controllers, permissions; all that is missing at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use futures::future::try_join_all;

use super::call::Call;
use super::{Cause, Cluster, Error, KindRef, Rights, Served};
use crate::emit::{View, to_json};
use crate::flux::Object;
use crate::flux::object::group;
use crate::value::{Mapping, Text, Value};

/// Where Flux is looked for first; its own default.
pub const FLUX_NAMESPACE: &str = "flux-system";

/// Label on everything that `flux install` and its charts make.
const PART_OF_FLUX: &str = "app.kubernetes.io/part-of=flux";

/// Label with Flux's own version.
const VERSION_LABEL: &str = "app.kubernetes.io/version";

/// What will be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Read one.
    Get,
    /// Read many.
    List,
    /// Follow changes.
    Watch,
    /// Make a new one; server-side apply of what is not there needs it, too.
    Create,
    /// Replace one.
    Update,
    /// Change one; server-side apply needs it, dry run or not.
    Patch,
    /// Remove one.
    Delete,
}

impl Verb {
    /// The word that rules use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Verb::Get => "get",
            Verb::List => "list",
            Verb::Watch => "watch",
            Verb::Create => "create",
            Verb::Update => "update",
            Verb::Patch => "patch",
            Verb::Delete => "delete",
        }
    }
}

/// One thing to be allowed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permission {
    /// What.
    pub verb: Verb,
    /// `group/version` of the kind.
    pub api_version: Text,
    /// The kind.
    pub kind: Text,
    /// A part of the object that has rights of its own: `log`, `status`.
    pub subresource: Option<Text>,
    /// In which namespace; `None` for cluster-scoped kinds, and for all namespaces.
    pub namespace: Option<Text>,
}

/// What a command needs.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Kinds as (apiVersion, kind).
    pub kinds: BTreeSet<(Text, Text)>,
    /// Permissions; those on kinds that are not served are not asked for.
    pub permissions: BTreeSet<Permission>,
    /// Names of controllers, as `helm-controller`; none: they are not looked for.
    pub controllers: Vec<Text>,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Preflight {
    /// The needed kinds that are served.
    pub kinds: Vec<KindRef>,
    /// Controllers of Flux.
    pub controllers: Controllers,
    /// All that is missing.
    pub lacks: Vec<Lack>,
    server: Text,
    rights: Rights,
}

/// What is known about Flux's controllers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Controllers {
    /// Nothing: nobody asked.
    NotAsked,
    /// Deployments may not be read; what the server says. That is no lack: versions are only named.
    Unreadable(String),
    /// These.
    Found(Vec<Controller>),
}

/// A controller of Flux.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controller {
    /// As `helm-controller`.
    pub name: Text,
    /// Its namespace.
    pub namespace: Text,
    /// Its own version, by the tag of its image: `v1.6.3`.
    pub version: Option<Text>,
    /// The version of Flux, by label: `v2.9.4`.
    pub flux: Option<Text>,
    /// Whether at least one replica is available.
    pub available: bool,
}

/// Something that is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// A kind is not served.
    Kind {
        /// `group/version`.
        api_version: Text,
        /// The kind.
        kind: Text,
        /// The versions of the group that are.
        versions: Vec<Text>,
    },
    /// A permission.
    Permission(Permission),
    /// A controller.
    Controller(Text),
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lack::Kind {
                api_version,
                kind,
                versions,
            } => {
                write!(f, "kind {kind} of {api_version} is not served")?;
                if versions.is_empty() {
                    write!(f, " (nothing of {} is)", group(api_version))
                } else {
                    write!(f, " (of {}: {})", group(api_version), versions.join(", "))
                }
            }
            Lack::Permission(Permission {
                verb,
                api_version,
                kind,
                subresource,
                namespace,
            }) => {
                let verb = verb.as_str();
                write!(f, "permission to {verb} {kind}")?;
                if let Some(part) = subresource {
                    write!(f, "/{part}")?;
                }
                if !group(api_version).is_empty() {
                    write!(f, " of {}", group(api_version))?;
                }
                match namespace {
                    Some(namespace) => write!(f, " in namespace {namespace}"),
                    None => f.write_str(" in the whole cluster"),
                }
            }
            Lack::Controller(name) => write!(f, "controller {name} is not running in the cluster"),
        }
    }
}

impl Preflight {
    /// Goes on only when nothing is missing.
    ///
    /// # Errors
    ///
    /// All that is missing.
    pub fn complete(self) -> Result<Self, Error> {
        if self.lacks.is_empty() {
            return Ok(self);
        }
        Err(Error::Lacking {
            server: self.server,
            lacks: self.lacks,
            rights: self.rights,
        })
    }

    /// The kind, if it is served.
    #[must_use]
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<&KindRef> {
        let mut kinds = self.kinds.iter();
        kinds.find(|known| known.api_version == api_version && known.kind == kind)
    }

    /// Whether a permission was asked for and is missing.
    #[must_use]
    pub fn lacks_permission(&self, permission: &Permission) -> bool {
        let mut lacks = self.lacks.iter();
        lacks.any(|lack| matches!(lack, Lack::Permission(lack) if lack == permission))
    }
}

impl Cluster {
    /// Looks for all that a command needs. What is missing is in the result, not an error.
    ///
    /// # Errors
    ///
    /// When the server does not answer the questions.
    pub async fn preflight(&self, needs: &Needs) -> Result<Preflight, Error> {
        let Needs {
            kinds,
            permissions,
            controllers,
        } = needs;
        let asked: BTreeSet<(Text, Text)> = permissions
            .iter()
            .map(|permission| (permission.api_version.clone(), permission.kind.clone()))
            .chain(kinds.iter().cloned())
            .collect();
        let found = asked
            .iter()
            .map(|(api_version, kind)| self.discover(api_version, kind));
        let mut served = BTreeMap::new();
        let mut lacks = Vec::new();
        for ((api_version, kind), found) in asked.iter().zip(try_join_all(found).await?) {
            match found {
                Served::Yes(found) => {
                    served.insert((api_version, kind), found);
                }
                Served::No { versions } => lacks.push(Lack::Kind {
                    api_version: api_version.clone(),
                    kind: kind.clone(),
                    versions,
                }),
            }
        }
        lacks.extend(self.denied(permissions, &served).await?);
        let controllers = match controllers.as_slice() {
            [] => Controllers::NotAsked,
            wanted => self.controllers(wanted).await?,
        };
        if let Controllers::Found(found) = &controllers {
            let missing = needs
                .controllers
                .iter()
                .filter(|name| !found.iter().any(|c| c.name == **name && c.available));
            lacks.extend(missing.cloned().map(Lack::Controller));
        }
        Ok(Preflight {
            kinds: served.into_values().collect(),
            controllers,
            lacks,
            server: self.server.clone(),
            rights: self.rights,
        })
    }

    /// The permissions that are missing. What is allowed in all namespaces is not asked for one by one.
    async fn denied(
        &self,
        permissions: &BTreeSet<Permission>,
        served: &BTreeMap<(&Text, &Text), KindRef>,
    ) -> Result<Vec<Lack>, Error> {
        let mut by_question: BTreeMap<Question<'_>, Vec<&Permission>> = BTreeMap::new();
        for permission in permissions {
            if let Some(kind) = served.get(&(&permission.api_version, &permission.kind)) {
                let question = Question {
                    verb: permission.verb,
                    kind,
                    subresource: permission.subresource.as_deref(),
                };
                by_question.entry(question).or_default().push(permission);
            }
        }
        let everywhere = by_question.keys().map(|question| self.may(*question, None));
        let everywhere = try_join_all(everywhere).await?;
        let mut denied = Vec::new();
        let mut rest = Vec::new();
        for ((question, permissions), allowed) in by_question.into_iter().zip(everywhere) {
            if allowed {
                continue;
            }
            for permission in permissions {
                match &permission.namespace {
                    None => denied.push(permission),
                    Some(namespace) => rest.push((question, namespace, permission)),
                }
            }
        }
        let answers = rest
            .iter()
            .map(|(question, namespace, _)| self.may(*question, Some(namespace)));
        let answers = try_join_all(answers).await?;
        let missing = rest.iter().zip(answers).filter(|(_, allowed)| !allowed);
        denied.extend(missing.map(|((_, _, permission), _)| *permission));
        denied.sort();
        Ok(denied.into_iter().cloned().map(Lack::Permission).collect())
    }

    async fn may(&self, question: Question<'_>, namespace: Option<&str>) -> Result<bool, Error> {
        let Question {
            verb,
            kind,
            subresource,
        } = question;
        let act = format!("ask whether {} may be {}", kind.plural, past(verb));
        let attributes: Mapping = [
            ("namespace", Value::from(namespace.unwrap_or_default())),
            ("verb", verb.as_str().into()),
            ("group", kind.group().into()),
            ("resource", kind.plural.clone().into()),
            ("subresource", subresource.unwrap_or_default().into()),
        ]
        .into_iter()
        .collect();
        let spec: Mapping = [("resourceAttributes", attributes)].into_iter().collect();
        let review: Mapping = [
            ("apiVersion", Value::from("authorization.k8s.io/v1")),
            ("kind", "SelfSubjectAccessReview".into()),
            ("spec", spec.into()),
        ]
        .into_iter()
        .collect();
        let body = to_json(&review.into(), View::Clear);
        let path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews".to_owned();
        let answer = self.send(&act, &Call::post(path, body)).await?;
        if !answer.is_success() {
            return Err(self.refused(&act, &answer));
        }
        Ok(answer.value.at(&["status", "allowed"]) == Some(&Value::from(true)))
    }

    /// The controllers, in [`FLUX_NAMESPACE`] or wherever their label is found.
    async fn controllers(&self, wanted: &[Text]) -> Result<Controllers, Error> {
        let deployments = KindRef {
            api_version: "apps/v1".into(),
            kind: "Deployment".into(),
            plural: "deployments".into(),
            namespaced: true,
        };
        let mut refusal = None;
        for (namespace, labels) in [(Some(FLUX_NAMESPACE), None), (None, Some(PART_OF_FLUX))] {
            match self.list(&deployments, namespace, labels).await {
                Ok(found) => {
                    let found = found.iter().filter(|object| wanted.contains(&object.name));
                    let found: Vec<Controller> = found.map(controller).collect();
                    if !found.is_empty() {
                        return Ok(Controllers::Found(found));
                    }
                }
                Err(Error::Request {
                    cause: Cause::Forbidden(message),
                    ..
                }) => refusal = Some(message),
                Err(error) => return Err(error),
            }
        }
        Ok(match refusal {
            Some(message) => Controllers::Unreadable(message),
            None => Controllers::Found(Vec::new()),
        })
    }
}

/// What is asked once, whatever the namespaces.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Question<'p> {
    verb: Verb,
    kind: &'p KindRef,
    subresource: Option<&'p str>,
}

fn past(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "read",
        Verb::List => "listed",
        Verb::Watch => "watched",
        Verb::Create => "created",
        Verb::Update => "updated",
        Verb::Patch => "patched",
        Verb::Delete => "deleted",
    }
}

fn controller(deployment: &Object) -> Controller {
    let value = &deployment.value;
    let containers = value.at(&["spec", "template", "spec", "containers"]);
    let containers = containers.and_then(Value::as_sequence).unwrap_or_default();
    let image = containers
        .iter()
        .find_map(|container| container.at(&["image"])?.as_str());
    let flux = value.at(&["metadata", "labels", VERSION_LABEL]);
    let replicas = value.at(&["status", "availableReplicas"]);
    Controller {
        name: deployment.name.clone(),
        namespace: deployment.namespace.clone().unwrap_or_default(),
        version: image.and_then(tag).map(Text::from),
        flux: flux.and_then(Value::as_str).map(Text::from),
        available: replicas.is_some_and(|replicas| *replicas != Value::from(0)),
    }
}

/// The tag of an image; a port of its registry is none, and a digest says nothing.
fn tag(image: &str) -> Option<&str> {
    let image = image.split('@').next().unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    name.split_once(':').map(|(_, tag)| tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_in_image_tags() {
        assert_eq!(tag("ghcr.io/fluxcd/helm-controller:v1.6.3"), Some("v1.6.3"));
        assert_eq!(tag("registry:5000/helm-controller"), None);
        assert_eq!(
            tag("registry:5000/x/helm-controller:v1@sha256:00"),
            Some("v1")
        );
        assert_eq!(tag("helm-controller@sha256:00"), None);
    }

    #[test]
    fn controllers_tell_versions_and_whether_they_run() {
        let read = |status: &str| {
            let text = format!(
                r#"{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"helm-controller","namespace":"flux-system",
                "labels":{{"app.kubernetes.io/version":"v2.9.4","app.kubernetes.io/part-of":"flux"}}}},
                "spec":{{"template":{{"spec":{{"containers":[{{"image":"ghcr.io/fluxcd/helm-controller:v1.6.3"}}]}}}}}},
                "status":{status}}}"#
            );
            let value = Value::from_json(text.as_bytes()).expect("JSON");
            controller(&Object::from_value(value).expect("an object"))
        };
        let expected = Controller {
            name: "helm-controller".into(),
            namespace: "flux-system".into(),
            version: Some("v1.6.3".into()),
            flux: Some("v2.9.4".into()),
            available: true,
        };
        assert_eq!(read(r#"{"availableReplicas":1}"#), expected);
        assert!(!read(r#"{"availableReplicas":0}"#).available);
        assert!(!read("{}").available);
    }

    #[test]
    fn lacks_say_what_and_where() {
        let permission = |subresource: Option<&str>, namespace: Option<&str>| {
            Lack::Permission(Permission {
                verb: Verb::Patch,
                api_version: "helm.toolkit.fluxcd.io/v2".into(),
                kind: "HelmRelease".into(),
                subresource: subresource.map(Text::from),
                namespace: namespace.map(Text::from),
            })
            .to_string()
        };
        assert_eq!(
            permission(None, Some("a")),
            "permission to patch HelmRelease of helm.toolkit.fluxcd.io in namespace a"
        );
        assert_eq!(
            permission(Some("status"), None),
            "permission to patch HelmRelease/status of helm.toolkit.fluxcd.io in the whole cluster"
        );
        let lack = Lack::Kind {
            api_version: "helm.toolkit.fluxcd.io/v2".into(),
            kind: "HelmRelease".into(),
            versions: vec!["v2beta2".into(), "v2beta1".into()],
        };
        assert_eq!(
            lack.to_string(),
            "kind HelmRelease of helm.toolkit.fluxcd.io/v2 is not served (of helm.toolkit.fluxcd.io: v2beta2, v2beta1)"
        );
    }
}
