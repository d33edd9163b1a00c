//! Hand decoding: take fields out of a mapping, account for each, complain about the rest.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::value::Text;
use crate::yaml::scalar::{self, Dialect, Typed};
use crate::yaml::{Kind, Node, mapping};

use super::disposition::Row;
use super::fault::Fault;
use super::head::UNKNOWN;
use super::ledger::Ledger;
use super::suggest;

/// What decoding needs everywhere.
#[derive(Debug)]
pub(super) struct Context<'c> {
    pub(super) dialect: Dialect,
    pub(super) ledger: &'c mut Ledger,
    pub(super) diagnostics: &'c mut Diagnostics,
    /// How messages call the document: ``chart `keystone` ``.
    pub(super) subject: String,
    /// What Armada would find out only when it deploys the chart.
    pub(super) faults: Vec<Fault>,
}

impl Context<'_> {
    /// Reports an error about the document.
    pub(super) fn error(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Notes something that Armada finds out only when it deploys the chart.
    pub(super) fn fault(&mut self, span: Span, message: impl Into<String>) {
        let message = message.into();
        self.faults.push(Fault { span, message });
    }

    /// Warns of a value that no schema looks at and that Python takes for something else than it looks.
    pub(super) fn misread(&mut self, field: &Field<'_>, meaning: &str) {
        let name = field.row.path.rsplit('.').next().unwrap_or(field.row.path);
        let found = type_of(field.value, self.dialect);
        let message = format!(
            "{}: `{name}` of a wait is {found}, which counts as {meaning}",
            self.subject
        );
        self.diagnostics.push(
            Diagnostic::new(Code::FieldMisread, message)
                .at(field.value.span(), format!("counts as {meaning}"))
                .help("write what is meant"),
        );
    }

    /// Reports a field of the wrong type; `wanted` says which types the schema takes.
    pub(super) fn wrong_type(&mut self, field: &Field<'_>, wanted: &str) {
        let found = type_of(field.value, self.dialect);
        let message = format!(
            "{}: {} must be {wanted}, found {found}",
            self.subject,
            field.what()
        );
        self.error(
            Diagnostic::new(Code::FieldType, message)
                .at(field.value.span(), format!("{found} here"))
                .help("armada refuses the document as it is; correct the field"),
        );
    }
}

/// The type of a node as messages call it.
pub(super) fn type_of(node: Node<'_>, dialect: Dialect) -> &'static str {
    match node.resolved().kind() {
        Kind::Sequence => "a list",
        Kind::Mapping => "a mapping",
        Kind::Alias(_) => "an alias",
        Kind::Scalar(scalar) => match scalar::resolve(scalar, dialect) {
            Ok(Typed::Null) => "null",
            Ok(Typed::Bool(_)) => "a bool",
            Ok(Typed::Int(_) | Typed::Big(_)) => "an integer",
            Ok(Typed::Float(_)) => "a float",
            Ok(Typed::String(_)) => "a string",
            Ok(Typed::Binary(_)) => "binary data",
            Ok(Typed::Timestamp(_)) => "a date",
            Err(_) => "a rejected value",
        },
    }
}

/// A field that was taken out of a [`Table`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'t> {
    pub(super) row: &'static Row,
    pub(super) value: Node<'t>,
    pub(super) part: Part,
}

/// Which part of what a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// An item of a list.
    Item,
    /// A key of a mapping.
    Key,
    /// The value of a key of a mapping.
    Value,
}

impl<'t> Field<'t> {
    /// What it is, as messages call it.
    fn what(self) -> String {
        let path = self.row.path;
        match self.part {
            Part::Whole => format!("`{path}`"),
            Part::Item => format!("an item of `{path}`"),
            Part::Key => format!("a key of `{path}`"),
            Part::Value => format!("a value of `{path}`"),
        }
    }

    /// The string.
    pub(super) fn text(self, cx: &mut Context<'_>) -> Option<Spanned<Text>> {
        if let Some(scalar) = self.value.scalar()
            && let Ok(Typed::String(text)) = scalar::resolve(scalar, cx.dialect)
        {
            return Some(Spanned::new(Text::from(&*text), self.value.span()));
        }
        cx.wrong_type(&self, "a string");
        None
    }

    /// The truth value.
    pub(super) fn boolean(self, cx: &mut Context<'_>) -> Option<Spanned<bool>> {
        if let Some(scalar) = self.value.scalar()
            && let Ok(Typed::Bool(value)) = scalar::resolve(scalar, cx.dialect)
        {
            return Some(Spanned::new(value, self.value.span()));
        }
        cx.wrong_type(&self, "true or false");
        None
    }

    /// The integer. Draft 4 of JSON Schema, which Armada asks for, takes neither `900.0` nor `true` for one.
    pub(super) fn integer(self, cx: &mut Context<'_>) -> Option<Spanned<i64>> {
        if let Some(scalar) = self.value.scalar() {
            match scalar::resolve(scalar, cx.dialect) {
                Ok(Typed::Int(value)) => return Some(Spanned::new(value, self.value.span())),
                Ok(Typed::Big(_)) => {
                    cx.wrong_type(&self, "an integer of at most 64 bits");
                    return None;
                }
                Ok(_) | Err(_) => {}
            }
        }
        cx.wrong_type(&self, "an integer");
        None
    }

    /// The items of a list.
    pub(super) fn list(self, cx: &mut Context<'_>) -> Option<Vec<Node<'t>>> {
        match self.value.resolved().kind() {
            Kind::Sequence => {
                cx.ledger.claim_alone(self.value, self.row);
                Some(self.value.items().collect())
            }
            Kind::Scalar(_) | Kind::Mapping | Kind::Alias(_) => {
                cx.wrong_type(&self, "a list");
                None
            }
        }
    }

    /// A list of strings.
    pub(super) fn texts(self, cx: &mut Context<'_>) -> Option<Vec<Spanned<Text>>> {
        let items = self.list(cx)?;
        let row = self.row;
        let texts = items.into_iter().filter_map(|value| {
            cx.ledger.claim(value, row);
            let part = Part::Item;
            Field { row, value, part }.text(cx)
        });
        Some(texts.collect())
    }

    /// A mapping of strings to strings.
    pub(super) fn text_map(self, cx: &mut Context<'_>) -> Option<Vec<(Text, Text)>> {
        let Kind::Mapping = self.value.resolved().kind() else {
            cx.wrong_type(&self, "a mapping of strings");
            return None;
        };
        let row = self.row;
        let entries = mapping::entries(self.value, cx.dialect, cx.diagnostics);
        let pairs = entries.into_iter().filter_map(|entry| {
            let key = Field {
                row,
                value: entry.key,
                part: Part::Key,
            };
            let value = Field {
                row,
                value: entry.value,
                part: Part::Value,
            };
            // The schema looks at values only; a number as key becomes text when it is written out.
            let key = match key.typed(cx) {
                Some(Typed::Int(number)) => Text::from(number.to_string()),
                _ => key.text(cx)?.value,
            };
            Some((key, value.text(cx)?.value))
        });
        let pairs = pairs.collect();
        cx.ledger.claim(self.value, row);
        Some(pairs)
    }

    /// Whether the value is a mapping; if not, that is reported. Its content stays unread.
    pub(super) fn check_mapping(self, cx: &mut Context<'_>) -> bool {
        let is_mapping = self.is_mapping();
        if !is_mapping {
            cx.wrong_type(&self, "a mapping");
        }
        is_mapping
    }

    /// Whether the value is a mapping.
    pub(super) fn is_mapping(self) -> bool {
        matches!(self.value.resolved().kind(), Kind::Mapping)
    }

    /// Whether the value is a list.
    pub(super) fn is_list(self) -> bool {
        matches!(self.value.resolved().kind(), Kind::Sequence)
    }

    /// The scalar's meaning; `None` for lists and mappings and for what the dialect rejects.
    pub(super) fn typed(self, cx: &Context<'_>) -> Option<Typed<'t>> {
        scalar::resolve(self.value.scalar()?, cx.dialect).ok()
    }

    /// The mapping, to take fields out of it.
    pub(super) fn table(self, cx: &mut Context<'_>) -> Option<Table<'t>> {
        if let Kind::Mapping = self.value.resolved().kind() {
            Some(Table::open(self.value, self.row, cx))
        } else {
            cx.wrong_type(&self, "a mapping");
            None
        }
    }
}

/// What to do with fields that nobody took.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rest {
    /// Armada's schema refuses them.
    Refuse,
    /// Armada's schema lets them pass and its code never looks; they belong to the row.
    Ignore(&'static Row),
    /// Armada's schema lets them pass and its code fails on them when it deploys the chart.
    Fault,
}

/// A mapping whose fields are being taken.
#[derive(Debug)]
pub(super) struct Table<'t> {
    node: Node<'t>,
    row: &'static Row,
    entries: Vec<(Text, mapping::Entry<'t>)>,
    /// The fields that were asked for: all there are.
    known: Vec<&'static str>,
}

impl<'t> Table<'t> {
    /// Opens a mapping node; its own node goes to `row`.
    pub(super) fn open(node: Node<'t>, row: &'static Row, cx: &mut Context<'_>) -> Self {
        cx.ledger.claim_alone(node, row);
        let entries = mapping::entries(node, cx.dialect, cx.diagnostics);
        let named = entries.into_iter().map(|entry| {
            let text = entry.key.scalar().map_or("", |scalar| scalar.text);
            (Text::from(text), entry)
        });
        Self {
            node,
            row,
            entries: named.collect(),
            known: Vec::new(),
        }
    }

    /// Takes all that is left, in order: for mappings whose keys are data.
    pub(super) fn take_rest(&mut self) -> Vec<mapping::Entry<'t>> {
        let rest = std::mem::take(&mut self.entries);
        rest.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Where the mapping stands.
    pub(super) fn span(&self) -> Span {
        self.node.span()
    }

    /// Whether a field is there, without taking it.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.iter().any(|(name, _)| name == key)
    }

    /// Takes a field whose content accounts for itself (mappings, lists).
    pub(super) fn open_field(
        &mut self,
        row: &'static Row,
        cx: &mut Context<'_>,
    ) -> Option<Field<'t>> {
        let key = row.path.rsplit('.').next().unwrap_or(row.path);
        self.known.push(key);
        let at = self.entries.iter().position(|(name, _)| name == key)?;
        let (
            _,
            mapping::Entry {
                key,
                value,
                merged: _,
            },
        ) = self.entries.remove(at);
        cx.ledger.claim(key, row);
        cx.ledger.claim_alone(value, row);
        let part = Part::Whole;
        Some(Field { row, value, part })
    }

    /// Takes a field and everything in it.
    pub(super) fn field(&mut self, row: &'static Row, cx: &mut Context<'_>) -> Option<Field<'t>> {
        let field = self.open_field(row, cx)?;
        cx.ledger.claim(field.value, row);
        Some(field)
    }

    /// Takes a field that must be there.
    pub(super) fn required(
        &mut self,
        row: &'static Row,
        cx: &mut Context<'_>,
    ) -> Option<Field<'t>> {
        let field = self.open_field(row, cx);
        if field.is_none() {
            let message = format!("{}: `{}` is missing", cx.subject, row.path);
            cx.error(
                Diagnostic::new(Code::FieldMissing, message)
                    .at(self.span(), format!("expected in this `{}`", self.row.path))
                    .help("armada refuses the document without it; add the field"),
            );
        }
        field
    }

    /// Takes a string.
    pub(super) fn text(
        &mut self,
        row: &'static Row,
        cx: &mut Context<'_>,
    ) -> Option<Spanned<Text>> {
        self.field(row, cx)?.text(cx)
    }

    /// Takes a string that must be there.
    pub(super) fn required_text(
        &mut self,
        row: &'static Row,
        cx: &mut Context<'_>,
    ) -> Option<Spanned<Text>> {
        let field = self.required(row, cx)?;
        cx.ledger.claim(field.value, row);
        field.text(cx)
    }

    /// Takes a truth value.
    pub(super) fn boolean(
        &mut self,
        row: &'static Row,
        cx: &mut Context<'_>,
    ) -> Option<Spanned<bool>> {
        self.field(row, cx)?.boolean(cx)
    }

    /// Takes an integer.
    pub(super) fn integer(
        &mut self,
        row: &'static Row,
        cx: &mut Context<'_>,
    ) -> Option<Spanned<i64>> {
        self.field(row, cx)?.integer(cx)
    }

    /// Accounts for what nobody took.
    pub(super) fn finish(self, rest: Rest, cx: &mut Context<'_>) {
        let Self {
            node,
            row,
            entries,
            known,
        } = self;
        for (name, entry) in entries {
            if let Rest::Ignore(ignored) = rest {
                cx.ledger.claim(entry.key, ignored);
                cx.ledger.claim(entry.value, ignored);
                continue;
            }
            cx.ledger.claim(entry.key, &UNKNOWN);
            cx.ledger.claim(entry.value, &UNKNOWN);
            let message = format!("`{}` knows no field `{name}`", row.path);
            if let Rest::Fault = rest {
                cx.fault(entry.key.span(), message);
                continue;
            }
            let help = match suggest::suggest(row, &name, &known, cx.ledger.mapping()) {
                Some(hint) => format!("armada refuses the document with it; {hint}"),
                None => "armada refuses the document with it; remove or correct the field".into(),
            };
            let message = format!("{}: {message}", cx.subject);
            cx.error(
                Diagnostic::new(Code::FieldUnknown, message)
                    .at(entry.key.span(), "unknown field")
                    .help(help),
            );
        }
        // Entries that lost to a duplicate key and merge keys belong to the mapping they stand in.
        for (key, value) in node.entries() {
            cx.ledger.claim(key, row);
            cx.ledger.claim(value, row);
        }
    }
}
