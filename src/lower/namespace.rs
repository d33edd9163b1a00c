//! The namespaces that Armada would have created.

use std::collections::BTreeSet;

use crate::flux::{Metadata, Namespace, Object, PRUNE_ANNOTATION, SITE_LABEL};
use crate::plan::Plan;
use crate::value::Text;

/// Namespaces of Kubernetes itself: they always exist, and deleting one is fatal.
const SYSTEM: &[&str] = &["default", "kube-system", "kube-public", "kube-node-lease"];

/// Returns one Namespace object for each namespace that releases live in, by name.
pub(super) fn objects(plan: &Plan<'_, '_>, site: &Text) -> Vec<Object> {
    let names: BTreeSet<&Text> = plan.releases().map(|release| &release.namespace).collect();
    let objects = names
        .into_iter()
        .filter(|name| !SYSTEM.contains(&name.as_str()))
        .map(|name| {
            Object::from(Namespace {
                metadata: Metadata {
                    name: name.clone(),
                    namespace: None,
                    labels: vec![(SITE_LABEL.into(), site.clone())],
                    // A pruned Namespace deletes everything in it.
                    annotations: vec![(PRUNE_ANNOTATION.into(), "disabled".into())],
                },
            })
        });
    objects.collect()
}
