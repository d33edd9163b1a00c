//! Values that cannot reach a template on every path: the complete list, as in `docs/yaml.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use armada2flux::diagnostic::Diagnostics;
use armada2flux::emit::{View, to_json, to_yaml};
use armada2flux::yaml::deliver::{Delivery, deliver};
use serde_json::{Value, json};

use super::cases::Case;
use super::scalars::double_quoted;
use super::{Charts, PREFIX, READY_WITHIN, name, read, seen};
use crate::bed::program::Program;
use crate::bed::{Outcome, has_condition, python};
use crate::live::site::{NEW, convert, helm_release};
use crate::live::{Scope, Skipped, ensure};

/// Characters of a key's JSON beyond which an API server does not find the colon.
const LONGEST_KEY: usize = 1024;

/// An item of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    /// U+0085 in a value.
    NextLine,
    /// U+0085 in a key.
    NextLineKey,
    /// U+007F, U+0080 to U+009F without U+0085, U+FFFE, U+FFFF in a value or a key.
    Unprintable,
    /// The key `<<`.
    Merge,
    /// A key of more than [`LONGEST_KEY`] characters.
    LongKey,
    /// The number -0.
    MinusZero,
}

/// The ways to a HelmRelease in the cluster, and from there to a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Armada: PyYAML, a values file, Helm.
    Armada,
    /// `kubectl apply --server-side` of a file of the tree.
    Kubectl,
    /// The tree in Git, kustomize-controller.
    Kustomize,
    /// A server-side apply whose body is the object's JSON with escapes.
    Json,
    /// The object created as JSON, its values handed on by helm-controller.
    Created,
    /// The values as a text of YAML that `valuesFrom` names, handed on by helm-controller.
    ValuesFrom,
}

/// The effect of a path on an item.
#[derive(Debug, Clone, PartialEq)]
enum Fate {
    Arrives,
    /// Silently another value.
    Becomes(Value),
    /// An error, for the whole object.
    Refused,
    /// All values of the release are silently lost.
    AllGone,
}

/// The list. All other values arrive.
fn fate(item: Item, way: Way, value: &Value) -> Fate {
    let with_blanks = || {
        let text = value.to_string().replace('\u{85}', " ");
        Fate::Becomes(serde_json::from_str(&text).unwrap_or_default())
    };
    match (item, way) {
        (_, Way::Armada | Way::ValuesFrom) => Fate::Arrives,
        (Item::NextLine, Way::Json) => Fate::Arrives,
        (Item::NextLine, Way::Kubectl | Way::Kustomize | Way::Created) => with_blanks(),
        (Item::NextLineKey, Way::Json) => Fate::Arrives,
        (Item::NextLineKey, Way::Kubectl | Way::Kustomize) => Fate::Refused,
        (Item::NextLineKey, Way::Created) => Fate::AllGone,
        (Item::Unprintable, Way::Json) => Fate::Arrives,
        (Item::Unprintable, Way::Kubectl | Way::Kustomize) => Fate::Refused,
        (Item::Unprintable, Way::Created) => Fate::AllGone,
        (Item::Merge, Way::Kubectl | Way::Json | Way::Created) => Fate::Arrives,
        (Item::Merge, Way::Kustomize) => Fate::Becomes(json!({})),
        (Item::LongKey, Way::Kubectl | Way::Kustomize | Way::Json) => Fate::Refused,
        (Item::LongKey, Way::Created) => Fate::AllGone,
        (Item::MinusZero, Way::Kubectl | Way::Kustomize | Way::Json | Way::Created) => {
            Fate::Becomes(json!(0))
        }
    }
}

fn unprintable() -> impl Iterator<Item = char> {
    ('\u{7f}'..='\u{9f}').chain(['\u{fffe}', '\u{ffff}'])
}

/// Returns the items in a value.
pub(super) fn is_lost(value: &Value) -> bool {
    let text = |text: &str| text.chars().any(|c| unprintable().any(|other| other == c));
    let long = |key: &str| Value::from(key).to_string().chars().count() > LONGEST_KEY;
    match value {
        Value::Object(entries) => entries
            .iter()
            .any(|(key, value)| key == "<<" || text(key) || long(key) || is_lost(value)),
        Value::Array(items) => items.iter().any(is_lost),
        Value::String(string) => text(string),
        Value::Number(number) => number
            .as_f64()
            .is_some_and(|float| float == 0.0 && float.is_sign_negative()),
        Value::Null | Value::Bool(_) => false,
    }
}

/// A case of an item, and what Helm received from Armada.
struct Example {
    item: Item,
    case: Case,
    value: Value,
}

fn examples() -> Vec<Example> {
    let mut examples = Vec::new();
    let mut add = |item, source: String, as_key, value| {
        let case = Case { source, as_key };
        examples.push(Example { item, case, value });
    };
    for character in unprintable() {
        let (value, key) = if character == '\u{85}' {
            (Item::NextLine, Item::NextLineKey)
        } else {
            (Item::Unprintable, Item::Unprintable)
        };
        let text = format!("a{character}b");
        add(value, double_quoted(&text), false, json!(text));
        add(key, double_quoted(&text), true, json!({text: 1}));
    }
    add(Item::Merge, "'<<'".to_owned(), true, json!({"<<": 1}));
    let long = "k".repeat(LONGEST_KEY - 1);
    add(Item::LongKey, long.clone(), true, json!({long: 1}));
    add(Item::MinusZero, "-0.0".to_owned(), false, json!(-0.0));
    examples
}

/// The effect for each example.
type Found = BTreeMap<usize, Fate>;

pub(super) fn closed(scope: &Scope<'_>) -> Outcome {
    python::interpreter().map_err(|reason| Skipped(reason.to_owned()))?;
    let charts = Charts::commit(scope)?;
    let examples = examples();
    let mut wrong = Vec::new();
    let mut check = |way, found: &Found| {
        for (at, found) in found {
            let Example { item, case, value } = &examples[*at];
            let wanted = fate(*item, way, value);
            if *found != wanted {
                let source: String = case.source.chars().take(20).collect();
                wrong.push(format!(
                    "{way:?}, {item:?} {source}: {found:?} instead of {wanted:?}"
                ));
            }
        }
    };
    let files = suspended(scope, &charts, "kubectl", &examples)?;
    let committed = kustomize_begins(scope, &charts, &examples)?;
    let running = created_begins(scope, &charts, &examples)?;
    check(Way::Json, &json_apply(scope, &files, &examples)?);
    check(Way::Kubectl, &kubectl(scope, &files, &examples)?);
    check(Way::Armada, &armada(scope, &charts, &examples)?);
    check(Way::ValuesFrom, &values_from(scope, &charts, &examples)?);
    check(Way::Created, &created(scope, &running, &examples)?);
    check(Way::Kustomize, &kustomize(scope, &committed, &examples)?);
    ensure(wrong.is_empty(), || wrong.join("\n"))
}

fn judge(example: &Example, found: Option<&Value>) -> Fate {
    // -0 equals 0, but is written differently.
    let text = Value::to_string;
    match found {
        None => Fate::Refused,
        Some(found) if text(found) == text(&example.value) => Fate::Arrives,
        Some(found) => Fate::Becomes(found.clone()),
    }
}

/// Converts a site with a release for each example; returns the files of the HelmReleases.
fn files(
    scope: &Scope<'_>,
    charts: &Charts,
    prefix: &str,
    examples: &[Example],
    options: &[&str],
) -> Outcome<Vec<PathBuf>> {
    let releases: Vec<_> = examples
        .iter()
        .enumerate()
        .map(|(at, example)| {
            let values = all_values([(at, example)].into_iter());
            (format!("{prefix}-{}", name(at)), values)
        })
        .collect();
    let releases: Vec<_> = releases
        .iter()
        .map(|(name, values)| (name.as_str(), values.as_str()))
        .collect();
    let site = charts.site(&scope.namespace, &releases);
    let tree = format!("{}-{prefix}", scope.namespace);
    let tree = convert(scope, &site, &tree, options)?;
    super::apply(scope, &tree, &["sources"])?;
    let file = |(name, _): &(&str, &str)| tree.join(format!("010-all/{PREFIX}-{name}.yaml"));
    Ok(releases.iter().map(file).collect())
}

/// The same, suspended: nothing runs.
fn suspended(
    scope: &Scope<'_>,
    charts: &Charts,
    prefix: &str,
    examples: &[Example],
) -> Outcome<Vec<PathBuf>> {
    files(scope, charts, prefix, examples, &[])
}

fn kept(object: &Value, at: usize) -> Option<&Value> {
    object["spec"]["values"]["kept"].get(name(at))
}

fn kubectl(scope: &Scope<'_>, tree: &[PathBuf], examples: &[Example]) -> Outcome<Found> {
    edges(examples)
        .map(|at| {
            let example = &examples[at];
            let file = format!("--filename={}", tree[at].display());
            let arguments = [
                "apply",
                "--server-side",
                "--validate=strict",
                "--dry-run=server",
                "--output=json",
                &file,
            ];
            let object: Option<Value> = match scope.bed.run(Program::Kubectl, &arguments) {
                Ok(text) => Some(serde_json::from_str(&text)?),
                Err(error) => {
                    let message = error.to_string();
                    ensure(message.contains("error decoding YAML"), || message.clone())?;
                    None
                }
            };
            let found = object.as_ref().and_then(|object| kept(object, at));
            Ok((at, judge(example, found)))
        })
        .collect()
}

/// An object of the tree as JSON.
fn to_object(file: &Path) -> Outcome<String> {
    Ok(to_json(&read(&fs::read_to_string(file)?)?, View::Clear))
}

/// Applies an object server-side by its JSON, as a dry run.
fn send(scope: &Scope<'_>, path: &str, object: String) -> Outcome<Option<Value>> {
    let request = hyper::Request::patch(format!(
        "{path}?fieldManager=armada2flux&force=true&fieldValidation=Strict&dryRun=All"
    ))
    .header("Content-Type", "application/apply-patch+yaml")
    .body(object.into_bytes())?;
    match scope
        .bed
        .block_on(scope.bed.client.request::<Value>(request))
    {
        Ok(object) => Ok(Some(object)),
        Err(kube::Error::Api(status)) if status.message.contains("error decoding YAML") => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn json_apply(scope: &Scope<'_>, tree: &[PathBuf], examples: &[Example]) -> Outcome<Found> {
    examples
        .iter()
        .zip(tree)
        .enumerate()
        .map(|(at, (example, file))| {
            let path = helm_release(&scope.namespace, &format!("json-{}", name(at)));
            let object = to_object(file)?.replace(
                &format!("{PREFIX}-kubectl-{}", name(at)),
                &format!("json-{}", name(at)),
            );
            let object = send(scope, &path, object)?;
            let found = object.as_ref().and_then(|object| kept(object, at));
            Ok((at, judge(example, found)))
        })
        .collect()
}

fn all_values<'e>(examples: impl Iterator<Item = (usize, &'e Example)>) -> String {
    let mut text = "    kept:\n".to_owned();
    for (at, example) in examples {
        text.push_str(&example.case.entry(&name(at)));
    }
    text
}

fn armada(scope: &Scope<'_>, charts: &Charts, examples: &[Example]) -> Outcome<Found> {
    let values = all_values(examples.iter().enumerate());
    let site = charts.site(&scope.namespace, &[("armada", &values)]);
    scope.bed.install_as_armada(&site, Program::Helm3)?;
    let seen = seen(scope, "armada")?;
    let found =
        |(at, example): (usize, &Example)| (at, judge(example, seen.json["kept"].get(name(at))));
    Ok(examples.iter().enumerate().map(found).collect())
}

/// One release whose values are a text.
fn values_from(scope: &Scope<'_>, charts: &Charts, examples: &[Example]) -> Outcome<Found> {
    let values = all_values(examples.iter().enumerate());
    let site = charts.site(&scope.namespace, &[("text", &values)]);
    let text = to_yaml(
        &site.with_plan(|plan| {
            let release = plan.steps().flat_map(|(_, step)| &step.releases).next();
            let node = release.and_then(|release| release.chart.values);
            let node = node.ok_or("no values")?;
            let value = deliver(node, Delivery::Python, &mut Diagnostics::default());
            value.ok_or_else(|| "values cannot be delivered".into())
        })?,
        View::Clear,
    );
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": "values", "namespace": scope.namespace}, "stringData": {"values.yaml": text},
    });
    scope.bed.apply(&secret)?;
    let tree = format!("{}-text", scope.namespace);
    let tree = convert(
        scope,
        &charts.site(&scope.namespace, &[("text", "    kept: {}\n")]),
        &tree,
        NEW,
    )?;
    let release = format!("{PREFIX}-text");
    let mut object: Value =
        serde_json::from_str(&to_object(&tree.join(format!("010-all/{release}.yaml")))?)?;
    object["spec"]["values"] = Value::Null;
    object["spec"]["valuesFrom"] = json!([{"kind": "Secret", "name": "values"}]);
    scope.bed.apply(&object)?;
    scope.bed.wait(
        &helm_release(&scope.namespace, &release),
        READY_WITHIN,
        |object| has_condition(object, "Ready"),
    )?;
    let seen = seen(scope, "text")?;
    let found =
        |(at, example): (usize, &Example)| (at, judge(example, seen.json["kept"].get(name(at))));
    Ok(examples.iter().enumerate().map(found).collect())
}

/// Creates a running release for some examples; the others are similar.
fn created_begins(scope: &Scope<'_>, charts: &Charts, examples: &[Example]) -> Outcome<Vec<usize>> {
    let files = files(scope, charts, "created", examples, NEW)?;
    let is_one = |at: &usize| {
        let Example { item, case, value } = &examples[*at];
        let text = value.to_string();
        *item != Item::Unprintable
            || text.contains(['\u{7f}', '\u{ffff}']) && !case.as_key
            || text.contains(['\u{9f}', '\u{fffe}']) && case.as_key
    };
    let chosen: Vec<_> = (0..examples.len()).filter(is_one).collect();
    for at in &chosen {
        let path = helm_release(&scope.namespace, "");
        let request = hyper::Request::post(path.trim_end_matches('/'))
            .header("Content-Type", "application/json")
            .body(to_object(&files[*at])?.into_bytes())?;
        scope
            .bed
            .block_on(scope.bed.client.request::<Value>(request))?;
    }
    Ok(chosen)
}

fn created(scope: &Scope<'_>, chosen: &[usize], examples: &[Example]) -> Outcome<Found> {
    let fate = |at: &usize| -> Outcome<(usize, Fate)> {
        let release = format!("created-{}", name(*at));
        let path = helm_release(&scope.namespace, &format!("{PREFIX}-{release}"));
        scope
            .bed
            .wait(&path, READY_WITHIN, |object| has_condition(object, "Ready"))?;
        let seen = seen(scope, &release)?;
        let found = match seen.json["kept"].get(name(*at)) {
            None => Fate::AllGone,
            found => judge(&examples[*at], found),
        };
        Ok((*at, found))
    };
    chosen.iter().map(fate).collect()
}

/// Examples at the edges of each item; the others are similar.
fn edges(examples: &[Example]) -> impl Iterator<Item = usize> {
    let is_edge = |example: &Example| {
        let inner = |c: char| matches!(c, '\u{81}'..='\u{83}' | '\u{87}'..='\u{9e}');
        !example.value.to_string().contains(inner)
    };
    (0..examples.len()).filter(move |at| is_edge(&examples[*at]))
}

/// Commits the tree and asks for one Kustomization for each example.
fn kustomize_begins(
    scope: &Scope<'_>,
    charts: &Charts,
    examples: &[Example],
) -> Outcome<Vec<usize>> {
    let files = suspended(scope, charts, "git", examples)?;
    let folder = scope.bed.path().join(format!("{}-tree", scope.namespace));
    let edges: Vec<_> = edges(examples).collect();
    for at in &edges {
        let place = folder.join(name(*at));
        fs::create_dir_all(&place)?;
        fs::copy(&files[*at], place.join("release.yaml"))?;
    }
    let repository = format!("tree-{}", scope.namespace);
    scope
        .bed
        .git
        .commit(&repository, &folder, "Add a folder for each")?;
    let mut objects = vec![json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
        "metadata": {"name": "tree", "namespace": scope.namespace},
        "spec": {"interval": "12h", "url": scope.bed.git.url(&repository), "ref": {"branch": "master"}},
    })];
    objects.extend(edges.iter().map(|at| {
        json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": {"name": name(*at), "namespace": scope.namespace},
            "spec": {
                "interval": "12h", "retryInterval": "12h", "prune": false, "path": name(*at),
                "sourceRef": {"kind": "GitRepository", "name": "tree"},
            },
        })
    }));
    scope
        .bed
        .apply(&json!({"apiVersion": "v1", "kind": "List", "items": objects}))?;
    Ok(edges)
}

fn kustomize(scope: &Scope<'_>, edges: &[usize], examples: &[Example]) -> Outcome<Found> {
    let namespace = &scope.namespace;
    edges
        .iter()
        .map(|at| {
            let path = format!(
                "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{namespace}/kustomizations/{}",
                name(*at)
            );
            let failed = |object: &Value| {
                let conditions = object["status"]["conditions"].as_array().cloned();
                conditions.unwrap_or_default().iter().any(|condition| {
                    condition["type"] == "Ready"
                        && condition["status"] == "False"
                        && condition["reason"] != "ArtifactFailed"
                        && condition["reason"] != "DependencyNotReady"
                })
            };
            scope.bed.wait(&path, READY_WITHIN, |object| {
                has_condition(object, "Ready") || failed(object)
            })?;
            let release = format!("{PREFIX}-git-{}", name(*at));
            let object = scope.bed.get(&helm_release(namespace, &release))?;
            let found = object.as_ref().and_then(|object| kept(object, *at));
            Ok((*at, judge(&examples[*at], found)))
        })
        .collect()
}
