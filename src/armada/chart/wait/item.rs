//! One entry of `wait.resources`.

use crate::armada::decode::{Context, Field, Part, Rest, python_text, type_of};
use crate::diagnostic::{Code, Diagnostic};
use crate::gate::{MinReady, Version, WaitKind};
use crate::source::Span;
use crate::value::Text;
use crate::yaml::mapping;
use crate::yaml::scalar::Typed;

use super::min_ready;
use super::rows::{
    RESOURCE, RESOURCE_ASYNC, RESOURCE_LABELS, RESOURCE_MIN_READY, RESOURCE_REQUIRED, RESOURCE_TYPE,
};
use super::shape::Shape;

/// A wait as a Chart writes it; what it leaves out is filled in by the plan.
#[derive(Clone, Debug)]
pub struct WaitItem {
    /// What is awaited.
    pub kind: WaitKind,
    /// Labels merged over those of the chart.
    pub labels: Vec<(Text, Text)>,
    /// Whether finding none is a failure.
    pub required: Option<bool>,
    /// How many must be ready.
    pub min_ready: Option<MinReady>,
    /// Whether updates pass that Kubernetes does not roll out itself.
    pub allow_async_updates: Option<bool>,
    /// Its span in the input.
    pub span: Span,
}

/// Decodes an entry. `named` is the type when the key of v2's mapping sets it.
/// `None` when the entry is wrong in a way that was reported.
pub(super) fn decode(
    field: Field<'_>,
    named: Option<WaitKind>,
    shape: Shape,
    cx: &mut Context<'_>,
) -> Option<WaitItem> {
    let span = field.value.span();
    if !field.is_mapping(cx) {
        // The schemas do not check the type of an entry, so validation passes.
        cx.ledger.claim(field.value, &RESOURCE);
        let found = type_of(field.value, cx.dialect);
        cx.fault(
            span,
            format!("an entry of `wait.resources` must be a mapping, found {found}"),
        );
        return None;
    }
    let version = match (named, shape) {
        (None, Shape::Checked) => Version::V1,
        (Some(_), _) | (None, Shape::Unchecked) => Version::V2,
    };
    let mut table = field.table(cx)?;
    let own_type = match shape {
        Shape::Checked if named.is_none() => table.required(&RESOURCE_TYPE, cx),
        Shape::Checked | Shape::Unchecked => table.open_field(&RESOURCE_TYPE, cx),
    };
    let kind = decode_kind(own_type, named, shape, span, cx);
    let labels = table.open_field(&RESOURCE_LABELS, cx);
    let labels = labels.and_then(|field| match shape {
        Shape::Checked => field.text_map(cx),
        Shape::Unchecked => loose_labels(field, cx),
    });
    let min_ready = table
        .field(&RESOURCE_MIN_READY, cx)
        .map(|field| (field, min_ready::decode(field, shape, cx)));
    let mut required = None;
    let mut allow_async_updates = None;
    if version == Version::V2 {
        let field = table.field(&RESOURCE_REQUIRED, cx);
        required = field.and_then(|field| match shape {
            Shape::Checked => field.boolean(cx).map(|required| required.value),
            Shape::Unchecked => Some(truth(field, cx)),
        });
        let field = table.field(&RESOURCE_ASYNC, cx);
        allow_async_updates = field.map(|field| (field, truth(field, cx)));
    }
    let rest = match version {
        Version::V1 => Rest::Refuse,
        Version::V2 => Rest::Fault,
    };
    table.finish(rest, cx);
    let kind = kind?;
    for (field, allowed) in [
        (
            min_ready.as_ref().map(|(field, _)| field),
            kind.counts_ready(),
        ),
        (
            allow_async_updates.as_ref().map(|(field, _)| field),
            kind.updates_async(),
        ),
    ] {
        if let Some(field) = field
            && !allowed
        {
            let name = field.row.path.rsplit('.').next().unwrap_or(field.row.path);
            let message = format!("`wait.resources`: type `{kind}` does not accept `{name}`");
            cx.fault(field.value.span(), message);
        }
    }
    Some(WaitItem {
        kind,
        labels: labels.unwrap_or_default(),
        required,
        min_ready: min_ready.and_then(|(_, min_ready)| min_ready),
        allow_async_updates: allow_async_updates.map(|(_, allow)| allow),
        span,
    })
}

fn decode_kind(
    own_type: Option<Field<'_>>,
    named: Option<WaitKind>,
    shape: Shape,
    span: Span,
    cx: &mut Context<'_>,
) -> Option<WaitKind> {
    if let Some(field) = own_type {
        cx.ledger.claim(field.value, &RESOURCE_TYPE);
    }
    match (own_type, named) {
        (Some(field), Some(kind)) => {
            cx.diagnostics.push(
                Diagnostic::new(
                    Code::FieldIgnored,
                    format!("{}: `type` has no effect under `{kind}`", cx.subject),
                )
                .at(field.value.span(), "the key above sets the type")
                .help("remove it"),
            );
            Some(kind)
        }
        (None, Some(kind)) => Some(kind),
        (Some(field), None) => {
            let word = match (field.typed(cx), shape) {
                (Some(Typed::String(word)), _) => word,
                (_, Shape::Checked) => {
                    cx.wrong_type(&field, "a string");
                    return None;
                }
                (_, Shape::Unchecked) => "".into(),
            };
            let kind = WaitKind::from_word(&word);
            if kind.is_none() {
                unknown_kind(field.value.span(), cx);
            }
            kind
        }
        (None, None) => {
            // A checked entry was reported by the table.
            if shape == Shape::Unchecked {
                cx.fault(span, "an entry of `wait.resources` has no `type`");
            }
            None
        }
    }
}

/// Notes a type that Armada cannot wait for.
pub(super) fn unknown_kind(span: Span, cx: &mut Context<'_>) {
    let words: Vec<&str> = WaitKind::ALL.iter().map(|kind| kind.word()).collect();
    let message = format!(
        "`wait.resources` names a type that Armada cannot wait for; it supports {}",
        words.join(", ")
    );
    cx.fault(span, message);
}

/// Decodes labels that no schema checks: values are formatted as Python does, an empty field counts as none.
fn loose_labels(field: Field<'_>, cx: &mut Context<'_>) -> Option<Vec<(Text, Text)>> {
    if !field.is_mapping(cx) {
        cx.ledger.claim(field.value, &RESOURCE_LABELS);
        let falsy = field.typed(cx).is_some_and(|typed| !is_truthy(&typed));
        if !falsy {
            let found = type_of(field.value, cx.dialect);
            let message = format!("`labels` of a wait must be a mapping, found {found}");
            cx.fault(field.value.span(), message);
        }
        return None;
    }
    let mut labels = Vec::new();
    for entry in mapping::entries(field.value, cx.dialect, cx.diagnostics) {
        let mut text = |value| {
            let field = Field {
                row: &RESOURCE_LABELS,
                value,
                part: Part::Value,
            };
            let text = field.typed(cx).and_then(|typed| python_text(&typed));
            if text.is_none() {
                let found = type_of(value, cx.dialect);
                let message = format!("a label of a wait must be a string, found {found}");
                cx.fault(value.span(), message);
            }
            text
        };
        if let (Some(key), Some(value)) = (text(entry.key), text(entry.value)) {
            labels.push((key, value));
        }
    }
    cx.ledger.claim(field.value, &RESOURCE_LABELS);
    Some(labels)
}

/// Decodes a switch that no schema checks, by Python's truth. Reports it when it is not a boolean.
fn truth(field: Field<'_>, cx: &mut Context<'_>) -> bool {
    let truth = match field.typed(cx) {
        Some(Typed::Bool(value)) => return value,
        Some(typed) => is_truthy(&typed),
        None => field.value.items().len() > 0,
    };
    cx.misread(&field, if truth { "true" } else { "false" });
    truth
}

/// Returns whether Python reads a scalar as true.
pub(super) fn is_truthy(typed: &Typed<'_>) -> bool {
    match typed {
        Typed::Null => false,
        Typed::Bool(value) => *value,
        Typed::Int(value) => *value != 0,
        Typed::Float(value) => *value != 0.0,
        Typed::String(text) => !text.is_empty(),
        Typed::Binary(bytes) => !bytes.is_empty(),
        Typed::Big(_) | Typed::Timestamp(_) => true,
    }
}
