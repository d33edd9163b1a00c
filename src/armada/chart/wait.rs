//! `data.wait`: what Armada waits for after a chart was deployed.

mod item;
mod min_ready;
mod resources;
pub(in crate::armada) mod rows;
mod shape;

use crate::armada::decode::{Context, Rest, Table};
use crate::gate::Version;
use crate::source::{Span, Spanned};
use crate::value::Text;

use rows::{LABELS, NATIVE, NATIVE_ENABLED, RESOURCES, TIMEOUT};

pub use item::WaitItem;
pub use resources::Resources;

/// The `wait` block of a Chart.
#[derive(Clone, Debug, Default)]
pub struct Wait {
    /// Time limit of the whole chart, in seconds.
    pub timeout: Option<Spanned<i64>>,
    /// Helm's own wait (`--wait`).
    pub native: Option<bool>,
    /// Labels of the objects that Armada waits for.
    pub labels: Vec<(Text, Text)>,
    /// Which kinds Armada waits for.
    pub resources: Resources,
    /// Span of `resources`, if it is set.
    pub resources_span: Option<Span>,
}

/// Decodes the block.
pub(in crate::armada) fn decode(
    mut table: Table<'_>,
    version: Version,
    cx: &mut Context<'_>,
) -> Wait {
    let timeout = table.integer(&TIMEOUT, cx);
    let native = table.open_field(&NATIVE, cx).and_then(|field| {
        let mut native = field.table(cx)?;
        let enabled = native.boolean(&NATIVE_ENABLED, cx);
        native.finish(Rest::Refuse, cx);
        enabled
    });
    let labels = table
        .open_field(&LABELS, cx)
        .and_then(|field| field.text_map(cx));
    let resources = table.open_field(&RESOURCES, cx);
    let resources_span = resources.map(|field| field.value.span());
    let resources = resources.map_or(Resources::Default, |field| {
        resources::decode(field, version, cx)
    });
    table.finish(Rest::Refuse, cx);
    Wait {
        timeout,
        native: native.map(|native| native.value),
        labels: labels.unwrap_or_default(),
        resources,
        resources_span,
    }
}
