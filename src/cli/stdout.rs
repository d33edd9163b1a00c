//! Standard output: the results of commands, written in this one place.

use std::io::{self, Write as _};

use crate::printable::Printable;
use crate::printable::style::Style;

use super::{Failure, Output, show};

/// Writes a result and flushes it. [`Failure::stdout`] recognises a closed pipe.
pub(super) fn write(text: &Printable) -> Result<(), Failure> {
    let mut stdout = io::stdout();
    let written = stdout.write_all(text.as_str().as_bytes());
    written
        .and_then(|()| stdout.flush())
        .map_err(Failure::stdout)
}

/// Returns the style of reports on stdout.
pub(super) fn style(output: &Output) -> Style {
    show::style_on(output, &io::stdout())
}
