//! The chart sources of real sites: every source has an object or a rule to fill in, and archives
//! have the same names as in trees that people wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::site::Site;
use super::{json, path, tree};
use crate::shared;
use crate::support::{Result, contains, ensure, run};

/// Converts a site without a source map, with the map of `init`, and with that map filled in.
pub(super) fn check(site: &Site) -> Result {
    let place = tempfile::tempdir()?;
    let input = path(&format!("airship/{}.yaml", site.file))?;
    let target = format!("--target-manifest={}", site.manifest);
    let map = run(place.path(), &["source-map", "init", &input, &target])?.expect_code(0)?;
    let convert = |out: &str, more: &[&str]| {
        let mut arguments = vec!["convert", &input, &target, "-q", "-o", out];
        arguments.extend(more);
        run(place.path(), &arguments)?.expect_code(0)?;
        tree::read(&place.path().join(out))
    };
    let unresolved = resolved(&convert("before", &[])?)?;
    for location in &unresolved {
        contains(&map.stdout, &format!("    location: {location}\n"))?;
    }
    let filled = map
        .stdout
        .replace("url: FILL-IN", "url: https://filled.example.org/charts.git")
        .replace(
            "commit: FILL-IN",
            "commit: 0123456789abcdef0123456789abcdef01234567",
        );
    fs::write(place.path().join("map.yaml"), filled)?;
    let strict = [
        "--source-map=map.yaml",
        "--deny=source-unresolved",
        "--deny=source-rule-unused",
        "--deny=source-moving",
        "--deny=dependency-not-carried",
    ];
    let objects = convert("after", &strict)?;
    ensure(resolved(&objects)?.is_empty(), "still unresolved")?;
    dependencies(site, &objects)
}

/// Checks that every reference to a source has its object; returns the locations that Flux cannot read.
fn resolved(objects: &[Value]) -> Result<BTreeSet<String>> {
    let there = |kind: &str, namespace: &Value, name: &Value| {
        objects.iter().any(|object| {
            let metadata = &object["metadata"];
            object["kind"] == kind
                && metadata["namespace"] == *namespace
                && metadata["name"] == *name
        })
    };
    let mut unresolved = BTreeSet::new();
    for object in objects {
        let metadata = &object["metadata"];
        if object["kind"] == "HelmRelease" {
            let source = &object["spec"]["chart"]["spec"]["sourceRef"];
            let kind = source["kind"].as_str().unwrap_or_default();
            let there = there(kind, &source["namespace"], &source["name"]);
            let annotation = &metadata["annotations"]["armada2flux.dev/unresolved-source"];
            ensure(
                there != annotation.is_string(),
                format!("{}: source {source}, {annotation}", metadata["name"]),
            )?;
            unresolved.extend(annotation.as_str().map(str::to_owned));
        }
        for include in object["spec"]["include"].as_array().into_iter().flatten() {
            let name = &include["repository"]["name"];
            let there = there("GitRepository", &metadata["namespace"], name);
            ensure(there, format!("{}: include {include}", metadata["name"]))?;
        }
    }
    Ok(unresolved)
}

/// Checks that every dependency that Armada adds to a chart is included below that chart.
fn dependencies(site: &Site, objects: &[Value]) -> Result {
    let plan = json(&format!(
        "airship/{}.{}.install.plan.json",
        site.file, site.manifest
    ))?;
    let plan = plan["charts"].as_array().ok_or("no charts")?;
    let mut checked = 0;
    for chart in plan {
        let names = chart["dependencies"].as_array().ok_or("no dependencies")?;
        let of = |object: &&Value| {
            object["kind"] == "HelmRelease" && object["metadata"]["name"] == chart["release"]
        };
        let release = objects.iter().find(of).ok_or("no release")?;
        let template = &release["spec"]["chart"]["spec"];
        let source = &template["sourceRef"]["name"];
        let of = |object: &&Value| {
            object["kind"] == "GitRepository" && object["metadata"]["name"] == *source
        };
        let Some(repository) = objects.iter().find(of) else {
            continue;
        };
        let folder = template["chart"].as_str().unwrap_or_default();
        let below = format!("{}/charts/", folder.trim_start_matches("./"));
        let includes = repository["spec"]["include"].as_array();
        let included = includes.into_iter().flatten().filter(|include| {
            let to = include["toPath"].as_str().unwrap_or_default();
            to.strip_prefix(&below)
                .is_some_and(|rest| !rest.contains('/'))
        });
        let found = included.count();
        ensure(
            found == names.len(),
            format!("{}: {found} includes for {names:?}", chart["release"]),
        )?;
        checked += found;
    }
    ensure(checked > 0, "no dependency was looked at")
}

/// Chart and version by release.
type Charts = BTreeMap<String, (String, String)>;

/// The chart for which the hand-written trees use a newer version.
const BUMPED: (&str, &str, &str) = ("cm-cert-manager", "v0.1.0", "v1.7.1");

/// Compares chart name and version of all applications, with and without a rule for the newer one.
pub(super) fn starlingx(apps: &[(&str, usize)]) -> Result {
    let mut by_hand = Charts::new();
    let (mut plain, mut mapped) = (Charts::new(), Charts::new());
    let place = tempfile::tempdir()?;
    fs::write(
        place.path().join("map.yaml"),
        "sources:\n- match: {type: tar, location: <folder...>/<>, chart: cert-manager}\n  \
         HelmRepository: {url: <folder>, version: v1.7.1}\n",
    )?;
    for (app, _) in apps {
        let folder = path(&format!("starlingx/{app}/fluxcd-manifests"))?;
        for file in shared::files(Path::new(&folder), &["yaml"]) {
            if file.ends_with("helmrelease.yaml") {
                by_hand.extend(charts(&tree::documents(&file)?)?);
            }
        }
        let input = path(&format!("starlingx/{app}/armada.yaml"))?;
        run(place.path(), &["convert", &input, "-q", "-o", app])?.expect_code(0)?;
        plain.extend(charts(&tree::read(&place.path().join(app))?)?);
        let out = format!("{app}-mapped");
        let arguments = ["convert", &input, "-q", "-o", &out, "--source-map=map.yaml"];
        run(place.path(), &arguments)?.expect_code(0)?;
        mapped.extend(charts(&tree::read(&place.path().join(out))?)?);
    }
    ensure(by_hand.len() == 10, format!("{by_hand:?}"))?;
    ensure(
        mapped == by_hand,
        format!("{mapped:?} instead of {by_hand:?}"),
    )?;
    let (release, before, after) = BUMPED;
    for (name, (chart, version)) in &by_hand {
        let wanted = if name == release {
            ensure(version == after, format!("{name} is at {version}"))?;
            before
        } else {
            version
        };
        let wanted = (chart.clone(), wanted.to_owned());
        ensure(
            plain.get(name) == Some(&wanted),
            format!("{name}: {:?} instead of {wanted:?}", plain.get(name)),
        )?;
    }
    Ok(())
}

fn charts(objects: &[Value]) -> Result<Charts> {
    let releases = objects
        .iter()
        .filter(|object| object["kind"] == "HelmRelease");
    let text = |value: &Value| -> Result<String> {
        let text = value.as_str().map(str::to_owned);
        Ok(text.ok_or_else(|| format!("{value} is no text"))?)
    };
    releases
        .map(|release| {
            let spec = &release["spec"];
            let chart = &spec["chart"]["spec"];
            let what = (text(&chart["chart"])?, text(&chart["version"])?);
            Ok((text(&spec["releaseName"])?, what))
        })
        .collect()
}
