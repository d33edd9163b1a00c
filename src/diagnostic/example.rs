//! An example of each code, as the program draws it.
//!
//! `UPDATE_GOLDEN=1 cargo test` writes `examples.txt` from `testdata/diagnostics`, and `cargo test` checks
//! it.

use super::Code;

/// The mark before each example; the code follows it.
pub const MARK: &str = "=== ";
/// The longest example, in lines; longer ones are left out.
pub const MAX_LINES: usize = 24;

const EXAMPLES: &str = include_str!("examples.txt");

impl Code {
    /// Returns a diagnostic of this code with its excerpt; `None` when its example is long or names no place.
    #[must_use]
    pub fn example(self) -> Option<&'static str> {
        EXAMPLES
            .split(MARK)
            .filter_map(|part| part.split_once('\n'))
            .find(|(name, _)| *name == self.name())
            .map(|(_, text)| text.trim_end())
    }
}
