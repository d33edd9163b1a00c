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
mod clock;
mod controller;
mod discovery;
mod environment;
mod error;
mod inspect;
mod lease;
mod list;
mod object;
mod permission;
mod preflight;
mod transport;
mod watch;

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

pub use access::Access;
pub use apply::DryRun;
pub use attempts::Waiting;
pub use controller::{Controller, Controllers, FLUX_NAMESPACE};
pub use discovery::{KindRef, Served};
pub use error::{Cause, Error, Rights};
pub use inspect::Happening;
pub use lease::{Holder, Lease, Released, Renewed, Taken};
pub use object::{Created, Deleted, ObjectRef, Replaced};
pub use permission::{Permission, Verb};
pub use preflight::{Lack, Needs, Preflight};
pub use watch::Event;

use attempts::Outage;
use call::Call;
use clock::Clock;
use discovery::Discovered;

use crate::value::{Text, Value};

/// The field manager of every write, and of every dry run.
pub const FIELD_MANAGER: &str = "armada2flux";

/// The number of requests that run at once.
pub const CONCURRENCY: usize = 16;

/// The time in which a connection must be established, TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The time until the answer to a request must begin, over all attempts (with [`Cluster::patience`]: at each
/// attempt), and between parts of the answer, unless [`Access::timeout`] says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(9);

/// A function that is called before a request is tried again.
type OnWait = Box<dyn Fn(&Waiting) + Send + Sync>;

/// A connection to one API server.
pub struct Cluster {
    client: kube::Client,
    /// `https://host:port`
    server: Text,
    context: Option<Text>,
    namespace: Text,
    version: Text,
    timeout: Duration,
    patience: Option<Duration>,
    rights: Rights,
    clock: Clock,
    outage: Outage,
    permits: Semaphore,
    requests: AtomicUsize,
    discovered: Discovered,
    on_wait: Option<OnWait>,
}

impl Cluster {
    /// Connects, and asks the server for its version, so that a wrong address, certificate or credential
    /// fails here. Must be called inside of a tokio runtime with I/O and time.
    ///
    /// # Errors
    ///
    /// When the configuration cannot be read or the server cannot be reached; see [`Error`].
    pub async fn connect(access: &Access) -> Result<Self, Error> {
        let access::Connection {
            client,
            server,
            context,
            namespace,
        } = access.open().await?;
        let mut cluster = Self {
            client,
            server,
            context,
            namespace,
            version: Text::new(),
            timeout: access.timeout.unwrap_or(DEFAULT_TIMEOUT),
            patience: None,
            rights: Rights::default(),
            clock: Clock::default(),
            outage: Outage::default(),
            permits: Semaphore::new(CONCURRENCY),
            requests: AtomicUsize::new(0),
            discovered: Discovered::default(),
            on_wait: None,
        };
        let answer = cluster.get("connect", "/version").await?;
        let version = answer.value.at(&["gitVersion"]).and_then(Value::as_str);
        cluster.version = version.unwrap_or_default().into();
        Ok(cluster)
    }

    /// Sets for how long a request or a watch is tried again when the server is too busy (429, 502, 503,
    /// 504), is shutting down or cannot be reached. Refusals of a server that has just restarted are tried
    /// again, too: it may not know all users and their permissions yet. Without this setting there are few
    /// attempts, all within the time for one answer.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Sets the rights that the command needs, for hints.
    #[must_use]
    pub fn rights(mut self, rights: Rights) -> Self {
        self.rights = rights;
        self
    }

    /// Sets the function that is called when a request has to wait before it is tried again.
    #[must_use]
    pub fn on_wait(mut self, call: impl Fn(&Waiting) + Send + Sync + 'static) -> Self {
        self.on_wait = Some(Box::new(call));
        self
    }

    /// Returns the server's address: scheme, host and port.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Returns the server's version, as `v1.36.4`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Returns the current context; `None` inside of a cluster.
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// Returns the namespace that was asked for, or else the context's, or else `default`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns the number of requests sent so far; every attempt counts.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// Sends a GET request for something that must exist.
    async fn get(&self, act: &str, path: &str) -> Result<answer::Answer, Error> {
        let answer = self.send(act, &Call::get(path.to_owned())).await?;
        if answer.is_success() {
            Ok(answer)
        } else {
            Err(self.refused(act, &answer))
        }
    }
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("server", &self.server)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}
