//! Reading JSON into the tree: keeps the order of keys; integers of 64 bits, signed or unsigned, are exact.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Data, Entry, Mapping, Number, Text, Value};

/// The deepest nesting that is read: more than what Armada can deliver (300) with the levels of an object
/// around it.
const JSON_DEPTH_LIMIT: usize = 340;

impl Value {
    /// Reads one JSON text. Keeps both entries of a key that is given twice, as [`Mapping::push`] does.
    ///
    /// # Errors
    ///
    /// When the text is not JSON or is nested deeper than [`JSON_DEPTH_LIMIT`]; the error names line and
    /// column and quotes no text.
    pub fn from_json(text: &[u8]) -> Result<Self, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_slice(text);
        // serde_json's own limit is lower than what objects may have; `Node::below` checks ours.
        reader.disable_recursion_limit();
        let value = Self::deserialize(&mut reader)?;
        reader.end()?;
        Ok(value)
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Node { depth: 0 }.deserialize(deserializer)
    }
}

/// A node with the number of collections around it.
#[derive(Clone, Copy)]
struct Node {
    depth: usize,
}

impl Node {
    fn below<E: Error>(self) -> Result<Self, E> {
        if self.depth >= JSON_DEPTH_LIMIT {
            return Err(E::custom(format_args!(
                "nested deeper than {JSON_DEPTH_LIMIT} levels"
            )));
        }
        Ok(Self {
            depth: self.depth + 1,
        })
    }
}

impl<'de> DeserializeSeed<'de> for Node {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::null())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        let number = match i64::try_from(value) {
            Ok(int) => Number::Int(int),
            Err(_) => Number::Big(value.to_string().into()),
        };
        Ok(Data::Number(number).into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Data::Number(Number::Float(value)).into())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(text.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let node = self.below()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(node)? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let node = self.below()?;
        let mut mapping = Mapping::new();
        while let Some(key) = access.next_key_seed(Key)? {
            let value = access.next_value_seed(node)?;
            mapping.push(Entry {
                key,
                key_span: None,
                value,
            });
        }
        Ok(mapping.into())
    }
}

/// The key of an entry.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Text;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::emit::{View, to_json};

    fn read(text: &str) -> Value {
        Value::from_json(text.as_bytes()).expect(text)
    }

    #[test]
    fn order_and_numbers_are_kept() {
        let text = r#"{"z":1,"a":[null,true,-9223372036854775808,18446744073709551615,0.5],"m":{"\u0085":"é\n"}}"#;
        assert_eq!(to_json(&read(text), View::Clear), text);
    }

    #[test]
    fn integers_beyond_64_bits_are_the_nearest_double() {
        assert_eq!(
            read("[123456789012345678901234567890]"),
            read("[1.2345678901234568e29]")
        );
    }

    #[test]
    fn depth_has_a_limit_of_its_own() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(Value::from_json(nested(JSON_DEPTH_LIMIT).as_bytes()).is_ok());
        let error = Value::from_json(nested(JSON_DEPTH_LIMIT + 1).as_bytes()).expect_err("depth");
        assert!(
            error
                .to_string()
                .starts_with("nested deeper than 340 levels")
        );
        assert!(Value::from_json(nested(1_000_000).as_bytes()).is_err());
    }

    #[test]
    fn errors_quote_nothing() {
        for text in [
            r#"{"password":"hunter2"#,
            r#"{"password":hunter2}"#,
            r#"["hunter2"] x"#,
            "{1:2}",
            "",
        ] {
            let error = Value::from_json(text.as_bytes()).expect_err(text);
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
}
