//! The client of an API server, on top of kube-rs. Nothing else in the program talks to an API server.
//!
//! Every request goes through one function, which counts it ([`Cluster::requests`]), limits how many run at
//! once, bounds the number of attempts and the time for an answer, and returns errors that name the act and
//! the server and hold no token, password or header. Every request may be sent twice without harm ([`call`]),
//! writes too. Watches do not count against the limit. Objects are trees ([`crate::flux::Object`]), not
//! structs for one version of a kind.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "input and output live here, and in `cli`"
)]

mod access;
mod answer;
mod apply;
mod attempts;
mod broken;
mod call;
mod client;
mod clock;
mod controller;
mod credentials;
mod discovery;
mod environment;
mod error;
mod identity;
mod inspect;
mod kind;
mod lease;
mod list;
mod need;
mod object;
mod outage;
mod permission;
mod plugin;
mod pool;
mod preflight;
mod received;
mod transport;
mod watch;

pub use access::{Access, CONNECT_TIMEOUT, DEFAULT_TIMEOUT};
pub use apply::ApplyResult;
pub(crate) use apply::BoundApply;
pub use client::{CONCURRENCY, Cluster, FIELD_MANAGER};
pub(crate) use controller::FLUX_NAMESPACE;
pub use controller::{Controller, Controllers};
pub use error::{Cause, Error, Rights};
pub use inspect::KubeEvent;
pub use kind::{KindRef, Served};
pub use lease::{Holder, Implausible, Lease, Released, Renewed, Taken};
pub use need::{Missing, Permission, Requirements, Verb};
pub use object::{Created, Deleted, ObjectRef, Replaced};
pub use outage::Waiting;
pub use preflight::Preflight;
pub(crate) use received::Packed;
pub use watch::Event;
