//! A connection to one API server.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;

use super::Rights;
use super::clock::Clock;
use super::credentials::Credentials;
use super::kind::Discovered;
use super::outage::{Outage, Waiting};
use super::pool::Generations;
use crate::value::Text;

/// The field manager of every write, and of every dry run.
pub const FIELD_MANAGER: &str = "armada2flux";

/// The number of requests that run at once.
pub const CONCURRENCY: usize = 16;

/// A function that is called before a request is tried again.
type OnWait = Box<dyn Fn(&Waiting) + Send + Sync>;

/// A client that has not sent a request yet.
pub(super) struct Connection {
    pub(super) client: kube::Client,
    pub(super) generations: Generations,
    pub(super) credentials: Credentials,
    pub(super) server: Text,
    pub(super) context: Option<Text>,
    pub(super) namespace: Text,
}

/// A connection to one API server.
pub struct Cluster {
    pub(super) client: kube::Client,
    pub(super) generations: Generations,
    pub(super) credentials: Credentials,
    /// `https://host:port`
    pub(super) server: Text,
    pub(super) context: Option<Text>,
    pub(super) namespace: Text,
    pub(super) version: Text,
    pub(super) timeout: Duration,
    pub(super) retry_for: Option<Duration>,
    pub(super) rights: Rights,
    pub(super) clock: Clock,
    pub(super) outage: Outage,
    pub(super) permits: Semaphore,
    pub(super) requests: AtomicUsize,
    pub(super) discovered: Discovered,
    pub(super) on_wait: Option<OnWait>,
}

impl Cluster {
    /// Makes one of a connection; an answer must begin within `timeout`.
    pub(super) fn new(connection: Connection, timeout: Duration) -> Self {
        let Connection {
            client,
            generations,
            credentials,
            server,
            context,
            namespace,
        } = connection;
        Self {
            client,
            generations,
            credentials,
            server,
            context,
            namespace,
            version: Text::new(),
            timeout,
            retry_for: None,
            rights: Rights::default(),
            clock: Clock::default(),
            outage: Outage::default(),
            permits: Semaphore::new(CONCURRENCY),
            requests: AtomicUsize::new(0),
            discovered: Discovered::default(),
            on_wait: None,
        }
    }

    /// Sets for how long a request or a watch is tried again when the server is too busy (429, 502, 503,
    /// 504), is shutting down or cannot be reached. Refusals of a server that has just restarted are tried
    /// again, too: it may not know all users and their permissions yet. Without this setting there are few
    /// attempts, all within the time for one answer.
    #[must_use]
    pub fn retry_for(mut self, time: Duration) -> Self {
        self.retry_for = Some(time);
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
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster")
            .field("server", &self.server)
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}
