//! What becomes of each field of Armada's documents.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::gate::Version;

/// The fate of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// The output has the same meaning.
    Mapped,
    /// The output has nearly the same meaning; the reason names the difference.
    Approximated,
    /// Left out; it had no effect in Armada either, or has none any more.
    DroppedHarmless,
    /// Left out, and something is lost.
    DroppedLossy,
    /// Understood, but not carried over.
    NotYet,
    /// An error: no output is written.
    Refused,
}

impl Fate {
    /// Returns the fate as reports spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fate::Mapped => "mapped",
            Fate::Approximated => "approximated",
            Fate::DroppedHarmless => "dropped-harmless",
            Fate::DroppedLossy => "dropped-lossy",
            Fate::NotYet => "not-yet",
            Fate::Refused => "refused",
        }
    }
}

/// Which part of the program carries the effect of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Carrier {
    /// The files that `convert` writes.
    Tree,
    /// The staged `apply`.
    Apply,
    /// No part: its effect is not carried.
    Nobody,
}

/// The versions of Armada's schemas that have a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Versions {
    /// v1 and v2.
    Any,
    /// v1 only.
    V1,
    /// v2 only.
    V2,
}

impl Versions {
    /// Returns whether documents of that version have the field.
    #[must_use]
    pub fn contain(self, version: Version) -> bool {
        match self {
            Versions::Any => true,
            Versions::V1 => version == Version::V1,
            Versions::V2 => version == Version::V2,
        }
    }
}

/// The Flux release that a target needs; displays as `2.8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Since {
    /// Major version of Flux.
    pub major: u16,
    /// Minor version of Flux.
    pub minor: u16,
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// One row of the field mapping.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Path of the field in its document; `[]` stands for the items of a list, `*` for any key.
    pub path: &'static str,
    /// The kinds of document it belongs to.
    pub documents: &'static str,
    /// The versions of the schema that have it.
    pub versions: Versions,
    /// What becomes of it.
    pub fate: Fate,
    /// Its place in the output; empty when it has none.
    pub target: &'static str,
    /// Why, in one sentence.
    pub reason: &'static str,
    /// Which part of the program carries it.
    pub carrier: Carrier,
    /// The first Flux that has the target in full; `None` when every supported one has.
    pub since: Option<Since>,
}

/// Makes statics of rows and a table `ROWS` of them all.
///
/// A row reads: name, path, versions, fate, carrier, target, reason, and `since MAJOR MINOR` when the
/// target needs a certain Flux.
macro_rules! rows {
    ($documents:literal; $(
        $name:ident $path:literal $versions:ident $fate:ident $carrier:ident $target:literal $reason:literal
        $(since $major:literal $minor:literal)?;
    )*) => {
        $(pub(in crate::armada) static $name: $crate::armada::disposition::Row = $crate::armada::disposition::Row {
            path: $path,
            documents: $documents,
            versions: $crate::armada::disposition::Versions::$versions,
            fate: $crate::armada::disposition::Fate::$fate,
            target: $target,
            reason: $reason,
            carrier: $crate::armada::disposition::Carrier::$carrier,
            since: $crate::armada::disposition::rows!(@since $($major $minor)?),
        };)*
        /// The rows of this decoder.
        pub(in crate::armada) static ROWS: &[&$crate::armada::disposition::Row] = &[$(&$name,)*];
    };
    (@since) => { None };
    (@since $major:literal $minor:literal) => {
        Some($crate::armada::disposition::Since { major: $major, minor: $minor })
    };
}
pub(super) use rows;

/// Rows of the field mapping, each decoder's in a list of its own.
#[derive(Debug)]
pub struct Rows(pub(super) &'static [&'static [&'static Row]]);

impl Rows {
    /// Returns all of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'static Row> + use<> {
        self.0.iter().copied().flatten().copied()
    }
}
