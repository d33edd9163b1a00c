//! Builds a tree from parse events.

use std::sync::Arc;

use super::{
    ANCHORED, Comment, DECODED, Document, FOREIGN, NodeData, NodeId, Shape, Style, TAGGED, Text,
    Tree,
};
use crate::source::{FileId, Span};

/// Builds a [`Tree`] from parse events, in order.
#[derive(Debug)]
pub(in crate::yaml) struct Builder {
    tree: Tree,
    open: Vec<u32>,
    /// The index of the first node of the current document.
    document: Checkpoint,
}

/// The state to return to when a document is broken.
#[derive(Clone, Copy, Debug, Default)]
struct Checkpoint {
    nodes: usize,
    tags: usize,
    anchors: usize,
}

impl Builder {
    /// Makes a builder with room for the nodes of a text of this size.
    pub(in crate::yaml) fn new(file: FileId, text: Arc<str>, bytes: usize) -> Self {
        // Real manifests have one node for 17 to 22 bytes; growing would copy the arena.
        let guess = bytes / 16;
        Self {
            tree: Tree {
                file,
                text,
                nodes: Vec::with_capacity(guess),
                decoded: String::new(),
                tags: Vec::new(),
                anchors: Vec::new(),
                foreign: Vec::new(),
                comments: Vec::new(),
                documents: Vec::new(),
            },
            open: Vec::new(),
            document: Checkpoint::default(),
        }
    }

    /// Returns the number of open collections.
    pub(in crate::yaml) fn depth(&self) -> usize {
        self.open.len()
    }

    /// Adds a scalar.
    pub(in crate::yaml) fn scalar(
        &mut self,
        span: (u32, u32),
        style: Style,
        text: Text,
        tag: Option<&str>,
        anchor: Option<&str>,
    ) -> NodeId {
        let Text {
            start,
            length,
            decoded,
        } = text;
        let flags = if decoded { DECODED } else { 0 };
        self.push(
            Shape::Scalar(style),
            span,
            (start, length),
            flags,
            tag,
            anchor,
        )
    }

    /// Sets the place of the node just added, in another file.
    pub(in crate::yaml) fn place(&mut self, id: NodeId, span: Span) {
        if let Some(data) = self.tree.nodes.get_mut(id.index()) {
            data.flags |= FOREIGN;
            self.tree.foreign.push((id.0, span));
        }
    }

    pub(in crate::yaml) fn start_sequence(
        &mut self,
        span: (u32, u32),
        tag: Option<&str>,
        anchor: Option<&str>,
    ) -> NodeId {
        self.start(Shape::Sequence, span, tag, anchor)
    }

    pub(in crate::yaml) fn start_mapping(
        &mut self,
        span: (u32, u32),
        tag: Option<&str>,
        anchor: Option<&str>,
    ) -> NodeId {
        self.start(Shape::Mapping, span, tag, anchor)
    }

    /// Closes the innermost open collection; `end` is the offset after its last byte.
    pub(in crate::yaml) fn end_collection(&mut self, end: u32) {
        if let Some(id) = self.open.pop() {
            let after = self.tree.nodes.len() as u32;
            let data = &mut self.tree.nodes[id as usize];
            data.a = after;
            data.end = end.max(data.start);
        }
    }

    pub(in crate::yaml) fn alias(&mut self, span: (u32, u32), target: NodeId) -> NodeId {
        self.push(Shape::Alias, span, (target.0, 0), 0, None, None)
    }

    pub(in crate::yaml) fn start_document(&mut self) {
        self.open.clear();
        self.document = Checkpoint {
            nodes: self.tree.nodes.len(),
            tags: self.tree.tags.len(),
            anchors: self.tree.anchors.len(),
        };
    }

    /// Ends the document; `span` is in bytes.
    pub(in crate::yaml) fn end_document(&mut self, span: (u32, u32)) {
        let first = self.document.nodes;
        let root = (self.tree.nodes.len() > first).then_some(NodeId(first as u32));
        self.finish_document(root, span, false);
    }

    /// Drops the nodes of the document and marks it broken; `span` is in bytes.
    pub(in crate::yaml) fn abandon_document(&mut self, span: (u32, u32)) {
        self.tree.nodes.truncate(self.document.nodes);
        self.tree.tags.truncate(self.document.tags);
        self.tree.anchors.truncate(self.document.anchors);
        self.finish_document(None, span, true);
    }

    /// Ends the whole tree; `decoded` holds the texts that are not in the source, `comments` are in order of
    /// their offsets.
    pub(in crate::yaml) fn finish(mut self, decoded: String, comments: Vec<Comment>) -> Tree {
        self.tree.decoded = decoded;
        self.tree.comments = comments;
        self.tree
    }

    fn finish_document(&mut self, root: Option<NodeId>, span: (u32, u32), broken: bool) {
        self.open.clear();
        let span = Span::new(self.tree.file, span.0, span.1);
        self.tree.documents.push(Document { root, span, broken });
    }

    fn start(
        &mut self,
        shape: Shape,
        span: (u32, u32),
        tag: Option<&str>,
        anchor: Option<&str>,
    ) -> NodeId {
        let id = self.push(shape, span, (0, 0), 0, tag, anchor);
        self.open.push(id.0);
        id
    }

    fn push(
        &mut self,
        shape: Shape,
        (start, end): (u32, u32),
        (a, b): (u32, u32),
        mut flags: u8,
        tag: Option<&str>,
        anchor: Option<&str>,
    ) -> NodeId {
        let id = NodeId(self.tree.nodes.len() as u32);
        if let Some(tag) = tag {
            flags |= TAGGED;
            self.tree.tags.push((id.0, tag.into()));
        }
        if let Some(anchor) = anchor {
            flags |= ANCHORED;
            self.tree.anchors.push((id.0, anchor.into()));
        }
        if let Some(&parent) = self.open.last() {
            self.tree.nodes[parent as usize].b += 1;
        }
        self.tree.nodes.push(NodeData {
            shape,
            flags,
            start,
            end: end.max(start),
            a,
            b,
        });
        id
    }
}
