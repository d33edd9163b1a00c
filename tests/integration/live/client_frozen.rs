//! All open connections fall silent at one moment, and new ones work: runs of `apply` go on.

use super::parallel::in_rounds;
use super::small_site::{self, SmallSite, WITHIN, ended};
use super::{Scope, Test, ensure};
use crate::bed::{Outcome, until};

pub(super) fn tests() -> Vec<Test> {
    vec![Test::shared("client_frozen::runs_go_on", runs)]
}

/// Runs, and how many of them at once.
const ROUNDS: usize = 20;
const AT_ONCE: usize = 10;

fn runs(scope: &Scope<'_>) -> Outcome {
    let commit = small_site::commit(scope)?;
    in_rounds(ROUNDS, AT_ONCE, |number| {
        round(scope, &commit, number).map_err(|error| format!("round {number}: {error}").into())
    })
}

/// Freezes a run as soon as it begins, or while it only waits.
fn round(scope: &Scope<'_>, commit: &str, number: usize) -> Outcome {
    let name = format!("{}-{number}", scope.namespace);
    let site = SmallSite::create(scope, commit, &name)?;
    let tree = site.tree("one", &[SmallSite::held_first_stage()])?;
    let freezer = scope.bed.freezer(&name)?;
    let run = site.start(&freezer.kubeconfig, &tree, &[])?;
    if number.is_multiple_of(2) {
        site.wait_until_held(1)?;
    } else {
        until(WITHIN, || {
            Ok((!site.journal_entries()?.is_empty()).then_some(()))
        })?;
    }
    freezer.freeze();
    site.release_first_stage()?;
    ended(&run.end()?, 0, &[])?;
    site.expect_deployed("one")?;
    let processes = site.expect_complete()?;
    ensure(processes == 1, || format!("{processes} processes"))
}
