//! Hand decoding: take fields out of a mapping, account for each, complain about the rest.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};
use crate::value::Text;
use crate::yaml::scalar::{self, Dialect, Typed};
use crate::yaml::{Kind, Node, mapping};

use super::disposition::Row;
use super::ledger::Ledger;

/// What decoding needs everywhere.
#[derive(Debug)]
pub(super) struct Context<'c> {
    pub(super) dialect: Dialect,
    pub(super) ledger: &'c mut Ledger,
    pub(super) diagnostics: &'c mut Diagnostics,
    /// How messages call the document: ``chart `keystone` ``.
    pub(super) subject: String,
    /// Whether something kept the document from being decoded in full.
    pub(super) failed: bool,
}

impl Context<'_> {
    /// Reports an error about the document.
    pub(super) fn error(&mut self, diagnostic: Diagnostic) {
        self.failed = true;
        self.diagnostics.push(diagnostic);
    }

    fn wrong_type(&mut self, field: &Field<'_>, wanted: &str) {
        let found = type_of(field.value, self.dialect);
        let message = format!(
            "{}: `{}` must be {wanted}, found {found}",
            self.subject, field.row.path
        );
        self.error(
            Diagnostic::new(Code::FieldType, message)
                .at(field.value.span(), format!("{found} here"))
                .help("armada refuses the document as it is; correct the field"),
        );
    }
}

/// The type of a node as messages call it.
fn type_of(node: Node<'_>, dialect: Dialect) -> &'static str {
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
}

impl<'t> Field<'t> {
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

    /// The integer. Armada's schema takes a float without a fraction for one, too.
    pub(super) fn integer(self, cx: &mut Context<'_>) -> Option<Spanned<i64>> {
        if let Some(scalar) = self.value.scalar() {
            match scalar::resolve(scalar, cx.dialect) {
                Ok(Typed::Int(value)) => return Some(Spanned::new(value, self.value.span())),
                Ok(Typed::Float(value)) if value.fract() == 0.0 && value.abs() < 9e15 => {
                    return Some(Spanned::new(value as i64, self.value.span()));
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
            Field { row, value }.text(cx)
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
            };
            let value = Field {
                row,
                value: entry.value,
            };
            Some((key.text(cx)?.value, value.text(cx)?.value))
        });
        let pairs = pairs.collect();
        cx.ledger.claim(self.value, row);
        Some(pairs)
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
}

/// A mapping whose fields are being taken.
#[derive(Debug)]
pub(super) struct Table<'t> {
    node: Node<'t>,
    row: &'static Row,
    entries: Vec<(Text, mapping::Entry<'t>)>,
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
        }
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
        let at = self.entries.iter().position(|(name, _)| name == key)?;
        let (
            _,
            mapping::Entry {
                key,
                value,
                merged: _,
            },
        ) = self.entries.swap_remove(at);
        cx.ledger.claim(key, row);
        cx.ledger.claim_alone(value, row);
        Some(Field { row, value })
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
        let Self { node, row, entries } = self;
        for (name, entry) in entries {
            match rest {
                Rest::Ignore(ignored) => {
                    cx.ledger.claim(entry.key, ignored);
                    cx.ledger.claim(entry.value, ignored);
                }
                Rest::Refuse => {
                    let message = format!("{}: `{}` knows no field `{name}`", cx.subject, row.path);
                    cx.ledger.claim(entry.key, &super::document::UNKNOWN);
                    cx.ledger.claim(entry.value, &super::document::UNKNOWN);
                    cx.error(
                        Diagnostic::new(Code::FieldUnknown, message)
                            .at(entry.key.span(), "unknown field")
                            .help(
                                "armada refuses the document with it; remove or correct the field",
                            ),
                    );
                }
            }
        }
        // Entries that lost to a duplicate key and merge keys belong to the mapping they stand in.
        for (key, value) in node.entries() {
            cx.ledger.claim(key, row);
            cx.ledger.claim(value, row);
        }
    }
}
