//! The API server accepts every object of converted real sites, field by field.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::site::{convert, helm_release};
use super::types::to_value;
use super::{Scope, Skipped, Test, ensure};
use crate::bed::Outcome;
use crate::bed::armada::Site;
use crate::shared;

pub(super) fn tests() -> Vec<Test> {
    vec![Test::shared(
        "strict::every_object_of_real_sites_is_accepted",
        accepted,
    )]
}

/// A file of the corpus, its Manifest, a prefix for names, and the number of releases.
const SITES: &[(&str, Option<&str>, &str, usize)] = &[
    ("airship/airskiff.yaml", Some("full-site"), "as", 11),
    ("airship/seaworthy.yaml", Some("full-site"), "sw", 69),
    ("starlingx/cert-manager/armada.yaml", None, "cm", 2),
    ("starlingx/oidc-auth/armada.yaml", None, "oi", 3),
    ("starlingx/platform-integ-apps/armada.yaml", None, "pi", 3),
    ("starlingx/vault/armada.yaml", None, "va", 2),
];

/// Options that change the fields of objects.
const OPTIONS: &[&[&str]] = &[
    &[],
    &[
        "--new-cluster",
        "--waits=cel",
        "--order=chain",
        "--source-namespace=release",
    ],
];

fn accepted(scope: &Scope<'_>) -> Outcome {
    let shared = shared::folder().ok_or_else(|| Skipped("../shared is not there".to_owned()))?;
    let mut refused = Vec::new();
    for (file, manifest, word, releases) in SITES {
        let text = fs::read_to_string(shared.join("corpus").join(file))?;
        let site = Site::plain(text, PathBuf::new()).renamed(word)?;
        for (at, options) in OPTIONS.iter().enumerate() {
            let mut options = options.to_vec();
            options.extend(manifest.iter().flat_map(|name| ["--target-manifest", name]));
            let tree = convert(scope, &site, &format!("strict-{word}-{at}"), &options)?;
            let objects = objects(&tree)?;
            let (namespaces, others): (Vec<_>, Vec<_>) = objects
                .iter()
                .partition(|object| object.kind == "Namespace");
            for namespace in &namespaces {
                // Namespaces must exist before their objects.
                scope.bed.apply(&to_value(&namespace.text)?)?;
            }
            let found = others
                .iter()
                .filter(|object| object.kind == "HelmRelease")
                .count();
            ensure(found == *releases, || {
                format!("{file}: {found} releases instead of {releases}")
            })?;
            for object in objects {
                if let Err(error) = try_out(scope, &object, &object.text) {
                    refused.push(format!("{file} {options:?}: {}: {error}", object.path));
                }
            }
        }
    }
    ensure(refused.is_empty(), || refused.join("\n"))?;
    strictly(scope)
}

/// An object of a tree.
struct Object {
    text: String,
    kind: String,
    path: String,
}

/// All objects of a tree.
fn objects(tree: &std::path::Path) -> Outcome<Vec<Object>> {
    let mut objects = Vec::new();
    for file in shared::files(tree, &["yaml"]) {
        if file.ends_with("kustomization.yaml") {
            continue;
        }
        let is_object = |text: &&str| text.lines().any(|line| line.starts_with("kind: "));
        let text = fs::read_to_string(&file)?;
        for text in text.split("\n---\n").filter(is_object) {
            objects.push(object(text)?);
        }
    }
    Ok(objects)
}

fn object(text: &str) -> Outcome<Object> {
    let value = to_value(text)?;
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (kind, name) = (word(&value["kind"]), word(&value["metadata"]["name"]));
    let namespace = word(&value["metadata"]["namespace"]);
    let source = |kinds: &str| {
        format!("/apis/source.toolkit.fluxcd.io/v1/namespaces/{namespace}/{kinds}/{name}")
    };
    let path = match kind.as_str() {
        "Namespace" => format!("/api/v1/namespaces/{name}"),
        "GitRepository" => source("gitrepositories"),
        "HelmRepository" => source("helmrepositories"),
        "HelmRelease" => helm_release(&namespace, &name),
        _ => return Err(format!("no path is known for {kind}").into()),
    };
    let text = text.to_owned();
    Ok(Object { text, kind, path })
}

/// Dry-runs the unchanged text of a file; the server checks it for unknown and repeated fields.
fn try_out(scope: &Scope<'_>, object: &Object, text: &str) -> Outcome {
    let query = "fieldManager=armada2flux&force=true&fieldValidation=Strict&dryRun=All";
    let request = hyper::Request::patch(format!("{}?{query}", object.path))
        .header("Content-Type", "application/apply-patch+yaml")
        .body(text.as_bytes().to_vec())?;
    scope
        .bed
        .block_on(scope.bed.client.request::<Value>(request))?;
    Ok(())
}

/// The dry run reports unknown and repeated fields.
fn strictly(scope: &Scope<'_>) -> Outcome {
    let text = format!(
        "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {{name: strict, namespace: {}}}\n\
         spec:\n  interval: 30m\n  chartRef: {{kind: HelmChart, name: none}}\n",
        scope.namespace
    );
    let object = object(&text)?;
    try_out(scope, &object, &text)?;
    for (line, complaint) in [
        ("  typo: 1\n", "typo"),
        ("  interval: 40m\n", "interval"),
        ("  timeout: soon\n", "timeout"),
    ] {
        let done = try_out(scope, &object, &format!("{text}{line}"));
        let message = done.err().map(|error| error.to_string());
        ensure(
            message
                .as_ref()
                .is_some_and(|text| text.contains(complaint)),
            || format!("{line} is answered with {message:?}"),
        )?;
    }
    Ok(())
}
