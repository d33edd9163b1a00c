//! The style of text: colours and columns. Colours are decided in this one place.

use anstyle::AnsiColor;

/// Columns without a terminal.
const COLUMNS: usize = 80;
/// Fewest columns that text is fitted to.
const FEWEST: usize = 40;
/// Most columns of a line: longer ones are hard to read.
const MOST: usize = 120;

/// How a report is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Whether to use colours.
    pub colour: bool,
    /// Whether to print everything (`-v`).
    pub all: bool,
    /// Columns of the terminal; `None` where there is none.
    pub width: Option<usize>,
}

/// The colour of a word, by its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Added, or done.
    Green,
    /// Removed, or failed.
    Red,
    /// Changed, or waiting.
    Yellow,
    /// Important.
    Bold,
    /// Dangerous, or an error.
    Danger,
    /// Unimportant.
    Dim,
    /// A good result.
    Good,
    /// A warning.
    Warning,
    /// The word before a hint.
    Help,
}

impl Paint {
    pub(super) fn style(self) -> anstyle::Style {
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
}

impl Style {
    /// Returns the columns that lines should fit.
    #[must_use]
    pub fn columns(self) -> usize {
        self.width
            .map_or(COLUMNS, |width| width.clamp(FEWEST, MOST))
    }
}
