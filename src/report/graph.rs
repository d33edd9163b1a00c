//! The plan as a picture: stages, steps, releases, what comes after what and what is awaited.

use std::fmt::Write as _;

use crate::plan::{Plan, Release, gate};

/// For people: an indented list.
#[must_use]
pub fn text(plan: &Plan<'_, '_>) -> String {
    let mut out = format!("{}\n", plan.manifest);
    for stage in &plan.stages {
        let charts: usize = stage.steps.iter().map(|step| step.releases.len()).sum();
        let how = match (stage.steps.len(), charts) {
            (_, 1) => "",
            (1, _) => ", all at once",
            (_, _) => ", one after another",
        };
        let _ = writeln!(out, "\nstage {}: {}{how}", stage.number, stage.group);
        for (at, step) in stage.steps.iter().enumerate() {
            for release in &step.releases {
                let _ = writeln!(
                    out,
                    "  {}.{}  {}/{}",
                    stage.number,
                    at + 1,
                    release.namespace,
                    release.name
                );
                for line in waits(release) {
                    let _ = writeln!(out, "         {line}");
                }
            }
        }
    }
    let _ = write!(
        out,
        "\n{} releases, {} steps, {} dependencies\n",
        plan.releases().count(),
        plan.steps().count(),
        edges(plan).len()
    );
    out
}

/// For Graphviz.
#[must_use]
pub fn dot(plan: &Plan<'_, '_>) -> String {
    let mut out = format!(
        "digraph {} {{\n  rankdir=LR;\n  node [shape=box];\n",
        dot_text(&plan.manifest)
    );
    for stage in &plan.stages {
        let _ = writeln!(out, "  subgraph cluster_{} {{", stage.number);
        let label = format!("{} {}", stage.number, stage.group);
        let _ = writeln!(out, "    label={};", dot_text(&label));
        for release in stage.steps.iter().flat_map(|step| &step.releases) {
            let mut lines = vec![release.name.to_string()];
            lines.extend(waits(release));
            let _ = writeln!(
                out,
                "    {} [label={}];",
                dot_text(&key(release)),
                dot_text(&lines.join("\n"))
            );
        }
        out.push_str("  }\n");
    }
    for (before, after) in edges(plan) {
        let (before, after) = (dot_text(&key(before)), dot_text(&key(after)));
        let _ = writeln!(out, "  {before} -> {after};");
    }
    out.push_str("}\n");
    out
}

/// For Mermaid, as in Markdown on forges.
#[must_use]
pub fn mermaid(plan: &Plan<'_, '_>) -> String {
    let mut out = String::from("flowchart LR\n");
    let mut ids = Vec::new();
    for stage in &plan.stages {
        let label = format!("{} {}", stage.number, stage.group);
        let _ = writeln!(
            out,
            "  subgraph s{}[{}]",
            stage.number,
            mermaid_text(&label)
        );
        for release in stage.steps.iter().flat_map(|step| &step.releases) {
            ids.push(key(release));
            let mut lines = vec![release.name.to_string()];
            lines.extend(waits(release));
            let _ = writeln!(
                out,
                "    r{}[{}]",
                ids.len(),
                mermaid_text(&lines.join("\n"))
            );
        }
        out.push_str("  end\n");
    }
    let id = |release: &Release<'_, '_>| {
        let key = key(release);
        ids.iter()
            .position(|known| *known == key)
            .map_or(0, |at| at + 1)
    };
    for (before, after) in edges(plan) {
        let _ = writeln!(out, "  r{} --> r{}", id(before), id(after));
    }
    out
}

/// Every pair of releases of which the second depends on the first.
#[must_use]
pub fn edges<'p, 'd, 't>(
    plan: &'p Plan<'d, 't>,
) -> Vec<(&'p Release<'d, 't>, &'p Release<'d, 't>)> {
    let mut edges = Vec::new();
    let mut before: &[Release<'d, 't>] = &[];
    for (_, step) in plan.steps() {
        for release in &step.releases {
            edges.extend(before.iter().map(|earlier| (earlier, release)));
        }
        before = &step.releases;
    }
    edges
}

fn key(release: &Release<'_, '_>) -> String {
    format!("{}/{}", release.namespace, release.name)
}

/// What is awaited before anything that depends on the release may start.
fn waits(release: &Release<'_, '_>) -> Vec<String> {
    let mut lines = Vec::new();
    if release.native_wait {
        lines.push("helm waits".to_owned());
    }
    let version = release.chart.head.version;
    let gates = gate::gates(&release.waits, &release.namespace, version);
    lines.extend(gates.iter().map(|gate| format!("gate {gate}")));
    if release.test_timeout.is_some() {
        lines.push("tests".to_owned());
    }
    lines
}

fn dot_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Mermaid knows entities, no escapes.
fn mermaid_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\n' => out.push_str("<br/>"),
            '"' | '#' | '<' | '>' | '&' | ';' | '`' => {
                let _ = write!(out, "#{};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_stay_inside_their_quotes() {
        assert_eq!(dot_text("a\"b\\c\nd"), r#""a\"b\\c\nd""#);
        assert_eq!(
            mermaid_text("a\"b<c>\nd;"),
            r##""a#34;b#60;c#62;<br/>d#59;""##
        );
    }
}
