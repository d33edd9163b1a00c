//! Connections: how they are made, kept and thrown away.

use std::error::Error as StdError;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::{Request, Response, Uri};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connect, Connection, HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use kube::client::{Body, ClientBuilder, ConfigExt as _};
use kube::config::Config;
use percent_encoding::percent_decode_str;
use tokio::sync::watch;
use tower_service::Service;

/// The silence of a connection after which the system asks the other side whether it still exists.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// The time between these questions.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(5);
/// The number of these questions without an answer after which the connection counts as broken.
const KEEPALIVE_RETRIES: u32 = 3;
/// The time after which sent data that the other side did not confirm breaks the connection.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
const UNCONFIRMED: Duration = Duration::from_secs(20);

/// The time after which an unused connection is closed.
const IDLE: Duration = Duration::from_secs(30);
/// The number of unused connections that are kept: half of the concurrent requests.
const IDLE_CONNECTIONS: usize = 8;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Says which connections may still be used. Each was made in a numbered generation; once that has ended, requests
/// get new connections.
#[derive(Clone, Debug)]
pub(super) struct Generations(watch::Sender<u64>);

impl Default for Generations {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Generations {
    pub(super) fn current(&self) -> u64 {
        *self.0.borrow()
    }

    /// Ends a generation: one of its connections gave no answer, so the others may be dead as well. Does nothing if
    /// it has ended already.
    pub(super) fn end(&self, seen: u64) {
        self.0.send_if_modified(|current| {
            let ends = *current == seen;
            *current += u64::from(ends);
            ends
        });
    }

    /// Returns what sees the end of the current generation.
    pub(super) fn watch(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// Sends requests on connections of the current generation.
struct Pool<C> {
    connector: C,
    generations: Generations,
    client: Arc<Mutex<(u64, Client<C, Body>)>>,
}

impl<C: Connect + Clone> Pool<C> {
    fn new(connector: C, generations: Generations) -> Self {
        let client = client(connector.clone());
        Self {
            client: Arc::new(Mutex::new((generations.current(), client))),
            connector,
            generations,
        }
    }
}

fn client<C: Connect + Clone>(connector: C) -> Client<C, Body> {
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .build(connector)
}

impl<C: Clone> Clone for Pool<C> {
    fn clone(&self) -> Self {
        Self {
            connector: self.connector.clone(),
            generations: self.generations.clone(),
            client: Arc::clone(&self.client),
        }
    }
}

impl<C: Connect + Clone + Send + Sync + 'static> Service<Request<Body>> for Pool<C> {
    type Response = Response<Incoming>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answer = {
            let mut held = self.client.lock().unwrap_or_else(PoisonError::into_inner);
            let current = self.generations.current();
            if held.0 != current {
                // Requests that are still under way keep their connections.
                *held = (current, client(self.connector.clone()));
            }
            held.1.request(request)
        };
        Box::pin(async move { answer.await.map_err(BoxError::from) })
    }
}

/// Returns a client whose connections belong to the generations.
pub(super) fn build(config: Config, generations: Generations) -> Result<kube::Client, kube::Error> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_keepalive(Some(KEEPALIVE));
    http.set_keepalive_interval(Some(KEEPALIVE_INTERVAL));
    http.set_keepalive_retries(Some(KEEPALIVE_RETRIES));
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    http.set_tcp_user_timeout(Some(UNCONFIRMED));
    let Some(proxy) = config.proxy_url.clone() else {
        return stack(http, &config, generations);
    };
    match proxy.scheme_str() {
        Some("socks5") => stack(SocksV5::new(proxy, http), &config, generations),
        Some("http") => stack(tunnel(proxy, http), &config, generations),
        Some("https") => {
            let https = config.rustls_https_connector_with_connector(http)?;
            stack(tunnel(proxy, https), &config, generations)
        }
        _ => Err(kube::Error::ProxyProtocolUnsupported {
            proxy_url: Box::new(proxy),
        }),
    }
}

/// Returns a connector that asks a proxy for a tunnel, with the name and password in the proxy's address.
fn tunnel<C>(proxy: Uri, connector: C) -> Tunnel<C> {
    let user = proxy
        .authority()
        .and_then(|authority| authority.as_str().split_once('@'))
        .and_then(|(user, _)| {
            let user: Vec<u8> = percent_decode_str(user).collect();
            format!("Basic {}", STANDARD.encode(user)).parse().ok()
        });
    let tunnel = Tunnel::new(proxy, connector);
    match user {
        Some(user) => tunnel.with_auth(user),
        None => tunnel,
    }
}

fn stack<H>(
    connector: H,
    config: &Config,
    generations: Generations,
) -> Result<kube::Client, kube::Error>
where
    H: Service<Uri> + Clone + Send + Sync + 'static,
    H::Response: Connection + Read + Write + Send + Unpin + 'static,
    H::Future: Send + 'static,
    H::Error: StdError + Send + Sync + 'static,
{
    let auth = config.auth_layer()?;
    let mut connector =
        TimeoutConnector::new(config.rustls_https_connector_with_connector(connector)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_write_timeout(config.write_timeout);
    let pool = Pool::new(connector, generations);
    let builder = ClientBuilder::new(pool, config.default_namespace.clone())
        .with_layer(&config.extra_headers_layer()?);
    let base = config.base_uri_layer();
    Ok(match auth {
        Some(auth) => builder.with_layer(&auth).with_layer(&base).build(),
        None => builder.with_layer(&base).build(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_ends_once() {
        let generations = Generations::default();
        let first = generations.current();
        generations.end(first);
        generations.end(first);
        assert_eq!(generations.current(), first + 1);
    }
}
