//! Reports of `convert`: JSON by the published schema, text and Markdown, on stdout and in files, also after errors.

use std::fs;

use libtest_mimic::Trial;
use serde_json::Value;

use super::{Workspace, named};
use crate::support::{Result, contains, ensure, expect_schema, lacks, root, run};

pub(super) fn trials() -> Vec<Trial> {
    named(
        "report",
        &[
            ("matches_the_published_schema", schema),
            ("is_the_same_in_a_file", file),
            ("contains_failures", failure),
            ("accounts_for_every_node", nodes),
            ("text_names_every_release_and_decision", text),
            ("markdown_stays_within_its_limit", markdown),
            ("strict_fails_on_losses", strict),
            ("twice_verbose_lists_decisions", verbose),
        ],
    )
}

fn valid(report: &Value) -> Result {
    expect_schema("convert-report.json", report)
}

/// Returns the report of a conversion in JSON.
fn json_report(workspace: &Workspace) -> Result<Value> {
    let arguments = [CONVERT, &["--report", "json"]].concat();
    let ran = run(workspace.dir(), &arguments)?;
    Ok(serde_json::from_str(&ran.expect_code(0)?.stdout)?)
}

fn schema() -> Result {
    let workspace = Workspace::small()?;
    let report = json_report(&workspace)?;
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
    // A schema that accepts everything proves nothing.
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
    let workspace = Workspace::small()?;
    let stdout = run(
        workspace.dir(),
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
    .expect_code(0)?
    .stdout;
    ensure(workspace.text("a.json")? == stdout, "another report")?;
    run(
        workspace.dir(),
        &["convert", "armada.yaml", "--report=json=b.json", "-q"],
    )?
    .expect_code(0)?;
    ensure(workspace.text("b.json")? == stdout, "another report")
}

fn failure() -> Result {
    let workspace = Workspace::small()?;
    let arguments = [
        "convert",
        "armada.yaml",
        "--target-manifest=x",
        "--report=json=r.json",
    ];
    run(workspace.dir(), &arguments)?.expect_code(1)?;
    let report: Value = serde_json::from_str(&workspace.text("r.json")?)?;
    valid(&report)?;
    ensure(report["ok"] == false, "ok")?;
    ensure(
        report["summary"]["codes"]["manifest-missing"] == 1,
        "no code",
    )?;
    let found = report["diagnostics"].as_array().ok_or("no diagnostics")?;
    let missing = found.iter().find(|d| d["code"] == "manifest-missing");
    ensure(
        missing.is_some_and(|d| d["severity"] == "error" && d["help"].is_string()),
        format!("{found:?}"),
    )
}

/// Every node of the input has a disposition.
fn nodes() -> Result {
    let workspace = Workspace::small()?;
    let report = json_report(&workspace)?;
    let rows = report["dispositions"].as_array().ok_or("no dispositions")?;
    let sum: u64 = rows.iter().filter_map(|row| row["nodes"].as_u64()).sum();
    let text = workspace.text("armada.yaml")?;
    let mut sources = armada2flux::source::Sources::default();
    let id = sources.add("armada.yaml", text.as_str()).ok_or("no room")?;
    let mut diagnostics = armada2flux::diagnostic::Diagnostics::default();
    let tree = armada2flux::yaml::read(id, sources.file(id).text(), &mut diagnostics);
    ensure(
        sum == tree.len() as u64,
        format!("{sum} of {} nodes", tree.len()),
    )
}

const CONVERT: &[&str] = &["convert", "armada.yaml", "-o", "out"];

fn text() -> Result {
    let workspace = Workspace::small()?;
    let arguments = [CONVERT, &["--report=text", "--report=json=r.json"]].concat();
    let text = run(workspace.dir(), &arguments)?.expect_code(0)?.stdout;
    let report: Value = serde_json::from_str(&workspace.text("r.json")?)?;
    let releases = report["releases"].as_array().ok_or("no releases")?;
    for release in releases {
        let word = |field: &str| release[field].as_str().unwrap_or_default().to_owned();
        contains(
            &text,
            &format!("\n  {}/{}\n", word("namespace"), word("name")),
        )?;
        let line = &release["origin"]["line"];
        contains(
            &text,
            &format!("chart {}, armada.yaml:{line}:", word("chart")),
        )?;
    }
    contains(
        &text,
        &format!(
            "{} of {} releases suspended",
            releases.len(),
            releases.len()
        ),
    )?;
    for row in report["dispositions"].as_array().ok_or("no fields")? {
        contains(&text, row["path"].as_str().ok_or("no path")?)?;
    }
    Ok(())
}

fn markdown() -> Result {
    let workspace = Workspace::small()?;
    let arguments = [
        CONVERT,
        &[
            "--report=markdown=a.md",
            "--report-limit=4000",
            "--report=text",
        ],
    ]
    .concat();
    run(workspace.dir(), &arguments)?.expect_code(0)?;
    let cut = workspace.text("a.md")?;
    ensure(cut.len() <= 4000, format!("{} bytes", cut.len()))?;
    contains(&cut, "Left out to stay below 4000 bytes: ")?;
    run(
        workspace.dir(),
        &[CONVERT, &["--report=markdown=a.md"]].concat(),
    )?
    .expect_code(0)?;
    let whole = workspace.text("a.md")?;
    lacks(&whole, "Left out to stay below")?;
    for text in [&cut, &whole] {
        let (open, closed) = (text.matches("<details>"), text.matches("</details>"));
        ensure(open.count() == closed.count(), text.clone())?;
        ensure(text.starts_with("## armada2flux: site `"), text.clone())?;
    }
    run(workspace.dir(), &[CONVERT, &["--report-limit=3"]].concat())?
        .expect_code(1)?
        .expect_stderr("the summary alone needs up to")?;
    let failed = [CONVERT, &["--target-manifest=x", "--report=markdown=a.md"]].concat();
    run(workspace.dir(), &failed)?.expect_code(1)?;
    contains(&workspace.text("a.md")?, "## armada2flux: not converted")
}

/// A site with losses is written, but refused with `--strict`; `--allow` makes an exception.
fn strict() -> Result {
    let workspace = Workspace::small()?;
    let input = root().join("testdata/diagnostics/pre-delete-not-carried/armada.yaml");
    fs::copy(input, workspace.path("armada.yaml"))?;
    run(workspace.dir(), CONVERT)?.expect_code(0)?;
    fs::remove_dir_all(workspace.path("out"))?;
    run(workspace.dir(), &[CONVERT, &["--strict"]].concat())?
        .expect_code(1)?
        .expect_stderr("error[pre-delete-not-carried]")?;
    ensure(!workspace.path("out").exists(), "a tree was made")?;
    let allowed = [CONVERT, &["--strict", "--allow=pre-delete-not-carried"]].concat();
    run(workspace.dir(), &allowed)?.expect_code(0)?;
    Ok(())
}

fn verbose() -> Result {
    let workspace = Workspace::small()?;
    let once = run(workspace.dir(), &[CONVERT, &["-v"]].concat())?.expect_code(0)?;
    lacks(&once.stderr, "uninstall")?;
    for loud in ["-vv", "-vvv"] {
        run(workspace.dir(), &[CONVERT, &[loud]].concat())?
            .expect_code(0)?
            .expect_stderr("    uninstall ")?;
    }
    Ok(())
}
