//! Label selectors as the API server reads them.
//!
//! Armada formats labels into one text and lets the API server parse it (Armada: utils/release.py,
//! `label_selectors`), so a comma in a value adds a condition and a value that no label can have is
//! an error of the whole wait.

use crate::secret;
use crate::value::{REDACTED, Text};

use super::rule::{LABELS, Rule};

/// Longest name or value of a label, in characters.
const MAX_NAME: usize = 63;
/// Longest prefix of a label's name, in characters.
const MAX_PREFIX: usize = 253;

/// Why a selector cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the API server refuses the label selector `{selector}`: {reason}")]
pub struct SelectorError {
    /// The rejected selector.
    pub selector: Text,
    /// The reason for the rejection.
    pub reason: String,
}

/// Returns a selector as a rule over an object's labels; the empty selector holds for every object.
///
/// # Errors
///
/// When the API server would answer 400, or the selector compares labels as numbers, which no Armada
/// document means.
pub(super) fn parse(selector: &str) -> Result<Rule, SelectorError> {
    let tokens = tokens(selector);
    let mut parser = Parser {
        tokens: &tokens,
        at: 0,
    };
    parser.selector().map_err(|reason| SelectorError {
        selector: selector.into(),
        reason,
    })
}

/// Labels as a selector (Armada: utils/release.py, `label_selectors`): `a=b,c=d`, empty for none.
pub(crate) fn of_labels(labels: &[(Text, Text)]) -> Text {
    joined(labels.iter().map(|(key, value)| format!("{key}={value}"))).into()
}

/// Returns labels as a selector that is safe to print: those that look secret keep only their keys.
pub(crate) fn shown_labels(labels: &[(Text, Text)]) -> String {
    joined(labels.iter().map(|(key, value)| shown_label(key, value)))
}

/// Returns a selector that is safe to print: labels that look secret keep only their keys.
pub(super) fn shown(selector: &str) -> String {
    let labels = selector.split(',');
    joined(labels.map(|label| match label.split_once('=') {
        Some((key, value)) => shown_label(key, value),
        None => label.to_owned(),
    }))
}

fn shown_label(key: &str, value: &str) -> String {
    let shown = match secret::key_names_secret(key) {
        true => REDACTED.into(),
        false => secret::redact(value),
    };
    format!("{key}={shown}")
}

fn joined(labels: impl Iterator<Item = String>) -> String {
    labels.collect::<Vec<_>>().join(",")
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'s> {
    Word(&'s str),
    Symbol(&'s str),
}

/// Splits into words and symbols; blanks separate and vanish.
fn tokens(selector: &str) -> Vec<Token<'_>> {
    const SYMBOLS: &[&str] = &["==", "!=", "=", "!", ",", "(", ")", "<", ">"];
    let is_special = |c: char| "=!,()<>".contains(c);
    let is_blank = |c: char| " \t\r\n".contains(c);
    let mut tokens = Vec::new();
    let mut rest = selector;
    loop {
        rest = rest.trim_start_matches(is_blank);
        if rest.is_empty() {
            return tokens;
        }
        let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
        let length = match symbol {
            Some(symbol) => symbol.len(),
            None => rest
                .find(|c| is_special(c) || is_blank(c))
                .unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        tokens.push(match symbol {
            Some(_) => Token::Symbol(token),
            None => Token::Word(token),
        });
        rest = after;
    }
}

struct Parser<'s> {
    tokens: &'s [Token<'s>],
    at: usize,
}

impl<'s> Parser<'s> {
    fn peek(&self) -> Option<Token<'s>> {
        self.tokens.get(self.at).copied()
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = self.peek() == Some(Token::Symbol(symbol));
        self.at += usize::from(found);
        found
    }

    fn selector(&mut self) -> Result<Rule, String> {
        let mut rules = Vec::new();
        if self.tokens.is_empty() {
            return Ok(Rule::Constant(true));
        }
        loop {
            rules.push(self.requirement()?);
            match self.peek() {
                None => break,
                Some(Token::Symbol(",")) => {
                    self.at += 1;
                    // The API server wants a requirement after every comma.
                    if self.peek().is_none() {
                        return Err("a label is missing after the last comma".to_owned());
                    }
                }
                Some(Token::Word(word) | Token::Symbol(word)) => {
                    return Err(format!("expected a comma, found `{word}`"));
                }
            }
        }
        Ok(match <[Rule; 1]>::try_from(rules) {
            Ok([rule]) => rule,
            Err(rules) => Rule::All(rules),
        })
    }

    fn requirement(&mut self) -> Result<Rule, String> {
        let absent = self.take("!");
        let key = match self.peek() {
            Some(Token::Word(word)) => word,
            Some(Token::Symbol(symbol)) => {
                return Err(format!("expected a label, found `{symbol}`"));
            }
            None => return Err("a label is missing".to_owned()),
        };
        self.at += 1;
        check_key(key)?;
        let key = Text::from(key);
        if absent {
            return Ok(Rule::Key(LABELS, key).negated());
        }
        let entry = |value: &str| Rule::Entry(LABELS, key.clone(), value.into());
        match self.peek() {
            None | Some(Token::Symbol(",")) => Ok(Rule::Key(LABELS, key)),
            Some(Token::Symbol("=" | "==")) => {
                self.at += 1;
                Ok(entry(self.value()?))
            }
            Some(Token::Symbol("!=")) => {
                self.at += 1;
                Ok(entry(self.value()?).negated())
            }
            Some(Token::Word(word @ ("in" | "notin"))) => {
                self.at += 1;
                let any = Rule::Any(self.values()?.into_iter().map(entry).collect());
                Ok(if word == "in" { any } else { any.negated() })
            }
            Some(Token::Symbol("<" | ">")) => Err("labels are compared as numbers".to_owned()),
            Some(Token::Word(word) | Token::Symbol(word)) => {
                Err(format!("expected an operator, found `{word}`"))
            }
        }
    }

    /// Parses the value after an operator; it may be empty.
    fn value(&mut self) -> Result<&'s str, String> {
        match self.peek() {
            Some(Token::Word(word)) => {
                self.at += 1;
                check_value(word)?;
                Ok(word)
            }
            None | Some(Token::Symbol(",")) => Ok(""),
            Some(Token::Symbol(symbol)) => Err(format!("expected a value, found `{symbol}`")),
        }
    }

    fn values(&mut self) -> Result<Vec<&'s str>, String> {
        if !self.take("(") {
            return Err("a list of values must be in parentheses".to_owned());
        }
        let mut values = Vec::new();
        loop {
            match self.peek() {
                Some(Token::Word(word)) => {
                    self.at += 1;
                    check_value(word)?;
                    values.push(word);
                }
                Some(Token::Symbol("," | ")")) => values.push(""),
                Some(Token::Symbol(symbol)) => {
                    return Err(format!("expected a value, found `{symbol}`"));
                }
                None => return Err("a parenthesis is not closed".to_owned()),
            }
            if self.take(")") {
                return Ok(values);
            }
            if !self.take(",") {
                return Err("values of a list are separated by commas".to_owned());
            }
        }
    }
}

/// Returns a qualified name: an optional DNS prefix, a slash, a name.
fn check_key(key: &str) -> Result<(), String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let prefix_fits = prefix.is_none_or(|prefix| {
        let part = |part: &str| {
            is_framed(
                part,
                |c| c.is_ascii_lowercase() || c.is_ascii_digit(),
                |c| c == '-',
            )
        };
        prefix.len() <= MAX_PREFIX && prefix.split('.').all(part)
    });
    if prefix_fits && !name.is_empty() && is_label_text(name) {
        Ok(())
    } else {
        Err(format!("`{key}` is not a valid label key"))
    }
}

fn check_value(value: &str) -> Result<(), String> {
    if value.is_empty() || is_label_text(value) {
        Ok(())
    } else {
        Err(format!("`{value}` is not a valid label value"))
    }
}

fn is_label_text(text: &str) -> bool {
    let inner = |c: char| matches!(c, '-' | '_' | '.');
    text.len() <= MAX_NAME && is_framed(text, |c| c.is_ascii_alphanumeric(), inner)
}

/// Returns whether the text starts and ends with an `outer` character and holds only characters of both sets.
fn is_framed(text: &str, outer: impl Fn(char) -> bool, inner: impl Fn(char) -> bool) -> bool {
    text.starts_with(&outer) && text.ends_with(&outer) && text.chars().all(|c| outer(c) || inner(c))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Mapping, Value};

    fn labelled(pairs: &[(&str, &str)]) -> Value {
        let labels: Mapping = pairs.iter().map(|(k, v)| (*k, *v)).collect();
        let metadata: Mapping = [("labels", labels)].into_iter().collect();
        let object: Mapping = [("metadata", metadata)].into_iter().collect();
        object.into()
    }

    #[test]
    fn selectors_select_as_the_api_server_does() {
        let object = labelled(&[("a", "1"), ("b", "2"), ("x.io/c", "")]);
        let cases: &[(&str, bool)] = &[
            ("", true),
            ("a=1", true),
            ("a==1,b=2", true),
            ("a=1,b=3", false),
            ("a", true),
            ("!a", false),
            ("z", false),
            ("!z", true),
            ("a!=2", true),
            ("z!=2", true),
            ("a in (1, 7)", true),
            ("a notin (1,7),b", false),
            ("z notin (1)", true),
            ("x.io/c=", true),
            ("x.io/c=,a=1", true),
        ];
        for (selector, wanted) in cases {
            let rule = parse(selector).expect(selector);
            assert_eq!(rule.holds(&object), *wanted, "{selector}");
        }
    }

    #[test]
    fn what_the_api_server_refuses_is_refused() {
        for selector in [
            "a=b c", "=b", "a=b=c", "a=-b", "-a=b", "a in b", "a in (b", "a=b,", ",a=b", "a>1",
            "A.io/b=c", "a/b/c=d", "a=ü",
        ] {
            assert!(parse(selector).is_err(), "{selector}");
        }
    }

    #[test]
    fn secrets_in_selectors_are_hidden() {
        assert_eq!(
            shown("app=web,db_password=x,tier"),
            "app=web,db_password=***,tier"
        );
        assert_eq!(shown(""), "");
    }
}
