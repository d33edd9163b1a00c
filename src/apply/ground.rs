//! Asks whether a release is still made of what was prepared.
//!
//! Flux reads sources and values whenever it likes, so a change in the hours of a run would be installed under the name of
//! what was planned. Both are compared again before and after each release that uses them.

use super::error::{Error, PartError};
use super::prepared::{
    Moment, Prepared, Print, changed, holds_values, is_used_by_releases, used_by,
};
use super::run::Run;
use super::write::DELETED;
use crate::cluster::{KindRef, ObjectRef};
use crate::flux::Object;
use crate::value::Value;

/// Remembers an object of the preparation as it is at its end.
pub(super) async fn remember(
    run: &Run<'_>,
    kind: &KindRef,
    object: &Object,
) -> Result<(), PartError> {
    if !is_used_by_releases(object) {
        return Ok(());
    }
    let Some(live) = read(run, kind, object).await? else {
        return Err(PartError::Failed(DELETED.to_owned()));
    };
    let prepared = Prepared {
        target: Object {
            value: Value::null(),
            ..object.clone()
        },
        print: Print::of(&live),
    };
    run.ground.borrow_mut().insert(object.key(), prepared);
    Ok(())
}

/// Compares what a release uses with what was prepared.
pub(super) async fn check(
    run: &Run<'_>,
    release: &Object,
    moment: Moment,
) -> Result<(), PartError> {
    for key in used_by(release) {
        let known = run.ground.borrow().get(&key).cloned();
        let Some(Prepared { target, print }) = known else {
            continue;
        };
        let Some(kind) = run.cluster.kind(&target.api_version, &target.kind).await? else {
            let reason = format!("{} is not served any more", target.title());
            return Err(PartError::Failed(reason));
        };
        let live = read(run, &kind, &target).await?;
        if let Some(reason) = changed(&target, &print, live.as_ref(), moment) {
            return Err(PartError::Failed(reason));
        }
    }
    Ok(())
}

async fn read(run: &Run<'_>, kind: &KindRef, object: &Object) -> Result<Option<Object>, Error> {
    if holds_values(object) {
        return Ok(run.cluster.read(&ObjectRef::from(object)).await?);
    }
    let view = run.watched(kind, object);
    Ok(view.object(object.namespace.as_ref(), &object.name).await?)
}
