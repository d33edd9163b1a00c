//! Armada's recorded answers: verdicts of its validation, plans of its deployment, its overrides.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use armada2flux::armada::difference::{self, Answer, Case};
use armada2flux::armada::overrides::{self, Set};
use armada2flux::compile::{Inputs, Texts};
use armada2flux::diagnostic::Diagnostics;
use armada2flux::emit::{self, View};
use armada2flux::parallel::Workers;
use armada2flux::plan::{self, Plan, Release};
use armada2flux::source::FileId;
use armada2flux::value::Value;
use armada2flux::yaml::Dialect;
use armada2flux::yaml::deliver::{Delivery, deliver};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value as Json, json};

use crate::shared;

/// The tests of this module: one for each case.
pub(crate) fn trials() -> Vec<Trial> {
    let cases = shared::folder().map(|shared| shared.join("oracle/cases"));
    let Some(cases) = cases.filter(|cases| cases.is_dir()) else {
        let missing = Trial::test("oracle_cases (../shared is not there)", || Ok(()));
        return vec![missing.with_ignored_flag(true)];
    };
    let mut folders: Vec<PathBuf> = std::fs::read_dir(cases)
        .expect("a readable folder")
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    folders.sort();
    let number = folders.len();
    let mut tests: Vec<Trial> = folders
        .into_iter()
        .map(|folder| {
            let name = name_of(&folder);
            Trial::test(format!("oracle_cases::{name}"), move || run(&folder))
        })
        .collect();
    let known: Vec<String> = tests.iter().map(|test| test.name().to_owned()).collect();
    tests.push(Trial::test("oracle_cases::no_case_is_missing", move || {
        if number != 54 {
            return Err(format!("{number} cases instead of 54").into());
        }
        for difference in difference::ALL {
            let cases: Vec<&str> = match difference.case {
                Case::Handlers(cases) => cases.iter().map(|(case, _)| *case).collect(),
                Case::PythonErrors(cases) => cases.to_vec(),
                Case::Waits(_) | Case::Watches(_) | Case::PyYaml(_) => Vec::new(),
            };
            for case in cases {
                if !known.contains(&format!("oracle_cases::{case}")) {
                    return Err(format!("{}: no case {case}", difference.name).into());
                }
            }
        }
        Ok(())
    }));
    tests
}

fn name_of(folder: &Path) -> String {
    folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn run(folder: &Path) -> Result<(), Failed> {
    let name = name_of(folder);
    settle(&name, Answer::Verdict, verdict(folder))?;
    settle(&name, Answer::Plan, plan_of(folder))?;
    python_error(&name, folder)
}

/// An error of Python's own has a difference that names the case.
fn python_error(name: &str, folder: &Path) -> Result<(), Failed> {
    let listed = difference::ALL
        .iter()
        .any(|difference| match difference.case {
            Case::PythonErrors(cases) => cases.contains(&name),
            Case::Handlers(_) | Case::Waits(_) | Case::Watches(_) | Case::PyYaml(_) => false,
        });
    let expected = read_json(&folder.join("expected.json"));
    let class = expected["error"].as_str();
    // Armada's own classes end with `Exception`.
    let raw = class.is_some_and(|class| !class.ends_with("Exception"));
    if raw == listed {
        return Ok(());
    }
    Err(format!("raw error: {class:?}, listed: {listed}").into())
}

/// A difference must be listed, and a listed one must be there.
fn settle(name: &str, answer: Answer, compared: Result<(), Failed>) -> Result<(), Failed> {
    let listed = difference::ALL
        .iter()
        .any(|difference| match difference.case {
            Case::Handlers(cases) => cases.contains(&(name, answer)),
            Case::Waits(_) | Case::Watches(_) | Case::PythonErrors(_) | Case::PyYaml(_) => false,
        });
    match (compared, listed) {
        (Ok(()), true) => Err("listed as different, but equal".into()),
        (Err(_), true) => Ok(()),
        (result, false) => result,
    }
}

fn read_json(path: &Path) -> Json {
    let text = std::fs::read_to_string(path).expect("a readable file");
    serde_json::from_str(&text).expect("JSON")
}

/// `validate` exits 1 where Armada's verdict is not `valid`.
fn verdict(folder: &Path) -> Result<(), Failed> {
    let wanted = read_json(&folder.join("validate.json"))["verdict"] == "valid";
    let output = Command::new(env!("CARGO_BIN_EXE_armada2flux"))
        .args(["validate", "manifest.yaml", "--color", "never"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    match (output.status.code(), wanted) {
        (Some(0), true) | (Some(1), false) => Ok(()),
        (code, _) => Err(format!("armada says valid: {wanted}, exit {code:?}\n{said}").into()),
    }
}

/// The arguments of Armada's command line that a case uses.
#[derive(Default)]
struct Arguments {
    sets: Vec<String>,
    values: Vec<String>,
    target: Option<String>,
    timeout: Option<i64>,
    files: Vec<String>,
}

fn arguments(command: &Json) -> Arguments {
    let mut arguments = Arguments::default();
    let words = command["args"].as_array().expect("arguments");
    let mut words = words.iter().map(|word| word.as_str().expect("a word"));
    while let Some(word) = words.next() {
        let mut next = || words.next().expect("a value").to_owned();
        match word {
            "--set" => arguments.sets.push(next()),
            "--values" => arguments.values.push(next()),
            "--target-manifest" => arguments.target = Some(next()),
            "--timeout" => arguments.timeout = Some(next().parse().expect("a number")),
            file => arguments.files.push(file.to_owned()),
        }
    }
    arguments
}

fn plan_of(folder: &Path) -> Result<(), Failed> {
    let command = read_json(&folder.join("cmd.json"));
    let expected = read_json(&folder.join("expected.json"));
    let arguments = arguments(&command);
    let mut diagnostics = Diagnostics::default();
    let mut texts = Texts::default();
    let mut load = |names: &[String]| -> Vec<FileId> {
        names
            .iter()
            .map(|name| {
                let text = std::fs::read_to_string(folder.join(name)).expect("a readable file");
                texts.sources.add(name, text).expect("room")
            })
            .collect()
    };
    texts.documents = load(&arguments.files);
    texts.values = load(&arguments.values);
    for (at, argument) in arguments.sets.iter().enumerate() {
        texts.sets.push(Set {
            argument: argument.clone(),
            file: texts
                .sources
                .add(format!("<--set {}>", at + 1), overrides::shown(argument))
                .expect("room"),
        });
    }
    let inputs = Inputs::read(texts, Dialect::PyYaml, Workers::ONE, &mut diagnostics);
    let decoded = inputs.decode(&mut diagnostics);
    let options = plan::Options {
        timeout: arguments.timeout,
        ..plan::Options::default()
    };
    let plan = decoded
        .plan(arguments.target.as_deref(), options, &mut diagnostics)
        .filter(|_| diagnostics.errors() == 0);
    let said = || {
        let said = diagnostics.list().iter();
        let said = said.map(|d| format!("{}[{}]: {}", d.severity, d.code, d.message));
        said.collect::<Vec<_>>().join("\n")
    };
    match (plan, expected.get("error")) {
        (None, Some(_)) => Ok(()),
        (None, None) => Err(format!("armada makes a plan\n{}", said()).into()),
        (Some(_), Some(error)) => Err(format!("armada fails with {error}").into()),
        (Some(plan), None) => {
            let upgrade = command["mode"] == "upgrade";
            let ours = json!({
                "manifest": &*plan.manifest,
                "charts": charts(&plan, upgrade),
                "groups": groups(&plan),
            });
            let wanted = json!({
                "manifest": expected["manifest"],
                "charts": expected["charts"],
                "groups": filled(&expected["groups"]),
            });
            compare("", &ours, &wanted)
        }
    }
}

/// Returns the groups with charts: a plan does not show empty ones. The default that a group sets for
/// tests shows in its charts.
fn filled(groups: &Json) -> Json {
    let groups = groups.as_array().expect("groups").iter();
    let groups = groups.filter(|group| group["charts"] != json!([]));
    groups
        .map(|group| json!({"name": group["name"], "sequenced": group["sequenced"], "charts": group["charts"]}))
        .collect()
}

fn groups(plan: &Plan<'_, '_>) -> Json {
    let stages = plan.stages.iter().map(|stage| {
        let releases = stage.steps.iter().flat_map(|step| &step.releases);
        let charts: Vec<&str> = releases.map(|r| &*r.chart.head.name.value).collect();
        json!({"name": &*stage.group, "sequenced": stage.sequenced, "charts": charts})
    });
    stages.collect()
}

fn charts(plan: &Plan<'_, '_>, upgrade: bool) -> Json {
    let mut charts = Vec::new();
    for stage in &plan.stages {
        for step in &stage.steps {
            for release in &step.releases {
                let mut chart = chart(release, upgrade);
                chart["group"] = json!(&*stage.group);
                chart["concurrency"] = json!(step.releases.len());
                charts.push(chart);
            }
        }
    }
    Json::Array(charts)
}

/// Describes a release with the keys of the oracle (its README lists them).
fn chart(release: &Release<'_, '_>, upgrade: bool) -> Json {
    let chart = release.chart;
    let mut source = json!({"location": &*chart.source.location.value});
    let kind = chart
        .source
        .kind
        .map(|kind| format!("{kind:?}").to_lowercase());
    source["type"] = json!(kind);
    for (key, field) in [
        ("subpath", &chart.source.subpath),
        ("reference", &chart.source.reference),
        ("proxy_server", &chart.source.proxy_server),
        ("auth_method", &chart.source.auth_method),
    ] {
        if let Some(field) = field {
            source[key] = json!(&*field.value);
        }
    }
    let waits = release.waits.iter().map(|wait| {
        json!({
            "type": wait.spec.kind.word(),
            "labels": &*wait.spec.selector,
            "required": wait.spec.required,
            "min_ready": wait.spec.min_ready.map(|min_ready| min_ready.to_string()),
            "allow_async_updates": wait.spec.allow_async_updates,
        })
    });
    let version = chart.head.version.word();
    let names = release.dependencies.iter().flatten();
    let names: Vec<&str> = names.map(|chart| &*chart.chart.head.name.value).collect();
    let mut json = json!({
        "action": if upgrade { "upgrade" } else { "install" },
        "chart": &*chart.head.name.value,
        "schema": format!("armada/Chart/{version}"),
        "release": &*release.name,
        "namespace": &*release.namespace,
        "source": source,
        "dependencies": names,
        "values": values(release),
        "helm_wait": release.native_wait,
        "helm_timeout": release.timeout,
        "wait_timeout": release.timeout,
        "wait": waits.collect::<Vec<_>>(),
        "protected": release.protected.map(|on| json!({"continue_processing": on})),
    });
    if let Some(timeout) = release.test_timeout {
        json["test"] = json!(true);
        json["test_timeout"] = json!(timeout);
    }
    if upgrade {
        json["no_hooks"] = json!(release.upgrade_no_hooks);
        json["force"] = json!(release.upgrade_force);
        let deletes = release.pre_deletes.iter().map(|delete| {
            let labels = delete.labels.iter();
            let labels: serde_json::Map<String, Json> = labels
                .map(|(key, value)| (key.to_string(), json!(&**value)))
                .collect();
            json!([
                "delete",
                [&*delete.type_word, labels, &*release.namespace],
                {}
            ])
        });
        let deletes: Vec<Json> = deletes.collect();
        if !deletes.is_empty() {
            json["pre"] = Json::Array(deletes);
        }
    }
    json
}

fn values(release: &Release<'_, '_>) -> Json {
    let Some(node) = release.chart.values else {
        return json!({});
    };
    let value = deliver(node, Delivery::Written, &mut Diagnostics::default());
    let text = emit::to_json(&value.unwrap_or_else(Value::null), View::Clear);
    serde_json::from_str(&text).expect("JSON")
}

/// Compares by keys, so that a difference names its path. The oracle has a number of ready objects as a number;
/// the chart's path is a label of the recorder.
fn compare(path: &str, ours: &Json, wanted: &Json) -> Result<(), Failed> {
    match (ours, wanted) {
        (Json::Object(a), Json::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            for key in keys.filter(|key| *key != "chart_path") {
                let path = format!("{path}.{key}");
                match (a.get(key), b.get(key)) {
                    (Some(ours), Some(wanted)) => compare(&path, ours, wanted)?,
                    (ours, wanted) => {
                        return Err(format!("{path}: {ours:?}, armada {wanted:?}").into());
                    }
                }
            }
            Ok(())
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            for (at, (ours, wanted)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{at}]"), ours, wanted)?;
            }
            Ok(())
        }
        (Json::String(ours), Json::Number(wanted))
            if path.ends_with(".min_ready") && *ours == wanted.to_string() =>
        {
            Ok(())
        }
        (ours, wanted) if ours == wanted => Ok(()),
        (ours, wanted) => Err(format!("{path}: {ours}, armada {wanted}").into()),
    }
}
