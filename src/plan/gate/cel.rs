//! Rules as CEL, the language of Flux's health checks and of Kubernetes.
//!
//! The text asks before it reads every field below the object's root, so an object without the field
//! is answered instead of failing. An object without `spec` or `status` altogether fails, which Flux
//! takes for "not ready yet"; `Rule::holds` never holds there either for a gate's own rules.

use std::fmt::Write as _;

use super::rule::{CONDITIONS, ConditionPart, Field, Number, OWNERS, Rule};

impl Rule {
    /// The rule in CEL, over `metadata`, `spec` and `status`; its parts on lines of their own.
    #[must_use]
    pub fn cel(&self) -> String {
        match self {
            Rule::All(rules) if !rules.is_empty() => {
                let parts = rules.iter().filter(|rule| !is_root(rule));
                let parts: Vec<String> = parts.map(operand).collect();
                if parts.is_empty() {
                    "true".to_owned()
                } else {
                    parts.join("\n&& ")
                }
            }
            rule => expression(rule),
        }
    }
}

/// Whether the rule asks for a field at the object's root, which CEL cannot ask for.
fn is_root(rule: &Rule) -> bool {
    matches!(rule, Rule::Has([_]))
}

/// A rule inside another: in brackets unless it binds tightly by itself.
fn operand(rule: &Rule) -> String {
    let text = expression(rule);
    match rule {
        Rule::All(rules) | Rule::Any(rules) if rules.len() > 1 => format!("({text})"),
        _ if text.contains("&&") || text.contains("||") => format!("({text})"),
        _ => text,
    }
}

fn joined(rules: &[Rule], by: &str, none: &str) -> String {
    if rules.is_empty() {
        return none.to_owned();
    }
    let parts: Vec<String> = rules.iter().map(operand).collect();
    parts.join(by)
}

fn expression(rule: &Rule) -> String {
    match rule {
        Rule::Constant(holds) => holds.to_string(),
        Rule::All(rules) => joined(rules, " && ", "true"),
        Rule::Any(rules) => joined(rules, " || ", "false"),
        Rule::Not(rule) => format!("!({})", expression(rule)),
        Rule::Has(field) => guard(field).unwrap_or_else(|| "true".to_owned()),
        Rule::AtLeast(left, right) => format!("{} >= {}", double(left), double(right)),
        Rule::SameCount(left, right) => {
            let (has_left, has_right) = (has(left), has(right));
            let (left, right) = (left.join("."), right.join("."));
            format!(
                "({has_left}) == ({has_right}) && (!({has_left}) || double({left}) == double({right}))"
            )
        }
        Rule::Text(field, text) => format!("{} == {}", text_or_empty(field), quoted(text)),
        Rule::SameText(left, right) => {
            format!("{} == {}", text_or_empty(left), text_or_empty(right))
        }
        Rule::Key(map, key) => format!("{} && {} in {}", has(map), quoted(key), map.join(".")),
        Rule::Entry(map, key, text) => {
            let (path, key) = (map.join("."), quoted(key));
            format!(
                "{} && {key} in {path} && {path}[{key}] == {}",
                has(map),
                quoted(text)
            )
        }
        Rule::Listed(map, key, words) => {
            let (path, key) = (map.join("."), quoted(key));
            let pattern = format!("(^|,)({})(,|$)", words.join("|"));
            format!(
                "{} && {key} in {path} && {path}[{key}].matches({})",
                has(map),
                quoted(&pattern)
            )
        }
        Rule::Condition(kind, part, text) => {
            let key = ConditionPart::key(*part);
            format!(
                "{} && {}.exists(c, has(c.type) && c.type == {} && has(c.{key}) && c.{key} == {})",
                has(CONDITIONS),
                CONDITIONS.join("."),
                quoted(kind),
                quoted(text)
            )
        }
        Rule::Owned(kind) => {
            let owners = OWNERS.join(".");
            let some = match kind {
                None => format!("size({owners}) > 0"),
                Some(kind) => format!(
                    "{owners}.exists(o, has(o.kind) && o.kind == {})",
                    quoted(kind)
                ),
            };
            format!("{} && {some}", has(OWNERS))
        }
    }
}

/// That a field and everything above it is there; `None` at the root, which cannot be asked for.
fn guard(field: Field) -> Option<String> {
    let depths = 2..=field.len();
    let parts: Vec<String> = depths
        .map(|depth| format!("has({})", field[..depth].join(".")))
        .collect();
    (!parts.is_empty()).then(|| parts.join(" && "))
}

fn has(field: Field) -> String {
    guard(field).unwrap_or_else(|| "true".to_owned())
}

fn text_or_empty(field: Field) -> String {
    format!("({} ? {} : '')", has(field), field.join("."))
}

/// A number as a double: only doubles round as Armada does.
fn double(number: &Number) -> String {
    let field = |field: Field| format!("double({} ? {} : 0)", has(field), field.join("."));
    match number {
        Number::Field(of) => field(of),
        Number::Constant(number) => double_literal(*number),
        Number::Share(of, percent) => {
            format!("{} * ({} / 100.0)", field(of), double_literal(*percent))
        }
    }
}

fn double_literal(number: i64) -> String {
    format!("{:?}", number as f64)
}

/// A text as a CEL string.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for c in text.chars() {
        match c {
            '\\' | '\'' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}
