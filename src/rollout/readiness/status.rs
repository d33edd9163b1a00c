//! The fields of a status that are read, as they stand there.

use crate::value::Value;

/// A HelmRelease's or a source's status.
#[derive(Clone, Copy, Debug)]
pub(super) struct Status<'v> {
    pub(super) observed_generation: Option<i64>,
    pub(super) attempted_generation: Option<i64>,
    pub(super) attempted_revision: Option<&'v str>,
    pub(super) attempted_config_digest: Option<&'v str>,
    pub(super) handled_reconcile: Option<&'v str>,
    pub(super) handled_reset: Option<&'v str>,
    /// Failed attempts.
    pub(super) failures: i64,
    /// Those that stored a revision.
    pub(super) stored_failures: i64,
    conditions: &'v [Value],
    history: &'v [Value],
}

/// An entry of `status.conditions`.
#[derive(Clone, Debug)]
pub(super) struct Condition<'v> {
    pub(super) status: &'v str,
    pub(super) reason: &'v str,
    /// Its message in one line, or its reason if it has none.
    pub(super) message: String,
}

/// An entry of `status.history`: one revision of the release.
#[derive(Clone, Copy, Debug)]
pub(super) struct Snapshot<'v> {
    pub(super) version: i64,
    pub(super) status: &'v str,
    pub(super) chart_version: &'v str,
    pub(super) config_digest: &'v str,
    tests: Option<&'v Value>,
}

impl<'v> Status<'v> {
    pub(super) fn of(live: &'v Value) -> Self {
        let int = |key: &str| live.int_at(&["status", key]);
        let count = |key: &str| int(key).unwrap_or_default();
        let text = |key: &str| live.text_at(&["status", key]);
        let list = |key: &str| live.items_at(&["status", key]);
        Self {
            observed_generation: int("observedGeneration"),
            attempted_generation: int("lastAttemptedGeneration"),
            attempted_revision: text("lastAttemptedRevision"),
            attempted_config_digest: text("lastAttemptedConfigDigest"),
            handled_reconcile: text("lastHandledReconcileAt"),
            handled_reset: text("lastHandledResetAt"),
            failures: count("failures"),
            stored_failures: count("installFailures").saturating_add(count("upgradeFailures")),
            conditions: list("conditions"),
            history: list("history"),
        }
    }

    pub(super) fn condition(&self, kind: &str) -> Option<Condition<'v>> {
        let of = |c: &&Value| c.text_at(&["type"]) == Some(kind);
        let found = self.conditions.iter().find(of)?;
        let reason = found.text_at(&["reason"]).unwrap_or_default();
        let message = found.text_at(&["message"]).unwrap_or_default();
        let words: Vec<&str> = message.split_whitespace().collect();
        Some(Condition {
            status: found.text_at(&["status"]).unwrap_or_default(),
            reason,
            message: if words.is_empty() {
                reason.to_owned()
            } else {
                words.join(" ")
            },
        })
    }

    /// Whether a condition is there and true.
    pub(super) fn holds(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(|c| c.status == "True")
    }

    /// What a condition says that is there and false.
    pub(super) fn denied(&self, kind: &str) -> Option<String> {
        let condition = self.condition(kind).filter(|c| c.status == "False")?;
        Some(condition.message)
    }

    /// The condition `Stalled` when it holds.
    pub(super) fn stalled(&self) -> Option<Condition<'v>> {
        self.condition("Stalled").filter(|c| c.status == "True")
    }

    /// What the controller is doing, if it says that it does something.
    pub(super) fn activity(&self) -> Option<String> {
        let reconciling = self
            .condition("Reconciling")
            .filter(|c| c.status == "True")?;
        Some(reconciling.message)
    }

    fn snapshots(&self) -> impl Iterator<Item = Snapshot<'v>> {
        self.history.iter().map(|entry| Snapshot {
            version: entry.int_at(&["version"]).unwrap_or_default(),
            status: entry.text_at(&["status"]).unwrap_or_default(),
            chart_version: entry.text_at(&["chartVersion"]).unwrap_or_default(),
            config_digest: entry.text_at(&["configDigest"]).unwrap_or_default(),
            tests: entry.at(&["testHooks"]),
        })
    }

    /// The newest revision; the list need not be sorted (helm-controller: snapshot_types.go, `Latest`).
    pub(super) fn newest(&self) -> Option<Snapshot<'v>> {
        self.snapshots().max_by_key(|snapshot| snapshot.version)
    }

    /// The revision that a rollback went back to: the newest before the one that failed which had been good
    /// (helm-controller: snapshot_types.go, `Previous`).
    pub(super) fn rolled_back_to(&self) -> Option<i64> {
        let newest = self.newest()?.version;
        let good = self.snapshots().filter(|snapshot| {
            let was = matches!(snapshot.status, "deployed" | "superseded");
            was && snapshot.version < newest && snapshot.failed_tests().is_empty()
        });
        good.map(|snapshot| snapshot.version).max()
    }
}

impl<'v> Snapshot<'v> {
    /// Whether results of tests were seen; an empty mapping says that there is none to run.
    pub(super) fn is_tested(&self) -> bool {
        self.tests.is_some_and(|tests| tests.as_mapping().is_some())
    }

    /// Whether results were seen and there are none.
    pub(super) fn has_no_tests(&self) -> bool {
        let hooks = self.tests.and_then(Value::as_mapping);
        hooks.is_some_and(crate::value::Mapping::is_empty)
    }

    /// Names of the test hooks that failed.
    pub(super) fn failed_tests(&self) -> Vec<&'v str> {
        let hooks = self.tests.and_then(Value::as_mapping);
        let hooks = hooks.map_or(&[][..], |hooks| hooks.entries());
        let failed = hooks
            .iter()
            .filter(|hook| hook.value.text_at(&["phase"]) == Some("Failed"));
        failed.map(|hook| hook.key.as_str()).collect()
    }
}
