//! Standard output: the result of a command, written in this one place.

use std::io::{self, Write as _};

use super::Failure;

/// Writes a result, to its end: a pipe whose reader has gone is told apart by [`Failure::stdout`].
pub(super) fn write(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    let written = stdout.write_all(text.as_bytes());
    written
        .and_then(|()| stdout.flush())
        .map_err(Failure::stdout)
}
