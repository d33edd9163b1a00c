//! What Armada deletes before it upgrades a release (Armada: handlers/pre_update_actions.py).
//!
//! All objects are recorded with their UIDs before the first deletion. A resumed run continues with that list and never
//! makes a new one, since it could then find objects that the upgrade created.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::error::{Error, PartError};
use super::event::ItemState;
use super::run::{Run, Waited, timed_out};
use crate::cluster::ObjectRef;
use crate::gate::Deletion;
use crate::rollout::journal::{DeleteTarget, Entry, PendingDelete, Write};
use crate::rollout::{ItemId, Release};
use crate::value::Text;

/// Deletes objects before a release is upgraded, and waits until they are gone.
pub(super) async fn before_upgrade(
    run: &Run<'_>,
    id: &ItemId,
    release: &Release,
    ends: Instant,
) -> Result<(), PartError> {
    let namespace = release.namespace.clone();
    if release.pre_deletes.is_empty() {
        return Ok(());
    }
    let deletions = list_deletions(run, id, &namespace, release).await?;
    if deletions.is_empty() {
        return Ok(());
    }
    let left = deletions.iter().filter(|deletion| !deletion.deleted);
    let left: Vec<&DeleteTarget> = left.map(|deletion| &deletion.target).collect();
    if run.before(id).is_some_and(|item| item.deletions.is_some()) {
        check_recorded(run, release, &left).await?;
    }
    let objects = left.len();
    run.emit(id, ItemState::Deleting { objects });
    for object in left {
        let request = Write::Delete {
            uid: object.uid.clone(),
        };
        run.record_intent(id, &request)?;
        let place = place(&namespace, object);
        // If the object is gone, or another one has its name, the deletion is done too.
        run.cluster.delete(&place, &object.uid).await?;
        run.record_done(id, request, None)?;
    }
    wait_until_gone(run, &namespace, &deletions, ends).await
}

fn place(namespace: &Text, target: &DeleteTarget) -> ObjectRef {
    ObjectRef {
        api_version: target.api_version.clone(),
        kind: target.kind.clone(),
        namespace: Some(namespace.clone()),
        name: target.name.clone(),
    }
}

/// Returns whether the object itself exists, and not only another one of its name.
async fn exists(run: &Run<'_>, namespace: &Text, target: &DeleteTarget) -> Result<bool, Error> {
    let Some(kind) = run.cluster.kind(&target.api_version, &target.kind).await? else {
        return Ok(false);
    };
    let live = run
        .cluster
        .find(&kind, Some(namespace), &target.name)
        .await?;
    Ok(live.is_some_and(|live| live.uid() == Some(&target.uid)))
}

/// Checks that the release deletes each of the objects that a journal lists, by kind and labels; nothing is deleted
/// otherwise. What is gone already, or replaced, is not deleted anyway.
async fn check_recorded(
    run: &Run<'_>,
    release: &Release,
    targets: &[&DeleteTarget],
) -> Result<(), PartError> {
    if targets.is_empty() {
        return Ok(());
    }
    let found = find_targets(run, &release.namespace, &release.pre_deletes).await?;
    for target in targets {
        let deletes = release.may_delete(target);
        if deletes && found.contains(target) {
            continue;
        }
        if !deletes || exists(run, &release.namespace, target).await? {
            let place = place(&release.namespace, target);
            return Err(PartError::Failed(format!(
                "the journal lists {place} for deletion, and the release does not delete it before an upgrade: the \
                 journal or the object's labels were changed, so nothing was deleted"
            )));
        }
    }
    Ok(())
}

/// Returns the list of an earlier process of the run; else makes and records one.
async fn list_deletions(
    run: &Run<'_>,
    id: &ItemId,
    namespace: &Text,
    release: &Release,
) -> Result<Vec<PendingDelete>, Error> {
    if let Some(deletions) = run.before(id).and_then(|item| item.deletions.clone()) {
        return Ok(deletions);
    }
    let objects = find_targets(run, namespace, &release.pre_deletes).await?;
    run.check()?;
    let item = id.clone();
    run.caller.record(Entry::DeletionsListed {
        item,
        objects: objects.clone(),
    })?;
    let deletions = objects.into_iter().map(|target| PendingDelete {
        target,
        deleted: false,
    });
    Ok(deletions.collect())
}

/// Returns the objects to delete that exist, in the order of the deletions.
async fn find_targets(
    run: &Run<'_>,
    namespace: &Text,
    deletions: &[Deletion],
) -> Result<Vec<DeleteTarget>, Error> {
    let mut targets: Vec<DeleteTarget> = Vec::new();
    for Deletion { kind, selector } in deletions {
        let (api_version, kind) = (kind.api_version(), kind.kind_name());
        let Some(kind) = run.cluster.kind(api_version, kind).await? else {
            continue;
        };
        let labels = Some(&**selector).filter(|labels| !labels.is_empty());
        let found = run
            .cluster
            .list_metadata(&kind, Some(namespace), labels, |object| {
                Some(DeleteTarget {
                    api_version: kind.api_version.clone(),
                    kind: kind.kind.clone(),
                    name: object.name.clone(),
                    uid: object.uid()?.into(),
                })
            })
            .await?;
        for target in found {
            if !targets.iter().any(|known| known.uid == target.uid) {
                targets.push(target);
            }
        }
    }
    Ok(targets)
}

/// Waits until all objects are gone: a Job of the same name cannot be created before.
async fn wait_until_gone(
    run: &Run<'_>,
    namespace: &Text,
    deletions: &[PendingDelete],
    ends: Instant,
) -> Result<(), PartError> {
    let started = Instant::now();
    let deletions: Vec<&DeleteTarget> = deletions.iter().map(|deletion| &deletion.target).collect();
    let kinds: BTreeSet<(&Text, &Text)> = deletions
        .iter()
        .map(|object| (&object.api_version, &object.kind))
        .collect();
    for (api_version, kind) in kinds {
        let uids: BTreeSet<&str> = deletions
            .iter()
            .filter(|object| object.kind == *kind)
            .map(|object| &*object.uid)
            .collect();
        let Some(served) = run.cluster.kind(api_version, kind).await? else {
            continue;
        };
        let view = run.watch(&served, Some(namespace), &Text::new());
        let mut last = String::new();
        let seen = view.until(|seen| {
            let mut objects = seen.objects().values();
            let left = objects.find(|object| object.uid().is_some_and(|uid| uids.contains(uid)));
            match left {
                None => Some(()),
                Some(object) => {
                    last = format!("{} is still terminating", object.title());
                    None
                }
            }
        });
        if let Waited::TimedOut = run.wait(ends, seen).await? {
            let reason = format!("before the upgrade: {}", timed_out(started, &last));
            return Err(PartError::Failed(reason));
        }
    }
    Ok(())
}
