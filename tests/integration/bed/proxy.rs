//! A proxy in front of the API server that records requests and injects faults.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::StreamExt as _;
use http_body_util::{BodyExt as _, BodyStream, StreamBody};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, HOST, HeaderValue, RETRY_AFTER, TRANSFER_ENCODING};
use hyper::{Method, Request, Response, StatusCode};
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::keys::{Keys, User};
use super::{Error, Outcome, http, lock};

/// What a request does in the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A GET that ends, and reads by POST (reviews, dry runs).
    Read,
    /// A watch.
    Watch,
    /// Any change of an object.
    Write,
}

/// A request that the proxy received.
#[derive(Debug, Clone)]
pub(crate) struct ProxiedRequest {
    pub(crate) kind: Kind,
    pub(crate) method: Method,
    /// With the query.
    pub(crate) path: String,
    /// The status that the client received; `None` if its connection was cut.
    pub(crate) status: Option<u16>,
}

/// A fault for a request.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The proxy forwards it later.
    Delay(Duration),
    /// The proxy forwards it when this holds `true`.
    Hold(watch::Receiver<bool>),
    /// The API server never receives it; the client gets this status (429, 503), with `Retry-After` in seconds.
    Answer(u16, Option<u32>),
    /// The API server never receives it; the connection closes without a response.
    CutBefore,
    /// The API server handles it; the connection closes without a response.
    CutAfter,
    /// The process is killed before the API server receives the request.
    KillBefore(u32),
    /// The process is killed after the API server handled it, before the response.
    KillAfter(u32),
}

/// The requests that get a fault.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    kind: Option<Kind>,
    method: Option<String>,
    path: String,
    whole: bool,
    first: usize,
    times: usize,
    fault: Fault,
    matched: usize,
}

impl Rule {
    /// Creates a rule for every request.
    pub(crate) fn new(fault: Fault) -> Self {
        Self {
            kind: None,
            method: None,
            path: String::new(),
            whole: false,
            first: 1,
            times: usize::MAX,
            fault,
            matched: 0,
        }
    }

    /// Only requests of this kind.
    pub(crate) fn kind(mut self, kind: Kind) -> Self {
        self.kind = Some(kind);
        self
    }

    /// Only requests whose path and query contain this.
    pub(crate) fn path(mut self, part: &str) -> Self {
        part.clone_into(&mut self.path);
        self
    }

    /// Only requests with exactly this path, whatever the query.
    pub(crate) fn exactly(mut self, path: &str) -> Self {
        path.clone_into(&mut self.path);
        self.whole = true;
        self
    }

    /// Only requests by this method.
    pub(crate) fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Starts with the n-th such request (the first is 1).
    pub(crate) fn starting_at(mut self, nth: usize) -> Self {
        self.first = nth;
        self
    }

    /// Limits the rule to so many requests.
    pub(crate) fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Counts a request that the rule matches, and returns the fault if it is one of those to get it.
    fn fault_for(&mut self, kind: Kind, method: &Method, path: &str) -> Option<Fault> {
        let here = if self.whole {
            path.split('?').next() == Some(&*self.path)
        } else {
            path.contains(&self.path)
        };
        let by = self.method.as_deref();
        if self.kind.is_some_and(|wanted| wanted != kind)
            || by.is_some_and(|wanted| wanted != method.as_str())
            || !here
        {
            return None;
        }
        self.matched += 1;
        (self.matched >= self.first && self.matched - self.first < self.times)
            .then(|| self.fault.clone())
    }
}

#[derive(Debug)]
struct State {
    seen: Mutex<Vec<ProxiedRequest>>,
    rules: Mutex<Vec<Rule>>,
    cut: watch::Sender<u64>,
}

/// The proxy; clients use its kubeconfig in place of the API server's own.
#[derive(Debug)]
pub(crate) struct Proxy {
    pub(crate) kubeconfig: PathBuf,
    state: Arc<State>,
}

impl Proxy {
    /// Starts it in front of the server at `url`. Clients keep their own tokens.
    pub(crate) fn start(runtime: &Handle, keys: &Keys, url: &str, name: &str) -> Outcome<Self> {
        let state = Arc::new(State {
            seen: Mutex::default(),
            rules: Mutex::default(),
            cut: watch::Sender::new(0),
        });
        let mut config = kube::Config::new(url.parse()?);
        config.root_cert = Some(vec![keys.authority().to_vec()]);
        config.default_retry = false;
        config.read_timeout = None;
        let upstream = {
            let _context = runtime.enter();
            kube::Client::try_from(config)?
        };
        let shared = Arc::clone(&state);
        let address: SocketAddr = http::serve(runtime, Some(http::tls(keys)?), move |request| {
            let (state, upstream) = (Arc::clone(&shared), upstream.clone());
            async move { pass(&state, &upstream, request).await }
        })?;
        let kubeconfig = keys.kubeconfig(
            User::Tester,
            &format!("https://{address}"),
            &format!("proxy-{name}"),
        )?;
        Ok(Self { kubeconfig, state })
    }

    /// Returns all requests so far, oldest first.
    pub(crate) fn requests(&self) -> Vec<ProxiedRequest> {
        lock(&self.state.seen).clone()
    }

    /// Returns how many requests of a kind came so far.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.requests()
            .iter()
            .filter(|request| request.kind == kind)
            .count()
    }

    /// Adds a rule. The first rule with a fault for a request decides.
    pub(crate) fn add_rule(&self, rule: Rule) {
        lock(&self.state.rules).push(rule);
    }

    /// Replaces all rules by one that loses the response of the next write.
    pub(crate) fn cut_next_write(&self) {
        self.clear_rules();
        self.add_rule(Rule::new(Fault::CutAfter).kind(Kind::Write).times(1));
    }

    /// Removes all rules.
    pub(crate) fn clear_rules(&self) {
        lock(&self.state.rules).clear();
    }

    /// Cuts the connection of every open watch.
    pub(crate) fn cut_watches(&self) {
        self.state.cut.send_modify(|cuts| *cuts += 1);
    }
}

fn kind(request: &Request<Incoming>) -> Kind {
    let path = request.uri().path();
    let query = request.uri().query().unwrap_or_default();
    let asks = |word: &str| query.split('&').any(|pair| pair == word);
    if request.method() == Method::GET || request.method() == Method::HEAD {
        if asks("watch=true") || asks("watch=1") {
            Kind::Watch
        } else {
            Kind::Read
        }
    } else if asks("dryRun=All")
        || path.contains("/authorization.k8s.io/")
        || path.contains("/authentication.k8s.io/")
    {
        Kind::Read
    } else {
        Kind::Write
    }
}

/// Forwards a request or injects a fault, and records the request.
async fn pass(state: &State, upstream: &kube::Client, request: Request<Incoming>) -> http::Answer {
    let kind = kind(&request);
    let method = request.method().clone();
    let path = request
        .uri()
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    let fault = {
        let mut rules = lock(&state.rules);
        // Each rule counts the requests that it matches, so ask all of them.
        let matches: Vec<_> = rules
            .iter_mut()
            .filter_map(|rule| rule.fault_for(kind, &method, &path))
            .collect();
        matches.into_iter().next()
    };
    let record = |status: Option<u16>| {
        let seen = ProxiedRequest {
            kind,
            method,
            path,
            status,
        };
        lock(&state.seen).push(seen);
    };
    let answer = match fault {
        None => forward(state, upstream, request, kind).await,
        Some(Fault::Delay(time)) => {
            tokio::time::sleep(time).await;
            forward(state, upstream, request, kind).await
        }
        Some(Fault::Hold(mut opened)) => {
            // Without a sender it is opened.
            let _ = opened.wait_for(|open| *open).await;
            forward(state, upstream, request, kind).await
        }
        Some(Fault::Answer(status, retry_after)) => Some(refusal(status, retry_after)),
        Some(Fault::CutBefore) => None,
        Some(Fault::CutAfter) => {
            drop(forward(state, upstream, request, kind).await);
            None
        }
        Some(Fault::KillBefore(process)) => {
            // Record first: a test that waits for the process may read the list right after.
            record(None);
            kill(process);
            return None;
        }
        Some(Fault::KillAfter(process)) => {
            drop(forward(state, upstream, request, kind).await);
            record(None);
            kill(process);
            return None;
        }
    };
    record(answer.as_ref().map(|answer| answer.status().as_u16()));
    answer
}

async fn forward(
    state: &State,
    upstream: &kube::Client,
    request: Request<Incoming>,
    kind: Kind,
) -> http::Answer {
    let mut cut = state.cut.subscribe();
    match exchange(upstream, request).await {
        Err(error) => Some(http::plain(StatusCode::BAD_GATEWAY, error.to_string())),
        Ok(response) if kind == Kind::Watch => Some(response.map(|body| {
            let cut = async move { drop(cut.changed().await) };
            let broken =
                futures::stream::once(async { Err(Error::from("the watch is cut on purpose")) });
            StreamBody::new(
                BodyStream::new(body)
                    .take_until(Box::pin(cut))
                    .chain(broken),
            )
            .boxed_unsync()
        })),
        Ok(response) => Some(response),
    }
}

async fn exchange(
    upstream: &kube::Client,
    request: Request<Incoming>,
) -> Outcome<Response<http::Body>> {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(HOST);
    parts.headers.remove(CONNECTION);
    parts.headers.remove(TRANSFER_ENCODING);
    let body = kube::client::Body::from(body.collect().await?.to_bytes());
    let mut response = upstream.send(Request::from_parts(parts, body)).await?;
    response.headers_mut().remove(CONNECTION);
    response.headers_mut().remove(TRANSFER_ENCODING);
    Ok(response.map(|body| body.map_err(Error::from).boxed_unsync()))
}

/// Returns a refusal as the API server sends it.
fn refusal(status: u16, retry_after: Option<u32>) -> Response<http::Body> {
    let text = serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": status,
        "reason": if status == 429 { "TooManyRequests" } else { "ServiceUnavailable" },
        "message": "refused on purpose",
    });
    let code = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = http::plain(code, text.to_string());
    response
        .headers_mut()
        .insert("content-type", HeaderValue::from_static("application/json"));
    if let Some(seconds) = retry_after {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn kill(process: u32) {
    drop(
        Command::new("kill")
            .args(["-KILL", &process.to_string()])
            .status(),
    );
}
