//! The documents of an input: which of them are Armada's, and each in its own decoder.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::gate::Version;
use crate::source::{Span, Spanned};
use crate::value::Text;
use crate::yaml::scalar::{Dialect, Typed};
use crate::yaml::{Kind, Node, Tree};

use super::chart::{self, Chart};
use super::chart_group::{self, ChartGroup};
use super::decode::{Context, Rest, Table};
use super::disposition::Row;
use super::head::{
    ArmadaKind, DOCUMENT, EXTRA, FAILED, Head, METADATA, NAME, SCHEMA, SKIPPED, armada_schema,
};
use super::ledger::Ledger;
use super::manifest::{self, Manifest};
use super::rows;

/// The Armada documents of an input.
#[derive(Debug, Default)]
pub struct Documents<'t> {
    /// Chart documents, in input order.
    pub charts: Vec<Chart<'t>>,
    /// ChartGroup documents, in input order.
    pub chart_groups: Vec<ChartGroup>,
    /// Manifest documents, in input order.
    pub manifests: Vec<Manifest>,
    /// Number of skipped documents by schema.
    pub skipped: BTreeMap<Text, usize>,
    /// Documents that Deckhand has not rendered: or whose content it has left out.
    pub not_rendered: Vec<NotRendered>,
    /// Spans of documents that are not valid YAML, whose kinds are unknown.
    pub unreadable: Vec<Span>,
    /// Documents that could not be decoded; their faults were reported.
    pub failed: Vec<Failed>,
}

impl Documents<'_> {
    /// Returns whether no document was decoded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.charts.is_empty() && self.chart_groups.is_empty() && self.manifests.is_empty()
    }

    /// Returns whether a document that could not be decoded may be the one of that kind and name.
    #[must_use]
    pub fn may_have_failed(&self, kind: ArmadaKind, name: &str) -> bool {
        let mut failed = self.failed.iter();
        let mut not_rendered = self.not_rendered.iter();
        !self.unreadable.is_empty()
            || failed.any(|failed| {
                failed.kind == kind && failed.name.as_ref().is_none_or(|known| known == name)
            })
            || not_rendered.any(|document| document.kind == kind && document.name.value == name)
    }

    /// Returns whether a document that could not be decoded may be one of that kind.
    #[must_use]
    pub fn may_lack(&self, kind: ArmadaKind) -> bool {
        !self.unreadable.is_empty()
            || self.failed.iter().any(|failed| failed.kind == kind)
            || self
                .not_rendered
                .iter()
                .any(|document| document.kind == kind)
    }
}

/// A document that could not be decoded.
#[derive(Clone, Debug)]
pub struct Failed {
    /// Kind from the document's schema.
    pub kind: ArmadaKind,
    /// Its name, if that could be decoded.
    pub name: Option<Text>,
}

/// A document that Deckhand has not rendered.
#[derive(Clone, Debug)]
pub struct NotRendered {
    /// Kind from the document's schema.
    pub kind: ArmadaKind,
    /// `metadata.name`, required by every schema.
    pub name: Spanned<Text>,
    /// What it lacks.
    pub lack: Lack,
}

/// What a document lacks that Deckhand holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Required fields that rendering fills in.
    Fields(Vec<&'static str>),
    /// Its whole `data`, in whose place an export without `--cleartext-secrets` has a digest.
    Content,
}

/// Decodes the documents of a tree into `documents`; every fault is a diagnostic.
pub fn decode_documents<'t>(
    tree: &'t Tree,
    dialect: Dialect,
    documents: &mut Documents<'t>,
    diagnostics: &mut Diagnostics,
) -> Ledger {
    let mut ledger = Ledger::new(tree, &rows::ALL);
    let broken = tree.documents().iter().filter(|document| document.broken);
    documents
        .unreadable
        .extend(broken.map(|document| document.span));
    for root in tree.roots() {
        let mut cx = Context {
            dialect,
            ledger: &mut ledger,
            diagnostics,
            subject: "document".to_owned(),
            faults: Vec::new(),
        };
        decode(root, documents, &mut cx);
    }
    ledger
}

fn decode<'t>(root: Node<'t>, documents: &mut Documents<'t>, cx: &mut Context<'_>) {
    let schema = match root.kind() {
        Kind::Mapping => root
            .entries()
            .find(|(key, _)| key.scalar().is_some_and(|key| key.text == "schema"))
            .and_then(|(_, value)| value.scalar())
            .map(|scalar| scalar.text),
        Kind::Scalar(_) | Kind::Sequence | Kind::Alias(_) => None,
    };
    let schema = schema.unwrap_or("(no schema)");
    let Some((kind, version)) = armada_schema(schema) else {
        if schema.starts_with("armada/") {
            let message = format!("document with schema `{schema}` is skipped");
            cx.diagnostics.push(
                Diagnostic::new(Code::SchemaVersion, message)
                    .at(root.span(), "not one of Armada's v1 and v2 schemas")
                    .help("Armada skips it, too; correct the schema if the document is meant"),
            );
        }
        *documents.skipped.entry(schema.into()).or_default() += 1;
        cx.ledger.claim(root, &SKIPPED);
        return;
    };
    let mut table = Table::open(root, &DOCUMENT, cx);
    table.field(&SCHEMA, cx);
    let head = match decode_head(version, kind, &mut table, root.span(), cx) {
        Some(Headed::Redacted(name)) => {
            cx.ledger.claim(root, &FAILED);
            documents.not_rendered.push(NotRendered {
                kind,
                name,
                lack: Lack::Content,
            });
            return;
        }
        Some(Headed::Body(head, data, layering)) => Some((head, data, layering)),
        None => None,
    };
    let name = head.as_ref().map(|(head, ..)| head.name.value.clone());
    let decoded = match head {
        None => false,
        Some((head, data, true)) if !missing_fields(kind, version, &data).is_empty() => {
            cx.ledger.claim(root, &FAILED);
            documents.not_rendered.push(NotRendered {
                kind,
                name: head.name,
                lack: Lack::Fields(missing_fields(kind, version, &data)),
            });
            return;
        }
        Some((head, data, _)) => match kind {
            ArmadaKind::Manifest => {
                let manifest = manifest::decode(head, data, cx);
                push(&mut documents.manifests, manifest)
            }
            ArmadaKind::ChartGroup => {
                let group = chart_group::decode(head, data, cx);
                push(&mut documents.chart_groups, group)
            }
            ArmadaKind::Chart => {
                let chart = chart::decode(head, data, cx);
                push(&mut documents.charts, chart)
            }
        },
    };
    if !decoded {
        cx.ledger.claim(root, &FAILED);
        documents.failed.push(Failed { kind, name });
    }
    table.finish(Rest::Ignore(&EXTRA), cx);
}

/// Returns the required fields that a document lacks (Armada: schemas).
fn missing_fields(kind: ArmadaKind, version: Version, data: &Table<'_>) -> Vec<&'static str> {
    let required: &[&str] = match (kind, version) {
        (ArmadaKind::Manifest, _) => &["release_prefix", "chart_groups"],
        (ArmadaKind::ChartGroup, _) => &["chart_group"],
        (ArmadaKind::Chart, Version::V1) => &["chart_name", "namespace", "release", "source"],
        (ArmadaKind::Chart, Version::V2) => &["namespace", "release", "source"],
    };
    required
        .iter()
        .filter(|field| !data.has(field))
        .copied()
        .collect()
}

/// Adds a decoded document; returns whether there was one.
fn push<T>(list: &mut Vec<T>, decoded: Option<T>) -> bool {
    let found = decoded.is_some();
    list.extend(decoded);
    found
}

/// A document up to its body.
enum Headed<'t> {
    /// The body, and whether the metadata hold Deckhand's layering.
    Body(Head, Table<'t>, bool),
    /// A digest stands in the place of the body.
    Redacted(Spanned<Text>),
}

/// Returns whether a body is what Deckhand writes for one that it redacts: a SHA-256 digest
/// (Deckhand: common/document.py).
fn is_redacted(data: &str) -> bool {
    data.len() == 64
        && data
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Decodes name and body.
fn decode_head<'t>(
    version: Version,
    kind: ArmadaKind,
    table: &mut Table<'t>,
    span: Span,
    cx: &mut Context<'_>,
) -> Option<Headed<'t>> {
    let row: &'static Row = match kind {
        ArmadaKind::Manifest => &manifest::DATA,
        ArmadaKind::ChartGroup => &chart_group::DATA,
        ArmadaKind::Chart => &chart::DATA,
    };
    cx.subject = kind.to_string();
    let mut metadata = table.required(&METADATA, cx)?.table(cx)?;
    let layering = metadata.has("layeringDefinition");
    let name = metadata.required_text(&NAME, cx);
    metadata.finish(Rest::Ignore(&METADATA), cx);
    let name = name?;
    cx.subject = format!("{kind} `{}`", name.value);
    let data = table.required(row, cx)?;
    if let Some(Typed::String(text)) = data.typed(cx)
        && is_redacted(&text)
    {
        return Some(Headed::Redacted(name));
    }
    let data = data.table(cx)?;
    let head = Head {
        version,
        name,
        span,
    };
    Some(Headed::Body(head, data, layering))
}
