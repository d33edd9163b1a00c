//! The rollout of the input, for `plan` and `apply`.

use crate::flux::ObjectSet;
use crate::rollout::{self, Rollout};

use super::Failure;

/// Faults that are printed.
const SHOWN: usize = 20;

/// Assembles the rollout and checks it by rules that share no code with the assembly.
pub(super) fn rollout(set: &ObjectSet) -> Result<Rollout, Failure> {
    let rollout = rollout::assemble(set).map_err(|faults| {
        let said = faults
            .iter()
            .map(|fault| format!("{fault}\n    {}", fault.hint()));
        Failure::new(listed("the input cannot be rolled out", said))
    })?;
    let flaws = rollout::check(&rollout, set);
    if flaws.is_empty() {
        return Ok(rollout);
    }
    let said = flaws.iter().map(ToString::to_string);
    Err(Failure::new(listed(
        "internal error: the rollout breaks a rule, nothing was written",
        said,
    ))
    .hint("this is a bug of armada2flux: report it, with the tree if you may"))
}

fn listed(title: &str, said: impl ExactSizeIterator<Item = String>) -> String {
    let more = said.len().saturating_sub(SHOWN);
    let mut text = format!("{title}:");
    for line in said.take(SHOWN) {
        text.push_str("\n  ");
        text.push_str(&line);
    }
    if more > 0 {
        text.push_str(&format!("\n  and {more} more"));
    }
    text
}
