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
            .map(|fault| (fault.to_string(), Some(fault.hint().to_string())));
        listed("the input cannot be rolled out", said)
    })?;
    let flaws = rollout::check(&rollout, set);
    if flaws.is_empty() {
        return Ok(rollout);
    }
    let said = flaws.iter().map(|flaw| (flaw.to_string(), None));
    let failure = listed(
        "internal error: the rollout breaks a rule, nothing was written",
        said,
    );
    Err(failure.hint("this is a bug of armada2flux: report it, with the tree if you may"))
}

fn listed(title: &str, said: impl ExactSizeIterator<Item = (String, Option<String>)>) -> Failure {
    let more = said.len().saturating_sub(SHOWN);
    let failure = Failure::new(title);
    let failure = said
        .take(SHOWN)
        .fold(failure, |failure, (what, hint)| failure.detail(what, hint));
    match more {
        0 => failure,
        more => failure.detail(format!("and {more} more"), None),
    }
}
