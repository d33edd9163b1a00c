//! What the scanner makes of the text.

use super::super::tree::Style;
pub(super) use super::super::tree::Text;

/// A token and its place in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: u32,
    pub(super) end: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    StreamEnd,
    /// `%YAML`
    Version {
        major: u32,
        minor: u32,
    },
    /// `%TAG`
    TagPrefix {
        handle: Text,
        prefix: Text,
    },
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias,
    Anchor,
    /// An empty handle stands for a tag that is complete as it is.
    Tag {
        handle: Text,
        suffix: Text,
    },
    Scalar {
        style: Style,
        text: Text,
    },
}
