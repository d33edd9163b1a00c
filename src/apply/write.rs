//! The writes of an item: apply, resume, retry.

use super::error::PartError;
use super::event::ItemState;
use super::run::Run;
use crate::cluster::{ApplyResult, BoundApply, ObjectRef, Replaced};
use crate::flux::Object;
use crate::rollout::ItemId;
use crate::rollout::journal::Write;
use crate::rollout::readiness::Retried;
use crate::value::{Data, Mapping, Text, Value};

/// The annotations that ask helm-controller to retry a release. It acts on the second only when both are equal
/// (helm-controller: api/v2/annotations.go).
const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
const RESET_AT: &str = "reconcile.fluxcd.io/resetAt";

/// The reason of an object that is deleted during the wait.
pub(super) const DELETED: &str = "it was deleted during the run: find out who deleted it and why, then resume the run to create it again";

/// Returns the object that the server accepted, or the reason why it did not.
pub(super) fn accepted(answer: ApplyResult) -> Result<Object, String> {
    match answer {
        ApplyResult::Applied { object, created: _ } => Ok(*object),
        ApplyResult::Conflict(held) => {
            let held = held
                .iter()
                .map(|conflict| format!("`{}` is owned by `{}`", conflict.field, conflict.manager));
            let held: Vec<String> = held.collect();
            Err(format!(
                "{}: write its value into the input, or take the ownership from that manager",
                held.join(", ")
            ))
        }
        ApplyResult::Refused { code: _, message }
        | ApplyResult::Forbidden { message }
        | ApplyResult::Unsupported { message } => {
            Err(format!("the API server refuses it: {message}"))
        }
        ApplyResult::NamespaceMissing { namespace } => {
            Err(format!("its namespace `{namespace}` does not exist"))
        }
        ApplyResult::KindNotServed => Err("its kind is not served".to_owned()),
    }
}

/// Applies the object on the server side, without force: fields of other managers stay theirs. `None` when `live` is not
/// what the cluster holds any more.
pub(super) async fn apply(
    run: &Run<'_>,
    id: &ItemId,
    object: &Object,
    live: Option<&Object>,
) -> Result<Option<Object>, PartError> {
    run.record_intent(id, &Write::Apply)?;
    run.emit(id, ItemState::Writing);
    let answer = match run.cluster.apply_to_version(object, live).await? {
        // The dry run had no conflict, so the object is not what it was.
        BoundApply::Answered(ApplyResult::Conflict(_)) | BoundApply::Outdated => return Ok(None),
        BoundApply::Answered(answer) => answer,
    };
    let written = accepted(answer).map_err(PartError::Failed)?;
    run.record_done(id, Write::Apply, written.generation())?;
    Ok(Some(written))
}

/// Removes `spec.suspend`; `None` when `current` is not what the cluster holds any more.
pub(super) async fn unsuspend(
    run: &Run<'_>,
    id: &ItemId,
    current: &Object,
) -> Result<Option<Object>, PartError> {
    let spec: Mapping = [("suspend", Value::null())].into_iter().collect();
    let patch: Mapping = [("spec", spec)].into_iter().collect();
    run.record_intent(id, &Write::Unsuspend)?;
    run.emit(id, ItemState::Writing);
    match run.cluster.patch_version(current, patch).await? {
        Replaced::Done(patched) => {
            run.record_done(id, Write::Unsuspend, patched.generation())?;
            Ok(Some(*patched))
        }
        Replaced::Conflict => Ok(None),
        Replaced::NotThere => Err(PartError::Failed(DELETED.to_owned())),
    }
}

/// The object that was written, and the token that its status must show.
type Again = (Object, Retried);

/// Asks helm-controller to retry a release that it has given up.
pub(super) async fn retry(
    run: &Run<'_>,
    id: &ItemId,
    current: &Object,
) -> Result<Again, PartError> {
    let token = token(run, id, current, "lastHandledResetAt");
    let marks: Mapping = [REQUESTED_AT, RESET_AT]
        .into_iter()
        .map(|key| (key, token.clone()))
        .collect();
    let annotations: Mapping = [("annotations", marks)].into_iter().collect();
    let request = Write::Retry {
        token: token.clone(),
    };
    run.record_intent(id, &request)?;
    run.emit(id, ItemState::Writing);
    let content: Mapping = [("metadata", annotations)].into_iter().collect();
    let of = ObjectRef::from(current);
    let Some(patched) = run.cluster.patch(&of, &content.into()).await? else {
        return Err(PartError::Failed(DELETED.to_owned()));
    };
    run.record_done(id, request, patched.generation())?;
    Ok((patched, Retried::Release(token)))
}

/// Runs the tests of a release again, and nothing else. (Tested: without test results in the newest entry of the
/// history, a request runs the tests and creates no revision.)
pub(super) async fn retest(
    run: &Run<'_>,
    id: &ItemId,
    current: &Object,
) -> Result<Again, PartError> {
    let token = token(run, id, current, "lastHandledReconcileAt");
    let request = Write::Retest {
        token: token.clone(),
    };
    run.record_intent(id, &request)?;
    run.emit(id, ItemState::Writing);
    let of = ObjectRef::from(current);
    let history: Mapping = [("history", untested(current))].into_iter().collect();
    let status: Mapping = [("status", history)].into_iter().collect();
    let marks: Mapping = [(REQUESTED_AT, token.clone())].into_iter().collect();
    let annotations: Mapping = [("annotations", marks)].into_iter().collect();
    let metadata: Mapping = [("metadata", annotations)].into_iter().collect();
    if run
        .cluster
        .patch_status(&of, &status.into())
        .await?
        .is_none()
    {
        return Err(PartError::Failed(DELETED.to_owned()));
    }
    let Some(patched) = run.cluster.patch(&of, &metadata.into()).await? else {
        return Err(PartError::Failed(DELETED.to_owned()));
    };
    run.record_done(id, request, patched.generation())?;
    Ok((patched, Retried::Tests(token)))
}

/// Returns the history without test results in its newest entry. A merge patch replaces a list as a whole.
fn untested(current: &Object) -> Value {
    let history = current.value.at(&["status", "history"]);
    let mut history = history.cloned().unwrap_or_else(Value::null);
    if let Data::Sequence(snapshots) = &mut history.data
        && let Some(newest) = snapshots.first_mut().and_then(Value::as_mapping_mut)
    {
        newest
            .entries_mut()
            .retain(|entry| entry.key != "testHooks");
    }
    history
}

/// Returns the token of a request: that of an earlier process if it was not handled yet, else a new one.
fn token(run: &Run<'_>, id: &ItemId, current: &Object, heard: &str) -> Text {
    let heard = current.value.at(&["status", heard]).and_then(Value::as_str);
    let asked = run.before(id).and_then(|item| item.retried.as_ref());
    let open = asked.filter(|token| heard != Some(token.as_str()));
    open.cloned().unwrap_or_else(|| run.caller.now())
}
