//! Actions around an upgrade: lists of type, labels and, in v1, name.

use std::fmt;

use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::value::Text;
use crate::yaml::Node;

use super::super::super::decode::{Context, Field, Part, Rest, Table, type_of};
use super::super::super::disposition::Row;
use super::super::super::document::Version;

/// The rows of one list of actions.
pub(super) struct Rows {
    pub(super) list: &'static Row,
    pub(super) kind: &'static Row,
    pub(super) labels: &'static Row,
    pub(super) name: &'static Row,
}

/// What Armada can delete (Armada: handlers/pre_update_actions.py).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeleteKind {
    /// Jobs, and in v1 CronJobs, too.
    Job,
    /// CronJobs.
    CronJob,
    /// Pods.
    Pod,
    /// Nothing: Armada logs an error for the word and goes on.
    Unknown(Text),
}

impl DeleteKind {
    fn from_word(word: &Text) -> Self {
        match word.as_str() {
            "job" => DeleteKind::Job,
            "cronjob" => DeleteKind::CronJob,
            "pod" => DeleteKind::Pod,
            _ => DeleteKind::Unknown(word.clone()),
        }
    }

    /// The word that documents use.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            DeleteKind::Job => "job",
            DeleteKind::CronJob => "cronjob",
            DeleteKind::Pod => "pod",
            DeleteKind::Unknown(word) => word,
        }
    }
}

impl fmt::Display for DeleteKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One entry of `upgrade.pre.delete`.
#[derive(Clone, Debug)]
pub struct PreDelete {
    /// What is deleted.
    pub kind: DeleteKind,
    /// Labels of the objects; without any, all objects of the namespace.
    pub labels: Vec<(Text, Text)>,
    /// Where the entry stands.
    pub span: Span,
}

/// Decodes `pre.delete`.
pub(super) fn decode_deletes(
    table: &mut Table<'_>,
    rows: &'static Rows,
    version: Version,
    cx: &mut Context<'_>,
) -> Vec<PreDelete> {
    let mut deletes = Vec::new();
    for node in entries(table, rows, cx) {
        if !is_action(node, rows, cx) {
            continue;
        }
        if let Some(delete) = decode_action(node, rows, version, cx) {
            if let DeleteKind::Unknown(word) = &delete.kind {
                let message = format!("{}: armada cannot delete `{word}`", cx.subject);
                cx.diagnostics.push(
                    Diagnostic::new(Code::FieldIgnored, message)
                        .at(delete.span, "expected job, cronjob or pod")
                        .help("armada logs an error and goes on; remove or correct the entry"),
                );
            }
            deletes.push(delete);
        }
    }
    deletes
}

/// Decodes `pre.update`; gives its place when it asks for anything.
pub(super) fn decode_updates(
    table: &mut Table<'_>,
    rows: &'static Rows,
    cx: &mut Context<'_>,
) -> Option<Span> {
    let mut first: Option<Span> = None;
    for node in entries(table, rows, cx) {
        if is_action(node, rows, cx) {
            decode_action(node, rows, Version::V1, cx);
            first = first.or(Some(node.span()));
        }
    }
    first
}

/// Decodes a list that Armada never acts on, and says so when it holds anything.
pub(super) fn decode_ignored(
    table: &mut Table<'_>,
    rows: &'static Rows,
    field: &str,
    cx: &mut Context<'_>,
) {
    let nodes = entries(table, rows, cx);
    if let Some(first) = nodes.first() {
        let message = format!("{}: `{field}` has no effect", cx.subject);
        cx.diagnostics.push(
            Diagnostic::new(Code::FieldIgnored, message)
                .at(first.span(), "armada does not act on it")
                .help("remove it, or do by other means what it was meant to do"),
        );
    }
    for node in nodes {
        let field = Field {
            row: rows.list,
            value: node,
            part: Part::Item,
        };
        if field.is_mapping() {
            decode_action(node, rows, Version::V1, cx);
        } else {
            cx.ledger.claim(node, rows.list);
        }
    }
}

fn entries<'t>(table: &mut Table<'t>, rows: &'static Rows, cx: &mut Context<'_>) -> Vec<Node<'t>> {
    let list = table.open_field(rows.list, cx);
    list.and_then(|field| field.list(cx)).unwrap_or_default()
}

/// Whether an entry is a mapping: the schemas ask no type of it, so only the upgrade would fail.
fn is_action(node: Node<'_>, rows: &'static Rows, cx: &mut Context<'_>) -> bool {
    let field = Field {
        row: rows.list,
        value: node,
        part: Part::Item,
    };
    if field.is_mapping() {
        return true;
    }
    cx.ledger.claim(node, rows.list);
    let found = type_of(node, cx.dialect);
    let message = format!(
        "an entry of `{}` must be a mapping, found {found}",
        rows.list.path
    );
    cx.fault(node.span(), message);
    false
}

fn decode_action(
    node: Node<'_>,
    rows: &'static Rows,
    version: Version,
    cx: &mut Context<'_>,
) -> Option<PreDelete> {
    let field = Field {
        row: rows.list,
        value: node,
        part: Part::Item,
    };
    let mut table = field.table(cx)?;
    let kind = table.required_text(rows.kind, cx);
    let labels = table
        .open_field(rows.labels, cx)
        .and_then(|field| field.text_map(cx));
    if version == Version::V1 {
        table.text(rows.name, cx);
    }
    table.finish(Rest::Refuse, cx);
    Some(PreDelete {
        kind: DeleteKind::from_word(&kind?.value),
        labels: labels.unwrap_or_default(),
        span: node.span(),
    })
}
