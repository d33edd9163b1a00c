//! Writes compact JSON, in the order of the tree or in canonical order.

use super::View;
use super::scalar::{write_big, write_escaped, write_float, write_hex, write_int};
use crate::value::{Data, Entry, Mapping, Number, Value};

/// Returns the JSON text of a value, without line breaks, keys in the order of the tree.
///
/// Numbers look as Go and JavaScript write them: a whole float has no point, integers keep all their digits.
/// Characters that YAML readers refuse or change are escaped, so the text is valid YAML, too.
#[must_use]
pub fn to_json(value: &Value, view: View) -> String {
    let mut out = String::new();
    let order = Order::Kept;
    Writer { view, order }.value(value, &mut out);
    out
}

/// Appends JSON whose bytes depend on the content alone: keys are sorted by their bytes, and `-0.0` is `0`.
/// Digests are computed of this text.
pub(crate) fn write_canonical_json(value: &Value, view: View, out: &mut String) {
    let order = Order::Canonical;
    Writer { view, order }.value(value, out);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Kept,
    Canonical,
}

struct Writer {
    view: View,
    order: Order,
}

impl Writer {
    fn value(&self, value: &Value, out: &mut String) {
        if let Some(shown) = self.view.replaces(value) {
            return write_string(&shown, out);
        }
        match &value.data {
            Data::Null => out.push_str("null"),
            Data::Bool(true) => out.push_str("true"),
            Data::Bool(false) => out.push_str("false"),
            Data::Number(number) => self.number(number, out),
            Data::String(text) => write_string(text, out),
            Data::Sequence(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    self.value(item, out);
                }
                out.push(']');
            }
            Data::Mapping(mapping) => self.mapping(mapping, out),
        }
    }

    fn mapping(&self, mapping: &Mapping, out: &mut String) {
        out.push('{');
        match self.order {
            Order::Kept => self.entries(mapping.entries().iter(), out),
            Order::Canonical => {
                let mut sorted: Vec<&Entry> = mapping.entries().iter().collect();
                sorted.sort_by(|a, b| a.key.as_bytes().cmp(b.key.as_bytes()));
                self.entries(sorted.into_iter(), out);
            }
        }
        out.push('}');
    }

    fn entries<'a>(&self, entries: impl Iterator<Item = &'a Entry>, out: &mut String) {
        for (at, entry) in entries.enumerate() {
            if at > 0 {
                out.push(',');
            }
            write_string(&entry.key, out);
            out.push(':');
            self.value(&entry.value, out);
        }
    }

    fn number(&self, number: &Number, out: &mut String) {
        match number {
            Number::Int(int) => write_int(*int, out),
            Number::Big(digits) => {
                if write_big(digits, out).is_none() {
                    debug_assert!(false, "not an integer");
                    write_string(digits, out);
                }
            }
            Number::Float(float) if float.is_finite() => {
                let same_zero = self.order == Order::Canonical && *float == 0.0;
                write_float(if same_zero { 0.0 } else { *float }, false, out);
            }
            Number::Float(float) => {
                debug_assert!(false, "not finite");
                write_string(&float.to_string(), out);
            }
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    // All characters that are escaped fit four digits, so there are no surrogate pairs.
    write_escaped(text, &[], out, |c, out| {
        write_hex('u', 4, u32::from(c), out)
    });
}
