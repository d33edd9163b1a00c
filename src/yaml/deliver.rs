//! Converts a node of a document into the value that Helm received.
//!
//! Armada does not pass the text of a manifest to Helm: PyYAML reads it, `safe_dump` writes the values again,
//! and Helm reads that with go-yaml v2 into JSON. The last two disagree about which plain scalars are
//! strings, so a string that the author quoted may have reached Helm as a number or a boolean. armada-go
//! reads the manifest with go-yaml v2 alone.
//!
//! Sensitivity is decided here, too, once for each leaf (`secret::Below`), and comments are attached to the values that they
//! are about.

mod collision;
mod key;
mod leaf;
mod notes;
pub(super) mod wording;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use self::key::Key;
use self::notes::{CommentCursor, Place};
use super::mapping;
use super::scalar::{Dialect, Rejected};
use super::shape::{Shape, shape};
use super::tree::{Kind, Node, NodeId};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::secret::{self, Below};
use crate::value::{Data, Entry, Mapping, Value};

/// The reading of the values that the output has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// As Helm received it from Armada: PyYAML, `safe_dump`, go-yaml v2, JSON float64.
    Python,
    /// As Helm received it from armada-go: go-yaml v2 on the source, JSON float64.
    Go,
    /// As the author wrote it: what PyYAML read.
    Written,
}

impl Delivery {
    /// Returns the dialect that decides about structure and keys.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        match self {
            Delivery::Python | Delivery::Written => Dialect::PyYaml,
            Delivery::Go => Dialect::GoYamlV2,
        }
    }
}

/// The deepest nesting once aliases are followed. PyYAML's writer is recursive and fails a little above 300
/// levels, so no release holds more.
pub(crate) const EXPANDED_DEPTH_LIMIT: usize = 300;

/// Converts a node to a value. Faults, and all places where the delivered value differs from the written one,
/// become diagnostics. Returns `None` after an error.
pub fn deliver(node: Node<'_>, how: Delivery, diagnostics: &mut Diagnostics) -> Option<Value> {
    let (comments, place) = CommentCursor::new(node);
    let mut walk = Walk {
        how,
        diagnostics,
        comments,
        failed: false,
        root: node,
        visited: BTreeSet::new(),
        already_reported: false,
    };
    let value = walk.root(node, place);
    let failed = walk.failed;
    (!failed).then_some(value)
}

/// The state of one delivery.
struct Walk<'d, 't> {
    how: Delivery,
    diagnostics: &'d mut Diagnostics,
    comments: CommentCursor<'t>,
    failed: bool,
    root: Node<'t>,
    /// Nodes outside of the values that were reached by aliases and merge keys.
    visited: BTreeSet<NodeId>,
    /// Whether the warnings about this node were reported on an earlier visit.
    already_reported: bool,
}

/// What surrounds a value.
#[derive(Clone, Copy)]
struct Context {
    below: Below,
    /// The number of collections around it, with aliases followed.
    depth: usize,
    place: Place,
}

impl<'t> Walk<'_, 't> {
    fn root(&mut self, node: Node<'t>, place: Place) -> Value {
        let context = Context {
            below: Below::Open,
            depth: 0,
            place,
        };
        let pending = self.comments.between(node);
        let mut value = self.value(node, context);
        self.comments.finish(node, pending, &mut value);
        for lost in self.comments.take_lost() {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::CommentLost,
                    "a comment belongs to nothing that is written, so it is left out",
                )
                .at(lost, ""),
            );
        }
        value
    }

    fn value(&mut self, node: Node<'t>, context: Context) -> Value {
        let target = match node.kind() {
            Kind::Alias(target) => {
                if contains(target, node) {
                    return self.refuse(
                        node,
                        Code::AliasLimit,
                        "an anchor contains itself, which Helm refuses",
                        "write the value out",
                    );
                }
                return self.follow_reference(target, |walk| walk.value(target, context));
            }
            Kind::Scalar(scalar) => return self.leaf(node, scalar, context.below),
            Kind::Sequence | Kind::Mapping => node,
        };
        if context.depth >= EXPANDED_DEPTH_LIMIT {
            let message = format!(
                "values are nested more than {EXPANDED_DEPTH_LIMIT} levels deep once aliases are followed"
            );
            return self.refuse(node, Code::DepthLimit, &message, "nest less");
        }
        let context = Context {
            depth: context.depth + 1,
            ..context
        };
        let Some(shape) = self.shape(target, context.below.names_secret()) else {
            return Value::null();
        };
        let data = match shape {
            Shape::List => Data::Sequence(self.sequence(target, context)),
            Shape::Pairs => Data::Sequence(self.pairs(target, context)),
            Shape::Map | Shape::Set => Data::Mapping(self.mapping(target, shape, context)),
        };
        Value {
            span: Some(node.span()),
            ..data.into()
        }
    }

    /// Follows an alias or a merge key to a node. The comments of the node stay where it is defined, and
    /// warnings about it are reported once.
    fn follow_reference<T>(&mut self, node: Node<'t>, follow: impl FnOnce(&mut Self) -> T) -> T {
        let paused = self.comments.pause();
        let already_reported =
            self.already_reported || contains(self.root, node) || !self.visited.insert(node.id());
        let outer = std::mem::replace(&mut self.already_reported, already_reported);
        let result = follow(self);
        self.already_reported = outer;
        self.comments.resume(paused);
        result
    }

    /// Returns the entries of a mapping as the source's reader sees them.
    fn entries(&mut self, node: Node<'t>) -> Vec<mapping::Entry<'t>> {
        let mut discarded = Diagnostics::default();
        let diagnostics = if self.already_reported {
            &mut discarded
        } else {
            &mut *self.diagnostics
        };
        let before = diagnostics.list().len();
        let entries = mapping::entries(node, self.how.dialect(), diagnostics);
        let added = diagnostics.list().get(before..).unwrap_or(&[]);
        self.failed |= added
            .iter()
            .any(|diagnostic| diagnostic.code.severity() == Severity::Error);
        entries
    }

    /// Returns the type of a collection; `None` after an error about its tag.
    fn shape(&mut self, node: Node<'t>, secret: bool) -> Option<Shape> {
        match shape(node, self.how.dialect()) {
            Ok(shape) => shape,
            Err(reason) => {
                self.rejected(node, &reason, secret);
                None
            }
        }
    }

    fn sequence(&mut self, node: Node<'t>, context: Context) -> Vec<Value> {
        let mut items = node.items().peekable();
        let mut walk = context.below.items();
        let mut values: Vec<Value> = Vec::with_capacity(items.len());
        while let Some(item) = items.next() {
            let next = items.peek().map(|next| next.span().start());
            let place = context.place.inside(node, next);
            let pending = self.comments.above_item(item);
            let text = item.resolved().scalar().map(|scalar| scalar.text);
            let below = walk.next(text);
            let context = Context {
                place,
                below,
                ..context
            };
            let mut value = self.value(item, context);
            self.comments.attach(item, place, pending, &mut value);
            values.push(value);
        }
        self.comments.below(node, context.place, values.last_mut());
        values
    }

    /// Converts `!!omap` and `!!pairs`, which are lists of tuples in Python: each is written as a list of
    /// two.
    fn pairs(&mut self, node: Node<'t>, context: Context) -> Vec<Value> {
        let paused = self.comments.pause();
        let mut values = Vec::new();
        for item in node.items() {
            let mut entries = item.entries();
            let is_mapping = matches!(item.resolved().kind(), Kind::Mapping);
            let (Some((key, value)), None, true) = (entries.next(), entries.next(), is_mapping)
            else {
                let reason =
                    Rejected::Text("an item of this list has to be a mapping of one entry");
                self.rejected(item, &reason, context.below.names_secret());
                continue;
            };
            let context = Context {
                depth: context.depth + 2,
                ..context
            };
            let below = context.below.entry(key_text(key), |_| None);
            let pair = vec![
                self.value(key, context),
                self.value(value, Context { below, ..context }),
            ];
            values.push(Value {
                span: Some(item.span()),
                ..pair.into()
            });
        }
        self.comments.resume(paused);
        values
    }

    fn mapping(&mut self, node: Node<'t>, shape: Shape, context: Context) -> Mapping {
        let entries = self.entries(node);
        let has = |name: &str| text_of(&entries, name).is_some();
        let below = context.below.mapping(has);
        let context = Context { below, ..context };
        let mut keys: Vec<Key> = Vec::new();
        let mut mapping = Mapping::with_capacity(entries.len());
        let mut last_own = None;
        for (at, entry) in entries.iter().enumerate() {
            let mapping::Entry { key, value, merged } = *entry;
            let next = entries.get(at + 1).filter(|next| !next.merged);
            let below = context
                .below
                .entry(key_text(key), |name| text_of(&entries, name));
            let place = context
                .place
                .inside(node, next.map(|next| next.key.span().start()));
            let context = Context {
                place,
                below,
                ..context
            };
            let (key_made, content) = if merged {
                self.follow_reference(key, |walk| walk.entry(key, value, shape, context))
            } else {
                last_own = Some(mapping.len());
                let pending = self.comments.above_entry(node, key, value);
                let (key, mut content) = self.entry(key, value, shape, context);
                self.comments.attach(value, place, pending, &mut content);
                (key, content)
            };
            // An error was reported, so the mapping will not be used.
            let Some(key_made) = key_made else { continue };
            collision::remember(&mut keys, &mapping, &key_made);
            mapping.push(Entry {
                key: key_made.text,
                key_span: Some(key.span()),
                value: content,
            });
        }
        let last = last_own.and_then(|at| mapping.entries_mut().make_mut().get_mut(at));
        self.comments
            .below(node, context.place, last.map(|entry| &mut entry.value));
        if keys.is_empty() {
            return mapping;
        }
        self.settle_collisions(mapping, &keys)
    }

    fn entry(
        &mut self,
        key: Node<'t>,
        value: Node<'t>,
        shape: Shape,
        context: Context,
    ) -> (Option<Key>, Value) {
        let made = self.key(key);
        let content = match shape {
            Shape::Set => self.member(value, context.below.names_secret()),
            Shape::Map | Shape::List | Shape::Pairs => self.value(value, context),
        };
        (made, content)
    }

    /// Converts a member of a `!!set`. Python drops a value beside it.
    fn member(&mut self, value: Node<'t>, secret: bool) -> Value {
        let empty = value
            .scalar()
            .is_some_and(|scalar| matches!(leaf::python(scalar), Ok(super::scalar::Typed::Null)));
        if !empty {
            let message = match secret {
                true => "the value of a member of a set did not reach Helm",
                false => "the value of a member of a set did not reach Helm, which received null",
            };
            self.retyped(value, message.to_owned());
        }
        Value {
            span: Some(value.span()),
            ..Value::null()
        }
    }

    /// Reports an error about a node. Its value must not be used.
    fn refuse(&mut self, node: Node<'_>, code: Code, message: &str, help: &str) -> Value {
        self.failed = true;
        self.diagnostics.push(
            Diagnostic::new(code, message)
                .at(node.span(), "")
                .help(help),
        );
        Value::null()
    }

    fn rejected(&mut self, node: Node<'_>, reason: &Rejected, secret: bool) {
        self.failed = true;
        let diagnostic = wording::rejected(reason, secret, self.how);
        self.diagnostics.push(diagnostic.at(node.span(), ""));
    }

    fn retyped(&mut self, node: Node<'_>, message: String) {
        self.warn(node, Code::ValueRetyped, message, wording::help(self.how));
    }

    fn warn(&mut self, node: Node<'_>, code: Code, message: String, help: &str) {
        if !self.already_reported {
            let diagnostic = Diagnostic::new(code, message).at(node.span(), "");
            self.diagnostics.push(diagnostic.help(help));
        }
    }
}

/// Returns whether `inner` is a descendant of `outer` or the same node.
fn contains(outer: Node<'_>, inner: Node<'_>) -> bool {
    let (outer_at, inner_at) = (outer.id().index(), inner.id().index());
    outer_at <= inner_at && inner_at < outer_at + outer.subtree_len()
}

fn key_text(key: Node<'_>) -> &str {
    key.scalar().map_or("", |scalar| scalar.text)
}

/// Returns the text of the value under a key, with aliases followed.
fn text_of<'t>(entries: &[mapping::Entry<'t>], name: &str) -> Option<&'t str> {
    let entry = entries.iter().find(|entry| key_text(entry.key) == name)?;
    entry.value.resolved().scalar().map(|scalar| scalar.text)
}

/// Returns whether a key names a secret by itself.
pub(super) fn names_secret(key: Node<'_>) -> bool {
    secret::key_names_secret(key_text(key))
}
