//! The tools of the decoders: take fields out of a mapping, account for each, report the rest.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::value::Text;
use crate::yaml::scalar::{self, Dialect, Typed};
use crate::yaml::shape::{self, Shape};
use crate::yaml::{Kind, Node, mapping};

use super::disposition::Row;
use super::fault::{Act, Fault};
use super::head::UNKNOWN;
use super::ledger::Ledger;
use super::suggest;

/// The context of decoding.
#[derive(Debug)]
pub(super) struct Context<'c> {
    pub(super) dialect: Dialect,
    pub(super) ledger: &'c mut Ledger,
    pub(super) diagnostics: &'c mut Diagnostics,
    /// The document in messages: ``chart `keystone` ``.
    pub(super) subject: String,
    /// Faults on which Armada fails only when it deploys the chart.
    pub(super) faults: Vec<Fault>,
}

impl Context<'_> {
    /// Reports an error about the document.
    pub(super) fn error(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Notes a fault on which Armada fails only when it deploys the chart.
    pub(super) fn fault(&mut self, span: Span, message: impl Into<String>) {
        self.fault_of(Act::Deploy, span, message);
    }

    /// Notes a fault on which Armada fails when it comes to an act of a deployment.
    pub(super) fn fault_of(&mut self, act: Act, span: Span, message: impl Into<String>) {
        let message = message.into();
        self.faults.push(Fault { span, message, act });
    }

    /// Warns of a value that no schema checks and that Python reads as something other than it looks.
    pub(super) fn misread(&mut self, field: &Field<'_>, meaning: &str) {
        let name = field.row.path.rsplit('.').next().unwrap_or(field.row.path);
        let found = type_of(field.value, self.dialect);
        let message = format!(
            "{}: `{name}` of a wait is {found}, which Armada reads as {meaning}",
            self.subject
        );
        self.diagnostics.push(
            Diagnostic::new(Code::FieldMisread, message)
                .at(field.value.span(), format!("read as {meaning}"))
                .help("write the value that is meant"),
        );
    }

    /// Reports a field of the wrong type; `wanted` names the types that the schema accepts.
    pub(super) fn wrong_type(&mut self, field: &Field<'_>, wanted: &str) {
        let found = type_of(field.value, self.dialect);
        if found == REJECTED && self.dialect == Dialect::PyYaml {
            // It was reported when the file was read.
            return;
        }
        let message = format!(
            "{}: {} must be {wanted}, found {found}",
            self.subject,
            field.what()
        );
        self.error(
            Diagnostic::new(Code::FieldType, message)
                .at(field.value.span(), format!("{found} here"))
                .help("Armada rejects the document as it is; correct the field"),
        );
    }
}

/// Returns a scalar as Python's `%s` writes it into a label selector; `None` for what a selector cannot hold.
pub(super) fn python_text(typed: &Typed<'_>) -> Option<Text> {
    Some(match typed {
        Typed::Null => "None".into(),
        Typed::Bool(true) => "True".into(),
        Typed::Bool(false) => "False".into(),
        Typed::Int(value) => value.to_string().into(),
        Typed::Big(value) => value.to_string().into(),
        // Python writes others with an exponent and a sign.
        Typed::Float(value) if (1e-4..1e16).contains(&value.abs()) => format!("{value:?}").into(),
        Typed::String(text) => (&**text).into(),
        // A time has a space and colons.
        Typed::Timestamp(date) if !date.contains(':') => date.as_str().into(),
        Typed::Float(_) | Typed::Binary(_) | Typed::Timestamp(_) => return None,
    })
}

/// What has no type: the dialect refuses it.
const REJECTED: &str = "a rejected value";

/// Returns the type of a node for messages.
pub(super) fn type_of(node: Node<'_>, dialect: Dialect) -> &'static str {
    match shape::shape(node, dialect) {
        Ok(Some(Shape::List | Shape::Pairs)) => return "a list",
        Ok(Some(Shape::Map)) => return "a mapping",
        Ok(Some(Shape::Set)) => return "a set",
        Err(_) => return REJECTED,
        Ok(None) => {}
    }
    match node.resolved().kind() {
        Kind::Sequence | Kind::Mapping | Kind::Alias(_) => REJECTED,
        Kind::Scalar(scalar) => match scalar::resolve(scalar, dialect) {
            Ok(Typed::Null) => "null",
            Ok(Typed::Bool(_)) => "a bool",
            Ok(Typed::Int(_) | Typed::Big(_)) => "an integer",
            Ok(Typed::Float(_)) => "a float",
            Ok(Typed::String(_)) => "a string",
            Ok(Typed::Binary(_)) => "binary data",
            Ok(Typed::Timestamp(_)) => "a date",
            Err(_) => REJECTED,
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

/// The part of a field that a row covers.
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
    /// Returns its name for messages.
    fn what(self) -> String {
        let path = self.row.path;
        match self.part {
            Part::Whole => format!("`{path}`"),
            Part::Item => format!("an item of `{path}`"),
            Part::Key => format!("a key of `{path}`"),
            Part::Value => format!("a value of `{path}`"),
        }
    }

    /// Returns the string.
    pub(super) fn text(self, cx: &mut Context<'_>) -> Option<Spanned<Text>> {
        if let Some(Typed::String(text)) = self.typed(cx) {
            return Some(Spanned::new(Text::from(&*text), self.value.span()));
        }
        cx.wrong_type(&self, "a string");
        None
    }

    /// Returns the boolean.
    pub(super) fn boolean(self, cx: &mut Context<'_>) -> Option<Spanned<bool>> {
        if let Some(Typed::Bool(value)) = self.typed(cx) {
            return Some(Spanned::new(value, self.value.span()));
        }
        cx.wrong_type(&self, "true or false");
        None
    }

    /// Returns the integer. Draft 4 of JSON Schema, which Armada uses, accepts neither `900.0` nor `true`.
    pub(super) fn integer(self, cx: &mut Context<'_>) -> Option<Spanned<i64>> {
        match self.typed(cx) {
            Some(Typed::Int(value)) => return Some(Spanned::new(value, self.value.span())),
            Some(Typed::Big(_)) => cx.wrong_type(&self, "an integer of at most 64 bits"),
            Some(_) | None => cx.wrong_type(&self, "an integer"),
        }
        None
    }

    /// Returns the items of a list.
    pub(super) fn list(self, cx: &mut Context<'_>) -> Option<Vec<Node<'t>>> {
        if !self.is_list(cx) {
            cx.wrong_type(&self, "a list");
            return None;
        }
        cx.ledger.claim_alone(self.value, self.row);
        Some(self.value.items().collect())
    }

    /// Returns a list of strings.
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

    /// Returns a mapping of strings to strings.
    pub(super) fn text_map(self, cx: &mut Context<'_>) -> Option<Vec<(Text, Text)>> {
        if !self.is_mapping(cx) {
            cx.wrong_type(&self, "a mapping of strings");
            return None;
        }
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
            // The schema checks only values.
            let typed = key.typed(cx);
            let text = typed.as_ref().and_then(python_text);
            if text.is_none() && typed.is_some() {
                let found = type_of(key.value, cx.dialect);
                let message = format!("{} cannot be {found}", key.what());
                cx.fault(key.value.span(), message);
            }
            let value = value.text(cx)?.value;
            Some((text?, value))
        });
        let pairs = pairs.collect();
        cx.ledger.claim(self.value, row);
        Some(pairs)
    }

    /// Returns whether the value is a mapping; if not, that is reported. Its content stays unread.
    pub(super) fn check_mapping(self, cx: &mut Context<'_>) -> bool {
        let is_mapping = self.is_mapping(cx);
        if !is_mapping {
            cx.wrong_type(&self, "a mapping");
        }
        is_mapping
    }

    /// Returns whether the value is a mapping.
    pub(super) fn is_mapping(self, cx: &Context<'_>) -> bool {
        shape::is_mapping(self.value, cx.dialect)
    }

    /// Returns whether the value is a list.
    pub(super) fn is_list(self, cx: &Context<'_>) -> bool {
        shape::is_list(self.value, cx.dialect)
    }

    /// Returns the scalar's meaning; `None` for lists and mappings and for what the dialect rejects.
    pub(super) fn typed(self, cx: &Context<'_>) -> Option<Typed<'t>> {
        let scalar = self.value.scalar()?;
        match self.part {
            Part::Key => scalar::resolve_key(scalar, cx.dialect).ok(),
            Part::Whole | Part::Item | Part::Value => scalar::resolve(scalar, cx.dialect).ok(),
        }
    }

    /// Returns the mapping, to take fields out of it.
    pub(super) fn table(self, cx: &mut Context<'_>) -> Option<Table<'t>> {
        if self.is_mapping(cx) {
            Some(Table::open(self.value, self.row, cx))
        } else {
            cx.wrong_type(&self, "a mapping");
            None
        }
    }
}

/// What to do with fields that were not taken.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rest {
    /// Armada's schema rejects them.
    Refuse,
    /// Armada's schema accepts them and its code ignores them; they belong to the row.
    Ignore(&'static Row),
    /// Armada's schema accepts them and its code fails on them when it deploys the chart.
    Fault,
}

/// A mapping whose fields are being taken.
#[derive(Debug)]
pub(super) struct Table<'t> {
    node: Node<'t>,
    row: &'static Row,
    entries: Vec<(Text, mapping::Entry<'t>)>,
    /// The fields that were requested: all that the schema has.
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

    /// Returns the span of the mapping.
    pub(super) fn span(&self) -> Span {
        self.node.span()
    }

    /// Returns whether a field is there, without taking it.
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

    /// Takes a required field.
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
                    .help("Armada rejects the document without it; add the field"),
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

    /// Takes a required string.
    pub(super) fn required_text(
        &mut self,
        row: &'static Row,
        cx: &mut Context<'_>,
    ) -> Option<Spanned<Text>> {
        let field = self.required(row, cx)?;
        cx.ledger.claim(field.value, row);
        field.text(cx)
    }

    /// Takes a boolean.
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

    /// Accounts for fields that were not taken.
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
            if entry.key.scalar().is_none() {
                cx.diagnostics.push(mapping::unhashable(entry.key));
                continue;
            }
            let message = format!("`{}` has no field `{name}`", row.path);
            if let Rest::Fault = rest {
                cx.fault(entry.key.span(), message);
                continue;
            }
            let help = match suggest::suggest(row, &name, &known, cx.ledger.mapping()) {
                Some(hint) => format!("Armada rejects the document with it; {hint}"),
                None => "Armada rejects the document with it; remove or correct the field".into(),
            };
            let message = format!("{}: {message}", cx.subject);
            cx.error(
                Diagnostic::new(Code::FieldUnknown, message)
                    .at(entry.key.span(), "unknown field")
                    .help(help),
            );
        }
        // Entries that lost to a duplicate key, and merge keys, belong to their mapping.
        for (key, value) in node.entries() {
            cx.ledger.claim(key, row);
            cx.ledger.claim(value, row);
        }
    }
}
