//! Output of `apply` during and after a run: by the published schemas, without secrets, on a terminal as a table.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::probe_site::{self, ProbeChart};
use super::{Scope, Test, ensure, expect_schema, run_to_end, to_error};
use crate::bed::Outcome;
use crate::cli::on_terminal;
use crate::support::{self, ProgramOutput};

/// A value that the API server refuses as a label, so that the message quotes it.
const SECRET: &str = "hunter2!told";

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("apply_output::no_secret_is_printed", secrets),
        Test::shared("apply_output::a_terminal_shows_a_table", terminal),
        Test::shared("apply_output::no_file_is_written_through_a_link", links),
    ]
}

/// Creates a folder for the test, and the tree of these charts.
fn place(scope: &Scope<'_>, charts: &[ProbeChart<'_>]) -> Outcome<(PathBuf, PathBuf)> {
    let commit = probe_site::commit(scope)?;
    let text = probe_site::manifest(scope, &commit, charts);
    let (tree, _) = probe_site::convert(scope, &text, "told", &[])?;
    let folder = scope.bed.path().join(format!("{}-run", scope.namespace));
    fs::create_dir_all(&folder)?;
    Ok((folder, tree))
}

/// The program on the bed.
fn program(scope: &Scope<'_>, folder: &Path, command: &str) -> Command {
    let mut program = support::program();
    program.current_dir(folder).arg(command);
    program.arg("--kubeconfig").arg(&scope.bed.kubeconfig);
    program.args(["--state-namespace", &scope.namespace]);
    program
}

fn run(mut program: Command, arguments: &[&str]) -> Outcome<ProgramOutput> {
    run_to_end(program.args(arguments))
}

fn read(folder: &Path, file: &str) -> Outcome<String> {
    Ok(fs::read_to_string(folder.join(file))?)
}

fn secrets(scope: &Scope<'_>) -> Outcome {
    let charts = [
        ProbeChart {
            release: "calm",
            fields: "  test: {enabled: false}",
            values: "    conf: {password: hunter2-calm}",
        },
        ProbeChart {
            release: "sick",
            fields: "  test: {enabled: false}",
            values: "    labels: {password: 'hunter2!told'}",
        },
        ProbeChart {
            release: "late",
            fields: "  test: {enabled: false}",
            values: "    conf: {}",
        },
    ];
    let (folder, tree) = place(scope, &charts)?;
    let mut apply = program(scope, &folder, "apply");
    apply.arg(&tree);
    let arguments = [
        "--yes",
        "-v",
        "--events",
        "events",
        "--report",
        "json=report.json",
        "--report",
        "markdown=report.md",
        "--report",
        "text",
        "--journal",
        "run.journal",
    ];
    let ran = run(apply, &arguments)?;
    ensure(ran.code == Some(3), || {
        format!("{:?} {}{}", ran.code, ran.stdout, ran.stderr)
    })?;

    let report: Value = serde_json::from_str(&read(&folder, "report.json")?)?;
    expect_schema("apply-report.json", &report)?;
    let outcomes: Vec<&str> = report["stages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|stage| stage["outcome"].as_str())
        .collect();
    ensure(
        outcomes.ends_with(&["done", "failed", "not-started"]),
        || report.to_string(),
    )?;
    let events = read(&folder, "events")?;
    for line in events.lines() {
        expect_schema("apply-events.json", &serde_json::from_str(line)?)?;
    }
    let last = events.lines().last().unwrap_or_default();
    ensure(
        last.contains(r#""event":"run-ended","outcome":"failed""#),
        || events.clone(),
    )?;

    let status = |format: &str| {
        run(
            program(scope, &folder, "status"),
            &["--journal", "run.journal", "--report", format],
        )
    };
    let json = status("json")?;
    let shown: Value = serde_json::from_str(&json.stdout)?;
    expect_schema("status-report.json", &shown)?;
    let sites = shown["sites"].as_array().into_iter().flatten();
    let site = sites
        .clone()
        .find(|site| site["name"] == scope.namespace.as_str());
    let site = site.ok_or_else(|| format!("{} is not in {shown}", scope.namespace))?;
    ensure(
        site["run"]["outcome"] == "failed" && site["run"]["objects"]["failed"] == 1,
        || site.to_string(),
    )?;
    ensure(
        site["journal"]["failures"][0]["stage"] == 2 && site["lock"].is_null(),
        || site.to_string(),
    )?;
    ensure(
        site["run"]["run"] == report["run"] && site["journal"]["run"] == report["run"],
        || site.to_string(),
    )?;

    let maps = format!(
        "/api/v1/namespaces/{}/configmaps/armada2flux-{}",
        scope.namespace, scope.namespace
    );
    let state = scope
        .bed
        .get(&maps)?
        .ok_or("the state is not in the cluster")?;
    let texts = [
        ("stdout", ran.stdout),
        ("stderr", ran.stderr),
        ("report.json", report.to_string()),
        ("report.md", read(&folder, "report.md")?),
        ("events", events),
        ("journal", read(&folder, "run.journal")?),
        ("state", state.to_string()),
        ("status", json.stdout),
        ("status as text", status("text")?.stdout),
    ];
    for (name, text) in &texts {
        ensure(!text.contains("hunter2"), || {
            format!("a secret is in {name}: {text}")
        })?;
        // The refusal that quotes it is in the output. Markdown escapes stars, and a row has only space for its
        // beginning.
        let hidden = text.contains("***") || text.contains(r"\*\*\*");
        ensure(
            hidden || matches!(*name, "state" | "status as text"),
            || format!("{name} does not tell of the failure: {text}"),
        )?;
    }
    let live = scope
        .bed
        .get(&probe_site::path(scope, "sick"))?
        .unwrap_or_default();
    let quoted = live["status"]["conditions"].to_string().contains(SECRET);
    ensure(quoted, || {
        format!("helm does not quote it: {}", live["status"])
    })
}

fn terminal(scope: &Scope<'_>) -> Outcome {
    let chart = ProbeChart {
        release: "calm",
        fields: "  test: {enabled: false}",
        values: "    conf: {}",
    };
    let (folder, tree) = place(scope, &[chart])?;
    let mut apply = program(scope, &folder, "apply");
    apply.arg(&tree).arg("--yes").env("TERM", "xterm");
    let text = on_terminal(apply, |command, terminal| {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(terminal);
    })
    .map_err(to_error)?;
    for part in [
        "stage 1 calm: 0 of 1, ",
        "\u{1b}[1A\u{1b}[J",
        "grain-calm: \u{1b}[32mapplied\u{1b}[0m, ",
        "stage 1 calm: \u{1b}[32mdone\u{1b}[0m after ",
    ] {
        ensure(text.contains(part), || {
            format!("{part:?} is not in {text:?}")
        })?;
    }
    // At the end the terminal has no table.
    let rest = text.rsplit("\u{1b}[J").next().unwrap_or_default();
    ensure(!rest.contains(" of 1, "), || text.clone())
}

/// Refused before the run starts: no journal, no write to the cluster.
fn links(scope: &Scope<'_>) -> Outcome {
    let chart = ProbeChart {
        release: "calm",
        fields: "  test: {enabled: false}",
        values: "    conf: {}",
    };
    let (folder, tree) = place(scope, &[chart])?;
    fs::write(folder.join("target"), "mine")?;
    std::os::unix::fs::symlink("target", folder.join("link"))?;
    std::os::unix::fs::symlink("target", folder.join("late"))?;
    let apply = |arguments: &[&str]| {
        let mut apply = program(scope, &folder, "apply");
        apply.arg(&tree).args(["--yes", "--journal", "run.journal"]);
        run(apply, arguments)
    };
    for arguments in [
        ["--events", "link"],
        ["--report", "json=link"],
        ["--report", "markdown=link"],
        ["--events", "no/folder"],
        ["--report", "text=no/folder"],
    ] {
        let ran = apply(&arguments)?;
        let mine = read(&folder, "target")?;
        ensure(ran.code == Some(1) && mine == "mine", || {
            format!("{arguments:?}: {:?} {mine} {}", ran.code, ran.stderr)
        })?;
        let live = scope.bed.get(&probe_site::path(scope, "calm"))?;
        ensure(
            live.is_none() && !folder.join("run.journal").exists(),
            || format!("{arguments:?}: the run was started"),
        )?;
    }
    // A file of events has one reader, and grows.
    for lines in [6, 12] {
        let ran = apply(&["--events", "events"])?;
        ensure(ran.code == Some(0), || ran.stderr.clone())?;
        let mode = fs::metadata(folder.join("events"))?.permissions().mode() & 0o777;
        let events = read(&folder, "events")?;
        ensure(mode == 0o600 && events.lines().count() >= lines, || {
            format!("{mode:o} {events}")
        })?;
    }
    Ok(())
}
