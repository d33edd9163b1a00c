//! Tests in a real cluster with the real programs.

mod airskiff;
mod apply;
mod apply_failures;
mod apply_faults;
mod apply_hosts;
mod apply_journal;
mod apply_kill;
mod apply_locks;
mod apply_output;
mod apply_stops;
mod apply_watched;
mod chaos;
mod client;
mod client_access;
mod client_credentials;
mod client_faults;
mod client_frozen;
mod client_hostile;
mod client_inspect;
mod client_lease;
mod client_preflight;
mod client_retries;
mod client_watch;
mod client_writes;
mod cluster;
mod diff;
mod faults;
mod foreign_text;
mod ground;
mod parallel;
mod plan;
mod probe_site;
mod rbac;
mod readiness;
mod releases;
mod safety;
mod site;
mod small_site;
mod sources;
mod status;
mod strict;
mod types;
mod upgrades;
mod values;
mod waits;

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Command;

use libtest_mimic::{Completion, Failed, Trial};
use serde_json::Value;

use crate::bed::{Bed, Error, Outcome, build, ensure, failure};
use crate::support::{self, ProgramOutput};

pub(crate) use safety::victim;

/// Returns all live tests. Without Go they are listed as ignored, with the reason; with `CI` set that is a failure.
pub(crate) fn trials() -> Vec<Trial> {
    let missing = build::missing_go();
    let tests: Vec<Test> = [
        airskiff::tests(),
        apply::tests(),
        apply_failures::tests(),
        apply_faults::tests(),
        apply_hosts::tests(),
        apply_journal::tests(),
        apply_kill::tests(),
        apply_locks::tests(),
        apply_stops::tests(),
        apply_watched::tests(),
        client::tests(),
        client_access::tests(),
        chaos::tests(),
        client_credentials::tests(),
        client_faults::tests(),
        client_frozen::tests(),
        client_hostile::tests(),
        client_inspect::tests(),
        client_lease::tests(),
        client_retries::tests(),
        client_preflight::tests(),
        client_watch::tests(),
        client_writes::tests(),
        cluster::tests(),
        readiness::tests(),
        releases::tests(),
        diff::tests(),
        faults::tests(),
        foreign_text::tests(),
        ground::tests(),
        plan::tests(),
        rbac::tests(),
        safety::tests(),
        site::tests(),
        sources::tests(),
        status::tests(),
        apply_output::tests(),
        upgrades::tests(),
        values::tests(),
        waits::tests(),
        strict::tests(),
        types::tests(),
    ]
    .concat();
    let mut trials: Vec<_> = tests
        .into_iter()
        .map(|test| {
            let reason = missing.as_ref().map(|reason| format!("live, {reason}"));
            let trial = Trial::ignorable_test(format!("live::{}", test.name), move || test.run());
            match reason {
                None => trial,
                Some(reason) => trial.with_kind(reason).with_ignored_flag(true),
            }
        })
        .collect();
    if let (Some(reason), Some(_)) = (missing, std::env::var_os("CI")) {
        trials.push(Trial::test("live::go_is_there", move || {
            Err(Failed::from(format!(
                "live tests must run where CI is set, but {reason}"
            )))
        }));
    }
    trials
}

/// A live test by name.
#[derive(Debug, Clone, Copy)]
struct Test {
    name: &'static str,
    body: Body,
}

#[derive(Debug, Clone, Copy)]
enum Body {
    /// Needs no cluster.
    Alone(fn() -> Outcome),
    /// Runs on the shared bed, in its own namespace.
    Shared(fn(&Scope<'_>) -> Outcome),
    /// Runs on its own bed, which it may break.
    Private(fn(&Scope<'_>) -> Outcome),
}

impl Test {
    const fn alone(name: &'static str, body: fn() -> Outcome) -> Self {
        Self {
            name,
            body: Body::Alone(body),
        }
    }

    const fn shared(name: &'static str, body: fn(&Scope<'_>) -> Outcome) -> Self {
        Self {
            name,
            body: Body::Shared(body),
        }
    }

    const fn private(name: &'static str, body: fn(&Scope<'_>) -> Outcome) -> Self {
        Self {
            name,
            body: Body::Private(body),
        }
    }

    fn run(self) -> Result<Completion, Failed> {
        let done = match self.body {
            Body::Alone(body) => body(),
            Body::Shared(body) => Bed::shared().and_then(|bed| self.on(bed, body)),
            Body::Private(body) => Bed::start().and_then(|bed| self.on(&bed, body)),
        };
        match done {
            Ok(()) => Ok(Completion::Completed),
            Err(error) => match error.downcast::<Skipped>() {
                Ok(skipped) => Ok(Completion::ignored_with(skipped.to_string())),
                Err(error) => Err(Failed::from(error.to_string())),
            },
        }
    }

    /// Runs `body` in its namespace; after a failure, saves logs and objects.
    fn on(self, bed: &Bed, body: fn(&Scope<'_>) -> Outcome) -> Outcome {
        let namespace = self.name.replace("::", "-").replace('_', "-");
        let scope = Scope { bed, namespace };
        let made = scope.bed.apply(&serde_json::json!({
            "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": scope.namespace},
        }));
        let done = made.and_then(|()| {
            catch_unwind(AssertUnwindSafe(|| body(&scope)))
                .unwrap_or_else(|panic| Err(panic_text(&*panic).into()))
        });
        done.map_err(|error| -> Error {
            if error.is::<Skipped>() {
                return error;
            }
            match failure::save(
                bed,
                &scope.namespace,
                std::slice::from_ref(&scope.namespace),
            ) {
                Ok(folder) => format!("{error}\nkept for inspection: {}", folder.display()).into(),
                Err(second) => format!("{error}\n(logs could not be saved: {second})").into(),
            }
        })
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("panic")
        .to_owned()
}

/// The reason why a test cannot run on this machine.
#[derive(Debug)]
struct Skipped(String);

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Skipped {}

/// Converts documents into a tree with the program; returns its stderr.
fn convert(documents: &Path, tree: &Path, options: &[&str]) -> Outcome<String> {
    let mut command = support::program();
    command.arg("convert").arg(documents).arg("-o").arg(tree);
    let output = command.args(options).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure(output.status.success(), || said.clone())?;
    Ok(said)
}

/// Converts the error of a helper in `support`.
fn to_error(failed: Failed) -> Error {
    failed.message().unwrap_or("failed").into()
}

/// Runs a command without input until it ends.
fn run_to_end(command: &mut Command) -> Outcome<ProgramOutput> {
    support::run_with_input(command, b"").map_err(to_error)
}

/// Applies the published JSON Schema `docs/schema/NAME` to a value.
fn expect_schema(name: &str, value: &Value) -> Outcome {
    support::expect_schema(name, value).map_err(to_error)
}

/// The bed and the namespace of a test.
struct Scope<'b> {
    bed: &'b Bed,
    /// Created for this test alone.
    namespace: String,
}
