//! `apply` against a real cluster.

mod guards;
mod map_site;
mod old_readiness;
mod options;
mod rights;
mod running;
mod story;

use std::path::Path;

use super::{Scope, Test, airskiff, client_preflight, diff, ensure, site};
use crate::bed::{Error, Outcome};
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

fn told(failed: libtest_mimic::Failed) -> Error {
    failed.message().unwrap_or("failed").into()
}

/// `armada2flux apply TREE --yes` on the bed, with a journal of the test's own unless another is given.
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

/// Runs it to its end.
fn apply(
    scope: &Scope<'_>,
    kubeconfig: &Path,
    tree: &Path,
    arguments: &[&str],
) -> Outcome<ProgramOutput> {
    let mut command = command(scope, kubeconfig, tree, arguments);
    support::run_with_input(&mut command, b"").map_err(told)
}

/// Fails unless a run ended with this code.
fn ended(ran: &ProgramOutput, code: i32) -> Outcome {
    ensure(ran.code == Some(code), || {
        format!(
            "exit {:?} instead of {code}: {}{}",
            ran.code, ran.stdout, ran.stderr
        )
    })
}
