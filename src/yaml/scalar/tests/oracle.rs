//! The 183 scalars of `../shared/oracle/yaml-vectors.json`, read by the real programs.

use serde::Deserialize;

use super::scalar;
use crate::yaml::scalar::{Dialect, Rejected, TAG_PREFIX, Typed, resolve};
use crate::yaml::tests::vectors;
use crate::yaml::tree::Style;

#[derive(Deserialize)]
struct Row {
    source: String,
    pyyaml: String,
    go_yaml_v2: String,
    go_yaml_v3: String,
}

/// Rows that are a collection, or no YAML at all: the reader's and `deliver`'s matter.
const NO_SCALARS: &[&str] = &["-", "!!set {a, b}", "!!omap [a: 1]", "!!pairs [a: 1, a: 2]"];

#[test]
fn every_vector_is_typed_as_by_the_real_programs() {
    let Some(rows) = vectors::rows::<Row>() else {
        return;
    };
    let mut checked = 0;
    for row in &rows {
        let Row {
            source,
            pyyaml,
            go_yaml_v2,
            go_yaml_v3,
        } = row;
        if NO_SCALARS.contains(&source.as_str()) {
            continue;
        }
        let (tag, text, style) = split(source);
        let read = |dialect| resolve(scalar(text, style, tag.as_deref()), dialect);
        assert_eq!(
            python(&read(Dialect::PyYaml)),
            short(pyyaml),
            "PyYAML on {source}"
        );
        assert_eq!(
            json(&read(Dialect::GoYamlV2)),
            sound(go_yaml_v2),
            "v2 on {source}"
        );
        assert_eq!(
            go(&read(Dialect::GoYamlV3)),
            sound(go_yaml_v3),
            "v3 on {source}"
        );
        checked += 1;
    }
    assert_eq!(checked + NO_SCALARS.len(), rows.len());
}

/// Tag, text and style of a scalar as written on one line, without escapes.
fn split(source: &str) -> (Option<String>, &str, Style) {
    let (tag, text) = match source.split_once(' ') {
        Some((tag, text)) if tag.starts_with('!') => (Some(tag), text),
        _ => (None, source),
    };
    let tag = tag.map(|tag| match tag.strip_prefix("!!") {
        Some(name) => format!("{TAG_PREFIX}{name}"),
        None => tag.to_owned(),
    });
    let within = |quote| {
        text.strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
    };
    match (within('"'), within('\'')) {
        (Some(text), _) => (tag, text, Style::DoubleQuoted),
        (_, Some(text)) => (tag, text, Style::SingleQuoted),
        (None, None) => (tag, text, Style::Plain),
    }
}

/// Returns the type and value column without Python's spelling of dates, texts of errors and quotes.
fn short(column: &str) -> String {
    match column.split_once(' ') {
        Some(("ERR", _)) => "ERR".to_owned(),
        Some((time @ ("date" | "datetime"), _)) => time.to_owned(),
        Some((_, _)) | None => column.to_owned(),
    }
}

fn python(typed: &Result<Typed<'_>, Rejected>) -> String {
    match typed {
        Err(_) => "ERR".to_owned(),
        Ok(Typed::Null) => "null".to_owned(),
        Ok(Typed::Bool(bool)) => format!("bool {bool}"),
        Ok(Typed::Int(int)) => format!("int {int}"),
        Ok(Typed::Big(int)) => format!("int {int}"),
        Ok(Typed::Float(float)) if float.is_nan() => "float nan".to_owned(),
        Ok(Typed::Float(float)) => format!("float {float:?}"),
        Ok(Typed::String(text)) => format!("str \"{text}\""),
        Ok(Typed::Binary(bytes)) => format!("bytes b'{}'", python_bytes(bytes)),
        Ok(Typed::Timestamp(text)) if text.len() == 10 => "date".to_owned(),
        Ok(Typed::Timestamp(_)) => "datetime".to_owned(),
    }
}

fn python_bytes(bytes: &[u8]) -> String {
    let shown = |&byte: &u8| match byte {
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    bytes.iter().map(shown).collect()
}

/// Returns the content of a Go column: for v2 `{"k":…}`, for v3 two words for the type and the value.
fn sound(column: &str) -> String {
    if column.starts_with("ERR") {
        return "ERR".to_owned();
    }
    column.to_owned()
}

fn json(typed: &Result<Typed<'_>, Rejected>) -> String {
    let value = match typed {
        // JSON has no word for it, so the document fails later.
        Ok(Typed::Float(float)) if !float.is_finite() => return "ERR".to_owned(),
        Ok(typed) => value(typed),
        Err(_) => return "ERR".to_owned(),
    };
    format!("{{\"k\":{value}}}")
}

fn go(typed: &Result<Typed<'_>, Rejected>) -> String {
    let (kind, name) = match typed {
        Err(_) => return "ERR".to_owned(),
        Ok(Typed::Null) => return "<nil>|null".to_owned(),
        Ok(Typed::Float(float)) if !float.is_finite() => return "float64|num ".to_owned(),
        Ok(Typed::Bool(_)) => ("bool", "bool"),
        Ok(Typed::Int(_)) => ("int", "int"),
        Ok(Typed::Big(_)) => ("uint64", "uint64"),
        Ok(Typed::Float(_)) => ("float64", "num"),
        Ok(Typed::String(_) | Typed::Binary(_)) => ("string", "str"),
        Ok(Typed::Timestamp(_)) => ("time.Time", "time.Time"),
    };
    let value = typed.as_ref().map_or_else(|_| String::new(), value);
    format!("{kind}|{name} {value}")
}

/// Returns the value as Go's JSON writes it.
fn value(typed: &Typed<'_>) -> String {
    match typed {
        Typed::Null => "null".to_owned(),
        Typed::Bool(bool) => bool.to_string(),
        Typed::Int(int) => int.to_string(),
        Typed::Big(int) => int.to_string(),
        Typed::Float(float) if float.abs() >= 1e21 => format!("{float:e}").replace('e', "e+"),
        Typed::Float(float) => float.to_string(),
        Typed::String(text) => format!("\"{}\"", text.replace('<', "\\u003c")),
        Typed::Binary(bytes) => {
            // One replacement character a byte, as Go does.
            let text: String = bytes
                .utf8_chunks()
                .map(|chunk| {
                    format!(
                        "{}{}",
                        chunk.valid(),
                        "\u{fffd}".repeat(chunk.invalid().len())
                    )
                })
                .collect();
            format!("\"{text}\"")
        }
        Typed::Timestamp(text) => format!("\"{text}\""),
    }
}
