//! Saves logs, events and objects when a live test fails.

use std::fs;
use std::path::PathBuf;

use super::program::Program;
use super::{Bed, Outcome, target_folder};

/// Writes them into `testbed-failures/<test>` under the target folder and returns that path.
/// Objects of `namespaces` are saved in full, except Secrets: only their names.
pub(crate) fn save(bed: &Bed, test: &str, namespaces: &[String]) -> Outcome<PathBuf> {
    let folder = target_folder().join("testbed-failures").join(test);
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder)?;
    for entry in fs::read_dir(bed.path())? {
        let path = entry?.path();
        let is_log = path
            .extension()
            .is_some_and(|extension| extension == "log" || extension == "jsonl");
        if let (true, Some(name)) = (is_log, path.file_name()) {
            fs::copy(&path, folder.join(name))?;
        }
    }
    // Each request may fail: the API server may have crashed.
    let ask = |file: String, arguments: &[&str]| {
        let text = bed
            .run(Program::Kubectl, arguments)
            .unwrap_or_else(|error| error.to_string());
        fs::write(folder.join(file), text)
    };
    ask(
        "events.txt".to_owned(),
        &[
            "get",
            "events",
            "--all-namespaces",
            "--sort-by=.metadata.creationTimestamp",
        ],
    )?;
    ask(
        "nodes.yaml".to_owned(),
        &["get", "nodes,pv", "--output=yaml"],
    )?;
    ask(
        "sources.yaml".to_owned(),
        &[
            "get",
            "gitrepositories,helmrepositories,helmcharts,kustomizations",
            "--all-namespaces",
            "--output=yaml",
        ],
    )?;
    let kinds = "pods,deployments,replicasets,statefulsets,daemonsets,jobs,services,configmaps,pvc,helmreleases";
    for namespace in namespaces {
        ask(
            format!("{namespace}.yaml"),
            &["get", kinds, "--namespace", namespace, "--output=yaml"],
        )?;
        ask(
            format!("{namespace}-secrets.txt"),
            &["get", "secrets", "--namespace", namespace],
        )?;
    }
    Ok(folder)
}
