//! The order of a site as a drawing: stages, steps, releases, dependencies and waits.

use std::fmt::Write as _;

use crate::plan::{Plan, Release};
use crate::printable::Printable;
use crate::rollout::{DoneWhen, PREPARATION, Rollout};

use super::digest::{count, count_of};

/// A site to draw.
#[derive(Clone, Debug)]
pub struct Picture {
    title: String,
    stages: Vec<Stage>,
    /// Number of edges between releases.
    dependencies: usize,
}

#[derive(Clone, Debug)]
struct Stage {
    number: usize,
    name: String,
    steps: Vec<Vec<Node>>,
}

/// A release.
#[derive(Clone, Debug)]
struct Node {
    /// `namespace/name`
    key: String,
    name: String,
    /// What is awaited before the next step may start.
    waits: Vec<String>,
}

impl Picture {
    /// The order of a plan.
    #[must_use]
    pub fn of_plan(plan: &Plan<'_, '_>) -> Self {
        let stages = plan.stages.iter().map(|stage| Stage {
            number: stage.number,
            name: stage.group.to_string(),
            steps: stage
                .steps
                .iter()
                .map(|step| step.releases.iter().map(Node::of_release).collect())
                .collect(),
        });
        Self::new(plan.manifest.to_string(), stages.collect())
    }

    /// The order of a rollout, without the preparation.
    #[must_use]
    pub fn of_rollout(rollout: &Rollout) -> Self {
        let stages = rollout.stages.iter();
        let stages = stages.filter(|stage| stage.number != PREPARATION);
        let stages = stages.map(|stage| Stage {
            number: stage.number,
            name: stage.name.to_string(),
            steps: stage
                .steps
                .iter()
                .map(|step| step.items.iter().filter_map(Node::of_item).collect())
                .collect(),
        });
        Self::new(rollout.site.to_string(), stages.collect())
    }

    fn new(title: String, stages: Vec<Stage>) -> Self {
        let mut picture = Self {
            title,
            stages,
            dependencies: 0,
        };
        picture.dependencies = picture.edges().len();
        picture
    }

    fn steps(&self) -> impl Iterator<Item = &Vec<Node>> {
        self.stages.iter().flat_map(|stage| &stage.steps)
    }

    /// Returns every release with each release of the next step.
    fn edges(&self) -> Vec<(&Node, &Node)> {
        let mut edges = Vec::new();
        let mut before: &[Node] = &[];
        for step in self.steps() {
            for node in step {
                edges.extend(before.iter().map(|earlier| (earlier, node)));
            }
            before = step;
        }
        edges
    }
}

impl Node {
    fn of_release(release: &Release<'_, '_>) -> Self {
        let gates = release.gates();
        let mut waits = Vec::new();
        if release.native_wait {
            waits.push("Helm waits".to_owned());
        }
        waits.extend(gates.iter().map(|gate| format!("gate {gate}")));
        if release.test_timeout.is_some() {
            waits.push("tests".to_owned());
        }
        Self {
            key: format!("{}/{}", release.namespace, release.name),
            name: release.name.to_string(),
            waits,
        }
    }

    fn of_item(item: &crate::rollout::Item) -> Option<Self> {
        let DoneWhen::ReleaseReady(release) = &item.done_when else {
            return None;
        };
        let object = &item.object;
        let off = |action: &str| {
            let off = object.value.at(&["spec", action, "disableWait"]);
            off == Some(&true.into())
        };
        let mut waits = Vec::new();
        if !(off("install") && off("upgrade")) {
            waits.push("Helm waits".to_owned());
        }
        waits.extend(release.gates.iter().map(|gate| format!("gate {gate}")));
        if release.tested {
            waits.push("tests".to_owned());
        }
        let namespace = object.namespace.as_deref().unwrap_or_default();
        Some(Self {
            key: format!("{namespace}/{}", object.name),
            name: object.name.to_string(),
            waits,
        })
    }
}

/// Returns an indented list.
#[must_use]
pub fn text(picture: &Picture) -> Printable {
    let mut out = Printable::default();
    out.line(&picture.title);
    for stage in &picture.stages {
        let charts: usize = stage.steps.iter().map(Vec::len).sum();
        let how = match (stage.steps.len(), charts) {
            (_, 1) => "",
            (1, _) => ", all at once",
            (_, _) => ", one after another",
        };
        out.blank();
        out.line(&format!("stage {}: {}{how}", stage.number, stage.name));
        for (at, step) in stage.steps.iter().enumerate() {
            for node in step {
                out.line(&format!("  {}.{}  {}", stage.number, at + 1, node.key));
                for line in &node.waits {
                    out.line(&format!("         {line}"));
                }
            }
        }
    }
    out.blank();
    out.line(&format!(
        "{}, {}, {}",
        count(picture.steps().map(Vec::len).sum(), "release"),
        count(picture.steps().count(), "step"),
        count_of(picture.dependencies, "dependency", "dependencies")
    ));
    out
}

/// Returns a drawing for Graphviz.
#[must_use]
pub fn dot(picture: &Picture) -> Printable {
    let mut out = format!(
        "digraph {} {{\n  rankdir=LR;\n  node [shape=box];\n",
        dot_text(&picture.title)
    );
    for stage in &picture.stages {
        let _ = writeln!(out, "  subgraph cluster_{} {{", stage.number);
        let label = format!("{} {}", stage.number, stage.name);
        let _ = writeln!(out, "    label={};", dot_text(&label));
        for node in stage.steps.iter().flatten() {
            let _ = writeln!(
                out,
                "    {} [label={}];",
                dot_text(&node.key),
                dot_text(&label_of(node))
            );
        }
        out.push_str("  }\n");
    }
    for (before, after) in picture.edges() {
        let (before, after) = (dot_text(&before.key), dot_text(&after.key));
        let _ = writeln!(out, "  {before} -> {after};");
    }
    out.push_str("}\n");
    Printable::lines_of(&out)
}

/// Returns a drawing for Mermaid, which forges show in Markdown.
#[must_use]
pub fn mermaid(picture: &Picture) -> Printable {
    let mut out = String::from("flowchart LR\n");
    let mut keys: Vec<&str> = Vec::new();
    for stage in &picture.stages {
        let label = format!("{} {}", stage.number, stage.name);
        let _ = writeln!(
            out,
            "  subgraph s{}[{}]",
            stage.number,
            mermaid_text(&label)
        );
        for node in stage.steps.iter().flatten() {
            keys.push(&node.key);
            let _ = writeln!(
                out,
                "    r{}[{}]",
                keys.len(),
                mermaid_text(&label_of(node))
            );
        }
        out.push_str("  end\n");
    }
    let id = |node: &Node| {
        keys.iter()
            .position(|known| *known == node.key)
            .map_or(0, |at| at + 1)
    };
    for (before, after) in picture.edges() {
        let _ = writeln!(out, "  r{} --> r{}", id(before), id(after));
    }
    Printable::lines_of(&out)
}

fn label_of(node: &Node) -> String {
    let name = std::slice::from_ref(&node.name);
    [name, &node.waits].concat().join("\n")
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

/// Quotes a text for Mermaid, which has entities but no escapes.
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
