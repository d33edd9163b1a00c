//! The one place that requests pass: limit, attempts, time, count.

use std::error::Error as StdError;
use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER};
use hyper::{Method, Request};
use kube::client::{AuthError, Body};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::answer::Answer;
use super::{Cause, Cluster, Error, access};
use crate::secret::Scrubber;
use crate::value::Value;

/// How often a request is sent at most.
const ATTEMPTS: u32 = 5;

/// The wait before the second attempt when the server names none; each later one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The longest `Retry-After` that is waited for; who asks for more gets no further attempt.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Requests that were refused together come back spread over as many such steps.
const SPREAD: (usize, Duration) = (8, Duration::from_millis(25));

/// Longest answer that is read, in bytes: a page of objects, each of which etcd limits to 1.5 MB.
const ANSWER_LIMIT: usize = 1 << 30;

const JSON: &str = "application/json";
/// Asks for names, labels and annotations of a list's objects alone.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const APPLY: &str = "application/apply-patch+yaml";

/// A request is going to be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The status that asked for it (429, 503, 504); `None` when the connection broke.
    pub status: Option<u16>,
    /// How long it waits.
    pub time: Duration,
    /// The attempt that failed, from 1.
    pub attempt: u32,
}

/// A request without effect on the cluster, so that it can be sent again: what reads, reviews and dry runs.
pub(super) struct Call {
    method: Method,
    path: String,
    accept: &'static str,
    content: &'static str,
    body: Vec<u8>,
}

impl Call {
    pub(super) fn get(path: String) -> Self {
        Self {
            method: Method::GET,
            path,
            accept: JSON,
            content: JSON,
            body: Vec::new(),
        }
    }

    /// Reads a list without the content of its objects.
    pub(super) fn get_metadata(path: String) -> Self {
        Self {
            accept: METADATA,
            ..Self::get(path)
        }
    }

    pub(super) fn review(path: String, body: String) -> Self {
        Self {
            method: Method::POST,
            path,
            accept: JSON,
            content: JSON,
            body: body.into_bytes(),
        }
    }

    /// `path` must ask for a dry run.
    pub(super) fn dry_apply(path: String, body: String) -> Self {
        Self {
            method: Method::PATCH,
            path,
            accept: JSON,
            content: APPLY,
            body: body.into_bytes(),
        }
    }

    fn request(&self) -> Result<Request<Body>, hyper::http::Error> {
        let mut request = Request::builder()
            .method(self.method.clone())
            .uri(&self.path)
            .header(ACCEPT, self.accept);
        if !self.body.is_empty() {
            request = request.header(CONTENT_TYPE, self.content);
        }
        request.body(Body::from(self.body.clone()))
    }
}

/// What came of one attempt.
enum Outcome {
    Answer(Answer),
    /// Come again.
    Busy(u16, Option<Duration>),
    /// The connection broke; trying again may help.
    Broken(Cause),
    /// Trying again does not help.
    Failed(Error),
}

impl Cluster {
    /// Sends a request until it is answered, and gives the answer, whatever it says; only 401 and a server
    /// that stays too busy are errors here.
    pub(super) async fn send(&self, act: &str, call: &Call) -> Result<Answer, Error> {
        // The semaphore is never closed; without a permit the limit would not hold, no more.
        let _permit = self.permits.acquire().await.ok();
        let deadline = Instant::now() + self.timeout;
        let mut attempt = 1;
        loop {
            let (status, asked, cause) = match self.attempt(act, call, deadline).await {
                Outcome::Answer(answer) => return Ok(answer),
                Outcome::Failed(error) => return Err(error),
                Outcome::Broken(cause) => (None, None, cause),
                Outcome::Busy(status, asked) => {
                    let cause = Cause::Busy {
                        status,
                        attempts: attempt,
                        asked: asked.filter(|time| *time > LONGEST_WAIT),
                    };
                    (Some(status), asked, cause)
                }
            };
            let time = asked.unwrap_or(FIRST_WAIT * 2_u32.pow(attempt - 1)) + self.spread();
            let too_long = asked.is_some_and(|time| time > LONGEST_WAIT);
            if attempt == ATTEMPTS || too_long || Instant::now() + time >= deadline {
                return Err(self.failed(act, cause));
            }
            if let Some(on_wait) = &self.on_wait {
                on_wait(&Waiting {
                    status,
                    time,
                    attempt,
                });
            }
            sleep(time).await;
            attempt += 1;
        }
    }

    fn spread(&self) -> Duration {
        let (steps, step) = SPREAD;
        step * u32::try_from(self.requests() % steps).unwrap_or_default()
    }

    /// Sends once. The answer must begin before the deadline; then it may take its time as long as it comes.
    async fn attempt(&self, act: &str, call: &Call, deadline: Instant) -> Outcome {
        let late = || Outcome::Failed(self.failed(act, Cause::Timeout(self.timeout)));
        let request = match call.request() {
            Ok(request) => request,
            // Paths are encoded, so this is never seen.
            Err(error) => {
                return Outcome::Failed(self.failed(act, Cause::Unreadable(error.to_string())));
            }
        };
        self.requests.fetch_add(1, Ordering::Relaxed);
        let response = match timeout_at(deadline, self.client.send(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return self.broken(act, &error),
            Err(_) => return late(),
        };
        let status = response.status().as_u16();
        if matches!(status, 429 | 503 | 504) {
            let asked = response.headers().get(RETRY_AFTER);
            let asked = asked.and_then(|value| value.to_str().ok()?.trim().parse().ok());
            return Outcome::Busy(status, asked.map(Duration::from_secs));
        }
        let mut coming = Limited::new(response.into_body(), ANSWER_LIMIT);
        let mut body = Vec::new();
        loop {
            match timeout(self.timeout, coming.frame()).await {
                Ok(None) => break,
                Ok(Some(Ok(frame))) => {
                    body.extend_from_slice(&frame.into_data().unwrap_or_default())
                }
                Ok(Some(Err(error))) if error.is::<http_body_util::LengthLimitError>() => {
                    let text = format!("it is longer than {ANSWER_LIMIT} bytes");
                    return Outcome::Failed(self.failed(act, Cause::Unreadable(text)));
                }
                Ok(Some(Err(error))) => return Outcome::Broken(cause_of(&*error)),
                Err(_) => return late(),
            }
        }
        match (Value::from_json(&body), status) {
            (_, 401) => Outcome::Failed(self.failed(act, Cause::Unauthorized)),
            (Ok(value), _) => Outcome::Answer(Answer { status, value }),
            (Err(error), 200..300) => {
                Outcome::Failed(self.failed(act, Cause::Unreadable(error.to_string())))
            }
            // The mux of an API server answers unknown paths in plain text.
            (Err(_), 404) => Outcome::Answer(Answer {
                status,
                value: Value::null(),
            }),
            (Err(_), code) => {
                let text = String::from_utf8_lossy(&body);
                let line = text.lines().next().unwrap_or_default();
                let message = Scrubber::default().scrub(line);
                Outcome::Failed(self.failed(act, Cause::Refused { code, message }))
            }
        }
    }

    fn broken(&self, act: &str, error: &kube::Error) -> Outcome {
        let links = chain(error);
        if let Some(error) = links
            .iter()
            .find_map(|link| link.downcast_ref::<AuthError>())
        {
            return Outcome::Failed(access::credentials(error, self.context.clone()));
        }
        match cause_of(error) {
            cause @ (Cause::Certificate(_) | Cause::Timeout(_)) => {
                Outcome::Failed(self.failed(act, cause))
            }
            cause => Outcome::Broken(cause),
        }
    }
}

fn chain<'e>(error: &'e (dyn StdError + 'static)) -> Vec<&'e (dyn StdError + 'static)> {
    let mut links = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        links.push(error);
        // `io::Error` gives the source of what it wraps, not what it wraps.
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref);
        next = match wrapped {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    links
}

/// What broke a connection. The texts of the network's own errors name addresses and reasons; those of the
/// layers between repeat them.
fn cause_of(error: &(dyn StdError + 'static)) -> Cause {
    let links = chain(error);
    let texts: Vec<String> = links.iter().map(ToString::to_string).collect();
    let find = |part: &str| {
        texts
            .iter()
            .rev()
            .find_map(|text| text.split_once(part).map(|(_, rest)| rest))
    };
    if let Some(reason) = find("invalid peer certificate: ") {
        return Cause::Certificate(certificate(reason).to_owned());
    }
    let kinds: Vec<io::ErrorKind> = links
        .iter()
        .filter_map(|link| link.downcast_ref::<io::Error>())
        .map(io::Error::kind)
        .collect();
    if kinds.contains(&io::ErrorKind::TimedOut) {
        return Cause::Timeout(CONNECTING);
    }
    let text = if kinds.contains(&io::ErrorKind::ConnectionRefused) {
        "connection refused: nothing listens at this address".to_owned()
    } else if find("failed to lookup address information").is_some() {
        "the host's name cannot be resolved".to_owned()
    } else if find("tunnel error: ").is_some() {
        "the proxy does not let it through".to_owned()
    } else {
        let last = texts.last().map(String::as_str).unwrap_or_default();
        format!("the connection broke: {}", access::lower_first(last))
    };
    Cause::Unreachable(text)
}

/// The time after which hyper gives up on connecting.
const CONNECTING: Duration = super::CONNECT_TIMEOUT;

/// Words for what rustls says by name.
fn certificate(reason: &str) -> &str {
    match reason {
        "UnknownIssuer" => "its issuer is unknown",
        "BadSignature" => "its signature is wrong",
        text if text.contains("not valid for name") || text.starts_with("NotValidForName") => {
            "it is not for this address"
        }
        text if text.contains("expired") || text.starts_with("Expired") => "it has expired",
        text => text,
    }
}
