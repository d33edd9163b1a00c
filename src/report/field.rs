//! What becomes of a field, as text: shared by docs/field-mapping.md and `explain`.

use crate::armada::behaviour::{self, Behaviour};
use crate::armada::disposition::{Carrier, Fate, Row, Versions};
use crate::armada::rows;

/// A field of a kind of document.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// What becomes of it.
    pub row: &'static Row,
    /// What Armada did with it, if more is known than the row says.
    pub behaviour: Option<&'static Behaviour>,
}

/// Returns all fields, in the order of the documents.
pub fn all() -> impl Iterator<Item = Field> {
    rows::ALL.iter().map(|row| Field {
        row,
        behaviour: behaviour::find(row),
    })
}

impl Field {
    /// Returns the path without `data.`, as users write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row.path.strip_prefix("data.").unwrap_or(self.row.path)
    }

    /// Returns the versions of the schema that have it.
    #[must_use]
    pub fn versions(self) -> &'static str {
        match self.row.versions {
            Versions::Any => "v1, v2",
            Versions::V1 => "v1",
            Versions::V2 => "v2",
        }
    }

    /// Returns what becomes of it, as a sentence without a full stop.
    #[must_use]
    pub fn fate(self) -> String {
        let target = match self.row.since {
            _ if self.row.target.is_empty() => String::new(),
            Some(since) => format!(" {} (in full since Flux {since})", self.row.target),
            None => format!(" {}", self.row.target),
        };
        match (self.row.fate, self.row.carrier) {
            (Fate::Mapped, Carrier::Apply) => format!("kept by `apply`:{target}"),
            (Fate::Mapped, _) => format!("mapped:{target}"),
            (Fate::Approximated, _) => format!("approximated:{target}"),
            (Fate::DroppedHarmless, _) => "dropped, harmless".to_owned(),
            (Fate::DroppedLossy, _) => "dropped, a loss".to_owned(),
            (Fate::NotYet, _) => "not carried over".to_owned(),
            (Fate::Refused, _) => "refused: an error, nothing is written".to_owned(),
        }
    }

    /// Returns what keeps it.
    #[must_use]
    pub fn carrier(self) -> &'static str {
        match self.row.carrier {
            Carrier::Tree => "the tree",
            Carrier::Apply => "`apply`",
            Carrier::Nobody => "nothing",
        }
    }
}
