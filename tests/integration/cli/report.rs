//! `--report json`: against the published schema, on stdout and in a file, also when it failed.

use std::fs;

use libtest_mimic::Trial;
use serde_json::Value;

use super::super::support::{Result, ensure, root, run};
use super::{Place, named};

pub(super) fn trials() -> Vec<Trial> {
    named(
        "report",
        &[
            ("fits_the_published_schema", schema),
            ("the_same_in_a_file", file),
            ("tells_of_failures", failure),
            ("accounts_for_every_node", nodes),
        ],
    )
}

fn validator() -> Result<jsonschema::Validator> {
    let text = fs::read_to_string(root().join("docs/schema/convert-report.json"))?;
    let schema: Value = serde_json::from_str(&text)?;
    Ok(jsonschema::validator_for(&schema)?)
}

fn valid(report: &Value) -> Result {
    let validator = validator()?;
    let errors: Vec<String> = validator
        .iter_errors(report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    ensure(errors.is_empty(), errors.join("\n"))
}

fn schema() -> Result {
    let place = Place::small()?;
    let ran = run(
        place.dir(),
        &["convert", "armada.yaml", "-o", "out", "--report", "json"],
    )?;
    let report: Value = serde_json::from_str(&ran.expect(0)?.stdout)?;
    valid(&report)?;
    ensure(report["ok"] == true, "not ok")?;
    ensure(
        report["summary"]["releases"] == 3,
        report["summary"].to_string(),
    )?;
    ensure(
        report["releases"][0]["origin"]["file"] == "armada.yaml",
        "no origin",
    )?;
    // A schema that takes everything proves nothing.
    for field in [
        "version",
        "ok",
        "summary",
        "releases",
        "diagnostics",
        "dispositions",
    ] {
        let mut broken = report.clone();
        broken[field] = Value::from("x");
        ensure(
            valid(&broken).is_err(),
            format!("`{field}` may be anything"),
        )?;
        broken.as_object_mut().ok_or("no object")?.remove(field);
        ensure(valid(&broken).is_err(), format!("`{field}` may be absent"))?;
    }
    Ok(())
}

fn file() -> Result {
    let place = Place::small()?;
    let stdout = run(
        place.dir(),
        &[
            "convert",
            "armada.yaml",
            "-o",
            "out",
            "--report",
            "json",
            "--report",
            "json=a.json",
        ],
    )?
    .expect(0)?
    .stdout;
    ensure(place.text("a.json")? == stdout, "another report")?;
    run(
        place.dir(),
        &["convert", "armada.yaml", "--report=json=b.json", "-q"],
    )?
    .expect(0)?;
    ensure(place.text("b.json")? == stdout, "another report")
}

fn failure() -> Result {
    let place = Place::small()?;
    let arguments = [
        "convert",
        "armada.yaml",
        "--target-manifest=x",
        "--report=json=r.json",
    ];
    run(place.dir(), &arguments)?.expect(1)?;
    let report: Value = serde_json::from_str(&place.text("r.json")?)?;
    valid(&report)?;
    ensure(report["ok"] == false, "ok")?;
    ensure(
        report["summary"]["codes"]["manifest-missing"] == 1,
        "no code",
    )?;
    let found = report["diagnostics"].as_array().ok_or("no diagnostics")?;
    let told = found.iter().find(|d| d["code"] == "manifest-missing");
    ensure(
        told.is_some_and(|d| d["severity"] == "error" && d["help"].is_string()),
        format!("{found:?}"),
    )
}

/// No node of the input is without a fate.
fn nodes() -> Result {
    let place = Place::small()?;
    let ran = run(
        place.dir(),
        &["convert", "armada.yaml", "-o", "out", "--report", "json"],
    )?;
    let report: Value = serde_json::from_str(&ran.expect(0)?.stdout)?;
    let rows = report["dispositions"].as_array().ok_or("no dispositions")?;
    let sum: u64 = rows.iter().filter_map(|row| row["nodes"].as_u64()).sum();
    let text = place.text("armada.yaml")?;
    let mut sources = armada2flux::source::Sources::default();
    let id = sources.add("armada.yaml", text.as_str()).ok_or("no room")?;
    let mut diagnostics = armada2flux::diagnostic::Diagnostics::default();
    let tree = armada2flux::yaml::read(id, sources.file(id).text(), &mut diagnostics);
    ensure(
        sum == tree.len() as u64,
        format!("{sum} of {} nodes", tree.len()),
    )
}
