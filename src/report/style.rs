//! How reports for people are written.

/// How a report is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// With colours of a terminal.
    pub colour: bool,
    /// All of it, not only what matters first.
    pub all: bool,
}

/// A colour, by what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report) enum Paint {
    Green,
    Red,
    Yellow,
    Bold,
    Danger,
    Dim,
}

impl Paint {
    /// Parameters of the terminal's code (ECMA-48, SGR).
    pub(in crate::report) fn code(self) -> &'static str {
        match self {
            Paint::Green => "32",
            Paint::Red => "31",
            Paint::Yellow => "33",
            Paint::Bold => "1",
            Paint::Danger => "1;31",
            Paint::Dim => "2",
        }
    }
}

impl Style {
    pub(in crate::report) fn paint(self, text: &str, paint: Paint) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        format!("\u{1b}[{}m{text}\u{1b}[0m", paint.code())
    }
}
