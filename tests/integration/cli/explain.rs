//! `explain`: topics, pages, suggestions.

use std::collections::BTreeSet;
use std::path::Path;

use armada2flux::diagnostic::Code;
use libtest_mimic::Trial;

use super::named;
use crate::support::{Result, contains, ensure, read_tree, root, run};

pub(super) fn trials() -> Vec<Trial> {
    named(
        "explain",
        &[
            ("shows_a_field", field),
            ("shows_a_code_with_its_example", code),
            ("shows_several_topics", several),
            ("suggests_a_topic_for_an_unknown_word", unknown),
            ("lists_all_topics", topics),
            ("knows_the_annotations_of_trees", annotations),
        ],
    )
}

/// Lines of a terminal.
const SCREEN: usize = 40;

fn explain(topic: &str) -> Result<String> {
    Ok(run(root(), &["explain", topic])?.expect_code(0)?.stdout)
}

fn field() -> Result {
    let page = explain("wait.resources")?;
    ensure(page.lines().count() <= SCREEN, page.clone())?;
    for topic in ["data.wait.resources", "chart.wait.resources"] {
        ensure(explain(topic)? == page, topic)?;
    }
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    // Armada: handlers/wait.py, measured.
    contains(
        &page,
        "v1: A list. Absent: `job` (optional), then `pod` (required).",
    )?;
    contains(
        &page,
        "Absent: `job`, `daemonset`, `statefulset`, `deployment`, `pod`, in this order, all optional.",
    )
}

fn code() -> Result {
    for code in Code::ALL {
        let page = explain(code.name())?;
        contains(&page, code.title().split(' ').next().unwrap_or(""))?;
        contains(&page, "What to do")?;
    }
    let page = explain("value-retyped")?;
    contains(&page, "Example\n  warning[value-retyped]: ")?;
    contains(&page, "--> armada.yaml:")
}

fn several() -> Result {
    let list = explain("labels")?;
    contains(&list, "chart.wait.labels")?;
    contains(&list, "chart.upgrade.pre.delete[].labels")
}

fn unknown() -> Result {
    let ran = run(Path::new("/"), &["explain", "wait.resorces"])?.expect_code(1)?;
    ensure(ran.stdout.is_empty(), ran.stdout.clone())?;
    ran.expect_stderr("did you mean `wait.resources`")?;
    run(Path::new("/"), &["explain", "castle"])?
        .expect_code(1)?
        .expect_stderr("is not a field of Armada")?;
    Ok(())
}

fn topics() -> Result {
    let list = run(root(), &["explain"])?.expect_code(0)?.stdout;
    for topic in [
        "release_prefix",
        "wait.resources[].min_ready",
        "value-retyped",
    ] {
        contains(&list, topic)?;
    }
    Ok(())
}

/// Every annotation and label in the trees of the cases.
fn annotations() -> Result {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for (path, text) in read_tree(&root().join("testdata/cases"))? {
        if !path.contains("/expected/") {
            continue;
        }
        let text = String::from_utf8(text)?;
        let keys = text.lines().filter_map(|line| line.trim().split_once(": "));
        let keys = keys.map(|(key, _)| key);
        names.extend(keys.filter(|key| is_mark(key)).map(str::to_owned));
    }
    ensure(names.len() > 10, format!("{names:?}"))?;
    for name in names {
        contains(&explain(&name)?, "Who uses it")?;
    }
    Ok(())
}

fn is_mark(key: &str) -> bool {
    key.starts_with("armada2flux.dev/") || key.contains(".fluxcd.io/")
}
