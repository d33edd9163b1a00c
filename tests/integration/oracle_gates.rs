//! Compares the verdicts of our gates with those of Armada's waits, object by object.
//!
//! `../shared/oracle/waits/cases.json` has the cases and Armada's answers. `oracle_waits` tests how a chart's `wait`
//! block becomes a list of waits.

use std::path::Path;

use armada2flux::apply::Store;
use armada2flux::armada::difference::{self, Case};
use armada2flux::cluster::Event;
use armada2flux::flux::Object;
use armada2flux::gate::{Gate, State, Verdict, annotation};
use armada2flux::plan::Release;
use armada2flux::value::Value;
use libtest_mimic::{Failed, Trial};
use serde_json::{Value as Json, json};

use crate::{oracle_waits, shared};

/// Returns the cases without changes in which the answer differs on purpose. They are never laxer than Armada,
/// which is checked, too.
fn differences() -> impl Iterator<Item = &'static str> {
    let listed = difference::ALL
        .iter()
        .map(|difference| match difference.case {
            Case::Waits(names) => names,
            Case::Handlers(_) | Case::Watches(_) | Case::PythonErrors(_) | Case::PyYaml(_) => &[],
        });
    listed.flatten().copied()
}

/// Returns the cases with changes in which the answer differs on purpose, each with the name of the difference.
fn watched_differences() -> impl Iterator<Item = (&'static str, &'static str)> {
    difference::ALL.iter().flat_map(|difference| {
        let names = match difference.case {
            Case::Watches(names) => names,
            Case::Handlers(_) | Case::Waits(_) | Case::PythonErrors(_) | Case::PyYaml(_) => &[],
        };
        names.iter().map(|name| (*name, difference.name))
    })
}

/// How far a case is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// Armada refuses the chart's configuration, and so do we: `oracle_waits` compares.
    Configuration,
    /// We refuse the document, for a time limit of zero or a `min_ready` that cannot be compared. Armada
    /// fails only while it waits.
    Document,
    /// Compared, except for events after the first list, which `watches` compares.
    Watch,
    /// Compared.
    Gates,
}

/// The number of cases of each.
const PLACES: &[(Place, usize)] = &[
    (Place::Configuration, 18),
    (Place::Document, 6),
    (Place::Watch, 21),
    (Place::Gates, 316),
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        shared::trial("oracle_gates::answers", "oracle/waits", answers),
        shared::trial("oracle_gates::watches", "oracle/waits", watches),
    ]
}

/// Compares the answers of all cases.
fn answers(folder: &Path) -> Result<(), Failed> {
    let cases = shared::wait_cases(folder)?;
    let mut wrong = Vec::new();
    let mut places = std::collections::BTreeMap::new();
    for case in &cases {
        match settle(case) {
            Ok(place) => *places.entry(place).or_insert(0) += 1,
            Err(difference) => wrong.push(difference),
        }
    }
    let names: Vec<&str> = cases
        .iter()
        .filter_map(|case| case["name"].as_str())
        .collect();
    let gone = differences().filter(|name| !names.contains(name));
    wrong.extend(gone.map(|name| format!("{name}: listed, but no case")));
    let wanted = PLACES.iter().copied().collect();
    if wrong.is_empty() && places != wanted {
        wrong.push(format!("{places:?} instead of {wanted:?}"));
    }
    shared::no_differences(&wrong)
}

/// The only laxer answer: Armada would give it as well if asked once more.
const ADOPTED: &str = "pod-adopted";

/// Follows the events after the first list as a run does.
fn watches(folder: &Path) -> Result<(), Failed> {
    let cases = shared::wait_cases(folder)?;
    let watched: Vec<&Json> = cases
        .iter()
        .filter(|case| is_watched(&case["input"]))
        .collect();
    let wanted = PLACES
        .iter()
        .find(|(place, _)| *place == Place::Watch)
        .map(|(_, wanted)| *wanted);
    if wanted != Some(watched.len()) {
        return Err(format!("{} cases instead of {wanted:?}", watched.len()).into());
    }
    let mut wrong: Vec<String> = watched
        .iter()
        .filter_map(|case| watched_case(case).err())
        .collect();
    let gone =
        watched_differences().filter(|(name, _)| !watched.iter().any(|case| case["name"] == *name));
    wrong.extend(gone.map(|(name, _)| format!("{name}: listed, but no case")));
    shared::no_differences(&wrong)
}

fn watched_case(case: &Json) -> Result<(), String> {
    let name = case["name"].as_str().unwrap_or("");
    let listed = watched_differences().find(|(listed, _)| *listed == name);
    let gates = oracle_waits::with_release(&case["input"], |release| release.map(Release::gates));
    let [gate] = &gates.unwrap_or_default()[..] else {
        return Err(format!("{name}: not one gate"));
    };
    let expected = &case["expected"];
    let verdict = follow(gate, &case["input"]);
    if verdict == Verdict::Ready
        && expected["verdict"] != "ready"
        && listed.is_none_or(|(_, difference)| difference != ADOPTED)
    {
        return Err(format!("{name}: LAXER"));
    }
    let same = same_verdict(&verdict, expected);
    match (same, listed) {
        (Ok(()), Some(_)) => Err(format!("{name}: listed as different, but equal")),
        (Err(_), Some(_)) | (Ok(()), None) => Ok(()),
        (Err(difference), None) => Err(format!("{name}: {difference}")),
    }
}

/// Returns what a run concludes from the events of a watch.
fn follow(gate: &Gate, input: &Json) -> Verdict {
    let object = |json: &Json| Object::from_value(shared::value(json)).expect("an object");
    let all = |json: &Json| json.as_array().into_iter().flatten().map(object).collect();
    let mut store = Store::default();
    store.take(Event::Listed(all(&input["objects"])));
    let mut verdict = store.verdict(gate);
    let kinds = input["events"]
        .as_object()
        .into_iter()
        .flat_map(|kinds| kinds.values());
    let watches = kinds.flat_map(|watches| watches.as_array().into_iter().flatten());
    for event in watches.flat_map(|watch| watch.as_array().into_iter().flatten()) {
        if verdict == Verdict::Ready && !gate.looks_again() {
            return verdict;
        }
        let happened = match event["type"].as_str() {
            Some("ADDED" | "MODIFIED") => Event::Changed(object(&event["object"])),
            Some("DELETED") => Event::Gone(object(&event["object"])),
            // The watch has expired.
            _ => Event::Listed(store.objects().values().cloned().collect()),
        };
        store.take(happened);
        verdict = store.verdict(gate);
    }
    verdict
}

/// Whether there are events after Armada's first list.
fn is_watched(input: &Json) -> bool {
    input.get("events").is_some()
}

/// A difference must be listed, and a listed one must be there.
fn settle(case: &Json) -> Result<Place, String> {
    let name = case["name"].as_str().unwrap_or("");
    let listed = differences().any(|listed| listed == name);
    let expected = &case["expected"];
    if expected["phase"] == "config" {
        return Ok(Place::Configuration);
    }
    let gates = oracle_waits::with_release(&case["input"], |release| release.map(Release::gates));
    let gates = gates.or_else(|| settled(&case["input"], expected));
    // The command line accepts no limit below a second; in documents it is an error.
    let limit = expected["timeout"].as_i64();
    let gates = gates.filter(|_| limit.is_none_or(|limit| limit > 0));
    let Some(gates) = gates else {
        return if listed {
            Err(format!("{name}: listed, but the document is refused"))
        } else {
            Ok(Place::Document)
        };
    };
    let objects = case["input"]["objects"].as_array().cloned();
    let objects: Vec<Value> = objects.iter().flatten().map(shared::value).collect();
    never_laxer(&gates, &objects, expected).map_err(|error| format!("{name}: LAXER: {error}"))?;
    let watched = is_watched(&case["input"]);
    match (compare(&gates, &objects, expected, watched), listed) {
        (Ok(()), true) => Err(format!("{name}: listed as different, but equal")),
        (Err(_), true) | (Ok(()), false) => Ok(if watched { Place::Watch } else { Place::Gates }),
        (Err(difference), false) => Err(format!("{name}: {difference}")),
    }
}

/// Returns the gates of a document that Armada's schema refuses, from the waits that Armada made of it.
fn settled(input: &Json, expected: &Json) -> Option<Vec<Gate>> {
    let waits = waits(expected).map(|wait| {
        let mut written = json!({
            "type": wait["type"],
            "labels": wait["label_selector"],
            "required": wait["required"],
        });
        if wait["min_ready"].is_object() {
            written["min_ready"] = wait["min_ready"]["source"].clone();
        }
        if !wait["allow_async_updates"].is_null() {
            written["allow_async_updates"] = wait["allow_async_updates"].clone();
        }
        written
    });
    let text = json!({
        "version": annotation::FORMAT,
        "chart": format!("v{}", input["version"]),
        "waits": waits.collect::<Json>(),
    });
    let namespace = input["namespace"].as_str()?.into();
    annotation::read(&text.to_string(), &namespace).ok()
}

fn waits(expected: &Json) -> impl Iterator<Item = &Json> {
    expected["waits"].as_array().into_iter().flatten()
}

/// Returns the objects as the API server lists them.
fn by_name(objects: &[Value]) -> Vec<&Value> {
    let mut sorted: Vec<&Value> = objects.iter().collect();
    sorted.sort_by_key(|object| object.at(&["metadata", "name"]).and_then(Value::as_str));
    sorted
}

/// Checks that everything ready for us is ready for Armada: each object, each wait, the whole chart.
fn never_laxer(gates: &[Gate], objects: &[Value], expected: &Json) -> Result<(), String> {
    for (gate, wait) in gates.iter().zip(waits(expected)) {
        for object in wait["objects"].as_array().into_iter().flatten() {
            let state = gate.judge(find(gate, objects, &object["name"])?);
            let theirs = object["ready"] == true || !object["excluded"].is_null();
            if matches!(state, State::Ready | State::Excluded(_)) && !theirs {
                return Err(format!("{}: {state:?}", object["name"]));
            }
        }
        let events = wait["watches"].as_u64().unwrap_or(0) > 0;
        if gate.evaluate(objects) == Verdict::Ready && (wait["verdict"] != "ready" && !events) {
            return Err(format!("{} is open", gate.spec.kind));
        }
    }
    Ok(())
}

fn find<'v>(gate: &Gate, objects: &'v [Value], name: &Json) -> Result<&'v Value, String> {
    let text = |object: &'v Value, path: &[&str]| object.at(path).and_then(Value::as_str);
    let found = objects.iter().find(|object| {
        text(object, &["kind"]) == Some(gate.spec.kind.kind_name())
            && text(object, &["metadata", "namespace"]) == Some(gate.namespace.as_str())
            && text(object, &["metadata", "name"]) == name.as_str()
    });
    found.ok_or_else(|| format!("no {} {name} in the case", gate.spec.kind))
}

fn compare(
    gates: &[Gate],
    objects: &[Value],
    expected: &Json,
    watched: bool,
) -> Result<(), String> {
    let mut chart = "ready";
    for (at, (gate, wait)) in gates.iter().zip(waits(expected)).enumerate() {
        let here = format!("wait {at}, {}", gate.spec.kind);
        let mut selected = 0;
        for object in wait["objects"].as_array().into_iter().flatten() {
            let state = gate.judge(find(gate, objects, &object["name"])?);
            selected += 1;
            same_state(&state, object).map_err(|error| format!("{here}: {error}"))?;
        }
        let ours = objects.iter().map(|object| gate.judge(object));
        let ours = ours.filter(|state| *state != State::NotSelected).count();
        if ours != selected {
            return Err(format!("{here}: {ours} objects instead of {selected}"));
        }
        if watched {
            continue;
        }
        let verdict = gate.evaluate(by_name(objects));
        same_verdict(&verdict, wait).map_err(|error| format!("{here}: {error}"))?;
        let word = word(&verdict);
        if chart == "ready" {
            chart = word;
        }
    }
    if !watched && expected["verdict"] != chart {
        return Err(format!("chart: {chart}, armada {}", expected["verdict"]));
    }
    Ok(())
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Ready => "ready",
        Verdict::Waiting(_) => "waiting",
        Verdict::Failed(_) => "error",
    }
}

/// Checks that the answers are equal, and name the same objects that are not ready.
fn same_verdict(verdict: &Verdict, wait: &Json) -> Result<(), String> {
    if wait["verdict"] != word(verdict) {
        return Err(format!(
            "{verdict:?}, armada {} {} {}",
            wait["verdict"], wait["reason"], wait["error"]
        ));
    }
    if let (Verdict::Waiting(ours), Some(theirs)) = (verdict, wait["reason"].as_str()) {
        let none = theirs.contains("None found!");
        if none != ours.starts_with("no ") {
            return Err(format!("{ours}, armada {theirs}"));
        }
        if let Some((_, names)) = theirs.split_once("not ready=")
            && let Some(unnamed) = quoted(names).find(|name| !ours.contains(&format!("`{name}`")))
        {
            return Err(format!("{ours} does not name {unnamed}"));
        }
    }
    Ok(())
}

fn quoted(list: &str) -> impl Iterator<Item = &str> {
    list.split('\'').skip(1).step_by(2)
}

fn same_state(state: &State, object: &Json) -> Result<(), String> {
    let armada = || format!("{state:?}, armada {object}");
    let same = match (state, &object["excluded"], &object["ready"]) {
        (State::Excluded(ours), Json::String(theirs), _) => ours == theirs,
        (State::Ready, Json::Null, Json::Bool(true)) => true,
        (State::Waiting(ours), Json::Null, Json::Bool(false)) => {
            same_reason(ours, object["message"].as_str().unwrap_or(""))
        }
        _ => false,
    };
    if same { Ok(()) } else { Err(armada()) }
}

/// Pairs of reasons, in Armada's words and in ours.
const REASONS: &[(&str, &str)] = &[
    ("spec update to be observed", "is not observed yet"),
    (
        "exceeded its progress deadline",
        "its progress deadline is exceeded",
    ),
    ("new replicas have been updated", "pods updated"),
    ("new pods have been updated", "pods updated"),
    (
        "updated replicas are available, with min_ready",
        "pods ready, min_ready",
    ),
    (
        "updated pods are available, with min_ready",
        "pods ready, min_ready",
    ),
    ("pods are ready, with min_ready", "pods ready, min_ready"),
    ("rolling update to complete", "are not all at revision"),
    ("to be successfully completed", "completions"),
    ("Waiting for pod", ""),
];

/// Whether two reasons mean the same, and have the same two numbers if both have some.
fn same_reason(ours: &str, theirs: &str) -> bool {
    let Some((_, words)) = REASONS.iter().find(|(armada, _)| theirs.contains(armada)) else {
        return false;
    };
    let numbers = |text: &str| -> Vec<f64> {
        let words = text.split(' ').filter_map(|word| word.parse().ok());
        words.take(2).collect()
    };
    let counted = ours.contains("pods ready") || ours.contains("pods updated");
    ours.contains(words) && (!counted || numbers(ours) == numbers(theirs))
}
