//! Trees as inputs and beside each other: empty ones, those of two sites, documents and objects in one place.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use libtest_mimic::Trial;
use serde_json::Value;

use super::{Workspace, named};
use crate::corpus::tree;
use crate::support::{Result, contains, ensure, folders, lacks, read_tree, root, run};

pub(super) fn trials() -> Vec<Trial> {
    named(
        "trees",
        &[
            ("all_is_new_against_nothing", nothing),
            ("sites_share_no_object_but_namespaces", side_by_side),
            ("diff_and_plan_take_what_convert_takes", same_input),
            ("objects_beside_documents_are_named", beside),
            (
                "a_kustomization_that_cannot_be_read_is_named",
                kustomization,
            ),
            ("numbers_agree_with_their_nouns", nouns),
        ],
    )
}

const CONVERT: &[&str] = &["convert", "armada.yaml", "-o", "out", "-q"];

/// Writes a file below a folder.
fn write(folder: &Path, name: &str, text: &str) -> Result {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().ok_or("no folder")?)?;
    Ok(fs::write(path, text)?)
}

/// Returns the summary of a difference.
fn summary(folder: &Path, input: &str, against: &str) -> Result<Value> {
    let arguments = ["diff", input, "--against", against, "--report=json"];
    let ran = run(folder, &arguments)?.expect_code(0)?;
    Ok(serde_json::from_str::<Value>(&ran.stdout)?["summary"].clone())
}

fn nothing() -> Result {
    let workspace = Workspace::small()?;
    run(workspace.dir(), CONVERT)?.expect_code(0)?;
    let whole = summary(workspace.dir(), "out", "out")?;
    let objects = whole["objects"].as_u64().ok_or("no number")?;
    ensure(objects > 0 && whole["created"] == 0, whole.to_string())?;
    fs::create_dir_all(workspace.path("bare"))?;
    fs::create_dir_all(workspace.path("nested/a/b"))?;
    write(workspace.dir(), "hidden/.gitkeep", "")?;
    write(workspace.dir(), "hidden/.git/config", "[core]\n")?;
    write(
        workspace.dir(),
        "listless/kustomization.yaml",
        "resources: []\n",
    )?;
    write(workspace.dir(), "blank.yaml", "---\n# nothing\n")?;
    for empty in ["bare", "nested", "hidden", "listless", "blank.yaml"] {
        for input in ["out", "armada.yaml"] {
            let found = summary(workspace.dir(), input, empty)?;
            ensure(found["created"] == objects, format!("{empty}: {found}"))?;
            let differs = ["diff", input, "--against", empty, "--exit-code"];
            run(workspace.dir(), &differs)?.expect_code(2)?;
        }
    }
    // A folder of something else, and none at all, are no empty trees.
    write(workspace.dir(), "other/README.md", "not here")?;
    for (other, message) in [
        ("other", "the folder `other` has no YAML files"),
        ("nowhere", "cannot read `nowhere`"),
    ] {
        let arguments = ["diff", "out", "--against", other];
        run(workspace.dir(), &arguments)?
            .expect_code(1)?
            .expect_stderr(message)?;
    }
    Ok(())
}

/// The objects of a tree by kind, namespace and name, without those that two sites have in common.
fn objects(folder: &Path) -> Result<BTreeMap<String, Value>> {
    let mut found = BTreeMap::new();
    for object in tree::read(folder)? {
        let kind = object["kind"].as_str().unwrap_or_default();
        let of = &object["metadata"];
        // Releases and their values have the names that Armada gave them; a Secret of a source is still empty.
        let empty = of["annotations"]["armada2flux.dev/keys-to-fill"].is_string();
        if ["Namespace", "HelmRelease", "ConfigMap"].contains(&kind) || kind == "Secret" && !empty {
            continue;
        }
        let key = format!("{kind} {}/{}", of["namespace"], of["name"]);
        ensure(
            found.insert(key.clone(), object.clone()).is_none(),
            format!("{key} is there twice"),
        )?;
    }
    Ok(found)
}

/// Every case is converted for two sites, as two sites with the same sources: no source and no Secret of one is the
/// other's, and each tree names only its own.
fn side_by_side() -> Result {
    let place = tempfile::tempdir()?;
    let mut compared = 0;
    for (name, folder) in folders(&root().join("testdata/cases")) {
        let arguments = fs::read_to_string(folder.join("args"))?;
        let mut lines = arguments.lines();
        let plain = lines.next() == Some("convert") && lines.next() == Some("armada.yaml");
        let code = fs::read_to_string(folder.join("expected.code"))?;
        if !plain || code.trim() != "0" {
            continue;
        }
        let lines = lines.take_while(|line| !["-o", "-v", "--report"].contains(line));
        let more: Vec<&str> = lines.filter(|line| !line.starts_with("--site=")).collect();
        if more.contains(&"--site") {
            continue;
        }
        let mut sites = Vec::new();
        for site in ["lake", "lake-east"] {
            let out = place
                .path()
                .join(format!("{name}-{site}"))
                .display()
                .to_string();
            let fixed = ["convert", "armada.yaml", "-q", "-o", &out, "--site", site];
            run(&folder, &[&fixed[..], &more].concat())?.expect_code(0)?;
            sites.push((site, objects(Path::new(&out))?, read_tree(Path::new(&out))?));
        }
        let [(_, one, _), (_, two, _)] = &sites[..] else {
            return Err("two sites".into());
        };
        let both = one.keys().find(|key| two.contains_key(*key));
        ensure(both.is_none(), format!("{name}: both have {both:?}"))?;
        ensure(one.len() == two.len(), format!("{name}: other objects"))?;
        compared += one.len();
        // What a file names of the sources is of its own site.
        for (site, own, files) in &sites {
            for (file, bytes) in files {
                let text = String::from_utf8_lossy(bytes);
                for named in text
                    .lines()
                    .filter_map(|line| line.trim().strip_prefix("name: "))
                {
                    let foreign = named.contains('.')
                        && named.starts_with("lake")
                        && !named.starts_with(&format!("{site}."));
                    ensure(!foreign, format!("{name}: {file} of {site} names {named}"))?;
                }
            }
            ensure(!own.is_empty() || files.len() > 1, name.clone())?;
        }
    }
    ensure(compared > 40, format!("only {compared} objects"))
}

/// An object of another program beside the documents.
const OBJECT: &str =
    "---\napiVersion: example.org/v1\nkind: Cluster\nmetadata: {name: lab}\nspec: {nodes: 3}\n";

/// What people keep beside the documents: each is an input that `convert` takes.
fn inputs(workspace: &Workspace) -> Result<Vec<&'static str>> {
    let documents = workspace.text("armada.yaml")?;
    write(
        workspace.dir(),
        "mixed.yaml",
        &format!("{documents}{OBJECT}"),
    )?;
    write(
        workspace.dir(),
        "before.yaml",
        &format!("{OBJECT}{documents}"),
    )?;
    write(
        workspace.dir(),
        "text.yaml",
        &format!("{documents}---\na: b\n---\n- c\n"),
    )?;
    for folder in ["folder", "listed", "built"] {
        write(
            workspace.dir(),
            &format!("{folder}/site/armada.yaml"),
            &documents,
        )?;
        write(workspace.dir(), &format!("{folder}/cluster.yaml"), OBJECT)?;
    }
    // Kustomizations that list a part, or do more than list.
    write(
        workspace.dir(),
        "listed/kustomization.yaml",
        "resources: [cluster.yaml]\n",
    )?;
    write(
        workspace.dir(),
        "built/kustomization.yaml",
        "namePrefix: x-\nresources: [cluster.yaml]\n",
    )?;
    Ok(vec![
        "armada.yaml",
        "mixed.yaml",
        "before.yaml",
        "text.yaml",
        "folder",
        "listed",
        "built",
    ])
}

fn same_input() -> Result {
    let workspace = Workspace::small()?;
    run(workspace.dir(), CONVERT)?.expect_code(0)?;
    let graph = run(workspace.dir(), &["plan", "armada.yaml", "--graph", "text"])?;
    let graph = graph.expect_code(0)?.stdout;
    for input in inputs(&workspace)? {
        let convert = ["convert", input, "-o", "again", "-q"];
        run(workspace.dir(), &convert)?.expect_code(0)?;
        let diff = ["diff", input, "--against", "again", "--exit-code"];
        let ran = run(workspace.dir(), &diff)?.expect_code(0)?;
        contains(&ran.stdout, " unchanged")?;
        let plan = ["plan", input, "--graph", "text"];
        let drawn = run(workspace.dir(), &plan)?.expect_code(0)?.stdout;
        ensure(drawn == graph, format!("{input} gives\n{drawn}"))?;
        fs::remove_dir_all(workspace.path("again"))?;
    }
    // A tree with a Kustomization stays a tree.
    let diff = ["diff", "out", "--against", "out", "--exit-code"];
    run(workspace.dir(), &diff)?.expect_code(0).map(drop)
}

fn beside() -> Result {
    let workspace = Workspace::small()?;
    inputs(&workspace)?;
    for (input, skipped) in [
        ("mixed.yaml", true),
        ("folder", true),
        ("armada.yaml", false),
    ] {
        let plan = ["plan", input, "--graph", "text"];
        let ran = run(workspace.dir(), &plan)?.expect_code(0)?;
        let line = "skipped: 1 Kubernetes object beside the Armada documents, as `convert` does";
        ensure(
            ran.stderr.contains(line) == skipped,
            format!("{input}: {}", ran.stderr),
        )?;
        let quiet = run(workspace.dir(), &[&plan[..], &["-q"]].concat())?.expect_code(0)?;
        lacks(&quiet.stderr, "skipped")?;
    }
    Ok(())
}

fn kustomization() -> Result {
    let workspace = Workspace::small()?;
    write(
        workspace.dir(),
        "tree/kustomization.yaml",
        "\nresources: [a\n",
    )?;
    for arguments in [
        &["diff", "tree", "--against", "tree"][..],
        &["plan", "tree", "--graph", "text"],
    ] {
        let ran = run(workspace.dir(), arguments)?.expect_code(1)?;
        contains(&ran.stderr, "tree/kustomization.yaml:2:12: ")?;
    }
    Ok(())
}

/// In everything that the cases print: `1 step`, `2 steps`.
fn nouns() -> Result {
    const NOUNS: &[&str] = &[
        "release",
        "step",
        "stage",
        "object",
        "document",
        "file",
        "source",
        "namespace",
        "dependency",
        "dependencies",
        "chart",
        "change",
        "error",
        "warning",
        "note",
        "rule",
        "Secret",
        "value",
        "null",
        "loss",
        "losses",
        "kind",
    ];
    let mut counted = 0;
    for folder in ["testdata/cases", "testdata/diagnostics"] {
        for (name, folder) in folders(&root().join(folder)) {
            for file in ["expected.stdout", "expected.stderr"] {
                let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
                let words: Vec<&str> = text
                    .split_whitespace()
                    .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
                    .collect();
                for pair in words.windows(2) {
                    let [number, noun] = pair else { continue };
                    let one = NOUNS.contains(noun);
                    let many = noun
                        .strip_suffix('s')
                        .is_some_and(|one| NOUNS.contains(&one));
                    if number.parse::<u64>().is_err() || !(one || many) {
                        continue;
                    }
                    let plural = many || ["dependencies", "losses"].contains(noun);
                    counted += 1;
                    ensure(
                        plural == (*number != "1"),
                        format!("{name}/{file}: `{number} {noun}`"),
                    )?;
                }
            }
        }
    }
    ensure(counted > 200, format!("only {counted} numbers"))
}
