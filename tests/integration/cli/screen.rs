//! The output of `diff` on a terminal: it fits 80 columns, and the picture in the docs shows it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::terminal::on_terminal;
use crate::support::{Result, check_file, ensure, program, read_tree, root};

/// Columns of a terminal.
const COLUMNS: usize = 80;

/// The command that the picture shows.
const COMMAND: &str = "diff flux/ --against main/flux/";

/// Edits in the tree of the worked site: end of the file's name, old text, new text.
const EDITS: &[(&str, &str, &str)] = &[
    ("breakwater-mirror.yaml", "  suspend: true\n", ""),
    ("breakwater-mirror.yaml", "replicas: 2", "replicas: 3"),
    (
        "breakwater-database.yaml",
        "password: root-of-breakwater",
        "password: new-root-of-breakwater",
    ),
    (
        "breakwater-database.yaml",
        "max_connections = 500",
        "max_connections = 800",
    ),
    ("breakwater-database.yaml", "mode: 288", "mode: 256"),
    ("breakwater-database.yaml", "mariadb:11.4", "mariadb:11.8"),
    (
        "breakwater-portal.yaml",
        "disableHooks: true",
        "disableHooks: false",
    ),
];

/// Writes the worked site's tree twice, once edited.
fn trees() -> Result<TempDir> {
    let workspace = tempfile::tempdir()?;
    for (name, bytes) in read_tree(&root().join("charts-examples/breakwater/flux"))? {
        let before = String::from_utf8(bytes)?;
        let mut after = before.clone();
        for (file, from, to) in EDITS.iter().filter(|(file, ..)| name.ends_with(file)) {
            ensure(after.contains(from), format!("{file} has no `{from}`"))?;
            after = after.replacen(from, to, 1);
        }
        write(workspace.path(), &format!("main/flux/{name}"), &before)?;
        write(workspace.path(), &format!("flux/{name}"), &after)?;
    }
    Ok(workspace)
}

fn write(folder: &Path, name: &str, text: &str) -> Result {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().ok_or("no folder")?)?;
    Ok(fs::write(path, text)?)
}

/// Returns what a command prints on a terminal.
fn captured(folder: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = program();
    command.current_dir(folder).args(arguments);
    on_terminal(command, |command, terminal| {
        command.stdout(terminal);
    })
}

pub(super) fn picture() -> Result {
    let workspace = trees()?;
    let arguments: Vec<&str> = COMMAND.split(' ').collect();
    let screen = captured(workspace.path(), &arguments)?;
    let lines = lines(&screen)?;
    for line in &lines {
        let columns: usize = line.iter().map(|run| run.text.chars().count()).sum();
        ensure(columns <= COLUMNS, format!("{columns} columns:\n{screen}"))?;
    }
    check_file("docs/guide/diff.svg", &svg(&lines)?)
}

/// A change in which everything that can be long is long.
pub(super) fn columns() -> Result {
    let workspace = tempfile::tempdir()?;
    let long = "a-word-of-a-value ".repeat(30);
    let release = |value: &str, number: usize| {
        format!(
            "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: release, namespace: town}}
spec:
  releaseName: {}-{number}
  suspend: {}
  chartRef: {{kind: OCIRepository, name: {}{number}}}
  values:
    short: {number}
    text: {value}
    packed: {}{number}
    nested: {{of: {{several: {{levels: {{deep: {{enough: '{number}{}'}}}}}}}}}}
    map{number}: {{text: {value}}}
    lines: |
      first
      {value} {number}
",
            "n".repeat(70),
            number == 1,
            "c".repeat(50),
            "p".repeat(300),
            "q".repeat(58),
        )
    };
    write(workspace.path(), "before/a.yaml", &release(&long, 1))?;
    write(
        workspace.path(),
        "after/a.yaml",
        &release(&format!("{long} end"), 2),
    )?;
    let gone = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: with-a-name-of-some-length, namespace: town}\n";
    write(workspace.path(), "before/b.yaml", gone)?;
    let screen = captured(workspace.path(), &["diff", "after", "--against", "before"])?;
    for line in lines(&screen)? {
        let text: String = line.iter().map(|run| run.text.as_str()).collect();
        ensure(
            text.chars().count() <= COLUMNS,
            format!("more than {COLUMNS} columns: {text}\n{screen}"),
        )?;
    }
    Ok(())
}

/// Adjacent characters of one style.
struct Run {
    /// Parameters of the escape sequence, such as `1;31`; empty without style.
    style: String,
    text: String,
}

/// Parses lines with the escape sequences that the program uses: styles and their end.
fn lines(screen: &str) -> Result<Vec<Vec<Run>>> {
    let mut lines = Vec::new();
    for line in screen.lines() {
        let mut runs = Vec::new();
        let mut parts = line.trim_end_matches('\r').split("\u{1b}[");
        let mut add = |style: &str, text: &str| {
            if !text.is_empty() {
                let (style, text) = (style.to_owned(), text.to_owned());
                runs.push(Run { style, text });
            }
        };
        add("", parts.next().unwrap_or_default());
        let mut style = String::new();
        for part in parts {
            let (more, text) = part.split_once('m').ok_or("an escape does not end")?;
            style = match (more, style.as_str()) {
                ("0", _) => String::new(),
                (more, "") => more.to_owned(),
                (more, before) => format!("{before};{more}"),
            };
            add(&style, text);
        }
        lines.push(runs);
    }
    Ok(lines)
}

/// Advance of a character, in hundredths of a pixel.
const ADVANCE: usize = 840;
/// Between two lines, in pixels.
const LINE: usize = 19;
/// Around the text, in pixels.
const MARGIN: usize = 16;

/// Draws the command and the lines as a picture.
fn svg(lines: &[Vec<Run>]) -> Result<String> {
    let prompt = vec![
        Run {
            style: "2".into(),
            text: "$ ".into(),
        },
        Run {
            style: String::new(),
            text: format!("armada2flux {COMMAND}"),
        },
    ];
    let width = COLUMNS * ADVANCE / 100 + 2 * MARGIN;
    let height = (lines.len() + 1) * LINE + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">
<!-- made by `UPDATE_GOLDEN=1 cargo test`, do not edit -->
<title>armada2flux {COMMAND}, in a terminal of {COLUMNS} columns</title>
<style>
text {{ font: 14px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; fill: #d5dce3; white-space: pre }}
.green {{ fill: #57c785 }} .red {{ fill: #ff7b7b }} .yellow {{ fill: #e5c07b }} .dim {{ fill: #8794a1 }}
.bold {{ fill: #ffffff; font-weight: bold }} .danger {{ fill: #ff7b7b; font-weight: bold }}
</style>
<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#10161d\"/>
"
    );
    for (row, line) in [&prompt].into_iter().chain(lines).enumerate() {
        let y = MARGIN + (row + 1) * LINE - 5;
        let mut column = 0;
        for Run { style, text } in line {
            let class = match style.as_str() {
                "" => "",
                "1" => " class=\"bold\"",
                "2" => " class=\"dim\"",
                "31" => " class=\"red\"",
                "32" => " class=\"green\"",
                "33" => " class=\"yellow\"",
                "1;31" => " class=\"danger\"",
                other => return Err(format!("style {other} is not drawn").into()),
            };
            let blank = text.chars().take_while(|c| *c == ' ').count();
            let shown = text.trim();
            if !shown.is_empty() {
                // The length keeps columns aligned in any font.
                let pixels = |columns: usize| {
                    format!("{}.{:02}", columns * ADVANCE / 100, columns * ADVANCE % 100)
                };
                let x = format!(
                    "{}.{:02}",
                    MARGIN + (column + blank) * ADVANCE / 100,
                    (column + blank) * ADVANCE % 100
                );
                let length = pixels(shown.chars().count());
                let escaped = shown
                    .replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace('>', "&gt;");
                writeln!(
                    svg,
                    "<text x=\"{x}\" y=\"{y}\" textLength=\"{length}\" xml:space=\"preserve\"{class}>{escaped}</text>"
                )?;
            }
            column += text.chars().count();
        }
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}
