//! The anchors of one document, and the number of nodes that its aliases stand for.
//!
//! Aliases are never expanded in memory, but code that walks the tree follows them. So the number of nodes
//! that a walk visits is counted and limited.

use std::collections::HashMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::yaml::tree::NodeId;

/// A document with all aliases written out may have this many times its own nodes …
pub(super) const MAX_EXPANSION: u64 = 10;

/// … or this number of nodes, if that is more: thousands of aliases of one small anchor are normal.
pub(super) const FREE_EXPANSION: u64 = 200_000;

/// The same for all documents of a file together, beside [`MAX_EXPANSION`].
pub(super) const FREE_FILE_EXPANSION: u64 = 2_000_000;

#[derive(Debug)]
struct Anchor {
    node: NodeId,
    span: Span,
    /// The nodes below it with aliases expanded; `None` while it is open.
    size: Option<u64>,
}

#[derive(Debug)]
struct OpenCollection<'a> {
    anchor: Option<&'a str>,
    own: u64,
    expanded: u64,
}

/// The anchors of a document by name.
#[derive(Debug, Default)]
pub(super) struct Anchors<'a> {
    by_name: HashMap<&'a str, Anchor>,
    open: Vec<OpenCollection<'a>>,
    /// The nodes of the document, without and with aliases expanded.
    own: u64,
    expanded: u64,
    file_own: u64,
    file_expanded: u64,
}

impl<'a> Anchors<'a> {
    pub(super) fn start_document(&mut self) {
        self.by_name.clear();
        self.open.clear();
        (self.own, self.expanded) = (0, 0);
    }

    /// Adds the anchor of a node.
    ///
    /// # Errors
    /// Fails with the place of an earlier definition in the document.
    pub(super) fn define(
        &mut self,
        name: &'a str,
        node: NodeId,
        span: Span,
        scalar: bool,
    ) -> Result<(), Span> {
        let size = scalar.then_some(1);
        let anchor = Anchor { node, span, size };
        match self.by_name.insert(name, anchor) {
            Some(Anchor { span: first, .. }) => Err(first),
            None => Ok(()),
        }
    }

    /// Counts a node without children.
    pub(super) fn leaf(&mut self) {
        self.add(1, 1);
    }

    pub(super) fn start_collection(&mut self, anchor: Option<&'a str>) {
        self.open.push(OpenCollection {
            anchor,
            own: 1,
            expanded: 1,
        });
    }

    pub(super) fn end_collection(&mut self) {
        let Some(OpenCollection {
            anchor,
            own,
            expanded,
        }) = self.open.pop()
        else {
            return;
        };
        if let Some(anchor) = anchor.and_then(|name| self.by_name.get_mut(name)) {
            anchor.size = Some(expanded);
        }
        self.add(own, expanded);
    }

    /// Returns the node that an alias stands for, and whether it is complete; if not, the alias is inside of
    /// it.
    pub(super) fn alias(&mut self, name: &str) -> Option<(NodeId, bool)> {
        let &Anchor { node, size, .. } = self.by_name.get(name)?;
        self.add(1, size.unwrap_or(1));
        Some((node, size.is_some()))
    }

    /// Checks the number of nodes that the aliases of the document stand for.
    ///
    /// # Errors
    /// When that is more than the limits allow.
    pub(super) fn end_document(&mut self) -> Result<(), Excess> {
        let Self { own, expanded, .. } = *self;
        let limit = FREE_EXPANSION.max(own.saturating_mul(MAX_EXPANSION));
        if expanded > limit {
            return Err(Excess {
                expanded,
                limit,
                of: "the document",
            });
        }
        let file_own = self.file_own.saturating_add(own);
        let file_expanded = self.file_expanded.saturating_add(expanded);
        let limit = FREE_FILE_EXPANSION.max(file_own.saturating_mul(MAX_EXPANSION));
        if file_expanded > limit {
            return Err(Excess {
                expanded: file_expanded,
                limit,
                of: "the file",
            });
        }
        // A document that is refused is dropped, so nothing walks through it.
        (self.file_own, self.file_expanded) = (file_own, file_expanded);
        Ok(())
    }

    /// Returns the number of nodes that the aliases of the file stand for, in addition to its own.
    pub(super) fn excess(&self) -> u64 {
        self.file_expanded.saturating_sub(self.file_own)
    }

    fn add(&mut self, own: u64, expanded: u64) {
        let (own_sum, expanded_sum) = match self.open.last_mut() {
            Some(parent) => (&mut parent.own, &mut parent.expanded),
            None => (&mut self.own, &mut self.expanded),
        };
        *own_sum = own_sum.saturating_add(own);
        *expanded_sum = expanded_sum.saturating_add(expanded);
    }
}

/// The aliases stand for more nodes than allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Excess {
    expanded: u64,
    limit: u64,
    of: &'static str,
}

impl Excess {
    pub(super) fn diagnostic(self, span: Span) -> Diagnostic {
        let Self {
            expanded,
            limit,
            of,
        } = self;
        let message = format!(
            "the aliases of {of} stand for {expanded} nodes, more than the limit of {limit}"
        );
        Diagnostic::new(Code::AliasLimit, message)
            .at(span, "")
            .help("aliases of aliases multiply: write some of them out, or split the document")
    }
}

pub(super) fn defined_twice(name: &str, first: Span, second: Span) -> Diagnostic {
    let message =
        format!("the anchor `{name}` is defined twice in a document, which Armada rejects");
    Diagnostic::new(Code::AnchorDuplicate, message)
        .at(second, "defined again here")
        .at(first, "first defined here")
        .help("give the second anchor and its aliases another name")
}

pub(super) fn contains_itself(name: &str, span: Span) -> Diagnostic {
    let message = format!("the anchor `{name}` contains itself, which Helm rejects");
    Diagnostic::new(Code::AliasLimit, message)
        .at(span, "this alias is inside of the node that it stands for")
        .help("write the inner node out")
}
