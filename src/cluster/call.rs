//! Requests, all of which may be sent again when their result is unknown.

use hyper::header::{ACCEPT, CONTENT_TYPE};
use hyper::{Method, Request};
use kube::client::Body;

const JSON: &str = "application/json";
/// Asks for the metadata of a list's objects alone.
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const APPLY: &str = "application/apply-patch+yaml";
const MERGE: &str = "application/merge-patch+json";

/// The format of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// JSON.
    Json,
    /// A list of objects for a success, JSON for a refusal.
    List,
    /// Text for a success, JSON for a refusal.
    Text,
}

/// A request. Sending it twice does no harm: reads, reviews and dry runs have no effect, a second apply or
/// merge patch changes nothing, and the others name a precondition in their body: no object of that name
/// (create), a UID (delete), a version (replace).
pub(super) struct Call {
    method: Method,
    path: String,
    accept: &'static str,
    content: &'static str,
    body: Vec<u8>,
    pub(super) reading: Reading,
    /// Whether there is only one attempt.
    pub(super) once: bool,
    /// Whether the renewal of a lock depends on it: it does not queue behind other requests, and none of its
    /// attempts may take more than [`super::DEFAULT_TIMEOUT`].
    pub(super) urgent: bool,
}

impl Call {
    pub(super) fn get(path: String) -> Self {
        Self::new(Method::GET, path, JSON, String::new())
    }

    /// Reads a list without the content of its objects.
    pub(super) fn get_metadata(path: String) -> Self {
        Self {
            accept: METADATA,
            ..Self::get(path)
        }
    }

    /// Reads the answer as a list of objects.
    pub(super) fn of_list(self) -> Self {
        Self {
            reading: Reading::List,
            ..self
        }
    }

    /// Reads something optional; there is one attempt.
    pub(super) fn get_once(path: String) -> Self {
        Self {
            once: true,
            ..Self::get(path)
        }
    }

    /// Reads optional text; there is one attempt.
    pub(super) fn get_text(path: String) -> Self {
        Self {
            accept: "*/*",
            reading: Reading::Text,
            ..Self::get_once(path)
        }
    }

    /// Creates an object or a review.
    pub(super) fn post(path: String, body: String) -> Self {
        Self::new(Method::POST, path, JSON, body)
    }

    /// Applies an object on the server side; `path` says whether it is a dry run.
    pub(super) fn apply(path: String, body: String) -> Self {
        Self::new(Method::PATCH, path, APPLY, body)
    }

    pub(super) fn merge_patch(path: String, body: String) -> Self {
        Self::new(Method::PATCH, path, MERGE, body)
    }

    /// Replaces a lock; `body` must name the version that it replaces.
    pub(super) fn put(path: String, body: String) -> Self {
        Self {
            urgent: true,
            ..Self::new(Method::PUT, path, JSON, body)
        }
    }

    /// Deletes an object; `body` must name the UID as a precondition.
    pub(super) fn delete(path: String, body: String) -> Self {
        Self::new(Method::DELETE, path, JSON, body)
    }

    fn new(method: Method, path: String, content: &'static str, body: String) -> Self {
        Self {
            method,
            path,
            accept: JSON,
            content,
            body: body.into_bytes(),
            reading: Reading::Json,
            once: false,
            urgent: false,
        }
    }

    pub(super) fn request(&self) -> Result<Request<Body>, hyper::http::Error> {
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
