//! Edits documents: an [`Overlay`] records changes to a [`Tree`] and writes a new tree.
//!
//! Nodes of other origin (an override file, an argument) keep their place, so diagnostics about them point
//! there.
//!
//! Objects are shared as in PyYAML: an anchored mapping and all its aliases are one object, and so are a
//! value and the same value where `<<` merged it in. A change through one of them changes all.

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostics;
use crate::source::Span;

use super::mapping;
use super::scalar::{self, Dialect, Typed};
use super::shape::{self, Shape, shape};
use super::tree::{Builder, Kind, Node, NodeId, Scalar, Style, Text, Tree};

/// The deepest nesting of grafted nodes.
pub(crate) const MAX_DEPTH: usize = 200;

/// A grafted node is nested deeper than [`MAX_DEPTH`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nested deeper than {MAX_DEPTH}")]
pub(crate) struct TooDeep;

/// A node of the base tree or a grafted one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum NodeRef {
    /// A node of the base tree; never an alias.
    Base(NodeId),
    /// A grafted node, by its number.
    Graft(usize),
}

/// A grafted node.
enum Graft {
    Scalar {
        text: Box<str>,
        style: Style,
        tag: Option<Box<str>>,
        span: Span,
    },
    Sequence {
        items: Vec<NodeRef>,
        tag: Option<Box<str>>,
        span: Span,
    },
    /// Its entries are in [`Overlay::opened`].
    Mapping { tag: Option<Box<str>>, span: Span },
}

/// Changes to a tree.
pub(crate) struct Overlay<'t> {
    base: &'t Tree,
    dialect: Dialect,
    /// The entries of grafted mappings, and of mappings of the base tree that were read or changed.
    opened: BTreeMap<NodeRef, Vec<(NodeRef, NodeRef)>>,
    grafts: Vec<Graft>,
}

impl std::fmt::Debug for Overlay<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Grafts may hold passwords.
        f.debug_struct("Overlay")
            .field("opened", &self.opened.len())
            .field("grafts", &self.grafts.len())
            .finish_non_exhaustive()
    }
}

impl<'t> Overlay<'t> {
    /// Makes an overlay without changes.
    #[must_use]
    pub(crate) fn new(base: &'t Tree, dialect: Dialect) -> Self {
        Self {
            base,
            dialect,
            opened: BTreeMap::new(),
            grafts: Vec::new(),
        }
    }

    /// Returns the reference to a node of the base tree.
    #[must_use]
    pub(crate) fn node_ref(&self, node: Node<'_>) -> NodeRef {
        NodeRef::Base(node.resolved().id())
    }

    /// Returns the place of a node.
    #[must_use]
    pub(crate) fn span(&self, node: NodeRef) -> Span {
        match node {
            NodeRef::Base(id) => self.base.node(id).span(),
            NodeRef::Graft(at) => match &self.grafts[at] {
                Graft::Scalar { span, .. }
                | Graft::Sequence { span, .. }
                | Graft::Mapping { span, .. } => *span,
            },
        }
    }

    /// Returns whether a node is a mapping.
    #[must_use]
    pub(crate) fn is_mapping(&self, node: NodeRef) -> bool {
        match node {
            NodeRef::Base(id) => shape::is_mapping(self.base.node(id), self.dialect),
            // A grafted mapping with a tag is a set, or go-yaml reads it.
            NodeRef::Graft(at) => match &self.grafts[at] {
                Graft::Mapping { tag, .. } => tag.is_none() || self.dialect != Dialect::PyYaml,
                Graft::Scalar { .. } | Graft::Sequence { .. } => false,
            },
        }
    }

    /// Returns whether a node is a list.
    #[must_use]
    pub(crate) fn is_sequence(&self, node: NodeRef) -> bool {
        match node {
            NodeRef::Base(id) => shape::is_list(self.base.node(id), self.dialect),
            NodeRef::Graft(at) => matches!(&self.grafts[at], Graft::Sequence { .. }),
        }
    }

    fn scalar(&self, node: NodeRef) -> Option<Scalar<'_>> {
        match node {
            NodeRef::Base(id) => self.base.node(id).scalar(),
            NodeRef::Graft(at) => match &self.grafts[at] {
                Graft::Scalar {
                    text, style, tag, ..
                } => Some(Scalar {
                    text,
                    style: *style,
                    tag: tag.as_deref(),
                }),
                Graft::Sequence { .. } | Graft::Mapping { .. } => None,
            },
        }
    }

    /// Returns the value under `key` of a mapping.
    pub(crate) fn get(
        &mut self,
        mapping: NodeRef,
        key: &Typed<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<NodeRef> {
        let at = self.find(mapping, key, diagnostics)?;
        Some(self.entries(mapping, diagnostics).get(at)?.1)
    }

    /// Sets the value under `key` of a mapping: in place if the key exists, else at the end.
    pub(crate) fn set(
        &mut self,
        mapping: NodeRef,
        key: NodeRef,
        value: NodeRef,
        diagnostics: &mut Diagnostics,
    ) {
        let typed = self
            .scalar(key)
            .and_then(|scalar| scalar::resolve_key(scalar, self.dialect).ok())
            .map(Typed::into_owned);
        let at = typed.and_then(|typed| self.find(mapping, &typed, diagnostics));
        let entries = self.entries(mapping, diagnostics);
        match at.and_then(|at| entries.get_mut(at)) {
            Some((_, old)) => *old = value,
            None => entries.push((key, value)),
        }
    }

    fn find(
        &mut self,
        mapping: NodeRef,
        key: &Typed<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<usize> {
        let keys: Vec<NodeRef> = self
            .entries(mapping, diagnostics)
            .iter()
            .map(|(key, _)| *key)
            .collect();
        keys.into_iter().position(|other| {
            self.scalar(other)
                .is_some_and(|scalar| scalar::resolve_key(scalar, self.dialect).as_ref() == Ok(key))
        })
    }

    /// Returns the entries of a mapping for changes; empty for other nodes.
    fn entries(
        &mut self,
        mapping: NodeRef,
        diagnostics: &mut Diagnostics,
    ) -> &mut Vec<(NodeRef, NodeRef)> {
        let base = self.base;
        let dialect = self.dialect;
        self.opened.entry(mapping).or_insert_with(|| match mapping {
            NodeRef::Base(id) => {
                let base_ref = |node: Node<'_>| NodeRef::Base(node.resolved().id());
                mapping::entries(base.node(id), dialect, diagnostics)
                    .into_iter()
                    .map(|entry| (base_ref(entry.key), base_ref(entry.value)))
                    .collect()
            }
            NodeRef::Graft(_) => Vec::new(),
        })
    }

    /// Makes a string.
    pub(crate) fn string(&mut self, text: &str, span: Span) -> NodeRef {
        self.graft(Graft::Scalar {
            text: text.into(),
            style: Style::DoubleQuoted,
            tag: None,
            span,
        })
    }

    /// Makes a list.
    pub(crate) fn sequence(&mut self, items: Vec<NodeRef>, span: Span) -> NodeRef {
        self.graft(Graft::Sequence {
            items,
            tag: None,
            span,
        })
    }

    /// Makes an empty mapping.
    pub(crate) fn mapping(&mut self, span: Span) -> NodeRef {
        self.graft(Graft::Mapping { tag: None, span })
    }

    /// Copies a node of another tree, with merge keys and aliases followed.
    ///
    /// # Errors
    /// When it is nested deeper than [`MAX_DEPTH`].
    pub(crate) fn copy(
        &mut self,
        node: Node<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Result<NodeRef, TooDeep> {
        self.copy_at(node, 0, diagnostics)
    }

    fn copy_at(
        &mut self,
        node: Node<'_>,
        depth: usize,
        diagnostics: &mut Diagnostics,
    ) -> Result<NodeRef, TooDeep> {
        if depth > MAX_DEPTH {
            return Err(TooDeep);
        }
        let span = node.span();
        // A tag without effect is not kept.
        let tag = match shape(node, self.dialect) {
            Ok(Some(Shape::List | Shape::Map)) => None,
            Ok(Some(Shape::Set | Shape::Pairs) | None) | Err(_) => node.resolved().tag(),
        };
        let tag = tag.map(Into::into);
        let graft = match node.resolved().kind() {
            Kind::Scalar(scalar) => Graft::Scalar {
                text: scalar.text.into(),
                style: scalar.style,
                tag,
                span,
            },
            Kind::Sequence => {
                let mut items = Vec::new();
                for item in node.items() {
                    items.push(self.copy_at(item, depth + 1, diagnostics)?);
                }
                Graft::Sequence { items, tag, span }
            }
            Kind::Mapping | Kind::Alias(_) => {
                let mut entries = Vec::new();
                for entry in mapping::entries(node, self.dialect, diagnostics) {
                    let key = self.copy_at(entry.key, depth + 1, diagnostics)?;
                    let value = self.copy_at(entry.value, depth + 1, diagnostics)?;
                    entries.push((key, value));
                }
                let node = self.graft(Graft::Mapping { tag, span });
                self.opened.insert(node, entries);
                return Ok(node);
            }
        };
        Ok(self.graft(graft))
    }

    fn graft(&mut self, graft: Graft) -> NodeRef {
        self.grafts.push(graft);
        NodeRef::Graft(self.grafts.len() - 1)
    }

    /// Writes the base tree with the changes. Documents that `changed` names by position lose their merge
    /// keys: each mapping is written as its reader saw it.
    #[must_use]
    pub(crate) fn finish(self, changed: &[usize], diagnostics: &mut Diagnostics) -> Tree {
        let Self {
            base,
            dialect,
            opened,
            grafts,
        } = self;
        let mut builder = Builder::new(
            base.file(),
            std::sync::Arc::clone(base.text()),
            base.text().len(),
        );
        let mut decoded = String::new();
        for (at, document) in base.documents().iter().enumerate() {
            let span = (document.span.start(), document.span.end());
            builder.start_document();
            if document.broken {
                builder.abandon_document(span);
                continue;
            }
            if let Some(root) = document.root {
                let mut writer = Writer {
                    base,
                    dialect,
                    opened: &opened,
                    grafts: &grafts,
                    flatten: changed.contains(&at),
                    written: BTreeMap::new(),
                    builder: &mut builder,
                    decoded: &mut decoded,
                    diagnostics,
                };
                writer.node(base.node(root));
            }
            builder.end_document(span);
        }
        builder.finish(decoded, base.comments().to_vec())
    }
}

/// Writes one document.
struct Writer<'w, 't> {
    base: &'t Tree,
    dialect: Dialect,
    opened: &'w BTreeMap<NodeRef, Vec<(NodeRef, NodeRef)>>,
    grafts: &'w [Graft],
    flatten: bool,
    /// The new ids of nodes of the base.
    written: BTreeMap<NodeId, NodeId>,
    builder: &'w mut Builder,
    /// Texts that are not in the source.
    decoded: &'w mut String,
    diagnostics: &'w mut Diagnostics,
}

impl Writer<'_, '_> {
    fn write_ref(&mut self, node: NodeRef) {
        match node {
            NodeRef::Base(id) => self.node(self.base.node(id)),
            NodeRef::Graft(at) => self.graft(at),
        }
    }

    /// Adds a text that is not in the source.
    fn decoded(&mut self, text: &str) -> Text {
        let start = self.decoded.len() as u32;
        self.decoded.push_str(text);
        Text {
            start,
            length: text.len() as u32,
            decoded: true,
        }
    }

    /// Writes a node, or an alias if it is written already.
    fn node(&mut self, node: Node<'_>) {
        let span = node.span();
        let range = (span.start(), span.end());
        let target = node.resolved();
        if let Some(&there) = self.written.get(&target.id()) {
            self.builder.alias(range, there);
            return;
        }
        // The target of an alias may have been replaced: its first remaining alias takes its place.
        let node = target;
        let span = node.span();
        let range = (span.start(), span.end());
        match node.kind() {
            Kind::Scalar(scalar) => {
                let text = node
                    .text_in_source()
                    .unwrap_or_else(|| self.decoded(scalar.text));
                let id = self
                    .builder
                    .scalar(range, scalar.style, text, scalar.tag, node.anchor());
                self.written.insert(node.id(), id);
            }
            Kind::Sequence => {
                let id = self
                    .builder
                    .start_sequence(range, node.tag(), node.anchor());
                self.written.insert(node.id(), id);
                for item in node.children() {
                    self.node(item);
                }
                self.builder.end_collection(range.1);
            }
            Kind::Mapping => {
                let id = self.builder.start_mapping(range, node.tag(), node.anchor());
                self.written.insert(node.id(), id);
                self.entries(node);
                self.builder.end_collection(range.1);
            }
            // No reader makes an alias of an alias.
            Kind::Alias(_) => {}
        }
    }

    fn entries(&mut self, node: Node<'_>) {
        if self.opened(NodeRef::Base(node.id())) {
            return;
        }
        let merges = |(key, _): (Node<'_>, Node<'_>)| {
            key.scalar()
                .is_some_and(|key| key.text == "<<" && key.style == Style::Plain)
        };
        if self.flatten && node.entries().any(merges) {
            for entry in mapping::entries(node, self.dialect, self.diagnostics) {
                self.node(entry.key);
                self.node(entry.value);
            }
            return;
        }
        for child in node.children() {
            self.node(child);
        }
    }

    /// Writes the entries of a mapping that was opened; returns false for any other.
    fn opened(&mut self, mapping: NodeRef) -> bool {
        let opened = self.opened;
        let Some(entries) = opened.get(&mapping) else {
            return false;
        };
        for (key, value) in entries {
            self.write_ref(*key);
            self.write_ref(*value);
        }
        true
    }

    fn graft(&mut self, at: usize) {
        match &self.grafts[at] {
            Graft::Scalar {
                text,
                style,
                tag,
                span,
            } => {
                let text = self.decoded(text);
                let id = self
                    .builder
                    .scalar((0, 0), *style, text, tag.as_deref(), None);
                self.builder.place(id, *span);
                return;
            }
            Graft::Sequence { items, tag, span } => {
                let tag = tag.as_deref();
                let id = self.builder.start_sequence((0, 0), tag, None);
                self.builder.place(id, *span);
                for item in items {
                    self.write_ref(*item);
                }
            }
            Graft::Mapping { tag, span } => {
                let tag = tag.as_deref();
                let id = self.builder.start_mapping((0, 0), tag, None);
                self.builder.place(id, *span);
                self.opened(NodeRef::Graft(at));
            }
        }
        self.builder.end_collection(0);
    }
}
