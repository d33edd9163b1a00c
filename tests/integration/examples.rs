//! The worked sites of `charts-examples/`, and their output in README.

use std::fs;
use std::path::Path;

use libtest_mimic::Trial;

use super::support::{self, Files, Result, compare, ensure, folders, read_tree, root, run};

/// The folder of the converted tree below a worked site.
const TREE: &str = "flux";

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![Trial::test("examples::readme", readme)];
    for (name, folder) in folders(&root().join("charts-examples")) {
        if !folder.join("armada.yaml").exists() {
            continue;
        }
        let test = move || convert(&folder);
        trials.push(Trial::test(format!("examples::{name}"), test));
    }
    trials
}

fn convert(folder: &Path) -> Result {
    let place = tempfile::tempdir()?;
    let out = place.path().join(TREE).display().to_string();
    run(folder, &["convert", "armada.yaml", "-o", &out])?.expect_code(0)?;
    let found = read_tree(Path::new(&out))?;
    let tree = folder.join(TREE);
    if support::update() {
        if tree.exists() {
            fs::remove_dir_all(&tree)?;
        }
        for (name, bytes) in &found {
            let path = tree.join(name);
            fs::create_dir_all(path.parent().ok_or("no folder")?)?;
            fs::write(path, bytes)?;
        }
    }
    compare(&read_tree(&tree)?, &found)
}

/// The text before the arguments of the command in README.
const PROMPT: &str = "$ cargo run --release -- ";

/// The command in README prints what README shows.
fn readme() -> Result {
    let path = root().join("README.md");
    let text = fs::read_to_string(&path)?;
    let at = text.find(PROMPT).ok_or("README.md shows no command")?;
    let command = text[at..].lines().next().unwrap_or("");
    let from = at + command.len() + 1;
    let to = from + text[from..].find("```").ok_or("the block does not end")?;
    let arguments: Vec<&str> = command[PROMPT.len()..].split(' ').collect();

    let place = tempfile::tempdir()?;
    std::os::unix::fs::symlink(
        root().join("charts-examples"),
        place.path().join("charts-examples"),
    )?;
    let ran = run(place.path(), &arguments)?.expect_code(0)?;
    ensure(ran.stdout.is_empty(), "a stream was written")?;
    let shown = format!("{}\n", ran.stderr.trim_end());
    if support::update() {
        let text = format!("{}{shown}{}", &text[..from], &text[to..]);
        fs::write(path, text)?;
        return Ok(());
    }
    let one = |text: &str| Files::from([("README.md".to_owned(), text.as_bytes().to_vec())]);
    compare(&one(&text[from..to]), &one(&shown))
}
