//! Gates and health checks where they are used: on live objects, and in the real helm-controller.

mod site;
mod workload;

use armada2flux::plan::gate::Verdict;
use serde_json::{Value as Json, json};

use super::{Scope, Test, ensure};
use crate::bed::Outcome;
use site::{End, Release, Site};
use workload::{Kind, Workload};

/// `wait.timeout` of releases that are expected to become ready.
const AMPLE: u32 = 120;

/// `wait.timeout` of releases that are not; pods that can be ready are so within a few seconds.
const SHORT: u32 = 20;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::shared("waits::two_of_three_pods_open_a_gate_of_66_percent", gates),
        Test::shared("waits::flux_agrees_by_health_checks", health_checks),
    ]
}

/// Two of three pods, one of three, and two Deployments that differ by label.
fn two_thirds() -> Site {
    let by_kind = json!([
        {"type": "deployment", "labels": {"tier": "main"}, "min_ready": "66%"},
        {"type": "statefulset", "min_ready": "66%"},
        {"type": "daemonset", "min_ready": "66%"},
        {"type": "deployment", "labels": {"tier": "spare"}, "min_ready": "33%"},
    ]);
    let all_kinds = |dead: usize| {
        vec![
            Workload::new(Kind::Deployment, "main", dead),
            Workload::new(Kind::StatefulSet, "store", dead),
            Workload::new(Kind::DaemonSet, "agent", dead),
            // What tells a controller that looked from one that never saw a pod.
            Workload::new(Kind::Deployment, "spare", 2),
        ]
    };
    let by_label = |front: &str, back: &str| {
        json!([
            {"type": "deployment", "labels": {"tier": "front"}, "min_ready": front},
            {"type": "deployment", "labels": {"tier": "back"}, "min_ready": back},
        ])
    };
    let two = || {
        vec![
            Workload::new(Kind::Deployment, "front", 1),
            Workload::new(Kind::Deployment, "back", 2),
        ]
    };
    let release = |name, timeout, resources, workloads| Release {
        name,
        timeout,
        native: false,
        resources,
        workloads,
    };
    Site {
        prefix: "w",
        releases: vec![
            release("most", AMPLE, by_kind.clone(), all_kinds(1)),
            release("few", SHORT, by_kind, all_kinds(2)),
            release("labels", AMPLE, by_label("66%", "33%"), two()),
            release("swapped", SHORT, by_label("33%", "66%"), two()),
        ],
    }
}

/// Names of the workloads whose gates of [`two_thirds`] stay closed, by release.
fn closed(release: &str) -> &'static [&'static str] {
    match release {
        "w-few" => &["main", "store", "agent"],
        "w-swapped" => &["back"],
        _ => &[],
    }
}

/// Every gate must be open, but those of the workloads that [`closed`] names; these must say why.
fn agrees(scope: &Scope<'_>, release: &Json) -> Outcome {
    let name = site::text(release, "/metadata/name");
    let verdicts = site::verdicts(scope, release)?;
    let mut waiting = verdicts.iter().filter_map(|verdict| match verdict {
        Verdict::Ready => None,
        Verdict::Waiting(reason) | Verdict::Failed(reason) => Some(reason.as_str()),
    });
    let wanted = closed(name).iter().map(|tier| {
        let kind = match *tier {
            "store" => "statefulset",
            "agent" => "daemonset",
            _ => "deployment",
        };
        format!("{kind} `{name}-{tier}`: 1 of 3 pods are ready, min_ready is 66%")
    });
    ensure(verdicts.len() >= 2 && wanted.eq(waiting.by_ref()), || {
        format!("{name}: {verdicts:?}")
    })
}

fn gates(scope: &Scope<'_>) -> Outcome {
    let site = two_thirds();
    let releases = site.install(scope, &[])?;
    for release in &releases {
        // Nothing in plain Flux waits for them: that is what gates are for.
        let end = site::end(scope, release)?;
        ensure(matches!(end, End::Ready), || format!("{end:?}"))?;
    }
    site.settled(scope)?;
    releases
        .iter()
        .try_for_each(|release| agrees(scope, release))
}

fn health_checks(scope: &Scope<'_>) -> Outcome {
    let site = two_thirds();
    let options = [
        "--waits=cel",
        "--cel-before-hooks=w-most",
        "--cel-before-hooks=w-few",
        "--cel-before-hooks=w-labels",
        "--cel-before-hooks=w-swapped",
    ];
    for release in &site.install(scope, &options)? {
        let name = site::text(release, "/metadata/name");
        let end = site::end(scope, release)?;
        let named: Vec<&str> = match &end {
            End::Ready => Vec::new(),
            End::Stalled(message) => {
                let workloads = ["main", "store", "agent", "spare", "front", "back"];
                let is_named = |tier: &&str| message.contains(&format!("/{name}-{tier} status:"));
                workloads.into_iter().filter(is_named).collect()
            }
        };
        let is_ready = matches!(end, End::Ready);
        ensure(
            named == closed(name) && is_ready == named.is_empty(),
            || format!("{name}: {end:?}"),
        )?;
        agrees(scope, release)?;
    }
    Ok(())
}
