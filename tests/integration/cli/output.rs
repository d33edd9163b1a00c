//! Trees and streams: what is written and what is not touched.

use std::fs;

use libtest_mimic::Trial;

use super::{Workspace, named};
use crate::support::{ProgramOutput, Result, compare, contains, ensure, lacks, read_tree, run};

pub(super) fn trials() -> Vec<Trial> {
    named(
        "output",
        &[
            ("results_and_messages_do_not_mix", streams),
            ("reruns_give_the_same_bytes", reruns),
            ("the_working_folder_does_not_matter", from_anywhere),
            ("armada_go_delivers_what_is_written", armada_go),
            ("foreign_files_are_refused", foreign),
            ("foreign_links_are_refused", foreign_links),
            ("other_files_are_left_alone", others),
            ("a_file_in_place_of_the_folder_is_refused", no_folder),
            ("stale_files_are_named_then_deleted", stale),
            ("a_folder_belongs_to_one_site", one_site),
            ("files_of_another_site_are_never_stale", another_site),
            ("errors_leave_the_tree_unchanged", errors),
            ("files_of_a_killed_run_are_deleted", left_over),
        ],
    )
}

const CONVERT: &[&str] = &["convert", "armada.yaml", "-o", "out"];

fn streams() -> Result {
    let workspace = Workspace::small()?;
    let ran = run(workspace.dir(), &["convert", "armada.yaml"])?.expect_code(0)?;
    ensure(ran.stdout.starts_with("---\n"), "no YAML stream")?;
    lacks(&ran.stdout, "warning")?;
    contains(&ran.stderr, "3 releases in 2 stages")?;
    let ran = run(workspace.dir(), CONVERT)?.expect_code(0)?;
    ensure(ran.stdout.is_empty(), ran.stdout)?;
    contains(&ran.stderr, "written: ")
}

/// Only go-yaml reads these documents: PyYAML would read a string, and a number in another base.
fn armada_go() -> Result {
    let workspace = Workspace::small()?;
    let site = "---
schema: armada/Chart/v2
metadata: {name: web}
data:
  release: web
  namespace: web
  source: {type: local, location: /charts/web}
  values: {exponent: 1e3, octal: 0o17, base60: 1:30}
---
schema: armada/ChartGroup/v2
metadata: {name: all}
data: {chart_group: [web]}
---
schema: armada/Manifest/v2
metadata: {name: site}
data: {release_prefix: p, chart_groups: [all]}
";
    fs::write(workspace.path("go.yaml"), site)?;
    let run = |options: &[&str]| {
        run(
            workspace.dir(),
            &[&["convert", "go.yaml"][..], options].concat(),
        )
    };
    let delivered = run(&["--yaml-reader", "go-yaml"])?.expect_code(0)?;
    let written = run(&["--yaml-reader", "go-yaml", "--values-as", "written"])?.expect_code(0)?;
    contains(
        &written.stdout,
        "exponent: 1000\n    octal: 15\n    base60: \"1:30\"\n",
    )?;
    ensure(
        delivered.stdout == written.stdout,
        "two readings of one reader",
    )?;
    let python = run(&["--values-as", "written"])?.expect_code(0)?;
    contains(
        &python.stdout,
        "exponent: \"1e3\"\n    octal: \"0o17\"\n    base60: 90\n",
    )
}

fn left_over() -> Result {
    let workspace = Workspace::small()?;
    let left = |name: &str| -> Result<std::path::PathBuf> {
        let folder = workspace.path(name);
        fs::create_dir_all(folder.join("010-all"))?;
        fs::write(folder.join("010-all/web.yaml"), "half")?;
        Ok(folder)
    };
    let dead = left(".out.armada2flux-99999999")?;
    fs::write(dead.join(".lock"), "")?;
    let alive = left(".out.armada2flux-99999998")?;
    let lock = fs::File::create(alive.join(".lock"))?;
    lock.try_lock()?;
    let unknown = left(".out.armada2flux-99999997")?;
    let foreign = left(".out.armada2flux-mine")?;
    fs::write(foreign.join(".lock"), "")?;
    let ran = run(workspace.dir(), CONVERT)?.expect_code(0)?;
    contains(
        &ran.stderr,
        "armada2flux-99999999 (left by a killed process)",
    )?;
    ensure(!dead.exists(), "the dead folder is still there")?;
    for folder in [alive, unknown, foreign] {
        ensure(
            folder.join("010-all/web.yaml").exists(),
            format!("{} is not a dead run's", folder.display()),
        )?;
    }
    drop(lock);
    Ok(())
}

fn reruns() -> Result {
    let workspace = Workspace::small()?;
    run(workspace.dir(), CONVERT)?.expect_code(0)?;
    let first = read_tree(&workspace.path("out"))?;
    ensure(!first.is_empty(), "nothing written")?;
    run(workspace.dir(), CONVERT)?.expect_code(0)?;
    compare(&first, &read_tree(&workspace.path("out"))?)?;
    ensure(
        workspace.names()? == ["armada.yaml", "out"],
        "something left over",
    )?;
    // A new folder is renamed as a whole, an empty one is filled: nothing else than files of the tree may come with it.
    fs::remove_dir_all(workspace.path("out"))?;
    fs::create_dir(workspace.path("out"))?;
    run(workspace.dir(), CONVERT)?.expect_code(0)?;
    compare(&first, &read_tree(&workspace.path("out"))?)
}

fn from_anywhere() -> Result {
    let (one, other) = (Workspace::small()?, Workspace::small()?);
    run(one.dir(), CONVERT)?.expect_code(0)?;
    let input = other.path("armada.yaml").display().to_string();
    let out = other.path("deep/er/out").display().to_string();
    run(std::path::Path::new("/"), &["convert", &input, "-o", &out])?.expect_code(0)?;
    compare(
        &read_tree(&one.path("out"))?,
        &read_tree(&other.path("deep/er/out"))?,
    )
}

fn foreign() -> Result {
    let workspace = Workspace::small()?;
    fs::create_dir(workspace.path("out"))?;
    fs::write(workspace.path("out/kustomization.yaml"), "resources: []\n")?;
    run(workspace.dir(), CONVERT)?
        .expect_code(1)?
        .expect_stderr("refused to overwrite `")?
        .expect_stderr("out/kustomization.yaml`")?
        .expect_stderr("help: ")?;
    let after = read_tree(&workspace.path("out"))?;
    ensure(
        after.len() == 1,
        format!("files were written: {:?}", after.keys()),
    )?;
    ensure(
        after["kustomization.yaml"] == b"resources: []\n",
        "overwritten",
    )?;
    ensure(
        workspace.names()? == ["armada.yaml", "out"],
        "something left over",
    )
}

/// A link could make the program write outside its folder.
fn foreign_links() -> Result {
    let workspace = Workspace::small()?;
    run(workspace.dir(), CONVERT)?.expect_code(0)?;
    fs::rename(workspace.path("out/sources"), workspace.path("elsewhere"))?;
    std::os::unix::fs::symlink("../elsewhere", workspace.path("out/sources"))?;
    run(workspace.dir(), CONVERT)?
        .expect_code(1)?
        .expect_stderr("refused to overwrite")?;
    fs::remove_file(workspace.path("out/sources"))?;
    fs::rename(workspace.path("elsewhere"), workspace.path("out/sources"))?;
    fs::rename(
        workspace.path("out/kustomization.yaml"),
        workspace.path("k.yaml"),
    )?;
    std::os::unix::fs::symlink("../k.yaml", workspace.path("out/kustomization.yaml"))?;
    run(workspace.dir(), CONVERT)?
        .expect_code(1)?
        .expect_stderr("refused to overwrite")
        .map(|_| ())
}

fn others() -> Result {
    let workspace = Workspace::small()?;
    fs::create_dir_all(workspace.path("out/mine"))?;
    fs::write(workspace.path("out/README.md"), "mine")?;
    fs::write(workspace.path("out/mine/x.yaml"), "mine: true\n")?;
    run(workspace.dir(), CONVERT)?.expect_code(0)?;
    let ran = run(workspace.dir(), &[CONVERT, &["--delete-stale"]].concat())?.expect_code(0)?;
    lacks(&ran.stderr, "stale")?;
    ensure(workspace.text("out/README.md")? == "mine", "changed")?;
    ensure(
        workspace.text("out/mine/x.yaml")? == "mine: true\n",
        "changed",
    )
}

fn no_folder() -> Result {
    let workspace = Workspace::small()?;
    let ran = run(
        workspace.dir(),
        &["convert", "armada.yaml", "-o", "armada.yaml"],
    )?
    .expect_code(1)?;
    contains(&ran.stderr, "is not a folder")
}

fn stale() -> Result {
    let workspace = Workspace::small()?;
    run(workspace.dir(), CONVERT)?.expect_code(0)?;
    let text = workspace.text("armada.yaml")?;
    let group = "\n    - data\n";
    contains(&text, group)?;
    fs::write(workspace.path("armada.yaml"), text.replace(group, "\n"))?;
    let before = read_tree(&workspace.path("out"))?;
    let gone: Vec<&String> = before.keys().filter(|name| name.contains("data")).collect();
    ensure(!gone.is_empty(), "the case has no such release")?;

    let ran = run(workspace.dir(), CONVERT)?.expect_code(0)?;
    let kustomization = workspace.text("out/kustomization.yaml")?;
    for name in &gone {
        contains(
            &ran.stderr,
            &format!("stale: {}", workspace.path("out").join(name).display()),
        )?;
        ensure(workspace.path("out").join(name).exists(), "deleted unasked")?;
        lacks(&kustomization, name)?;
    }
    let ran = run(workspace.dir(), &[CONVERT, &["--delete-stale"]].concat())?.expect_code(0)?;
    for name in gone {
        contains(&ran.stderr, "(deleted)")?;
        ensure(
            !workspace.path("out").join(name).exists(),
            format!("{name} is still there"),
        )?;
    }
    let listed = workspace.text("out/kustomization.yaml")?;
    for name in read_tree(&workspace.path("out"))?.keys() {
        ensure(
            name == "kustomization.yaml" || listed.contains(name.as_str()),
            format!("{name} is not listed"),
        )?;
    }
    Ok(())
}

/// Converts one Manifest for a site into `out`.
fn convert_as(workspace: &Workspace, site: &str, more: &[&str]) -> Result<ProgramOutput> {
    run(
        workspace.dir(),
        &[CONVERT, &["--site", site], more].concat(),
    )
}

fn one_site() -> Result {
    let workspace = Workspace::small()?;
    convert_as(&workspace, "one", &[])?.expect_code(0)?;
    let before = read_tree(&workspace.path("out"))?;
    for more in [&[][..], &["--delete-stale"], &["--no-namespaces"]] {
        // One name is the start of the other.
        for site in ["two", "one-b", "on", "ONE"] {
            let out = workspace.path("out").display().to_string();
            convert_as(&workspace, site, more)?
                .expect_code(1)?
                .expect_stderr(&format!(
                    "`{out}` holds the tree of site `one`, not of `{site}`"
                ))?
                .expect_stderr("give each site a folder of its own")?;
            compare(&before, &read_tree(&workspace.path("out"))?)?;
        }
        ensure(workspace.names()? == ["armada.yaml", "out"], "left over")?;
    }
    convert_as(&workspace, "one", &["--delete-stale"])?.expect_code(0)?;
    compare(&before, &read_tree(&workspace.path("out"))?)?;
    // Sub-folders are folders of their own.
    let inner = ["convert", "armada.yaml", "-o", "out/two", "--site=two"];
    run(workspace.dir(), &inner)?.expect_code(0)?;
    let ran = convert_as(&workspace, "one", &["--delete-stale"])?.expect_code(0)?;
    lacks(&ran.stderr, "stale")?;
    ensure(
        read_tree(&workspace.path("out/two"))?.len() == before.len(),
        "deleted",
    )
}

/// Files that only another site has, in a folder whose list is gone.
fn another_site() -> Result {
    let workspace = Workspace::small()?;
    convert_as(&workspace, "one", &[])?.expect_code(0)?;
    let text = workspace.text("out/namespaces.yaml")?;
    fs::remove_dir_all(workspace.path("out"))?;
    fs::create_dir(workspace.path("out"))?;
    let others = [
        ("old-one.yaml", text.clone()),
        ("old.yaml", text.replace(" for site one", "")),
        ("old-two.yaml", text.replace("site one", "site two")),
        ("old-one-b.yaml", text.replace("site one", "site one-b")),
        ("mine.yaml", format!("#{text}")),
    ];
    for (name, text) in &others {
        fs::write(workspace.path("out").join(name), text)?;
    }
    convert_as(&workspace, "one", &["--delete-stale"])?.expect_code(0)?;
    let left: Vec<String> = read_tree(&workspace.path("out"))?.into_keys().collect();
    for (name, _) in others {
        // A file of an earlier version, which named no site, is taken for one's own.
        let stays = !["old-one.yaml", "old.yaml"].contains(&name);
        ensure(left.iter().any(|left| left == name) == stays, name)?;
    }
    Ok(())
}

fn errors() -> Result {
    let workspace = Workspace::small()?;
    let good = workspace.text("armada.yaml")?;
    run(workspace.dir(), CONVERT)?.expect_code(0)?;
    let before = read_tree(&workspace.path("out"))?;
    // A changed value, then an error.
    let bad = good.replace("replicas: 2", "replicas: 3");
    ensure(bad != good, "the case has no replicas")?;
    fs::write(
        workspace.path("armada.yaml"),
        format!("{bad}\n---\nbroken: [\n"),
    )?;
    run(workspace.dir(), CONVERT)?
        .expect_code(1)?
        .expect_stderr("error[yaml-syntax]")?
        .expect_stderr("nothing was written")?;
    compare(&before, &read_tree(&workspace.path("out"))?)?;
    run(
        workspace.dir(),
        &["convert", "armada.yaml", "-o", "new/out"],
    )?
    .expect_code(1)?;
    ensure(!workspace.path("new/out").exists(), "a tree was made")?;
    let ran = run(workspace.dir(), &["convert", "armada.yaml"])?.expect_code(1)?;
    ensure(ran.stdout.is_empty(), "a stream was written")
}
