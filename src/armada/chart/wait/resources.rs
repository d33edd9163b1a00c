//! `wait.resources`: a list of waits (v1, v2) or changes to the default ones by type (v2).

use crate::armada::decode::{Context, Field, Part, Rest, type_of};
use crate::gate::{Version, WaitKind};
use crate::yaml::scalar::Typed;

use super::item::{self, WaitItem};
use super::rows::{RESOURCE, RESOURCES};
use super::shape::Shape;

/// The waits of a Chart (Armada: handlers/wait.py, `ChartWait` and `get_resources_list`).
#[derive(Clone, Debug, Default)]
pub enum Resources {
    /// Not set: the defaults of its version.
    #[default]
    Default,
    /// Exactly these, in order.
    List(Vec<WaitItem>),
    /// v2's defaults with some types replaced: by these waits, or by none.
    ByKind(Vec<(WaitKind, Vec<WaitItem>)>),
}

/// Decodes the field. Schema faults are diagnostics; what only the deployment would reject are faults.
pub(super) fn decode(field: Field<'_>, version: Version, cx: &mut Context<'_>) -> Resources {
    if field.is_list(cx) {
        let nodes = field.list(cx).unwrap_or_default();
        let shape = match version {
            Version::V1 => Shape::Checked,
            Version::V2 => Shape::Unchecked,
        };
        let items = nodes.into_iter().filter_map(|value| {
            let row = &RESOURCE;
            let part = Part::Whole;
            item::decode(Field { row, value, part }, None, shape, cx)
        });
        return Resources::List(items.collect());
    }
    match version {
        Version::V1 => {
            cx.ledger.claim(field.value, &RESOURCES);
            cx.wrong_type(&field, "a list");
            Resources::Default
        }
        Version::V2 if field.is_mapping(cx) => decode_mapping(field, cx),
        Version::V2 => {
            cx.ledger.claim(field.value, &RESOURCES);
            if !is_falsy(field, cx) {
                let found = type_of(field.value, cx.dialect);
                let message =
                    format!("`wait.resources` must be a list or a mapping, found {found}");
                cx.fault(field.value.span(), message);
            }
            Resources::Default
        }
    }
}

fn decode_mapping(field: Field<'_>, cx: &mut Context<'_>) -> Resources {
    let Some(mut table) = field.table(cx) else {
        return Resources::Default;
    };
    let mut kinds = Vec::new();
    for entry in table.take_rest() {
        cx.ledger.claim(entry.key, &RESOURCE);
        cx.ledger.claim_alone(entry.value, &RESOURCE);
        let key = Field {
            row: &RESOURCE,
            value: entry.key,
            part: Part::Key,
        };
        let value = Field {
            row: &RESOURCE,
            value: entry.value,
            part: Part::Whole,
        };
        let kind = match key.typed(cx) {
            Some(Typed::String(word)) => WaitKind::from_word(&word),
            _ => None,
        };
        let Some(kind) = kind else {
            item::unknown_kind(entry.key.span(), cx);
            cx.ledger.claim(entry.value, &RESOURCE);
            continue;
        };
        kinds.push((kind, decode_entry(value, kind, cx)));
    }
    table.finish(Rest::Refuse, cx);
    Resources::ByKind(kinds)
}

/// Returns the value of a type: `false`, one wait or a list of them.
fn decode_entry(value: Field<'_>, kind: WaitKind, cx: &mut Context<'_>) -> Vec<WaitItem> {
    if value.is_mapping(cx) {
        let item = item::decode(value, Some(kind), Shape::Checked, cx);
        return item.into_iter().collect();
    }
    if value.is_list(cx) {
        let nodes = value.list(cx).unwrap_or_default();
        let items = nodes.into_iter().filter_map(|node| {
            let field = Field {
                row: &RESOURCE,
                value: node,
                part: Part::Whole,
            };
            item::decode(field, Some(kind), Shape::Unchecked, cx)
        });
        return items.collect();
    }
    if value.typed(cx) != Some(Typed::Bool(false)) {
        let found = type_of(value.value, cx.dialect);
        let message = format!(
            "`wait.resources`: `{kind}` must be false, a mapping or a list of mappings, found {found}"
        );
        cx.fault(value.value.span(), message);
    }
    Vec::new()
}

/// Returns whether Python reads the scalar as false, which counts as absent here.
fn is_falsy(field: Field<'_>, cx: &Context<'_>) -> bool {
    field
        .typed(cx)
        .is_some_and(|typed| !item::is_truthy(&typed))
}
