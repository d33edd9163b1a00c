//! `apply` against a real cluster.

mod guards;
mod map_site;
mod old_readiness;
mod options;
mod rights;
mod running;
mod story;

use std::path::Path;

use super::{
    Scope, Test, airskiff, client_preflight, diff, ensure, expect_schema, run_to_end, site,
    to_error,
};
use crate::bed::Outcome;
use crate::support::{self, ProgramOutput};

pub(super) fn tests() -> Vec<Test> {
    [
        guards::tests(),
        old_readiness::tests(),
        options::tests(),
        rights::tests(),
        story::tests(),
    ]
    .concat()
}

/// Returns `armada2flux apply TREE --yes`, with the test's own journal unless `arguments` name one.
fn command(
    scope: &Scope<'_>,
    kubeconfig: &Path,
    tree: &Path,
    arguments: &[&str],
) -> std::process::Command {
    let mut command = support::program();
    command.current_dir(scope.bed.path());
    command.arg("apply").arg(tree).arg("--yes");
    if !arguments.iter().any(|one| one.starts_with("--journal")) {
        let journal = format!("{}.journal", scope.namespace);
        command.arg("--journal").arg(journal);
    }
    command.arg("--kubeconfig").arg(kubeconfig).args(arguments);
    command
}

/// Runs `apply` until it ends.
fn apply(
    scope: &Scope<'_>,
    kubeconfig: &Path,
    tree: &Path,
    arguments: &[&str],
) -> Outcome<ProgramOutput> {
    let mut command = command(scope, kubeconfig, tree, arguments);
    run_to_end(&mut command)
}

/// Fails unless a run ended with `code`.
fn ended(ran: &ProgramOutput, code: i32) -> Outcome {
    ensure(ran.code == Some(code), || {
        format!(
            "exit {:?} instead of {code}: {}{}",
            ran.code, ran.stdout, ran.stderr
        )
    })
}
