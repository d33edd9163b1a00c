use std::io::{Write as _, stderr};
use std::path::{Path, PathBuf};

use super::{libyaml, parse};

fn yaml_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            yaml_files(&path, found);
        } else if path.extension().is_some_and(|ext| ext == "yaml") {
            found.push(path);
        }
    }
}

#[test]
fn real_files_are_read_as_libyaml_reads_them() {
    let mut files = Vec::new();
    yaml_files(Path::new("../shared/corpus"), &mut files);
    files.sort();
    if files.is_empty() {
        writeln!(stderr(), "skipped: no ../shared/corpus beside the checkout").expect("stderr");
        return;
    }
    let mut compared = 0;
    for path in &files {
        let Ok(text) = std::fs::read_to_string(path) else {
            continue;
        };
        let (tree, diagnostics) = parse(&text);
        let Some(expected) = libyaml::expected(&text) else {
            continue;
        };
        compared += 1;
        let actual = if diagnostics.errors() == 0 {
            Ok(libyaml::actual(&tree))
        } else {
            Err(format!("{:?}", diagnostics.list()))
        };
        match (expected, actual) {
            (Ok(expected), Ok(actual)) => {
                assert!(actual == expected, "{} reads otherwise", path.display());
            }
            (Err(_), Err(_)) => {}
            (expected, actual) => {
                let (expected, actual) = (expected.err(), actual.err());
                panic!("{}: libyaml {expected:?}, we {actual:?}", path.display());
            }
        }
    }
    assert!(compared > 300, "only {compared} files could be compared");
}
