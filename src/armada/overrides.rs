//! `--values` and `--set`: changes to documents before they are decoded (Armada:
//! handlers/override.py).
//!
//! Files come first, in order, then the arguments, in order. Both are merged into a document's `data`
//! mapping by mapping; lists are replaced, and a string over a list is split at its commas. What Armada
//! leaves to a Python error is a diagnostic here.

mod argument;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::gate::Version;
use crate::source::{FileId, Span};
use crate::yaml::graft::{MAX_DEPTH, NodeRef};
use crate::yaml::scalar::{self, Typed};
use crate::yaml::shape::is_mapping as is_mapping_node;
use crate::yaml::{Dialect, Node, Overlay, Tree, mapping};

use super::head::{ArmadaKind, armada_schema};

use argument::{Argument, Branch, Content};

pub use argument::shown;

/// A `--set` argument and the file with its printable form.
#[derive(Clone, Debug)]
pub struct Set {
    /// The argument as given.
    pub argument: String,
    /// The file with the result of [`shown`].
    pub file: FileId,
}

/// Changes `trees` by the documents of the files `values`, then by the arguments `sets`.
///
/// Returns a tree for each of `trees`: `None` where nothing changed. Faults are diagnostics; a document
/// that matches nothing is warned of.
#[must_use]
pub fn apply(
    trees: &[Tree],
    values: &[Tree],
    sets: &[Set],
    dialect: Dialect,
    diagnostics: &mut Diagnostics,
) -> Vec<Option<Tree>> {
    if values.is_empty() && sets.is_empty() {
        return trees.iter().map(|_| None).collect();
    }
    let mut run = Run {
        dialect,
        targets: Vec::new(),
        overlays: trees
            .iter()
            .map(|tree| Overlay::new(tree, dialect))
            .collect(),
        changed: trees.iter().map(|_| Vec::new()).collect(),
        diagnostics,
    };
    run.find_targets(trees);
    for node in values.iter().flat_map(Tree::roots) {
        run.merge_document(node);
    }
    for set in sets {
        run.merge_argument(set);
    }
    let Run {
        overlays,
        changed,
        diagnostics,
        ..
    } = run;
    let edited = overlays.into_iter().zip(changed);
    edited
        .map(|(overlay, changed)| {
            (!changed.is_empty()).then(|| overlay.finish(&changed, diagnostics))
        })
        .collect()
}

/// A document that overrides may change.
#[derive(Clone, Debug)]
struct Target {
    kind: ArmadaKind,
    version: Version,
    name: String,
    tree: usize,
    /// Position in its tree.
    document: usize,
    /// Its body, if that is a mapping.
    data: Option<NodeRef>,
    span: Span,
}

struct Run<'t, 'd> {
    dialect: Dialect,
    targets: Vec<Target>,
    overlays: Vec<Overlay<'t>>,
    /// Positions of changed documents by tree.
    changed: Vec<Vec<usize>>,
    diagnostics: &'d mut Diagnostics,
}

/// The override of a value.
#[derive(Clone, Copy)]
enum Over<'a> {
    /// A node of an override file.
    Node(Node<'a>),
    /// A part of an argument.
    Branch(&'a Branch),
}

impl Run<'_, '_> {
    fn find_targets(&mut self, trees: &[Tree]) {
        for (tree, of_tree) in trees.iter().enumerate() {
            for (document, of_document) in of_tree.documents().iter().enumerate() {
                let Some(root) = of_document.root.map(|root| of_tree.node(root)) else {
                    continue;
                };
                let Some((kind, version, Some(name))) = identify(root, self.dialect) else {
                    continue;
                };
                let data = field(root, "data", self.dialect)
                    .filter(|data| is_mapping_node(*data, self.dialect));
                self.targets.push(Target {
                    kind,
                    version,
                    name,
                    tree,
                    document,
                    data: data.map(|data| self.overlays[tree].node_ref(data)),
                    span: root.span(),
                });
            }
        }
    }

    /// Merges a document of an override file.
    fn merge_document(&mut self, root: Node<'_>) {
        let identity = identify(root, self.dialect);
        let target = identity.and_then(|(kind, version, name)| {
            let name = name?;
            let mut targets = self.targets.iter();
            targets
                .find(|t| t.kind == kind && t.version == version && t.name == name)
                .cloned()
        });
        let Some(target) = target else {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::OverrideUnmatched,
                    "a document of an override file matches no document of the input",
                )
                .at(root.span(), "changes nothing")
                .help("schema, version and metadata.name must be those of a document; correct or remove it"),
            );
            return;
        };
        let Some(data) = field(root, "data", self.dialect) else {
            return;
        };
        if !is_mapping_node(data, self.dialect) {
            self.refuse(
                "`data` of an override file's document is not a mapping",
                data.span(),
            );
            return;
        }
        self.merge_into(&target, Over::Node(data));
    }

    /// Merges an argument.
    fn merge_argument(&mut self, set: &Set) {
        let argument = match Argument::parse(&set.argument, set.file) {
            Ok(argument) => argument,
            Err(fault) => {
                let act = format!("`--set`: {}", fault.message);
                self.refuse(act, fault.span);
                return;
            }
        };
        let mut targets = self.targets.iter();
        // Any version of the kind matches (Armada: `find_manifest_document`).
        let target = targets
            .find(|t| t.kind == argument.kind && t.name == argument.name.value)
            .cloned();
        match target {
            Some(target) => self.merge_into(&target, Over::Branch(&argument.data)),
            None => {
                let act = format!("`--set`: the input holds no {} of that name", argument.kind);
                self.refuse(act, argument.name.span);
            }
        }
    }

    fn merge_into(&mut self, target: &Target, over: Over<'_>) {
        let Some(data) = target.data else {
            let span = match over {
                Over::Node(node) => node.span(),
                Over::Branch(branch) => branch.span,
            };
            let message = format!(
                "{} `{}` has no mapping `data` to change",
                target.kind, target.name
            );
            self.diagnostics.push(
                Diagnostic::new(Code::OverrideInvalid, message)
                    .at(span, "this override")
                    .at(target.span, "this document")
                    .help("add the body of the document"),
            );
            return;
        };
        self.changed[target.tree].push(target.document);
        self.merge(target.tree, data, over, 0);
    }

    /// Merges `over`, which is a mapping, into the mapping `into`.
    fn merge(&mut self, tree: usize, into: NodeRef, over: Over<'_>, depth: usize) {
        if depth > MAX_DEPTH {
            let span = over_span(over);
            self.too_deep(span);
            return;
        }
        match over {
            Over::Node(node) => {
                for entry in mapping::entries(node, self.dialect, self.diagnostics) {
                    let Some(key) = self.key_of(entry.key) else {
                        continue;
                    };
                    let Ok(part) = self.overlays[tree].copy(entry.key, self.diagnostics) else {
                        continue;
                    };
                    self.merge_entry(tree, into, (part, &key), Over::Node(entry.value), depth);
                }
            }
            Over::Branch(branch) => {
                if let Content::Branches(branches) = &branch.content {
                    for (name, branch) in branches {
                        let key = Typed::String(name.value.as_str().into());
                        let part = self.overlays[tree].string(&name.value, name.span);
                        self.merge_entry(tree, into, (part, &key), Over::Branch(branch), depth);
                    }
                }
            }
        }
    }

    /// Returns the value of a key; invalid keys were reported when the mapping was read.
    fn key_of<'n>(&self, key: Node<'n>) -> Option<Typed<'n>> {
        scalar::resolve_key(key.scalar()?, self.dialect).ok()
    }

    fn merge_entry(
        &mut self,
        tree: usize,
        into: NodeRef,
        (key, typed): (NodeRef, &Typed<'_>),
        over: Over<'_>,
        depth: usize,
    ) {
        let old = self.overlays[tree].get(into, typed, self.diagnostics);
        if is_mapping(over, self.dialect) {
            match old {
                None => {
                    let new = self.overlays[tree].mapping(over_span(over));
                    self.overlays[tree].set(into, key, new, self.diagnostics);
                    self.merge(tree, new, over, depth + 1);
                }
                Some(old) if self.overlays[tree].is_mapping(old) => {
                    self.merge(tree, old, over, depth + 1);
                }
                // Python's loop over an empty mapping changes nothing.
                Some(_) if is_empty(over) => {}
                Some(old) => self.not_a_mapping(over, self.overlays[tree].span(old)),
            }
            return;
        }
        let text = text_of(over, self.dialect);
        let overlay = &mut self.overlays[tree];
        let new = match text {
            Some(text) if old.is_some_and(|old| overlay.is_sequence(old)) => {
                let span = over_span(over);
                let items = text
                    .split(',')
                    .map(|item| overlay.string(item.trim_matches(is_space), span))
                    .collect();
                Some(overlay.sequence(items, span))
            }
            _ => match over {
                Over::Node(node) => overlay.copy(node, self.diagnostics).ok(),
                Over::Branch(branch) => match &branch.content {
                    Content::Text(text) => Some(overlay.string(text, branch.span)),
                    Content::Branches(_) => None,
                },
            },
        };
        match new {
            Some(new) => overlay.set(into, key, new, self.diagnostics),
            None => self.too_deep(over_span(over)),
        }
    }

    fn not_a_mapping(&mut self, over: Over<'_>, old: Span) {
        self.diagnostics.push(
            Diagnostic::new(
                Code::OverrideInvalid,
                "an override leads below a value that is not a mapping",
            )
            .at(over_span(over), "leads below the value")
            .at(old, "this value")
            .help("Armada ends with a Python error here; replace the whole value, or correct the path"),
        );
    }

    fn too_deep(&mut self, span: Span) {
        let message = format!("an override is nested deeper than {MAX_DEPTH}");
        self.diagnostics
            .push(Diagnostic::new(Code::DepthLimit, message).at(span, "too deep"));
    }

    fn refuse(&mut self, message: impl Into<String>, span: Span) {
        self.diagnostics.push(
            Diagnostic::new(Code::OverrideInvalid, message)
                .at(span, "here")
                .help("Armada ends with an error and deploys nothing; see docs/diagnostics.md"),
        );
    }
}

/// Returns the characters that Python's `str.strip` removes.
fn is_space(letter: char) -> bool {
    letter.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&letter)
}

fn over_span(over: Over<'_>) -> Span {
    match over {
        Over::Node(node) => node.span(),
        Over::Branch(branch) => branch.span,
    }
}

fn is_mapping(over: Over<'_>, dialect: Dialect) -> bool {
    match over {
        Over::Node(node) => is_mapping_node(node, dialect),
        Over::Branch(branch) => matches!(branch.content, Content::Branches(_)),
    }
}

fn is_empty(over: Over<'_>) -> bool {
    match over {
        Over::Node(node) => node.entries().next().is_none(),
        Over::Branch(branch) => matches!(&branch.content, Content::Branches(of) if of.is_empty()),
    }
}

/// Returns the string that overrides a value.
fn text_of(over: Over<'_>, dialect: Dialect) -> Option<String> {
    match over {
        Over::Node(node) => match scalar::resolve(node.scalar()?, dialect) {
            Ok(Typed::String(text)) => Some(text.into_owned()),
            Ok(_) | Err(_) => None,
        },
        Over::Branch(branch) => match &branch.content {
            Content::Text(text) => Some(text.clone()),
            Content::Branches(_) => None,
        },
    }
}

/// Kind, version and name of an Armada document.
fn identify(root: Node<'_>, dialect: Dialect) -> Option<(ArmadaKind, Version, Option<String>)> {
    let schema = field(root, "schema", dialect)?.scalar()?;
    let (kind, version) = armada_schema(schema.text)?;
    let name = field(root, "metadata", dialect)
        .and_then(|metadata| field(metadata, "name", dialect))
        .and_then(|name| text_of(Over::Node(name), dialect));
    Some((kind, version, name))
}

/// Returns the value under a key. Faults of the mapping are reported when it is decoded.
fn field<'n>(node: Node<'n>, key: &str, dialect: Dialect) -> Option<Node<'n>> {
    if !is_mapping_node(node, dialect) {
        return None;
    }
    let entries = mapping::entries(node, dialect, &mut Diagnostics::default());
    let found = entries
        .into_iter()
        .find(|entry| entry.key.scalar().is_some_and(|scalar| scalar.text == key));
    found.map(|entry| entry.value)
}
