//! Writes of the program's own client: only the intended object changes.

use armada2flux::cluster::{
    ApplyResult, Cause, Created, Deleted, Error, FIELD_MANAGER, ObjectRef, Replaced, Rights,
    Served, Taken,
};
use armada2flux::flux::Object;
use armada2flux::secret::Scrubber;
use armada2flux::value::Value;
use futures::StreamExt as _;
use serde_json::json;

use super::client::{HELM, access, connect, holders, map, object, release, tester};
use super::client_faults::cause;
use super::client_preflight::account;
use super::{Scope, Test, ensure};
use crate::bed::Outcome;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("client_writes::an_apply_is_stored", applies),
        Test::shared("client_writes::patches_change_what_they_name", patches),
        Test::shared("client_writes::only_the_given_uid_is_deleted", deletes),
        Test::shared("client_writes::a_replace_needs_the_version", replaces),
        Test::shared("client_writes::the_published_rights_are_enough", enough),
    ]
}

pub(super) fn reference(scope: &Scope<'_>, name: &str) -> ObjectRef {
    ObjectRef {
        api_version: "v1".into(),
        kind: "ConfigMap".into(),
        namespace: Some(scope.namespace.as_str().into()),
        name: name.into(),
    }
}

pub(super) fn value(json: &serde_json::Value) -> Outcome<Value> {
    let mut value = Value::from_json(json.to_string().as_bytes())?;
    armada2flux::secret::mark(&mut value);
    Ok(value)
}

pub(super) fn data<'o>(object: &'o Object, key: &str) -> Option<&'o str> {
    object.value.at(&["data", key])?.as_str()
}

pub(super) fn uid(object: &Object) -> Outcome<&str> {
    let uid = object.value.at(&["metadata", "uid"]);
    Ok(uid.and_then(Value::as_str).ok_or("no UID")?)
}

fn applies(scope: &Scope<'_>) -> Outcome {
    let cluster = tester(scope)?;
    let apply = |json: serde_json::Value, force| -> Outcome<ApplyResult> {
        Ok(scope
            .bed
            .block_on(cluster.apply(&object(&json)?, None, force))?)
    };
    for created in [true, false] {
        let done = apply(map(scope, "a", json!({"x": "1"})), false)?;
        ensure(
            matches!(&done, ApplyResult::Applied { created: c, .. } if *c == created),
            || format!("{done:?}"),
        )?;
    }
    let of = reference(scope, "a");
    let read = || -> Outcome<Object> {
        Ok(scope
            .bed
            .block_on(cluster.read(&of))?
            .ok_or("it is not there")?)
    };
    let names = holders(&read()?, ".data.x");
    ensure(names == [FIELD_MANAGER], || format!("{names:?}"))?;

    scope.bed.apply(&map(scope, "a", json!({"x": "theirs"})))?;
    let done = apply(map(scope, "a", json!({"x": "ours"})), false)?;
    ensure(
        matches!(&done, ApplyResult::Conflict(held) if held.len() == 1 && held[0].manager == "tester"),
        || format!("{done:?}"),
    )?;
    ensure(data(&read()?, "x") == Some("theirs"), || {
        "the conflict was written".to_owned()
    })?;
    let done = apply(map(scope, "a", json!({"x": "ours"})), true)?;
    ensure(matches!(done, ApplyResult::Applied { .. }), || {
        format!("{done:?}")
    })?;
    ensure(data(&read()?, "x") == Some("ours"), || {
        "it was not taken over".to_owned()
    })?;

    let mut wrong = release(scope, json!({"db": {"password": "hunter2-password"}}));
    wrong["spec"]["interval"] = json!("hunter2-password");
    let done = apply(wrong, false)?;
    ensure(
        matches!(&done, ApplyResult::Refused { code: 422, message }
            if message.contains("spec.interval") && !message.contains("hunter2")),
        || format!("{done:?}"),
    )?;
    let mut misspelt = release(scope, json!({}));
    misspelt["spec"]["intervall"] = json!("1m");
    let done = apply(misspelt, false)?;
    ensure(
        matches!(&done, ApplyResult::Refused { message, .. } if message.contains("spec.intervall")),
        || format!("{done:?}"),
    )?;
    let mut nowhere = map(scope, "a", json!({}));
    nowhere["metadata"]["namespace"] = json!("not-there");
    let done = apply(nowhere, false)?;
    ensure(matches!(done, ApplyResult::NamespaceMissing { .. }), || {
        format!("{done:?}")
    })
}

fn patches(scope: &Scope<'_>) -> Outcome {
    let cluster = tester(scope)?;
    let of = reference(scope, "a");
    let patch = |of: &ObjectRef, json: serde_json::Value| -> Outcome<Result<_, Error>> {
        Ok(scope.bed.block_on(cluster.patch(of, &value(&json)?)))
    };
    let absent = patch(&of, json!({"data": {"x": "1"}}))??;
    ensure(absent.is_none(), || format!("{absent:?}"))?;
    ensure(scope.bed.block_on(cluster.read(&of))?.is_none(), || {
        "the patch made it".to_owned()
    })?;
    scope
        .bed
        .apply(&map(scope, "a", json!({"x": "1", "y": "1"})))?;
    let before = scope.bed.block_on(cluster.read(&of))?.ok_or("it is gone")?;
    let after = patch(&of, json!({"data": {"x": null, "z": "2"}}))??.ok_or("it is gone")?;
    let found = ["x", "y", "z"].map(|key| data(&after, key));
    ensure(found == [None, Some("1"), Some("2")], || {
        format!("{found:?}")
    })?;
    // With an outdated version.
    let version = before.value.at(&["metadata", "resourceVersion"]);
    let version = version.and_then(Value::as_str).ok_or("no version")?;
    let late = json!({"metadata": {"resourceVersion": version}, "data": {"y": "late"}});
    let Err(error) = patch(&of, late)? else {
        return Err("a past version was patched".into());
    };
    ensure(
        matches!(cause(&error)?, Cause::Refused { code: 409, .. }),
        || format!("{error:?}"),
    )?;

    // Suspended, so helm-controller does not write its status.
    scope.bed.apply(&release(scope, json!({"replicas": 1})))?;
    let of = ObjectRef {
        api_version: HELM.into(),
        kind: "HelmRelease".into(),
        name: "web".into(),
        ..of
    };
    let status =
        value(&json!({"spec": {"suspend": false}, "status": {"lastHandledResetAt": "now"}}))?;
    let done = scope.bed.block_on(cluster.patch_status(&of, &status))?;
    let done = done.ok_or("it is gone")?;
    let at = |path: &[&str]| done.value.at(path).cloned();
    ensure(
        at(&["status", "lastHandledResetAt"]) == Some("now".into())
            && at(&["spec", "suspend"]) == Some(true.into()),
        || format!("{:?} {:?}", at(&["status"]), at(&["spec", "suspend"])),
    )?;
    // Quotes of the patch in the server's message are scrubbed.
    let secret = json!({"spec": {"interval": "hunter2-password", "values": {"password": "hunter2-password"}}});
    let Err(error) = patch(&of, secret)? else {
        return Err("a wrong interval was written".into());
    };
    let text = format!("{error} {error:?}");
    ensure(
        text.contains("spec.interval") && !text.contains("hunter2"),
        || text.clone(),
    )?;
    let nothing = ObjectRef {
        api_version: "example.org/v1".into(),
        ..of
    };
    let Err(error) = scope.bed.block_on(cluster.read(&nothing)) else {
        return Err("an unknown kind was read".into());
    };
    ensure(*cause(&error)? == Cause::NotServed, || format!("{error:?}"))
}

fn deletes(scope: &Scope<'_>) -> Outcome {
    let cluster = tester(scope)?;
    let of = reference(scope, "a");
    let delete =
        |uid: &str| -> Outcome<Deleted> { Ok(scope.bed.block_on(cluster.delete(&of, uid))?) };
    ensure(delete("not-there")? == Deleted::NotThere, || {
        "what is not there was deleted".to_owned()
    })?;
    scope.bed.apply(&map(scope, "a", json!({})))?;
    let first = scope.bed.block_on(cluster.read(&of))?.ok_or("it is gone")?;
    ensure(delete("another")? == Deleted::AnotherUid, || {
        "another UID was deleted".to_owned()
    })?;
    let found = scope.bed.block_on(cluster.read(&of))?.ok_or("it is gone")?;
    ensure(uid(&found)? == uid(&first)?, || {
        "it was created again".to_owned()
    })?;
    ensure(delete(uid(&first)?)? == Deleted::Done, || {
        "not accepted".to_owned()
    })?;
    ensure(delete(uid(&first)?)? == Deleted::NotThere, || {
        "it is still there".to_owned()
    })?;
    // A later object of the same name.
    scope.bed.apply(&map(scope, "a", json!({})))?;
    ensure(delete(uid(&first)?)? == Deleted::AnotherUid, || {
        "a later object was deleted".to_owned()
    })?;
    ensure(scope.bed.block_on(cluster.read(&of))?.is_some(), || {
        "it is gone".to_owned()
    })
}

fn replaces(scope: &Scope<'_>) -> Outcome {
    let cluster = tester(scope)?;
    let new = object(&map(scope, "a", json!({"x": "1"})))?;
    let create = || -> Outcome<Created> { Ok(scope.bed.block_on(cluster.create(&new))?) };
    let replace = |object: &Object| scope.bed.block_on(cluster.replace(object));
    let Created::Done(made) = create()? else {
        return Err("something was there".into());
    };
    ensure(matches!(create()?, Created::Exists), || {
        "made twice".to_owned()
    })?;
    ensure(replace(&new).is_err(), || "replaced blindly".to_owned())?;

    let mut next = made.clone();
    next.set_annotation("who", "first");
    let Replaced::Done(first) = replace(&next)? else {
        return Err("nothing blocked it".into());
    };
    next.set_annotation("who", "second");
    let second = replace(&next)?;
    ensure(matches!(second, Replaced::Conflict), || {
        format!("{second:?}")
    })?;
    let of = ObjectRef::from(&*first);
    scope.bed.block_on(cluster.delete(&of, uid(&first)?))?;
    let gone = replace(&first)?;
    ensure(
        matches!(gone, Replaced::Conflict | Replaced::NotThere),
        || format!("{gone:?}"),
    )?;
    ensure(scope.bed.block_on(cluster.read(&of))?.is_none(), || {
        "it came back".to_owned()
    })?;
    let mut nowhere = map(scope, "a", json!({}));
    nowhere["metadata"]["namespace"] = json!("not-there");
    let Err(error) = scope.bed.block_on(cluster.create(&object(&nowhere)?)) else {
        return Err("made nowhere".into());
    };
    let text = error.to_string();
    ensure(
        text.starts_with("cannot create ConfigMap not-there/a at https://127.0.0.1:")
            && text.ends_with("namespaces \"not-there\" not found (404)"),
        || text.clone(),
    )
}

/// Everything that a run requests of a cluster, with its published account.
fn enough(scope: &Scope<'_>) -> Outcome {
    let (name, kubeconfig) = account(scope, Rights::Apply)?;
    let cluster = connect(scope, &access(&kubeconfig))?;
    let here = scope.namespace.as_str();
    let sent = object(&release(scope, json!({})))?;
    let of = ObjectRef::from(&sent);
    let secret = object(&json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "values", "namespace": here},
    }))?;
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": here},
        "spec": {"containers": [{"name": "main", "image": "example.org/x"}]},
    });
    scope.bed.apply(&pod)?;
    let pod = scope
        .bed
        .get(&format!("/api/v1/namespaces/{here}/pods/web"))?;
    let pod_uid = pod.ok_or("no Pod")?["metadata"]["uid"].to_string();
    let pod = ObjectRef {
        api_version: "v1".into(),
        kind: "Pod".into(),
        ..of.clone()
    };
    let mut state = map(scope, &name, json!({}));
    state["metadata"]["namespace"] = json!("flux-system");
    let state = object(&state)?;
    scope.bed.block_on(async {
        cluster.identity().await?;
        for object in [&sent, &secret] {
            let done = cluster.apply(object, None, false).await?;
            ensure(matches!(done, ApplyResult::Applied { .. }), || {
                format!("{done:?}")
            })?;
        }
        let patch = value(&json!({"spec": {"suspend": true}}))?;
        cluster.patch(&of, &patch).await?.ok_or("it is gone")?;
        let of = ObjectRef::from(&secret);
        cluster.read(&of).await?.ok_or("it is gone")?;
        for (api_version, kind) in [
            (HELM, "HelmRelease"),
            ("source.toolkit.fluxcd.io/v1", "GitRepository"),
            ("source.toolkit.fluxcd.io/v1", "OCIRepository"),
            ("batch/v1", "Job"),
            ("v1", "Pod"),
            ("apps/v1", "StatefulSet"),
        ] {
            let Served::Yes(kind) = cluster.discover(api_version, kind).await? else {
                return Err(format!("{kind} is not served").into());
            };
            let mut events = Box::pin(cluster.watch(&kind, None, None));
            events.next().await.ok_or("the watch ended")??;
        }
        let secrets = Scrubber::default();
        let log = cluster.log_tail(here, "web", "main", 1, 100, &secrets);
        log.await?;
        cluster.events_of(here, &["web"], &secrets).await?;
        let done = cluster.delete(&pod, pod_uid.trim_matches('"')).await?;
        ensure(done == Deleted::Done, || format!("{done:?}"))?;

        let done = cluster.apply(&state, None, true).await?;
        ensure(matches!(done, ApplyResult::Applied { .. }), || {
            format!("{done:?}")
        })?;
        let of = ObjectRef::from(&state);
        cluster.read(&of).await?.ok_or("it is gone")?;
        let taken = cluster.take_lease("flux-system", &name, "us", 60, |_| false);
        let Taken::Held(mut lease) = taken.await? else {
            return Err("it is held".into());
        };
        cluster.renew_lease(&mut lease).await?;
        cluster.release_lease(lease).await?;
        Ok(())
    })
}
