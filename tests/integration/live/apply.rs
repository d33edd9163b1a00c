//! `apply` against a real cluster.

use std::path::Path;

use super::site::{all_ready, convert, in_order, steps};
use super::{Scope, Test, ensure};
use crate::bed::Outcome;
use crate::bed::armada::Site;
use crate::support::{self, Ran};

pub(super) fn tests() -> Vec<Test> {
    vec![Test::private("apply::installs_the_worked_site", installs)]
}

fn told(failed: libtest_mimic::Failed) -> crate::bed::Error {
    failed.message().unwrap_or("failed").into()
}

/// Runs `apply` on the bed, in a folder of the test's own.
fn apply(scope: &Scope<'_>, tree: &Path, arguments: &[&str]) -> Outcome<Ran> {
    let folder = scope.bed.path().join(&scope.namespace);
    std::fs::create_dir_all(&folder)?;
    let mut command = support::program();
    command
        .current_dir(folder)
        .arg("apply")
        .arg(tree)
        .arg("--yes");
    command
        .arg("--kubeconfig")
        .arg(&scope.bed.kubeconfig)
        .args(arguments);
    support::feed(&mut command, b"").map_err(told)
}

fn installs(scope: &Scope<'_>) -> Outcome {
    let site = Site::worked(scope.bed, "flux")?;
    let tree = convert(scope, &site, "flux", &[])?;
    let ran = apply(scope, &tree, &[])?;
    ensure(ran.code == Some(0), || {
        format!("{}{}", ran.stdout, ran.stderr)
    })?;
    let steps = steps(&site)?;
    all_ready(scope, &steps)?;
    in_order(&scope.bed.audit()?, &steps)
}
