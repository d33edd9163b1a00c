//! Compares delivered values with the values in Armada's handlers.
//!
//! The plan has the values that PyYAML read. On the way to Helm, numbers become doubles and some strings are
//! retyped. Which strings are retyped is recorded from the real programs in `oracle/yaml-vectors.json`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::json;
use crate::support::{Result, ensure};

/// Retyped strings, and what Helm received.
pub(super) type Retyped = BTreeMap<String, Value>;

/// Compares values and collects retyped ones.
pub(super) fn check(wanted: &Value, found: &Value, retyped: &mut Retyped) -> Result {
    let mut wrong = Vec::new();
    walk("values", wanted, found, retyped, &mut wrong);
    wrong.truncate(10);
    ensure(wrong.is_empty(), wrong.join("\n"))
}

fn walk(at: &str, wanted: &Value, found: &Value, retyped: &mut Retyped, wrong: &mut Vec<String>) {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (key, value) in wanted {
                match found.get(key) {
                    Some(found) => walk(&format!("{at}.{key}"), value, found, retyped, wrong),
                    None => wrong.push(format!("{at}.{key} is missing")),
                }
            }
            let more = found.keys().filter(|key| !wanted.contains_key(*key));
            wrong.extend(more.map(|key| format!("{at}.{key} is new")));
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => {
            for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
                walk(&format!("{at}[{index}]"), wanted, found, retyped, wrong);
            }
        }
        (Value::Number(wanted), Value::Number(found)) if wanted.as_f64() == found.as_f64() => {}
        (Value::String(text), found) if !found.is_array() && !found.is_object() => {
            if found != wanted || suspicious(text) {
                retyped.insert(text.clone(), found.clone());
            }
        }
        (wanted, found) if wanted == found => {}
        // Values may be secrets.
        _ => wrong.push(format!("{at} has another type or value")),
    }
}

/// Returns strings that some YAML reader may retype, so that the oracle must have an answer for them.
fn suspicious(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "", "~", "false", "n", "no", "null", "off", "on", "true", "y", "yes",
    ];
    let plain = text.replace('_', "");
    let number = plain.parse::<f64>().is_ok()
        || plain.trim_start_matches(['+', '-']).starts_with('0')
            && plain.chars().all(|c| c.is_ascii_alphanumeric());
    number || WORDS.contains(&text.to_ascii_lowercase().as_str())
}

/// Whether PyYAML itself reads the text as another type, so that it wrote the string in quotes and it stayed a string.
fn quoted_by_pyyaml(text: &str) -> bool {
    const WORDS: &[&str] = &["false", "no", "null", "off", "on", "true", "yes"];
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let integer = digits(text) && (text == "0" || !text.starts_with('0'));
    let float = text
        .split_once('.')
        .is_some_and(|(a, b)| digits(a) && digits(b));
    integer || float || text.is_empty() || text == "~" || WORDS.contains(&text)
}

/// Checks every retyped or suspicious string against the oracle.
pub(super) fn check_retyped(retyped: &Retyped) -> Result {
    let mut answers: BTreeMap<String, Value> = BTreeMap::new();
    for vector in json("../oracle/yaml-vectors.json")?
        .as_array()
        .ok_or("no list")?
    {
        let read = vector["pyyaml"].as_str().unwrap_or_default();
        let Some(text) = read.strip_prefix("str ") else {
            continue;
        };
        let text: String = serde_json::from_str(text)?;
        let delivered: Value =
            serde_json::from_str(vector["helm_through_armada"].as_str().unwrap_or("null"))?;
        answers.insert(text, delivered["k"].clone());
    }
    let mut wrong = Vec::new();
    for (text, found) in retyped {
        let vouched = match answers.get(text) {
            Some(wanted) => wanted == found || numbers_are_equal(wanted, found),
            None => found == text.as_str() && quoted_by_pyyaml(text),
        };
        if !vouched {
            let wanted = answers.get(text);
            wrong.push(format!(
                "{text:?} arrives as {found}, the oracle says {wanted:?}"
            ));
        }
    }
    ensure(wrong.is_empty(), wrong.join("\n"))
}

fn numbers_are_equal(a: &Value, b: &Value) -> bool {
    a.as_f64()
        .zip(b.as_f64())
        .is_some_and(|(a, b)| a.total_cmp(&b).is_eq())
}
