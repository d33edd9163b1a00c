//! Armada's documents: one model for v1 and v2, with decoders that account for every field.
//!
//! Each decoder has the disposition [`Row`]s of the fields that it reads: what becomes of each and
//! why. The [`Ledger`] gives every node of every document exactly one row, so nothing is lost silently.

pub mod behaviour;
pub mod chart;
pub mod chart_group;
pub mod decode;
pub mod difference;
pub mod disposition;
pub mod document;
pub mod fault;
pub mod head;
pub mod ledger;
pub mod leftover;
pub mod manifest;
pub mod overrides;
pub mod proof;
pub mod rows;
pub(crate) mod suggest;

pub use chart::Chart;
pub use chart_group::ChartGroup;
pub use disposition::{Carrier, Fate, Row, Since, Versions};
pub use document::{Documents, decode_documents};
pub use fault::Fault;
pub use head::ArmadaKind;
pub use ledger::Ledger;
pub use manifest::Manifest;
