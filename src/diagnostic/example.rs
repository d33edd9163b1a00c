//! An example of each code, as the program draws it.
//!
//! `examples.txt` is made of `testdata/diagnostics` by `UPDATE_GOLDEN=1 cargo test`, which also checks it.

use super::Code;

/// What stands before each example, followed by the code.
pub const MARK: &str = "=== ";
/// Longest example, in lines: longer ones are left out.
pub const MAX_LINES: usize = 24;

const EXAMPLES: &str = include_str!("examples.txt");

impl Code {
    /// A diagnostic of this code with its excerpt; `None` when its example is long or names no place.
    #[must_use]
    pub fn example(self) -> Option<&'static str> {
        EXAMPLES
            .split(MARK)
            .filter_map(|part| part.split_once('\n'))
            .find(|(name, _)| *name == self.name())
            .map(|(_, text)| text.trim_end())
    }
}
