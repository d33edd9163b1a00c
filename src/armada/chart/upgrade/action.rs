//! Actions around an upgrade: lists of type, labels and, in v1, name.

use crate::armada::decode::{Context, Field, Part, Rest, Table, type_of};
use crate::armada::disposition::Row;
use crate::diagnostic::{Code, Diagnostic};
use crate::gate::{Deleted, Deletion, Version, selector};
use crate::source::Span;
use crate::value::Text;
use crate::yaml::Node;

/// The rows of one list of actions.
pub(super) struct Rows {
    pub(super) list: &'static Row,
    pub(super) kind: &'static Row,
    pub(super) labels: &'static Row,
    pub(super) name: &'static Row,
}

/// One entry of `upgrade.pre.delete`: deletions in the release's namespace, only when the release changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreDelete {
    /// The type as the document writes it.
    pub type_word: Text,
    /// The kinds of object, in order; none for a type that Armada does not know: it logs an error and
    /// continues.
    pub kinds: &'static [Deleted],
    /// Labels of the objects, which must be equal; empty selects every object of the kinds.
    pub labels: Vec<(Text, Text)>,
    /// Span of the entry.
    pub span: Span,
}

impl PreDelete {
    /// Returns the label selector as Armada sends it: `a=b,c=d`, empty for none.
    #[must_use]
    pub(crate) fn selector(&self) -> Text {
        selector::of_labels(&self.labels)
    }

    /// Returns the deletions, kind by kind.
    pub(crate) fn deletions(&self) -> impl Iterator<Item = Deletion> {
        self.kinds.iter().map(|kind| Deletion {
            kind: *kind,
            selector: self.selector(),
        })
    }
}

/// Returns the kinds of object that a type means: v1's `job` means CronJobs, too (Armada:
/// handlers/pre_update_actions.py).
fn kinds(type_word: &str, version: Version) -> &'static [Deleted] {
    match (Deleted::from_word(type_word), version) {
        (Some(Deleted::Job), Version::V1) => &[Deleted::Job, Deleted::CronJob],
        (Some(Deleted::Job), Version::V2) => &[Deleted::Job],
        (Some(Deleted::CronJob), _) => &[Deleted::CronJob],
        (Some(Deleted::Pod), _) => &[Deleted::Pod],
        (None, _) => &[],
    }
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
            if delete.kinds.is_empty() {
                let message = format!(
                    "{}: Armada cannot delete `{}`",
                    cx.subject, delete.type_word
                );
                cx.diagnostics.push(
                    Diagnostic::new(Code::FieldIgnored, message)
                        .at(delete.span, "expected job, cronjob or pod")
                        .help("Armada logs an error and continues; remove or correct the entry"),
                );
            }
            deletes.push(delete);
        }
    }
    deletes
}

/// Decodes `pre.update`; returns its span when it is not empty.
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

/// Decodes a list that Armada never acts on, and reports it when it is not empty.
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
                .at(first.span(), "Armada does not act on it")
                .help("remove it, or replace it by other means"),
        );
    }
    for node in nodes {
        let field = Field {
            row: rows.list,
            value: node,
            part: Part::Item,
        };
        if field.is_mapping(cx) {
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

/// Returns whether an entry is a mapping: the schemas do not check its type, so only the upgrade would fail.
fn is_action(node: Node<'_>, rows: &'static Rows, cx: &mut Context<'_>) -> bool {
    let field = Field {
        row: rows.list,
        value: node,
        part: Part::Item,
    };
    if field.is_mapping(cx) {
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
    let type_word = kind?.value;
    Some(PreDelete {
        kinds: kinds(&type_word, version),
        type_word,
        labels: labels.unwrap_or_default(),
        span: node.span(),
    })
}
