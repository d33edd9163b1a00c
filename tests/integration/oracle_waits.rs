//! Compares what Armada makes of a chart's `wait` block: which waits, with which settings, or a refusal.
//!
//! `oracle_gates` compares what the waits see in a cluster.

use std::path::Path;

use armada2flux::compile::{Inputs, Texts};
use armada2flux::diagnostic::{Code, Diagnostics, Severity};
use armada2flux::parallel::Workers;
use armada2flux::plan::{self, Release};
use armada2flux::yaml::Dialect;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value as Json, json};

use crate::shared;

/// The tests of this module.
pub(crate) fn trials() -> Vec<Trial> {
    vec![shared::trial(
        "oracle_waits::configuration",
        "oracle/waits",
        configuration,
    )]
}

fn configuration(folder: &Path) -> Result<(), Failed> {
    let cases = shared::wait_cases(folder)?;
    if cases.len() != 361 {
        return Err(format!("{} cases instead of 361", cases.len()).into());
    }
    let wrong: Vec<String> = cases.iter().filter_map(|case| settle(case).err()).collect();
    shared::no_differences(&wrong)
}

/// The configuration of a wait differs from Armada's in no case.
fn settle(case: &Json) -> Result<(), String> {
    let name = case["name"].as_str().unwrap_or("");
    compare(case).map_err(|difference| format!("{name}: {difference}"))
}

/// The chart of a case in a site of its own; JSON is YAML.
fn site(input: &Json) -> String {
    let version = &input["version"];
    let mut data = json!({
        "release": "demo",
        "namespace": input["namespace"],
        "source": {"type": "local", "location": "/charts", "subpath": "demo"},
    });
    if *version == 1 {
        data["chart_name"] = json!("demo");
    }
    for key in ["wait", "timeout"] {
        if let Some(value) = input.get(key) {
            data[key] = value.clone();
        }
    }
    let document = |kind: &str, version: &Json, name: &str, data: Json| {
        json!({
            "schema": format!("armada/{kind}/v{version}"),
            "metadata": {"name": name},
            "data": data,
        })
    };
    let documents = [
        document("Chart", version, "demo", data),
        document(
            "ChartGroup",
            &json!(1),
            "all",
            json!({"chart_group": ["demo"]}),
        ),
        document(
            "Manifest",
            &json!(1),
            "site",
            json!({"release_prefix": "armada", "chart_groups": ["all"]}),
        ),
    ];
    let documents = documents
        .iter()
        .map(|document| format!("---\n{document}\n"));
    documents.collect()
}

fn inputs(input: &Json, diagnostics: &mut Diagnostics) -> Inputs {
    let mut texts = Texts::default();
    let file = texts.sources.add("case.yaml", site(input)).expect("room");
    texts.documents.push(file);
    Inputs::read(texts, Dialect::PyYaml, Workers::ONE, diagnostics)
}

/// Calls `with` with the release of a case's chart; with `None` if we refuse the document.
pub(crate) fn with_release<T>(input: &Json, with: impl FnOnce(Option<&Release<'_, '_>>) -> T) -> T {
    let mut diagnostics = Diagnostics::default();
    let inputs = inputs(input, &mut diagnostics);
    let decoded = inputs.decode(&mut diagnostics);
    let options = plan::Options {
        timeout: input["cli_timeout"].as_i64(),
        ..plan::Options::default()
    };
    let plan = decoded
        .plan(None, options, &mut diagnostics)
        .filter(|_| diagnostics.errors() == 0);
    with(plan.as_ref().and_then(|plan| plan.releases().next()))
}

fn compare(case: &Json) -> Result<(), String> {
    let (input, expected) = (&case["input"], &case["expected"]);
    let mut diagnostics = Diagnostics::default();
    let inputs = inputs(input, &mut diagnostics);
    let decoded = inputs.decode(&mut diagnostics);
    let errors = |code: Code, diagnostics: &Diagnostics| {
        let found = diagnostics.list().iter();
        let found = found.filter(|d| d.severity == Severity::Error && d.code == code);
        found.count()
    };
    let schema_errors = diagnostics.errors();
    if (schema_errors == 0) != (expected["schema_valid"] == true) {
        return Err(format!(
            "{schema_errors} errors, armada's are {}",
            expected["schema_errors"]
        ));
    }
    if schema_errors > 0 {
        return Ok(());
    }
    let options = plan::Options {
        timeout: input["cli_timeout"].as_i64(),
        ..plan::Options::default()
    };
    let plan = decoded.plan(None, options, &mut diagnostics);
    if expected["phase"] == "config" {
        return match errors(Code::DeployFault, &diagnostics) {
            0 => Err(format!("armada fails with {}", expected["error"])),
            _ => Ok(()),
        };
    }
    // A limit below one second fails before the first list.
    if expected["timeout"]
        .as_i64()
        .is_some_and(|timeout| timeout <= 0)
    {
        return match plan {
            Some(_) if options.timeout.is_none() => Err("a limit below one second".to_owned()),
            _ => Ok(()),
        };
    }
    // Python fails to compare this with a number of pods.
    let never = |wait: &Json| {
        wait["min_ready"].is_object()
            && !wait["min_ready"]["number"].is_number()
            && !wait["min_ready"]["number"].is_boolean()
    };
    let waits = expected["waits"].as_array().ok_or("no waits")?;
    if waits.iter().any(never) {
        return match errors(Code::DeployFault, &diagnostics) {
            0 => Err("armada fails as soon as it compares".to_owned()),
            _ => Ok(()),
        };
    }
    let plan = plan.ok_or_else(|| {
        let said = diagnostics.list().iter().map(|d| d.message.as_str());
        format!("no plan: {}", said.collect::<Vec<_>>().join("; "))
    })?;
    let release = plan.releases().next().ok_or("no release")?;
    equal("timeout", &json!(release.timeout), &expected["timeout"])?;
    equal(
        "native",
        &json!(release.native_wait),
        &expected["native_enabled"],
    )?;
    equal("waits", &ours(release), &theirs(waits))
}

fn equal(what: &str, ours: &Json, wanted: &Json) -> Result<(), String> {
    if ours == wanted {
        Ok(())
    } else {
        Err(format!("{what}: {ours}, armada {wanted}"))
    }
}

fn ours(release: &Release<'_, '_>) -> Json {
    let waits = release.waits.iter().map(|wait| {
        json!([
            wait.spec.kind.word(),
            &*wait.spec.selector,
            wait.spec.required,
            wait.spec.min_ready.map(|min_ready| min_ready.to_string()),
            wait.spec.allow_async_updates,
        ])
    });
    waits.collect()
}

fn theirs(waits: &[Json]) -> Json {
    let truth = |value: &Json| match value {
        Json::Null => false,
        Json::Bool(value) => *value,
        Json::String(text) => !text.is_empty(),
        Json::Number(_) | Json::Array(_) | Json::Object(_) => true,
    };
    let waits = waits.iter().map(|wait| {
        let min_ready = &wait["min_ready"];
        let number = match &min_ready["number"] {
            Json::Bool(value) => f64::from(u8::from(*value)),
            number => number.as_f64().unwrap_or(f64::NAN),
        };
        let min_ready = match (min_ready.is_null(), min_ready["is_percent"] == true) {
            (true, _) => Json::Null,
            (false, true) => json!(format!("{number}%")),
            // A number of pods is never between two whole ones.
            (false, false) => json!(format!("{}", number.ceil())),
        };
        json!([
            wait["type"],
            wait["label_selector"],
            truth(&wait["required"]),
            min_ready,
            match &wait["allow_async_updates"] {
                Json::Null => Json::Null,
                value => json!(truth(value)),
            },
        ])
    });
    waits.collect()
}
