//! The same text through a port of libyaml, as an oracle.

use std::collections::HashSet;

use libyaml_safer::{EventData, Parser, ScalarStyle};

use super::{Kind, Node, Style, Tree};

/// What the tree of a file is, in order, one line for each event.
pub(crate) type Events = Vec<String>;

fn line(name: &str, anchor: Option<&str>, tag: Option<&str>, text: &str) -> String {
    // libyaml drops a lone `!` of a scalar.
    let tag = tag.filter(|tag| *tag != "!").unwrap_or("-");
    format!("{name} &{} {tag} {text:?}", anchor.unwrap_or("-"))
}

/// Returns what libyaml reads, or its error (that of PyYAML's composer for anchors).
///
/// `None` where the oracle has no answer: `libyaml-safer` panics on some texts that end without a line
/// break, which the C library reads.
pub(crate) fn expected(text: &str) -> Option<Result<Events, String>> {
    std::panic::catch_unwind(|| events(text)).ok()
}

fn events(text: &str) -> Result<Events, String> {
    let mut bytes = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut bytes);
    let mut events = Events::new();
    let mut anchors = HashSet::new();
    let mut open = Vec::new();
    for event in parser {
        let event = event.map_err(|error| error.to_string())?;
        let (name, anchor, tag, value) = match event.data {
            EventData::Alias { anchor } => {
                if !anchors.contains(&anchor) {
                    return Err(format!("undefined alias {anchor}"));
                }
                if open.contains(&Some(anchor.clone())) {
                    // The one text that PyYAML takes and we do not: Helm refuses it.
                    return Err(format!("{anchor} contains itself"));
                }
                ("alias", Some(anchor), None, String::new())
            }
            EventData::Scalar {
                anchor,
                tag,
                value,
                style,
                ..
            } => {
                let name = match style {
                    ScalarStyle::SingleQuoted => "single",
                    ScalarStyle::DoubleQuoted => "double",
                    ScalarStyle::Literal => "literal",
                    ScalarStyle::Folded => "folded",
                    _ => "plain",
                };
                (name, anchor, tag, value)
            }
            EventData::SequenceStart { anchor, tag, .. } => ("[", anchor, tag, String::new()),
            EventData::MappingStart { anchor, tag, .. } => ("{", anchor, tag, String::new()),
            EventData::SequenceEnd => ("]", None, None, String::new()),
            EventData::MappingEnd => ("}", None, None, String::new()),
            EventData::DocumentStart { .. } => {
                anchors.clear();
                ("document", None, None, String::new())
            }
            _ => continue,
        };
        if name != "alias"
            && let Some(anchor) = &anchor
            && !anchors.insert(anchor.clone())
        {
            return Err(format!("duplicate anchor {anchor}"));
        }
        match name {
            "[" | "{" => open.push(anchor.clone()),
            "]" | "}" => drop(open.pop()),
            _ => {}
        }
        events.push(line(name, anchor.as_deref(), tag.as_deref(), &value));
    }
    Ok(events)
}

/// Returns what our tree holds.
pub(crate) fn actual(tree: &Tree) -> Events {
    let mut events = Events::new();
    for document in tree.documents() {
        events.push(line("document", None, None, ""));
        let Some(root) = document.root else { continue };
        // The ends of the open collections, as ids.
        let mut stack: Vec<(usize, &str)> = Vec::new();
        let mut pending = vec![tree.node(root)];
        while let Some(node) = pending.pop() {
            close(&mut stack, node.id().index(), &mut events);
            events.push(describe(node));
            let closing = match node.kind() {
                Kind::Sequence => "]",
                Kind::Mapping => "}",
                Kind::Scalar(_) | Kind::Alias(_) => continue,
            };
            stack.push((node.id().index() + node.subtree_len(), closing));
            let mut children: Vec<Node<'_>> = node.children().collect();
            children.reverse();
            pending.append(&mut children);
        }
        close(&mut stack, usize::MAX, &mut events);
    }
    events
}

fn close(stack: &mut Vec<(usize, &'static str)>, at: usize, events: &mut Events) {
    while let Some(&(end, name)) = stack.last()
        && end <= at
    {
        stack.pop();
        events.push(line(name, None, None, ""));
    }
}

fn describe(node: Node<'_>) -> String {
    match node.kind() {
        Kind::Scalar(scalar) => {
            let name = match scalar.style {
                Style::Plain => "plain",
                Style::SingleQuoted => "single",
                Style::DoubleQuoted => "double",
                Style::Literal => "literal",
                Style::Folded => "folded",
            };
            line(name, node.anchor(), scalar.tag, scalar.text)
        }
        Kind::Sequence => line("[", node.anchor(), node.tag(), ""),
        Kind::Mapping => line("{", node.anchor(), node.tag(), ""),
        Kind::Alias(target) => line("alias", target.anchor(), None, ""),
    }
}
