//! Finds what PyYAML cannot construct. It constructs every node of every document, also of those that Armada
//! then skips, so one such node makes Armada refuse the whole input (Armada: `yaml.safe_load_all`).
//!
//! Nodes are visited in PyYAML's order (`constructor.py`, `construct_document`): a collection is created
//! empty and filled later, first in, first out. The order matters for plain keys `=`: a mapping that was
//! filled before has them as strings where `!!omap` reads it afterwards.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use super::deliver::{Delivery, names_secret, wording};
use super::mapping::{is_merge, merge_refused, unhashable};
use super::scalar::pyyaml::{is_value_key, may_be_refused};
use super::scalar::{Dialect, Rejected, resolve};
use super::shape::{Shape, shape};
use super::tree::{Kind, Node, NodeId, Tree};
use crate::diagnostic::Diagnostics;

/// Reports every node of a file that PyYAML cannot construct.
pub fn check(tree: &Tree, diagnostics: &mut Diagnostics) {
    // Nearly all files hold ordinary nodes alone and need no walk.
    if tree.nodes().all(is_ordinary) {
        return;
    }
    let mut walk = Walk {
        seen: Marks::new(tree),
        flattened: Marks::new(tree),
        waiting: VecDeque::new(),
        diagnostics,
    };
    for root in tree.roots() {
        walk.visit(root, root, false);
        while let Some(collection) = walk.waiting.pop_front() {
            walk.fill(collection);
        }
    }
}

/// Returns whether PyYAML constructs a node wherever it stands: it has no tag, it is no scalar that is refused as
/// a value, as merge keys are, and no key of it is a list or a mapping.
fn is_ordinary(node: Node<'_>) -> bool {
    match node.kind() {
        _ if node.tag().is_some() => false,
        Kind::Scalar(scalar) => !may_be_refused(scalar) || resolve(scalar, Dialect::PyYaml).is_ok(),
        Kind::Sequence | Kind::Alias(_) => true,
        Kind::Mapping => {
            let mut keys = node.entries().map(|(key, _)| key.resolved().kind());
            keys.all(|key| matches!(key, Kind::Scalar(_)))
        }
    }
}

/// A set of nodes of one tree.
struct Marks(Vec<bool>);

impl Marks {
    fn new(tree: &Tree) -> Self {
        Self(vec![false; tree.len()])
    }

    /// Adds a node; returns whether it is new.
    fn add(&mut self, node: NodeId) -> bool {
        let mark = self.0.get_mut(node.index());
        mark.is_some_and(|mark| !std::mem::replace(mark, true))
    }

    fn has(&self, node: NodeId) -> bool {
        self.0.get(node.index()).copied().unwrap_or_default()
    }
}

/// A collection that was created and is not filled yet.
struct Collection<'t> {
    node: Node<'t>,
    shape: Shape,
    /// Below a key that names a secret.
    secret: bool,
}

struct Walk<'d, 't> {
    /// Nodes that were constructed: PyYAML constructs each once.
    seen: Marks,
    /// Mappings whose merge keys were followed and whose keys `=` became strings.
    flattened: Marks,
    waiting: VecDeque<Collection<'t>>,
    diagnostics: &'d mut Diagnostics,
}

impl<'t> Walk<'_, 't> {
    /// Constructs a node, or the node that an alias stands for; `place` is where a fault is reported.
    fn visit(&mut self, node: Node<'t>, place: Node<'t>, secret: bool) {
        let node = node.resolved();
        if !self.seen.add(node.id()) {
            return;
        }
        if let Kind::Scalar(scalar) = node.kind() {
            if let Err(reason) = resolve(scalar, Dialect::PyYaml) {
                self.reject(place, &reason, secret);
            }
            return;
        }
        match shape(node, Dialect::PyYaml) {
            Ok(Some(shape)) => self.waiting.push_back(Collection {
                node,
                shape,
                secret,
            }),
            Ok(None) => {}
            Err(reason) => self.reject(place, &reason, secret),
        }
    }

    fn fill(&mut self, collection: Collection<'t>) {
        let Collection {
            node,
            shape,
            secret,
        } = collection;
        match shape {
            Shape::List => {
                for item in node.children() {
                    self.visit(item, item.resolved(), secret);
                }
            }
            Shape::Map | Shape::Set => {
                for (key, value) in self.flatten(node) {
                    self.key(key, secret);
                    self.visit(value, value.resolved(), secret || names_secret(key));
                }
            }
            Shape::Pairs => {
                for item in node.children() {
                    self.pair(item, secret);
                }
            }
        }
    }

    /// Constructs a key, which has to be hashable. A plain `=` is a string here.
    fn key(&mut self, key: Node<'t>, secret: bool) {
        let Kind::Scalar(scalar) = key.resolved().kind() else {
            self.diagnostics.push(unhashable(key));
            return;
        };
        if !is_value_key(scalar) {
            self.visit(key, key, secret);
        }
    }

    /// Constructs an item of `!!omap` or `!!pairs`, whose own tag is not looked at.
    fn pair(&mut self, item: Node<'t>, secret: bool) {
        let mapping = item.resolved();
        let filled = self.flattened.has(mapping.id());
        let entries: Vec<_> = match (mapping.kind(), filled) {
            (Kind::Mapping, true) => self.flatten(mapping),
            (Kind::Mapping, false) => mapping.entries().collect(),
            (Kind::Scalar(_) | Kind::Sequence | Kind::Alias(_), _) => Vec::new(),
        };
        let [(key, value)] = entries.as_slice() else {
            let reason = Rejected::Text("an item of this list has to be a mapping of one entry");
            self.reject(item, &reason, secret);
            return;
        };
        let string = filled && key.scalar().is_some_and(is_value_key);
        if !string {
            self.visit(*key, *key, secret);
        }
        self.visit(*value, value.resolved(), secret || names_secret(*key));
    }

    /// Returns the entries of a mapping with merge keys followed (`flatten_mapping`). What is merged is not
    /// constructed as a mapping of its own, so its tag does not matter.
    fn flatten(&mut self, mapping: Node<'t>) -> Vec<(Node<'t>, Node<'t>)> {
        let mut entries = Vec::with_capacity(mapping.children().len() / 2);
        let mut merged = vec![mapping];
        while let Some(mapping) = merged.pop() {
            self.flattened.add(mapping.id());
            for (key, value) in mapping.entries() {
                if !is_merge(key, Dialect::PyYaml) {
                    entries.push((key, value));
                    continue;
                }
                let target = value.resolved();
                let sources: Vec<Node<'t>> = match target.kind() {
                    Kind::Sequence => target.children().collect(),
                    Kind::Mapping | Kind::Scalar(_) | Kind::Alias(_) => vec![value],
                };
                for source in sources {
                    match source.resolved().kind() {
                        Kind::Mapping => merged.push(source.resolved()),
                        Kind::Scalar(_) | Kind::Sequence | Kind::Alias(_) => {
                            self.diagnostics.push(merge_refused(source));
                        }
                    }
                }
            }
        }
        entries
    }

    fn reject(&mut self, place: Node<'t>, reason: &Rejected, secret: bool) {
        let diagnostic = wording::rejected(reason, secret, Delivery::Python);
        self.diagnostics.push(diagnostic.at(place.span(), ""));
    }
}
