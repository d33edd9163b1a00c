//! An independent reader: libyaml's grammar, and types so strict that no resolver could disagree.

use libyaml_safer::{EventData, Parser, ScalarStyle};

use crate::value::{Data, Entry, Mapping, Number, Value};

/// Reads one document; `Err` says what is wrong with it.
pub(super) fn read(text: &str) -> Result<Value, String> {
    let mut input = text.as_bytes();
    let mut parser = Parser::new();
    parser.set_input_string(&mut input);
    let mut events = Vec::new();
    for event in parser {
        match event.map_err(|error| error.to_string())?.data {
            EventData::StreamStart { .. }
            | EventData::StreamEnd
            | EventData::DocumentStart { .. } => {}
            data => events.push(data),
        }
    }
    let mut events = events.into_iter();
    let value = node(&mut events)?;
    match (events.next(), events.next()) {
        (Some(EventData::DocumentEnd { .. }), None) => Ok(value),
        other => Err(format!("expected one document, found {other:?}")),
    }
}

fn node(events: &mut impl Iterator<Item = EventData>) -> Result<Value, String> {
    match events.next() {
        Some(event) => node_from(event, events),
        None => Err("the end".to_owned()),
    }
}

fn node_from(
    event: EventData,
    events: &mut impl Iterator<Item = EventData>,
) -> Result<Value, String> {
    match event {
        EventData::Scalar {
            anchor: None,
            tag: None,
            value,
            style,
            ..
        } => match style {
            ScalarStyle::Plain => plain(&value),
            _ => Ok(value.into()),
        },
        EventData::SequenceStart {
            anchor: None,
            tag: None,
            ..
        } => {
            let mut items = Vec::new();
            loop {
                match events.next() {
                    Some(EventData::SequenceEnd) => return Ok(items.into()),
                    Some(event) => items.push(node_from(event, events)?),
                    None => return Err("an open list".to_owned()),
                }
            }
        }
        EventData::MappingStart {
            anchor: None,
            tag: None,
            ..
        } => {
            let mut mapping = Mapping::new();
            loop {
                let key = match events.next() {
                    Some(EventData::MappingEnd) => return Ok(mapping.into()),
                    Some(event) => node_from(event, events)?,
                    None => return Err("an open mapping".to_owned()),
                };
                let Data::String(key) = key.data else {
                    return Err(format!("the key {key:?}"));
                };
                mapping.push(Entry {
                    key,
                    key_span: None,
                    value: node(events)?,
                });
            }
        }
        other => Err(format!("the event {other:?}")),
    }
}

fn plain(text: &str) -> Result<Value, String> {
    Ok(match text {
        "null" => Value::null(),
        "true" => true.into(),
        "false" => false.into(),
        _ if is_int(text) => Data::Number(match text.parse() {
            Ok(int) => Number::Int(int),
            Err(_) => Number::Big(text.into()),
        })
        .into(),
        _ if is_float(text) => {
            let float = text.parse().map_err(|_| format!("the float {text}"))?;
            Data::Number(Number::Float(float)).into()
        }
        _ if is_word(text) => text.into(),
        _ => return Err(format!("the plain scalar {text:?}")),
    })
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_int(text: &str) -> bool {
    let bare = text.strip_prefix('-').unwrap_or(text);
    digits(bare) && (text == "0" || !bare.starts_with('0'))
}

fn is_float(text: &str) -> bool {
    let bare = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match bare.split_once('e') {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (bare, None),
    };
    let Some((whole, fraction)) = mantissa.split_once('.') else {
        return false;
    };
    let zeros = whole.len() > 1 && whole.starts_with('0');
    digits(whole)
        && digits(fraction)
        && !zeros
        && exponent.is_none_or(|exponent| exponent.strip_prefix(['+', '-']).is_some_and(digits))
}

fn is_word(text: &str) -> bool {
    let other = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity",
    ];
    let safe = |c: char| c.is_ascii_alphanumeric() || "_-./:+=@,;() ".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(safe)
        && !text.ends_with([' ', ':'])
        && !text.contains("  ")
        && !text.contains(": ")
        && !other.contains(&text.to_lowercase().as_str())
}

/// Returns whether two values are the same down to the types of numbers and the order of keys.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (&a.data, &b.data) {
        (Data::Number(a), Data::Number(b)) => match (a, b) {
            (Number::Int(a), Number::Int(b)) => a == b,
            (Number::Big(a), Number::Big(b)) => a == b,
            (Number::Float(a), Number::Float(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        },
        (Data::Sequence(a), Data::Sequence(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Data::Mapping(a), Data::Mapping(b)) => {
            a.len() == b.len()
                && a.entries()
                    .iter()
                    .zip(b.entries())
                    .all(|(a, b)| a.key == b.key && same(&a.value, &b.value))
        }
        (a, b) => a == b,
    }
}
