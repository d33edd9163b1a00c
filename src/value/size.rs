//! The size of a tree as JSON, which the size limits of Kubernetes are about.

use super::{Data, Entry, Number, Value};

impl Value {
    /// Returns the size of the tree as compact JSON, within a few bytes of what an API server stores.
    #[must_use]
    pub(crate) fn json_bytes(&self) -> usize {
        match &self.data {
            Data::Null | Data::Bool(true) => 4,
            Data::Bool(false) => 5,
            Data::Number(Number::Int(int)) => digits(*int),
            Data::Number(Number::Big(digits)) => digits.len(),
            Data::Number(Number::Float(float)) => float.to_string().len(),
            Data::String(text) => string(text),
            Data::Sequence(items) => {
                let inner: usize = items.iter().map(|item| item.json_bytes() + 1).sum();
                2 + inner.saturating_sub(1)
            }
            Data::Mapping(mapping) => {
                let entries = mapping.entries().iter();
                let inner: usize = entries.map(Entry::json_bytes).sum();
                2 + inner.saturating_sub(1)
            }
        }
    }
}

impl Entry {
    /// Returns the bytes that the entry adds to the compact JSON of a mapping with other entries.
    #[must_use]
    pub(crate) fn json_bytes(&self) -> usize {
        string(&self.key) + self.value.json_bytes() + 2
    }
}

fn digits(int: i64) -> usize {
    let sign = usize::from(int < 0);
    sign + int
        .unsigned_abs()
        .checked_ilog10()
        .map_or(1, |log| log as usize + 1)
}

/// Returns the size of a string with its quotes, escaped as Go's encoder does.
fn string(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' => 1,
        0..0x20 | b'<' | b'>' | b'&' => 5,
        _ => 0,
    };
    2 + text.len() + text.bytes().map(escaped).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Mapping, Text};

    #[test]
    fn bytes_are_those_of_compact_json() {
        let mut mapping = Mapping::new();
        mapping.insert("a", -10);
        mapping.insert("b", Text::from("x\n\"<"));
        mapping.insert("c", vec![Value::null(), Value::from(true), Value::from(0)]);
        mapping.insert("d", Mapping::new());
        let text = r#"{"a":-10,"b":"x\n\"\u003c","c":[null,true,0],"d":{}}"#;
        assert_eq!(Value::from(mapping).json_bytes(), text.len());
    }
}
