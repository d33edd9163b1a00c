//! Namespaces of objects that name none, as kubectl decides them.

use std::collections::BTreeMap;

use crate::cluster::{Cluster, Served};
use crate::flux::ObjectSet;

use crate::cli::Failure;
use crate::cli::access::failure;

/// Sets the namespace of objects that name none: `asked`, or else the namespace of the context. `asked` applies to all
/// objects of the input, so an object of another namespace is an error.
pub(super) async fn placed(
    cluster: &Cluster,
    set: ObjectSet,
    asked: Option<&str>,
) -> Result<ObjectSet, Failure> {
    let mut placed = ObjectSet::default();
    // Whether the namespace was set here: only then two objects can have become one.
    let mut seen = BTreeMap::new();
    for mut object in set {
        let mut moved = false;
        if object.namespace.is_none() || asked.is_some() {
            let served = cluster.discover(&object.api_version, &object.kind).await;
            // A kind that is not served is reported later, with everything else that is missing.
            let namespaced = match served.map_err(failure)? {
                Served::Yes(kind) => kind.namespaced,
                Served::No { .. } => false,
            };
            match (&object.namespace, asked) {
                (Some(named), Some(asked)) if namespaced && named != asked => {
                    let message = format!("{} is not in namespace `{asked}`", object.title());
                    let hint = format!("leave out `--namespace`, or give `--namespace {named}`");
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
            let message = format!("{} appears twice in the input", object.title());
            return Err(Failure::new(message).hint("remove one of the two"));
        }
        placed.extend([object]);
    }
    Ok(placed)
}
