//! Armada's actions around an upgrade: Jobs deleted before it, disabled hooks, tests after it.

use serde_json::Value;

use super::probe_site::{self, ProbeChart, condition, revision};
use super::{Scope, Test, ensure};
use crate::bed::{Outcome, has_condition};

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("upgrades::a_changed_job_needs_its_deletion_or_a_hook", jobs),
        Test::shared("upgrades::disabled_hooks_do_not_run", no_hooks),
        Test::shared("upgrades::a_failing_test_blocks_the_next_stage", tested),
    ]
}

/// Returns the UID of a Job.
fn job(scope: &Scope<'_>, name: &str) -> Outcome<Value> {
    let namespace = &scope.namespace;
    let path = format!("/apis/batch/v1/namespaces/{namespace}/jobs/grain-{name}");
    let job = scope.bed.get(&path)?;
    job.ok_or_else(|| format!("there is no Job grain-{name}").into())
}

fn jobs(scope: &Scope<'_>) -> Outcome {
    let commit = probe_site::commit(scope)?;
    let text = |image: &str| {
        let values = format!("    jobs: {{aa-db-sync: '{image}', zz-db-init: '{image}'}}");
        let chart = ProbeChart {
            release: "probe",
            fields: "  test: {enabled: false}
  wait: {timeout: 90, resources: []}
  upgrade: {pre: {delete: [{type: job, labels: {release_group: grain-probe}}]}}",
            values: &values,
        };
        probe_site::manifest(scope, &commit, &[chart])
    };
    let (tree, said) = probe_site::convert(scope, &text("example.org/job:1"), "one", &[])?;
    ensure(said.contains("warning[pre-delete-not-carried]"), || said)?;
    probe_site::apply(scope, &tree)?;
    probe_site::ready(scope, "probe")?;
    let before = job(scope, "probe-aa-db-sync")?;

    let (tree, _) = probe_site::convert(scope, &text("example.org/job:2"), "two", &[])?;
    probe_site::apply(scope, &tree)?;
    let failed = probe_site::settled(scope, "probe", |release| has_condition(release, "Stalled"))?;
    let (reason, message) = condition(&failed, "Released").unwrap_or_default();
    ensure(
        reason == "UpgradeFailed" && message.contains("field is immutable"),
        || format!("{reason}: {message}"),
    )?;

    let hook = &["--pre-delete=hook"];
    let (tree, said) = probe_site::convert(scope, &text("example.org/job:2"), "hook", hook)?;
    ensure(said.contains("warning[pre-delete-as-hook]"), || said)?;
    probe_site::apply(scope, &tree)?;
    probe_site::ready(scope, "probe")?;
    let [sync, init] = ["probe-aa-db-sync", "probe-zz-db-init"].map(|name| job(scope, name));
    let (sync, init) = (sync?, init?);
    ensure(
        sync["metadata"]["uid"] != before["metadata"]["uid"]
            && sync["spec"]["template"]["spec"]["containers"][0]["image"] == "example.org/job:2",
        || sync.to_string(),
    )?;
    // By weight, not by name.
    let time = |job: &Value, field: &str| job["status"][field].as_str().map(str::to_owned);
    ensure(
        time(&init, "completionTime") <= time(&sync, "startTime")
            && has_condition(&sync, "Complete"),
        || format!("{} then {}", init["status"], sync["status"]),
    )?;

    let (tree, _) = probe_site::convert(scope, &text("example.org/job:3"), "again", hook)?;
    probe_site::apply(scope, &tree)?;
    probe_site::ready(scope, "probe")?;
    let after = job(scope, "probe-aa-db-sync")?;
    ensure(after["metadata"]["uid"] != sync["metadata"]["uid"], || {
        after.to_string()
    })
}

fn no_hooks(scope: &Scope<'_>) -> Outcome {
    let commit = probe_site::commit(scope)?;
    let text = |no_hooks: bool, replicas: u32| {
        let fields = format!(
            "  test: {{enabled: false}}
  wait: {{timeout: 90, resources: []}}
  upgrade: {{options: {{no_hooks: {no_hooks}}}}}"
        );
        let values = format!("    conf: {{marker: {replicas}}}");
        let chart = ProbeChart {
            release: "probe",
            fields: &fields,
            values: &values,
        };
        probe_site::manifest(scope, &commit, &[chart])
    };
    let mut uids = Vec::new();
    for (at, no_hooks) in [(1, true), (2, true), (3, false)] {
        let (tree, _) = probe_site::convert(scope, &text(no_hooks, at), &at.to_string(), &[])?;
        probe_site::apply(scope, &tree)?;
        let release = probe_site::settled(scope, "probe", |release| {
            revision(release) == u64::from(at) && has_condition(release, "Ready")
        })?;
        ensure(has_condition(&release, "Released"), || {
            release["status"].to_string()
        })?;
        uids.push(job(scope, "probe-hook")?["metadata"]["uid"].clone());
    }
    ensure(uids[0] == uids[1] && uids[1] != uids[2], || {
        format!("{uids:?}")
    })
}

fn tested(scope: &Scope<'_>) -> Outcome {
    let commit = probe_site::commit(scope)?;
    let text = |test: bool| {
        let fields = format!("  test: {{enabled: {test}}}\n  wait: {{timeout: 90, resources: []}}");
        let first = ProbeChart {
            release: "first",
            fields: &fields,
            values: "    test_labels: {armada2flux.example/fails: 'true'}",
        };
        let second = ProbeChart {
            release: "second",
            fields: "  test: {enabled: false}\n  wait: {timeout: 90, resources: []}",
            values: "",
        };
        probe_site::manifest(scope, &commit, &[first, second])
    };
    let (tree, _) = probe_site::convert(scope, &text(true), "on", &[])?;
    probe_site::apply(scope, &tree)?;
    let failed = probe_site::settled(scope, "first", |release| {
        condition(release, "TestSuccess").is_some_and(|(reason, _)| reason == "TestFailed")
            && has_condition(release, "Stalled")
    })?;
    // Installed once, and neither rolled back nor retried.
    ensure(
        revision(&failed) == 1 && has_condition(&failed, "Released"),
        || failed["status"].to_string(),
    )?;
    // Its generation is not observed before it starts.
    let path = probe_site::path(scope, "second");
    let blocked = scope
        .bed
        .wait(&path, probe_site::SETTLED_WITHIN, |release| {
            condition(release, "Ready").is_some_and(|(reason, _)| reason == "DependencyNotReady")
        })?;
    ensure(blocked["status"]["history"].is_null(), || {
        blocked["status"].to_string()
    })?;

    let (tree, _) = probe_site::convert(scope, &text(false), "off", &[])?;
    probe_site::apply(scope, &tree)?;
    probe_site::ready(scope, "second")?;
    Ok(())
}
