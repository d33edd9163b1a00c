//! The guards of an item at its own turn: a run lasts hours, and what was true before its first stage may not be any more.

use super::error::{Error, PartError};
use super::run::Run;
use crate::flux::Object;
use crate::rollout::{DoneWhen, Item, Release};
use crate::survey::{self, Guard, Record, Records};

/// Fails when a guard refuses the item, or when its object is not the one that existed before the run.
pub(super) async fn check(
    run: &Run<'_>,
    item: &Item,
    live: Option<&Object>,
) -> Result<(), PartError> {
    still_present(run, item, live).map_err(PartError::Failed)?;
    let held = match &item.done_when {
        DoneWhen::ReleaseReady(release) if survey::revision_of(live) == 0 => {
            record(run, release).await?
        }
        DoneWhen::ReleaseReady(_)
        | DoneWhen::Applied
        | DoneWhen::KeysFilled(_)
        | DoneWhen::ArtifactReady { .. } => None,
    };
    refuse(survey::find_guards(item, run.site, live, held.as_ref())).map_err(PartError::Failed)
}

/// Returns why the object of an item may not be touched any more, as far as the object itself tells.
pub(super) fn refuses(run: &Run<'_>, item: &Item, live: &Object) -> Result<(), String> {
    refuse(survey::find_guards(item, run.site, Some(live), None))
}

fn refuse(guards: Vec<Guard>) -> Result<(), String> {
    let guards = guards.iter();
    let guards: Vec<String> = guards
        .map(|guard| format!("{guard}: {}", guard.hint()))
        .collect();
    if guards.is_empty() {
        Ok(())
    } else {
        Err(guards.join("; "))
    }
}

/// An object that existed when this process began must exist still, unless the process deleted it.
fn still_present(run: &Run<'_>, item: &Item, live: Option<&Object>) -> Result<(), String> {
    let Some(before) = run.present.get(&item.object.key()) else {
        return Ok(());
    };
    match live {
        None => Err(
            "it was deleted after this run had started: find out who deleted it and why, then resume the run to \
             create it again"
                .to_owned(),
        ),
        Some(live) => same_object(Some(before.as_str()), live),
    }
}

/// Fails when an object of the same name took the place of the one with the UID `before`.
pub(super) fn same_object(before: Option<&str>, live: &Object) -> Result<(), String> {
    match (before, live.uid()) {
        (Some(before), Some(now)) if before != now => {
            let creator = live.meta().managed_fields().iter().find_map(|entry| {
                let below = entry.text_at(&["subresource"]).unwrap_or_default();
                entry.text_at(&["manager"]).filter(|_| below.is_empty())
            });
            let by = creator.map_or_else(String::new, |creator| format!(" by `{creator}`"));
            Err(format!(
                "it was deleted and created again during the run{by}: check that it is as intended, then resume the \
                 run"
            ))
        }
        _ => Ok(()),
    }
}

/// Returns Helm's record of a release as it is now.
pub(super) async fn record(run: &Run<'_>, release: &Release) -> Result<Option<Record>, Error> {
    let Some(secrets) = run.cluster.kind("v1", "Secret").await? else {
        return Ok(None);
    };
    let record = Records::read_one(&run.cluster, &secrets, &release.storage, &release.name);
    Ok(record.await?)
}

/// Fails when another client of Helm installed a release while this run created its HelmRelease: no request can exclude
/// that.
pub(super) async fn installed_by_flux_alone(
    run: &Run<'_>,
    release: &Release,
) -> Result<(), PartError> {
    match record(run, release).await? {
        Some(held) if held.by_others => Err(PartError::Failed(format!(
            "another client of Helm installed the release while it was written ({}, revision {}), so Flux takes it over: \
             find out who runs `helm`, check the release, then resume the run",
            held.status, held.revision
        ))),
        Some(_) | None => Ok(()),
    }
}
