//! The events of the parser.

use super::token::Text;
use crate::yaml::tree::Style;

/// An event of the parser.
#[derive(Debug)]
pub(super) enum Event {
    StreamEnd,
    /// A document starts; its first byte.
    DocumentStart(u32),
    /// A document ends; offset after its last byte.
    DocumentEnd(u32),
    /// An alias; its place, `*` included.
    Alias(u32, u32),
    Node(Node),
    /// A collection ends; offset after its last byte.
    CollectionEnd(u32),
}

/// A node that starts, or all of a scalar.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) content: Content,
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) tag: Option<String>,
    /// Place of the anchor, `&` included.
    pub(super) anchor: Option<(u32, u32)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    Scalar { style: Style, text: Text },
    Sequence,
    Mapping,
}
