//! Reads YAML into an arena of nodes that keep raw text, style, tag, anchors and comments.
//!
//! Reading decides structure only. What a scalar *means* is a function of the scalar and a
//! [`Dialect`], because the programs a manifest passes through disagree about it.

pub mod construct;
pub mod deliver;
pub(crate) mod graft;
pub mod mapping;
pub mod read;
pub mod scalar;
pub mod sensitive;
pub mod shape;
pub mod tree;

#[cfg(test)]
pub(crate) mod tests;

pub(crate) use graft::Overlay;
pub use read::{read, read_in_parts};
pub use scalar::Dialect;
pub use tree::{Comment, Document, Kind, Node, NodeId, Scalar, Style, Tree};
