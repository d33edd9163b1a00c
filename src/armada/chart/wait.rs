//! `data.wait`: what Armada waits for after a chart was deployed.

use crate::source::{Span, Spanned};
use crate::value::Text;

use super::super::decode::{Context, Rest, Table};
use super::super::disposition::rows;

rows! { "Chart";
    WAIT "data.wait" Mapped Tree "spec.timeout, spec.install, spec.upgrade" "waiting of Helm itself and limits"
    TIMEOUT "data.wait.timeout" Mapped Tree "spec.timeout" "seconds, 900 when absent; Flux counts them for each action of Helm"
    NATIVE "data.wait.native" Mapped Tree "spec.waitStrategy, spec.install, spec.upgrade" "Helm's own waiting"
    NATIVE_ENABLED "data.wait.native.enabled" Mapped Tree "spec.waitStrategy, disableWait" "on by default in v1, off in v2"
    LABELS "data.wait.labels" NotYet Apply "" "which objects Armada's own waits look at"
    RESOURCES "data.wait.resources" NotYet Apply "" "Armada's own waits, after Helm and its hooks"
}

/// The `wait` block of a Chart.
#[derive(Clone, Debug, Default)]
pub struct Wait {
    /// Time limit of the whole chart, in seconds.
    pub timeout: Option<Spanned<i64>>,
    /// Helm's own waiting (`--wait`).
    pub native: Option<bool>,
    /// Labels of the objects that Armada waits for.
    pub labels: Vec<(Text, Text)>,
    /// Where the list of awaited kinds stands, if there is one.
    pub resources: Option<Span>,
    /// Whether that list is there and empty: then Armada's own waits are off.
    pub resources_empty: bool,
}

/// Decodes the block.
pub(in crate::armada) fn decode(mut table: Table<'_>, cx: &mut Context<'_>) -> Wait {
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
    let resources = table.field(&RESOURCES, cx).map(|field| field.value);
    table.finish(Rest::Refuse, cx);
    Wait {
        timeout,
        native: native.map(|native| native.value),
        labels: labels.unwrap_or_default(),
        resources: resources.map(|node| node.span()),
        // An empty mapping counts as absent (Armada: handlers/wait.py), only `[]` switches waits off.
        resources_empty: resources.is_some_and(|node| {
            matches!(node.resolved().kind(), crate::yaml::Kind::Sequence) && node.items().len() == 0
        }),
    }
}
