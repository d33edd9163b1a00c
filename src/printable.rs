//! The one door for text: whatever came from a cluster, a document, a file name or a plugin is printed as lines that act on
//! no terminal, no log and no CI system.
//!
//! The functions that write to stdout, to stderr and to report files take a [`Printable`] and nothing else. It is built from
//! lines ([`Paragraph`]), and every character of a line passes [`escape`]. So no text has to be known as foreign: all of it
//! is treated so, and a line break or a colour is ours or it does not exist.

pub mod escape;
pub mod json;
pub mod paragraph;
pub mod style;

#[cfg(test)]
pub(crate) mod tests;

use std::fmt;

use paragraph::Paragraph;
use style::Style;

/// Lines that may be written to a terminal, a log or a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printable(String);

impl Printable {
    /// Takes the text of a format with escapes of its own, such as YAML of `emit`, as it is.
    pub(crate) fn exact(text: String) -> Self {
        Self(text)
    }

    /// Takes a text that a printer of ours made, such as Markdown or XML: its line breaks stay, all other hidden characters
    /// become escapes, and no line begins with a command.
    #[must_use]
    pub fn lines_of(text: &str) -> Self {
        let mut lines = Self::default();
        text.lines().for_each(|line| lines.line(line));
        lines
    }

    /// Like that, for a text that a library has coloured: its colours stay.
    #[must_use]
    pub fn coloured_lines_of(text: &str) -> Self {
        let mut lines = Self::default();
        for line in text.lines() {
            let mut shown = String::with_capacity(line.len());
            let mut plain = String::with_capacity(line.len());
            let mut rest = line;
            while let Some(at) = rest.find('\u{1b}') {
                let colour = length_of_colour(&rest[at..]);
                let end = at + colour.unwrap_or(1);
                let text = escape::fold(&rest[..if colour.is_some() { at } else { end }]);
                shown.push_str(&text);
                plain.push_str(&text);
                shown.push_str(&rest[at..if colour.is_some() { end } else { at }]);
                rest = &rest[end..];
            }
            let text = escape::fold(rest);
            shown.push_str(&text);
            plain.push_str(&text);
            // A marker may be split by a colour, which not every reader sees.
            match escape::without_commands(&plain) {
                safe if *safe == *plain => lines.0.push_str(&shown),
                safe => lines.0.push_str(&safe),
            }
            lines.0.push('\n');
        }
        lines
    }

    /// Appends a line.
    pub fn line(&mut self, text: &str) {
        Paragraph::default()
            .plain(text)
            .write(self, Style::default());
    }

    /// Appends an empty line.
    pub fn blank(&mut self) {
        self.0.push('\n');
    }

    /// Appends other lines.
    pub fn append(&mut self, other: &Self) {
        self.0.push_str(&other.0);
    }

    /// Appends a workflow command of GitHub Actions. `%` is the escape of its grammar.
    pub(crate) fn workflow_command(
        &mut self,
        command: &'static str,
        properties: &[(&'static str, &str)],
        message: &[&str],
    ) {
        let properties = properties.iter().map(|(key, value)| {
            let value = percent(&escape::name(value));
            let value = value.replace(':', "%3A").replace(',', "%2C");
            format!("{key}={value}")
        });
        let properties: Vec<String> = properties.collect();
        let message = message.iter().map(|line| percent(&escape::fold(line)));
        let message: Vec<String> = message.collect();
        let line = format!("{}::{}", properties.join(","), message.join("%0A"));
        self.0.push_str(&format!(
            "::{command} {}\n",
            escape::without_commands(&line)
        ));
    }

    /// Returns the text; each line ends with a line break.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether there is no line.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Printable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns the length of the escape sequence of a colour that a text begins with: `ESC [ 1 ; 31 m`.
fn length_of_colour(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let digits = parameters.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
    let rest = digits.strip_prefix('m')?;
    Some(text.len() - rest.len())
}

fn percent(text: &str) -> String {
    text.replace('%', "%25")
}
