//! The neutral value tree: documents are read into it, and objects are built from it.
//!
//! Mappings keep their order, integers have any size, each leaf carries its **sensitivity**, which is
//! set once (by `secret`, when the tree is made) and that every sink honours. `Debug` redacts.

mod go_yaml;
mod json;
mod size;

use std::fmt;

use ecow::EcoVec;

pub use ecow::EcoString as Text;
pub(crate) use go_yaml::{LONGEST_KEY, NEXT_LINE, is_too_long, unsafe_char};

use crate::source::Span;

/// The text that replaces a sensitive leaf.
pub(crate) const REDACTED: &str = "***";

/// A node of the tree.
#[derive(Clone)]
pub struct Value {
    /// The content.
    pub data: Data,
    /// Its span in the input; `None` for computed values.
    pub span: Option<Span>,
    /// How much of the leaf must never be shown; always nothing of collections.
    pub sensitive: Sensitivity,
    /// The comments around it in the input.
    pub notes: Option<Box<Notes>>,
}

/// How much of a leaf must never be shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sensitivity {
    /// All of it may be shown.
    #[default]
    Public,
    /// A text with secret parts, which `secret` finds again.
    Parts,
    /// Nothing of it may be shown.
    Whole,
}

/// The content of a [`Value`].
#[derive(Clone, PartialEq)]
pub enum Data {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(Text),
    /// A list.
    Sequence(Vec<Value>),
    /// A mapping with text keys.
    Mapping(Mapping),
}

/// A number. Equality is by value: `1` equals `1.0`, `-0.0` equals `0`.
#[derive(Clone, Debug)]
pub enum Number {
    /// An integer that fits 64 bits.
    Int(i64),
    /// Decimal digits with an optional leading `-`, for integers that do not fit [`Number::Int`].
    Big(Text),
    /// A float, never infinite or NaN.
    Float(f64),
}

impl Number {
    /// Returns the nearest double: Helm computes with it.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        match self {
            Number::Int(int) => *int as f64,
            Number::Big(digits) => digits.parse().unwrap_or(f64::NAN),
            Number::Float(float) => *float,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a == b,
            (Number::Big(a), Number::Big(b)) => a == b,
            (Number::Int(_), Number::Big(_)) | (Number::Big(_), Number::Int(_)) => false,
            (Number::Float(_), _) | (_, Number::Float(_)) => self.as_f64() == other.as_f64(),
        }
    }
}

/// The comments around a value, each with its `#` and without its line break.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Own-line comments above the entry, in order; an empty text is a blank line between them.
    pub above: Vec<Text>,
    /// The comment at the end of the entry's first line.
    pub trailing: Option<Text>,
    /// Own-line comments after the last entry of the collection that this value ends.
    pub below: Vec<Text>,
}

/// A mapping in input order. Clones share their entries until one of them is changed: a site's values exist once, however
/// many copies of its objects there are.
#[derive(Clone, Default)]
pub struct Mapping {
    entries: EcoVec<Entry>,
}

/// One key and its value.
#[derive(Clone)]
pub struct Entry {
    /// The key's text.
    pub key: Text,
    /// The span of the key.
    pub key_span: Option<Span>,
    /// The value.
    pub value: Value,
}

impl Mapping {
    /// Makes an empty mapping.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes an empty mapping with room for `capacity` entries.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            entries: EcoVec::with_capacity(capacity),
        }
    }

    /// Appends an entry, even if the key exists.
    pub fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    /// Sets `key`: replaces the value of an existing entry in place, or appends an entry.
    pub fn insert(&mut self, key: impl Into<Text>, value: impl Into<Value>) {
        let (key, value) = (key.into(), value.into());
        match self.get_mut(&key) {
            Some(known) => *known = value,
            None => self.entries.push(Entry {
                key,
                key_span: None,
                value,
            }),
        }
    }

    /// Returns the value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(&entry.value)
    }

    /// Returns the value under `key` for changes.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let place = self.entries.iter().position(|entry| entry.key == key)?;
        let entry = self.entries.make_mut().get_mut(place)?;
        Some(&mut entry.value)
    }

    /// Returns the entries in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Returns the entries in order for changes.
    pub(crate) fn entries_mut(&mut self) -> &mut EcoVec<Entry> {
        &mut self.entries
    }

    /// Returns whether the mapping has no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

/// Equality of mappings does not depend on the order of their entries.
impl PartialEq for Mapping {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .entries
                .iter()
                .zip(&other.entries)
                .all(|(a, b)| a.key == b.key && a.value == b.value)
            || self.len() == other.len()
                && self
                    .entries
                    .iter()
                    .all(|entry| other.get(&entry.key) == Some(&entry.value))
    }
}

/// Equality compares content only: not places, comments or sensitivity.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.data == other.data
    }
}

impl Value {
    /// Returns the `null` value.
    #[must_use]
    pub fn null() -> Self {
        Data::Null.into()
    }

    /// Returns the string, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match &self.data {
            Data::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the mapping, if it is one.
    #[must_use]
    pub(crate) fn as_mapping(&self) -> Option<&Mapping> {
        match &self.data {
            Data::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// Returns the mapping for changes, if it is one.
    pub(crate) fn as_mapping_mut(&mut self) -> Option<&mut Mapping> {
        match &mut self.data {
            Data::Mapping(mapping) => Some(mapping),
            _ => None,
        }
    }

    /// Returns the items, if it is a list.
    #[must_use]
    pub fn as_sequence(&self) -> Option<&[Value]> {
        match &self.data {
            Data::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the value at a path of keys.
    #[must_use]
    pub fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter()
            .try_fold(self, |value, key| value.as_mapping()?.get(key))
    }

    /// Returns the integer, if it is one that fits 64 bits.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self.data {
            Data::Number(Number::Int(int)) => Some(int),
            Data::Null
            | Data::Bool(_)
            | Data::Number(Number::Big(_) | Number::Float(_))
            | Data::String(_)
            | Data::Sequence(_)
            | Data::Mapping(_) => None,
        }
    }

    /// Returns the string at a path of keys, if there is one.
    #[must_use]
    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.as_str()
    }

    /// Returns the integer at a path of keys, if there is one.
    #[must_use]
    pub fn int_at(&self, path: &[&str]) -> Option<i64> {
        self.at(path)?.as_int()
    }

    /// Returns the items of the list at a path of keys; none if there is no list.
    #[must_use]
    pub fn items_at(&self, path: &[&str]) -> &[Value] {
        self.at(path)
            .and_then(Value::as_sequence)
            .unwrap_or_default()
    }

    /// Returns whether the value at a path of keys is `true`.
    #[must_use]
    pub fn is_true_at(&self, path: &[&str]) -> bool {
        self.at(path)
            .is_some_and(|value| value.data == Data::Bool(true))
    }

    /// Calls `visit` for every leaf (everything but lists and mappings), in order.
    pub(crate) fn for_each_leaf<'a>(&'a self, visit: &mut impl FnMut(&'a Value)) {
        match &self.data {
            Data::Sequence(items) => items.iter().for_each(|item| item.for_each_leaf(visit)),
            Data::Mapping(mapping) => mapping
                .entries()
                .iter()
                .for_each(|entry| entry.value.for_each_leaf(visit)),
            Data::Null | Data::Bool(_) | Data::Number(_) | Data::String(_) => visit(self),
        }
    }

    /// Returns whether the leaf, or a part of it, must never be shown.
    #[must_use]
    pub fn is_sensitive(&self) -> bool {
        self.sensitive != Sensitivity::Public
    }

    /// Returns the number of sensitive leaves that are not empty.
    #[must_use]
    pub fn sensitive_leaves(&self) -> usize {
        let mut count = 0;
        self.for_each_leaf(&mut |leaf| {
            let empty = matches!(&leaf.data, Data::Null) || leaf.as_str() == Some("");
            count += usize::from(leaf.is_sensitive() && !empty);
        });
        count
    }
}

impl From<Data> for Value {
    fn from(data: Data) -> Self {
        Self {
            data,
            span: None,
            sensitive: Sensitivity::Public,
            notes: None,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Data::Bool(value).into()
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Data::Number(Number::Int(value)).into()
    }
}

impl From<Text> for Value {
    fn from(value: Text) -> Self {
        Data::String(value).into()
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Data::String(value.into()).into()
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Data::String(value.into()).into()
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Data::Sequence(items).into()
    }
}

impl From<Mapping> for Value {
    fn from(mapping: Mapping) -> Self {
        Data::Mapping(mapping).into()
    }
}

impl<K: Into<Text>, V: Into<Value>> FromIterator<(K, V)> for Mapping {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        let mut mapping = Mapping::new();
        for (key, value) in pairs {
            mapping.insert(key, value);
        }
        mapping
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_sensitive() {
            return f.write_str(REDACTED);
        }
        match &self.data {
            Data::Null => f.write_str("null"),
            Data::Bool(value) => write!(f, "{value}"),
            Data::Number(Number::Int(int)) => write!(f, "{int}"),
            Data::Number(Number::Big(digits)) => f.write_str(digits),
            Data::Number(Number::Float(float)) => write!(f, "{float:?}"),
            Data::String(text) => write!(f, "{text:?}"),
            Data::Sequence(items) => f.debug_list().entries(items).finish(),
            Data::Mapping(mapping) => mapping.fmt(f),
        }
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.entries.iter().map(|entry| (&entry.key, &entry.value)))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_never_shows_a_sensitive_leaf() {
        let mut secret = Value::from("hunter2");
        secret.sensitive = Sensitivity::Whole;
        let mapping: Mapping = [("password", secret)].into_iter().collect();
        let shown = format!("{:?}", Value::from(mapping));
        assert_eq!(shown, r#"{"password": ***}"#);
    }

    #[test]
    fn mappings_are_equal_in_any_order() {
        let a: Mapping = [("x", 1_i64), ("y", 2)].into_iter().collect();
        let b: Mapping = [("y", 2_i64), ("x", 1)].into_iter().collect();
        assert_eq!(a, b);
    }

    #[test]
    fn numbers_are_equal_by_value() {
        assert_eq!(Number::Int(1), Number::Float(1.0));
        assert_ne!(Number::Int(i64::MAX), Number::Int(i64::MAX - 1));
    }
}
