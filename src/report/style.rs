//! How text for people is written: what stands out, and in how many columns. The one place that knows of colours.

use anstyle::AnsiColor;

/// Columns where no terminal says how many there are.
const COLUMNS: usize = 80;
/// Fewest columns that text is fitted to.
const FEWEST: usize = 40;
/// Most columns of a line: longer ones are hard to read.
const MOST: usize = 120;

/// How a report is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// With colours of a terminal.
    pub colour: bool,
    /// All of it, not only what matters first.
    pub all: bool,
    /// Columns of the terminal; `None` where there is none.
    pub width: Option<usize>,
}

/// How a word stands out, by what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Something new, or done.
    Green,
    /// Something that goes, or went wrong.
    Red,
    /// Something that changes, or waits.
    Yellow,
    /// Something to be seen.
    Bold,
    /// Something dangerous, or an error.
    Danger,
    /// Something of no interest now.
    Dim,
    /// A good end.
    Good,
    /// A warning.
    Warning,
    /// A word before advice.
    Help,
}

impl Paint {
    pub(in crate::report) fn style(self) -> anstyle::Style {
        let plain = anstyle::Style::new();
        let colour = |colour: AnsiColor| plain.fg_color(Some(colour.into()));
        match self {
            Paint::Green => colour(AnsiColor::Green),
            Paint::Red => colour(AnsiColor::Red),
            Paint::Yellow => colour(AnsiColor::Yellow),
            Paint::Bold => plain.bold(),
            Paint::Danger => colour(AnsiColor::Red).bold(),
            Paint::Dim => plain.dimmed(),
            Paint::Good => colour(AnsiColor::Green).bold(),
            Paint::Warning => colour(AnsiColor::Yellow).bold(),
            Paint::Help => colour(AnsiColor::Cyan).bold(),
        }
    }

    /// The text, painted if colours are wanted.
    #[must_use]
    pub fn paint(self, text: &str, colour: bool) -> String {
        if !colour || text.is_empty() {
            return text.to_owned();
        }
        let style = self.style();
        format!("{style}{text}{style:#}")
    }
}

impl Style {
    /// The text, painted if colours are wanted.
    pub(in crate::report) fn paint(self, text: &str, paint: Paint) -> String {
        paint.paint(text, self.colour)
    }

    /// Columns that lines are fitted to.
    #[must_use]
    pub fn columns(self) -> usize {
        self.width
            .map_or(COLUMNS, |width| width.clamp(FEWEST, MOST))
    }
}
