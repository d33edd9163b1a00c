//! The cluster: kube-rs behind one wrapper. Nothing else in the program talks to an API server.
//!
//! Every request passes one place ([`Cluster::requests`] counts there): a limit on how many run at once,
//! a bounded number of attempts, a time in which an answer must be there, and errors that name the act and
//! the server and hold no token, password or header. Each may be sent twice without harm ([`call`]), writes
//! too. Watches are streams beside that limit. Objects are trees ([`crate::flux::Object`]), never
//! structs made for one version of a kind.
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

use attempts::Away;
use call::Call;
use clock::Clock;
use discovery::Discovered;

use crate::value::{Text, Value};

/// The field manager of every write, and of every dry run.
pub const FIELD_MANAGER: &str = "armada2flux";

/// Requests that are under way at once.
pub const CONCURRENCY: usize = 16;

/// How long establishing a connection may take, TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long it may take, over all attempts (with [`Cluster::patience`]: at each), until the answer to a request
/// begins, and between parts of the answer, when [`Access::timeout`] does not say.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(9);

/// Called when a request is going to be tried again.
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
    away: Away,
    permits: Semaphore,
    requests: AtomicUsize,
    discovered: Discovered,
    on_wait: Option<OnWait>,
}

impl Cluster {
    /// Connects, and asks the server for its version, so that a wrong address, certificate or credential
    /// shows here. Must be called inside of a tokio runtime with I/O and time.
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
            away: Away::default(),
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

    /// Sets for how long a request is tried again when the server is too busy (429, 502, 503, 504), going down
    /// or cannot be reached, and for how long a watch does without it. What a server refuses that has just come
    /// back is tried again, too: it may not yet know who may what. Without patience few attempts are made, all
    /// within the time for one answer.
    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = Some(patience);
        self
    }

    /// Says which rights the command needs, for hints.
    #[must_use]
    pub fn rights(mut self, rights: Rights) -> Self {
        self.rights = rights;
        self
    }

    /// Sets what is called when a request has to wait before it is tried again (throttling).
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

    /// Returns the context in use; `None` inside of a cluster.
    #[must_use]
    pub fn context(&self) -> Option<&str> {
        self.context.as_deref()
    }

    /// Returns the namespace that was asked for, else the context's, else `default`.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// How many requests were sent so far, every attempt counted.
    #[must_use]
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// Gets something that must be there.
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
