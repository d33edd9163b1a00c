//! One `--set KIND:NAME:path=value`.

use std::ops::Range;

use crate::secret;
use crate::source::{FileId, Span, Spanned};
use crate::value::REDACTED;
use crate::yaml::graft::MAX_DEPTH;

use crate::armada::head::ArmadaKind;

/// Returns the argument in a form that is safe to print: a value that may be a secret is masked.
#[must_use]
pub fn shown(argument: &str) -> String {
    let Some((left, value)) = argument.split_once('=') else {
        return secret::mask_line(argument);
    };
    let path = left.rsplit(':').next().unwrap_or(left);
    let value = match path.split('.').any(secret::key_names_secret) {
        true => REDACTED.into(),
        false => secret::redact(value),
    };
    format!("{left}={value}")
}

/// A parsed argument.
#[derive(Debug)]
pub(super) struct Argument {
    pub(super) kind: ArmadaKind,
    pub(super) name: Spanned<String>,
    /// The override of the document's data: always branches.
    pub(super) data: Branch,
}

/// A part of the data that an argument stands for.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) content: Content,
    pub(super) span: Span,
}

/// What a [`Branch`] holds. Values are always text.
pub(super) enum Content {
    Text(String),
    Branches(Vec<(Spanned<String>, Branch)>),
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The text may be a password.
        match self {
            Content::Text(_) => f.write_str("Text"),
            Content::Branches(branches) => f.debug_list().entries(branches).finish(),
        }
    }
}

/// What is wrong with an argument, and where.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) span: Span,
}

impl Argument {
    /// Parses an argument. Armada builds a JSON text from it (`array_to_dict`) and parses that, so the
    /// value may hold JSON's escapes, and neither value nor path may break the JSON.
    pub(super) fn parse(argument: &str, file: FileId) -> Result<Self, Fault> {
        let place = |range: Range<usize>| Span::new(file, range.start as u32, range.end as u32);
        let fault = |message: &str, range: Range<usize>| Fault {
            message: message.to_owned(),
            span: place(range),
        };
        let Some((left, value)) = argument.split_once('=') else {
            return Err(fault(
                "an argument has no `=`, it must be KIND:NAME:path=value",
                0..argument.len(),
            ));
        };
        let parts: Vec<&str> = left.split(':').collect();
        let [kind_word, name, path] = parts[..] else {
            return Err(fault(
                "an argument must be KIND:NAME:path=value",
                0..left.len(),
            ));
        };
        let kind = match kind_word {
            "chart" => ArmadaKind::Chart,
            "chart_group" => ArmadaKind::ChartGroup,
            "manifest" => ArmadaKind::Manifest,
            _ => {
                return Err(fault(
                    "the kind must be chart, chart_group or manifest",
                    0..kind_word.len(),
                ));
            }
        };
        let name_start = kind_word.len() + 1;
        let path_start = name_start + name.len() + 1;
        let left_end = left.len();
        if value.is_empty() {
            return Err(fault("the value is empty", path_start..left_end));
        }
        if path.contains("null") {
            return Err(fault(
                "Armada rejects a path that holds `null`",
                path_start..left_end,
            ));
        }
        // The shown text ends at the same place unless the value is masked.
        let value_start = left_end + 1;
        let value_span = place(value_start..value_start + shown(argument).len() - value_start);
        let text = serde_json::from_str::<String>(&format!("\"{value}\"")).map_err(|_| Fault {
            message: "the value must be the inside of a JSON string: write quotes and backslashes as `\\\"` and `\\\\`"
                .to_owned(),
            span: place(path_start..left_end),
        })?;
        let mut at = path_start;
        let keys: Vec<Spanned<String>> = path
            .split('.')
            .map(|key| {
                let span = place(at..at + key.len());
                at += key.len() + 1;
                Spanned::new(key.to_owned(), span)
            })
            .collect();
        if keys.len() > MAX_DEPTH {
            let message = format!("the path is longer than {MAX_DEPTH} parts");
            return Err(fault(&message, path_start..left_end));
        }
        let mut data = Branch {
            content: Content::Branches(Vec::new()),
            span: place(path_start..left_end),
        };
        plant(&mut data, &keys, &text, value_span);
        Ok(Self {
            kind,
            name: Spanned::new(name.to_owned(), place(name_start..name_start + name.len())),
            data,
        })
    }
}

/// Builds the branches of a path. A part that equals the last one receives the value at its place and is
/// not entered, as in Armada.
fn plant(at: &mut Branch, keys: &[Spanned<String>], text: &str, value_span: Span) {
    let (Some((key, rest)), Some(last)) = (keys.split_first(), keys.last()) else {
        return;
    };
    let Content::Branches(branches) = &mut at.content else {
        return;
    };
    let is_last = key.value == last.value;
    let known = branches
        .iter()
        .position(|(name, _)| name.value == key.value);
    let index = known.unwrap_or_else(|| {
        let content = if is_last {
            Content::Text(text.to_owned())
        } else {
            Content::Branches(Vec::new())
        };
        let span = if is_last { value_span } else { key.span };
        branches.push((key.clone(), Branch { content, span }));
        branches.len() - 1
    });
    if is_last {
        plant(at, rest, text, value_span);
    } else if let Some((_, next)) = branches.get_mut(index) {
        plant(next, rest, text, value_span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn parse(argument: &str) -> Result<String, String> {
        let mut sources = Sources::default();
        let file = sources.add("<--set 1>", shown(argument)).expect("room");
        let parsed = Argument::parse(argument, file);
        parsed
            .map(|argument| {
                format!(
                    "{} {} {}",
                    argument.kind,
                    argument.name.value,
                    draw(&argument.data)
                )
            })
            .map_err(|fault| format!("{} at {}", fault.message, sources.slice(fault.span)))
    }

    fn draw(branch: &Branch) -> String {
        match &branch.content {
            Content::Text(text) => format!("{text:?}"),
            Content::Branches(branches) => {
                let drawn = branches
                    .iter()
                    .map(|(name, branch)| format!("{}={}", name.value, draw(branch)));
                format!("({})", drawn.collect::<Vec<_>>().join(" "))
            }
        }
    }

    #[test]
    fn paths_become_branches_as_in_armada() {
        let cases = [
            (
                "chart:a:values.q.w.e=2",
                "chart a (values=(q=(w=(e=\"2\"))))",
            ),
            (
                "chart:a:values.q.w.q=2",
                "chart a (values=(q=\"2\" w=(q=\"2\")))",
            ),
            (
                "manifest:m:release_prefix=x=y",
                "manifest m (release_prefix=\"x=y\")",
            ),
            (r"chart:a:values.x=a\nb", "chart a (values=(x=\"a\\nb\"))"),
        ];
        for (argument, wanted) in cases {
            assert_eq!(parse(argument).as_deref(), Ok(wanted));
        }
    }

    #[test]
    fn faults_name_their_place_and_never_the_value() {
        let cases = [
            ("chart:a:values.x", "chart:a:values.x"),
            ("chart:a:release=", "release"),
            ("chart:a:values.null=5", "values.null"),
            ("chart:a:values.password=hun\"ter2", "values.password"),
            ("foo:a:release=x", "foo"),
            ("chart:release=x", "chart:release"),
        ];
        for (argument, place) in cases {
            let fault = parse(argument).expect_err(argument);
            assert!(fault.ends_with(&format!(" at {place}")), "{fault}");
            assert!(!fault.contains("ter2"), "{fault}");
        }
    }

    #[test]
    fn secrets_are_masked() {
        assert_eq!(
            shown("chart:a:values.auth.password=hunter2"),
            "chart:a:values.auth.password=***"
        );
        assert_eq!(shown("chart:a:release=web"), "chart:a:release=web");
    }
}
