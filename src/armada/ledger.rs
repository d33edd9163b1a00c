//! The ledger: which row each node of each document belongs to.

use std::collections::BTreeMap;

use crate::yaml::{Node, Tree};

use super::disposition::{Row, Rows};

/// Index of a row in the field mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct RowId(u16);

impl RowId {
    fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// For every node of one file, the row that accounts for it.
#[derive(Debug)]
pub struct Ledger {
    /// The field mapping.
    all: &'static Rows,
    rows: Vec<Option<RowId>>,
    /// Ids of rows seen so far, by address: looking one up in the table each time would be slow.
    known: Vec<(&'static Row, RowId)>,
}

impl Ledger {
    /// Creates the empty ledger of a tree, for rows of this field mapping.
    #[must_use]
    pub(super) fn new(tree: &Tree, all: &'static Rows) -> Self {
        Self {
            all,
            rows: vec![None; tree.len()],
            known: Vec::new(),
        }
    }

    /// Returns the field mapping whose rows it gives to nodes.
    pub(super) fn mapping(&self) -> &'static Rows {
        self.all
    }

    /// Assigns the node and everything under it to `row`, except nodes that have a row.
    pub fn claim(&mut self, node: Node<'_>, row: &'static Row) {
        let id = self.id_of(row);
        let start = node.id().index();
        for slot in &mut self.rows[start..start + node.subtree_len()] {
            slot.get_or_insert(id);
        }
    }

    /// Assigns only the node to `row`; nodes under it have their own rows.
    pub fn claim_alone(&mut self, node: Node<'_>, row: &'static Row) {
        let id = self.id_of(row);
        self.rows[node.id().index()].get_or_insert(id);
    }

    /// Returns the row of a node.
    #[must_use]
    pub fn row(&self, node: Node<'_>) -> Option<&'static Row> {
        let id = self.rows[node.id().index()]?;
        self.all.iter().nth(id.index())
    }

    /// Returns the nodes without a row, each the root of an unassigned part.
    #[must_use]
    pub fn unclaimed<'t>(&self, root: Node<'t>) -> Vec<Node<'t>> {
        let mut found = Vec::new();
        let mut open = vec![root];
        while let Some(node) = open.pop() {
            if self.rows[node.id().index()].is_none() {
                found.push(node);
            } else {
                open.extend(node.children());
            }
        }
        found
    }

    /// Number of nodes under each row.
    #[must_use]
    pub fn totals(&self) -> BTreeMap<usize, usize> {
        let mut totals = BTreeMap::new();
        for id in self.rows.iter().flatten() {
            *totals.entry(id.index()).or_default() += 1;
        }
        totals
    }

    fn id_of(&mut self, row: &'static Row) -> RowId {
        let known = self
            .known
            .iter()
            .find(|(other, _)| std::ptr::eq(*other, row));
        if let Some(&(_, id)) = known {
            return id;
        }
        // Statics have one address each, and the table is short.
        let at = self.all.iter().position(|other| std::ptr::eq(other, row));
        let id = RowId(at.unwrap_or(usize::from(u16::MAX)) as u16);
        self.known.push((row, id));
        id
    }
}
