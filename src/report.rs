//! What a run says about itself, as versioned data and in the formats of others.
//!
//! The types here are a copy made for readers outside: they change only with the version of their report.

pub mod apply;
pub mod convert;
mod decided;
pub mod diagnostics_page;
pub mod diff;
mod digest;
pub mod events;
pub mod explain;
pub mod field;
pub mod field_mapping;
pub mod finding;
pub mod github;
pub mod graph;
pub mod junit;
pub mod markdown;
pub mod order;
pub mod plan;
pub mod sarif;
pub mod source_map;
pub mod status;
pub mod style;
pub mod text;
pub mod validate;
pub mod words;
