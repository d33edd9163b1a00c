//! Recorded answers of single functions of Armada, and the proofs that name them and others.

use std::collections::BTreeSet;

use armada2flux::armada::proof::{self, Proof};
use serde_json::Value;

use super::{chart, says, site};
use crate::shared;
use crate::support::{Result, contains, ensure, root};

/// Recorded answers of single functions of Armada.
fn functions() -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(root().join("testdata/armada.json"))?;
    let cases: Vec<Value> = serde_json::from_str(&text)?;
    Ok(cases)
}

pub(super) fn recorded() -> Result {
    for case in functions()? {
        let word = |field: &str| case[field].as_str().unwrap_or("").to_owned();
        settle(&word("name"), &word("data"), &case["answer"])
            .map_err(|error| format!("{}: {}", word("name"), error.message().unwrap_or("")))?;
    }
    Ok(())
}

/// Compares what the program says of a chart with what Armada's function did with it.
fn settle(name: &str, data: &str, answer: &Value) -> Result {
    let body: String = data.lines().map(|line| format!("  {line}\n")).collect();
    let failed = answer["error"].is_string();
    let calls = answer["calls"].to_string();
    let v2 = name.ends_with("-v2") || name == "values-share-a-wait-of-a-mapping";
    let text = match v2 {
        true => site(&body)
            .replace("  chart_name: web\n", "")
            .replace("armada/Chart/v1", "armada/Chart/v2"),
        false => site(&body),
    };
    let kind = name.split('-').next().unwrap_or("");
    match kind {
        "download" if name.ends_with("in-dependency") => {
            let text = format!("{}{}", site("  dependencies: [lib]\n"), chart("lib", &body));
            contains(
                &says(&["validate"], &text, 1)?,
                "error[deploy-fault]: chart `lib`",
            )
        }
        "download" => {
            let said = says(&["convert"], &text, i32::from(failed))?;
            ensure(said.contains("error[deploy-fault]") == failed, said.clone())?;
            let used = calls.contains("proxy.example.org");
            let known = said.contains("[source-secret]") || said.contains("[field-not-carried]");
            ensure(known == used, said)
        }
        "clone" => {
            let said = says(&["convert"], &text, 0)?;
            contains(&said, "[source-secret]")?;
            ensure(
                said.contains("known_hosts") == calls.contains("UserKnownHostsFile=/dev/null"),
                said,
            )
        }
        "values" => {
            let said = says(&["convert"], &text, 0)?;
            let changed = !answer["values"]["ready"][0]["labels"].is_null();
            ensure(said.contains("[value-shared]") == changed, said)
        }
        "label" => {
            let selector = answer["selectors"][0].as_str().unwrap_or("");
            contains(
                &says(&["convert"], &text, 0)?,
                &format!("\"labels\":\"{selector}\""),
            )
        }
        "limit" => {
            contains(&calls, "\"--timeout\",\"300s\"")?;
            contains(&says(&["convert"], &text, 0)?, "timeout: \"5m\"\n  suspend")
        }
        "test" => {
            let said = says(&["validate"], &text, i32::from(failed))?;
            ensure(said.contains("error[deploy-fault]") == failed, said)
        }
        "delete" => {
            ensure(failed, "an uninstall without time fails")?;
            contains(&says(&["validate"], &text, 0)?, "warning[deploy-fault]")
        }
        "pre" if name == "pre-update-daemonset" => {
            contains(&calls, "delete_daemon_action")?;
            contains(&says(&["convert"], &text, 0)?, "[field-not-carried]")
        }
        "pre" => {
            let said = says(&["convert"], &text, 0)?;
            let mut lines = said.lines();
            let kept = lines.find(|line| line.contains("armada2flux.dev/pre-delete"));
            for (action, kind) in [
                ("delete_job_action", "job"),
                ("delete_cron_job_action", "cronjob"),
                ("delete_pod_action", "pod"),
            ] {
                let word = format!("\"{kind}\"");
                let deletes = kept.is_some_and(|kept| kept.contains(&word));
                ensure(deletes == calls.contains(action), format!("{kind}: {said}"))?;
            }
            ensure(
                said.contains("[field-ignored]") == calls.contains("LOG.error"),
                said,
            )
        }
        "manifest" => {
            let second = if failed { "site" } else { "other" };
            let manifest = format!(
                "---\nschema: armada/Manifest/v1\nmetadata: {{name: {second}}}\n\
                 data: {{release_prefix: other, chart_groups: [all]}}\n"
            );
            let text = format!("{}{manifest}", site(""));
            let said = says(
                &["validate", "--target-manifest", "site"],
                &text,
                i32::from(failed),
            )?;
            ensure(said.contains("error[manifest-ambiguous]") == failed, said)
        }
        _ => Err(format!("no comparison for {name}").into()),
    }
}

/// Every case that a proof names exists, and every recorded answer of a function proves something or is compared.
pub(super) fn proofs() -> Result {
    let stated = proof::CODES.iter().map(|(_, proofs)| *proofs);
    let stated = stated.chain(proof::FIELDS.iter().map(|(_, _, proofs)| *proofs));
    let functions = functions()?;
    let functions: BTreeSet<&str> = functions
        .iter()
        .filter_map(|case| case["name"].as_str())
        .collect();
    let oracle = shared::folder()
        .map(|shared| shared.join("oracle"))
        .filter(|folder| folder.is_dir());
    let waits = match &oracle {
        Some(oracle) => shared::wait_cases(&oracle.join("waits"))?,
        None => Vec::new(),
    };
    let waits: BTreeSet<&str> = waits
        .iter()
        .filter_map(|case| case["name"].as_str())
        .collect();
    let mut missing: Vec<&&str> = Vec::new();
    for proof in stated.flatten() {
        match (proof, &oracle) {
            (Proof::Functions(names), _) => {
                missing.extend(names.iter().filter(|name| !functions.contains(*name)))
            }
            (Proof::Waits(names), Some(_)) => {
                missing.extend(names.iter().filter(|name| !waits.contains(*name)))
            }
            (Proof::Handlers(names), Some(oracle)) => {
                missing.extend(
                    names
                        .iter()
                        .filter(|name| !oracle.join("cases").join(name).is_dir()),
                );
            }
            (
                Proof::Handlers(_)
                | Proof::Waits(_)
                | Proof::PyYaml(..)
                | Proof::Scalars
                | Proof::Schemas
                | Proof::Plans,
                _,
            ) => {}
        }
    }
    ensure(missing.is_empty(), format!("no such cases: {missing:?}"))
}
