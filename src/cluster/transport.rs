//! Sends requests: limits, counts and retries them, and bounds their time.

use std::sync::atomic::Ordering;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::Response;
use hyper::header::{AUTHORIZATION, RETRY_AFTER};
use kube::client::Body;
use tokio::sync::SemaphorePermit;
use tokio::time::{Instant, timeout, timeout_at};

use super::answer::Answer;
use super::attempts::Attempts;
use super::broken::cause_of;
use super::call::{Call, Reading};
use super::outage::Transient;
use super::{Cause, Cluster, DEFAULT_TIMEOUT, Error};
use crate::secret::Scrubber;
use crate::value::Value;

/// The longest answer that is read, in bytes: a page of 500 objects of 268 kB each.
const ANSWER_LIMIT: usize = 128 << 20;

/// The time in which an answer that has begun must be complete, as a multiple of the time until it must begin
/// ([`super::Access::timeout`]).
const WHOLE_ANSWER: u32 = 10;

/// Messages with status 500 of a server that is shutting down, or whose etcd has no leader or is gone
/// (Kubernetes: `WithWaitGroup`; etcd: `rpctypes`; gRPC). Other errors of etcd, such as a request that is too
/// large, are permanent.
const TRANSIENT_ERRORS: &[&str] = &[
    "apiserver is shutting down",
    "etcdserver: leader changed",
    "etcdserver: no leader",
    "etcdserver: request timed out",
    "etcdserver: server stopped",
    "etcdserver: too many requests",
    "code = Unavailable",
];

/// The reason why there is no answer.
pub(super) enum Failure {
    /// Another attempt may help.
    Transient(Transient),
    /// No further attempt can help.
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Final(error)
    }
}

impl Cluster {
    /// Sends a request until it is answered, and returns the answer with any status. Only 401 and a server
    /// that stays too busy are errors here.
    pub(super) async fn send(&self, act: &str, call: &Call) -> Result<Answer, Error> {
        // The semaphore is never closed; without a permit, only the limit would not hold.
        let mut permit = self.permit(call).await;
        let mut attempts = Attempts::for_request(self, act, call.once);
        loop {
            match self.attempt(act, call, attempts.deadline()).await {
                Ok(answer) => return Ok(answer),
                Err(Failure::Final(error)) => return Err(error),
                Err(Failure::Transient(failure)) => {
                    // A waiting request holds no permit, so that it does not delay the renewal of a lock.
                    drop(permit);
                    attempts.wait(failure).await?;
                    permit = self.permit(call).await;
                }
            }
        }
    }

    async fn permit(&self, call: &Call) -> Option<SemaphorePermit<'_>> {
        if call.urgent {
            return None;
        }
        self.permits.acquire().await.ok()
    }

    async fn attempt(&self, act: &str, call: &Call, deadline: Instant) -> Result<Answer, Failure> {
        let generation = self.generations.current();
        let answer = async {
            let response = self.open(act, call, deadline).await?;
            self.rest(act, call.reading, response).await
        };
        let answer = answer.await;
        if let Err(failure) = &answer {
            self.note_silence(generation, failure);
        }
        answer
    }

    /// Ends the generation of a request that was not answered in time. All connections may be dead: a firewall
    /// that forgets one has often forgotten all.
    pub(super) fn note_silence(&self, generation: u64, failure: &Failure) {
        if let Failure::Transient(Transient::Broken(Cause::Timeout(_) | Cause::Slow(_))) = failure {
            self.generations.end(generation);
        }
    }

    /// Sends a request once. The answer must begin before the deadline.
    pub(super) async fn open(
        &self,
        act: &str,
        call: &Call,
        deadline: Instant,
    ) -> Result<Response<Body>, Failure> {
        // Paths are encoded, so this error does not occur.
        let mut request = call
            .request()
            .map_err(|error| self.failed(act, Cause::Unreadable(error.to_string())))?;
        let deadline = if call.urgent {
            deadline.min(Instant::now() + DEFAULT_TIMEOUT)
        } else {
            deadline
        };
        match timeout_at(deadline, self.credentials.header()).await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(header))) => {
                request.headers_mut().insert(AUTHORIZATION, header);
            }
            Ok(Err(reason)) => {
                let context = self.context.clone();
                return Err(Error::Credentials { context, reason }.into());
            }
            Err(_) => return Err(self.late()),
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        let response = match timeout_at(deadline, self.client.send(request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(self.broken(act, &error)),
            Err(_) => return Err(self.late()),
        };
        self.clock.note(response.headers());
        let status = response.status().as_u16();
        // 502 comes from a load balancer whose server is down.
        if matches!(status, 429 | 502..=504) {
            let asked = response
                .headers()
                .get(RETRY_AFTER)
                .and_then(|value| value.to_str().ok()?.trim().parse().ok())
                .map(Duration::from_secs);
            return Err(Failure::Transient(Transient::Busy(status, asked)));
        }
        Ok(response)
    }

    /// Reads the rest of an answer, within [`WHOLE_ANSWER`] and [`ANSWER_LIMIT`].
    pub(super) async fn rest(
        &self,
        act: &str,
        reading: Reading,
        response: Response<Body>,
    ) -> Result<Answer, Failure> {
        let status = response.status().as_u16();
        let mut coming = Limited::new(response.into_body(), ANSWER_LIMIT);
        let mut body = Vec::new();
        let whole = self.timeout * WHOLE_ANSWER;
        let ends = Instant::now() + whole;
        loop {
            let part = timeout(self.timeout, coming.frame());
            let Ok(part) = timeout_at(ends, part).await else {
                return Err(Failure::Transient(Transient::Broken(Cause::Slow(whole))));
            };
            match part {
                Ok(None) => break,
                Ok(Some(Ok(frame))) => {
                    body.extend_from_slice(&frame.into_data().unwrap_or_default())
                }
                Ok(Some(Err(error))) if error.is::<http_body_util::LengthLimitError>() => {
                    let text = format!(
                        "it is longer than {} MiB, the most that is read",
                        ANSWER_LIMIT >> 20
                    );
                    return Err(self.failed(act, Cause::Unreadable(text)).into());
                }
                Ok(Some(Err(error))) => {
                    return Err(Failure::Transient(Transient::Broken(cause_of(&*error))));
                }
                Err(_) => return Err(self.late()),
            }
        }
        if reading == Reading::Text && (200..300).contains(&status) {
            let value = String::from_utf8_lossy(&body).into_owned().into();
            return Ok(Answer::new(status, value));
        }
        if status == 500 && is_transient(&String::from_utf8_lossy(&body)) {
            return Err(Failure::Transient(Transient::Busy(status, None)));
        }
        let answer = match reading {
            Reading::List if (200..300).contains(&status) => Answer::page(status, &body),
            Reading::List | Reading::Json | Reading::Text => {
                Value::from_json(&body).map(|value| Answer::new(status, value))
            }
        };
        let cause = match (answer, status) {
            (Ok(answer), _) => return self.accept(act, answer),
            // An API server answers unknown paths in plain text.
            (Err(_), 401 | 404) => {
                return self.accept(act, Answer::new(status, Value::null()));
            }
            (Err(error), 200..300) => Cause::Unreadable(error.to_string()),
            (Err(_), code) => {
                let text = String::from_utf8_lossy(&body);
                let line = text.lines().next().unwrap_or_default();
                let message = Scrubber::default().scrub(line);
                Cause::Refused { code, message }
            }
        };
        Err(self.failed(act, cause).into())
    }

    /// Returns the answer, unless the server may give another one soon.
    fn accept(&self, act: &str, answer: Answer) -> Result<Answer, Failure> {
        if self.retry_for.is_some() && answer.may_change_after_restart() && self.outage.is_recent()
        {
            return Err(Failure::Transient(Transient::Busy(answer.status, None)));
        }
        if answer.status == 401 {
            return Err(self.failed(act, Cause::Unauthorized).into());
        }
        Ok(answer)
    }

    fn late(&self) -> Failure {
        Failure::Transient(Transient::Broken(Cause::Timeout(self.timeout)))
    }

    fn broken(&self, act: &str, error: &kube::Error) -> Failure {
        match cause_of(error) {
            cause @ Cause::Certificate(_) => self.failed(act, cause).into(),
            cause => Failure::Transient(Transient::Broken(cause)),
        }
    }
}

/// Returns whether a message with status 500 is about a transient state.
fn is_transient(said: &str) -> bool {
    TRANSIENT_ERRORS.iter().any(|part| said.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transient_errors_are_distinguished() {
        for said in [
            "apiserver is shutting down",
            r#"{"kind":"Status","message":"etcdserver: leader changed","code":500}"#,
            "rpc error: code = Unavailable desc = connection error",
        ] {
            assert!(is_transient(said), "{said}");
        }
        for said in [
            "etcdserver: request is too large",
            "etcdserver: mvcc: database space exceeded",
            r#"Internal error occurred: failed calling webhook "a": context deadline exceeded"#,
        ] {
            assert!(!is_transient(said), "{said}");
        }
    }
}
