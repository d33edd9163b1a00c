//! Rules as CEL, the language of Flux's health checks and of Kubernetes.
//!
//! The expression checks that a field exists before it reads it, so an object without the field
//! is answered instead of failing. An object without `spec` or `status` altogether fails, which Flux
//! takes for "not ready yet"; `Rule::holds` never holds there either for a gate's own rules.

use std::fmt::Write as _;

use super::rule::{CONDITIONS, ConditionPart, Field, Number, OWNERS, Rule};

/// Widest line in columns; longer ones are broken at their operators.
const WIDTH: usize = 100;

/// Precedence of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Binding {
    Or,
    And,
    /// Comparisons, calls and everything in brackets.
    Tight,
}

impl Rule {
    /// Returns the rule in CEL, over `metadata`, `spec` and `status`; long ones in several lines.
    #[must_use]
    pub fn cel(&self) -> String {
        let rule = simple(self);
        let mut out = String::new();
        lay_out(&rule, 0, &mut out);
        out
    }
}

/// Returns the same rule without redundant nesting, and without tests for a field at the object's root,
/// which CEL cannot test.
fn simple(rule: &Rule) -> Rule {
    match rule {
        Rule::All(rules) => {
            let mut parts = Vec::new();
            for rule in rules.iter().map(simple) {
                match rule {
                    Rule::Constant(true) => {}
                    Rule::All(inner) => parts.extend(inner),
                    rule => parts.push(rule),
                }
            }
            simplify_parts(parts, Rule::Constant(true), Rule::All)
        }
        Rule::Any(rules) => {
            let mut parts = Vec::new();
            for rule in rules.iter().map(simple) {
                match rule {
                    Rule::Constant(false) => {}
                    Rule::Any(inner) => parts.extend(inner),
                    rule => parts.push(rule),
                }
            }
            simplify_parts(parts, Rule::Constant(false), Rule::Any)
        }
        Rule::Not(rule) => simple(rule).negated(),
        Rule::Has([_]) => Rule::Constant(true),
        rule => rule.clone(),
    }
}

fn simplify_parts(mut parts: Vec<Rule>, none: Rule, several: impl Fn(Vec<Rule>) -> Rule) -> Rule {
    match (parts.len(), parts.pop()) {
        (_, None) => none,
        (1, Some(rule)) => rule,
        (_, Some(last)) => {
            parts.push(last);
            several(parts)
        }
    }
}

/// Writes a rule, in one line if it fits behind `indent` columns.
fn lay_out(rule: &Rule, indent: usize, out: &mut String) {
    let (text, _) = expression(rule);
    let (rules, operator, inner) = match rule {
        Rule::All(rules) if indent + text.len() > WIDTH => (rules, "&& ", Binding::And),
        Rule::Any(rules) if indent + text.len() > WIDTH => (rules, "|| ", Binding::Or),
        _ => return out.push_str(&text),
    };
    let margin = format!("\n{:indent$}", "");
    for (at, rule) in rules.iter().enumerate() {
        if at > 0 {
            out.push_str(&margin);
            out.push_str(operator);
        }
        let (text, binding) = expression(rule);
        if binding >= inner {
            lay_out(rule, indent, out);
        } else if indent + text.len() <= WIDTH {
            let _ = write!(out, "({text})");
        } else {
            let _ = write!(out, "({margin}  ");
            lay_out(rule, indent + 2, out);
            let _ = write!(out, "{margin})");
        }
    }
}

/// Returns a rule in one line, and its precedence.
fn expression(rule: &Rule) -> (String, Binding) {
    let joined = |rules: &[Rule], operator: &str, binding: Binding| {
        let parts = rules.iter().map(|rule| {
            let (text, inner) = expression(rule);
            if inner >= binding {
                text
            } else {
                format!("({text})")
            }
        });
        (parts.collect::<Vec<_>>().join(operator), binding)
    };
    let and = |text: String| (text, Binding::And);
    let tight = |text: String| (text, Binding::Tight);
    match rule {
        Rule::Constant(holds) => tight(holds.to_string()),
        Rule::All(rules) if rules.is_empty() => tight("true".to_owned()),
        Rule::Any(rules) if rules.is_empty() => tight("false".to_owned()),
        Rule::All(rules) => joined(rules, " && ", Binding::And),
        Rule::Any(rules) => joined(rules, " || ", Binding::Or),
        Rule::Not(rule) => tight(format!("!({})", expression(rule).0)),
        Rule::Has(field) => and(has(field)),
        Rule::AtLeast(left, right) => tight(format!("{} >= {}", double(left), double(right))),
        Rule::SameCount(left, right) => {
            let (has_left, has_right) = (has(left), has(right));
            let (left, right) = (left.join("."), right.join("."));
            and(format!(
                "({has_left}) == ({has_right}) && (!({has_left}) || double({left}) == double({right}))"
            ))
        }
        Rule::Text(field, text) => tight(format!("{} == {}", text_or_empty(field), quoted(text))),
        Rule::SameText(left, right) => tight(format!(
            "{} == {}",
            text_or_empty(left),
            text_or_empty(right)
        )),
        Rule::Key(map, key) => and(format!(
            "{} && {} in {}",
            has(map),
            quoted(key),
            map.join(".")
        )),
        Rule::Entry(map, key, text) => {
            let (path, key) = (map.join("."), quoted(key));
            and(format!(
                "{} && {key} in {path} && {path}[{key}] == {}",
                has(map),
                quoted(text)
            ))
        }
        Rule::Listed(map, key, words) => {
            let (path, key) = (map.join("."), quoted(key));
            let pattern = format!("(^|,)({})(,|$)", words.join("|"));
            and(format!(
                "{} && {key} in {path} && {path}[{key}].matches({})",
                has(map),
                quoted(&pattern)
            ))
        }
        Rule::Condition(kind, part, text) => {
            let key = ConditionPart::key(*part);
            and(format!(
                "{} && {}.exists(c, has(c.type) && c.type == {} && has(c.{key}) && c.{key} == {})",
                has(CONDITIONS),
                CONDITIONS.join("."),
                quoted(kind),
                quoted(text)
            ))
        }
        Rule::Owned(kind) => {
            let owners = OWNERS.join(".");
            let some = match kind {
                None => format!("size({owners}) > 0"),
                Some(kind) => {
                    format!(
                        "{owners}.exists(o, has(o.kind) && o.kind == {})",
                        quoted(kind)
                    )
                }
            };
            and(format!("{} && {some}", has(OWNERS)))
        }
    }
}

/// Returns the test that a field and its parents exist; `None` at the root, which cannot be tested.
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

/// Returns a number as a double: only doubles round as Armada does.
fn double(number: &Number) -> String {
    let field = |field: Field| format!("double({} ? {} : 0)", has(field), field.join("."));
    match number {
        Number::Field(of) => field(of),
        Number::Constant(number) => double_literal(*number),
        Number::Share(of, percent) => {
            format!("{} * ({} / 100.0)", field(of), double_literal(*percent))
        }
        Number::Missing(of, there, 0) => format!("{} - {}", field(of), field(there)),
        Number::Missing(of, there, but) => {
            let (of, there, but) = (field(of), field(there), double_literal(*but));
            format!("{of} - {there} - {but}")
        }
        Number::Scaled(share, of) => {
            let (path, whole) = (share.join("."), field(of));
            let scaled = format!("double(string({path}).replace('%', '')) * {whole} / 100.0");
            format!(
                "({} ? (string({path}).endsWith('%') ? {scaled} : double({path})) : 0.0)",
                has(share)
            )
        }
    }
}

fn double_literal(number: i64) -> String {
    format!("{:?}", number as f64)
}

/// Returns a text as a CEL string.
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
