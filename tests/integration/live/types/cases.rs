//! Scalars as values and as keys, and which of them Armada and Helm accept.

use std::collections::BTreeMap;
use std::fs;

use armada2flux::diagnostic::{Code, Diagnostics};
use armada2flux::emit::{View, to_json};
use armada2flux::source::Sources;
use armada2flux::yaml;
use armada2flux::yaml::deliver::{Delivery, deliver};
use serde_json::Value;

use super::{lost, scalars};
use crate::bed::build::print_progress;
use crate::bed::program::Program;
use crate::bed::{Outcome, python};
use crate::live::{Scope, ensure};

/// Loads and writes documents as Armada does, one line of JSON each; null for an error.
const CHAIN: &str = r#"
import json, sys, yaml
loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
for line in sys.stdin:
    try:
        value = yaml.load(json.loads(line), loader)
        print(json.dumps(yaml.dump(value, Dumper=dumper, default_flow_style=False)))
    except Exception:
        print("null")
"#;

/// A scalar as value or key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Case {
    /// The text in a manifest; lines after the first are indented by two.
    pub(super) source: String,
    /// Whether it is a key, not a value.
    pub(super) as_key: bool,
}

impl Case {
    /// A mapping of one entry.
    fn document(&self) -> String {
        if self.as_key {
            format!("? {}\n: 1\n", self.source)
        } else {
            format!("k: {}\n", self.source)
        }
    }

    /// The lines of an entry `name` at an indentation of six.
    pub(super) fn entry(&self, name: &str) -> String {
        if self.as_key {
            let source = self.source.replace('\n', "\n        ");
            format!("      {name}:\n        ? {source}\n        : 1\n")
        } else {
            let source = self.source.replace('\n', "\n      ");
            format!("      {name}: {source}\n")
        }
    }
}

/// Every scalar, as value and as key.
pub(super) fn all() -> Outcome<Vec<Case>> {
    let vectors = scalars::vectors()?;
    if vectors.is_none() {
        print_progress("../shared does not exist: random scalars only");
    }
    let mut cases = Vec::new();
    for source in vectors
        .unwrap_or_default()
        .into_iter()
        .chain(scalars::random()?)
    {
        for as_key in [false, true] {
            cases.push(Case {
                source: source.clone(),
                as_key,
            });
        }
    }
    Ok(cases)
}

/// The cases by what the programs do with them.
#[derive(Debug)]
pub(super) struct Judged {
    /// Armada and Helm accept them, and no path loses them.
    pub(super) accepted: Vec<Case>,
}

/// Passes all to PyYAML and our model, and those that only PyYAML accepts to Helm.
pub(super) fn judge(scope: &Scope<'_>, cases: &[Case]) -> Outcome<Judged> {
    let input: String = cases
        .iter()
        .map(|case| Value::from(case.document()).to_string() + "\n")
        .collect();
    let output = String::from_utf8(python::answer(CHAIN, &input)?)?;
    let texts = output
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<Vec<Option<String>>, _>>()?;
    ensure(texts.len() == cases.len(), || {
        format!("PyYAML answered {} of {}", texts.len(), cases.len())
    })?;
    let mut accepted = Vec::new();
    let mut refused = BTreeMap::new();
    for (case, text) in cases.iter().zip(texts) {
        match (model(case)?, text) {
            (Some(Model { value, is_unsafe }), Some(_)) => {
                ensure(is_unsafe == lost::is_lost(&value), || {
                    format!("{case:?} is {value}: reported as lost is {is_unsafe}")
                })?;
                if !is_unsafe {
                    accepted.push(case.clone());
                }
            }
            (None, None) => {}
            (None, Some(text)) => {
                refused.insert(text, case);
            }
            (Some(Model { value, .. }), None) => {
                return Err(format!("PyYAML refuses {case:?}, which is read as {value}").into());
            }
        }
    }
    helm_refuses(scope, &refused)?;
    ensure(accepted.len() > cases.len() * 3 / 4, || {
        format!("only {} of {} are accepted", accepted.len(), cases.len())
    })?;
    print_progress(&format!(
        "{} of {} scalars accepted by Armada and Helm and carried; {} texts refused by Helm alone",
        accepted.len(),
        cases.len(),
        refused.len()
    ));
    Ok(Judged { accepted })
}

/// Returns what our model expects Helm to receive.
struct Model {
    value: Value,
    is_unsafe: bool,
}

fn model(case: &Case) -> Outcome<Option<Model>> {
    let mut sources = Sources::default();
    let file = sources
        .add("case.yaml", case.document())
        .ok_or("no room for a file")?;
    let mut diagnostics = Diagnostics::default();
    let tree = yaml::read(file, sources.file(file).text(), &mut diagnostics);
    let Some(root) = tree.roots().next() else {
        return Ok(None);
    };
    let Some(value) = deliver(root, Delivery::Python, &mut diagnostics) else {
        return Ok(None);
    };
    let is_unsafe = diagnostics
        .list()
        .iter()
        .any(|diagnostic| diagnostic.code == Code::TextUnsafe);
    Ok(Some(Model {
        value: serde_json::from_str(&to_json(&value, View::Clear))?,
        is_unsafe,
    }))
}

/// Each of these values files must be refused.
fn helm_refuses(scope: &Scope<'_>, refused: &BTreeMap<String, &Case>) -> Outcome {
    let chart = scope
        .bed
        .path()
        .join(format!("charts-{}/values", scope.namespace));
    let chart = chart.display().to_string();
    let refuses = |(at, (text, case)): (usize, (&String, &&Case))| -> Outcome {
        let file = scope
            .bed
            .path()
            .join(format!("{}-{at}.yaml", scope.namespace));
        fs::write(&file, text)?;
        let values = format!("--values={}", file.display());
        let done = scope
            .bed
            .run(Program::Helm3, &["template", "refused", &chart, &values]);
        ensure(done.is_err(), || {
            format!("Helm takes {case:?}, written as {text:?}")
        })
    };
    refused.iter().enumerate().try_for_each(refuses)
}
