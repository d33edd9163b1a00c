//! Conditions over one object: the syntax tree of gates.
//!
//! A rule has two readers: [`Rule::holds`] and the CEL printer. What one of them can express,
//! the other must express, too, so the set of rules is closed and small.

use std::cmp::Ordering;

use crate::value::{Data, Text, Value};

/// A path from the object's root.
pub type Field = &'static [&'static str];

/// A condition over one object. Missing fields are not errors: numbers count as 0, texts as empty.
#[derive(Clone, Debug, PartialEq)]
pub enum Rule {
    /// Holds for every object, or for none.
    Constant(bool),
    /// All hold; an empty list holds.
    All(Vec<Rule>),
    /// At least one holds; an empty list does not.
    Any(Vec<Rule>),
    /// The inner rule does not hold.
    Not(Box<Rule>),
    /// The field is there.
    Has(Field),
    /// The first number is not less than the second; both as doubles.
    AtLeast(Number, Number),
    /// Both numbers are missing, or both are there and equal.
    SameCount(Field, Field),
    /// The field's text is this.
    Text(Field, &'static str),
    /// Both texts are equal.
    SameText(Field, Field),
    /// The map has an entry of that key.
    Key(Field, Text),
    /// The map has an entry of that key with that text.
    Entry(Field, Text, Text),
    /// The map's entry of that key is a list, separated by commas without blanks, that names one of the words.
    Listed(Field, &'static str, &'static [&'static str]),
    /// `status.conditions` has a condition of that type whose `status` or `reason` is that text.
    Condition(&'static str, ConditionPart, &'static str),
    /// The object has an owner, of that kind if one is given.
    Owned(Option<&'static str>),
}

/// A number of a rule.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    /// A number of the object, 0 when it is missing.
    Field(Field),
    /// This number.
    Constant(i64),
    /// So many percent of a number of the object, computed as `number * (percent / 100)` in doubles.
    Share(Field, i64),
    /// The first number of the object less the second, less this.
    Missing(Field, Field, i64),
    /// A number of the object, or, if it is a text like `25%`, that share of the other one, not rounded.
    Scaled(Field, Field),
}

/// The field of a condition that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionPart {
    /// Its `status`.
    Status,
    /// Its `reason`.
    Reason,
}

impl ConditionPart {
    pub(super) fn key(self) -> &'static str {
        match self {
            ConditionPart::Status => "status",
            ConditionPart::Reason => "reason",
        }
    }
}

/// Where the labels of an object are.
pub(super) const LABELS: Field = &["metadata", "labels"];
/// Where the annotations of an object are.
pub(super) const ANNOTATIONS: Field = &["metadata", "annotations"];
/// Where the owners of an object are.
pub(super) const OWNERS: Field = &["metadata", "ownerReferences"];
/// Where the conditions of an object are.
pub(super) const CONDITIONS: Field = &["status", "conditions"];

impl Rule {
    /// Returns the opposite.
    #[must_use]
    pub fn negated(self) -> Rule {
        match self {
            Rule::Not(rule) => *rule,
            Rule::Constant(holds) => Rule::Constant(!holds),
            rule => Rule::Not(Box::new(rule)),
        }
    }

    /// Returns the rule that holds unless this one holds and the other does not.
    #[must_use]
    pub fn implies(self, other: Rule) -> Rule {
        match self {
            Rule::Constant(true) => other,
            Rule::Constant(false) => Rule::Constant(true),
            rule => Rule::Any(vec![rule.negated(), other]),
        }
    }

    /// Returns whether it holds for the object.
    #[must_use]
    pub fn holds(&self, object: &Value) -> bool {
        match self {
            Rule::Constant(holds) => *holds,
            Rule::All(rules) => rules.iter().all(|rule| rule.holds(object)),
            Rule::Any(rules) => rules.iter().any(|rule| rule.holds(object)),
            Rule::Not(rule) => !rule.holds(object),
            Rule::Has(field) => found(object, field).is_some(),
            Rule::AtLeast(left, right) => matches!(
                left.evaluate(object).partial_cmp(&right.evaluate(object)),
                Some(Ordering::Greater | Ordering::Equal)
            ),
            Rule::SameCount(left, right) => match (found(object, left), found(object, right)) {
                (None, None) => true,
                (Some(left), Some(right)) => number(left) == number(right),
                (None, Some(_)) | (Some(_), None) => false,
            },
            Rule::Text(field, text) => text_of(object, field) == *text,
            Rule::SameText(left, right) => text_of(object, left) == text_of(object, right),
            Rule::Key(map, key) => entry(object, map, key).is_some(),
            Rule::Entry(map, key, text) => {
                entry(object, map, key).is_some_and(|value| value == text.as_str())
            }
            Rule::Listed(map, key, words) => entry(object, map, key)
                .is_some_and(|list| list.split(',').any(|word| words.contains(&word))),
            Rule::Condition(kind, part, text) => items(object, CONDITIONS).iter().any(|item| {
                text_of(item, &["type"]) == *kind && text_of(item, &[part.key()]) == *text
            }),
            Rule::Owned(kind) => items(object, OWNERS)
                .iter()
                .any(|owner| kind.is_none_or(|kind| text_of(owner, &["kind"]) == kind)),
        }
    }
}

impl Number {
    fn evaluate(&self, object: &Value) -> f64 {
        match self {
            Number::Field(field) => count(object, field),
            Number::Constant(number) => *number as f64,
            Number::Share(field, percent) => count(object, field) * (*percent as f64 / 100.0),
            Number::Missing(of, there, but) => {
                count(object, of) - count(object, there) - *but as f64
            }
            Number::Scaled(field, of) => match object.at(field).and_then(Value::as_str) {
                Some(text) => percent(text) * count(object, of) / 100.0,
                None => count(object, field),
            },
        }
    }
}

/// Returns the value of a field; null counts as missing.
fn found<'v>(object: &'v Value, field: &[&str]) -> Option<&'v Value> {
    let value = object.at(field)?;
    (value.data != Data::Null).then_some(value)
}

/// Returns a number of the object as a double, 0 when it is missing.
pub(super) fn count(object: &Value, field: &[&str]) -> f64 {
    found(object, field).map_or(0.0, number)
}

/// Returns a double; a value that is not a number equals nothing.
fn number(value: &Value) -> f64 {
    match &value.data {
        Data::Number(number) => number.as_f64(),
        Data::Null | Data::Bool(_) | Data::String(_) | Data::Sequence(_) | Data::Mapping(_) => {
            f64::NAN
        }
    }
}

/// Returns the number of a text like `25%`, 0 for any other text.
fn percent(text: &str) -> f64 {
    let number = text.strip_suffix('%');
    number.and_then(|digits| digits.parse().ok()).unwrap_or(0.0)
}

/// Returns a text of the object, empty when it is missing.
pub(super) fn text_of<'v>(object: &'v Value, field: &[&str]) -> &'v str {
    object.at(field).and_then(Value::as_str).unwrap_or("")
}

fn entry<'v>(object: &'v Value, map: &[&str], key: &str) -> Option<&'v str> {
    object.at(map)?.as_mapping()?.get(key)?.as_str()
}

fn items<'v>(object: &'v Value, field: &[&str]) -> &'v [Value] {
    let list = object.at(field).and_then(Value::as_sequence);
    list.unwrap_or_default()
}
