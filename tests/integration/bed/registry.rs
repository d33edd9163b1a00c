//! A read-only chart registry: the part of the OCI distribution API that Flux uses.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex};

use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Handle;

use super::{Outcome, http, lock};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// The served content by path: content type and bytes.
type Content = BTreeMap<String, (&'static str, Vec<u8>)>;

/// Charts by name and tag.
#[derive(Debug)]
pub(crate) struct Registry {
    /// Host and port.
    pub(crate) address: String,
    content: Arc<Mutex<Content>>,
}

impl Registry {
    /// Serves an empty registry.
    pub(crate) fn start(runtime: &Handle) -> Outcome<Self> {
        let content = Arc::<Mutex<Content>>::default();
        lock(&content).insert("/v2/".to_owned(), ("application/json", b"{}".to_vec()));
        let served = Arc::clone(&content);
        let address = http::serve(runtime, None, move |request| {
            let found = lock(&served).get(request.uri().path()).cloned();
            async move { Some(answer(found)) }
        })?;
        Ok(Self {
            address: address.to_string(),
            content,
        })
    }

    /// Adds a packaged chart as `REPOSITORY:TAG` and returns the digest of its manifest.
    pub(crate) fn push(&self, repository: &str, tag: &str, archive: &Path) -> Outcome<String> {
        let layer = std::fs::read(archive)?;
        let config = json!({"name": repository, "version": tag})
            .to_string()
            .into_bytes();
        let describe = |kind: &str, bytes: &[u8]| json!({"mediaType": kind, "digest": digest(bytes), "size": bytes.len()});
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": describe(CONFIG, &config), "layers": [describe(LAYER, &layer)],
        });
        let manifest = manifest.to_string().into_bytes();
        let named = digest(&manifest);
        let tags = json!({"name": repository, "tags": [tag]})
            .to_string()
            .into_bytes();
        let at = |path: &str| format!("/v2/{repository}/{path}");
        let mut content = lock(&self.content);
        content.insert(at("tags/list"), ("application/json", tags));
        for bytes in [config, layer] {
            let path = at(&format!("blobs/{}", digest(&bytes)));
            content.insert(path, ("application/octet-stream", bytes));
        }
        for reference in [tag, &named] {
            let path = at(&format!("manifests/{reference}"));
            content.insert(path, (MANIFEST, manifest.clone()));
        }
        Ok(named)
    }
}

fn answer(found: Option<(&'static str, Vec<u8>)>) -> Response<http::Body> {
    let Some((kind, bytes)) = found else {
        return http::plain(
            StatusCode::NOT_FOUND,
            r#"{"errors":[{"code":"NAME_UNKNOWN"}]}"#,
        );
    };
    let named = HeaderValue::from_str(&digest(&bytes));
    let mut response = http::plain(StatusCode::OK, bytes);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(named) = named {
        headers.insert("docker-content-digest", named);
    }
    response
}

fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
