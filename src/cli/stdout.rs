//! Standard output: the results of commands, written in this one place.

use std::io::{self, Write as _};

use super::Failure;

/// Writes a result and flushes it. [`Failure::stdout`] recognises a closed pipe.
pub(super) fn write(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    let written = stdout.write_all(text.as_bytes());
    written
        .and_then(|()| stdout.flush())
        .map_err(Failure::stdout)
}
