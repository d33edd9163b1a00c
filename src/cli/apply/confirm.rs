//! The question before the first write.

use std::io::{BufRead as _, IsTerminal as _};

use super::super::{Failure, show};

/// Asks whether to go on; without a terminal there is nobody to ask.
pub(super) fn ask(yes: bool, question: &str) -> Result<bool, Failure> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() || !show::is_terminal() {
        let failure = Failure::new("cannot ask for confirmation: not a terminal");
        let failure = failure.hint("check `armada2flux plan` first, then add `--yes`");
        return Err(failure.refused());
    }
    show::ask(&format!("{question} [y/N]"));
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|cause| Failure::new(format!("cannot read the answer: {cause}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
