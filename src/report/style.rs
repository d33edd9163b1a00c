//! How reports for people are written.

/// How a report is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// With colours of a terminal.
    pub colour: bool,
    /// All of it, not only what matters first.
    pub all: bool,
}

#[derive(Clone, Copy)]
pub(in crate::report) enum Paint {
    Green,
    Red,
    Yellow,
    Bold,
    Danger,
    Dim,
}

impl Style {
    pub(in crate::report) fn paint(self, text: &str, paint: Paint) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match paint {
            Paint::Green => "32",
            Paint::Red => "31",
            Paint::Yellow => "33",
            Paint::Bold => "1",
            Paint::Danger => "1;31",
            Paint::Dim => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
