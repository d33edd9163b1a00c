//! Pages generated from the program's tables; `UPDATE_GOLDEN=1` rewrites them.

use std::fmt::Write as _;

use armada2flux::diagnostic::{Code, example};
use libtest_mimic::Trial;

use super::golden;
use super::support::{Result, check_file, ensure, root, run};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("generated::docs/diagnostics.md", diagnostics),
        Trial::test("generated::docs/differences.md", differences),
        Trial::test("generated::docs/dangers.md", dangers),
        Trial::test("generated::docs/field-mapping.md", field_mapping),
        Trial::test("generated::src/diagnostic/examples.txt", examples),
        Trial::test("generated::docs/cli.md", cli),
        Trial::test("generated::docs/schema", schemas),
        Trial::test("generated::docs/guide/ci.md", noise),
    ]
}

const NOTE: &str = "<!-- made by `UPDATE_GOLDEN=1 cargo test`, do not edit -->\n";

fn diagnostics() -> Result {
    let page = armada2flux::report::diagnostics_page::page();
    check_file(
        "docs/diagnostics.md",
        &format!("# Diagnostics\n\n{NOTE}\n{page}"),
    )
}

fn differences() -> Result {
    let page = armada2flux::report::differences_page::page();
    check_file(
        "docs/differences.md",
        &format!("# Differences from Armada\n\n{NOTE}\n{page}"),
    )
}

fn dangers() -> Result {
    let page = armada2flux::report::dangers_page::page();
    check_file("docs/dangers.md", &format!("# Dangers\n\n{NOTE}\n{page}"))
}

fn field_mapping() -> Result {
    let page = armada2flux::report::field_mapping::page();
    let title = "# What becomes of each field";
    check_file(
        "docs/field-mapping.md",
        &format!("{title}\n\n{NOTE}\n{page}"),
    )
}

/// The examples of `explain` and `docs/diagnostics.md`: the first diagnostic of each code's folder, as printed.
fn examples() -> Result {
    let mut text = String::new();
    for code in Code::ALL {
        let folder = root().join("testdata/diagnostics").join(code.name());
        let stderr = golden::outcome(&folder)?.1.stderr;
        let start = format!("[{code}]: ");
        let parts = stderr.split("\n\n");
        let Some(drawn) = parts.map(str::trim).find(|part| {
            part.lines()
                .next()
                .is_some_and(|line| line.contains(&start))
        }) else {
            return Err(format!("nothing is drawn for {code}").into());
        };
        if drawn.lines().count() <= example::MAX_LINES {
            write!(text, "{}{code}\n{drawn}\n\n", example::MARK)?;
        }
    }
    check_file("src/diagnostic/examples.txt", &text)
}

/// The hand-written table of noise names every rule and no other.
fn noise() -> Result {
    let page = std::fs::read_to_string(root().join("docs/guide/ci.md"))?;
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
    let named: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    let rules: Vec<&str> = armada2flux::compare::noise::RULES
        .iter()
        .map(|rule| rule.name)
        .collect();
    ensure(
        named == rules,
        format!("{named:?} are named, {rules:?} exist"),
    )
}

/// The `--help` of every command.
fn cli() -> Result {
    let mut page = format!("# Commands\n\n{NOTE}");
    push_help(&armada2flux::cli::command(), &mut Vec::new(), &mut page)?;
    check_file("docs/cli.md", &page)
}

fn push_help(command: &clap::Command, path: &mut Vec<String>, page: &mut String) -> Result {
    let mut arguments = path.clone();
    arguments.push("--help".to_owned());
    let help = run(root(), &arguments)?.expect_code(0)?.stdout;
    let name = [&["armada2flux".to_owned()], path.as_slice()]
        .concat()
        .join(" ");
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    write!(
        page,
        "\n## {name}\n\n```\n{}\n```\n",
        lines.join("\n").trim_end()
    )?;
    for inner in command.get_subcommands().filter(|c| c.get_name() != "help") {
        path.push(inner.get_name().to_owned());
        push_help(inner, path, page)?;
        path.pop();
    }
    Ok(())
}

/// Subjects of `armada2flux schema` and the files they are published in.
const SCHEMAS: &[(&str, &str)] = &[
    ("report", "docs/schema/convert-report.json"),
    ("diff", "docs/schema/diff-report.json"),
    ("apply", "docs/schema/apply-report.json"),
    ("events", "docs/schema/apply-events.json"),
    ("status", "docs/schema/status-report.json"),
    ("plan-report", "docs/schema/plan-report.json"),
    ("plan", "docs/schema/plan.json"),
    ("validation", "docs/schema/validate-report.json"),
    ("source-map", "docs/schema/source-map.json"),
];

fn schemas() -> Result {
    let command = armada2flux::cli::command();
    let subjects: Vec<String> = command
        .find_subcommand("schema")
        .and_then(|schema| schema.get_arguments().find(|a| a.get_id() == "subject"))
        .map(|subject| subject.get_possible_values())
        .unwrap_or_default()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    let published: Vec<&str> = SCHEMAS.iter().map(|(subject, _)| *subject).collect();
    ensure(
        subjects == published,
        format!("the program knows {subjects:?}, published are {published:?}"),
    )?;
    for (subject, path) in SCHEMAS {
        let schema = run(root(), &["schema", subject])?.expect_code(0)?.stdout;
        check_file(path, &schema)?;
    }
    Ok(())
}
