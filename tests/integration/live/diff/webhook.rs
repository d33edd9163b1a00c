//! Admission webhooks: one that refuses objects and quotes them, and one that does not support dry runs.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Request, StatusCode};
use serde_json::Value;

use super::{TOLD_WITHIN, apply_as_ours, diff, json, one};
use crate::bed::{Outcome, http, until};
use crate::live::{Scope, Test, ensure};

/// The webhook, and its configuration.
const NAME: &str = "quotes.armada2flux.example";

/// Time limit for the API server to use a new webhook.
const LEARNT_WITHIN: Duration = Duration::from_secs(30);

const CONFIGURATIONS: &str =
    "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations";

pub(super) fn tests() -> Vec<Test> {
    vec![Test::private(
        "diff::reports_what_a_webhook_refuses",
        webhooks,
    )]
}

/// The requests to the webhook: whether each was a dry run.
type Asked = Arc<Mutex<Vec<bool>>>;

/// Refuses releases with one password, and says which.
async fn review(request: Request<Incoming>, asked: Asked) -> Outcome<Value> {
    let body = request.into_body().collect().await?.to_bytes();
    let review: Value = serde_json::from_slice(&body)?;
    let request = &review["request"];
    // The controllers write to releases, too.
    let is_ours = request["options"]["fieldManager"] == "armada2flux";
    if let (true, Ok(mut asked)) = (is_ours, asked.lock()) {
        asked.push(request["dryRun"] == true);
    }
    let password = &request["object"]["spec"]["values"]["database"]["password"];
    let refused = password == "grain-of-sand";
    let message = format!("the password {password} is too short\nuse another one than {password}");
    Ok(json!({
        "apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview",
        "response": {
            "uid": request["uid"], "allowed": !refused, "status": {"code": 403, "message": message},
        },
    }))
}

fn configuration(scope: &Scope<'_>, url: &str) -> Outcome<Value> {
    Ok(json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": NAME},
        "webhooks": [{
            "name": NAME, "admissionReviewVersions": ["v1"], "sideEffects": "NoneOnDryRun",
            "failurePolicy": "Fail", "timeoutSeconds": 5,
            "clientConfig": {"url": url, "caBundle": BASE64.encode(scope.bed.authority()?)},
            "rules": [{
                "apiGroups": ["helm.toolkit.fluxcd.io"], "apiVersions": ["*"],
                "operations": ["CREATE", "UPDATE"], "resources": ["helmreleases"],
            }],
        }],
    }))
}

/// Two releases in one file, each with a password; the second is to be there already.
fn input(scope: &Scope<'_>, tree: &Path, name: &str, replicas: u32) -> Outcome<String> {
    let release = fs::read_to_string(tree.join("010-probe/grain-probe.yaml"))?;
    let release = release.replace("replicas: 1", &format!("replicas: {replicas}"));
    let harmless = release.replace("grain-probe", "grain-other");
    let harmless = harmless.replace("grain-of-sand", "handful-of-sand");
    ensure(release != harmless, || release.clone())?;
    let file = scope.bed.path().join(name);
    fs::write(&file, format!("{release}\n---\n{harmless}"))?;
    Ok(file.display().to_string())
}

fn webhooks(scope: &Scope<'_>) -> Outcome {
    let tree = one(scope, "    database: {password: grain-of-sand}", "one")?;
    apply_as_ours(scope, &tree)?;
    let file = input(scope, &tree, "two.yaml", 2)?;
    let asked = Asked::default();
    let address = scope.bed.serve({
        let asked = Arc::clone(&asked);
        move |request| {
            let asked = Arc::clone(&asked);
            async move {
                Some(match review(request, asked).await {
                    Ok(answer) => http::plain(StatusCode::OK, answer.to_string()),
                    Err(error) => http::plain(StatusCode::BAD_REQUEST, error.to_string()),
                })
            }
        }
    })?;
    let url = format!("https://{address}/quotes");
    scope.bed.apply(&configuration(scope, &url)?)?;
    let read_report = || -> Outcome<Value> {
        let start = Instant::now();
        let arguments = [
            file.as_str(),
            "--exit-code",
            "--report=json",
            "--report=text=webhook.txt",
            "--report=markdown=webhook.md",
            "-vvv",
        ];
        let ran = diff(scope, &scope.bed.kubeconfig, &arguments)?;
        ensure(start.elapsed() < TOLD_WITHIN, || {
            format!("reported after {:?}", start.elapsed())
        })?;
        let file = |name: &str| fs::read_to_string(scope.bed.path().join(name));
        let (text, markdown) = (file("webhook.txt")?, file("webhook.md")?);
        for text in [&ran.stdout, &ran.stderr, &text, &markdown] {
            ensure(!text.contains("of-sand"), || text.clone())?;
        }
        let refuses = "error: the API server would refuse 1 of 2 objects\n";
        let refused = ran.code == Some(1) && ran.stderr.contains(refuses);
        json(&ran, if refused { 1 } else { 2 })
    };
    let report = until(LEARNT_WITHIN, || {
        let report = read_report()?;
        Ok((report["summary"]["refused"] == 1).then_some(report))
    })?;
    let outcomes = |report: &Value| -> Vec<(Value, Value)> {
        let objects = report["objects"].as_array().cloned().unwrap_or_default();
        let pair = |object: &Value| (object["name"].clone(), object["outcome"].clone());
        objects.iter().map(pair).collect()
    };
    let wanted = [("grain-probe", "refused"), ("grain-other", "created")];
    let wanted = wanted.map(|(name, outcome)| (json!(name), json!(outcome)));
    let message = report["objects"][0]["message"].as_str().unwrap_or_default();
    ensure(
        outcomes(&report) == wanted
            && message.contains(&format!("admission webhook \"{NAME}\" denied the request"))
            && message.contains("the password \"***\" is too short"),
        || report.to_string(),
    )?;
    let plays = asked.lock().map(|asked| asked.clone()).unwrap_or_default();
    ensure(!plays.is_empty() && plays.iter().all(|dry| *dry), || {
        format!("{plays:?}")
    })?;

    // The API server accepts no new webhook with side effects, but keeps existing ones.
    let path = format!("{CONFIGURATIONS}/{NAME}");
    let mut stored = scope.bed.get(&path)?.ok_or("it is gone")?;
    stored["webhooks"][0]["sideEffects"] = json!("Some");
    if let Some(metadata) = stored["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
        metadata.remove("managedFields");
    }
    let key = format!("/registry/validatingwebhookconfigurations/{NAME}");
    scope.bed.write_to_etcd(&key, &stored)?;
    let report = until(LEARNT_WITHIN, || {
        let report = read_report()?;
        Ok((report["summary"]["client_side"] == 2).then_some(report))
    })?;
    let wanted = [("grain-probe", "changed"), ("grain-other", "created")];
    let wanted = wanted.map(|(name, outcome)| (json!(name), json!(outcome)));
    let object = &report["objects"][0];
    let note = format!(
        "compared without the API server's defaults: admission webhook \"{NAME}\" does not support dry run"
    );
    ensure(
        outcomes(&report) == wanted
            && object["notes"] == json!([note])
            && object["changes"].as_array().is_some_and(|changes| {
                changes.len() == 1 && changes[0]["path"] == "spec.values.replicas"
            }),
        || report.to_string(),
    )
}
