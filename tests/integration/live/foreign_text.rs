//! Text that a cluster holds acts on no terminal, no log and no CI system, whoever wrote it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use armada2flux::rollout::state::{self, Counts, RunState, RunStatus, StageState};
use hyper::Response;
use serde_json::{Value, json};

use super::client::{kubeconfig, tester};
use super::probe_site::{self, ProbeChart};
use super::{Scope, Test, ensure, run_to_end, to_error};
use crate::bed::{Outcome, http};
use crate::cli::typed;
use crate::support::{self, ProgramOutput, expect_inert};

/// A new line with a command, escape sequences, another direction, and characters of no width.
const HOSTILE: &str = "a\n::error::pwned\n##[error]x ##vso[task.complete]\u{1b}[2J\u{7}\u{9b}31m\u{202e}\u{200b}\r\u{e0041}";
/// What is left of it in each output.
const SHOWN: &str = "pwned";

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("foreign_text::a_condition_acts_on_nothing", condition),
        Test::shared("foreign_text::a_lock_and_a_state_act_on_nothing", lock),
        Test::shared("foreign_text::an_answer_acts_on_nothing", answer),
        Test::shared("foreign_text::a_plugin_acts_on_nothing", plugin),
        Test::shared("foreign_text::a_plugin_asks_on_a_terminal", question),
    ]
}

/// Runs the program in a folder of the test; its streams are inert.
fn run(scope: &Scope<'_>, kubeconfig: &Path, arguments: &[&str]) -> Outcome<ProgramOutput> {
    let folder = scope.bed.path().join(format!("{}-run", scope.namespace));
    fs::create_dir_all(&folder)?;
    let mut command = support::program();
    command.current_dir(folder).args(arguments);
    command.arg("--kubeconfig").arg(kubeconfig);
    let ran = run_to_end(&mut command)?;
    for text in [&ran.stdout, &ran.stderr] {
        expect_inert(text).map_err(to_error)?;
    }
    Ok(ran)
}

/// A tree with one release of a chart that never renders: Helm's error is its message.
fn tree(scope: &Scope<'_>) -> Outcome<PathBuf> {
    let chart = scope.bed.path().join(format!("{}-chart", scope.namespace));
    fs::create_dir_all(chart.join("probe/templates"))?;
    fs::write(
        chart.join("probe/Chart.yaml"),
        "{apiVersion: v2, name: probe, version: 0.1.0}\n",
    )?;
    fs::write(
        chart.join("probe/templates/refuse.yaml"),
        format!("{{{{ fail {} }}}}\n", Value::from(HOSTILE)),
    )?;
    let commit = scope.bed.git.commit(&scope.namespace, &chart, "Refuse")?;
    let chart = ProbeChart {
        release: "sick",
        fields: "  test: {enabled: false}",
        values: "",
    };
    let text = probe_site::manifest(scope, &commit, &[chart]);
    let (tree, _) = probe_site::convert(scope, &text, "foreign", &[])?;
    Ok(tree)
}

fn condition(scope: &Scope<'_>) -> Outcome {
    let tree = tree(scope)?.display().to_string();
    let here = ["--state-namespace", &scope.namespace];
    let apply = [
        "apply",
        &tree,
        "--yes",
        "-v",
        "--stage-timeout=12s",
        "--journal=run.journal",
        "--events=events",
        "--report=text",
        "--report=markdown=report.md",
        "--report=json=report.json",
    ];
    let kubeconfig = &scope.bed.kubeconfig;
    let ran = run(scope, kubeconfig, &[&apply[..], &here].concat())?;
    ensure(ran.code == Some(3), || {
        format!("{:?} {}", ran.code, ran.stderr)
    })?;
    let live = scope.bed.get(&probe_site::path(scope, "sick"))?;
    let (_, message) =
        probe_site::condition(&live.unwrap_or_default(), "Ready").ok_or("no condition")?;
    ensure(message.contains(HOSTILE), || {
        format!("Helm does not quote it: {message:?}")
    })?;
    let mut texts = vec![("stdout", ran.stdout), ("stderr", ran.stderr)];
    let folder = scope.bed.path().join(format!("{}-run", scope.namespace));
    for file in ["events", "report.md", "report.json"] {
        texts.push((file, fs::read_to_string(folder.join(file))?));
    }
    for format in ["text", "json"] {
        let status = [
            "status",
            "--site",
            &scope.namespace,
            "-v",
            "--report",
            format,
        ];
        let journal = ["--journal", "run.journal"];
        let ran = run(scope, kubeconfig, &[&status[..], &journal, &here].concat())?;
        texts.push((format, ran.stdout));
    }
    let diff = run(scope, kubeconfig, &["diff", &tree, "-v"])?;
    ensure(diff.code == Some(0), || diff.stderr.clone())?;
    for (name, text) in &texts {
        expect_inert(text).map_err(to_error)?;
        ensure(text.contains(SHOWN), || {
            format!("{name} does not show the message: {text}")
        })?;
    }
    Ok(())
}

fn lock(scope: &Scope<'_>) -> Outcome {
    let counts = Counts {
        all: 1,
        failed: 1,
        ..Counts::default()
    };
    let site = scope.namespace.as_str();
    let state = RunState {
        version: state::VERSION,
        site: site.into(),
        run: HOSTILE.into(),
        rollout: HOSTILE.into(),
        program: HOSTILE.into(),
        holder: HOSTILE.into(),
        started: HOSTILE.into(),
        updated: HOSTILE.into(),
        end: None,
        total: counts,
        stages: vec![StageState {
            number: 1,
            name: HOSTILE.into(),
            state: RunStatus::Failed,
            objects: counts,
            steps: Vec::new(),
        }],
        left_out: 0,
    };
    let cluster = tester(scope)?;
    let object = state.object(site);
    scope.bed.block_on(cluster.apply(&object, None, true))?;
    let name = state::name(site);
    scope
        .bed
        .block_on(cluster.take_lease(site, &name, HOSTILE, 600, |_| false))?;

    let kubeconfig = &scope.bed.kubeconfig;
    for format in ["text", "json"] {
        let status = ["status", "--site", site, "--state-namespace", site];
        let ran = run(
            scope,
            kubeconfig,
            &[&status[..], &["--report", format]].concat(),
        )?;
        ensure(ran.code == Some(0), || ran.stderr.clone())?;
        // The run, its times, the stage and the holder.
        ensure(ran.stdout.matches(SHOWN).count() >= 5, || {
            ran.stdout.clone()
        })?;
    }
    // In JSON the text is as it was.
    let status = ["status", "--site", site, "--state-namespace", site];
    let ran = run(
        scope,
        kubeconfig,
        &[&status[..], &["--report", "json"]].concat(),
    )?;
    let report: Value = serde_json::from_str(&ran.stdout)?;
    let shown = &report["sites"][0];
    for text in [&shown["lock"]["holder"], &shown["run"]["stages"][0]["name"]] {
        ensure(*text == HOSTILE, || text.to_string())?;
    }
    let tree = tree(scope)?.display().to_string();
    let apply = ["apply", &tree, "--yes", "--state-namespace", site];
    let ran = run(scope, kubeconfig, &apply)?;
    ensure(ran.code == Some(4) && ran.stderr.contains(SHOWN), || {
        format!("{:?} {}", ran.code, ran.stderr)
    })
}

/// A server that refuses everything in these words.
fn answer(scope: &Scope<'_>) -> Outcome {
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403,
        "reason": HOSTILE, "message": HOSTILE,
    });
    let address = scope.bed.serve(move |_| {
        let body = http::full(status.to_string());
        let answer = Response::builder()
            .status(403)
            .header("content-type", "application/json")
            .body(body);
        async move { answer.ok() }
    })?;
    let server = json!({"server": format!("https://{address}")});
    let kubeconfig = kubeconfig(scope, "refusing", &json!({"token": "t"}), &server)?;
    let tree = tree(scope)?.display().to_string();
    for arguments in [
        &["status"][..],
        &["diff", &tree],
        &["plan", &tree],
        &["apply", &tree, "--yes"],
    ] {
        let ran = run(scope, &kubeconfig, arguments)?;
        ensure(ran.code == Some(1) && ran.stderr.contains(SHOWN), || {
            format!("{arguments:?}: {:?} {}", ran.code, ran.stderr)
        })?;
    }
    Ok(())
}

/// A kubeconfig with a plugin that gives good credentials after a script.
fn talking(scope: &Scope<'_>, script: &str, mode: &str) -> Outcome<PathBuf> {
    let config: Value = serde_json::from_slice(&fs::read(&scope.bed.kubeconfig)?)?;
    let credential = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"token": config["users"][0]["user"]["token"]},
    });
    let file = |name: &str| {
        let name = format!("{}-{name}", scope.namespace);
        scope.bed.path().join(name)
    };
    fs::write(file("said"), HOSTILE)?;
    fs::write(file("credential"), credential.to_string())?;
    let script = script.replace("SAID", &file("said").display().to_string());
    let script = format!("{script}; cat {}", file("credential").display());
    let user = json!({"exec": {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "/bin/sh", "args": ["-c", script], "interactiveMode": mode,
    }});
    kubeconfig(scope, "talks", &user, &json!({}))
}

/// Without a terminal, nobody hears a plugin.
fn plugin(scope: &Scope<'_>) -> Outcome {
    for mode in ["Never", "IfAvailable", "Always"] {
        let kubeconfig = talking(scope, "cat SAID >&2", mode)?;
        let ran = run(scope, &kubeconfig, &["status", "--site", "none"])?;
        ensure(ran.code == Some(0) && ran.stderr.is_empty(), || {
            format!("{mode}: {:?} {}", ran.code, ran.stderr)
        })?;
    }
    Ok(())
}

/// On a terminal it speaks for itself.
fn question(scope: &Scope<'_>) -> Outcome {
    let script = "printf 'code? ' >&2; read code; [ \"$code\" = 42 ] || exit 1";
    for (mode, asks) in [("IfAvailable", true), ("Never", false)] {
        let kubeconfig = talking(scope, script, mode)?;
        let mut command = support::program();
        command.args(["status", "--site", "none", "--kubeconfig"]);
        command.arg(&kubeconfig);
        let ran = typed(command, "42\n", |command, terminal| {
            if let Ok(input) = terminal.try_clone() {
                command.stdin(input);
            }
            command.stdout(Stdio::null()).stderr(terminal);
        });
        let (text, status) = ran.map_err(to_error)?;
        ensure(
            status.success() == asks && text.contains("code? ") == asks,
            || format!("{mode}: {status} {text}"),
        )?;
    }
    Ok(())
}
