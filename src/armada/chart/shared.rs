//! Objects that values share with a field into which Armada writes. In Python an anchor and its aliases are one
//! object.

use std::collections::BTreeSet;

use crate::armada::decode::{Context, Field};
use crate::diagnostic::{Code, Diagnostic};
use crate::yaml::shape::is_list;
use crate::yaml::{Kind, Node, NodeId, mapping};

/// Reports the values that Armada changes while it reads other fields: it completes the entries of a list of
/// waits with their labels, and puts charts in the place of their names (Armada: handlers/wait.py,
/// handlers/manifest.py).
pub(super) fn report(
    values: Node<'_>,
    wait: Option<Field<'_>>,
    dependencies: Option<Field<'_>>,
    cx: &mut Context<'_>,
) {
    let mut changed: Vec<(Node<'_>, &str)> = Vec::new();
    let resources = wait
        .filter(|wait| wait.is_mapping(cx))
        .and_then(|wait| field_of(wait.value, "resources", cx))
        .filter(|resources| is_list(*resources, cx.dialect));
    for item in resources.into_iter().flat_map(Node::items) {
        changed.push((item, "the labels of the wait"));
    }
    if let Some(dependencies) = dependencies.filter(|field| field.value.items().len() > 0) {
        changed.push((dependencies.value, "the charts of these names"));
    }
    if changed.is_empty() {
        return;
    }
    let reached = collections(values, cx);
    for (node, what) in changed {
        if !reached.contains(&node.resolved().id()) {
            continue;
        }
        let message = format!(
            "{}: Armada writes {what} into the values, which share this object",
            cx.subject
        );
        cx.diagnostics.push(
            Diagnostic::new(Code::ValueShared, message)
                .at(node.span(), "changed here, and so in the values")
                .at(values.span(), "these values")
                .help("write it out at both places; `helm get values` shows what the running release has"),
        );
    }
}

fn field_of<'t>(table: Node<'t>, name: &str, cx: &mut Context<'_>) -> Option<Node<'t>> {
    let entries = mapping::entries(table, cx.dialect, cx.diagnostics);
    let mut entries = entries.into_iter();
    let found = entries.find(|entry| entry.key.scalar().is_some_and(|key| key.text == name));
    found.map(|entry| entry.value)
}

/// Returns the lists and mappings of a tree of values, with aliases and merge keys followed.
fn collections(values: Node<'_>, cx: &mut Context<'_>) -> BTreeSet<NodeId> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![values];
    while let Some(node) = waiting.pop() {
        let node = node.resolved();
        match node.kind() {
            Kind::Scalar(_) | Kind::Alias(_) => continue,
            Kind::Sequence | Kind::Mapping if !found.insert(node.id()) => continue,
            Kind::Sequence => waiting.extend(node.items()),
            Kind::Mapping => {
                let entries = mapping::entries(node, cx.dialect, cx.diagnostics);
                waiting.extend(entries.into_iter().map(|entry| entry.value));
            }
        }
    }
    found
}
