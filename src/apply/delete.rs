//! What Armada deletes before it upgrades a release (Armada: handlers/pre_update_actions.py).
//!
//! All of it is written down with its UIDs before the first deletion. A run that was cut off goes on with that list
//! and never makes a new one: what it would find then may be what the upgrade made.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::error::{Error, PartError};
use super::event::Moment;
use super::run::{Run, Waited, timed_out};
use crate::cluster::ObjectRef;
use crate::gate::Deletion;
use crate::rollout::journal::{Act, Doom, Doomed, Entry};
use crate::rollout::{PartId, Release};
use crate::value::Text;

/// Deletes what must be gone before the release is upgraded, and waits until it is.
pub(super) async fn before(
    run: &Run<'_>,
    id: &PartId,
    release: &Release,
    ends: Instant,
) -> Result<(), PartError> {
    let namespace = release.namespace.clone();
    if release.pre_deletes.is_empty() {
        return Ok(());
    }
    let doomed = doomed(run, id, &namespace, release).await?;
    let left = doomed.iter().filter(|doom| !doom.deleted);
    let left: Vec<&Doomed> = left.map(|doom| &doom.object).collect();
    if doomed.is_empty() {
        return Ok(());
    }
    let objects = left.len();
    run.tell(id, Moment::Deleting { objects });
    for object in left {
        let act = Act::Delete {
            uid: object.uid.clone(),
        };
        run.going(id, &act)?;
        let place = ObjectRef {
            api_version: object.api_version.clone(),
            kind: object.kind.clone(),
            namespace: Some(namespace.clone()),
            name: object.name.clone(),
        };
        // Gone, or another object of the name: either way that one is no more.
        run.cluster.delete(&place, &object.uid).await?;
        run.done(id, act, None)?;
    }
    gone(run, &namespace, &doomed, ends).await
}

/// What an earlier process of the run found, else what is found now and written down.
async fn doomed(
    run: &Run<'_>,
    id: &PartId,
    namespace: &Text,
    release: &Release,
) -> Result<Vec<Doom>, Error> {
    if let Some(doomed) = run.before(id).and_then(|part| part.doomed.clone()) {
        return Ok(doomed);
    }
    let objects = find(run, namespace, &release.pre_deletes).await?;
    run.check()?;
    let part = id.clone();
    run.caller.record(Entry::Doomed {
        part,
        objects: objects.clone(),
    })?;
    let doomed = objects.into_iter().map(|object| Doom {
        object,
        deleted: false,
    });
    Ok(doomed.collect())
}

/// What is there to delete, in the order of the deletions.
async fn find(
    run: &Run<'_>,
    namespace: &Text,
    deletions: &[Deletion],
) -> Result<Vec<Doomed>, Error> {
    let mut doomed: Vec<Doomed> = Vec::new();
    for Deletion { kind, selector } in deletions {
        let (api_version, kind) = (kind.api_version(), kind.kind_name());
        let Some(kind) = run.cluster.kind(api_version, kind).await? else {
            continue;
        };
        let labels = Some(&**selector).filter(|labels| !labels.is_empty());
        let found = run
            .cluster
            .list_metadata(&kind, Some(namespace), labels)
            .await?;
        for object in found {
            let Some(uid) = object.uid() else { continue };
            if doomed.iter().any(|known| known.uid == uid) {
                continue;
            }
            doomed.push(Doomed {
                api_version: kind.api_version.clone(),
                kind: kind.kind.clone(),
                name: object.name.clone(),
                uid: uid.into(),
            });
        }
    }
    Ok(doomed)
}

/// Waits until none of the objects is there any more: a Job of the same name cannot be made before.
async fn gone(
    run: &Run<'_>,
    namespace: &Text,
    doomed: &[Doom],
    ends: Instant,
) -> Result<(), PartError> {
    let begun = Instant::now();
    let doomed: Vec<&Doomed> = doomed.iter().map(|doom| &doom.object).collect();
    let kinds: BTreeSet<(&Text, &Text)> = doomed
        .iter()
        .map(|object| (&object.api_version, &object.kind))
        .collect();
    for (api_version, kind) in kinds {
        let uids: BTreeSet<&str> = doomed
            .iter()
            .filter(|object| object.kind == *kind)
            .map(|object| &*object.uid)
            .collect();
        let Some(served) = run.cluster.kind(api_version, kind).await? else {
            continue;
        };
        let view = run.follow(&served, Some(namespace), &Text::new());
        let mut last = String::new();
        let seen = view.until(|seen| {
            let mut objects = seen.objects().values();
            let left = objects.find(|object| object.uid().is_some_and(|uid| uids.contains(uid)));
            match left {
                None => Some(()),
                Some(object) => {
                    last = format!("{} still ends", object.title());
                    None
                }
            }
        });
        if let Waited::TimedOut = run.wait(ends, seen).await? {
            let reason = format!("before the upgrade: {}", timed_out(begun, &last));
            return Err(PartError::Failed(reason));
        }
    }
    Ok(())
}
