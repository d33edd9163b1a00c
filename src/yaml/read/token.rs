//! The tokens of the scanner.

use crate::yaml::tree::Style;
pub(super) use crate::yaml::tree::Text;

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
    /// With an empty handle, the suffix is the whole tag.
    Tag {
        handle: Text,
        suffix: Text,
    },
    Scalar {
        style: Style,
        text: Text,
    },
}
