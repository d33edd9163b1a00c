//! Locks a site against a second run by a Lease, which is taken, renewed and released.
//!
//! The times in it are the server's ([`super::clock`]), so a machine with a wrong clock neither loses a lock
//! nor takes one that is held.

use jiff::{SignedDuration, Timestamp};

use super::call::Call;
use super::clock::SLACK;
use super::list::{Listed, Selection};
use super::object::{Created, ObjectRef, Replaced};
use super::{Cause, Cluster, Error};
use crate::flux::Object;
use crate::value::{Mapping, Text, Value};

const API_VERSION: &str = "coordination.k8s.io/v1";
const KIND: &str = "Lease";

/// The longest time for which a holder may plausibly keep a Lease without renewing it. A Lease that lasts longer was
/// not written by a run, or not with the server's time.
const PLAUSIBLE: SignedDuration = SignedDuration::from_mins(15);

/// The number of attempts when other clients change the Lease in between.
const ATTEMPTS: usize = 5;

/// The holder of a Lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The identity of the holder.
    pub identity: Text,
    /// When it took the Lease, as RFC 3339 text.
    pub since: Option<Text>,
    /// When it renewed the Lease last, as RFC 3339 text.
    pub renewed: Option<Text>,
    /// Whether it has not renewed the Lease within its duration.
    pub expired: bool,
    /// Why the time until which it holds the Lease cannot be right.
    pub implausible: Option<Implausible>,
    /// How often the Lease changed hands.
    pub transitions: i64,
}

/// Why the time until which a Lease is held cannot be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Implausible {
    /// It was renewed in the future.
    #[error("its renewal is in the future")]
    FutureRenewal,
    /// Its duration is too long.
    #[error("its duration is {0} s")]
    Duration(i64),
}

/// A Lease that this run holds.
#[derive(Clone, Debug)]
pub struct Lease {
    identity: Text,
    /// The duration for which it is held without being renewed.
    seconds: i32,
    /// The object as it was read or written last.
    object: Object,
}

/// The result of taking a Lease.
#[derive(Clone, Debug)]
pub enum Taken {
    /// This run holds it.
    Held(Lease),
    /// Another run holds it.
    By(Holder),
}

/// The result of renewing a Lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Renewed {
    /// This run holds it for another duration.
    Done,
    /// This run does not hold it any more; the new holder, if there is one.
    Lost(Option<Holder>),
}

/// The result of releasing a Lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Released {
    /// The Lease has no holder now.
    Done,
    /// This run did not hold it any more, so it was not changed.
    NotOurs,
}

impl Cluster {
    /// Takes a Lease that has no holder, or whose holder `may_take` allows to replace. `identity` must be unique to
    /// the process; `seconds` is the duration for which the Lease is held without being renewed.
    ///
    /// # Errors
    ///
    /// When Leases may not be read, made or updated, the namespace is not there, or the server does not answer.
    pub async fn take_lease(
        &self,
        namespace: &str,
        name: &str,
        identity: &str,
        seconds: i32,
        may_take: impl Fn(&Holder) -> bool,
    ) -> Result<Taken, Error> {
        let target = lease(namespace, name);
        for _ in 0..ATTEMPTS {
            let Some(mut object) = self.read(&target).await? else {
                let new = new(&target, identity, seconds, self.clock.now());
                match self.create(&new).await? {
                    Created::Done(object) => return Ok(held(identity, seconds, *object)),
                    // Another run created it, or this request did and its answer was lost.
                    Created::Exists => continue,
                }
            };
            let now = self.clock.now();
            match holder(&object, now) {
                Some(holder) if holder.identity == identity => {}
                Some(holder) if !may_take(&holder) => {
                    return Ok(Taken::By(holder));
                }
                Some(_) | None => {
                    let before = object
                        .value
                        .int_at(&["spec", "leaseTransitions"])
                        .unwrap_or_default();
                    set_holder(&mut object, identity, before.saturating_add(1), now);
                }
            }
            renew(&mut object, seconds, now);
            match self.replace(&object).await? {
                Replaced::Done(object) => return Ok(held(identity, seconds, *object)),
                Replaced::Conflict | Replaced::NotThere => {}
            }
        }
        Err(self.contention(&format!("take {target}")))
    }

    /// Renews a Lease.
    ///
    /// # Errors
    ///
    /// When it may not be updated or the server does not answer.
    pub async fn renew_lease(&self, lease: &mut Lease) -> Result<Renewed, Error> {
        let target = ObjectRef::from(&lease.object);
        for _ in 0..ATTEMPTS {
            let now = self.clock.now();
            let mut object = lease.object.clone();
            renew(&mut object, lease.seconds, now);
            if let Replaced::Done(object) = self.replace(&object).await? {
                lease.object = *object;
                return Ok(Renewed::Done);
            }
            let Some(found) = self.read(&target).await? else {
                return Ok(Renewed::Lost(None));
            };
            match holder(&found, self.clock.now()) {
                Some(holder) if holder.identity == lease.identity => lease.object = found,
                other => return Ok(Renewed::Lost(other)),
            }
        }
        Err(self.contention(&format!("renew {target}")))
    }

    /// Releases a Lease, if this run still holds it.
    ///
    /// # Errors
    ///
    /// When it may not be updated or the server does not answer.
    pub async fn release_lease(&self, lease: Lease) -> Result<Released, Error> {
        let Lease {
            identity,
            seconds: _,
            mut object,
        } = lease;
        let target = ObjectRef::from(&object);
        for _ in 0..ATTEMPTS {
            clear_holder(&mut object);
            if let Replaced::Done(_) = self.replace(&object).await? {
                return Ok(Released::Done);
            }
            let Some(found) = self.read(&target).await? else {
                return Ok(Released::NotOurs);
            };
            match holder(&found, self.clock.now()) {
                Some(holder) if holder.identity == identity => object = found,
                Some(_) => return Ok(Released::NotOurs),
                // This request released it, and its answer was lost.
                None => return Ok(Released::Done),
            }
        }
        Err(self.contention(&format!("release {target}")))
    }

    /// Returns the holder of a Lease, if there is one.
    ///
    /// # Errors
    ///
    /// When it may not be read or the server does not answer.
    pub async fn lease_holder(&self, namespace: &str, name: &str) -> Result<Option<Holder>, Error> {
        let found = self.read(&lease(namespace, name)).await?;
        Ok(found.and_then(|found| holder(&found, self.clock.now())))
    }

    /// Returns the holders of all Leases of this name, with their namespaces.
    ///
    /// # Errors
    ///
    /// When Leases may not be listed or the server does not answer.
    pub async fn lease_holders(&self, name: &str) -> Result<Vec<(Text, Holder)>, Error> {
        let Some(kind) = self.kind(API_VERSION, KIND).await? else {
            return Ok(Vec::new());
        };
        let selection = Selection::new(&kind, None).name(name);
        let Listed { kept, .. } = self.list_all(Call::get, &selection).await?;
        let now = self.clock.now();
        let held = kept
            .into_iter()
            .filter_map(|object| Some((object.namespace.clone()?, holder(&object, now)?)));
        Ok(held.collect())
    }

    fn contention(&self, act: &str) -> Error {
        let cause = Cause::Refused {
            code: 409,
            message: format!("other clients changed it {ATTEMPTS} times in between"),
        };
        self.failed(act, cause)
    }
}

impl Lease {
    /// Returns the identity of this run.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }
}

fn lease(namespace: &str, name: &str) -> ObjectRef {
    ObjectRef {
        api_version: API_VERSION.into(),
        kind: KIND.into(),
        namespace: Some(namespace.into()),
        name: name.into(),
    }
}

fn held(identity: &str, seconds: i32, object: Object) -> Taken {
    Taken::Held(Lease {
        identity: identity.into(),
        seconds,
        object,
    })
}

fn new(target: &ObjectRef, identity: &str, seconds: i32, now: Timestamp) -> Object {
    let metadata: Mapping = [
        ("name", target.name.clone()),
        ("namespace", target.namespace.clone().unwrap_or_default()),
    ]
    .into_iter()
    .collect();
    let value: Mapping = [
        ("apiVersion", Value::from(API_VERSION)),
        ("kind", "Lease".into()),
        ("metadata", metadata.into()),
    ]
    .into_iter()
    .collect();
    let mut object = Object {
        api_version: target.api_version.clone(),
        kind: target.kind.clone(),
        namespace: target.namespace.clone(),
        name: target.name.clone(),
        value: value.into(),
        origin: None,
    };
    set_holder(&mut object, identity, 0, now);
    renew(&mut object, seconds, now);
    object
}

fn set_holder(lease: &mut Object, identity: &str, transitions: i64, now: Timestamp) {
    edit(lease, |spec| {
        spec.insert("holderIdentity", identity);
        spec.insert("acquireTime", micro_time(now));
        spec.insert("leaseTransitions", transitions);
    });
}

fn renew(lease: &mut Object, seconds: i32, now: Timestamp) {
    edit(lease, |spec| {
        spec.insert("leaseDurationSeconds", i64::from(seconds));
        spec.insert("renewTime", micro_time(now));
    });
}

fn clear_holder(lease: &mut Object) {
    edit(lease, |spec| {
        let gone = |key: &str| matches!(key, "holderIdentity" | "acquireTime" | "renewTime");
        spec.entries_mut().retain(|entry| !gone(&entry.key));
    });
}

/// Formats a time as Kubernetes does for a `MicroTime`.
fn micro_time(time: Timestamp) -> String {
    format!("{time:.6}")
}

/// Changes the spec of a Lease.
fn edit(lease: &mut Object, change: impl FnOnce(&mut Mapping)) {
    let Some(lease) = lease.value.as_mapping_mut() else {
        return;
    };
    if lease.get("spec").and_then(Value::as_mapping).is_none() {
        lease.insert("spec", Mapping::new());
    }
    if let Some(spec) = lease.get_mut("spec").and_then(Value::as_mapping_mut) {
        change(spec);
    }
}

fn holder(object: &Object, now: Timestamp) -> Option<Holder> {
    let text = |key: &str| object.value.text_at(&["spec", key]).map(Text::from);
    let number = |key: &str| object.value.int_at(&["spec", key]);
    let identity = text("holderIdentity").filter(|identity| !identity.is_empty())?;
    let renewed = text("renewTime");
    // A holder without a duration or a renewal has expired (client-go: `LeaderElector.isLeaseValid`).
    let seconds = number("leaseDurationSeconds");
    let renewal: Option<Timestamp> = renewed.as_deref().and_then(|renewed| renewed.parse().ok());
    let until = renewal.and_then(|renewal| {
        let slack = SignedDuration::try_from(SLACK).ok()?;
        let lasts = SignedDuration::from_secs(seconds?).checked_add(slack)?;
        renewal.checked_add(lasts).ok()
    });
    let lasts = until.map(|until| until.duration_since(now));
    let implausible = lasts
        .filter(|lasts| *lasts > PLAUSIBLE)
        .map(|_| match seconds {
            Some(seconds) if SignedDuration::from_secs(seconds) > PLAUSIBLE => {
                Implausible::Duration(seconds)
            }
            Some(_) | None => Implausible::FutureRenewal,
        });
    Some(Holder {
        identity,
        since: text("acquireTime"),
        expired: lasts.is_none_or(|lasts| lasts.is_negative()),
        implausible,
        renewed,
        transitions: number("leaseTransitions").unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        time.parse().expect("a time")
    }

    fn read(spec: &str) -> Option<Holder> {
        let text = format!(
            r#"{{"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{{"name":"a","namespace":"n"}},"spec":{spec}}}"#
        );
        let value = Value::from_json(text.as_bytes()).expect("JSON");
        let object = Object::from_value(value).expect("an object");
        holder(&object, at("2026-11-28T10:00:30Z"))
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let target = lease("n", "a");
        let mut object = new(&target, "me", 20, at("2026-11-28T10:00:00.25Z"));
        let mut expected = Holder {
            identity: "me".into(),
            since: Some("2026-11-28T10:00:00.250000Z".into()),
            renewed: Some("2026-11-28T10:00:00.250000Z".into()),
            expired: false,
            implausible: None,
            transitions: 0,
        };
        assert_eq!(
            holder(&object, at("2026-11-28T10:00:21Z")),
            Some(expected.clone())
        );
        expected.expired = true;
        assert_eq!(holder(&object, at("2026-11-28T10:00:23Z")), Some(expected));
        clear_holder(&mut object);
        assert_eq!(holder(&object, at("2026-11-28T10:00:00Z")), None);
    }

    #[test]
    fn a_holder_that_promises_nothing_has_expired() {
        assert_eq!(read("{}"), None);
        assert_eq!(read(r#"{"holderIdentity":""}"#), None);
        let expired = |spec: &str| read(spec).expect("a holder").expired;
        assert!(expired(r#"{"holderIdentity":"x"}"#));
        assert!(expired(
            r#"{"holderIdentity":"x","renewTime":"2026-11-28T10:00:29.000000Z"}"#
        ));
        let renewed = r#"{"holderIdentity":"x","leaseDurationSeconds":5,"renewTime":"2026-11-28T10:00:25.000000Z"}"#;
        assert!(!expired(renewed));
        // A clock that is ahead is no reason to take it.
        assert!(!expired(&renewed.replace("10:00:25", "10:30:00")));
        assert!(expired(&renewed.replace("10:00:25", "09:59:59")));
        assert!(expired(&renewed.replace(":5,", ":-2147483648,")));
    }

    #[test]
    fn times_that_cannot_be_right_are_named() {
        let spec = r#"{"holderIdentity":"x","leaseDurationSeconds":60,"renewTime":"2026-11-28T10:00:25.000000Z"}"#;
        let implausible = |spec: &str| {
            let holder = read(spec).expect("a holder");
            assert!(!holder.expired);
            holder.implausible
        };
        assert_eq!(implausible(spec), None);
        // The clocks of two API servers may differ by minutes.
        assert_eq!(implausible(&spec.replace("10:00:25", "10:09:00")), None);
        let future = Some(Implausible::FutureRenewal);
        assert_eq!(implausible(&spec.replace("10:00:25", "11:00:00")), future);
        assert_eq!(implausible(&spec.replace("2026", "2099")), future);
        let long = spec.replace(":60,", ":2147483647,");
        assert_eq!(
            implausible(&long),
            Some(Implausible::Duration(2_147_483_647))
        );
    }
}
