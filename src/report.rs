//! Reports of all commands: as versioned data, as text, as pages and in the formats of other programs.
//!
//! The types here are what readers outside get. They change only with the version of their report.

pub mod apply;
mod command;
pub mod convert;
pub mod dangers_page;
mod decided;
pub mod diagnostics_page;
pub mod diff;
pub mod differences_page;
mod digest;
pub mod events;
pub mod explain;
pub mod field;
pub mod field_mapping;
pub mod finding;
pub mod github;
pub mod graph;
pub mod junit;
pub mod mark;
pub mod markdown;
pub mod order;
pub mod page;
pub mod plan;
pub(crate) mod rbac;
pub mod sarif;
pub mod source_map;
pub mod status;
pub mod validate;
pub mod words;

#[cfg(test)]
mod tests;

pub(crate) use command::{command_line, quoted_path};
pub(crate) use digest::{count, count_of};

use serde::Serialize;

use crate::printable::Printable;
use crate::printable::style::Style;

use page::Page;

/// A report for programs and for people.
pub trait Rendered: Serialize {
    /// Returns it as text for a terminal.
    fn text(&self, style: Style) -> Printable;

    /// Returns it as a page, for Markdown.
    fn page(&self) -> Page;
}
