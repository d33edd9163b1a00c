//! The arena: one [`Tree`] for each file, with nodes in preorder, 20 bytes each, scalars as ranges into the
//! source.

mod append;
mod build;

use std::fmt;
use std::sync::Arc;

use crate::source::{FileId, Span};

pub(super) use build::Builder;

/// The index of a node in its [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(u32);

impl NodeId {
    /// Returns the position in the arena.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a scalar was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes; the reader decides about its type.
    Plain,
    /// `'…'`
    SingleQuoted,
    /// `"…"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Scalar(Style),
    Sequence,
    Mapping,
    Alias,
}

/// What a node is; the meaning of `a` and `b` depends on `shape`.
#[derive(Clone, Copy)]
struct NodeData {
    shape: Shape,
    flags: u8,
    start: u32,
    end: u32,
    /// Scalar: offset of its text. Collection: id after its last descendant. Alias: id of its target.
    a: u32,
    /// Scalar: length of its text. Collection: number of its child nodes (a mapping counts keys and values).
    b: u32,
}

/// The text of the scalar is in `Tree::decoded`, not in the source (escapes, folding).
const DECODED: u8 = 1;
/// `Tree::tags` has an entry.
const TAGGED: u8 = 2;
/// `Tree::anchors` has an entry.
const ANCHORED: u8 = 4;
/// `Tree::foreign` has an entry: the node is from another file.
const FOREIGN: u8 = 8;

/// A comment of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The offset of the `#`.
    pub start: u32,
    /// The offset after the last character, without the line break.
    pub end: u32,
    /// Whether there is something else before it on its line.
    pub trailing: bool,
}

/// One document of a file.
#[derive(Clone, Copy, Debug)]
pub struct Document {
    /// The root node; `None` for an empty document and for one that could not be read.
    pub root: Option<NodeId>,
    /// Its first to its last byte.
    pub span: Span,
    /// Whether reading failed inside it (a diagnostic says why).
    pub broken: bool,
}

/// All nodes and comments of one file.
pub struct Tree {
    file: FileId,
    text: Arc<str>,
    nodes: Vec<NodeData>,
    decoded: String,
    tags: Vec<(u32, Box<str>)>,
    anchors: Vec<(u32, Box<str>)>,
    /// Places of grafted nodes, by node.
    foreign: Vec<(u32, Span)>,
    comments: Vec<Comment>,
    documents: Vec<Document>,
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text may hold passwords.
        f.debug_struct("Tree")
            .field("file", &self.file)
            .field("nodes", &self.nodes.len())
            .field("documents", &self.documents.len())
            .finish_non_exhaustive()
    }
}

impl Tree {
    /// Returns the file that the tree was read from.
    #[must_use]
    pub fn file(&self) -> FileId {
        self.file
    }

    /// Returns the documents in order, broken ones included.
    #[must_use]
    pub fn documents(&self) -> &[Document] {
        &self.documents
    }

    /// Returns the comments in order of their offsets.
    #[must_use]
    pub fn comments(&self) -> &[Comment] {
        &self.comments
    }

    /// Returns the text of a comment, `#` included.
    #[must_use]
    pub fn comment_text(&self, comment: &Comment) -> &str {
        self.text
            .get(comment.start as usize..comment.end as usize)
            .unwrap_or("")
    }

    /// Returns the source text.
    #[must_use]
    pub fn text(&self) -> &Arc<str> {
        &self.text
    }

    /// Returns the number of nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Returns whether nodes of other files were grafted into the tree.
    #[must_use]
    pub fn has_grafts(&self) -> bool {
        !self.foreign.is_empty()
    }

    /// Returns whether no document holds a node.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns the node of an id made by this tree.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Node<'_> {
        Node { tree: self, id }
    }

    /// Returns all nodes, each before its descendants.
    pub(super) fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.nodes.len() as u32).map(|at| self.node(NodeId(at)))
    }

    /// Returns the root nodes of the documents that have one.
    pub fn roots(&self) -> impl Iterator<Item = Node<'_>> {
        self.documents
            .iter()
            .filter_map(|document| document.root.map(|root| self.node(root)))
    }

    /// Frees the memory that no node uses.
    pub(super) fn shrink(&mut self) {
        self.nodes.shrink_to_fit();
    }

    fn data(&self, id: NodeId) -> NodeData {
        self.nodes[id.index()]
    }

    /// Returns the id of the node after `id` and all its descendants.
    fn after(&self, id: NodeId) -> NodeId {
        let data = self.data(id);
        match data.shape {
            Shape::Sequence | Shape::Mapping => NodeId(data.a),
            Shape::Scalar(_) | Shape::Alias => NodeId(id.0 + 1),
        }
    }
}

fn lookup(table: &[(u32, Box<str>)], id: NodeId) -> Option<&str> {
    let at = table.binary_search_by_key(&id.0, |(node, _)| *node).ok()?;
    table.get(at).map(|(_, text)| &**text)
}

/// A node of a [`Tree`]; cheap to copy.
#[derive(Clone, Copy)]
pub struct Node<'t> {
    tree: &'t Tree,
    id: NodeId,
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text may hold passwords.
        write!(f, "Node({} at {:?})", self.id.0, self.span())
    }
}

/// A scalar: its text after unescaping and folding, its style and its tag.
#[derive(Clone, Copy)]
pub struct Scalar<'t> {
    /// Its text.
    pub text: &'t str,
    /// Its style.
    pub style: Style,
    /// The resolved tag as written by `%TAG` rules (`tag:yaml.org,2002:str`), or `!` alone.
    pub tag: Option<&'t str>,
}

impl fmt::Debug for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scalar({:?}, {:?})", self.style, self.tag)
    }
}

/// What a node is.
#[derive(Clone, Copy, Debug)]
pub enum Kind<'t> {
    /// A scalar.
    Scalar(Scalar<'t>),
    /// A list; see [`Node::items`].
    Sequence,
    /// A mapping; see [`Node::entries`].
    Mapping,
    /// A reference to an anchored node.
    Alias(Node<'t>),
}

impl<'t> Node<'t> {
    /// Returns the id of the node.
    #[must_use]
    pub fn id(self) -> NodeId {
        self.id
    }

    /// Returns the tree of the node.
    #[must_use]
    pub fn tree(self) -> &'t Tree {
        self.tree
    }

    /// Returns the place of the node, with quotes, without tag and anchor. A grafted node has its place in
    /// the file that it comes from.
    #[must_use]
    pub fn span(self) -> Span {
        let data = self.tree.data(self.id);
        if data.flags & FOREIGN != 0
            && let Ok(at) = self
                .tree
                .foreign
                .binary_search_by_key(&self.id.0, |(node, _)| *node)
            && let Some((_, span)) = self.tree.foreign.get(at)
        {
            return *span;
        }
        Span::new(self.tree.file, data.start, data.end)
    }

    /// Returns what the node is; aliases are not followed.
    #[must_use]
    pub fn kind(self) -> Kind<'t> {
        let data = self.tree.data(self.id);
        match data.shape {
            Shape::Scalar(style) => {
                let range = data.a as usize..(data.a + data.b) as usize;
                let buffer: &str = if data.flags & DECODED == 0 {
                    &self.tree.text
                } else {
                    &self.tree.decoded
                };
                Kind::Scalar(Scalar {
                    text: buffer.get(range).unwrap_or(""),
                    style,
                    tag: self.tag(),
                })
            }
            Shape::Sequence => Kind::Sequence,
            Shape::Mapping => Kind::Mapping,
            Shape::Alias => Kind::Alias(self.tree.node(NodeId(data.a))),
        }
    }

    /// Returns the place of the text of a scalar, if the text is in the source as it is.
    pub(super) fn text_in_source(self) -> Option<Text> {
        let data = self.tree.data(self.id);
        let part = matches!(data.shape, Shape::Scalar(_)) && data.flags & DECODED == 0;
        part.then_some(Text {
            start: data.a,
            length: data.b,
            decoded: false,
        })
    }

    /// Returns the node, or the target of an alias.
    #[must_use]
    pub fn resolved(self) -> Node<'t> {
        match self.kind() {
            Kind::Alias(target) => target,
            Kind::Scalar(_) | Kind::Sequence | Kind::Mapping => self,
        }
    }

    /// Returns the scalar, if it is one (or an alias of one).
    #[must_use]
    pub fn scalar(self) -> Option<Scalar<'t>> {
        match self.resolved().kind() {
            Kind::Scalar(scalar) => Some(scalar),
            Kind::Sequence | Kind::Mapping | Kind::Alias(_) => None,
        }
    }

    /// Returns the tag, as in [`Scalar::tag`].
    #[must_use]
    pub fn tag(self) -> Option<&'t str> {
        let tagged = self.tree.data(self.id).flags & TAGGED != 0;
        tagged.then(|| lookup(&self.tree.tags, self.id)).flatten()
    }

    /// Returns the anchor's name, without `&`.
    #[must_use]
    pub fn anchor(self) -> Option<&'t str> {
        let anchored = self.tree.data(self.id).flags & ANCHORED != 0;
        anchored
            .then(|| lookup(&self.tree.anchors, self.id))
            .flatten()
    }

    /// Returns the number of nodes in the subtree, this one included.
    #[must_use]
    pub(crate) fn subtree_len(self) -> usize {
        self.tree.after(self.id).index() - self.id.index()
    }

    /// Returns the node before it in the source: for a value of a mapping the key, if that is a scalar.
    #[must_use]
    pub(super) fn before(self) -> Option<Node<'t>> {
        let before = self.id.0.checked_sub(1)?;
        Some(self.tree.node(NodeId(before)))
    }

    /// Returns the offset of what follows the node and its descendants: a node, a document or the end of the
    /// file.
    #[must_use]
    pub(super) fn limit(self) -> u32 {
        let span = self.span();
        let documents = &self.tree.documents;
        let next = documents.partition_point(|document| document.span.start() <= span.start());
        let end = documents
            .get(next)
            .map_or(self.tree.text.len() as u32, |document| {
                document.span.start()
            });
        let next = self.tree.nodes.get(self.tree.after(self.id).index());
        next.map_or(end, |next| next.start.min(end)).max(span.end())
    }

    /// Returns the child nodes: items of a list; keys and values of a mapping in turn; empty for others.
    #[must_use]
    pub fn children(self) -> Children<'t> {
        let data = self.tree.data(self.id);
        let left = match data.shape {
            Shape::Sequence | Shape::Mapping => data.b,
            Shape::Scalar(_) | Shape::Alias => 0,
        };
        Children {
            tree: self.tree,
            next: NodeId(self.id.0 + 1),
            left,
        }
    }

    /// Returns the items of a list (or of the list it is an alias of).
    #[must_use]
    pub fn items(self) -> Children<'t> {
        self.resolved().children()
    }

    /// Returns the raw entries of a mapping (or of the mapping it is an alias of): merge keys and duplicates
    /// as they are written. See `yaml::mapping` for how a reader reads them.
    pub fn entries(self) -> impl Iterator<Item = (Node<'t>, Node<'t>)> + use<'t> {
        let mut children = self.resolved().children();
        std::iter::from_fn(move || {
            let key = children.next()?;
            Some((key, children.next()?))
        })
    }
}

/// Iterator over child nodes, see [`Node::children`].
#[derive(Clone, Debug)]
pub struct Children<'t> {
    tree: &'t Tree,
    next: NodeId,
    left: u32,
}

impl<'t> Iterator for Children<'t> {
    type Item = Node<'t>;

    fn next(&mut self) -> Option<Node<'t>> {
        self.left = self.left.checked_sub(1)?;
        let node = self.tree.node(self.next);
        self.next = self.tree.after(self.next);
        Some(node)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

impl ExactSizeIterator for Children<'_> {}

/// The place of the text of a scalar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) start: u32,
    pub(super) length: u32,
    /// Whether it is in the buffer of [`Builder::finish`], not in the source.
    pub(super) decoded: bool,
}
