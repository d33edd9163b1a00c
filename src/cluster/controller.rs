//! Finds Flux's controllers and their versions.

use super::{Cause, Cluster, Error, KindRef};
use crate::flux::Object;
use crate::value::{Text, Value};

/// The default namespace of Flux, which is searched first.
pub(crate) const FLUX_NAMESPACE: &str = "flux-system";

/// The label on everything that `flux install` and the charts of Flux create.
const PART_OF_FLUX: &str = "app.kubernetes.io/part-of=flux";

/// The label with the version of Flux.
const VERSION_LABEL: &str = "app.kubernetes.io/version";

/// The controllers of Flux, as far as they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Controllers {
    /// They were not searched.
    NotAsked,
    /// Deployments may not be read; the message of the server. This is not a missing requirement, since
    /// versions are only shown.
    Unreadable(String),
    /// The controllers that were found.
    Found(Vec<Controller>),
}

/// A controller of Flux.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Controller {
    /// The name, as `helm-controller`.
    pub name: Text,
    /// Its namespace.
    pub namespace: Text,
    /// The version of the controller, by the tag of its image: `v1.6.3`.
    pub version: Option<Text>,
    /// The version of Flux, by its label: `v2.9.4`.
    pub flux: Option<Text>,
    /// Whether at least one replica is available.
    pub available: bool,
}

impl Cluster {
    /// Returns the controllers in [`FLUX_NAMESPACE`], or else in any namespace, by their label.
    pub(super) async fn controllers(&self, wanted: &[Text]) -> Result<Controllers, Error> {
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
                    let found: Vec<Controller> = found
                        .iter()
                        .filter(|object| wanted.contains(&object.name))
                        .map(controller)
                        .collect();
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

fn controller(deployment: &Object) -> Controller {
    let value = &deployment.value;
    let image = value
        .items_at(&["spec", "template", "spec", "containers"])
        .iter()
        .find_map(|container| container.text_at(&["image"]));
    let replicas = value.at(&["status", "availableReplicas"]);
    Controller {
        name: deployment.name.clone(),
        namespace: deployment.namespace.clone().unwrap_or_default(),
        version: image.and_then(tag).map(Text::from),
        flux: deployment.label(VERSION_LABEL).map(Text::from),
        available: replicas.is_some_and(|replicas| *replicas != Value::from(0)),
    }
}

/// Returns the tag of an image, which is neither the port of the registry nor the digest.
fn tag(image: &str) -> Option<&str> {
    let image = image.split('@').next().unwrap_or_default();
    let name = image.rsplit('/').next().unwrap_or_default();
    name.split_once(':').map(|(_, tag)| tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_image_tags() {
        assert_eq!(tag("ghcr.io/fluxcd/helm-controller:v1.6.3"), Some("v1.6.3"));
        assert_eq!(tag("registry:5000/helm-controller"), None);
        assert_eq!(
            tag("registry:5000/x/helm-controller:v1@sha256:00"),
            Some("v1")
        );
        assert_eq!(tag("helm-controller@sha256:00"), None);
    }

    #[test]
    fn versions_and_availability_of_controllers_are_read() {
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
}
