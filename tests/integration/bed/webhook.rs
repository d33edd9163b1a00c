//! A validating webhook that refuses one object until the test allows it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, StatusCode};
use serde_json::{Value, json};

use super::{Bed, Outcome, http, program::Program, until};

/// Always refused; shows when the API server starts to call the webhook.
const PROBE: &str = "is-it-asked";

/// Time limit for the API server to use a new webhook.
const READ_WITHIN: Duration = Duration::from_secs(30);

/// A running webhook.
#[derive(Debug)]
pub(crate) struct Webhook(Arc<AtomicBool>);

impl Webhook {
    /// Allows everything from now on.
    pub(crate) fn allow(&self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl Bed {
    /// Refuses writes to a HelmRelease with the message `words`; allows dry runs.
    pub(crate) fn refuse_release(
        &self,
        namespace: &str,
        name: &str,
        words: &str,
    ) -> Outcome<Webhook> {
        let refuses = Arc::new(AtomicBool::new(true));
        let (flag, name, said) = (Arc::clone(&refuses), name.to_owned(), words.to_owned());
        let address = self.serve(move |request| {
            let (flag, name, said) = (Arc::clone(&flag), name.clone(), said.clone());
            async move { Some(answer(request, &flag, &name, &said).await) }
        })?;
        let authority = self.authority()?;
        self.apply(&json!({
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": namespace},
            "webhooks": [{
                "name": "refuses.armada2flux.example",
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "rules": [{
                    "apiGroups": ["helm.toolkit.fluxcd.io"], "apiVersions": ["v2"], "resources": ["helmreleases"],
                    "operations": ["CREATE", "UPDATE"],
                }],
                "clientConfig": {"url": format!("https://{address}/"), "caBundle": STANDARD.encode(authority)},
            }],
        }))?;
        let probe = json!({
            "apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease",
            "metadata": {"name": PROBE, "namespace": namespace},
            "spec": {"interval": "1m", "chartRef": {"kind": "OCIRepository", "name": "none"}},
        });
        until(READ_WITHIN, || {
            let arguments = ["create", "--dry-run=server", "-f", "-"];
            let tried = self.run_with(Program::Kubectl, &arguments, &probe.to_string());
            Ok(tried
                .is_err_and(|error| error.to_string().contains(words))
                .then_some(()))
        })?;
        Ok(Webhook(refuses))
    }
}

async fn answer(
    request: Request<Incoming>,
    refuses: &AtomicBool,
    name: &str,
    words: &str,
) -> hyper::Response<http::Body> {
    let Ok(body) = request.into_body().collect().await else {
        return http::plain(StatusCode::BAD_REQUEST, "no review");
    };
    let review: Value = serde_json::from_slice(&body.to_bytes()).unwrap_or_default();
    let asked = &review["request"];
    let meant = asked["name"] == name && asked["dryRun"] != true && refuses.load(Ordering::SeqCst);
    let refused = meant || asked["name"] == PROBE;
    let answer = json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "response": {"uid": asked["uid"], "allowed": !refused, "status": {"message": words}},
    });
    let mut response = http::plain(StatusCode::OK, answer.to_string());
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
