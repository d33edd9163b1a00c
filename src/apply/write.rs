//! The writes of a part: the apply, the end of a suspension, the order to try again.

use super::event::Moment;
use super::part::generation;
use super::run::{Error, Run};
use crate::cluster::{DryRun, ObjectRef};
use crate::flux::Object;
use crate::rollout::PartId;
use crate::rollout::journal::Act;
use crate::value::{Mapping, Text, Value};

/// Annotations by which helm-controller is told to try a release again; it acts on the second when both are equal
/// (helm-controller: api/v2/annotations.go).
const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
const RESET_AT: &str = "reconcile.fluxcd.io/resetAt";

/// What is said of an object that somebody deletes while it is worked on.
pub(super) const DELETED: &str = "somebody deleted it meanwhile: run again to make it anew";

/// The object as the server would take it or has taken it, or why it does not.
pub(super) fn accepted(answer: DryRun) -> Result<Object, String> {
    match answer {
        DryRun::Applied { object, created: _ } => Ok(*object),
        DryRun::Conflict(held) => {
            let held = held
                .iter()
                .map(|conflict| format!("`{}` is held by `{}`", conflict.field, conflict.manager));
            let held: Vec<String> = held.collect();
            Err(format!(
                "{}: let that manager give it up, or write its value into the input",
                held.join(", ")
            ))
        }
        DryRun::Refused { code: _, message }
        | DryRun::Forbidden { message }
        | DryRun::Unsupported { message } => Err(format!("the api server refuses it: {message}")),
        DryRun::NamespaceMissing { namespace } => {
            Err(format!("its namespace `{namespace}` does not exist"))
        }
        DryRun::KindNotServed => Err("its kind is not served".to_owned()),
    }
}

/// The server-side apply. No force: what others hold is theirs.
pub(super) async fn apply(
    run: &Run<'_>,
    id: &PartId,
    object: &Object,
    live: Option<&Object>,
) -> Result<Result<Object, String>, Error> {
    run.going(id, &Act::Apply)?;
    run.tell(id, Moment::Writing);
    let written = match accepted(run.cluster.apply(object, live, false).await?) {
        Ok(written) => written,
        Err(reason) => return Ok(Err(reason)),
    };
    run.done(id, Act::Apply, generation(&written))?;
    Ok(Ok(written))
}

/// Takes `spec.suspend` away, whoever set it.
pub(super) async fn unsuspend(
    run: &Run<'_>,
    id: &PartId,
    current: &Object,
) -> Result<Result<Object, String>, Error> {
    let spec: Mapping = [("suspend", Value::null())].into_iter().collect();
    patch(run, id, Act::Unsuspend, current, "spec", spec).await
}

/// Tells helm-controller to try a release again that it has given up, and gives the object and what to look for.
/// A run that was cut off between the two sends the same token again.
pub(super) async fn retry(
    run: &Run<'_>,
    id: &PartId,
    current: &Object,
) -> Result<Result<(Object, Text), String>, Error> {
    let handled = current.value.at(&["status", "lastHandledResetAt"]);
    let handled = handled.and_then(Value::as_str);
    let asked = run.before(id).and_then(|part| part.retried.as_ref());
    let open = asked.filter(|token| handled != Some(token.as_str()));
    let token = open.cloned().unwrap_or_else(|| (run.now)());
    let marks: Mapping = [REQUESTED_AT, RESET_AT]
        .into_iter()
        .map(|key| (key, token.clone()))
        .collect();
    let annotations: Mapping = [("annotations", marks)].into_iter().collect();
    let act = Act::Retry {
        token: token.clone(),
    };
    let patched = patch(run, id, act, current, "metadata", annotations).await?;
    Ok(patched.map(|object| (object, token)))
}

async fn patch(
    run: &Run<'_>,
    id: &PartId,
    act: Act,
    current: &Object,
    part: &'static str,
    content: Mapping,
) -> Result<Result<Object, String>, Error> {
    run.going(id, &act)?;
    run.tell(id, Moment::Writing);
    let content: Mapping = [(part, content)].into_iter().collect();
    let (of, content) = (ObjectRef::from(current), Value::from(content));
    let Some(patched) = run.cluster.patch(&of, &content).await? else {
        return Ok(Err(DELETED.to_owned()));
    };
    run.done(id, act, generation(&patched))?;
    Ok(Ok(patched))
}
