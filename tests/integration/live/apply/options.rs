//! Options of a run: stages, time limits, reports and events.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use super::map_site::{self, GATED, MapRelease};
use super::running::Running;
use super::{Scope, Test, apply, command, ended, ensure, expect_schema, to_error};
use crate::bed::Outcome;
use crate::cli::on_terminal;
use crate::live::probe_site::{path, revision};

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("apply::runs_only_the_chosen_stages", parts),
        Test::shared("apply::stops_at_the_stage_timeout", too_long),
        Test::shared("apply::draws_a_table_on_a_terminal", table),
    ]
}

/// A site of three stages.
fn three(scope: &Scope<'_>, name: &str, words: [&str; 3]) -> Outcome<PathBuf> {
    let [first, second, third] = words;
    let groups: [&[MapRelease<'_>]; 3] = [
        &[MapRelease::new("first", first)],
        &[MapRelease::new("second", second)],
        &[MapRelease::new("third", third)],
    ];
    map_site::tree(scope, name, &groups)
}

/// Checks the revisions of the three releases; 0 is one that does not exist.
fn revisions(scope: &Scope<'_>) -> Outcome<[u64; 3]> {
    let mut found = [0; 3];
    for (at, release) in ["first", "second", "third"].into_iter().enumerate() {
        let object = scope.bed.get(&path(scope, release))?;
        found[at] = object.as_ref().map_or(0, revision);
    }
    Ok(found)
}

fn expect(scope: &Scope<'_>, wanted: [u64; 3]) -> Outcome {
    let found = revisions(scope)?;
    ensure(found == wanted, || {
        format!("{found:?} instead of {wanted:?}")
    })
}

fn report(file: &Path) -> Outcome<Value> {
    let report = serde_json::from_str(&fs::read_to_string(file)?)?;
    expect_schema("apply-report.json", &report)?;
    Ok(report)
}

fn parts(scope: &Scope<'_>) -> Outcome {
    let kubeconfig = &scope.bed.kubeconfig;
    let file = |name: &str| scope.bed.path().join(format!("{}-{name}", scope.namespace));
    let (json, events, markdown) = (file("report.json"), file("events"), file("report.md"));
    let json_option = format!("--report=json={}", json.display());
    let one = three(scope, "one", ["a", "a", "a"])?;
    let run = |tree: &Path, code: i32, arguments: &[&str]| -> Outcome<String> {
        let ran = apply(scope, kubeconfig, tree, arguments)?;
        ended(&ran, code)?;
        Ok(format!("{}{}", ran.stdout, ran.stderr))
    };

    let said = run(&one, 0, &["--dry-run"])?;
    ensure(said.contains("grain-third"), || said.clone())?;
    expect(scope, [0, 0, 0])?;
    ensure(!file("journal").exists(), || {
        "a dry run has a journal".to_owned()
    })?;

    // By the name of its group.
    run(&one, 0, &["--pause-after=firsts", &json_option])?;
    expect(scope, [1, 0, 0])?;
    let paused = report(&json)?;
    ensure(
        paused["outcome"] == "paused"
            && paused["resume"]
                .as_str()
                .is_some_and(|text| text.contains("--resume")),
        || paused.to_string(),
    )?;
    let said = run(&one, 4, &[])?;
    ensure(said.contains("--resume"), || said.clone())?;
    let events_option = format!("--events={}", events.display());
    let markdown_option = format!("--report=markdown={}", markdown.display());
    let arguments = ["--resume", &json_option, &events_option, &markdown_option];
    run(&one, 0, &arguments)?;
    expect(scope, [1, 1, 1])?;
    let whole = report(&json)?;
    ensure(
        whole["outcome"] == "complete"
            && whole["resumed"] == true
            && whole["run"] == paused["run"]
            && whole["summary"]["applied"] == 2
            && whole["summary"]["unchanged"] == 2
            && whole["resume"].is_null(),
        || whole.to_string(),
    )?;
    let text = fs::read_to_string(&markdown)?;
    ensure(text.contains("grain-third"), || text.clone())?;
    told_of(&fs::read_to_string(&events)?)?;

    // Stages that are left out must equal the input.
    let two = three(scope, "two", ["b", "b", "a"])?;
    for option in ["--only-stage=2", "--from-stage=seconds"] {
        let journal = format!("--journal={}", file(&option[2..6]).display());
        let said = run(&two, 3, &[option, &journal])?;
        ensure(
            said.contains("grain-first") && said.contains("it differs from the input"),
            || said.clone(),
        )?;
    }
    expect(scope, [1, 1, 1])?;
    let three_stages = three(scope, "three", ["a", "b", "b"])?;
    run(&three_stages, 0, &["--only-stage=2"])?;
    expect(scope, [1, 2, 1])?;
    run(&three_stages, 0, &["--from-stage=2"])?;
    expect(scope, [1, 2, 2])
}

/// Checks the events of a resumed run: each matches the schema, and they are in order.
fn told_of(events: &str) -> Outcome {
    let mut stages = Vec::new();
    let mut finished = Vec::new();
    let mut last = Value::Null;
    for line in events.lines() {
        let event: Value = serde_json::from_str(line)?;
        expect_schema("apply-events.json", &event)?;
        if event["event"] == "stage-started" {
            stages.push(event["stage"].as_u64().unwrap_or_default());
        }
        if event["state"] == "finished" && event["kind"] == "HelmRelease" {
            finished.push((
                event["name"].as_str().unwrap_or_default().to_owned(),
                event["outcome"].as_str().unwrap_or_default().to_owned(),
            ));
        }
        last = event;
    }
    let wanted = [
        ("grain-first", "unchanged"),
        ("grain-second", "applied"),
        ("grain-third", "applied"),
    ];
    let finished: Vec<_> = finished
        .iter()
        .map(|(name, outcome)| (name.as_str(), outcome.as_str()))
        .collect();
    ensure(
        stages == [0, 1, 2, 3]
            && finished == wanted
            && last["event"] == "run-ended"
            && last["outcome"] == "complete",
        || events.to_owned(),
    )
}

fn too_long(scope: &Scope<'_>) -> Outcome {
    let gated = MapRelease {
        wait: GATED,
        ..MapRelease::new("first", "a")
    };
    let tree = map_site::tree(scope, "one", &[&[gated], &[MapRelease::new("second", "a")]])?;
    let kubeconfig = &scope.bed.kubeconfig;
    let run = Running::start(scope, kubeconfig, &tree, &["--stage-timeout=5s"])?;
    let said = run.end(3)?;
    ensure(
        said.contains("grain-first") && said.contains("not ready after"),
        || said.clone(),
    )?;
    expect(scope, [revisions(scope)?[0], 0, 0])?;
    map_site::open_gate(scope)?;
    ended(&apply(scope, kubeconfig, &tree, &["--resume"])?, 0)?;
    expect(scope, [1, 1, 0])
}

fn table(scope: &Scope<'_>) -> Outcome {
    let tree = three(scope, "one", ["a", "a", "a"])?;
    let mut command = command(scope, &scope.bed.kubeconfig, &tree, &["--color=always"]);
    command.env("TERM", "xterm");
    let text = on_terminal(command, |command, terminal| {
        command.stdout(Stdio::null()).stderr(terminal);
    })
    .map_err(to_error)?;
    for wanted in [
        // The table is erased before it is drawn again.
        "\u{1b}[J",
        "stage 1 firsts: 0 of 1",
        "HelmRelease",
        "grain-third: \u{1b}[32mapplied\u{1b}[0m",
        "stage 3 thirds: \u{1b}[32mdone\u{1b}[0m",
    ] {
        ensure(text.contains(wanted), || {
            format!("`{wanted:?}` is not in {text:?}")
        })?;
    }
    Ok(())
}
