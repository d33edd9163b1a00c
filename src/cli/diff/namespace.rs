//! Namespaces of objects that name none, by kubectl's rule.

use std::collections::BTreeMap;

use crate::cluster::{Cluster, Served};
use crate::flux::ObjectSet;

use super::super::Failure;
use super::super::access::failure;

/// Puts objects that name no namespace into the one that was asked for, else into the context's. What was asked
/// for is meant for all objects of the input, so one of another namespace is an error.
pub(super) async fn placed(
    cluster: &Cluster,
    set: ObjectSet,
    asked: Option<&str>,
) -> Result<ObjectSet, Failure> {
    let mut placed = ObjectSet::default();
    // Whether each of them was put somewhere: only then two can have become one.
    let mut seen = BTreeMap::new();
    for mut object in set {
        let mut moved = false;
        if object.namespace.is_none() || asked.is_some() {
            let served = cluster.discover(&object.api_version, &object.kind).await;
            // A kind that is not served is reported with all else that is missing.
            let namespaced = match served.map_err(failure)? {
                Served::Yes(kind) => kind.namespaced,
                Served::No { .. } => false,
            };
            match (&object.namespace, asked) {
                (Some(named), Some(asked)) if namespaced && named != asked => {
                    let message =
                        format!("{} does not belong to namespace `{asked}`", object.title());
                    let hint = format!("leave out --namespace, or say --namespace {named}");
                    return Err(Failure::new(message).hint(hint));
                }
                (None, _) if namespaced => {
                    object.set_namespace(asked.unwrap_or(cluster.namespace()).into());
                    moved = true;
                }
                _ => {}
            }
        }
        let key = (object.api_version.clone(), object.key());
        if let Some(before) = seen.insert(key, moved)
            && (before || moved)
        {
            let message = format!("{} stands twice in the input", object.title());
            return Err(Failure::new(message).hint("leave one of the two"));
        }
        placed.extend([object]);
    }
    Ok(placed)
}
