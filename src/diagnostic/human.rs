//! Draws diagnostics for terminals, with an excerpt of the source.
//!
//! An excerpt is one line. [`Drawing::line`] decides how much of it may be shown.

use std::borrow::Cow;
use std::collections::BTreeMap;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::printable::{Printable, escape};
use crate::source::{Sources, Span, floor_char_boundary};

use super::{Code, Diagnostic, Label, Severity};

/// The amount that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// Errors only.
    Errors,
    /// Errors and the first warning of each code.
    Digest,
    /// Everything.
    All,
}

/// The number of warnings of one code that [`Amount::Digest`] shows: all codes have to fit a screen.
const SHOWN_WARNINGS: usize = 1;
/// The number of errors of one code that are shown, except by [`Amount::All`].
const SHOWN_ERRORS: usize = 10;
/// The width of excerpts in columns.
const WIDTH: usize = 120;

/// Draws diagnostics.
pub struct Drawing<'a> {
    /// The files that spans refer to.
    pub sources: &'a Sources,
    /// Returns the printable form of a line: its unchanged beginning, and a replacement for the rest.
    pub line: &'a dyn Fn(Span) -> String,
    /// Whether to use colours.
    pub colour: bool,
    /// The amount that is drawn.
    pub amount: Amount,
}

impl std::fmt::Debug for Drawing<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Drawing")
            .field("amount", &self.amount)
            .finish_non_exhaustive()
    }
}

impl Drawing<'_> {
    /// Returns the text of the diagnostics, in order of place; the last lines count what was left out.
    #[must_use]
    pub fn draw(&self, diagnostics: &[Diagnostic]) -> Printable {
        let mut ordered: Vec<&Diagnostic> = diagnostics.iter().collect();
        ordered.sort_by_key(|d| (d.labels.first().map(|label| label.span), d.severity));
        let renderer = if self.colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let renderer = renderer.term_width(WIDTH);
        let mut seen: BTreeMap<(Severity, Code), usize> = BTreeMap::new();
        let mut text = String::new();
        for diagnostic in ordered {
            let count = seen
                .entry((diagnostic.severity, diagnostic.code))
                .or_default();
            *count += 1;
            if *count > self.most(diagnostic.severity) {
                continue;
            }
            let drawn = renderer.render(&[self.group(diagnostic)]);
            let drawn: Vec<_> = drawn.lines().map(with_arrow).collect();
            text.push_str(&drawn.join("\n"));
            text.push_str("\n\n");
        }
        self.push_left_out(&seen, &mut text);
        match self.colour {
            true => Printable::coloured_lines_of(&text),
            false => Printable::lines_of(&text),
        }
    }

    fn most(&self, severity: Severity) -> usize {
        match (self.amount, severity) {
            (Amount::All, _) => usize::MAX,
            (Amount::Errors | Amount::Digest, Severity::Error) => SHOWN_ERRORS,
            (Amount::Digest, Severity::Warning) => SHOWN_WARNINGS,
            (Amount::Digest, Severity::Note) | (Amount::Errors, _) => 0,
        }
    }

    fn push_left_out(&self, seen: &BTreeMap<(Severity, Code), usize>, text: &mut String) {
        for (&(severity, code), &count) in seen {
            let most = self.most(severity);
            let hidden = count.saturating_sub(most);
            let counted = severity == Severity::Error || self.amount == Amount::Digest;
            if hidden > 0 && most > 0 && counted {
                text.push_str(&format!("{severity}[{code}]: {hidden} more of these\n"));
            }
        }
        if !text.is_empty() && !text.ends_with("\n\n") {
            text.push('\n');
        }
    }

    fn group<'d>(&self, diagnostic: &'d Diagnostic) -> Group<'d> {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
            Severity::Note => Level::NOTE,
        };
        let title = level
            .primary_title(escape::fold(&diagnostic.message))
            .id(diagnostic.code.name());
        let mut group = Group::with_title(title);
        for (at, label) in diagnostic.labels.iter().enumerate() {
            group = group.element(self.snippet(label, at == 0));
        }
        if let Some(help) = &diagnostic.help {
            group = group.element(Level::HELP.message(escape::fold(help)));
        }
        group
    }

    fn snippet<'d>(
        &self,
        label: &'d Label,
        primary: bool,
    ) -> Snippet<'d, annotate_snippets::Annotation<'d>> {
        let file = self.sources.file(label.span.file());
        let position = file.position(label.span.start());
        let range = file.line_range(position.line);
        let line = Span::new(label.span.file(), range.start as u32, range.end as u32);
        let text = (self.line)(line);
        let within = |offset: u32| (offset as usize).clamp(range.start, range.end) - range.start;
        let start = within(label.span.start()).min(text.len());
        let end = within(label.span.end()).clamp(start, text.len());
        let start = floor_char_boundary(&text, start);
        let end = floor_char_boundary(&text, end).max(start);
        let [before, labelled, after] =
            [&text[..start], &text[start..end], &text[end..]].map(excerpt);
        let place = before.len()..before.len() + labelled.len();
        let kind = if primary {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        Snippet::source([before, labelled, after].concat())
            .line_start(position.line as usize)
            .path(escape::name(file.name()).into_owned())
            .annotation(kind.span(place).label(escape::fold(&label.text)))
    }
}

/// Returns a line with `-->` before a further place, where the renderer has `:::`: a CI system could take that for a command.
fn with_arrow(line: &str) -> Cow<'_, str> {
    let blank_or_colour = |c: char| " \u{1b}[;m".contains(c) || c.is_ascii_digit();
    match line.split_once(":::") {
        Some((before, place)) if before.chars().all(blank_or_colour) => {
            Cow::Owned(format!("{before}-->{place}"))
        }
        Some(_) | None => Cow::Borrowed(line),
    }
}

/// Returns a part of a line of the source as it is shown. A tab has the width that the renderer gives it.
fn excerpt(part: &str) -> String {
    let parts: Vec<_> = part.split('\t').map(escape::name).collect();
    parts.join("    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay_within_what_is_shown() {
        let mut sources = Sources::default();
        let text = "user: a\npassword: hunter2\n";
        let file = sources.add("site.yaml", text).expect("room");
        let line = |span: Span| {
            let line = &text[span.range()];
            line.replace("hunter2", "***")
        };
        let drawing = Drawing {
            sources: &sources,
            line: &line,
            colour: false,
            amount: Amount::All,
        };
        let diagnostics =
            [Diagnostic::new(Code::ValueRetyped, "a value").at(Span::new(file, 18, 25), "here")];
        let text = drawing.draw(&diagnostics).to_string();
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("site.yaml:2:11"), "{text}");
        assert!(text.contains("^^^ here"), "{text}");
    }
}
