//! Answers of an API server, and the content of its `Status` objects.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::call::Call;
use super::{Cause, Cluster, Error};
use crate::secret::Scrubber;
use crate::value::{Mapping, Value};

/// The longest message that is shown, in characters.
const MAX_MESSAGE: usize = 2000;

/// The status for invalid objects (422 Unprocessable Entity).
pub(super) const INVALID: u16 = 422;

/// An answer of any status.
pub(super) struct Answer {
    pub(super) status: u16,
    /// Null when a refusal is not JSON. Of a list that was read as one ([`super::call::Reading::List`]), its metadata alone.
    pub(super) value: Value,
    /// The objects of such a list, each as its JSON.
    pub(super) items: Vec<Box<RawValue>>,
}

/// A page of a list, without the trees of its objects: they would take ten times the memory.
#[derive(Deserialize)]
struct Page {
    metadata: Option<Value>,
    items: Option<Vec<Box<RawValue>>>,
}

/// A cause that a refusal names.
pub(super) struct Reason<'a> {
    pub(super) reason: &'a str,
    pub(super) field: &'a str,
    pub(super) message: &'a str,
}

impl Answer {
    pub(super) fn new(status: u16, value: Value) -> Self {
        Self {
            status,
            value,
            items: Vec::new(),
        }
    }

    /// Reads a page of a list.
    pub(super) fn page(status: u16, body: &[u8]) -> Result<Self, serde_json::Error> {
        let Page { metadata, items } = serde_json::from_slice(body)?;
        let mut value = Mapping::new();
        value.insert("metadata", metadata.unwrap_or_else(Value::null));
        Ok(Self {
            status,
            value: value.into(),
            items: items.unwrap_or_default(),
        })
    }

    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    fn text(&self, path: &[&str]) -> &str {
        self.value.text_at(path).unwrap_or_default()
    }

    /// Returns the `reason` of a refusal, as `Expired`.
    pub(super) fn reason(&self) -> &str {
        self.text(&["reason"])
    }

    /// Returns the plural of the kind that a refusal is about.
    pub(super) fn about(&self) -> &str {
        self.text(&["details", "kind"])
    }

    /// Returns the message of the server as it is; it must be scrubbed before it is shown.
    pub(super) fn raw_message(&self) -> &str {
        self.text(&["message"])
    }

    /// Returns the message of the server without secrets.
    pub(super) fn message(&self, scrubber: &Scrubber) -> String {
        match self.raw_message() {
            "" => "the server gives no reason".to_owned(),
            text => cut(&scrubber.scrub(text)),
        }
    }

    /// Returns the causes of a refusal.
    pub(super) fn causes(&self) -> impl Iterator<Item = Reason<'_>> {
        let causes = self.value.items_at(&["details", "causes"]);
        causes.iter().map(|cause| {
            let text = |key| cause.text_at(&[key]).unwrap_or_default();
            Reason {
                reason: text("reason"),
                field: text("field"),
                message: text("message"),
            }
        })
    }

    /// Returns whether a permission is missing; a webhook may answer 403, too.
    pub(super) fn is_unauthorised(&self) -> bool {
        self.status == 403 && self.raw_message().contains("forbidden: User \"")
    }

    /// Returns whether the answer may change once the server has loaded its users, permissions and kinds.
    pub(super) fn may_change_after_restart(&self) -> bool {
        self.status == 401 || self.is_unauthorised() || self.is_unknown_path()
    }

    /// Returns whether the path is unknown, as opposed to an object that does not exist.
    pub(super) fn is_unknown_path(&self) -> bool {
        self.status == 404 && self.text(&["details", "name"]).is_empty()
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Cluster {
    /// Sends a GET request for something that must exist.
    pub(super) async fn get(&self, act: &str, path: &str) -> Result<Answer, Error> {
        let answer = self.send(act, &Call::get(path.to_owned())).await?;
        if answer.is_success() {
            Ok(answer)
        } else {
            Err(self.refused(act, &answer))
        }
    }

    /// Returns the error for a failed request that held no secret.
    pub(super) fn refused(&self, act: &str, answer: &Answer) -> Error {
        self.refused_without(&Scrubber::default(), act, answer)
    }

    /// Returns the error for a failed request, without the secrets that the server may quote.
    pub(super) fn refused_without(&self, secrets: &Scrubber, act: &str, answer: &Answer) -> Error {
        let cause = match answer.status {
            401 => Cause::Unauthorized,
            403 => Cause::Forbidden(answer.message(secrets)),
            404 if answer.is_unknown_path() => Cause::NotServed,
            code => Cause::Refused {
                code,
                message: answer.message(secrets),
            },
        };
        self.failed(act, cause)
    }

    /// Returns the error of a request to this server.
    pub(super) fn failed(&self, act: &str, cause: Cause) -> Error {
        Error::Request {
            act: act.to_owned(),
            server: self.server.clone(),
            cause,
            rights: self.rights,
        }
    }

    /// Returns the error for an answer that should be an object and is not.
    pub(super) fn no_object(&self, act: &str) -> Error {
        self.failed(act, Cause::Unreadable("it is not an object".to_owned()))
    }
}
