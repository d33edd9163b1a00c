//! Compares a converted site with the plan of Armada's handlers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::values::{self, Retyped};
use super::{json, path, tree};
use crate::support::{Result, ensure, run};

/// A Manifest of a site and the expected result.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) file: &'static str,
    pub(super) manifest: &'static str,
    stages: usize,
    releases: usize,
}

pub(super) const SITES: &[Site] = &[
    Site {
        file: "airskiff",
        manifest: "full-site",
        stages: 8,
        releases: 11,
    },
    Site {
        file: "airskiff",
        manifest: "cluster-bootstrap",
        stages: 6,
        releases: 11,
    },
    Site {
        file: "seaworthy",
        manifest: "full-site",
        stages: 40,
        releases: 69,
    },
    Site {
        file: "seaworthy",
        manifest: "cluster-bootstrap",
        stages: 18,
        releases: 32,
    },
];

/// Namespace and name.
type Key = (String, String);

pub(super) fn check(site: &Site) -> Result {
    let Site {
        file,
        manifest,
        stages,
        releases,
    } = site;
    let place = tempfile::tempdir()?;
    let input = path(&format!("airship/{file}.yaml"))?;
    let arguments = [
        "convert",
        &input,
        "--target-manifest",
        manifest,
        "-o",
        "out",
        "-q",
    ];
    run(place.path(), &arguments)?.expect_code(0)?;
    let objects = tree::read(&place.path().join("out"))?;
    let written: Vec<&Value> = objects
        .iter()
        .filter(|o| o["kind"] == "HelmRelease")
        .collect();
    let plan = |mode: &str| json(&format!("airship/{file}.{manifest}.{mode}.plan.json"));
    let (install, upgrade) = (plan("install")?, plan("upgrade")?);
    let charts = list(&install, "charts")?;
    let upgrades = list(&upgrade, "charts")?;
    let groups = list(&install, "groups")?;

    ensure(
        written.len() == *releases,
        format!("{} releases", written.len()),
    )?;
    ensure(charts.len() == *releases, "the plan has other releases")?;
    ensure(groups.len() == *stages, "the plan has other groups")?;
    let mut retyped = Retyped::default();
    for ((release, install), upgrade) in written.iter().zip(charts).zip(upgrades) {
        let name = text(&install["release"])?;
        ensure(upgrade["release"] == install["release"], "the plans differ")?;
        check_release(release, install, upgrade).map_err(|error| about(name, &error))?;
        let empty = Value::Object(serde_json::Map::new());
        let found = release["spec"].get("values").unwrap_or(&empty);
        values::check(&install["values"], found, &mut retyped)
            .map_err(|error| about(name, &error))?;
    }
    values::check_retyped(&retyped)?;
    check_order(&written, groups, charts)
}

fn about(name: &str, error: &libtest_mimic::Failed) -> String {
    format!("{name}: {}", error.message().unwrap_or_default())
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value]> {
    let list = value[key].as_array().ok_or_else(|| format!("no `{key}`"))?;
    Ok(list)
}

fn text(value: &Value) -> Result<&str> {
    Ok(value
        .as_str()
        .ok_or_else(|| format!("{value} is no string"))?)
}

/// Parses a duration of Flux into seconds.
fn seconds(value: &Value) -> Result<i64> {
    let text = text(value)?;
    let unit = text.char_indices().next_back().map_or(0, |(at, _)| at);
    let number: i64 = text[..unit].parse()?;
    match &text[unit..] {
        "s" => Ok(number),
        "m" => Ok(number * 60),
        "h" => Ok(number * 3600),
        other => Err(format!("unit `{other}`").into()),
    }
}

fn same(what: &str, found: &Value, wanted: &Value) -> Result {
    ensure(
        found == wanted,
        format!("{what} is {found}, Armada's is {wanted}"),
    )
}

fn check_release(release: &Value, install: &Value, upgrade: &Value) -> Result {
    let spec = &release["spec"];
    let switch = |value: &Value| Value::from(value.as_bool().unwrap_or(false));
    let limit = |value: &Value| seconds(value).map(Value::from);
    same("name", &release["metadata"]["name"], &install["release"])?;
    same("releaseName", &spec["releaseName"], &install["release"])?;
    same(
        "namespace",
        &release["metadata"]["namespace"],
        &install["namespace"],
    )?;
    for absent in ["targetNamespace", "storageNamespace"] {
        ensure(spec.get(absent).is_none(), format!("{absent} is set"))?;
    }
    same(
        "timeout",
        &limit(&spec["timeout"])?,
        &install["wait_timeout"],
    )?;
    for (action, plan) in [("install", install), ("upgrade", upgrade)] {
        let waits = Value::from(!spec[action]["disableWait"].as_bool().unwrap_or(false));
        same(&format!("{action}: wait"), &waits, &plan["helm_wait"])?;
        // Armada never passes `--wait-for-jobs`.
        let jobs = !waits.as_bool().unwrap_or(false) || spec[action]["disableWaitForJobs"] == true;
        ensure(jobs, format!("{action} waits for Jobs"))?;
        let hooks = switch(&spec[action]["disableHooks"]);
        same(
            &format!("{action}: no hooks"),
            &hooks,
            &switch(&plan["no_hooks"]),
        )?;
        let force = switch(&spec[action]["force"]);
        same(&format!("{action}: force"), &force, &switch(&plan["force"]))?;
        let tests = switch(&plan["test"]);
        same("tests", &switch(&spec["test"]["enable"]), &tests)?;
        if tests == true {
            same(
                "test timeout",
                &limit(&spec["test"]["timeout"])?,
                &plan["test_timeout"],
            )?;
        }
    }
    ensure(spec["suspend"] == true, "written running")
}

fn key(release: &Value) -> Result<Key> {
    let metadata = &release["metadata"];
    Ok((
        text(&metadata["namespace"])?.to_owned(),
        text(&metadata["name"])?.to_owned(),
    ))
}

/// The closure of `dependsOn` is Armada's order: groups one after another, charts of a sequenced group too.
fn check_order(written: &[&Value], groups: &[Value], charts: &[Value]) -> Result {
    let mut wanted: BTreeMap<Key, BTreeSet<Key>> = BTreeMap::new();
    let mut before: BTreeSet<Key> = BTreeSet::new();
    let mut stages: BTreeMap<Key, usize> = BTreeMap::new();
    for (stage, group) in groups.iter().enumerate() {
        let members = charts
            .iter()
            .filter(|chart| chart["group"] == group["name"]);
        let mut step = BTreeSet::new();
        for chart in members {
            let key = (
                text(&chart["namespace"])?.to_owned(),
                text(&chart["release"])?.to_owned(),
            );
            stages.insert(key.clone(), stage + 1);
            wanted.insert(key.clone(), before.clone());
            step.insert(key);
            if group["sequenced"] == true {
                before.append(&mut step);
            }
        }
        before.append(&mut step);
    }
    let mut closures: BTreeMap<Key, BTreeSet<Key>> = BTreeMap::new();
    for release in written {
        let mut closure = BTreeSet::new();
        let own = key(release)?;
        for dependency in release["spec"]["dependsOn"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let other = (
                text(&dependency["namespace"])?.to_owned(),
                text(&dependency["name"])?.to_owned(),
            );
            let further = closures.get(&other);
            let further = further.ok_or_else(|| format!("{own:?} depends on a later {other:?}"))?;
            closure.extend(further.iter().cloned());
            closure.insert(other);
        }
        ensure(
            wanted.get(&own) == Some(&closure),
            format!(
                "{own:?} comes after {closure:?}, Armada's after {:?}",
                wanted.get(&own)
            ),
        )?;
        let stage = &release["metadata"]["annotations"]["armada2flux.dev/stage"];
        same("stage", stage, &Value::from(stages[&own].to_string()))?;
        closures.insert(own, closure);
    }
    Ok(())
}
