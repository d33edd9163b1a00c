//! Real charts with one error: it is always reported, and never a panic.

use std::collections::BTreeMap;
use std::path::Path;

use armada2flux::armada::Fate;
use armada2flux::compile::{Compilation, Inputs, Options, Texts};
use armada2flux::diagnostic::Diagnostics;
use armada2flux::emit::{self, View};
use armada2flux::flux::Object;
use armada2flux::lower::{self, Role};
use armada2flux::parallel::Workers;
use armada2flux::report;
use armada2flux::source::Sources;
use armada2flux::yaml::deliver::{Delivery, deliver};
use armada2flux::yaml::{Dialect, Kind, Node};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value as Json, json};

use crate::shared;

/// How many mutations are tried; half of them outside of the values.
const SAMPLES: usize = 5_000;

/// Largest chart that is mutated, in bytes of JSON: nine of ten are smaller, and a run stays short.
const MAX_CHART: usize = 12 * 1024;

/// The tests of this module.
pub(crate) fn trials() -> Vec<Trial> {
    vec![shared::trial(
        "mutations::every_mutation_is_reported",
        "corpus",
        run,
    )]
}

/// A chart of the corpus with the charts it depends on, as JSON, which is YAML, too.
struct Sample {
    chart: Json,
    dependencies: Vec<Json>,
}

/// Everything visible of a conversion.
struct Outcome {
    tree: String,
    report: String,
    said: Vec<String>,
    errors: usize,
}

fn run(corpus: &Path) -> Result<(), Failed> {
    let samples = samples(corpus).into_iter();
    let samples = samples.filter(|sample| sample.chart.to_string().len() <= MAX_CHART);
    let converted = samples.map(|sample| {
        let (base, ..) = convert(&sample.chart, &sample, &[]);
        (sample, base)
    });
    // A chart that is refused unchanged does not report other errors.
    let (samples, bases): (Vec<Sample>, Vec<Outcome>) =
        converted.filter(|(_, base)| base.errors == 0).unzip();
    if samples.len() < 200 {
        return Err(format!("only {} charts to start from", samples.len()).into());
    }
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut wrong = Vec::new();
    let mut tried = 0;
    while tried < SAMPLES {
        let wants_values = tried % 2 == 0;
        let which = random.below(samples.len());
        let (sample, base) = (&samples[which], &bases[which]);
        let mut paths = Vec::new();
        leaves(
            &sample.chart["data"],
            &mut vec!["data".to_owned()],
            &mut paths,
        );
        paths.retain(|path| (path.len() > 2 && path[1] == "values") == wants_values);
        if paths.is_empty() {
            continue;
        }
        tried += 1;
        let path = &paths[random.below(paths.len())];
        let (mutant, what) = mutate(&sample.chart, path, &mut random);
        let (outcome, fate, told) = convert(&mutant, sample, path);
        let changed = if wants_values {
            outcome.tree != base.tree || outcome.said != base.said
        } else {
            outcome.report != base.report || outcome.said != base.said
        };
        // Fields that Armada never reads may have any value.
        let harmless = fate == Some(Fate::DroppedHarmless);
        let more_said = outcome.said.len() > base.said.len();
        if !(changed || harmless) || (more_said && !told) {
            let name = &sample.chart["metadata"]["name"];
            let said: Vec<&String> = outcome
                .said
                .iter()
                .filter(|said| !base.said.contains(said))
                .collect();
            wrong.push(format!("{name}: {} {what}: {said:?}", path.join(".")));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    let number = wrong.len();
    wrong.truncate(20);
    Err(format!("{number} silent or misplaced:\n{}", wrong.join("\n")).into())
}

/// Returns the charts of the corpus, each with the documents it depends on.
fn samples(corpus: &Path) -> Vec<Sample> {
    let mut samples = Vec::new();
    let files = shared::files(corpus, &["yaml"]);
    let wanted = files
        .iter()
        .filter(|file| file.starts_with(corpus.join("airship")) || file.ends_with("armada.yaml"));
    for file in wanted {
        let mut sources = Sources::default();
        let mut diagnostics = Diagnostics::default();
        let tree = shared::read(file, &mut sources, &mut diagnostics);
        let charts: Vec<Json> = tree
            .roots()
            .filter_map(|root| to_json(root, &mut diagnostics))
            .filter(|document| document["schema"] == "armada/Chart/v1")
            .collect();
        let by_name: BTreeMap<&str, &Json> = charts
            .iter()
            .filter_map(|chart| Some((chart["metadata"]["name"].as_str()?, chart)))
            .collect();
        samples.extend(charts.iter().map(|chart| {
            let names = chart["data"]["dependencies"].as_array();
            let names = names.into_iter().flatten().filter_map(Json::as_str);
            let dependencies = names.filter_map(|name| by_name.get(name).copied());
            Sample {
                chart: chart.clone(),
                dependencies: dependencies.cloned().collect(),
            }
        }));
    }
    samples
}

fn to_json(node: Node<'_>, diagnostics: &mut Diagnostics) -> Option<Json> {
    let value = deliver(node, Delivery::Written, diagnostics)?;
    serde_json::from_str(&emit::to_json(&value, View::Clear)).ok()
}

/// The paths of scalars and of empty lists and mappings.
fn leaves(value: &Json, path: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    let children: Vec<(String, &Json)> = match value {
        Json::Object(entries) => entries.iter().map(|(key, v)| (key.clone(), v)).collect(),
        Json::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, v)| (at.to_string(), v))
            .collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => Vec::new(),
    };
    if children.is_empty() {
        found.push(path.clone());
    }
    for (key, child) in children {
        path.push(key);
        leaves(child, path, found);
        path.pop();
    }
}

/// Removes the leaf, or replaces it by a value of another type.
fn mutate(chart: &Json, path: &[String], random: &mut Random) -> (Json, String) {
    let mut mutant = chart.clone();
    let (last, parents) = path.split_last().expect("a path");
    let parent = format!(
        "/{}",
        parents
            .iter()
            .map(|key| escape(key))
            .collect::<Vec<_>>()
            .join("/")
    );
    let parent = mutant.pointer_mut(&parent).expect("a parent");
    let leaf = parent
        .pointer_mut(&format!("/{}", escape(last)))
        .expect("a leaf");
    let wrong = [
        Json::Null,
        json!(true),
        json!(5),
        json!(5.5),
        json!("other text"),
        json!([]),
        json!({}),
        json!(["item"]),
        json!({"key": "value"}),
    ];
    let same_type = |a: &Json, b: &Json| {
        std::mem::discriminant(a) == std::mem::discriminant(b) && a.is_f64() == b.is_f64()
    };
    let wrong: Vec<&Json> = wrong
        .iter()
        .filter(|value| !same_type(value, leaf))
        .collect();
    if let Some(value) = wrong.get(random.below(wrong.len() + 1)) {
        *leaf = (*value).clone();
        return (mutant, format!("is {value}"));
    }
    match parent {
        Json::Array(items) => {
            items.remove(last.parse().expect("an index"));
        }
        Json::Object(entries) => {
            entries.remove(last);
        }
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
    }
    (mutant, "is removed".to_owned())
}

/// A key as JSON pointers write it.
fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// Converts a site of one group with the chart. Returns what is visible, the disposition of the node at `path`, and
/// whether a diagnostic is about that node or its parent.
fn convert(chart: &Json, sample: &Sample, path: &[String]) -> (Outcome, Option<Fate>, bool) {
    let name = &chart["metadata"]["name"];
    let mut text = format!("---\n{chart}\n");
    for dependency in &sample.dependencies {
        text.push_str(&format!("---\n{dependency}\n"));
    }
    let group = json!({"schema": "armada/ChartGroup/v1", "metadata": {"name": "all"}, "data": {"chart_group": [name]}});
    let manifest = json!({"schema": "armada/Manifest/v1", "metadata": {"name": "site"}, "data": {"release_prefix": "p", "chart_groups": ["all"]}});
    text.push_str(&format!("---\n{group}\n---\n{manifest}\n"));
    let mut texts = Texts::default();
    let file = texts.sources.add("site.yaml", text).expect("room");
    texts.documents.push(file);
    let mut diagnostics = Diagnostics::default();
    let inputs = Inputs::read(texts, Dialect::PyYaml, Workers::ONE, &mut diagnostics);
    let decoded = inputs.decode(&mut diagnostics);
    let options = Options {
        lower: lower::Options {
            new_cluster: true,
            ..lower::Options::default()
        },
        ..Options::default()
    };
    let mut emitted = String::new();
    let mut sink = |objects: Vec<(Role<'_>, Object)>| {
        for (_, object) in objects {
            emit::write_yaml(&object.value, View::Clear, &mut emitted);
        }
    };
    let Compilation { plan, totals } = decoded
        .compile(&options, &mut diagnostics, &mut sink)
        .expect("no release is named");
    let report = report::convert::report(
        inputs.sources(),
        &decoded.documents,
        &decoded.ledgers,
        plan.as_ref(),
        &totals,
        &diagnostics,
    );
    let (tree, ledger) = (&inputs.trees()[0], &decoded.ledgers[0]);
    let mut report = serde_json::to_value(&report).expect("a report");
    // Positions change with every mutation.
    report["diagnostics"] = Json::Null;
    for release in report["releases"].as_array_mut().into_iter().flatten() {
        release["origin"] = Json::Null;
    }
    let node = tree.roots().next().and_then(|root| descend(root, path));
    let spans = diagnostics.list().iter().flat_map(|d| &d.labels);
    let spans = spans.map(|label| label.span);
    let told = node.is_some_and(|(node, parent)| {
        let (node, parent) = (node.span(), parent.span());
        spans.into_iter().any(|span| {
            let near = |place: armada2flux::source::Span| {
                span.start() < place.end() && place.start() < span.end()
            };
            near(node) || span.start() >= parent.start() && span.end() <= parent.end()
        })
    });
    let outcome = Outcome {
        errors: diagnostics.errors(),
        tree: emitted.clone(),
        report: format!("{report}{emitted}"),
        said: diagnostics
            .list()
            .iter()
            .map(|d| d.message.clone())
            .collect(),
    };
    let fate = node
        .and_then(|(node, _)| ledger.row(node))
        .map(|row| row.fate);
    (outcome, fate, told)
}

/// Returns the node at the path, or the last existing node along it, and its parent.
fn descend<'t>(root: Node<'t>, path: &[String]) -> Option<(Node<'t>, Node<'t>)> {
    let mut parent = root;
    let mut node = root;
    for key in path {
        let next = match node.resolved().kind() {
            Kind::Sequence => key.parse().ok().and_then(|index| node.items().nth(index)),
            Kind::Mapping => {
                let mut entries = node.entries();
                let named = |(name, _): &(Node<'_>, Node<'_>)| {
                    name.scalar().is_some_and(|name| name.text == key.as_str())
                };
                entries.find(named).map(|(_, value)| value)
            }
            Kind::Scalar(_) | Kind::Alias(_) => None,
        };
        let Some(next) = next else {
            return Some((node, parent));
        };
        parent = node;
        node = next;
    }
    Some((node, parent))
}

/// Random numbers that are the same in every run (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit.max(1) as u64) as usize
    }
}
