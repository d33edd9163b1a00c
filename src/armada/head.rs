//! The head of every document: its kind and name.

use std::fmt;

use crate::gate::Version;
use crate::source::{Span, Spanned};
use crate::value::Text;

use super::disposition::rows;

rows! { "every document";
    DOCUMENT "document" Any Mapped Tree "the tree" "the document itself";
    SCHEMA "schema" Any Mapped Tree "the kind of output" "sets the kind of the document";
    METADATA "metadata" Any DroppedHarmless Nobody "" "Deckhand's part of the document, Armada reads only the name";
    NAME "metadata.name" Any Mapped Tree "origin in file headers and reports" "documents refer to one another by it";
    EXTRA "other top-level keys" Any DroppedHarmless Nobody "" "Armada reads schema, metadata and data only";
    UNKNOWN "unknown field" Any Refused Nobody "" "Armada's schema refuses the field";
    FAILED "rejected document" Any Refused Nobody "" "the document could not be decoded, see the error";
    SKIPPED "document of another schema" Any DroppedHarmless Nobody "" "Armada skips it too";
}

/// What every document has.
#[derive(Clone, Debug)]
pub struct Head {
    /// Version of its schema.
    pub version: Version,
    /// Its `metadata.name`.
    pub name: Spanned<Text>,
    /// Span of the document.
    pub span: Span,
}

/// The kinds of document that Armada knows; displays as in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArmadaKind {
    /// A list of groups: what is deployed.
    Manifest,
    /// Charts that are deployed together.
    ChartGroup,
    /// One Helm release.
    Chart,
}

impl fmt::Display for ArmadaKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ArmadaKind::Manifest => "manifest",
            ArmadaKind::ChartGroup => "chart group",
            ArmadaKind::Chart => "chart",
        })
    }
}

/// Kind and version of one of Armada's schemas.
pub(super) fn armada_schema(schema: &str) -> Option<(ArmadaKind, Version)> {
    let (kind, version) = schema.strip_prefix("armada/")?.split_once('/')?;
    let kind = match kind {
        "Manifest" => ArmadaKind::Manifest,
        "ChartGroup" => ArmadaKind::ChartGroup,
        "Chart" => ArmadaKind::Chart,
        _ => return None,
    };
    let version = match version {
        "v1" => Version::V1,
        "v2" => Version::V2,
        _ => return None,
    };
    Some((kind, version))
}
