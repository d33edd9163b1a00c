//! Attaches comments to the values that they are about.
//!
//! Nodes and comments are walked in the order of the source, so each comment is read once. Values that an
//! alias or a merge key refers to have their comments where they are defined.

use std::ops::Range;

use crate::source::Span;
use crate::value::{Notes, Text, Value};
use crate::yaml::tree::{Comment, Kind, Node, Style, Tree};

/// The offset that means "no further comment".
const NONE: u32 = u32::MAX;

/// The position of a value among others.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The start of the collection around it, or of the key of the values; `None` for a whole document.
    parent: Option<u32>,
    /// The offset of the next node, on any level.
    limit: u32,
}

impl Place {
    /// Returns the place of a child of `collection`, which has this place, before a sibling at `next`.
    pub(super) fn inside(self, collection: Node<'_>, next: Option<u32>) -> Self {
        let own = collection.span();
        let limit = match next.filter(|&next| next >= own.start()) {
            Some(next) => next,
            None if is_flow(collection) => own.end(),
            None => self.limit,
        };
        Self {
            parent: Some(own.start()),
            limit,
        }
    }
}

/// Comments before a value that is not converted yet.
#[derive(Debug, Default)]
pub(super) struct PendingComments {
    above: Vec<Text>,
    trailing: Option<Text>,
}

impl PendingComments {
    /// Adds a comment. A second trailing comment goes above.
    fn add(&mut self, text: Text, trailing: bool) {
        if trailing && self.trailing.is_none() {
            self.trailing = Some(text);
        } else {
            self.above.push(text);
        }
    }
}

/// Walks over the comments of the values, in order.
#[derive(Debug)]
pub(super) struct CommentCursor<'t> {
    tree: &'t Tree,
    comments: &'t [Comment],
    /// The index of the next comment.
    at: usize,
    /// The offset of the next comment; [`NONE`] also while paused.
    next: u32,
    lost: Vec<Span>,
}

/// The state that [`CommentCursor::pause`] returns.
#[must_use]
pub(super) struct Paused(u32);

impl<'t> CommentCursor<'t> {
    /// Makes a cursor over the comments of a node: from the end of the key before it to the next node.
    pub(super) fn new(node: Node<'t>) -> (Self, Place) {
        let tree = node.tree();
        let before = node.before().map(Node::span);
        let limit = node.limit();
        let all = tree.comments();
        let from = before.map_or(0, Span::end);
        let first = all.partition_point(|comment| comment.start < from);
        let after = all.partition_point(|comment| comment.start < limit);
        let comments = all.get(first..after).unwrap_or(&[]);
        let comments = Self {
            tree,
            comments,
            at: 0,
            next: comments.first().map_or(NONE, |comment| comment.start),
            lost: Vec::new(),
        };
        let place = Place {
            parent: before.map(Span::start),
            limit,
        };
        (comments, place)
    }

    /// Skips comments until [`Self::resume`].
    pub(super) fn pause(&mut self) -> Paused {
        Paused(std::mem::replace(&mut self.next, NONE))
    }

    pub(super) fn resume(&mut self, paused: Paused) {
        let Paused(next) = paused;
        self.next = next;
    }

    /// Takes the comments before an item of a list. A comment after the `-` is about the item.
    pub(super) fn above_item(&mut self, item: Node<'t>) -> PendingComments {
        let mut pending = PendingComments::default();
        let start = item.span().start();
        while self.next < start {
            let trailing = self.peek_trailing();
            let text = self.take();
            pending.add(text, trailing);
        }
        pending
    }

    /// Takes the comments before an entry, and between its key and its value.
    pub(super) fn above_entry(
        &mut self,
        mapping: Node<'t>,
        key: Node<'t>,
        value: Node<'t>,
    ) -> PendingComments {
        let mut pending = PendingComments::default();
        let start = key.span().start();
        while self.next < start {
            if self.peek_trailing() && !is_flow(mapping) {
                self.lose();
            } else {
                let text = self.take();
                pending.above.push(text);
            }
        }
        if self.next != NONE {
            self.up_to_value(value, &mut pending);
        }
        pending
    }

    /// Takes the comments between the key of the values and the values.
    pub(super) fn between(&mut self, value: Node<'t>) -> PendingComments {
        let mut pending = PendingComments::default();
        self.up_to_value(value, &mut pending);
        pending
    }

    /// Takes the comments before a value. Comments on lines of their own before a collection are about its
    /// first entry.
    fn up_to_value(&mut self, value: Node<'t>, pending: &mut PendingComments) {
        let start = value.span().start();
        let has_entries = value.children().next().is_some();
        while self.next < start {
            let trailing = self.peek_trailing();
            if !trailing && has_entries {
                return;
            }
            let text = self.take();
            pending.add(text, trailing);
        }
    }

    /// Attaches to a value the comments before it and on its last line.
    pub(super) fn attach(
        &mut self,
        node: Node<'t>,
        place: Place,
        mut pending: PendingComments,
        value: &mut Value,
    ) {
        if self.next < place.limit {
            self.line_of(node, &mut pending);
        }
        let PendingComments { above, trailing } = pending;
        if above.is_empty() && trailing.is_none() {
            return;
        }
        let notes = value.notes.get_or_insert_default();
        notes.above = above;
        notes.trailing = trailing;
    }

    /// Takes the comments inside of a node without children, and after a node on its last line.
    fn line_of(&mut self, node: Node<'t>, pending: &mut PendingComments) {
        let span = node.span();
        while self.next < span.end() {
            let trailing = self.peek_trailing();
            let text = self.take();
            pending.add(text, trailing);
        }
        let is_block = match node.kind() {
            Kind::Sequence | Kind::Mapping => !is_flow(node),
            // A comment after a block scalar is on a line of its own.
            Kind::Scalar(scalar) => matches!(scalar.style, Style::Literal | Style::Folded),
            Kind::Alias(_) => false,
        };
        if is_block || self.next == NONE || !self.peek_trailing() {
            return;
        }
        let between = span.end() as usize..self.next as usize;
        let blank = self
            .bytes(between)
            .iter()
            .all(|byte| matches!(byte, b' ' | b'\t' | b','));
        if blank {
            let text = self.take();
            pending.add(text, true);
        }
    }

    /// Attaches to the last child of a collection the comments after it that belong to the collection.
    pub(super) fn below(&mut self, node: Node<'t>, place: Place, last: Option<&mut Value>) {
        let Some(last) = last else { return };
        let limit = if is_flow(node) {
            node.span().end()
        } else {
            place.limit
        };
        if self.next >= limit {
            return;
        }
        let outside = place
            .parent
            .filter(|_| !is_flow(node))
            .map(|at| self.column(at));
        let mut below = Vec::new();
        while self.next < limit {
            if !is_flow(node)
                && (self.peek_trailing()
                    || outside.is_some_and(|outside| self.column(self.next) <= outside))
            {
                break;
            }
            let text = self.take();
            below.push(text);
        }
        if !below.is_empty() {
            last.notes.get_or_insert_default().below.append(&mut below);
        }
    }

    /// Attaches to the root value the comments around it. Comments that are left inside of it are lost.
    pub(super) fn finish(
        &mut self,
        node: Node<'t>,
        mut pending: PendingComments,
        value: &mut Value,
    ) {
        if self.next != NONE {
            self.line_of(node, &mut pending);
        }
        let PendingComments { above, trailing } = pending;
        if !above.is_empty() || trailing.is_some() {
            value.notes = Some(Box::new(Notes {
                above,
                trailing,
                below: Vec::new(),
            }));
        }
        while self.next < node.span().end() {
            self.lose();
        }
    }

    /// Returns the places of the comments that were lost.
    pub(super) fn take_lost(&mut self) -> Vec<Span> {
        std::mem::take(&mut self.lost)
    }

    fn peek_trailing(&self) -> bool {
        self.comments
            .get(self.at)
            .is_some_and(|comment| comment.trailing)
    }

    fn take(&mut self) -> Text {
        let text = self
            .comments
            .get(self.at)
            .map_or("", |comment| self.tree.comment_text(comment));
        self.advance();
        text.into()
    }

    fn lose(&mut self) {
        if let Some(comment) = self.comments.get(self.at) {
            self.lost
                .push(Span::new(self.tree.file(), comment.start, comment.end));
        }
        self.advance();
    }

    fn advance(&mut self) {
        self.at += 1;
        self.next = self
            .comments
            .get(self.at)
            .map_or(NONE, |comment| comment.start);
    }

    fn bytes(&self, range: Range<usize>) -> &'t [u8] {
        let text: &'t str = self.tree.text();
        text.as_bytes().get(range).unwrap_or(&[])
    }

    /// Returns the number of bytes between the start of the line and an offset.
    fn column(&self, at: u32) -> usize {
        let before = self.bytes(0..at as usize);
        let breaks = |byte: &&u8| matches!(byte, b'\n' | b'\r');
        before.iter().rev().take_while(|byte| !breaks(byte)).count()
    }
}

fn is_flow(node: Node<'_>) -> bool {
    let start = node.span().start() as usize;
    matches!(node.tree().text().as_bytes().get(start), Some(b'[' | b'{'))
}
