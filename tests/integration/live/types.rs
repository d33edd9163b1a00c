//! The values that templates receive, through Armada's programs and through ours, scalar by scalar.

mod cases;
mod lost;
mod scalars;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use armada2flux::diagnostic::Diagnostics;
use armada2flux::emit::{View, to_json};
use armada2flux::source::Sources;
use armada2flux::yaml;
use armada2flux::yaml::deliver::{Delivery, deliver};
use serde_json::{Value, json};

use self::cases::{Case, Judged};
use super::site::{NEW, apply, convert, helm_release};
use super::{Scope, Skipped, Test, ensure};
use crate::bed::armada::{Site, copy_charts};
use crate::bed::charts::test_chart;
use crate::bed::program::Program;
use crate::bed::{Outcome, has_condition, python};

/// Time limit for a release without workloads, with a few hundred kilobytes of values.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// The prefix of all releases.
const PREFIX: &str = "types";

/// How many differences a failure shows.
const SHOWN: usize = 20;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("types::values_arrive_as_from_armada", arrive),
        Test::shared("types::the_list_of_lost_values_is_complete", lost::closed),
    ]
}

/// The output of the chart `values`.
#[derive(Debug, PartialEq)]
struct Seen {
    /// All values.
    json: Value,
    /// The entries below `kept`, as `%v` and as `%#v` print them.
    printed: BTreeMap<String, String>,
    typed: BTreeMap<String, String>,
}

/// The charts of these tests in the bed's Git server, and their location.
struct Charts {
    folder: PathBuf,
    source: String,
}

impl Charts {
    fn commit(scope: &Scope<'_>) -> Outcome<Self> {
        let folder = scope.bed.path().join(format!("charts-{}", scope.namespace));
        let chart = test_chart("values");
        copy_charts(&chart, &folder.join("values"))?;
        let repository = format!("charts-{}", scope.namespace);
        let commit = scope
            .bed
            .git
            .commit(&repository, &folder, "Add the chart")?;
        let url = scope.bed.git.url(&repository);
        let source =
            format!("{{type: git, location: '{url}', reference: {commit}, subpath: values}}");
        Ok(Self { folder, source })
    }

    /// Returns a site of one group; each release has the lines of its values, indented by four.
    fn site(&self, namespace: &str, releases: &[(&str, &str)]) -> Site {
        let names: Vec<_> = releases.iter().map(|(name, _)| *name).collect();
        let mut text = format!(
            "schema: armada/Manifest/v1\nmetadata: {{name: {namespace}}}\ndata: {{release_prefix: {PREFIX}, chart_groups: [all]}}\n---\n\
             schema: armada/ChartGroup/v1\nmetadata: {{name: all}}\ndata: {{chart_group: [{}]}}\n",
            names.join(", ")
        );
        for (name, values) in releases {
            text.push_str(&format!(
                "---\nschema: armada/Chart/v1\nmetadata: {{name: {name}}}\ndata:\n  chart_name: values\n  release: {name}\n  \
                 namespace: {namespace}\n  source: {}\n  dependencies: []\n  values:\n{values}",
                self.source
            ));
        }
        Site::plain(text, self.folder.clone())
    }
}

/// Returns the values of a release: each case under its own name, and nulls for keys with defaults in the chart.
fn values<'c>(cases: impl Iterator<Item = &'c Case>) -> String {
    let mut text = "    defaults: {gone: null, deep: {gone: null}}\n    kept:\n".to_owned();
    for (at, case) in cases.enumerate() {
        text.push_str(&case.entry(&name(at)));
    }
    text
}

fn name(at: usize) -> String {
    format!("case{at:04}")
}

fn arrive(scope: &Scope<'_>) -> Outcome {
    python::interpreter().map_err(|reason| Skipped(reason.to_owned()))?;
    let charts = Charts::commit(scope)?;
    let judged = cases::judge(scope, &cases::all()?)?;
    let Judged { accepted } = &judged;

    // The second revision counts; the first has the same keys, each with its neighbour's value.
    let second = values(accepted.iter());
    let by_role = |as_key| accepted.iter().filter(move |case| case.as_key == as_key);
    let turned = |as_key| by_role(as_key).cycle().skip(1);
    let (mut turned_values, mut turned_keys) = (turned(false), turned(true));
    let neighbours: Vec<_> = accepted
        .iter()
        .filter_map(|case| {
            if case.as_key {
                turned_keys.next()
            } else {
                turned_values.next()
            }
        })
        .collect();
    let first = values(neighbours.iter().copied());

    let flux = Flux::start(scope, &charts, &first)?;
    let armada = charts.site(
        &scope.namespace,
        &[("armada-1", &first), ("armada-2", &second)],
    );
    scope.bed.install_as_armada(&armada, Program::Helm3)?;
    let wanted = seen(scope, "armada-1")?;
    let defaults = &wanted.json["defaults"];
    ensure(*defaults == json!({"deep": {"stays": "default"}}), || {
        format!("helm left {defaults} of the chart's defaults")
    })?;
    let read = |case: &Case| case.source.clone();
    let sources: Vec<_> = neighbours.iter().map(|case| read(case)).collect();
    flux.compare("created", 1, &wanted, &sources)?;

    let flux = flux.update(&charts, &second)?;
    let wanted = seen(scope, "armada-2")?;
    let sources: Vec<_> = accepted.iter().map(read).collect();
    flux.compare("updated", 2, &wanted, &sources)?;
    flux.same_through_kustomize()
}

/// Two releases of the same values: one applied to the API server, one through Git and kustomize-controller.
struct Flux<'s> {
    scope: &'s Scope<'s>,
    round: usize,
    applied: PathBuf,
}

const APPLIED: &str = "applied";
const COMMITTED: &str = "committed";

impl<'s> Flux<'s> {
    fn start(scope: &'s Scope<'s>, charts: &Charts, values: &str) -> Outcome<Self> {
        let flux = Self {
            scope,
            round: 0,
            applied: PathBuf::new(),
        };
        let flux = flux.update(charts, values)?;
        let tree = format!("tree-{}", scope.namespace);
        let metadata = json!({"name": "tree", "namespace": scope.namespace});
        scope.bed.apply(&json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository", "metadata": metadata,
            "spec": {"interval": "12h", "url": scope.bed.git.url(&tree), "ref": {"branch": "master"}},
        }))?;
        scope.bed.apply(&json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization", "metadata": metadata,
            "spec": {
                "interval": "12h", "prune": false, "path": "./",
                "sourceRef": {"kind": "GitRepository", "name": "tree"},
            },
        }))?;
        Ok(flux)
    }

    /// Gives both releases these values.
    fn update(self, charts: &Charts, values: &str) -> Outcome<Self> {
        let Self { scope, round, .. } = self;
        let round = round + 1;
        let tree = |release: &str| {
            let site = charts.site(&scope.namespace, &[(release, values)]);
            convert(
                scope,
                &site,
                &format!("{}-{release}-{round}", scope.namespace),
                NEW,
            )
        };
        let applied = tree(APPLIED)?;
        let mut parts: Vec<_> = fs::read_dir(&applied)?
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| name != "kustomization.yaml")
            .collect();
        parts.sort();
        let parts: Vec<_> = parts.iter().map(String::as_str).collect();
        apply(scope, &applied, &parts)?;
        let repository = format!("tree-{}", scope.namespace);
        scope
            .bed
            .git
            .commit(&repository, &tree(COMMITTED)?, "Convert")?;
        if round > 1 {
            scope.bed.run(
                Program::Kubectl,
                &[
                    "annotate",
                    "gitrepositories.source.toolkit.fluxcd.io",
                    "tree",
                    "--namespace",
                    &scope.namespace,
                    &format!("reconcile.fluxcd.io/requestedAt={round}"),
                ],
            )?;
        }
        Ok(Self {
            scope,
            round,
            applied,
        })
    }

    /// Waits for this revision of both releases, and compares what their templates received.
    fn compare(&self, what: &str, revision: i64, wanted: &Seen, sources: &[String]) -> Outcome {
        let mut differences = Vec::new();
        for release in [APPLIED, COMMITTED] {
            let path = self.object(release);
            self.scope.bed.wait(&path, READY_WITHIN, |object| {
                object["status"]["history"][0]["version"] == revision
                    && has_condition(object, "Ready")
            })?;
            let found = seen(self.scope, release)?;
            differences.extend(
                differ(wanted, &found, sources)
                    .into_iter()
                    .map(|difference| format!("{what}, {release}: {difference}")),
            );
        }
        ensure(differences.is_empty(), || {
            let shown: Vec<_> = differences.iter().take(SHOWN).cloned().collect();
            format!("{} differences:\n{}", differences.len(), shown.join("\n"))
        })
    }

    fn object(&self, release: &str) -> String {
        helm_release(&self.scope.namespace, &format!("{PREFIX}-{release}"))
    }

    /// Applies the same tree with kubectl's kustomize: nothing changes.
    fn same_through_kustomize(&self) -> Outcome {
        let generation = || -> Outcome<Value> {
            let object = self.scope.bed.get(&self.object(APPLIED))?;
            Ok(object.unwrap_or_default()["metadata"]["generation"].clone())
        };
        let before = generation()?;
        apply(self.scope, &self.applied, &[])?;
        let after = generation()?;
        ensure(before == after && before.is_i64(), || {
            format!("generation {before} became {after}")
        })
    }
}

/// Returns what the templates of a release received.
fn seen(scope: &Scope<'_>, release: &str) -> Outcome<Seen> {
    let namespace = &scope.namespace;
    let path = format!("/api/v1/namespaces/{namespace}/configmaps/{PREFIX}-{release}-seen");
    let map = scope.bed.get(&path)?.ok_or_else(|| format!("no {path}"))?;
    let text = |key: &str| -> Outcome<String> {
        let encoded = map["data"][key].as_str().unwrap_or_default();
        Ok(String::from_utf8(decode_base64(encoded)?)?)
    };
    Ok(Seen {
        json: serde_json::from_str(&text("json")?)?,
        printed: entries(&text("printed")?),
        typed: entries(&text("typed")?),
    })
}

/// Parses a document as kubectl does.
fn read(text: &str) -> Outcome<armada2flux::value::Value> {
    let mut sources = Sources::default();
    let id = sources
        .add("object.yaml", text)
        .ok_or("no room for a file")?;
    let mut diagnostics = Diagnostics::default();
    let tree = yaml::read(id, sources.file(id).text(), &mut diagnostics);
    let root = tree.roots().next().ok_or("no object")?;
    deliver(root, Delivery::Go, &mut diagnostics)
        .ok_or_else(|| "the object cannot be delivered".into())
}

/// The same as JSON.
pub(super) fn to_value(text: &str) -> Outcome<Value> {
    Ok(serde_json::from_str(&to_json(&read(text)?, View::Clear))?)
}

/// Splits what Go prints of a map into the entries of the cases.
fn entries(text: &str) -> BTreeMap<String, String> {
    let mut entries = BTreeMap::new();
    let mut rest = text;
    for at in 0.. {
        let Some((_, entry)) = rest.split_once(&name(at)) else {
            break;
        };
        let end = entry.find(&name(at + 1)).unwrap_or(entry.len());
        entries.insert(
            name(at),
            entry[..end].trim_end_matches(['"', ' ', ',']).to_owned(),
        );
        rest = entry;
    }
    entries
}

fn decode_base64(text: &str) -> Outcome<Vec<u8>> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let value = ALPHABET.iter().position(|letter| *letter == byte);
        let value = value.ok_or("not base 64")?;
        bits = bits << 6 | u32::try_from(value)?;
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xff)?);
        }
    }
    Ok(bytes)
}

/// Returns all differences, with the scalars of the manifest.
fn differ(wanted: &Seen, found: &Seen, sources: &[String]) -> Vec<String> {
    let mut differences = Vec::new();
    let mut say = |at: Option<usize>, wanted: &str, found: &str| {
        if wanted != found {
            let source = at.and_then(|at| sources.get(at)).map_or("", String::as_str);
            differences.push(format!("{source:?}: {found} instead of {wanted}"));
        }
    };
    let rest = |seen: &Seen| {
        let mut json = seen.json.clone();
        json["kept"] = Value::Null;
        json.to_string()
    };
    say(None, &rest(wanted), &rest(found));
    let count = |seen: &Seen| {
        let kept = seen.json["kept"].as_object().map(serde_json::Map::len);
        format!(
            "{kept:?}, {}, {} entries",
            seen.printed.len(),
            seen.typed.len()
        )
    };
    say(None, &count(wanted), &count(found));
    for at in 0..sources.len() {
        let name = name(at);
        let json = |seen: &Seen| {
            let entry = seen.json["kept"].get(&name);
            entry.map_or_else(|| "absent".to_owned(), Value::to_string)
        };
        say(Some(at), &json(wanted), &json(found));
        let none = String::new();
        for (wanted, found) in [
            (&wanted.printed, &found.printed),
            (&wanted.typed, &found.typed),
        ] {
            let text =
                |entries: &BTreeMap<String, String>| entries.get(&name).unwrap_or(&none).clone();
            say(Some(at), &text(wanted), &text(found));
        }
    }
    differences
}
