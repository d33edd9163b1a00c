//! The lock of the program's own client: one process holds the Lease, and others see its holder.

use armada2flux::cluster::{Cluster, Holder, Lease, ObjectRef, Released, Renewed, Taken};
use armada2flux::value::Value;
use futures::future::try_join_all;

use super::client::{access, connect, tester};
use super::{Scope, Test, ensure};
use crate::bed::Outcome;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("client_lease::others_see_the_holder", held),
        Test::shared("client_lease::an_expired_lease_can_be_taken", expired),
        Test::shared("client_lease::one_of_many_takers_wins", many),
        Test::shared("client_lease::lost_answers_keep_the_lease", lost),
    ]
}

const NAME: &str = "armada2flux";

/// Longer than any of these tests.
const SECONDS: i32 = 600;

fn take(scope: &Scope<'_>, cluster: &Cluster, identity: &str, may_take: bool) -> Outcome<Taken> {
    let may_take = |holder: &Holder| holder.expired && may_take;
    let taken = cluster.take_lease(&scope.namespace, NAME, identity, SECONDS, may_take);
    Ok(scope.bed.block_on(taken)?)
}

fn ours(taken: Taken) -> Outcome<Lease> {
    match taken {
        Taken::Held(lease) => Ok(lease),
        Taken::By(holder) => Err(format!("{holder:?}").into()),
    }
}

fn theirs(taken: Taken) -> Outcome<Holder> {
    match taken {
        Taken::By(holder) => Ok(holder),
        Taken::Held(lease) => Err(format!("{lease:?}").into()),
    }
}

fn reference(scope: &Scope<'_>) -> ObjectRef {
    ObjectRef {
        api_version: "coordination.k8s.io/v1".into(),
        kind: "Lease".into(),
        namespace: Some(scope.namespace.as_str().into()),
        name: NAME.into(),
    }
}

/// Makes the Lease look expired for a long time.
fn let_expire(scope: &Scope<'_>, cluster: &Cluster) -> Outcome {
    let patch = br#"{"spec":{"renewTime":"2020-01-01T00:00:00.000000Z"}}"#;
    let patch = Value::from_json(patch)?;
    scope
        .bed
        .block_on(cluster.patch(&reference(scope), &patch))?
        .ok_or("it is gone")?;
    Ok(())
}

fn held(scope: &Scope<'_>) -> Outcome {
    let cluster = tester(scope)?;
    let mut lease = ours(take(scope, &cluster, "first", false)?)?;
    // The Lease of a live holder is never taken.
    let holder = theirs(take(scope, &cluster, "second", true)?)?;
    ensure(
        holder.identity == "first" && !holder.expired && holder.since.is_some(),
        || format!("{holder:?}"),
    )?;
    let renewed = scope.bed.block_on(cluster.renew_lease(&mut lease))?;
    ensure(renewed == Renewed::Done, || format!("{renewed:?}"))?;
    let after = theirs(take(scope, &cluster, "second", true)?)?;
    ensure(
        after.renewed > holder.renewed && after.since == holder.since,
        || format!("{holder:?} {after:?}"),
    )?;
    // Others may write other fields of it.
    let_expire(scope, &cluster)?;
    let renewed = scope.bed.block_on(cluster.renew_lease(&mut lease))?;
    ensure(renewed == Renewed::Done, || format!("{renewed:?}"))?;
    let released = scope.bed.block_on(cluster.release_lease(lease.clone()))?;
    ensure(released == Released::Done, || format!("{released:?}"))?;
    let holder = cluster.lease_holder(&scope.namespace, NAME);
    let holder = scope.bed.block_on(holder)?;
    ensure(holder.is_none(), || format!("{holder:?}"))?;
    let renewed = scope.bed.block_on(cluster.renew_lease(&mut lease))?;
    ensure(renewed == Renewed::Lost(None), || format!("{renewed:?}"))?;
    ours(take(scope, &cluster, "second", false)?)?;
    let holder = theirs(take(scope, &cluster, "first", true)?)?;
    ensure(
        holder.identity == "second" && holder.transitions == 1,
        || format!("{holder:?}"),
    )
}

fn expired(scope: &Scope<'_>) -> Outcome {
    let cluster = tester(scope)?;
    let mut first = ours(take(scope, &cluster, "first", false)?)?;
    let_expire(scope, &cluster)?;
    let holder = theirs(take(scope, &cluster, "second", false)?)?;
    ensure(holder.identity == "first" && holder.expired, || {
        format!("{holder:?}")
    })?;
    ours(take(scope, &cluster, "second", true)?)?;
    let renewed = scope.bed.block_on(cluster.renew_lease(&mut first))?;
    ensure(
        matches!(&renewed, Renewed::Lost(Some(holder)) if holder.identity == "second"),
        || format!("{renewed:?}"),
    )?;
    let released = scope.bed.block_on(cluster.release_lease(first))?;
    ensure(released == Released::NotOurs, || format!("{released:?}"))?;
    let holder = theirs(take(scope, &cluster, "third", true)?)?;
    ensure(holder.identity == "second", || format!("{holder:?}"))?;
    // A deleted Lease is no longer ours.
    let mut second = ours(take(scope, &cluster, "second", false)?)?;
    let found = scope.bed.block_on(cluster.read(&reference(scope)))?;
    let found = found.ok_or("it is gone")?;
    let uid = found.value.at(&["metadata", "uid"]).and_then(Value::as_str);
    let of = reference(scope);
    scope
        .bed
        .block_on(cluster.delete(&of, uid.ok_or("no UID")?))?;
    let renewed = scope.bed.block_on(cluster.renew_lease(&mut second))?;
    ensure(renewed == Renewed::Lost(None), || format!("{renewed:?}"))?;
    let found = scope.bed.block_on(cluster.read(&reference(scope)))?;
    ensure(found.is_none(), || "a renewal created it again".to_owned())
}

fn many(scope: &Scope<'_>) -> Outcome {
    let runs: Vec<Cluster> = (0..8).map(|_| tester(scope)).collect::<Outcome<_>>()?;
    // First with no Lease, then with an expired one.
    for round in ["new", "expired"] {
        let takers = runs.iter().enumerate().map(|(number, cluster)| async move {
            let identity = format!("{round}-{number}");
            cluster
                .take_lease(&scope.namespace, NAME, &identity, SECONDS, |holder| {
                    holder.expired
                })
                .await
        });
        let taken = scope.bed.block_on(try_join_all(takers))?;
        let winners: Vec<&str> = taken
            .iter()
            .filter_map(|taken| match taken {
                Taken::Held(lease) => Some(lease.identity()),
                Taken::By(_) => None,
            })
            .collect();
        let [winner] = winners.as_slice() else {
            return Err(format!("{round}: {winners:?}").into());
        };
        let all_see_it = taken.iter().all(|taken| match taken {
            Taken::Held(_) => true,
            Taken::By(holder) => holder.identity == *winner,
        });
        ensure(all_see_it, || format!("{taken:?}"))?;
        let_expire(scope, &runs[0])?;
    }
    Ok(())
}

fn lost(scope: &Scope<'_>) -> Outcome {
    let proxy = scope.bed.proxy(&scope.namespace)?;
    let cluster = connect(scope, &access(&proxy.kubeconfig))?;
    proxy.cut_next_write();
    let mut lease = ours(take(scope, &cluster, "first", false)?)?;
    proxy.cut_next_write();
    let renewed = scope.bed.block_on(cluster.renew_lease(&mut lease))?;
    ensure(renewed == Renewed::Done, || format!("{renewed:?}"))?;
    proxy.cut_next_write();
    let released = scope.bed.block_on(cluster.release_lease(lease))?;
    ensure(released == Released::Done, || format!("{released:?}"))?;
    proxy.cut_next_write();
    ours(take(scope, &cluster, "second", false)?).map(drop)
}
