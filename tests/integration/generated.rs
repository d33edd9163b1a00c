//! Pages that are made from the program's own tables; `UPDATE_GOLDEN=1` writes them anew.

use std::fmt::Write as _;

use armada2flux::armada::disposition::{self, Carrier, Row, Versions};
use armada2flux::diagnostic::{Code, Severity};
use libtest_mimic::Trial;

use super::support::{Result, check_file, ensure, root, run};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        Trial::test("generated::docs/diagnostics.md", diagnostics),
        Trial::test("generated::docs/field-mapping.md", field_mapping),
        Trial::test("generated::docs/cli.md", cli),
        Trial::test("generated::docs/schema", schemas),
    ]
}

const NOTE: &str = "<!-- made by `UPDATE_GOLDEN=1 cargo test`, do not edit -->\n";

fn diagnostics() -> Result {
    let mut page = format!(
        "# Diagnostics\n\n{NOTE}\nWhat the program may say about documents. An error means that nothing is \
         written. `--deny CODE` makes an error of a warning or note, `--allow CODE` leaves it out; errors cannot be left out.\n"
    );
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let of: Vec<_> = Code::ALL
            .iter()
            .filter(|code| code.severity() == severity)
            .map(|code| format!("[`{code}`](#{code})"))
            .collect();
        write!(page, "\n**{severity}s**: {}\n", of.join(", "))?;
    }
    for code in Code::ALL {
        let text = code.page();
        write!(
            page,
            "\n## {code}\n\n{}: {}\n\n{}\n\nWhat to do: {}\n",
            code.severity(),
            code.title(),
            text.why,
            text.fix
        )?;
    }
    check_file("docs/diagnostics.md", &page)
}

fn field_mapping() -> Result {
    let mut page = format!(
        "# What becomes of each field\n\n{NOTE}\nEvery node of every Armada document belongs to one row; \
         `convert --report json` counts them.\n\n\
         | fate | meaning |\n|---|---|\n\
         | mapped | says the same in the output |\n\
         | approximated | says nearly the same; the reason names the difference |\n\
         | dropped-harmless | left out: had no effect in Armada either, or has none any more |\n\
         | dropped-lossy | left out, and something is lost |\n\
         | not-yet | understood, but not carried over yet; a warning says so where it is used |\n\
         | refused | an error, no output is made |\n"
    );
    let mut heading = "";
    for row in disposition::all() {
        let Row {
            path,
            documents,
            versions,
            fate,
            target,
            reason,
            carrier,
            since,
        } = row;
        if heading != *documents {
            heading = documents;
            write!(
                page,
                "\n## {heading}\n\n| field | schema | fate | kept by | becomes | why |\n|---|---|---|---|---|---|\n"
            )?;
        }
        let versions = match versions {
            Versions::Any => "v1, v2",
            Versions::V1 => "v1",
            Versions::V2 => "v2",
        };
        let carrier = match carrier {
            Carrier::Tree => "tree",
            Carrier::Apply => "apply",
            Carrier::Nobody => "",
        };
        let mut target = if target.is_empty() {
            String::new()
        } else {
            format!("`{target}`")
        };
        if let Some(since) = since {
            write!(target, " (Flux {since})")?;
        }
        let cells = [
            &format!("`{path}`"),
            versions,
            fate.name(),
            carrier,
            &target,
            reason,
        ];
        let cells = cells.map(|cell| cell.replace('|', "\\|"));
        writeln!(page, "| {} |", cells.join(" | "))?;
    }
    check_file("docs/field-mapping.md", &page)
}

/// What `--help` says, of every command, from the program itself.
fn cli() -> Result {
    let mut page = format!("# Commands\n\n{NOTE}");
    push_help(&armada2flux::cli::command(), &mut Vec::new(), &mut page)?;
    check_file("docs/cli.md", &page)
}

fn push_help(command: &clap::Command, path: &mut Vec<String>, page: &mut String) -> Result {
    let mut arguments = path.clone();
    arguments.push("--help".to_owned());
    let help = run(root(), &arguments)?.expect(0)?.stdout;
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
    ("validation", "docs/schema/validate-report.json"),
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
        let schema = run(root(), &["schema", subject])?.expect(0)?.stdout;
        check_file(path, &schema)?;
    }
    Ok(())
}
