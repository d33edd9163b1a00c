//! Finds a running Armada: two programs that change the same releases undo each other's work.

use crate::cluster::{Cluster, Error, KindRef};
use crate::flux::Object;
use crate::value::{Data, Number, Text, Value};

/// Namespace in which Armada keeps its lock (Armada: handlers/lock.py).
pub(super) const LOCK_NAMESPACE: &str = "kube-system";
/// Kind of the lock; its name does not matter, its path does.
pub(super) const LOCK_API: &str = "armada.process/v1";
/// Images whose containers move releases: Armada in Python, Armada in Go and its operator.
const IMAGES: [&str; 3] = ["armada", "armada-go", "armada-operator"];

/// A sign that Armada may change releases during a run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Active {
    /// Its lock is held, or was left by a run that was killed.
    #[error("Armada holds its lock `{name}`{}", since(updated.as_ref()))]
    Lock {
        /// Name of the lock.
        name: Text,
        /// When it was last renewed.
        updated: Option<Text>,
    },
    /// A workload runs it.
    #[error("{kind} {namespace}/{name} runs `{image}`")]
    Workload {
        /// Kind of the workload.
        kind: Text,
        /// Its namespace.
        namespace: Text,
        /// Its name.
        name: Text,
        /// The image.
        image: Text,
    },
}

fn since(updated: Option<&Text>) -> String {
    updated.map_or_else(String::new, |time| format!(", last renewed {time}"))
}

impl Active {
    /// What ends it.
    #[must_use]
    pub(crate) fn hint(&self) -> String {
        match self {
            Active::Lock { name, updated: _ } => format!(
                "wait until Armada ends; if it does not run: kubectl -n {LOCK_NAMESPACE} delete locks.armada.process {name}"
            ),
            Active::Workload {
                kind,
                namespace,
                name,
                image: _,
            } => format!(
                "kubectl -n {namespace} scale {} {name} --replicas=0",
                kind.to_lowercase()
            ),
        }
    }
}

/// Returns every sign of a running Armada.
///
/// # Errors
///
/// When the server does not answer, or may not be asked.
pub(crate) async fn active(cluster: &Cluster) -> Result<Vec<Active>, Error> {
    let mut active = Vec::new();
    if let Some(locks) = lock_kind(cluster).await? {
        let held = cluster.list(&locks, Some(LOCK_NAMESPACE), None).await?;
        active.extend(held.iter().map(lock));
    }
    for kind in ["Deployment", "StatefulSet"] {
        let Some(kind) = cluster.kind("apps/v1", kind).await? else {
            continue;
        };
        let found = cluster.list_and_keep(&kind, None, None, |object, _| workload(&object));
        active.extend(found.await?);
    }
    Ok(active)
}

async fn lock_kind(cluster: &Cluster) -> Result<Option<KindRef>, Error> {
    let kinds = cluster.kinds(LOCK_API).await?;
    Ok(kinds.into_iter().find(|kind| kind.plural == "locks"))
}

/// Armada deletes its lock when it ends, so one that is there is held, or was left by a run that was killed.
fn lock(lock: &Object) -> Active {
    let updated = lock.value.at(&["data", "lastUpdated"]);
    Active::Lock {
        name: lock.name.clone(),
        updated: updated.and_then(Value::as_str).map(Text::from),
    }
}

fn workload(object: &Object) -> Option<Active> {
    let containers = object
        .value
        .at(&["spec", "template", "spec", "containers"])?;
    let images = containers.as_sequence()?.iter();
    let mut images = images.filter_map(|container| container.at(&["image"])?.as_str());
    let image = images.find(|image| IMAGES.contains(&program(image)))?;
    let replicas = object
        .value
        .at(&["spec", "replicas"])
        .map(|count| &count.data);
    if replicas == Some(&Data::Number(Number::Int(0))) {
        return None;
    }
    Some(Active::Workload {
        kind: object.kind.clone(),
        namespace: object.namespace.clone().unwrap_or_default(),
        name: object.name.clone(),
        image: image.into(),
    })
}

/// The last segment of an image's name, without its tag or digest.
fn program(image: &str) -> &str {
    let name = image.split('@').next().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default();
    name.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(text: &str) -> Object {
        let value = Value::from_json(text.as_bytes()).expect("JSON");
        Object::from_value(value).expect("an object")
    }

    #[test]
    fn images_tell_who_moves_releases() {
        assert_eq!(program("quay.io/airshipit/armada:latest-ubuntu"), "armada");
        assert_eq!(
            program("registry:5000/armada-operator@sha256:00"),
            "armada-operator"
        );
        assert_eq!(program("armada"), "armada");
        assert_eq!(program("example.org/armada/other:1"), "other");
    }

    #[test]
    fn what_runs_is_told_with_the_command_that_ends_it() {
        let deployment = |replicas: &str| {
            object(&format!(
                r#"{{"apiVersion":"apps/v1","kind":"Deployment","metadata":{{"name":"armada-api","namespace":"ucp"}},
                "spec":{{{replicas}"template":{{"spec":{{"containers":[{{"image":"quay.io/airshipit/armada:1"}}]}}}}}}}}"#
            ))
        };
        let active = workload(&deployment("")).expect("it runs");
        assert_eq!(
            active.to_string(),
            "Deployment ucp/armada-api runs `quay.io/airshipit/armada:1`"
        );
        assert_eq!(
            active.hint(),
            "kubectl -n ucp scale deployment armada-api --replicas=0"
        );
        assert_eq!(workload(&deployment(r#""replicas":0,"#)), None);
    }
}
