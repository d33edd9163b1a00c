//! Compares both forms of the order, on install and upgrade, and the gates in the tree with Armada's plans.

use std::collections::{BTreeMap, BTreeSet};

use armada2flux::gate::annotation;
use cel::{Context, Program};
use serde_json::{Value, json};

use super::site::Site;
use super::{path, tree};
use crate::support::{Result, ensure, run};

/// Namespace and name.
type Key = (String, String);
/// What must come before each release.
type Order = BTreeMap<Key, BTreeSet<Key>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Exact,
    Chain,
}

impl Form {
    fn word(self) -> &'static str {
        match self {
            Form::Exact => "exact",
            Form::Chain => "chain",
        }
    }
}

pub(super) fn check(site: &Site, form: Form) -> Result {
    let plan = super::json(&format!(
        "airship/{}.{}.install.plan.json",
        site.file, site.manifest
    ))?;
    let wanted = armada(&plan, form)?;
    let before = convert(site, form, &[])?;
    closure(&before, &wanted)?;
    minimal(&before, &wanted)?;
    let gates = gates(&before, &plan)?;
    ensure(
        gates == wanted.len(),
        format!("{gates} releases with gates"),
    )?;

    // Everything changes; then only the first and the last release do.
    let all = convert(site, form, &["--timeout", "901"])?;
    upgrade(&before, &all, &wanted)?;
    let ends = [
        plan["charts"].as_array().and_then(|c| c.first()),
        plan["charts"].as_array().and_then(|c| c.last()),
    ];
    let mut arguments = Vec::new();
    for chart in ends.into_iter().flatten() {
        arguments.push("--set".to_owned());
        arguments.push(format!(
            "chart:{}:values.changed=yes-indeed",
            word(&chart["chart"])?
        ));
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let ends = convert(site, form, &arguments)?;
    let changed = upgrade(&before, &ends, &wanted)?;
    ensure(
        changed == 2,
        format!("{changed} releases changed instead of 2"),
    )
}

fn word(value: &Value) -> Result<&str> {
    Ok(value
        .as_str()
        .ok_or_else(|| format!("{value} is no string"))?)
}

fn key(name: &Value, namespace: &Value) -> Result<Key> {
    Ok((word(namespace)?.to_owned(), word(name)?.to_owned()))
}

fn own(release: &Value) -> Result<Key> {
    key(
        &release["metadata"]["name"],
        &release["metadata"]["namespace"],
    )
}

/// Returns what Armada's plan puts before each release: earlier groups, and inside a group earlier charts if it is
/// sequenced or Armada ran with `--wait`.
fn armada(plan: &Value, form: Form) -> Result<Order> {
    let mut order = Order::new();
    let mut before = BTreeSet::new();
    let mut step = BTreeSet::new();
    let mut group = &Value::Null;
    for chart in plan["charts"].as_array().into_iter().flatten() {
        if chart["concurrency"] == 1 || form == Form::Chain || *group != chart["group"] {
            before.append(&mut step);
        }
        group = &chart["group"];
        let key = key(&chart["release"], &chart["namespace"])?;
        order.insert(key.clone(), before.clone());
        step.insert(key);
    }
    Ok(order)
}

fn convert(site: &Site, form: Form, more: &[&str]) -> Result<Vec<Value>> {
    let place = tempfile::tempdir()?;
    let input = path(&format!("airship/{}.yaml", site.file))?;
    let mut arguments = vec!["convert", &input, "--target-manifest", site.manifest];
    arguments.extend(["-o", "out", "-q", "--new-cluster", "--order", form.word()]);
    arguments.extend(more);
    run(place.path(), &arguments)?.expect_code(0)?;
    let objects = tree::read(&place.path().join("out"))?;
    let releases = objects.into_iter().filter(|o| o["kind"] == "HelmRelease");
    Ok(releases.collect())
}

fn dependencies(release: &Value) -> Result<Vec<(Key, &str)>> {
    let list = release["spec"]["dependsOn"]
        .as_array()
        .into_iter()
        .flatten();
    list.map(|dependency| {
        let key = key(&dependency["name"], &dependency["namespace"])?;
        Ok((key, word(&dependency["readyExpr"])?))
    })
    .collect()
}

fn edges(releases: &[Value]) -> Result<BTreeMap<Key, BTreeSet<Key>>> {
    let mut edges = BTreeMap::new();
    for release in releases {
        let direct = dependencies(release)?.into_iter().map(|(key, _)| key);
        edges.insert(own(release)?, direct.collect());
    }
    Ok(edges)
}

/// Returns everything that comes before, directly or not.
fn reach(edges: &BTreeMap<Key, BTreeSet<Key>>, from: &Key) -> BTreeSet<Key> {
    let mut found = BTreeSet::new();
    let mut open: Vec<&Key> = edges[from].iter().collect();
    while let Some(next) = open.pop() {
        if found.insert(next.clone()) {
            open.extend(&edges[next]);
        }
    }
    found
}

fn closure(releases: &[Value], wanted: &Order) -> Result {
    let edges = edges(releases)?;
    ensure(edges.len() == wanted.len(), "other releases")?;
    for (release, before) in wanted {
        let found = reach(&edges, release);
        ensure(
            found == *before,
            format!("{release:?} comes after {found:?}, Armada's after {before:?}"),
        )?;
    }
    Ok(())
}

/// Checks that every edge is needed: without any of them a pair is lost. So a form with fewer edges
/// must order more, and `chain` orders what `armada apply --wait` orders.
fn minimal(releases: &[Value], wanted: &Order) -> Result {
    let edges = edges(releases)?;
    for (release, direct) in &edges {
        for dependency in direct {
            let mut fewer = edges.clone();
            fewer.entry(release.clone()).or_default().remove(dependency);
            ensure(
                reach(&fewer, release) != wanted[release],
                format!("{release:?} need not depend on {dependency:?}"),
            )?;
        }
    }
    Ok(())
}

/// Checks that the gates in the tree are Armada's wait lists.
fn gates(releases: &[Value], plan: &Value) -> Result<usize> {
    let mut equal = 0;
    for chart in plan["charts"].as_array().into_iter().flatten() {
        let key = key(&chart["release"], &chart["namespace"])?;
        let mut release = None;
        for candidate in releases {
            if own(candidate)? == key {
                release = Some(candidate);
            }
        }
        let annotations = &release.ok_or("a release is missing")?["metadata"]["annotations"];
        let text = word(&annotations["armada2flux.dev/gates"])?;
        let gates = annotation::read(text, &key.0.as_str().into())?;
        let found = gates.iter().map(|gate| {
            json!({
                "type": gate.spec.kind.word(),
                "labels": &*gate.spec.selector,
                "required": gate.spec.required,
                "min_ready": gate.spec.min_ready.map(|min_ready| min_ready.to_string()),
                "allow_async_updates": gate.spec.allow_async_updates,
            })
        });
        let found: Value = found.collect();
        let wanted = chart["wait"].as_array().into_iter().flatten().map(|wait| {
            let mut wait = wait.clone();
            if let Some(number) = wait["min_ready"].as_i64() {
                wait["min_ready"] = json!(number.to_string());
            }
            wait
        });
        let wanted: Value = wanted.collect();
        ensure(
            found == wanted,
            format!("{key:?} holds {found}, Armada's list is {wanted}"),
        )?;
        equal += 1;
    }
    Ok(equal)
}

/// The readiness of a HelmRelease in the cluster.
struct Live<'a> {
    object: &'a Value,
    generation: i64,
    observed: i64,
}

impl Live<'_> {
    fn view(&self) -> Value {
        json!({
            "metadata": {
                "annotations": self.object["metadata"]["annotations"],
                "generation": self.generation,
            },
            "status": {
                "observedGeneration": self.observed,
                "lastAttemptedGeneration": self.observed,
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        })
    }
}

fn without_order(release: &Value) -> Value {
    let mut spec = release["spec"].clone();
    if let Some(spec) = spec.as_object_mut() {
        spec.remove("dependsOn");
    }
    spec
}

/// Applies a new tree over a running one and holds back each changed release in turn: once reconciling
/// for ever, once not applied. Nothing that Armada puts after it may start its own change. Returns how
/// many releases change.
fn upgrade(before: &[Value], after: &[Value], wanted: &Order) -> Result<usize> {
    let mut programs = Vec::new();
    let mut keys = Vec::new();
    for release in after {
        keys.push(own(release)?);
        let mut of = Vec::new();
        for (dependency, ready) in dependencies(release)? {
            let program = Program::compile(ready).map_err(|error| format!("{ready}: {error}"))?;
            of.push((dependency, program));
        }
        programs.push(of);
    }
    let place: BTreeMap<&Key, usize> = keys.iter().enumerate().map(|(at, key)| (key, at)).collect();
    let pairs = before.iter().zip(after);
    let changed: Vec<bool> = pairs
        .map(|(old, new)| without_order(old) != without_order(new))
        .collect();
    let held: Vec<Option<usize>> = (0..after.len())
        .filter(|at| changed[*at])
        .map(Some)
        .chain([None])
        .collect();
    for held in held {
        for applied in [true, false] {
            let mut live: Vec<Live<'_>> = before
                .iter()
                .zip(after)
                .enumerate()
                .map(|(at, (old, new))| {
                    let new = if held == Some(at) && !applied {
                        old
                    } else {
                        new
                    };
                    Live {
                        object: new,
                        generation: if old["spec"] == new["spec"] { 1 } else { 2 },
                        observed: 1,
                    }
                })
                .collect();
            // Dependencies come earlier in the tree, so one pass finds all releases that may start.
            for at in (0..after.len()).filter(|at| held != Some(*at)) {
                let free = programs[at].iter().map(|(dependency, program)| {
                    ready(program, &live[at], &live[place[dependency]])
                });
                let free: Vec<bool> = free.collect::<Result<_>>()?;
                if free.into_iter().all(|free| free) {
                    live[at].observed = live[at].generation;
                }
            }
            for (at, live) in live.iter().enumerate() {
                let started = live.observed == live.generation;
                match held {
                    None => ensure(started, format!("{:?} never starts", keys[at]))?,
                    Some(held) if changed[at] && wanted[&keys[at]].contains(&keys[held]) => ensure(
                        !started,
                        format!("{:?} does not wait for {:?}", keys[at], keys[held]),
                    )?,
                    Some(_) => {}
                }
            }
        }
    }
    Ok(changed.iter().filter(|changed| **changed).count())
}

fn ready(program: &Program, own: &Live<'_>, dependency: &Live<'_>) -> Result<bool> {
    let mut context = Context::default();
    for (name, live) in [("self", own), ("dep", dependency)] {
        context
            .add_variable(name, live.view())
            .map_err(|error| error.to_string())?;
    }
    match program.execute(&context) {
        Ok(cel::Value::Bool(ready)) => Ok(ready),
        other => Err(format!("readyExpr gives {other:?}").into()),
    }
}
