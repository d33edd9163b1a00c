//! When a release or a source counts as done: what its status proves, and what it does not.
//!
//! Flux writes a status in several requests and at its own time, so no single field says that an object is ready *as
//! it was written*. What was read from the controllers' sources:
//!
//! - A reconcile ends with a patch of the conditions and then one of the rest of the status; the top-level
//!   `observedGeneration` comes with the second (helm-controller: helmrelease_controller.go; fluxcd/pkg:
//!   runtime/patch/patch.go). `Ready=True` alone may be of an older generation; with `observedGeneration` it is not.
//! - A condition's own `observedGeneration` may run ahead of what was looked at (helm-controller: state.go): it is not
//!   read here.
//! - A suspended release gets `observedGeneration` without being looked at, `lastAttemptedGeneration` stays behind.
//! - `lastAttemptedGeneration`, `lastAttemptedRevision` and `lastAttemptedConfigDigest` move in every reconcile that
//!   gets as far as Helm's records, whether Helm is needed or not (helm-controller: helmrelease_controller.go,
//!   `reconcileRelease`). So a change that upgrades nothing passes here too.
//! - `Reconciling=True` takes `Stalled` away before anything else is done, and the other way round (fluxcd/pkg:
//!   runtime/conditions/setter.go). A release that is neither and not ready is at rest: nothing moves it.

mod repeat;
mod status;

#[cfg(test)]
mod tests;

use crate::flux::ObjectMeta;
use crate::flux::helm_repository::is_registry;
use crate::flux::object::SUSPEND;
use crate::value::{Text, Value};

pub use repeat::Attempts;

use status::{Condition, Snapshot, Status};

/// Reason of `Stalled` when a release's health checks or `readyExpr` cannot be read.
const INVALID_CEL: &str = "InvalidCELExpression";
/// Reason of `Stalled` when a source may not be used from the release's namespace.
const ACCESS_DENIED: &str = "AccessDenied";

/// Reasons of `Ready=False` from before Helm is asked: each is taken back as soon as it no longer holds, so they are
/// of the reconcile at hand (helm-controller: helmrelease_controller.go, `reconcileRelease`).
const BEFORE_HELM: &[&str] = &[
    "DependencyNotReady",
    "SourceNotReady",
    "ArtifactFailed",
    "ValuesError",
    "ChartMutateError",
    "RESTClientError",
    "ResourceManagerError",
    "FactoryError",
];

/// What `Reconciling` says before Helm is asked; a failure that stands beside it is of the reconcile before.
const PREREQUISITES: &str = "Fulfilling prerequisites";

/// What is said of a release that is deployed and of which a filter left out every test.
const LEFT_OUT: &str = "its tests did not run: `spec.test.filters` leaves out all of them: remove the filters, then \
                        resume the run";

/// What must have been seen of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expected {
    /// `metadata.generation` after the last write.
    pub generation: i64,
    /// What the release was told to do again: that must have been heard.
    pub retried: Option<Retried>,
}

/// What helm-controller is told to do again, by a mark that no other request has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Retried {
    /// Everything: the mark stands in the annotations `reconcile.fluxcd.io/requestedAt` and `resetAt`.
    Release(Text),
    /// The tests alone: the mark stands in `requestedAt`, and what is known of the tests was taken out of the status.
    Tests(Text),
}

/// Where an object stands. The texts quote what the cluster says: they are for [`Scrubber`] before they are shown.
///
/// [`Scrubber`]: crate::secret::Scrubber
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Not yet, and why.
    Waiting(Text),
    /// Done.
    Ready,
    /// Waiting will not help, and why.
    Failed(Text),
}

/// Where a HelmRelease stands.
#[must_use]
pub fn release(live: &Value, expected: &Expected) -> Readiness {
    let Expected {
        generation,
        retried,
    } = expected;
    if let Some(other) = not_as_written(live, *generation) {
        return other;
    }
    let status = Status::of(live);
    if let Some(retried) = retried
        && !is_handled(&status, retried)
    {
        let why = status.activity();
        return waiting(
            why.unwrap_or_else(|| "helm-controller has not started the retry yet".into()),
        );
    }
    if rests(&status, *generation) {
        return Readiness::Failed(failure(live, &status));
    }
    match missing(live, &status, *generation) {
        Some(_) if are_tests_left_out(live, &status, *generation) => {
            Readiness::Failed(LEFT_OUT.into())
        }
        Some(why) => waiting(why),
        None => Readiness::Ready,
    }
}

/// Where a source stands: GitRepository, OCIRepository, HelmRepository. `commit` is the one that a GitRepository is
/// pinned to.
///
/// A HelmRepository of type `oci` is ready once the API server has it ([`is_registry`]).
#[must_use]
pub fn artifact(live: &Value, generation: i64, commit: Option<&str>) -> Readiness {
    if let Some(other) = not_as_written(live, generation) {
        return other;
    }
    if is_registry(live) {
        return Readiness::Ready;
    }
    let status = Status::of(live);
    let observed = status.observed_generation == Some(generation);
    if observed && let Some(stalled) = status.stalled() {
        let Condition {
            status: _,
            reason,
            message,
        } = stalled;
        return Readiness::Failed(format!("Flux gave up ({reason}): {message}").into());
    }
    if let Some(why) = status.denied("Ready").or_else(|| status.activity()) {
        return waiting(why);
    }
    if !observed {
        return waiting(format!(
            "source-controller has not observed generation {generation} yet"
        ));
    }
    if !status.holds("Ready") {
        return waiting("source-controller does not report Ready yet");
    }
    match (live.text_at(&["status", "artifact", "revision"]), commit) {
        (None, _) => waiting("it has no artifact yet"),
        (Some(revision), Some(commit)) if !is_of(revision, commit) => {
            waiting(format!("its artifact is of {revision}, not of {commit}"))
        }
        (Some(_), _) => Readiness::Ready,
    }
}

/// Whether Helm's newest record of a release is one of a failure, which is what Armada asks before it touches a release
/// (Armada: handlers/chart_deploy.py: status not `deployed`). A failed test is not one.
#[must_use]
pub fn failed_before(live: &Value) -> bool {
    let status = Status::of(live);
    let newest = status.newest().map(|snapshot| snapshot.status);
    match newest {
        // What was uninstalled is not there for Armada: it is installed again.
        None | Some("deployed" | "uninstalled" | "") => false,
        // The last that is seen of a record which the remediation then took away.
        Some("uninstalling") => !status.holds("Remediated"),
        Some(_) => true,
    }
}

/// Whether a release is at rest without being ready, so that only a new generation, or the annotations
/// `reconcile.fluxcd.io/requestedAt` and `resetAt`, move it; or whether it repeats a failure that Flux never gives up.
#[must_use]
pub fn needs_retry(live: &Value) -> bool {
    let generation = ObjectMeta::of(live).generation();
    let status = Status::of(live);
    let rests = !suspended(live) && generation.is_some_and(|generation| rests(&status, generation));
    rests || repeat::is_stuck(live)
}

/// Whether a release is at rest only because its tests failed: Armada runs the tests of such a release again, and nothing
/// else (Armada: handlers/chart_deploy.py).
#[must_use]
pub fn needs_tests(live: &Value) -> bool {
    let status = Status::of(live);
    let ready = status.condition("Ready");
    let failed = !status.holds("Ready") && ready.is_some_and(|ready| ready.reason == "TestFailed");
    let deployed = status
        .newest()
        .is_some_and(|newest| newest.status == "deployed");
    failed && deployed && status.condition("Remediated").is_none() && needs_retry(live)
}

/// Whether Flux leaves the object alone.
fn suspended(live: &Value) -> bool {
    live.is_true_at(SUSPEND)
}

fn waiting(why: impl Into<Text>) -> Readiness {
    Readiness::Waiting(why.into())
}

/// Whatever keeps the status from counting at all: the object is not the one that was written, or Flux leaves it alone.
fn not_as_written(live: &Value, generation: i64) -> Option<Readiness> {
    let failed = |why: String| Some(Readiness::Failed(why.into()));
    let meta = ObjectMeta::of(live);
    if meta.is_terminating() {
        return failed("it is being deleted".to_owned());
    }
    match meta.generation() {
        Some(now) if now > generation => {
            let who = last_manager(live).map_or_else(String::new, |who| format!(" by `{who}`"));
            failed(format!(
                "it was changed during the run{who}: it is at generation {now}, this run wrote {generation}"
            ))
        }
        Some(now) if now == generation => {
            if suspended(live) {
                return failed("it is suspended, so Flux leaves it alone".to_owned());
            }
            None
        }
        Some(_) | None => Some(waiting("the API server has not shown what was written yet")),
    }
}

/// Who wrote the object's spec last, as far as the object tells.
pub(crate) fn last_manager(live: &Value) -> Option<&str> {
    let entries = ObjectMeta::of(live).managed_fields();
    let spec = entries.iter().filter(|entry| {
        let below = entry.text_at(&["subresource"]).unwrap_or_default();
        below.is_empty() && entry.at(&["fieldsV1", "f:spec"]).is_some()
    });
    // Times are RFC 3339 in UTC, all of one length.
    let last = spec.max_by_key(|entry| entry.text_at(&["time"]))?;
    last.text_at(&["manager"])
}

/// Whether a request to try again was heard. `lastHandledReconcileAt` is written when a reconcile ends,
/// `lastHandledResetAt` in the midst of it, by one that began with the request (helm-controller: action/reset.go).
fn is_handled(status: &Status<'_>, retried: &Retried) -> bool {
    let token = match retried {
        Retried::Tests(token) => return status.handled_reconcile == Some(token.as_str()),
        Retried::Release(token) => token.as_str(),
    };
    // These end a reconcile before it comes to the reset.
    let early = status
        .stalled()
        .is_some_and(|stalled| matches!(stalled.reason, INVALID_CEL | ACCESS_DENIED));
    status.handled_reconcile == Some(token) && (early || status.handled_reset == Some(token))
}

/// Whether the controller has looked at this generation, is done with it, and found it wanting.
fn rests(status: &Status<'_>, generation: i64) -> bool {
    if status.observed_generation != Some(generation) {
        return false;
    }
    let failed = status.denied("Ready").is_some() && status.activity().is_none();
    status.stalled().is_some() || failed && status.attempted_generation == Some(generation)
}

/// What a release that is at rest failed of.
fn failure(live: &Value, status: &Status<'_>) -> Text {
    let gave_up = status.stalled().map_or_else(String::new, |stalled| {
        format!("Flux gave up ({}): ", stalled.reason)
    });
    // What the last action of Helm failed of, if it did.
    let cause = status
        .denied("Released")
        .or_else(|| status.denied("TestSuccess"));
    if let Some(remediated) = status.condition("Remediated") {
        let what = match remediated.reason {
            "RollbackSucceeded" => match status.rolled_back_to() {
                Some(revision) => format!("Flux rolled back to revision {revision}"),
                None => "Flux rolled back".to_owned(),
            },
            "UninstallSucceeded" => "Flux uninstalled the release".to_owned(),
            _ => format!("{gave_up}{}", remediated.message),
        };
        return match cause {
            Some(cause) => format!("{what} after a failure: {cause}").into(),
            None => what.into(),
        };
    }
    let ready = status
        .condition("Ready")
        .filter(|ready| ready.status != "True");
    if live.at(&["spec", "test", "enable"]) == Some(&true.into())
        && let Some(ready) = ready.as_ref().filter(|ready| ready.reason == "TestFailed")
    {
        let hooks = status.newest().map(|newest| newest.failed_tests());
        let hooks = hooks.filter(|hooks| !hooks.is_empty());
        let hooks = hooks.map_or_else(String::new, |hooks| format!(" ({})", hooks.join(", ")));
        return format!("its tests failed{hooks}: {}", ready.message).into();
    }
    let message = ready
        .or_else(|| status.stalled())
        .map(|condition| condition.message);
    format!("{gave_up}{}", message.unwrap_or_default()).into()
}

/// What a release lacks that would make it ready.
fn missing(live: &Value, status: &Status<'_>, generation: i64) -> Option<String> {
    let attempted = status.attempted_generation == Some(generation);
    let prepares = status.activity().as_deref() == Some(PREREQUISITES);
    if let Some(ready) = status.condition("Ready")
        && ready.status == "False"
        && (BEFORE_HELM.contains(&ready.reason) || attempted && !prepares)
    {
        return Some(ready.message);
    }
    if let Some(why) = status.activity() {
        return Some(why);
    }
    if status.observed_generation != Some(generation) {
        return Some(format!(
            "helm-controller has not observed generation {generation} yet"
        ));
    }
    if !attempted {
        return Some(format!(
            "helm-controller has not tried generation {generation} yet"
        ));
    }
    if !status.holds("Ready") {
        return Some("helm-controller does not report Ready yet".to_owned());
    }
    match status.newest() {
        None => Some("helm-controller has no record of a release yet".to_owned()),
        Some(newest) => not_deployed(status, &newest).or_else(|| untested(live, status, &newest)),
    }
}

/// Why the newest record is not that of what was last attempted.
fn not_deployed(status: &Status<'_>, newest: &Snapshot<'_>) -> Option<String> {
    let revision = newest.version;
    if newest.status != "deployed" {
        let status = newest.status;
        return Some(format!("revision {revision} of the release is {status}"));
    }
    if status.attempted_revision != Some(newest.chart_version) {
        let chart = newest.chart_version;
        return Some(format!(
            "revision {revision} is of chart version {chart}, not of the one last attempted"
        ));
    }
    let attempted = status.attempted_config_digest.unwrap_or_default();
    // With another algorithm (a flag of the controller) the texts differ for equal values.
    let comparable = algorithm(attempted) == algorithm(newest.config_digest);
    (comparable && attempted != newest.config_digest)
        .then(|| format!("revision {revision} has other values than those last attempted"))
}

fn algorithm(digest: &str) -> &str {
    digest
        .split_once(':')
        .map_or("", |(algorithm, _)| algorithm)
}

/// Why the tests that are enabled are not done.
fn untested(live: &Value, status: &Status<'_>, newest: &Snapshot<'_>) -> Option<String> {
    let spec = |field: &str| live.at(&["spec", "test", field]) == Some(&true.into());
    if !spec("enable") {
        return None;
    }
    // An adopted release may have results and no condition.
    let refused = status
        .condition("TestSuccess")
        .is_some_and(|tests| tests.status != "True");
    let passed = spec("ignoreFailures") || !refused && newest.failed_tests().is_empty();
    let tested = newest.is_tested() && !(is_filtered(live) && newest.has_no_tests());
    (!tested || !passed).then(|| "its tests are not done".to_owned())
}

/// Whether filters choose among the tests: an empty list of results does not say then that the chart has none.
fn is_filtered(live: &Value) -> bool {
    !live.items_at(&["spec", "test", "filters"]).is_empty()
}

/// Whether everything is done but for tests, and filters left out all of them.
fn are_tests_left_out(live: &Value, status: &Status<'_>, generation: i64) -> bool {
    let done = status.holds("Ready")
        && status.activity().is_none()
        && status.observed_generation == Some(generation)
        && status.attempted_generation == Some(generation);
    let newest = status.newest();
    done && is_filtered(live)
        && live.is_true_at(&["spec", "test", "enable"])
        && newest
            .is_some_and(|newest| newest.has_no_tests() && not_deployed(status, &newest).is_none())
}

/// Whether an artifact's revision (`sha1:COMMIT`, `main@sha1:COMMIT`) is of a commit, which may be cut.
fn is_of(revision: &str, commit: &str) -> bool {
    let found = revision
        .rsplit_once(':')
        .map_or(revision, |(_, found)| found);
    !commit.is_empty() && found.starts_with(commit)
}
