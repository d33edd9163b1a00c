//! Joins two trees of one file.

use super::{DECODED, Document, NodeData, NodeId, Shape, Tree};

impl Tree {
    /// Adds the tree of a later part of the same file.
    pub(in crate::yaml) fn append(&mut self, later: Tree) {
        let Tree {
            file: _,
            text: _,
            nodes,
            decoded,
            tags,
            anchors,
            foreign,
            comments,
            documents,
        } = later;
        let first = self.nodes.len() as u32;
        let decoded_before = self.decoded.len() as u32;
        let moved = |data: NodeData| match data.shape {
            Shape::Scalar(_) if data.flags & DECODED == 0 => data,
            Shape::Scalar(_) => NodeData {
                a: data.a + decoded_before,
                ..data
            },
            Shape::Sequence | Shape::Mapping | Shape::Alias => NodeData {
                a: data.a + first,
                ..data
            },
        };
        self.nodes.extend(nodes.into_iter().map(moved));
        self.decoded.push_str(&decoded);
        self.tags
            .extend(tags.into_iter().map(|(node, tag)| (node + first, tag)));
        self.anchors
            .extend(anchors.into_iter().map(|(node, name)| (node + first, name)));
        self.foreign
            .extend(foreign.into_iter().map(|(node, span)| (node + first, span)));
        self.comments.extend(comments);
        self.documents.extend(documents.into_iter().map(|document| {
            let root = document.root.map(|NodeId(root)| NodeId(root + first));
            Document { root, ..document }
        }));
    }
}
