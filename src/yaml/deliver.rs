//! From a document's node to what Helm really received.
//!
//! Armada does not hand a manifest's text to Helm: PyYAML reads it, `safe_dump` writes the values
//! again, and Helm reads that with go-yaml v2 into JSON. The last two disagree about which bare words
//! are strings, so what the author quoted may have reached Helm as a number or a truth value.
//! armada-go reads the manifest with go-yaml v2 alone.
//!
//! Sensitivity is decided here too, once for each leaf, and comments are put beside what they are about.

mod collision;
mod key;
mod leaf;
mod notes;
mod wording;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use self::key::Key;
use self::notes::{Notebook, Place};
use super::mapping;
use super::scalar::{Dialect, Rejected, TAG_PREFIX};
use super::tree::{Kind, Node, NodeId, Scalar};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::secret;
use crate::value::{Data, Entry, Mapping, Value};

/// Which reading of the values is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// As Helm got it from Armada: PyYAML, `safe_dump`, go-yaml v2, JSON float64.
    Python,
    /// As Helm got it from armada-go: go-yaml v2 on the source, JSON float64.
    Go,
    /// As the author wrote it: what PyYAML read.
    Written,
}

impl Delivery {
    /// Whose reading of the source decides about structure and keys.
    #[must_use]
    pub fn dialect(self) -> Dialect {
        match self {
            Delivery::Python | Delivery::Written => Dialect::PyYaml,
            Delivery::Go => Dialect::GoYamlV2,
        }
    }
}

/// Deepest nesting once aliases are followed. PyYAML's writer, recursive as it is, ends with an error
/// a little above 300 levels, so no release holds more.
pub(crate) const EXPANDED_DEPTH_LIMIT: usize = 300;

/// Makes the value of a node; faults and every place where delivered and written differ become diagnostics.
/// `None` when the values cannot be delivered at all (an error was reported).
pub fn deliver(node: Node<'_>, how: Delivery, diagnostics: &mut Diagnostics) -> Option<Value> {
    let (notebook, place) = Notebook::open(node);
    let mut walk = Walk {
        how,
        diagnostics,
        notebook,
        failed: false,
        root: node,
        met: BTreeSet::new(),
        echo: false,
    };
    let value = walk.root(node, place);
    let failed = walk.failed;
    (!failed).then_some(value)
}

/// The state of one delivery.
struct Walk<'d, 't> {
    how: Delivery,
    diagnostics: &'d mut Diagnostics,
    notebook: Notebook<'t>,
    failed: bool,
    root: Node<'t>,
    /// Nodes outside the values that aliases and merges led to.
    met: BTreeSet<NodeId>,
    /// Whether everything worth a warning was said when this node was met before.
    echo: bool,
}

/// What a collection's tag makes of it in PyYAML.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    List,
    Map,
    Set,
    Pairs,
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct At {
    /// Below a key that names a secret.
    secret: bool,
    /// Number of collections around it, aliases followed.
    depth: usize,
    place: Place,
}

impl<'t> Walk<'_, 't> {
    fn root(&mut self, node: Node<'t>, place: Place) -> Value {
        let at = At {
            secret: false,
            depth: 0,
            place,
        };
        let margin = self.notebook.between(node);
        let mut value = self.value(node, at);
        self.notebook.finish(node, margin, &mut value);
        for lost in self.notebook.take_lost() {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::CommentLost,
                    "a comment stands beside nothing that is written, so it is left out",
                )
                .at(lost, ""),
            );
        }
        value
    }

    fn value(&mut self, node: Node<'t>, at: At) -> Value {
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
                return self.elsewhere(target, |walk| walk.value(target, at));
            }
            Kind::Scalar(scalar) => return self.leaf(node, scalar, at.secret),
            Kind::Sequence | Kind::Mapping => node,
        };
        if at.depth >= EXPANDED_DEPTH_LIMIT {
            let message = format!(
                "values are nested more than {EXPANDED_DEPTH_LIMIT} levels deep once aliases are followed"
            );
            return self.refuse(node, Code::DepthLimit, &message, "nest less");
        }
        let at = At {
            depth: at.depth + 1,
            ..at
        };
        let Some(shape) = self.shape(target, at.secret) else {
            return Value::null();
        };
        let data = match shape {
            Shape::List => Data::Sequence(self.sequence(target, at)),
            Shape::Pairs => Data::Sequence(self.pairs(target, at)),
            Shape::Map | Shape::Set => Data::Mapping(self.mapping(target, shape, at)),
        };
        Value {
            span: Some(node.span()),
            ..data.into()
        }
    }

    /// Follows an alias or a merge to a node: its comments stay where it is defined, and warnings
    /// about it are given once.
    fn elsewhere<T>(&mut self, node: Node<'t>, follow: impl FnOnce(&mut Self) -> T) -> T {
        let paused = self.notebook.pause();
        let echo = self.echo || contains(self.root, node) || !self.met.insert(node.id());
        let outer = std::mem::replace(&mut self.echo, echo);
        let result = follow(self);
        self.echo = outer;
        self.notebook.resume(paused);
        result
    }

    /// Returns the entries of a mapping as the source's reader sees them.
    fn entries(&mut self, node: Node<'t>) -> Vec<mapping::Entry<'t>> {
        let mut again = Diagnostics::default();
        let echo = self.echo;
        let diagnostics = if echo {
            &mut again
        } else {
            &mut *self.diagnostics
        };
        let before = diagnostics.list().len();
        let entries = mapping::entries(node, self.how.dialect(), diagnostics);
        let said = diagnostics.list().get(before..).unwrap_or(&[]);
        let is_error = |said: &Diagnostic| said.code.severity() == Severity::Error;
        self.failed |= said.iter().any(is_error);
        entries
    }

    /// What a collection is to be; `None` after an error about its tag.
    fn shape(&mut self, node: Node<'t>, secret: bool) -> Option<Shape> {
        let plain = match node.kind() {
            Kind::Mapping => Shape::Map,
            Kind::Sequence | Kind::Scalar(_) | Kind::Alias(_) => Shape::List,
        };
        // go-yaml has no eyes for the tags of collections.
        let Some(tag) = node.tag().filter(|_| self.how != Delivery::Go) else {
            return Some(plain);
        };
        match (tag.strip_prefix(TAG_PREFIX), plain) {
            (None, _) if tag == "!" => return Some(plain),
            (Some("seq"), Shape::List) | (Some("map"), Shape::Map) => return Some(plain),
            (Some("set"), Shape::Map) => return Some(Shape::Set),
            (Some("omap" | "pairs"), Shape::List) => return Some(Shape::Pairs),
            (
                Some(
                    "seq" | "map" | "set" | "omap" | "pairs" | "str" | "int" | "float" | "bool"
                    | "null" | "binary" | "timestamp",
                ),
                _,
            ) => {
                let reason = Rejected::Text("a collection cannot have this tag");
                self.rejected(node, &reason, secret);
            }
            (_, _) => self.rejected(node, &Rejected::UnknownTag(tag.to_owned()), secret),
        }
        None
    }

    fn sequence(&mut self, node: Node<'t>, at: At) -> Vec<Value> {
        let mut items = node.items().peekable();
        let mut values: Vec<Value> = Vec::with_capacity(items.len());
        while let Some(item) = items.next() {
            let next = items.peek().map(|next| next.span().start());
            let place = at.place.inside(node, next);
            let margin = self.notebook.above_item(item);
            let mut value = self.value(item, At { place, ..at });
            self.notebook.attach(item, place, margin, &mut value);
            values.push(value);
        }
        self.notebook.below(node, at.place, values.last_mut());
        values
    }

    /// `!!omap` and `!!pairs`: Python holds tuples, which are written as lists of two.
    fn pairs(&mut self, node: Node<'t>, at: At) -> Vec<Value> {
        let paused = self.notebook.pause();
        let mut values = Vec::new();
        for item in node.items() {
            let mut entries = item.entries();
            let is_mapping = matches!(item.resolved().kind(), Kind::Mapping);
            let (Some((key, value)), None, true) = (entries.next(), entries.next(), is_mapping)
            else {
                let reason =
                    Rejected::Text("an item of this list has to be a mapping of one entry");
                self.rejected(item, &reason, at.secret);
                continue;
            };
            let at = At {
                depth: at.depth + 2,
                ..at
            };
            let secret = at.secret || names_secret(key);
            let pair = vec![self.value(key, at), self.value(value, At { secret, ..at })];
            values.push(Value {
                span: Some(item.span()),
                ..pair.into()
            });
        }
        self.notebook.resume(paused);
        values
    }

    fn mapping(&mut self, node: Node<'t>, shape: Shape, at: At) -> Mapping {
        let entries = self.entries(node);
        let mut keys: Vec<Key> = Vec::new();
        let mut mapping = Mapping::with_capacity(entries.len());
        let mut entries = entries.into_iter().peekable();
        let mut last_own = None;
        while let Some(entry) = entries.next() {
            let mapping::Entry { key, value, merged } = entry;
            let next = entries.peek().filter(|next| !next.merged);
            let place = at
                .place
                .inside(node, next.map(|next| next.key.span().start()));
            let at = At { place, ..at };
            let (key_made, content) = if merged {
                self.elsewhere(key, |walk| walk.entry(key, value, shape, at))
            } else {
                last_own = Some(mapping.len());
                let margin = self.notebook.above_entry(node, key, value);
                let (key, mut content) = self.entry(key, value, shape, at);
                self.notebook.attach(value, place, margin, &mut content);
                (key, content)
            };
            // An error was reported; the mapping will not be used.
            let Some(key_made) = key_made else { continue };
            collision::remember(&mut keys, &mapping, &key_made);
            mapping.push(Entry {
                key: key_made.text,
                key_span: Some(key.span()),
                value: content,
            });
        }
        let last = last_own.and_then(|at| mapping.entries_mut().get_mut(at));
        self.notebook
            .below(node, at.place, last.map(|entry| &mut entry.value));
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
        at: At,
    ) -> (Option<Key>, Value) {
        let made = self.key(key);
        let secret = at.secret || names_secret(key);
        let content = match shape {
            Shape::Set => self.member(value, secret),
            Shape::Map | Shape::List | Shape::Pairs => self.value(value, At { secret, ..at }),
        };
        (made, content)
    }

    /// Returns a member of a `!!set`; Python drops what is given beside it.
    fn member(&mut self, value: Node<'t>, secret: bool) -> Value {
        let empty = value
            .scalar()
            .is_some_and(|scalar| matches!(leaf::python(scalar), Ok(super::scalar::Typed::Null)));
        if !empty {
            let message = match secret {
                true => "a value beside a member of a set did not reach Helm",
                false => "what stands beside a member of a set did not reach Helm, which got null",
            };
            self.retyped(value, message.to_owned());
        }
        Value {
            span: Some(value.span()),
            ..Value::null()
        }
    }

    /// Reports an error about a node, whose value is then of no use.
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
        if !self.echo {
            let diagnostic = Diagnostic::new(code, message).at(node.span(), "");
            self.diagnostics.push(diagnostic.help(help));
        }
    }
}

/// Returns whether `inner` stands inside `outer`.
fn contains(outer: Node<'_>, inner: Node<'_>) -> bool {
    let (outer_at, inner_at) = (outer.id().index(), inner.id().index());
    outer_at <= inner_at && inner_at < outer_at + outer.subtree_len()
}

fn names_secret(key: Node<'_>) -> bool {
    key.scalar().is_some_and(
        |Scalar {
             text,
             style: _,
             tag: _,
         }| secret::key_names_secret(text),
    )
}
