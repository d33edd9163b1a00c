//! Small controllers for what the bed lacks: a storage provisioner, and containers that wait for a Job.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{Stream, StreamExt as _};
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::runtime::{WatchStreamExt as _, watcher};
use kube::{Client, ResourceExt as _};
use serde_json::json;
use tokio::runtime::Handle;

use super::stages::{JOB_COMPLETE, READY_AFTER_JOB};

/// Starts them; they end with the runtime.
pub(crate) fn start(runtime: &Handle, client: &Client) {
    runtime.spawn(provide_volumes(client.clone()));
    let complete = Arc::new(Mutex::new(BTreeSet::new()));
    runtime.spawn(watch_jobs(client.clone(), Arc::clone(&complete)));
    runtime.spawn(watch_pods(client.clone(), complete));
}

/// Creates a volume for each claim, so that the control plane can bind it.
async fn provide_volumes(client: Client) {
    let claims: Api<PersistentVolumeClaim> = Api::all(client.clone());
    let volumes: Api<PersistentVolume> = Api::all(client);
    let events = watcher(claims, watcher::Config::default());
    let events = events.default_backoff().applied_objects();
    outlast(events)
        .for_each(|claim| {
            let volumes = volumes.clone();
            async move {
                if let Some(volume) = volume_for(&claim) {
                    // Fails on a second event for the same claim: the volume exists.
                    drop(volumes.create(&PostParams::default(), &volume).await);
                }
            }
        })
        .await;
}

/// Returns the objects of a watch; errors are skipped, since the watcher retries.
fn outlast<T>(events: impl Stream<Item = watcher::Result<T>>) -> impl Stream<Item = T> {
    events.filter_map(|event| async { event.ok() })
}

fn volume_for(claim: &PersistentVolumeClaim) -> Option<PersistentVolume> {
    let spec = claim.spec.as_ref()?;
    if spec.volume_name.is_some() || claim.metadata.deletion_timestamp.is_some() {
        return None;
    }
    let uid = claim.uid()?;
    let requests = spec.resources.as_ref()?.requests.as_ref()?;
    serde_json::from_value(json!({
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": format!("bed-{uid}")},
        "spec": {
            "capacity": {"storage": requests.get("storage")?},
            "accessModes": spec.access_modes,
            "volumeMode": spec.volume_mode,
            "storageClassName": spec.storage_class_name.clone().unwrap_or_default(),
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": format!("/bed/{uid}")},
            "claimRef": {
                "apiVersion": "v1", "kind": "PersistentVolumeClaim",
                "namespace": claim.namespace(), "name": claim.name_any(), "uid": uid,
            },
        },
    }))
    .ok()
}

/// Namespace and name of Jobs that were complete once; deleted Jobs (hooks) stay listed.
type Complete = Arc<Mutex<BTreeSet<(String, String)>>>;

fn is_complete(job: &Job) -> bool {
    let conditions = job
        .status
        .as_ref()
        .and_then(|status| status.conditions.as_ref());
    conditions
        .into_iter()
        .flatten()
        .any(|condition| condition.type_ == "Complete" && condition.status == "True")
}

async fn watch_jobs(client: Client, complete: Complete) {
    let events = watcher(Api::<Job>::all(client.clone()), watcher::Config::default());
    let events = events.default_backoff().applied_objects();
    outlast(events)
        .for_each(|job| {
            let (client, complete) = (client.clone(), Arc::clone(&complete));
            async move {
                let key = (job.namespace().unwrap_or_default(), job.name_any());
                let is_news = is_complete(&job)
                    && complete
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(key.clone());
                if is_news {
                    let pods: Api<Pod> = Api::namespaced(client.clone(), &key.0);
                    let waiting =
                        ListParams::default().labels(&format!("{READY_AFTER_JOB}={}", key.1));
                    for pod in pods
                        .list(&waiting)
                        .await
                        .map(|list| list.items)
                        .unwrap_or_default()
                    {
                        release(&client, &pod, &key.1).await;
                    }
                }
            }
        })
        .await;
}

async fn watch_pods(client: Client, complete: Complete) {
    let events = watcher(
        Api::<Pod>::all(client.clone()),
        watcher::Config::default().labels(READY_AFTER_JOB),
    );
    let events = events.default_backoff().applied_objects();
    outlast(events)
        .for_each(|pod| {
            let (client, complete) = (client.clone(), Arc::clone(&complete));
            async move {
                let job = pod
                    .labels()
                    .get(READY_AFTER_JOB)
                    .cloned()
                    .unwrap_or_default();
                let key = (pod.namespace().unwrap_or_default(), job);
                let is_complete = complete
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .contains(&key);
                if is_complete {
                    release(&client, &pod, &key.1).await;
                }
            }
        })
        .await;
}

/// Annotates a pod so that kwok makes it Ready.
async fn release(client: &Client, pod: &Pod, job: &str) {
    if pod.annotations().contains_key(JOB_COMPLETE) {
        return;
    }
    let pods: Api<Pod> = Api::namespaced(client.clone(), &pod.namespace().unwrap_or_default());
    let patch = Patch::Merge(json!({"metadata": {"annotations": {JOB_COMPLETE: job}}}));
    // The pod may be deleted by now; a new pod causes a new event.
    drop(
        pods.patch(&pod.name_any(), &PatchParams::default(), &patch)
            .await,
    );
}
