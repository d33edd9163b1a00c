//! The type that the reader of a dialect makes of a collection, by its tag.

use super::scalar::{Dialect, Rejected, TAG_PREFIX};
use super::tree::{Kind, Node};

/// The type of a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A list.
    List,
    /// A mapping.
    Map,
    /// `!!set`: a Python set, which is no mapping.
    Set,
    /// `!!omap` and `!!pairs`: a list of tuples.
    Pairs,
}

impl Shape {
    /// Returns whether Python sees a list.
    #[must_use]
    pub fn is_list(self) -> bool {
        matches!(self, Shape::List | Shape::Pairs)
    }
}

/// Returns the type of a collection, or of the collection that an alias stands for; `None` for a scalar.
///
/// # Errors
/// When PyYAML refuses the tag. go-yaml ignores the tags of collections.
pub fn shape(node: Node<'_>, dialect: Dialect) -> Result<Option<Shape>, Rejected> {
    let node = node.resolved();
    let plain = match node.kind() {
        Kind::Mapping => Shape::Map,
        Kind::Sequence => Shape::List,
        Kind::Scalar(_) | Kind::Alias(_) => return Ok(None),
    };
    let Some(tag) = node.tag().filter(|_| dialect == Dialect::PyYaml) else {
        return Ok(Some(plain));
    };
    let known = match (tag.strip_prefix(TAG_PREFIX), plain) {
        (None, _) if tag == "!" => plain,
        (Some("seq"), Shape::List) | (Some("map"), Shape::Map) => plain,
        (Some("set"), Shape::Map) => Shape::Set,
        (Some("omap" | "pairs"), Shape::List) => Shape::Pairs,
        (
            Some(
                "seq" | "map" | "set" | "omap" | "pairs" | "str" | "int" | "float" | "bool"
                | "null" | "binary" | "timestamp",
            ),
            _,
        ) => return Err(Rejected::Text("a collection cannot have this tag")),
        (_, _) => return Err(Rejected::UnknownTag(tag.to_owned())),
    };
    Ok(Some(known))
}

/// Returns whether the node is a mapping (or an alias of one) for the reader of the dialect. A tag that is
/// refused was reported.
#[must_use]
pub fn is_mapping(node: Node<'_>, dialect: Dialect) -> bool {
    matches!(shape(node, dialect), Ok(Some(Shape::Map)))
}

/// Returns whether the node is a list (or an alias of one) for the reader of the dialect.
#[must_use]
pub fn is_list(node: Node<'_>, dialect: Dialect) -> bool {
    matches!(shape(node, dialect), Ok(Some(shape)) if shape.is_list())
}
